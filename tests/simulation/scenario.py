"""One seed: a venue, its markets, a client with its consumers, and bad weather that ends. Whoever plays it twice sees the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from cexspec.engine.books.settings import BookSettings
from cexspec.engine.options import Backfill, Reconnecting, StreamOptions
from cexspec.models import BookOutOfSync, InvalidRequest
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import VirtualClock
from tests.simulation.cast import VENUES, Cast, cast
from tests.simulation.oracle import caught_up, heard_of, judge_attempts, judge_drops, judge_tickers, judge_trades
from tests.simulation.readers import Reader
from tests.simulation.trace import Trace

START = 1_790_000_000 * 10**9
RECOVERED_WITHIN = 180.0
"""Virtual seconds after the weather cleared, at most: silence, a ping without answer, a backoff, and a budget of connects."""
SECOND = 10**9
FILLED = 11.0
"""Seconds after which a hole is filled, or given up."""
ALIKE = 14
"""Steps in which one of two connections that doesn't bring what the other one does is found out."""
EXPECTED = {"trades": 10.0, "ticker": 15.0, "order_book": 10.0}
"""Seconds in which data is due: markets here move that often."""


@dataclass(frozen=True)
class Report:
    """How a seed went. `lies` is empty where every promise was kept; the counts beside it are the client's own."""

    seed: int
    venue: str
    lies: tuple[str, ...]
    digest: str
    recovery: float
    """virtual seconds from clear weather to everything being right again"""
    faults: Mapping[str, int]
    totals: Mapping[str, int]
    """lines of the trace, events that consumers got, books compared with the venue's, and what the client counted"""
    lines: tuple[str, ...] = ()


COUNTED = ("gaps", "resyncs", "reconnects", "filled", "doubled", "stale", "rotations", "drops")


def venue_of(seed: int) -> str:
    """Which venue a seed plays with."""
    return VENUES[seed % len(VENUES)]


def simulate(seed: int, venue: str | None = None, *, trace: bool = False) -> Report:
    """Play one seed to its end."""
    name = venue or venue_of(seed)
    play = Play(seed, name, keep=trace)
    try:
        asyncio.run(play.perform())
    except Exception as failure:  # a crash is a finding, too
        play.lies.append(f"{type(failure).__name__}: {failure}")
    return play.report()


