"""The levels of one book, as its messages set them, and what they themselves say against it."""

from __future__ import annotations

from cexspec.compile.socket_plan import BookPlan
from cexspec.engine.books.halves import Halves
from cexspec.engine.books.order_book import OrderBook
from cexspec.engine.books.waiting import MARGIN
from cexspec.models import Book

LEAST = 10
"""A side is used up when a tenth of the fetched levels is left of it, or fewer than consumers want."""


class Levels:
    """The levels of one book, at most `most` of each side. `wanted`: those that consumers want (None: all that there are)."""

    def __init__(self, plan: BookPlan, most: int) -> None:
        self.book = OrderBook(most)
        self.wanted: int | None = None
        self._single, self._truncate = plan.single_levels, plan.truncate
        self._halves = Halves()
        self._depth = self._fetched = self._least = 0

    @property
    def half(self) -> bool:
        """Whether the rest of an update has yet to come."""
        return bool(self._halves)

    def begin(self, snapshot: Book, depth: int | None, fetched: int | None) -> None:
        """Hold a snapshot and nothing else. `depth`: levels that the topic has; `fetched`: those asked for over REST."""
        self.book.replace(snapshot.bids, snapshot.asks, fetched)
        self._depth = depth or max(len(snapshot.bids), len(snapshot.asks))
        self._fetched = fetched or 0
        self._halves.clear()
        self.want(self.wanted)

    def want(self, wanted: int | None) -> None:
        """Consumers want so many levels."""
        self.wanted = wanted
        self._least = max(self._fetched // LEAST, min(wanted or 0, self._fetched // MARGIN))

    def change(self, message: Book) -> None:
        """Set what a message tells."""
        if self._single:
            self._halves.change(self.book, message.bids, message.asks)
        else:
            self.book.change(message.bids, message.asks)
        if message.checksum is not None:
            self._halves.finish(self.book)
        if self._truncate:
            self.book.cut(self._depth)

    def clear(self) -> None:
        """Hold nothing."""
        self.book.replace((), ())
        self._halves.clear()

    def trouble(self) -> str | None:
        """Why these can't be all levels of a book that is right."""
        book = self.book
        if book.crossed:
            return f"the book is crossed: bid {book.best_bid} reaches ask {book.best_ask}"
        if any(side.edge is not None and len(side) < self._least for side in book._sides()):
            return f"the market has left the snapshot: fewer than {self._least} levels of it remain"
        return None
