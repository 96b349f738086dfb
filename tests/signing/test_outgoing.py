"""The function that signs the requests of one operation: what it gives is what `sign` gives, laid upon the headers of all requests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from cexspec.compile.auth.parameters import BODIES
from cexspec.compile.exchange import compile_exchange
from cexspec.compile.http_request import FORM_BODY, JSON_BODY, PARTS, HttpRequest, Pairs
from cexspec.compile.recipe import Passage, RecipePlan
from cexspec.mock.signatures import credentials_of
from cexspec.models import Credentials
from cexspec.spec.load import shipped
from tests.signing.test_recipes import ADDED, LAST, MOMENT, PLACES, PREHASHES, SHA, exchange

BASE = "https://api.example.com/v1"
COMMON: Pairs = (("User-Agent", "me"), ("X-Own", "common"))
WHO = Credentials({"api_key": "k{}", "api_secret": "s", "passphrase": "a b"})

REQUESTS = [
    HttpRequest("GET", "/a"),
    HttpRequest("GET", "/a", "x=1%202"),
    HttpRequest("DELETE", "/a", "x=1"),
    HttpRequest("POST", "/a"),
    HttpRequest("POST", "/a", "x=1"),
    HttpRequest("POST", "/a", form="x=%C3%A9&y=", headers=(FORM_BODY,)),
    HttpRequest("POST", "/a", form="x=1"),
    HttpRequest("PUT", "/a", "x=1", b'{"m":1.50}', (JSON_BODY,)),
    HttpRequest("POST", "/a", body=b"{}", headers=(("content-type", "text/plain"), ("X-Own", "own"))),
]
RECIPES = [
    *(SHA % of for of, _, _ in PREHASHES),
    *(ADDED + LAST + more for more, *_ in PLACES),
    ADDED.replace("{{ params }}", "{{ body }}") + LAST + "into: body\n",
    'append: {w: "{{ recv_window }}", p: "{{ passphrase }}"}\nheaders: {W: "{{ recv_window }}", P: "<{{ passphrase }}>"}\n',
    SHA % "{{ body }}{{ body }}-{{ nonce }}{{ body | upper }}",
    SHA.replace("signature:", 'values: {text: {of: "({{ body }})"}}\nsignature:') % "{{ text }}{{ body }}",
    SHA.replace("signature:", 'values: {hash: {of: "{{ body }}", digest: sha256, encode: hex}}\nsignature:') % "{{ hash }}{{ body }}",
    'headers: {Content-Type: text/plain, X-KEY: "{{ api_key }}"}\n',
    'expires: 10s\nheaders: {X-EXPIRES: "{{ expires | ms }}", X-NOW: "{{ now | iso }}"}\n',
    'values: {hash: {of: "{{ body }}", digest: sha256, encode: raw}}\n'
    'signature: {of: ["{{ path }}", "{{ hash }}", "{{ now | ms }}", "-"], digest: hmac-sha256, key: api_secret, encode: base64url}\n'
    'headers: {X-SIGN: "{{ signature }}"}\n',
]


def laid(*layers: Pairs) -> Pairs:
    return tuple(dict(pair for layer in layers for pair in layer).items())


Sent = tuple[str, str, Pairs, bytes | None, float]


class Watch:
    """It is always the moment of the tests, on a local clock that is behind."""

    offset: int | None = 5_000_000_000

    def time_ns(self) -> int:
        return MOMENT.now - 5_000_000_000

    def next_nonce(self, now: int) -> int:
        assert now == self.time_ns()
        return MOMENT.nonce


def both_ways(plan: RecipePlan, base: str, who: Credentials, request: HttpRequest, path: str | None) -> Iterator[tuple[Sent, Sent]]:
    """What is sent by the function of the operation, whatever else its requests carry, and what by `sign`."""
    signed = plan.sign(request, base, who, MOMENT).request
    assert plan.outgoing is not None
    own = {name for name in PARTS if getattr(request, name)}
    for count in range(len(PARTS) - len(own) + 1):
        for others in combinations(sorted(set(PARTS) - own), count):
            passage = Passage(request.method, base, path, request.headers, COMMON, frozenset({*own, *others}))
            found = plan.outgoing(passage, who, MOMENT.recv_window, lambda *sent: sent, Watch())(request, 7.0)
            yield found, (request.method, base + signed.target, laid(COMMON, signed.headers), signed.payload, 7.0)


@pytest.mark.parametrize("path", ["/a", None], ids=["known path", "path with holes"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_it_does_what_signing_does(recipe: str, path: str | None, tmp_path: Path) -> None:
    plan = exchange(recipe, tmp_path).recipe("rest")
    for request in REQUESTS:
        for found, expected in both_ways(plan, BASE, WHO, request, path):
            assert found == expected


def private() -> list[tuple[str, str]]:
    plans = {venue: compile_exchange(venue) for venue in shipped()}
    return [(venue, name) for venue, plan in plans.items() for name in plan.operation_names if plan.operation(name).auth is not None]


def requests_of(method: str) -> Any:
    return [request for request in REQUESTS if (request.method in BODIES) == (method in BODIES)]


@pytest.mark.parametrize(("venue", "name"), private())
def test_it_does_what_signing_does_at_every_venue(venue: str, name: str) -> None:
    made = compile_exchange(venue)
    operation = made.operation(name)
    plan = made.recipe(str(operation.auth))
    if plan.outgoing is None:
        assert made.spec.auth is not None and made.spec.auth.recipes[plan.name].hook is not None  # it has no faster way
        return
    for request in requests_of(operation.method):
        for found, expected in both_ways(plan, BASE, credentials_of(made), request, None):
            assert found == expected
