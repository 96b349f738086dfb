"""A venue whose requests a hook signs, and whose orders name instruments by codes: a client trades there, over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from cexspec import Client
from cexspec.hooks import SIGNERS
from cexspec.mock import MockVenue
from cexspec.models import AuthenticationError, InvalidOrder

SYMBOLS = ["HYPE/USDC", "BTC/USDC:PERP", "xyz-TSLA/USDC:PERP"]


@pytest.fixture
async def venue() -> AsyncIterator[MockVenue]:
    async with MockVenue("hyperliquid", interval=3600) as venue:
        yield venue


def customer(venue: MockVenue, **credentials: str) -> Client:
    return Client("hyperliquid", environment=venue.environment, credentials=credentials or dict(venue.credentials), allow_trading=True)


@pytest.mark.parametrize("symbol", SYMBOLS)
async def test_an_order_is_placed_changed_and_canceled(venue: MockVenue, symbol: str) -> None:
    price = venue.market(symbol).price
    async with customer(venue) as client:
        order = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.5", price=price)
        assert (order.symbol, order.status, order.quantity) == (symbol, "new", Decimal("0.5"))
        changed = await client.trade.amend_order(order.order_id, symbol=symbol, quantity="0.4")
        (found,) = await client.trade.get_open_orders(symbol)
        assert (found.order_id, found.quantity, found.price) == (changed.order_id, Decimal("0.4"), price)
        await client.trade.cancel_order(client_order_id=order.client_order_id, symbol=symbol)
        assert await client.trade.get_open_orders(symbol) == []


async def test_an_account_is_told_by_its_address_alone(venue: MockVenue) -> None:
    async with customer(venue, user=venue.credentials["user"]) as client:
        assert await client.trade.get_open_orders() == []
        with pytest.raises(AuthenticationError, match="private_key"):
            await client.trade.place_order(symbol="HYPE/USDC", side="buy", type="limit", quantity="0.5", price="40")


async def test_the_signature_of_somebody_else_is_refused(venue: MockVenue) -> None:
    async with customer(venue, private_key="11" * 32) as client:
        with pytest.raises(AuthenticationError):
            await client.trade.place_order(symbol="HYPE/USDC", side="buy", type="limit", quantity="0.5", price="40")


async def test_a_price_off_the_tick_is_refused_before_it_is_sent(venue: MockVenue) -> None:
    async with customer(venue) as client:
        with pytest.raises(InvalidOrder, match=r"no multiple of the tick size 0\.1"):
            await client.trade.place_order(symbol="BTC/USDC:PERP", side="buy", type="limit", quantity="0.5", price="65000.05")


def order(code: int, nonce: int) -> bytes:
    terms = {"limit": {"tif": "Gtc"}}
    action = {"type": "order", "orders": [{"a": code, "b": True, "p": "40", "s": "1", "r": False, "t": terms}], "grouping": "na"}
    venue = MockVenue("hyperliquid")
    return msgspec.json.encode(SIGNERS["hyperliquid"].sign(action, venue.credentials, nonce, "custom").body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (order(99, 1), "no instrument has the code 99"),
        (order(10107, 1).replace(b'"40"', b'"41"'), "the signature is not that of this request"),
        (b'{"type":"noop"}', "an action comes signed"),
        (b"[]", "an action comes signed"),
    ],
)
def test_what_is_not_right_is_refused(body: bytes, reason: str) -> None:
    assert reason in MockVenue("hyperliquid").answer("POST", "/exchange", {}, body)[2]


def test_a_nonce_is_good_once() -> None:
    venue = MockVenue("hyperliquid")
    answers = [venue.answer("POST", "/exchange", {}, order(10107, nonce))[2] for nonce in (5, 5, 6)]
    assert answers == ["", "the nonce 5 does not grow", ""]