class Play:
    """One performance."""

    def __init__(self, seed: int, venue: str, *, keep: bool = False) -> None:
        self.seed, self.venue = seed, venue
        self.random = Random(f"{seed} {venue}")
        self.clock = VirtualClock(START)
        self.trace = Trace(self.clock, keep=keep)
        self.readers: list[Reader] = []
        self.lies: list[str] = []
        self.recovery = 0.0
        self._cast: Cast | None = None

    async def perform(self) -> None:
        """Play, and see that nothing is left running."""
        before = asyncio.all_tasks()
        await self.clock.run(self._play(), limit=1e5)
        for _ in range(20):
            await asyncio.sleep(0)
        if left := asyncio.all_tasks() - before:
            self.lies.append(f"tasks are left running: {sorted(task.get_name() for task in left)}")

    def report(self) -> Report:
        """How it went."""
        totals = {"steps": self.trace.count, "events": sum(len(reader.events) for reader in self.readers)}
        if self._cast is not None:
            stats = self._cast.client.stats
            totals |= {"views": self._cast.judge.compared, **{name: getattr(stats, name) for name in COUNTED}}
        return Report(
            seed=self.seed,
            venue=self.venue,
            lies=tuple(dict.fromkeys(self.lies)),
            digest=self.trace.digest,
            recovery=self.recovery,
            faults=dict(self._cast.weather.counts) if self._cast is not None else {},
            totals=totals,
            lines=tuple(self.trace.lines),
        )

    async def _play(self) -> None:
        options = self._options()
        self.trace.note("options", self.venue, _told_of(options))
        self._cast = all_ = cast(self.venue, self.seed, self.random, self.clock, self.trace, options)
        try:
            self._open(all_)
            await self._storm(all_)
            all_.heal()
            await self._recover(all_)
            await self._end(all_)
        finally:
            for reader in self.readers:
                await reader.stop()
            await all_.client.close()
            await all_.network.close()

    def _options(self) -> StreamOptions:
        choose = self.random.choice
        # Where a frame tells of one level only, nobody here can tell which frames of which connection make a whole change.
        redundancy = 1 if self.venue == "bitfinex" else choose((1, 1, 1, 2))
        return StreamOptions(
            queue=choose((20, 200, 10_000)),
            policy="drop_oldest" if redundancy > 1 else choose(("block", "drop_oldest", "drop_oldest")),
            expect_every=choose(({}, EXPECTED)),
            redundancy=redundancy,
            backfill=choose((None, Backfill(), Backfill())),
            reconnecting=Reconnecting(Backoff(choose((0.1, 0.5)), choose((2.0, 10.0)))),
            books=BookSettings(Backoff(0.5, 8.0), patience=choose((5.0, 15.0))),
        )

    def _open(self, all_: Cast) -> None:
        first, *others = all_.symbols
        self._read("trades", all_, all_.client.stream_trades(first, *others[:1]), (first, *others[:1]))
        depth = self.random.choice(all_.depths)
        self._read("books", all_, all_.client.stream_order_book(*others[-2:], first, depth=depth), (first, *others[-2:]))
        if all_.tickers:
            self._read("tickers", all_, all_.client.stream_ticker(first, policy="conflate"), (first,))
        if all_.messages:
            self._read("messages", all_, all_.client.stream_order_book(first, raw=True), (first,))

    def _read(self, name: str, all_: Cast, stream: Any, symbols: tuple[str, ...]) -> Reader:
        reader = Reader(name, stream, symbols, self.clock, all_.judge, self.trace)
        if all_.acknowledges:
            reader.expect()
        self.readers.append(reader)
        return reader

    async def _storm(self, all_: Cast) -> None:
        """Markets move, and everything that can go wrong does."""
        steps = self.random.randint(60, 140)
        comes, goes = self.random.randrange(steps), self.random.randrange(steps)
        late: Reader | None = None
        for step in range(steps):
            all_.happen()
            for reader in self.readers:
                if all_.weather.strikes("slow reader", reader.name):
                    reader.pause = self.random.uniform(0.5, 12.0)
            if step == comes:
                symbol = all_.symbols[-1]
                late = self._read("late trades", all_, all_.client.stream_trades(symbol), (symbol,))
            if step == goes and late is not None:
                await late.close()
            await self._step(all_, self.random.uniform(0.02, 0.8))

    async def _step(self, all_: Cast, seconds: float, trades: float = 0.5, moves: float = 0.6) -> None:
        for symbol in all_.symbols:
            if self.random.random() < trades:
                all_.far.trade(symbol)
            if self.random.random() < moves:
                all_.far.move(symbol)
        all_.far.step()
        all_.drop_idle()
        await self.clock.sleep(seconds)
        self._look(all_)

    def _look(self, all_: Cast) -> None:
        """A book that can be read is one that the venue had."""
        for symbol in all_.symbols:
            try:
                view = all_.client.book(symbol)
            except (BookOutOfSync, InvalidRequest):
                continue
            wrong = all_.judge.view(view)
            if wrong is not None:
                self.lies.append(f"read at any time: {wrong}")
            if "connected" not in all_.client.states.values():
                self.lies.append(f"the book of {symbol} can be read, and nothing is connected")
        self.lies += [lie for reader in self.readers for lie in reader.lies]
        if self.lies:
            raise AssertionError("a promise is broken")

    async def _recover(self, all_: Cast) -> None:
        """Until everything is right again, which must not take long."""
        began = self.clock.monotonic()
        good, enough = 0, ALIKE if all_.overlapping else 3
        while good < enough:
            await self._step(all_, 0.9, trades=1.0, moves=1.0)
            self.recovery = self.clock.monotonic() - began
            good = good + 1 if self._right(all_) else 0
            if self.recovery > RECOVERED_WITHIN:
                raise AssertionError(f"not right again after {RECOVERED_WITHIN:g} s: {self._wrong(all_)}")

    def _right(self, all_: Cast) -> bool:
        return not self._wrong(all_)

    def _wrong(self, all_: Cast) -> list[str]:
        """What is not right yet."""
        ago = self.clock.time_ns() - 2 * SECOND
        wrong = [f"the book of {name} is {state}" for name, state in all_.client.books.items() if state != "in_sync"]
        right = [name for name, state in all_.client.books.items() if name is not None and state == "in_sync"]
        wrong += [f"the book of {name} is old" for name in right if all_.judge.last(all_.client.book(name)) is not None]
        for reader in self._open_ones("trades"):
            wrong += [
                f"{reader.name} of {symbol} are late"
                for symbol in reader.symbols
                if not caught_up(reader, symbol, all_.truths[symbol], ago)
            ]
        for reader in self._open_ones("messages"):
            wrong += [
                f"{reader.name} of {symbol} are late" for symbol in reader.symbols if not heard_of(reader, symbol, all_.truths[symbol], ago)
            ]
        wrong += [f"{line.name} is dead" for line in all_.network.lines if line.dead_there or line.dead_back]
        return wrong + [f"{reader.name} ended: {reader.errors}" for reader in self.readers if not reader.closed and reader.errors]

    async def _end(self, all_: Cast) -> None:
        """The markets stand still; what is on its way arrives, and the books are the venue's. Then everything is read, and filled.

        Books come first: where data is expected, one that stands still for longer is begun anew, and may have nothing to begin with.
        """
        deadline = self.clock.monotonic() + RECOVERED_WITHIN
        await self._rest(all_, deadline)
        while not self._well(all_) and self.clock.monotonic() < deadline:
            await self._recover(all_)  # a connection was given up meanwhile: a topic had been silent for too long
            await self._rest(all_, deadline)
        self._look(all_)
        self._judge_books(all_)
        await self.clock.sleep(FILLED)
        while not (self._well(all_) and self._everything_read()) and self.clock.monotonic() < deadline:
            await self.clock.sleep(1.0)
        for reader in self.readers:
            self.lies += judge_drops(reader)
            if "trades" in reader.name:
                for symbol in reader.symbols:
                    self.lies += judge_trades(reader, symbol, all_.truths[symbol], overlapping=all_.overlapping)
            self.lies += judge_tickers(reader, all_.symbols)
        network, stats = all_.network, all_.client.stats
        self.lies += judge_attempts(network.attempts, network.hosts, all_.budgets)
        if stats.decode_errors or stats.callback_errors:
            self.lies.append(f"errors are counted: {stats.problems}")

    async def _rest(self, all_: Cast, deadline: float) -> None:
        """Until all is well, for one may have broken just now, and what is on its way is here."""
        while not self._well(all_) and self.clock.monotonic() < deadline:
            await self.clock.sleep(1.0)
        await self.clock.sleep(3.0)

    def _judge_books(self, all_: Cast) -> None:
        """Each is the venue's."""
        for symbol in [name for name in all_.client.books if name is not None]:
            if (wrong := all_.judge.last(all_.client.book(symbol))) is not None:
                self.lies.append(f"at the end: {wrong}")

    def _well(self, all_: Cast) -> bool:
        """Whether nothing broke just now."""
        return set(all_.client.states.values()) == {"connected"} and not all_.client.books_progress.waiting

    def _everything_read(self) -> bool:
        """Whether everything is read: a slow consumer may still be at it."""
        return not any(reader.stream.pending for reader in self.readers if not reader.closed)

    def _open_ones(self, word: str) -> list[Reader]:
        return [reader for reader in self.readers if word in reader.name and not reader.closed]


def _told_of(options: StreamOptions) -> str:
    """What a play's client is made with."""
    expects = "expecting data" if options.expect_every else "expecting nothing"
    fills = "filling holes" if options.backfill is not None else "leaving holes"
    return (
        f"queue {options.queue} {options.policy}, redundancy {options.redundancy}, {expects}, {fills}, books {options.books.patience:g} s"
    )
