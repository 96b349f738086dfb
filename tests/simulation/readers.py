"""Consumers: they take what streams give, now and then slowly, and hold it against what the venue knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cexspec.engine.books.legs import Legs
from cexspec.engine.books.synced import SyncedBook
from cexspec.engine.books.view import BookView
from cexspec.engine.stream import Stream
from cexspec.models import BookState, CexspecError, Event, Gap, Number, Ticker, Trade
from cexspec.transport.clock import VirtualClock
from tests.simulation.trace import Trace
from tests.simulation.truth import State, Truth, top


class Lie(AssertionError):
    """A promise was broken."""


@dataclass
class Judge:
    """Compares books with the truth. `numbered`: by the venue's number, else by time; `singly`: after the last frame of a change."""

    truths: Mapping[str, Truth]
    numbered: bool
    singly: bool
    compared: int = 0

    def view(self, view: BookView) -> str | None:
        """What is wrong with a book that can be read; None: nothing, or nothing can be said of it now."""
        truth, source = self.truths[view.symbol or ""], view.source
        book = source.primary if isinstance(source, Legs) else source
        assert isinstance(book, SyncedBook)
        if self.singly and view.sequence != truth.newest:
            return None
        if self.singly:
            expected: State | None = truth.last
        elif self.numbered:
            expected = truth.by_number.get(view.sequence or 0)
        else:
            last = book._last
            expected = truth.by_time.get((last.timestamp if last is not None else None) or 0)
        if expected is None:
            return f"{view.symbol}: the venue never had a book of number {view.sequence}"
        return self._compared(view, expected)

    def last(self, view: BookView) -> str | None:
        """What is wrong with a book that must be the venue's as it is now."""
        return self._compared(view, self.truths[view.symbol or ""].last)

    def _compared(self, view: BookView, expected: State) -> str | None:
        self.compared += 1
        depth = view.verified_depth
        bids, asks = view.depth(depth)
        held = dict(bids), dict(asks)
        if _plain(held) != _plain(top(expected, depth)):
            return f"{view.symbol}: the book at {view.sequence} is {held}, the venue's was {top(expected, depth)}"
        return None


def _plain(state: tuple[Mapping[Any, Number], Mapping[Any, Number]]) -> tuple[list[tuple[Decimal, Decimal]], ...]:
    return tuple([(Decimal(str(price)), Decimal(str(size))) for price, size in side.items()] for side in state)


@dataclass(eq=False)
class Reader:
    """One consumer of one stream. `pause` seconds pass before it takes the event after the next."""

    name: str
    stream: Stream[Any]
    symbols: tuple[str, ...]
    clock: VirtualClock
    judge: Judge
    trace: Trace
    events: list[Event] = field(default_factory=list)
    errors: list[CexspecError] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    ready: dict[str, int] = field(default_factory=dict)
    """symbol -> from when on it must be told of everything (nanoseconds)"""
    pause: float = 0.0
    ended: bool = False
    closed: bool = False
    _believed: dict[str | None, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run())]

    def expect(self) -> None:
        """Note from when on the venue says that it serves the symbols."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._await()))

    async def close(self) -> None:
        """Let go, and read what waits: a slow reader may not have come yet to the gap that it was told of."""
        await self.stop()
        self.stream.unsubscribe()
        while self.stream.pending:
            self._take(await anext(self.stream))
        await self.stream.close()

    async def stop(self) -> None:
        """Nothing more is taken."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _await(self) -> None:
        try:
            await self.stream.ready()
        except CexspecError:
            return
        self.ready |= dict.fromkeys(self.symbols, self.clock.time_ns())

    async def _run(self) -> None:
        while not self.ended:
            try:
                async for event in self.stream:
                    self._take(event)
                    if self.pause:
                        pause, self.pause = self.pause, 0.0
                        await self.clock.sleep(pause)
                self.ended = True
            except CexspecError as error:
                self.errors.append(error)
                self.trace.note("error", self.name, repr(error))
                self.ended = self.stream._buffer.ended is error

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.trace.note("got", self.name, told(event))
        if isinstance(event, BookView):
            self._view(event)
        elif isinstance(event, BookState):
            self._believed[event.symbol] = False

    def _view(self, view: BookView) -> None:
        # It may have waited in the queue while the book's connection was lost: another one has a moment to take over.
        between = not view.in_sync and "another connection's has yet to get" in (view.source.trouble or "")
        if not view.in_sync and not between:
            self.lies.append(f"{view.symbol}: a view of a book that is out of sync")
            return
        if view.first is self._believed.get(view.symbol, False):
            self.lies.append(f"{view.symbol}: first={view.first}, when it {'was' if view.first else 'was not'} believed")
        self._believed[view.symbol] = True
        wrong = self.judge.view(view) if not between else None
        if wrong is not None:
            self.lies.append(wrong)


def told(event: Event) -> str:
    """An event in few words, the same in every process."""
    match event:
        case BookView():
            return f"view {event.symbol} first={event.first} at={event.timestamp}"
        case BookState():
            return f"state {event.symbol} {event.state}: {event.reason}"
        case Gap():
            return f"gap {event.symbol} {event.from_time}..{event.to_time} count={event.count} closed={event.closed}: {event.cause}"
        case Trade():
            return f"trade {event.symbol} {event.id} at={event.timestamp}"
        case Ticker():
            return f"ticker {event.symbol} {event.last} at={event.timestamp}"
    return f"{type(event).__name__} {event.symbol}"
