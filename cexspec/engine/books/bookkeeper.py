"""Keeps the maintained books of a client: joins each connection's `BookSync` to the clock, to REST, and to consumers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from math import inf
from random import Random
from typing import Any, Protocol

from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.books.fetching import Fetching
from cexspec.engine.books.kept import Kept, Key, Leg, key_of
from cexspec.engine.books.legs import Legs
from cexspec.engine.books.progress import BooksProgress, Milestones
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.sync import BookSync, Instruments, Told
from cexspec.engine.books.synced import Fetch, Renew, State, SyncedBook
from cexspec.engine.books.view import BookView
from cexspec.engine.connection import FOREVER, Connection
from cexspec.engine.dispatch import Subscription, feed_of
from cexspec.engine.frames import Part
from cexspec.engine.holes import FetchRows
from cexspec.engine.outputs import Deliver
from cexspec.engine.planning import Forecast
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.models import BookOutOfSync, CexspecError, Event, InvalidRequest, TimeoutError
from cexspec.transport.clock import Clock, within
from cexspec.transport.window import SlidingWindow


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
        forecast: Forecast,
    ) -> None:
        self._exchange, self._markets, self._clock, self._random = exchange, markets, clock, random
        self._counters, self._consumers, self._settings = counters, consumers, settings
        self._fetching = Fetching(exchange, fetch, self._params, settings.at_once, clock, self._heard)
        self._forecast, self.milestones = forecast, Milestones(exchange)
        self._budget, self._numbers = SlidingWindow(settings.budget), count()
        self._syncs: dict[Connection, BookSync] = {}
        self._channels: dict[str, ChannelPlan] = {}
        self._kept: dict[Key, Kept] = {}
        self._of: dict[SyncedBook, Kept] = {}
        self._by_topic: dict[str, dict[Key, Kept]] = {}
        self._begun_ones = 0
        self._changed = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None

    @property
    def fetches(self) -> bool:
        """Whether snapshots can be fetched."""
        return self._fetching.fetch is not None

    def open(self, subscription: Subscription, channel: ChannelPlan, connection: Connection, *, live: bool) -> None:
        """Keep the book of a subscription on a connection; of one that is there already the subscription gets a first view.

        It may be kept on several (see `Legs`), of which one is delivered.
        """
        kept = self._kept.get(key_of(subscription))
        if kept is None:
            key = key_of(subscription)
            kept = self._kept[key] = self._new(subscription, connection, live=live)
            self._by_topic.setdefault(subscription.topic.text, {})[key] = kept
        if kept.legs and kept.legs.trouble is None and all(subscription not in leg.users for leg in kept.on.values()):
            subscription.buffer.put(kept.legs.primary.view(first=True))
        if connection not in kept.on:
            kept.on[connection] = self._leg(subscription, channel, connection, kept)
            if live:
                kept.on[connection].book.subscribed(self._clock.monotonic(), late=True)
            self._look()
        else:
            book = kept.on[connection].book
            self._heard(book, book.want(subscription.depth, self._clock.monotonic()))
        kept.on[connection].users.add(subscription)

    def close(self, subscription: Subscription) -> None:
        """The subscription is gone; a book that nobody asked for is let go."""
        for connection in tuple(kept.on) if (kept := self._kept.get(key_of(subscription))) is not None else ():
            self.leave(subscription, connection)

    def leave(self, subscription: Subscription, connection: Connection) -> None:
        """The subscription needs its book on this connection no longer; what nobody needs there is let go."""
        kept = self._kept.get(key_of(subscription))
        leg = kept.on.get(connection) if kept is not None else None
        if kept is not None and leg is not None:
            leg.users.discard(subscription)
            if not leg.users:
                self._drop(key_of(subscription), kept, connection)

    def promote(self, connection: Connection, topic: Topic) -> None:
        """Deliver a topic's book from this connection, as soon as it is right there and not behind."""
        for kept in self._kept_of(connection, topic):
            book = kept.on[connection].book
            self._tell([(book, kept.legs.promote(book, self._clock.monotonic()))])

    def in_step(self, connection: Connection, topic: Topic) -> bool:
        """Whether a topic's book is right on this connection; True where none is kept."""
        return all(kept.on[connection].book.trouble is None for kept in self._kept_of(connection, topic))

    def leads(self, connection: Connection, topic: Topic) -> bool:
        """Whether a topic's book is delivered from this connection; True where none is kept."""
        return all(kept.on[connection].book is kept.legs.primary for kept in self._kept_of(connection, topic))

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
        for kept in self._kept_of(connection, topic):
            kept.on[connection].book.subscribed(self._clock.monotonic())
            self._look()

    def missed(self, connection: Connection, count: int) -> None:
        """Frames of a connection were lost."""
        if connection in self._syncs:
            self._tell(self._syncs[connection].missed(count, self._clock.monotonic()))

    def died(self, connection: Connection, cause: str) -> None:
        """A connection is gone. What another one keeps as well goes on from there."""
        if connection in self._syncs:
            self._tell(self._syncs[connection].died(cause, self._clock.monotonic()))

    def stale(self, connection: Connection, topic: Topic, reason: str) -> None:
        """Nothing comes of a topic any more, and it is being asked for anew: its book is as good as one whose connection died."""
        for book in [kept.on[connection].book for kept in self._kept_of(connection, topic)]:
            self._heard(book, book.died(reason))

    def forget(self, connection: Connection) -> None:
        """A connection will not come back."""
        for key, kept in tuple(self._kept.items()):
            if connection in kept.on:
                self._drop(key, kept, connection)
        self._syncs.pop(connection, None)
        self._forecast.forget(connection)

    @property
    def states(self) -> dict[str | None, State]:
        """Symbol -> how far its book is, in the order in which they were asked for; of several the last."""
        return {kept.legs.primary.symbol(): kept.legs.primary.state for kept in self._kept.values()}

    @property
    def stats(self) -> dict[str, int]:
        """State -> how many books are in it."""
        return dict(Counter(kept.legs.primary.state for kept in tuple(self._kept.values())))

    @property
    def progress(self) -> BooksProgress:
        """How many books can be read, and when the others can, by the same reckoning as `cexspec plan`."""
        waiting = [kept for kept in self._kept.values() if kept.legs.trouble is not None]
        total = len(self._kept)
        return BooksProgress(total - len(waiting), len(waiting), total, self._eta(waiting))

    def view(self, symbol: str) -> BookView:
        """The book of a symbol, the deepest that can be read. Raises `BookOutOfSync`, `InvalidSymbol`, `InvalidRequest`."""
        name = self._markets.find(symbol).symbol
        books = [kept.legs for kept in self._kept.values() if kept.legs.primary.symbol() == name]
        if not books:
            raise InvalidRequest(f"no book of {name} is kept: subscribe it by stream_order_book", exchange=self._exchange)
        best = max(books, key=lambda legs: (legs.trouble is None, legs.primary.depth or inf))
        if best.trouble is not None:
            raise BookOutOfSync(f"{self._exchange} {name}: {best.trouble}")
        return best.primary.view(first=False)

    async def close_all(self) -> None:
        """Stop; returns when nothing is left running."""
        await self._fetching.close()
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)
        for book in self._of:
            book.ended()
        for found in (self._kept, self._of, self._by_topic, self._syncs):
            found.clear()
        self._begun_ones = 0

    def _new(self, subscription: Subscription, connection: Connection, *, live: bool) -> Kept:
        """A book that wasn't kept before."""
        now = self._clock.monotonic()
        served = now if live else self._forecast.served(connection, subscription.connection, subscription.topic, now)
        legs = Legs(self._settings.catch_up, lambda: self._begun(kept), lambda book: kept.expect(book))
        kept = Kept(legs, next(self._numbers), served)
        self.milestones.more(self._begun_ones, len(self._kept) + 1)
        return kept

    def _begun(self, kept: Kept) -> None:
        if not kept.begun:
            kept.begun = True
            self._begun_ones += 1
            self.milestones.begun(self._begun_ones, len(self._kept), lambda: self.progress)

    def _eta(self, waiting: list[Kept]) -> float:
        """Seconds until these are ready; `inf` where a snapshot can't be asked for."""
        now = self._clock.monotonic()
        try:
            pending = [kept.pending(self._params) for kept in sorted(waiting, key=lambda kept: kept.number)]
            return max(self._forecast.ready(pending, now), default=now) - now
        except CexspecError:
            return inf

    def _params(self, book: SyncedBook) -> dict[str, Any]:
        return self._markets.params(book.symbol() or "")

    def _leg(self, subscription: Subscription, channel: ChannelPlan, connection: Connection, kept: Kept) -> Leg:
        if connection not in self._syncs:
            self._syncs[connection] = BookSync(
                self._exchange, self._markets, self._counters, self._random, self._settings, self._budget, hear=self._hear
            )
        sync = self._syncs[connection]
        self._channels[channel.name] = channel
        book = sync.open(channel, subscription.topic, lambda: self._consumers.symbol_of(subscription), subscription.depth)
        kept.legs.join(book)
        self._of[book] = kept
        return Leg(sync, book)

    def _drop(self, key: Key, kept: Kept, connection: Connection) -> None:
        """Let a leg go."""
        leg = kept.on.pop(connection)
        told = kept.legs.leave(leg.book, self._clock.monotonic())
        del self._of[leg.book]
        leg.sync.close(leg.book)
        if not kept.on:
            del self._kept[key], self._by_topic[key[-1]][key]
            self._begun_ones -= kept.begun
            if not self._by_topic[key[-1]]:
                del self._by_topic[key[-1]]
        if told:
            self._tell([(leg.book, told)])

    def _kept_of(self, connection: Connection, topic: Topic) -> list[Kept]:
        return [kept for kept in self._by_topic.get(topic.text, {}).values() if connection in kept.on]

    def _hear(self, book: SyncedBook, events: list[Event], now: float) -> list[Event]:
        kept = self._of.get(book)
        return events if kept is None else kept.legs.told(book, events, now)

    def _heard(self, book: SyncedBook, events: list[Event]) -> None:
        """A book has something to tell that no frame of its connection brought."""
        self._tell([(book, self._hear(book, events, self._clock.monotonic()))])

    def _deliver(self, told: Iterable[Told]) -> None:
        for book, events in told:
            if events:
                self._consumers.tell([(feed_of(book.channel.name), events)], book.topic)

    def _tell(self, told: Iterable[Told]) -> None:
        self._deliver(told)
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
            self._deliver(sync.tick(now))
            for wanted in sync.drain():
                self._carry_out(connection, wanted)
        for kept in tuple(self._kept.values()):
            self._deliver([(kept.legs.primary, kept.legs.expire(now))])
        due = [due for sync in self._syncs.values() if (due := sync.next_deadline()) is not None]
        return min([*due, *(kept.legs.due for kept in self._kept.values() if kept.legs.due < inf)], default=None)

    def _carry_out(self, connection: Connection, wanted: Renew | Fetch) -> None:
        if isinstance(wanted, Renew):
            connection.renew(wanted.topic)
            return
        self._fetching.add(wanted, self._of[wanted.book].number)
