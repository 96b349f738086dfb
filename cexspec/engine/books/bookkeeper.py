"""Keeps the maintained books of a client: joins each connection's `BookSync` to the clock, to REST, and to consumers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any, Protocol

from cexspec.compile.plan import ChannelPlan, Params
from cexspec.engine.books.sync import BookSync, Instruments
from cexspec.engine.books.synced import BookSettings, Fetch, Renew, State, SyncedBook
from cexspec.engine.books.view import BookView
from cexspec.engine.connection import FOREVER, Connection
from cexspec.engine.dispatch import Subscription, feed_of
from cexspec.engine.frames import Part
from cexspec.engine.outputs import Deliver
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.models import Book, BookOutOfSync, CexspecError, Event, InvalidRequest, TimeoutError
from cexspec.transport.clock import Clock, within
from cexspec.transport.window import SlidingWindow

log = logging.getLogger("cexspec.stream")
FetchRows = Callable[[str, Params], Awaitable[list[Event]]]
"""Calls an operation (`RestEngine.call`)."""


class MarketParams(Instruments, Protocol):
    """What is known of symbols, and how requests name them (`Markets`)."""

    def params(self, symbol_or_id: str) -> dict[str, Any]:
        """What a request may hold of a market. Raises `InvalidSymbol`."""


@dataclass(frozen=True, slots=True)
class Consumers:
    """Who hears of books: `wants` says whether anybody takes a feed, `tell` delivers, `symbol_of` names a subscription's symbol."""

    wants: Callable[[str], bool]
    tell: Callable[[Sequence[Part], Topic | None], object]
    symbol_of: Callable[[Subscription], str | None]


@dataclass(slots=True)
class _Held:
    """A book and who asked for it."""

    sync: BookSync
    book: SyncedBook
    users: set[Subscription] = field(default_factory=set)


