"""What consumers of a maintained book get."""

from __future__ import annotations

from typing import Protocol

from cexspec.engine.books.order_book import BookReading, BookSide, OrderBook
from cexspec.models import Book, BookOutOfSync, Event, Gap


class Maintained(Protocol):
    """A book that is kept up to date."""

    @property
    def book(self) -> OrderBook:
        """Its levels."""

    @property
    def sequence(self) -> int | None:
        """The venue's number up to which it is told."""

    @property
    def proven(self) -> int | None:
        """Levels of each side that are proven to be complete; None: all that are held."""

    @property
    def trouble(self) -> str | None:
        """Why it can't be read now; None: it can."""


class BookView(Event, BookReading, frozen=True, gc=True, kw_only=True, tag="book_view"):
    """A maintained order book after a change: a window on the book itself, not a copy of it.

    What is read is the book as it is when it is read, which may be newer than the event. Every method raises `BookOutOfSync`
    while the book is not known to be right; afterwards the same view can be read again. `timestamp` and `received` are those of
    the message behind the event; `first` marks the first consistent view after the book was begun, or begun anew.
    """

    source: Maintained
    first: bool = False

    @property
    def in_sync(self) -> bool:
        """Whether the book can be read."""
        return self.source.trouble is None

    @property
    def verified_depth(self) -> int:
        """Levels of each side, from the best, that are known to be complete: those of the checksum where nothing else proves more."""
        held, proven = super().verified_depth, self.source.proven
        return held if proven is None else min(held, proven)

    @property
    def sequence(self) -> int | None:
        """The venue's number up to which the book is told; None where it has none."""
        self._sides()
        return self.source.sequence

    def copy(self, count: int | None = None) -> Book:
        """The book as it is now, as a model of its own: at most so many levels of each side."""
        bids, asks = (side.top(count) for side in self._sides())
        return Book(
            exchange=self.exchange,
            symbol=self.symbol,
            timestamp=self.timestamp,
            received=self.received,
            bids=bids,
            asks=asks,
            sequence=self.source.sequence,
            is_snapshot=True,
        )

    def _sides(self) -> tuple[BookSide, BookSide]:
        trouble = self.source.trouble
        if trouble is not None:
            raise BookOutOfSync(f"{self.exchange} {self.symbol}: {trouble}")
        return self.source.book._sides()


def gap_before(view: BookView, channel: str, cause: str, start: int | None) -> Gap:
    """No views were given from `start` (nanoseconds) to this one."""
    end = view.timestamp if view.timestamp is not None else view.received
    return Gap(exchange=view.exchange, symbol=view.symbol, timestamp=end, channel=channel, cause=cause, from_time=start, to_time=end)
