"""The bounded queue between a connection and a consumer, and what happens when the consumer is slower.

block         nothing is lost: the connection's reader waits (such a stream has connections of its own, so that no other waits)
drop_oldest   the oldest events go, and a `Gap` tells how many of which symbol, and from when to when
conflate      of each symbol only the newest event waits (for events that say how things are, not what happened)
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec import structs

from cexspec.engine.distribution import Durations
from cexspec.models import BookState, Candle, CexspecError, Event, Gap

Policy = Literal["block", "drop_oldest", "conflate"]
MEASURED_EVERY = 16
"""Of so many events one is measured: the first."""
YIELD_EVERY = 16 * MEASURED_EVERY
"""A consumer that never waits gives way to others after so many events, or after all that wait then, if that is more."""
YIELD_AT_MOST = 8 * YIELD_EVERY
"""Whoever reads takes all that has arrived at once: a consumer that may take less in its turn would fall behind in a burst."""
GAP_EVERY = 100
"""Among so many events comes the gap that waits longest: its symbol may have no more events."""


class Ended(StopAsyncIteration):
    """Nothing more will come."""


@dataclass(slots=True)
class _Dropped:
    """What was dropped of one symbol."""

    exchange: str
    from_time: int | None
    to_time: int | None
    count: int = 0


class _Bell:
    """Wakes whoever waits for it."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        await waiter


