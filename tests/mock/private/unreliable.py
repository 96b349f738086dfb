"""A customer of a mock venue whose connections break in the middle, and what the venue knows to be true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from cexspec import Client
from cexspec.compile.verbs import verb_of
from cexspec.engine.stream import Stream
from cexspec.mock import MockVenue
from cexspec.mock.accounts import USER
from cexspec.mock.faults import Close, Handshake
from cexspec.models import Event, Fill, Gap, NetworkError, Order
from cexspec.models.order_request import OrderRequest
from cexspec.transport.clock import SystemClock
from cexspec.transport.http import AiohttpTransport, HttpAnswer, HttpCall
from tests.mock.private.test_orders import OTHER
from tests.mock.private.trading_venues import traded

HURRY = 20
"""Pauses are so many times shorter than they would be."""
CHANGING = ("place_order", "amend_order", "cancel_order")


class HastyClock(SystemClock):
    """The machine's time, with short pauses."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / HURRY)


class LossyTransport(AiohttpTransport):
    """Loses what it is told to of the next request that changes an order: its `answer`, once it is done, or the `request` itself."""

    def __init__(self, venue: MockVenue) -> None:
        super().__init__()
        specs = venue.exchange.spec.rest
        changing = [pattern for pattern in venue._requests._patterns if verb_of(pattern.name, specs[pattern.name]) in CHANGING]
        self._paths = [(pattern.method, pattern.path) for pattern in changing]
        self.lose: str | None = None
        self.lost = 0

    async def send(self, call: HttpCall) -> HttpAnswer:
        path = urlsplit(call.url).path
        if self.lose is None or not any(call.method == method and fits(path) is not None for method, fits in self._paths):
            return await super().send(call)
        what, self.lose = self.lose, None
        self.lost += 1
        if what == "answer":
            await super().send(call)
        raise NetworkError(f"{call.where}: the connection broke")


@dataclass
class Customer:
    """A client that follows its orders and fills. `told`: what its streams have said."""

    venue: MockVenue
    client: Client
    http: LossyTransport
    streams: list[Stream[Any]] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def follow(self) -> None:
        """Open the streams, and listen."""
        self.streams = [self.client.trade.stream_orders(), self.client.trade.stream_fills()]
        for stream in self.streams:
            await stream.ready()
            self._tasks.append(asyncio.create_task(self._listen(stream)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def away(self) -> None:
        """The private connection breaks, and none comes about."""
        await self.venue.inject(Handshake())
        await self.venue.inject(Close(code=1006))

    async def back(self) -> None:
        """It comes back, and what happened meanwhile has been looked up."""
        before = self._closed()
        self.venue.heal()
        await self.until(lambda: self._closed() >= before + len(self.streams))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(6):
            while not holds():
                await asyncio.sleep(0.01)

    @property
    def price(self) -> Decimal:
        """Between the best prices: an order there rests."""
        return self.venue.market(traded(self.venue)).price

    async def place(self, **others: Any) -> Order:
        given = {"quantity": "0.2", "price": self.price, **others}
        return await self.client.trade.place_order(symbol=traded(self.venue), side="buy", type="limit", **given)

    async def sold(self, quantity: str, price: Any) -> None:
        """Somebody sells to whoever buys at this price."""
        request = OrderRequest(symbol=traded(self.venue), side="sell", type="limit", quantity=Decimal(quantity), price=price)
        self.venue.accounts.venue.place(OTHER, request, time.time_ns())
        await self.venue.report()

    @property
    def orders(self) -> list[Order]:
        """All orders that the venue has of the customer, as they are."""
        engine = self.venue.accounts.venue
        return [*engine.open_orders(USER), *engine.order_history(USER)]

    @property
    def fills(self) -> list[Fill]:
        """All executions that the venue knows of the customer."""
        return list(self.venue.accounts.venue.fills(USER))

    def agrees(self) -> bool:
        """Whether streams and tracker have come to what the venue knows."""
        heard = [event for event in self.told if isinstance(event, Fill)]
        return len(heard) >= len(self.fills) and all(
            summary(self.last(order)) == summary(order) == summary(self.client.trade.order(order.order_id)) for order in self.orders
        )

    def last(self, order: Order) -> Order | None:
        """What the stream said last of an order."""
        return next((one for one in reversed(self.told) if isinstance(one, Order) and one.order_id == order.order_id), None)

    def _closed(self) -> int:
        return sum(isinstance(event, Gap) and event.closed for event in self.told)

    async def _listen(self, stream: Stream[Any]) -> None:
        async for event in stream:
            self.told.append(event)


def summary(order: Order | None) -> tuple[Any, ...] | None:
    """What must agree of an order, wherever it comes from."""
    if order is None:
        return None
    return order.order_id, order.client_order_id, order.status, order.filled, order.quantity, order.price
