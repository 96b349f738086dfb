"""Maintained books of recorded payloads: what a client would have known after each of them."""

from __future__ import annotations

from random import Random
from typing import Any

from cexspec.engine.books.sync import BookSync
from cexspec.engine.books.synced import Fetch, SyncedBook
from cexspec.engine.frame_numbers import FrameNumbers
from cexspec.engine.normalize import Normalized, Normalizer
from cexspec.engine.stats import Counters
from cexspec.models import Book, Level

TOP = 25
NOW = 0.0
"""Recordings have no clock of ours: nothing is ever overdue."""


class OfflineBooks:
    """Follows a normalizer: `after` takes what it made of each payload, in their order. `counters` count checksums and resyncs."""

    def __init__(self, normalizer: Normalizer) -> None:
        self._exchange = normalizer.exchange
        self.counters = Counters(self._exchange.id)
        self._sync = BookSync(self._exchange.id, normalizer.markets, self.counters, Random(0), every=True)
        self._numbers: dict[str, FrameNumbers] = {}

    def after(self, payload: bytes | str, result: Normalized) -> list[SyncedBook]:
        """The books that a payload was about, as they are after it."""
        if result.operation is not None:
            return self._fetched(result.operation, result)
        touched = self._counted(payload, result.connection)
        if touched is None:
            return []
        for name, events in result.parts:
            channel = self._exchange.channel(name)
            if channel.book is not None:
                self._sync.apply(channel, events, result.topic, NOW)
                found = (self._sync.book_of(channel, event.symbol, result.topic) for event in events)
                touched += [book for book in found if book is not None]
        return list(dict.fromkeys(touched))

    def _counted(self, payload: bytes | str, connection: str | None) -> list[SyncedBook] | None:
        """The books that a hole before a frame leaves out of sync; None: the frame repeats the last one."""
        number = self._exchange.connection(connection).sequence if connection is not None else None
        if connection is None or number is None:
            return []
        missed = self._numbers.setdefault(connection, FrameNumbers(number)).missed(payload)
        if not missed:
            return [] if missed == 0 else None
        before = [book for book in self._sync.books if book.state == "in_sync"]
        self._sync.missed(missed, NOW)
        return [book for book in before if book.state != "in_sync"]

    def _fetched(self, operation: str, result: Normalized) -> list[SyncedBook]:
        """A snapshot over REST begins the books that wait for one."""
        channels = [self._exchange.channel(name) for name in self._exchange.channel_names]
        begun = [one for one in channels if one.book is not None and isinstance(one.book.sync, tuple) and one.book.sync[0] == operation]
        touched = []
        for channel in begun:
            for snapshot in result.events:
                book = self._sync.book_of(channel, snapshot.symbol, None)
                if book is not None and isinstance(snapshot, Book):
                    touched.append(book)
                    if book.state != "in_sync" and isinstance(wanted := book.settle(NOW), Fetch):
                        book.fetched(wanted.ticket, snapshot, NOW)
        return touched


def described(book: SyncedBook) -> dict[str, Any]:
    """A book as `cexspec normalize --books` prints it: its state, and while it is right its best levels."""
    bids: list[Level] = []
    asks: list[Level] = []
    if book.trouble is None:
        bids, asks = book.book.depth(TOP)
    return {
        "channel": book.channel.name,
        "symbol": book.symbol(),
        "state": book.state,
        "reason": book.trouble,
        "sequence": book.sequence,
        "checksum": book.checksum,
        "bids": bids,
        "asks": asks,
    }