class Buffer:
    """Holds events until they are taken. `channel` labels the gaps that dropping leaves.

    `delays` gets the time from the arrival of the frames to the taking of their events, by the wall clock `time_ns`.
    """

    def __init__(
        self, channel: str, limit: int, policy: Policy, delays: Durations | None = None, time_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._channel, self._limit, self._conflates = channel, limit, policy == "conflate"
        self.waits = policy == "block"
        """whoever fills it waits for its consumer"""
        self._items: deque[Event] = deque()
        self._latest: dict[object, Event] = {}
        self._first: deque[Event | CexspecError] = deque()
        self._lost: dict[str | None, _Dropped] = {}
        self._news, self._room = _Bell(), _Bell()
        self._delays, self._time_ns = delays, time_ns
        self._gives_way, self._turns = YIELD_EVERY, 0
        self._plain = True
        """only events wait: nothing that goes before them"""
        self._end: Exception | None = None
        self.dropped = 0
        """events that no consumer saw because it was too slow"""
        self.taken = 0
        """events that consumers took"""
        self.put: Callable[[Event], bool] = {"block": self._put, "drop_oldest": self._put_dropping, "conflate": self._put_newest}[policy]
        """Add an event; True: the buffer is full, and whoever fills it shall wait for `room`."""

    def __len__(self) -> int:
        return len(self._items) + len(self._latest)

    @property
    def ended(self) -> Exception | None:
        """How the events end, once that is known."""
        return self._end

    def only(self, passes: Callable[[Event], bool]) -> None:
        """From now on, add only events that pass (gaps are asked about as well)."""
        put = self.put
        self.put = lambda event: put(event) if passes(event) else False

    def put_gap(self, gap: Gap | BookState) -> None:
        """Add what goes before all that follows it."""
        if not self._conflates:
            self.put(gap)
        elif self._end is None:
            if len(self._first) >= self._limit:
                self._drop(gap)
            else:
                self._first.append(gap)
                self._plain = False
            self._news.ring()

    def put_error(self, error: CexspecError) -> None:
        """Add an error that `get` raises, once, before any data that waits."""
        if self._end is None:
            self._first.append(error)
            self._plain = False
            self._news.ring()

    def end(self, error: CexspecError | None = None) -> None:
        """Nothing more comes: what waits can still be taken, then `get` raises the error, or `Ended`."""
        if self._end is None:
            self._end = error or Ended()
        self.put = _refuse
        self._news.ring()
        self._room.ring()

    def clear(self) -> None:
        """Let go of everything that waits."""
        for waiting in (self._items, self._latest, self._first, self._lost):
            waiting.clear()
        self._room.ring()

    async def get(self) -> Event:
        """The next event, the gaps of its symbol before it. Raises an error put in, or what `end` says."""
        if self.taken % MEASURED_EVERY == 0:
            return await self._get_measured()
        if self._plain and self._items and not self._room.waiters:
            self.taken += 1
            return self._items.popleft()
        return await self._get_waiting()

    async def _get_measured(self) -> Event:
        if self.taken >= self._gives_way:
            await asyncio.sleep(0)
            self._gives_way = self.taken + min(max(YIELD_EVERY, len(self._items)), YIELD_AT_MOST)
        event = await self._get_waiting()
        if self._delays is not None and event.received is not None:
            self._delays.add(self._time_ns() - event.received)
        return event

    async def _get_waiting(self) -> Event:
        while not (self._items or self._first or self._lost or self._latest):
            if self._end is not None:
                raise self._end
            await self._news.wait()
        event = self._take()
        self.taken += 1
        return event

    async def room(self) -> None:
        """Wait until there is room again."""
        while len(self._items) >= self._limit:
            await self._room.wait()

    def _take(self) -> Event:
        item = self._next()
        self._plain = not (self._first or self._lost)
        if isinstance(item, Exception):
            raise item
        return item

    def _next(self) -> Event | CexspecError:
        if self._first:
            return self._first.popleft()
        self._turns += 1
        if self._lost and (self._turns % GAP_EVERY == 0 or not (self._items or self._latest)):
            return self._gap(next(iter(self._lost)))
        event = self._event()
        if event.symbol not in self._lost:
            return event
        # Its event comes next, whatever is dropped meanwhile. Were all gaps told first, a consumer that is too slow for many
        # symbols would be given gaps and nothing else.
        self._first.append(event)
        return self._gap(event.symbol)

    def _event(self) -> Event:
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        event = self._items.popleft()
        if self._room.waiters and len(self._items) < self._limit:
            self._room.ring()
        return event

    def _put(self, event: Event) -> bool:
        self._items.append(event)
        if self._news.waiters:
            self._news.ring()
        return len(self._items) >= self._limit

    def _put_dropping(self, event: Event) -> bool:
        if len(self._items) >= self._limit:
            self._drop(self._items.popleft())
        self._items.append(event)
        if self._news.waiters:
            self._news.ring()
        return False

    def _put_newest(self, event: Event) -> bool:
        if isinstance(event, Gap | BookState):
            if isinstance(event, BookState):  # a view that waits is none any more
                self._latest.pop(event.symbol, None)
            self.put_gap(event)
            return False
        key = (event.symbol, event.interval, event.timestamp) if isinstance(event, Candle) else event.symbol
        waits = self._latest.get(key)
        if waits is not None:
            self.dropped += 1
            if getattr(waits, "first", False):  # of a book that was begun: its first view, however new, says so
                event = structs.replace(event, first=True)
        elif len(self._latest) >= self._limit:
            self._drop(self._latest.pop(next(iter(self._latest))))
        self._latest[key] = event
        if self._news.waiters:
            self._news.ring()
        return False

    def _drop(self, event: Event) -> None:
        if isinstance(event, Gap) and event.closed:
            return  # nothing is missing there: what was fetched to close it came as events
        time = event.timestamp if event.timestamp is not None else event.received
        start, end, count = (event.from_time, event.to_time, event.count or 0) if isinstance(event, Gap) else (time, time, 1)
        lost = self._lost.setdefault(event.symbol, _Dropped(event.exchange, start, end))
        lost.from_time, lost.to_time = _least(lost.from_time, start), _most(lost.to_time, end)
        lost.count += count
        self._plain = False
        self.dropped += not isinstance(event, Gap)

    def _gap(self, symbol: str | None) -> Gap:
        lost = self._lost.pop(symbol)
        return Gap(
            exchange=lost.exchange,
            symbol=symbol,
            timestamp=lost.to_time,
            channel=self._channel,
            cause="the consumer was too slow: the oldest events in its full queue were dropped",
            from_time=lost.from_time,
            to_time=lost.to_time,
            count=lost.count,
        )


def _refuse(_event: Event) -> bool:
    return False


def _least(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else max(one, other)
