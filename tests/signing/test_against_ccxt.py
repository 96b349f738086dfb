"""The same request, credentials, clock and nonce are given to ccxt's `sign` and to our recipes: what goes out is the same."""

from __future__ import annotations

import copy
from urllib.parse import urlsplit

import pytest

from tests.signing.cases import VENUES, Case, Venue
from tests.signing.rivals import MOMENT, credentials, ours, request, rival

ROWS = [
    pytest.param(venue, secret, case, id=f"{venue.ours}-{kind}-{case.name}".replace(" ", "_"))
    for venue in VENUES
    for kind, secret in venue.secrets.items()
    for case in venue.cases
]

DIFFERENCES: dict[str, dict[str, str]] = {
    "bybit": {"Referer": "names ccxt as a broker"},
    "bitget": {"X-CHANNEL-API-CODE": "names ccxt as a broker"},
    "mexc": {"source": "names ccxt as a broker", "Content-Type": "the documentation wants it of every request, ccxt leaves it off GET"},
}
"""Headers that differ on purpose, and why; none is part of what is signed."""


HOSTS = {
    "okx": "openapi.okx.com is a second name of www.okx.com, which the documentation has; the host isn't signed",
}
"""Venues whose host differs, and why."""


@pytest.mark.parametrize(("venue", "secret", "case"), ROWS)
def test_a_signed_request_is_ccxts(venue: Venue, secret: str, case: Case) -> None:
    theirs = rival(venue, secret).sign(
        case.endpoint, case.api if isinstance(case.api, list) else [case.api], case.method, copy.deepcopy(case.params)
    )
    exchange = ours(venue.ours)
    base = exchange.environments["live"].base(signed=True) or ""
    signed = exchange.recipe(venue.recipe).sign(request(case), base, credentials(secret, venue.key), MOMENT).request
    aside = {name.lower() for name in DIFFERENCES.get(venue.ours, {})}
    url = urlsplit(theirs["url"])
    if venue.ours not in HOSTS:
        assert urlsplit(base).netloc == url.netloc
    assert urlsplit(base).path + signed.target == url._replace(scheme="", netloc="").geturl()
    assert (signed.payload or b"").decode() == (theirs["body"] or "")
    assert headers(dict(signed.headers), aside) == headers(theirs["headers"] or {}, aside)


def headers(found: dict[str, str], aside: set[str]) -> dict[str, str]:
    return {name.lower(): value for name, value in found.items() if name.lower() not in aside and value is not None}
