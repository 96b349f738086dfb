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


# at most five significant digits, and 6 (spot: 8) decimals less those of the size; whole numbers always
PRICES = [
    ("BTC/USDC:PERP", "65000.5", "no multiple of the tick size 1: the nearest are 65000 and 65001"),
    ("BTC/USDC:PERP", "123456", ""),
    ("BTC/USDC:PERP", "9999.5", ""),
    ("BTC/USDC:PERP", "999.95", r"no multiple of the tick size 0\.1"),
    ("HYPE/USDC", "42.155", ""),
    ("HYPE/USDC", "42.1555", r"no multiple of the tick size 0\.001"),
]


@pytest.mark.parametrize(("symbol", "price", "reason"), PRICES)
async def test_prices_have_so_many_digits(venue: MockVenue, symbol: str, price: str, reason: str) -> None:
    async with customer(venue) as client:
        placed = client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.5", price=price)
        if reason:
            with pytest.raises(InvalidOrder, match=reason):
                await placed
        else:
            assert (await placed).price == Decimal(price)


async def test_orders_without_a_limit_go_out_with_the_worst_price_they_may_have(venue: MockVenue) -> None:
    price = venue.market("HYPE/USDC").price
    async with customer(venue) as client:
        bought = await client.trade.place_order(symbol="HYPE/USDC", side="buy", type="market", quantity="0.5")
        assert (bought.status, bought.filled, bought.price) == ("filled", Decimal("0.5"), None)
        stop = await client.trade.place_order(symbol="HYPE/USDC", side="sell", type="stop_market", quantity="0.4", stop_price=price - 2)
        (found,) = await client.trade.get_open_orders("HYPE/USDC")
        assert (found.order_id, found.status, found.stop_price) == (stop.order_id, "pending", price - 2)
        shown = await client.trade.amend_order(stop.order_id, symbol="HYPE/USDC", stop_price=price - 3)
        assert shown.stop_price == price - 3


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