class Bookkeeper:
    """One for all connections of a client. `fetch` is None where there is no REST: then books can't begin from it."""

    def __init__(
        self,
        exchange: str,
        markets: MarketParams,
        clock: Clock,
        random: Random,
        counters: Counters,
        consumers: Consumers,
        fetch: FetchRows | None,
        settings: BookSettings,
    ) -> None:
        self._exchange, self._markets, self._clock, self._random = exchange, markets, clock, random
        self._counters, self._consumers, self._fetch, self._settings = counters, consumers, fetch, settings
        self._budget, self._room = SlidingWindow(settings.budget), asyncio.Semaphore(settings.at_once)
        self._syncs: dict[Connection, BookSync] = {}
        self._channels: dict[str, ChannelPlan] = {}
        self._held: dict[tuple[Connection, str, str], _Held] = {}
        self._changed = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None
        self._fetching: set[asyncio.Task[None]] = set()

    @property
    def fetches(self) -> bool:
        """Whether snapshots can be fetched."""
        return self._fetch is not None

    def open(self, subscription: Subscription, channel: ChannelPlan, connection: Connection, *, live: bool) -> None:
        """Keep the book of a subscription; of one that is there already the subscription gets a first view."""
        key = connection, channel.name, subscription.topic.text
        held = self._held.get(key)
        if held is None:
            sync = self._syncs.setdefault(connection, self._sync())
            self._channels[channel.name] = channel
            book = sync.open(channel, subscription.topic, lambda: self._consumers.symbol_of(subscription))
            held = self._held[key] = _Held(sync, book)
            if live:
                book.subscribed(self._clock.monotonic(), late=True)
            self._look()
        elif held.book.trouble is None:
            subscription.buffer.put(held.book.view(first=True))
        held.users.add(subscription)

    def close(self, subscription: Subscription) -> None:
        """The subscription is gone; a book that nobody asked for is let go."""
        for key, held in tuple(self._held.items()):
            held.users.discard(subscription)
            if not held.users:
                held.sync.close(held.book)
                del self._held[key]

    def parts(self, connection: Connection, deliver: Deliver) -> Sequence[Part]:
        """What to deliver for a frame: views of books, beside the messages themselves for who wants those."""
        sync = self._syncs.get(connection)
        if sync is None:
            return deliver.parts
        parts: list[Part] = []
        for part in deliver.parts:
            channel = self._channels.get(part[0])
            if channel is None:
                parts.append(part)
                continue
            parts.append((feed_of(channel.name), sync.apply(channel, part[1], deliver.topic, self._clock.monotonic())))
            if self._consumers.wants(channel.name):
                parts.append(part)
        if sync.hurry:
            self._look()
        return parts

    def subscribed(self, connection: Connection, topic: Topic) -> None:
        """The venue serves a topic."""
        for (where, _, text), held in self._held.items():
            if where is connection and text == topic.text:
                held.book.subscribed(self._clock.monotonic())
                self._look()

    def missed(self, connection: Connection, count: int) -> None:
        """Frames of a connection were lost."""
        if connection in self._syncs:
            self._tell(self._syncs[connection].missed(count, self._clock.monotonic()))

    def died(self, connection: Connection, cause: str) -> None:
        """A connection is gone."""
        if connection in self._syncs:
            self._tell(self._syncs[connection].died(cause))

    def in_step(self, connection: Connection, topic: Topic) -> bool:
        """Whether the book of a topic is right on a connection."""
        held = [one for (where, _, text), one in self._held.items() if where is connection and text == topic.text]
        return all(one.book.trouble is None for one in held)

    def forget(self, connection: Connection) -> None:
        """A connection will not come back."""
        self._syncs.pop(connection, None)
        self._held = {key: held for key, held in self._held.items() if key[0] is not connection}

    @property
    def states(self) -> dict[str | None, State]:
        """Symbol -> how far its book is, in the order in which they were asked for; of several the last."""
        return {held.book.symbol(): held.book.state for held in self._held.values()}

    def view(self, symbol: str) -> BookView:
        """The book of a symbol, the deepest that can be read. Raises `BookOutOfSync`, `InvalidSymbol`, `InvalidRequest`."""
        name = self._markets.find(symbol).symbol
        books = [held.book for held in self._held.values() if held.book.symbol() == name]
        if not books:
            raise InvalidRequest(f"no book of {name} is kept: subscribe it by stream_order_book", exchange=self._exchange)
        best = max(books, key=lambda book: (book.trouble is None, book.channel.depth or inf))
        if best.trouble is not None:
            raise BookOutOfSync(f"{self._exchange} {name}: {best.trouble}")
        return best.view(first=False)

    async def close_all(self) -> None:
        """Stop; returns when nothing is left running."""
        tasks = [*self._fetching, *([self._timer] if self._timer is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for held in self._held.values():
            held.book.ended()
        self._held.clear()
        self._syncs.clear()

    def _sync(self) -> BookSync:
        return BookSync(self._exchange, self._markets, self._counters, self._random, self._settings, self._budget)

    def _tell(self, parts: Sequence[Part], topic: Topic | None = None) -> None:
        self._consumers.tell([(feed_of(name), events) for name, events in parts if events], topic)
        self._look()

    def _look(self) -> None:
        """Something may be due earlier than it was."""
        self._changed.set()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().create_task(self._run(), name=f"cexspec books of {self._exchange}")

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            now, due = self._clock.monotonic(), self._do_what_is_due()
            with suppress(TimeoutError):
                await within(self._clock, FOREVER if due is None else max(0.0, due - now), self._changed.wait())

    def _do_what_is_due(self) -> float | None:
        """When to look again."""
        now = self._clock.monotonic()
        for connection, sync in tuple(self._syncs.items()):
            sync.hurry = False
            told = [(feed_of(name), events) for name, events in sync.tick(now)]
            self._consumers.tell(told, None)
            for wanted in sync.drain():
                self._carry_out(connection, wanted)
        return min((due for sync in self._syncs.values() if (due := sync.next_deadline()) is not None), default=None)

    def _carry_out(self, connection: Connection, wanted: Renew | Fetch) -> None:
        if isinstance(wanted, Renew):
            connection.renew(wanted.topic)
            return
        task = asyncio.get_running_loop().create_task(self._snapshot(wanted), name=f"cexspec snapshot of {wanted.book.symbol()}")
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _snapshot(self, wanted: Fetch) -> None:
        """Fetch a snapshot, a few at a time, and hand it in."""
        book = wanted.book
        async with self._room:
            try:
                snapshot = await self._fetched(wanted)
            except CexspecError as error:
                told = book.failed(wanted.ticket, str(error), self._clock.monotonic())
            except Exception as failure:
                log.exception("a snapshot of %s failed", book.symbol(), extra={"event": "internal_error"})
                told = book.failed(wanted.ticket, repr(failure), self._clock.monotonic())
            else:
                told = book.fetched(wanted.ticket, snapshot, self._clock.monotonic())
        self._tell([(book.channel.name, told)], book.topic)

    async def _fetched(self, wanted: Fetch) -> Book:
        assert self._fetch is not None
        params: Mapping[str, Any] = {**self._markets.params(wanted.book.symbol() or ""), "depth": wanted.depth}
        rows = await self._fetch(wanted.operation, params)
        for row in rows:
            if isinstance(row, Book):
                return row
        raise InvalidRequest(f"the answer of {wanted.operation} holds no book", exchange=self._exchange)
