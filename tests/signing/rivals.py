"""ccxt's classes with our clock, nonce and credentials, and our recipes beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import ccxt
import msgspec

from cexspec.compile.exchange import Exchange
from cexspec.compile.http_request import JSON_BODY, HttpRequest, urlencoded
from cexspec.compile.recipe import Moment
from cexspec.models import Credentials
from cexspec.spec.load import find, load
from tests.signing import keys
from tests.signing.cases import Case, Venue

SPECS = Path(__file__).parent / "specs"
NOW = 1_700_000_000_123
NONCE = 1_700_000_000_123
MOMENT = Moment(NOW * 1_000_000, NONCE, 5000)


@cache
def ours(exchange: str) -> Exchange:
    """A shipped exchange, or the spec of one beside the tests."""
    own = SPECS / f"{exchange}.yaml"
    return Exchange(load(own if own.is_file() else find(exchange)))


def credentials(secret: str, key: str = keys.KEY) -> Credentials:
    """Those of an account with this secret."""
    return Credentials({"api_key": key, "api_secret": secret, "passphrase": keys.PASSPHRASE})


def stopped(exchange: Any) -> Any:
    """The exchange with its clock and nonces standing still."""
    for name in ("milliseconds", "incrementing_nonce"):
        setattr(exchange, name, lambda: NOW)
    exchange.seconds = lambda: NOW // 1000
    exchange.random_bytes = lambda length: str(NONCE)
    return exchange


def rival(venue: Venue, secret: str, module: Any = ccxt) -> Any:
    """ccxt's instance."""
    exchange = getattr(module, venue.rival)({"apiKey": venue.key, "secret": secret, "password": keys.PASSPHRASE})
    exchange.options.update(venue.options)
    return stopped(exchange)


def request(case: Case) -> HttpRequest:
    """The request of a case, unsigned."""
    text = urlencoded(tuple((name, str(value)) for name, value in case.params.items()))
    if case.written == "json":
        return HttpRequest(case.method, case.path, body=msgspec.json.encode(case.params), headers=(JSON_BODY,))
    return HttpRequest(case.method, case.path, form=text) if case.written == "form" else HttpRequest(case.method, case.path, text)
