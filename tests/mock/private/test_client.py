"""A client trades at a mock venue over real sockets: orders, and what private streams tell of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.mock.accounts import BALANCES, USER
from cexspec.mock.samples import Samples
from cexspec.models import DuplicateOrder, InsufficientFunds, InvalidOrder, Order, OrderNotFound, Side
from cexspec.models.order_request import OrderRequest
from cexspec.spec.load import find
from tests.mock.private.executions import executions
from tests.mock.private.test_orders import OTHER, SPEC, SPOT
from tests.mock.private.trading_venues import VENUES, customer_of, others_come, short, spec_of, traded

MARGIN = 100
"""More than the leverage of any contract here."""


@pytest.fixture(params=VENUES, ids=short)
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[MockVenue]:
    async with MockVenue(request.param, interval=3600) as venue:
        others_come(venue)
        yield venue


@pytest.fixture
async def client(venue: MockVenue) -> AsyncIterator[Client]:
    async with Client(spec_of(venue), **customer_of(venue)) as client:
        yield client


async def sold(venue: MockVenue, quantity: str, price: Any, side: Side = "sell") -> None:
    """Somebody sells to (or buys from) whoever buys (or sells) at this price."""
    engine = venue.accounts.venue
    request = OrderRequest(symbol=traded(venue), side=side, type="limit", quantity=Decimal(quantity), price=price)
    engine.place(OTHER, request, venue._now())
    await venue.report()


def known(venue: MockVenue) -> set[str]:
    """The classes of the errors that a venue has samples of."""
    return {str(case["error"]) for case in Samples.load(SPEC if venue.exchange.id == "vault" else find(venue.exchange.id)).errors}


async def test_an_order_from_its_placing_to_its_fill(venue: MockVenue, client: Client) -> None:
    symbol = traded(venue)
    price = venue.market(symbol).price
    order = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.2", price=price)
    assert (order.status, order.quantity) == ("new", Decimal("0.2"))
    for quantity, status in (("0.05", "partially_filled"), ("0.15", "filled")):
        await sold(venue, quantity, price)
        assert (await client.trade.get_order(order.order_id, symbol=symbol)).status == status
    fills = await client.trade.get_fills(symbol)
    assert sorted(fill.quantity for fill in fills) == [Decimal("0.05"), Decimal("0.15")]  # type: ignore[type-var]
    assert await client.trade.get_open_orders(symbol) == []


async def test_an_order_is_amended_and_canceled(venue: MockVenue, client: Client) -> None:
    symbol = traded(venue)
    price = venue.market(symbol).price
    order = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.2", price=price)
    await client.trade.amend_order(order.order_id, symbol=symbol, quantity="0.1")
    (found,) = await client.trade.get_open_orders(symbol)
    assert found.quantity == Decimal("0.1")
    await client.trade.cancel_order(order.order_id, symbol=symbol)
    assert (await client.trade.get_order(order.order_id, symbol=symbol)).status == "canceled"
    with pytest.raises(OrderNotFound):
        await client.trade.cancel_order(order.order_id, symbol=symbol)


async def test_what_the_venue_refuses(venue: MockVenue, client: Client) -> None:
    symbol = traded(venue)
    price = venue.market(symbol).price
    given: dict[str, Any] = {"symbol": symbol, "side": "buy", "type": "limit", "quantity": "0.2", "price": price}
    mine = (await client.trade.place_order(**given)).client_order_id or ""
    if "DuplicateOrder" in known(venue):  # elsewhere nobody minds
        with pytest.raises(DuplicateOrder):
            await client.trade.place_order(**given, client_order_id=mine)
    if venue.accounts.venue.terms(symbol).tick is not None:
        with pytest.raises(InvalidOrder):
            await client.trade.place_order(**{**given, "price": price + Decimal("0.001")})
    with pytest.raises(InvalidOrder):
        await client.trade.place_order(**{**given, "price": price * 2, "post_only": True})
    with pytest.raises(InsufficientFunds):
        await client.trade.place_order(**{**given, "quantity": (int(BALANCES["USDT"] / price) + 1) * (1 if symbol == SPOT else MARGIN)})
    assert len(await client.trade.get_open_orders(symbol)) == 1


async def test_streams_tell_of_orders(venue: MockVenue, client: Client) -> None:
    symbol = traded(venue)
    price = venue.market(symbol).price
    async with client.ws.private("orders") as orders:
        await orders.ready()
        order = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.2", price=price)
        await sold(venue, "0.2", price)
        told = []
        async with asyncio.timeout(10):
            async for event in orders:
                if isinstance(event, Order):
                    told.append((event.order_id, event.status))
                    if event.status == "filled":
                        break
    first, *others, last = told  # Kraken says of a trade that fills the rest as well: partially filled
    assert (first, last) == ((order.order_id, "new"), (order.order_id, "filled"))
    assert others in ([], [(order.order_id, "partially_filled")])


async def test_the_fills_that_are_told_are_those_of_the_matching_engine(venue: MockVenue, client: Client) -> None:
    """As a maker in parts, then as a taker; by the stream as they come, and by the list afterwards."""
    symbol = traded(venue)
    price = venue.market(symbol).price
    given: dict[str, Any] = {"symbol": symbol, "type": "limit", "price": price}
    async with client.ws.private("fills") as fills:
        await fills.ready()
        await client.trade.place_order(side="buy", quantity="0.2", **given)
        for quantity in ("0.05", "0.15"):
            await sold(venue, quantity, price)
        await sold(venue, "0.1", price, side="buy")
        await client.trade.place_order(side="sell", quantity="0.1", **given)
        truth = venue.accounts.venue.fills(USER)
        async with asyncio.timeout(10):
            told = [await anext(fills) for _ in truth]
    assert [(fill.side, fill.liquidity) for fill in truth] == [("buy", "maker"), ("buy", "maker"), ("sell", "taker")]
    assert [getattr(event, "id", None) for event in told] == [fill.id for fill in truth]
    assert executions(told) == executions(truth)
    assert executions(await client.trade.get_fills(symbol)) == executions(truth)


@pytest.mark.parametrize("venue", ["kraken"], indirect=True, ids=str)
async def test_a_stop_order_is_told_as_the_sample_most_like_it(venue: MockVenue, client: Client) -> None:
    stop = (venue.market(SPOT).price * Decimal("0.9")).quantize(Decimal("0.1"))
    async with client.ws.private("orders") as orders:
        await orders.ready()
        order = await client.trade.place_order(symbol=SPOT, side="sell", type="stop_market", quantity="0.2", stop_price=stop)
        async with asyncio.timeout(10):
            told = await anext(orders)
    assert isinstance(told, Order)
    assert (told.order_id, told.type, told.status, told.stop_price) == (order.order_id, "stop_market", "pending", stop)
    assert (await client.trade.cancel_order(order.order_id)).status == "canceled"
