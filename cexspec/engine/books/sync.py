"""The maintained books of one connection: between the reading of a frame and the queues of its consumers.

A `BookSync` sees every book message of its connection in order, gives views of the books that are right in place of messages,
and says what it wants done (`Renew`, `Fetch`). It dies with its connection. Sans-I/O: `now` is seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from math import inf
from random import Random
from typing import Protocol

from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.synced import Fetch, Renew, SyncedBook
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.hooks import Precision
from cexspec.models import Book, Event, Instrument, InvalidSymbol, Market
from cexspec.transport.window import SlidingWindow

Key = tuple[str, str | None, str | None]
"""Channel, symbol, and the topic where frames tell it."""
Told = tuple[SyncedBook, list[Event]]
"""A book and what it tells."""
Hear = Callable[[SyncedBook, list[Event], float], list[Event]]
"""(book, what it tells, now) -> what consumers hear of that."""
ONE = Decimal(1)
MAX_WAYS = 20_000
"""Ways kept; symbols come from the wire."""
MAX_BOOKS = 5_000
"""Books kept where nobody subscribes: the one begun first is let go."""


class Instruments(Protocol):
    """What is known of symbols (`Markets`)."""

    def find(self, symbol_or_id: str) -> Market:
        """The market. Raises `InvalidSymbol`."""

    def instrument(self, symbol_or_id: str) -> Instrument | None:
        """The loaded instrument. Raises `InvalidSymbol`."""


class BookSync:
    """`budget` is that of all connections of a client. Drain `requests` after every call, and call `tick` at `next_deadline`.

    With `every`, whatever book comes is kept (offline, where nobody subscribes).
    """

    def __init__(
        self,
        exchange: str,
        instruments: Instruments,
        counters: Counters,
        random: Random,
        settings: BookSettings | None = None,
        budget: SlidingWindow | None = None,
        *,
        hear: Hear | None = None,
        every: bool = False,
    ) -> None:
        self._exchange, self._instruments, self._counters, self._random = exchange, instruments, counters, random
        self._settings = settings or BookSettings()
        self._budget = budget or SlidingWindow(self._settings.budget)
        self._every = every
        self._hear = hear or (lambda book, events, now: events)
        self._ways: dict[Key, SyncedBook | None] = {}
        self._named: dict[tuple[str, str | None], list[SyncedBook]] = {}
        """channel and symbol -> books, as far as they have been looked for"""
        self._paced_until = -inf
        self.hurry = False
        """a message has made something due earlier than it was; whoever looks sets it back"""
        self.books: list[SyncedBook] = []
        self.requests: list[Renew | Fetch] = []

    def open(self, channel: ChannelPlan, topic: Topic | None, symbol: Callable[[], str | None], wanted: int | None = None) -> SyncedBook:
        """Keep the book of a symbol, with at least the levels that are `wanted` (None: all).

        `symbol` tells it as it is known now: instruments may teach another name of it.
        """
        assert channel.book is not None
        checksums = Checksums(
            channel.book, self._settings.checksum_every, partial(self._precision, symbol), partial(self._factor, channel, symbol)
        )
        book = SyncedBook(self._exchange, channel, topic, symbol, checksums, self._settings, self._counters, self._random, wanted)
        self.books.append(book)
        self._ways.clear()
        return book

    def close(self, book: SyncedBook) -> None:
        """Keep it no longer."""
        book.ended()
        self.books.remove(book)
        self._ways.clear()
        self._named.clear()

    def apply(self, channel: ChannelPlan, messages: Iterable[Event], topic: Topic | None, now: float) -> list[Event]:
        """The events to deliver for these messages of a channel; `topic` is theirs, where the frame tells."""
        told: list[Event] = []
        for message in messages:
            if isinstance(message, Book):
                book = self.book_of(channel, message.symbol, topic)
                if book is not None:
                    due = book.due
                    told += self._hear(book, book.apply(message, now), now)
                    self.hurry = self.hurry or book.due < due
        return told

    def book_of(self, channel: ChannelPlan, symbol: str | None, topic: Topic | None) -> SyncedBook | None:
        """The book that a message is about; None: nobody asked for it."""
        key = channel.name, symbol, None if topic is None else topic.text
        if key not in self._ways:
            found = self._found(channel, symbol, topic)
            if found is None and self._every:
                if len(self.books) >= MAX_BOOKS:
                    self.close(self.books[0])
                found = self.open(channel, topic, lambda: symbol)
            if len(self._ways) >= MAX_WAYS:
                self._ways.clear()
            self._ways[key] = found
        return self._ways[key]

    def _found(self, channel: ChannelPlan, symbol: str | None, topic: Topic | None) -> SyncedBook | None:
        found = self._called(channel, symbol, topic)
        if found is None:  # there are others by now, or instruments have taught other names
            self._named.clear()
            for book in self.books:
                self._named.setdefault((book.channel.name, book.symbol()), []).append(book)
            found = self._called(channel, symbol, topic)
        return found

    def _called(self, channel: ChannelPlan, symbol: str | None, topic: Topic | None) -> SyncedBook | None:
        alike = self._named.get((channel.name, symbol), ())
        return next((book for book in alike if _is(book, channel, symbol, topic)), None)

    def missed(self, count: int, now: float) -> list[Told]:
        """Frames of the connection were lost: books whose rule is that none is are no longer right."""
        reason = f"{count} frame(s) of the connection were lost on the way"
        lost = [book for book in self.books if book.plan.rule == "per_connection" and book.state == "in_sync"]
        return [(book, self._hear(book, book.lose(reason, now), now)) for book in lost]

    def died(self, cause: str, now: float) -> list[Told]:
        """The connection is gone, and every book with it."""
        return [(book, self._hear(book, told, now)) for book in self.books if (told := book.died(cause))]

    def tick(self, now: float) -> list[Told]:
        """Do what is due, as far as the budget of snapshots goes."""
        told: list[Told] = []
        self._paced_until = -inf
        for book in sorted((book for book in self.books if book.due <= now), key=lambda book: book.due):
            counts = book.state != "in_sync" and book.again
            if counts and (wait := self._budget.wait(1, now)) > 0.0:
                self._paced_until = now + wait
                break
            wanted = book.settle(now)
            if isinstance(wanted, list):
                told.append((book, self._hear(book, wanted, now)))
            else:
                if counts:
                    self._budget.spend(1, now)
                self.requests.append(wanted)
        return told

    def next_deadline(self) -> float | None:
        """When `tick` is due; None: not before something else happens."""
        due = max(min((book.due for book in self.books), default=inf), self._paced_until)
        return due if due < inf else None

    def drain(self) -> Sequence[Renew | Fetch]:
        """What is wanted since the last call."""
        requests, self.requests = self.requests, []
        return requests

    def _precision(self, symbol: Callable[[], str | None]) -> Precision | None:
        """The decimals of the instrument, where it is loaded."""
        try:
            listed = self._instruments.instrument(symbol() or "")
        except InvalidSymbol:
            return None
        if listed is None or listed.tick_size is None or listed.step_size is None:
            return None
        return Precision.of(listed.tick_size, listed.step_size)

    def _factor(self, channel: ChannelPlan, symbol: Callable[[], str | None], message: Book) -> Decimal | None:
        """What the venue's sizes were multiplied by; None: they can't be had back."""
        if message.size_unit == "contracts" or not any(reader.scaled for reader in channel.readers):
            return ONE
        try:
            market = self._instruments.find(symbol() or "")
        except InvalidSymbol:
            return None
        if not market.counted:
            return ONE
        return None if market.contract_in_quote else market.contract_size


def _is(book: SyncedBook, channel: ChannelPlan, symbol: str | None, topic: Topic | None) -> bool:
    same = topic is None or book.topic is None or book.topic.text == topic.text
    return book.channel.name == channel.name and same and book.symbol() == symbol
