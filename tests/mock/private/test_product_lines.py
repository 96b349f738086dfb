"""Orders at a venue whose ids mean another market in each product line, all told of on one private connection."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.models import Fill, InvalidOrder, Order
from cexspec.models.order_request import OrderRequest

SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:PERP", "BTC/USD:PERP:BTC"


def of_venue(venue: MockVenue) -> Client:
    return Client("bybit", environment=venue.environment, credentials=venue.credentials, allow_trading=True)


@pytest.mark.parametrize(("symbol", "quantity", "counted"), [(SPOT, "0.2", "0.2"), (LINEAR, "0.2", "0.2"), (INVERSE, "0.02", "2500")])
async def test_each_event_is_of_its_product_line(symbol: str, quantity: str, counted: str) -> None:
    async with MockVenue("bybit", interval=3600) as venue, of_venue(venue) as client:
        for currency in ("USDT", "BTC"):
            venue.accounts.venue.deposit("other", currency, Decimal(10**9), 0)
        price = venue.market(symbol).price
        async with client.ws.private("orders") as orders, client.ws.private("fills") as fills:
            await asyncio.gather(orders.ready(), fills.ready())
            order = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity=quantity, price=price)
            sale = OrderRequest(symbol=symbol, side="sell", type="limit", quantity=Decimal(counted), price=price)
            venue.accounts.venue.place("other", sale, venue._now(), contracts=Decimal(counted))
            await venue.report()
            async with asyncio.timeout(10):
                fill = await anext(aiter(fills))
                told = [event async for event in _until_filled(orders)]
        assert isinstance(fill, Fill)
        assert (fill.symbol, fill.order_id, fill.quantity, fill.price) == (symbol, order.order_id, Decimal(quantity), price)
        assert [(one.symbol, one.order_id, one.status) for one in told] == [(symbol, order.order_id, state) for state in ("new", "filled")]
        held = await client.trade.get_positions()
        expected = [] if symbol == SPOT else [(symbol, "long", Decimal(quantity))]
        assert [(one.symbol, one.side, one.quantity) for one in held] == expected


async def test_stop_orders_of_spot_are_canceled_as_such_and_all_orders_by_product_line() -> None:
    async with MockVenue("bybit", interval=3600) as venue, of_venue(venue) as client:
        placed = [await client.trade.place_order(**order) for order in (_stop(venue, SPOT), _stop(venue, SPOT), _stop(venue, LINEAR))]
        assert [(one.status, one.conditional) for one in placed] == [("pending", True)] * 3
        await client.trade.cancel_order(placed[0].order_id)
        found = await client.trade.get_open_orders()
        assert sorted((one.symbol, one.type) for one in found) == [(SPOT, "stop_market"), (LINEAR, "stop_market")]
        assert {one.order_id for one in await client.trade.cancel_all_orders()} == {one.order_id for one in placed[1:]}
        assert await client.trade.get_open_orders() == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"symbol": SPOT, "reduce_only": True}, "no limit order with reduce_only, kind spot"),
    ({"symbol": LINEAR, "margin_mode": "isolated"}, "no limit order with margin_mode isolated, kind perpetual"),
    ({"symbol": LINEAR, "leverage": "5"}, "no limit order with leverage 5, kind perpetual"),
    ({"symbol": LINEAR, "time_in_force": "gtd", "expires": 2 * 10**18}, "no limit order with time_in_force gtd"),
    ({"symbol": SPOT, "position_side": "long"}, "no limit order with position_side long, kind spot"),
]


@pytest.mark.parametrize(("order", "reason"), REFUSED)
async def test_what_the_venue_has_no_word_for_is_refused(order: dict[str, Any], reason: str) -> None:
    async with MockVenue("bybit", interval=3600) as venue, of_venue(venue) as client:
        given: dict[str, Any] = {"side": "buy", "type": "limit", "quantity": "0.1", "price": venue.market(order["symbol"]).price}
        with pytest.raises(InvalidOrder, match=reason):
            await client.trade.place_order(**given, **order)


def _stop(venue: MockVenue, symbol: str) -> dict[str, Any]:
    price = (venue.market(symbol).price * Decimal("0.9")).quantize(Decimal(1))
    return {"symbol": symbol, "side": "sell", "type": "stop_market", "quantity": "0.1", "stop_price": price}


async def _until_filled(orders: Any) -> Any:
    async for event in orders:
        if isinstance(event, Order):
            yield event
            if event.status == "filled":
                return
