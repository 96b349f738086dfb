"""The venues that orders are played through at, what is traded there, and by whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cexspec.mock import MockVenue
from cexspec.mock.samples import Samples
from cexspec.spec.load import find, shipped
from tests.mock.private.test_orders import LINEAR, OTHER, SPEC, SPOT

ANSWERING = [name for name in shipped() if Samples.load(find(name)).answers("place_order")]
VENUES = [str(SPEC), *ANSWERING]
"""Those that say how they answer orders."""
TRADED = (SPOT, LINEAR, "BTC/USDC:PERP")
"""Bitcoin, or contracts on it: the first that a venue lists is traded there."""


def short(name: str) -> str:
    """How tests call a venue."""
    return name.rsplit("/", 1)[-1]


def spec_of(venue: MockVenue) -> str:
    """What a client of it is made from."""
    return str(SPEC) if venue.exchange.id == "vault" else str(venue.exchange.id)


def traded(venue: MockVenue) -> str:
    """What is traded here."""
    listed = {str(one.symbol) for one in venue.listing}
    return next(symbol for symbol in TRADED if symbol in listed)


def others_come(venue: MockVenue) -> None:
    """Somebody else has money here, and will trade with whoever has the venue's credentials."""
    for currency in ("USDT", "USDC", "BTC"):
        venue.accounts.venue.deposit(OTHER, currency, Decimal(10**9), 0)


def customer_of(venue: MockVenue) -> dict[str, Any]:
    """What a client is given to trade here."""
    return {"environment": venue.environment, "credentials": venue.credentials, "allow_trading": True}
