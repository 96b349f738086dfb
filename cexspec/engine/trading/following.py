"""Streams of one's own orders and fills: each is told once, and what a reconnect may have hidden is looked up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from cexspec.engine.private import Recovered
from cexspec.engine.stream import Stream
from cexspec.engine.trading.desk import Desk
from cexspec.engine.trading.tracker import Tracker
from cexspec.models import CexspecError, Event, Fill, Gap, Order
from cexspec.models.log_events import LogEvent
from cexspec.transport.clock import NANOSECONDS, Clock

log = logging.getLogger("cexspec.trade")
LATENESS = NANOSECONDS
"""How much before a connection was lost fills are looked up from: the venue's clock is not this one."""
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each attempt."""
CAUSE = "looked up after a reconnect"


@dataclass(eq=False, slots=True)
class Followed:
    """One stream: what it has been told, and of which symbols it wants to know (none: of all)."""

    name: str
    stream: Stream[Any]
    symbols: frozenset[str]
    told: Tracker

    def wants(self, event: Event) -> bool:
        """Whether an event belongs on this stream."""
        kind = {"orders": Order, "fills": Fill}.get(self.name)
        return kind is not None and isinstance(event, kind) and (not self.symbols or event.symbol in self.symbols)


@dataclass(eq=False, slots=True)
class Following:
    """Follows the streams of one client. `symbol_of` is the unified symbol of what a caller named."""

    desk: Desk
    clock: Clock
    symbol_of: Callable[[str], str]
    _streams: list[Followed] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def follow(self, name: str, stream: Stream[Any], symbols: Sequence[object]) -> None:
        """Keep what a stream has been told already from it."""
        one = Followed(name, stream, frozenset(self.symbol_of(str(symbol)) for symbol in symbols), Tracker(self.desk.exchange))
        self._streams = [each for each in self._streams if each.stream._buffer.ended is None]
        self._streams.append(one)
        stream._buffer.only(lambda event: self._news(one, event))

    def recovered(self, recovered: Recovered) -> None:
        """A private connection is back: look up what happened meanwhile, and tell the streams."""
        if recovered.proven is None or not recovered.streams & {"orders", "fills"}:
            return
        task = asyncio.get_running_loop().create_task(self._recover(recovered.streams, recovered.proven))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop looking up."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _news(self, one: Followed, event: Event) -> bool:
        if isinstance(event, Order):
            self.desk.tracker.update(event)
            return one.told.update(event)[1]
        return one.told.fresh(event) if isinstance(event, Fill) else True

    async def _recover(self, streams: frozenset[str], since: int) -> None:
        trouble: CexspecError | None = None
        for pause in PAUSES:
            await self.clock.sleep(pause)
            try:
                await self._tell(streams, since)
                return
            except CexspecError as error:
                trouble = error
        text = "%s: what happened while a private connection was away can't be looked up: %s"
        log.warning(text, self.desk.exchange, trouble, extra={"event": LogEvent.RECONCILIATION_FAILED})

    async def _tell(self, streams: frozenset[str], since: int) -> None:
        """Look up orders and fills, tell of those that are news, and close with a gap that says so."""
        for name, look in (("orders", self._orders), ("fills", self._fills)):
            if name not in streams:
                continue
            found = await look(since - LATENESS)
            for one in [each for each in self._streams if each.name == name and each.stream._buffer.ended is None]:
                buffer, before = one.stream._buffer, len(one.stream._buffer)
                for event in found:
                    if one.wants(event):
                        buffer.put(event)
                buffer.put_gap(self._closing(name, since, len(buffer) - before))

    async def _orders(self, since: int) -> list[Event]:
        """The orders that are open, and how those have ended of which that may not have been told."""
        desk, known, asked = self.desk, self._in_question(since), self.desk.tracker.mark
        found = await self._everywhere("open_orders", {}, known)
        for order in known:
            if not any(_same(order, other) for other in found):
                params = await desk.named(order.order_id, order.client_order_id, order.symbol)
                ended = await desk.lookup.find(params)
                found += [ended] if ended is not None else []
        return [desk.tracker.update(event, asked)[0] if isinstance(event, Order) else event for event in found]

    def _in_question(self, since: int) -> list[Order]:
        """Orders that are open as far as the client or one of its streams knows, and those of which answers have told since."""
        tracker = self.desk.tracker
        told = [order for one in self._streams for order in one.told.open]
        heard = [order for order in tracker.recent if (order.received or 0) >= since]
        return list({order.order_id or order.client_order_id: order for order in (*told, *tracker.open, *heard)}.values())

    async def _fills(self, since: int) -> list[Event]:
        """The fills since then, oldest first."""
        found = await self._everywhere("fills", {"start": since}, self.desk.tracker.recent)
        return sorted(found, key=lambda event: event.timestamp or 0)

    async def _everywhere(self, verb: str, params: dict[str, Any], known: Sequence[Order]) -> list[Event]:
        """All rows of a verb; where the venue wants a symbol, those of the symbols that have been traded."""
        verbs = self.desk.verbs
        operation = verbs.finder(verb, params)
        if operation is not None:
            return await verbs.run(operation, params)
        rows: list[Event] = []
        for symbol in dict.fromkeys(order.symbol for order in known if order.symbol is not None):
            rows += await verbs.call(verb, {**(await self.desk.terms(symbol)).params, **params})
        return rows

    def _closing(self, name: str, since: int, count: int) -> Gap:
        now = self.clock.time_ns()
        gap = Gap(exchange=self.desk.exchange, symbol=None, timestamp=now, received=now, channel=name, cause=CAUSE)
        return replace(gap, from_time=since, to_time=now, count=count, closed=True)


def _same(order: Order, other: Event) -> bool:
    if not isinstance(other, Order):
        return False
    ids = [(order.order_id, other.order_id), (order.client_order_id, other.client_order_id)]
    return any(own is not None and own == theirs for own, theirs in ids)
