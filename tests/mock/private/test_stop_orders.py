"""Stop orders that a venue keeps apart from the ordinary ones: each is told of where it is kept, and nowhere else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cexspec import Client, Order
from cexspec.compile.exchange import Exchange
from cexspec.mock import MockVenue
from cexspec.mock.kept import verbs
from cexspec.spec.load import find, load, shipped
from tests.mock.private.test_client import client, venue  # noqa: F401 - fixtures
from tests.mock.private.trading_venues import VENUES, traded


def _apart(name: str) -> bool:
    """Whether an exchange has operations of their own for stop orders."""
    operations = Exchange(load(find(name))).spec.rest.values()
    return any(one.serves == "order" for one in operations)


APART = [name for name in VENUES if name in shipped() and _apart(name)]


@pytest.mark.parametrize("venue", APART, indirect=True)
async def test_a_stop_order_is_told_of_where_it_is_kept(venue: MockVenue, client: Client) -> None:  # noqa: F811
    symbol = traded(venue)
    price = venue.market(symbol).price
    stop: dict[str, Any] = {"symbol": symbol, "side": "buy", "type": "stop_market", "quantity": "0.2", "stop_price": price * 2}
    async with client.ws.private("orders") as orders:
        await orders.ready()
        placed = await client.trade.place_order(**stop)
        resting = await client.trade.place_order(symbol=symbol, side="buy", type="limit", quantity="0.1", price=price)
        listed = await client.trade.get_open_orders(symbol)
        assert sorted((one.order_id, one.conditional) for one in listed) == [(placed.order_id, True), (resting.order_id, False)]
        found = await client.trade.get_order(placed.order_id, symbol=symbol)
        assert (found.status, found.type, found.stop_price, found.conditional) == ("pending", "stop_market", price * 2, True)
        await client.trade.cancel_order(placed.order_id, symbol=symbol)
        await venue.report()
        told = []
        async with asyncio.timeout(10):
            async for event in orders:
                if isinstance(event, Order):
                    told.append((event.order_id, event.status, event.conditional))
                    if event.status == "canceled":
                        break
    assert sorted(told) == sorted(
        [(placed.order_id, "pending", True), (resting.order_id, "new", False), (placed.order_id, "canceled", True)]
    )
    assert [one.order_id for one in await client.trade.get_open_orders(symbol)] == [resting.order_id]


@pytest.mark.parametrize("name", APART)
def test_a_part_of_a_list_does_what_the_list_does(name: str) -> None:
    spec = Exchange(load(find(name))).spec
    parts = spec.rest["open_orders"].joins or []
    assert len(parts) > 1 and {verbs(spec)[part] for part in parts} == {"open_orders"}
