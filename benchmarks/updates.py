"""From the wire to `stream_orders`, over a real socket on loopback: how old news of an order is when its consumer has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from statistics import median, quantiles
from typing import Any

from cexspec import Client
from cexspec.engine.stream import Stream
from cexspec.mock import MockVenue
from cexspec.models import Order
from cexspec.models.order_request import OrderRequest

VENUES = ("okx", "binance", "bybit", "kraken")
"""Whose private streams the mock venue speaks."""
FILLS, FIRST = 300, 30
"""Fills of one order that are told of, and those at the beginning that don't count."""
SYMBOL, PIECE = "BTC/USDT", Decimal("0.001")


@dataclass(frozen=True)
class Latency:
    """Microseconds from before a frame is written to the socket until the consumer has the order."""

    median: float
    p99: float


def latency(venue: str) -> Latency:
    """Of a venue whose private streams the mock venue speaks. Server and client share one process and one event loop."""
    taken = asyncio.run(_latencies(venue))[FIRST:]
    return Latency(median(taken), quantiles(taken, n=100)[98])


async def _latencies(name: str) -> list[float]:
    async with MockVenue(name, interval=3600) as venue:
        for currency in ("USDT", "BTC"):
            venue.accounts.venue.deposit("other", currency, Decimal(10**9), 0)
        async with Client(name, environment=venue.environment, credentials=venue.credentials, allow_trading=True) as client:
            stream = client.trade.stream_orders()
            await stream.ready()
            price = venue.market(SYMBOL).price
            order = await client.trade.place_order(symbol=SYMBOL, side="buy", type="limit", quantity=PIECE * FILLS * 2, price=price)
            await _seen(stream, order.order_id, Decimal(0))
            return [await _filled(venue, stream, order.order_id, price, PIECE * (number + 1)) for number in range(FILLS)]


async def _filled(venue: MockVenue, stream: Stream[Order], order_id: str | None, price: Decimal, filled: Decimal) -> float:
    """Fill a further piece of the order, so that this is filled of it; the microseconds until that is known."""
    seen = asyncio.ensure_future(_seen(stream, order_id, filled))
    await asyncio.sleep(0)
    sold = OrderRequest(symbol=SYMBOL, side="sell", type="limit", quantity=PIECE, price=price)
    venue.accounts.venue.place("other", sold, time.time_ns())
    frames = list(_frames(venue))
    start = time.perf_counter_ns()
    for peer, text in frames:
        await peer.socket.send_str(text)
    return (await seen - start) / 1000


def _frames(venue: MockVenue) -> Iterator[tuple[Any, str]]:
    told = list(venue.accounts.told())
    for peer in tuple(venue._peers):
        yield from ((peer, text) for text in peer.dialogue.news(told))


async def _seen(stream: Stream[Order], order_id: str | None, filled: Decimal) -> int:
    """When the consumer has an order of which this is filled, in nanoseconds."""
    async for order in stream:
        if isinstance(order, Order) and order.order_id == order_id and order.filled == filled:
            break
    return time.perf_counter_ns()
