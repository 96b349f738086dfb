"""One book kept on several connections at once: which of them consumers get, and when another takes its place.

Each connection that serves a topic keeps a book of its own, a leg. What the primary leg tells is delivered, what the others
tell is not. When the primary is lost, a leg that is right and stands where it stood, or further on, takes its place without a
word. One that is right but behind has a moment to get there, in which the book can't be read; after that, or where no other
leg is right, consumers are told as they are of a book on one connection.

    believed --primary lost--> kept back --a leg gets there--> believed
       ^                           `--none is right, or too late: told--> not believed --a leg is right: first view-.
       `------------------------------------------------------------------------------------------------------------'

No I/O and no clock: `now` is seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from cexspec.engine.books.order_book import OrderBook
from cexspec.engine.books.rules import Position
from cexspec.engine.books.synced import SyncedBook
from cexspec.engine.books.view import BookView, gap_before
from cexspec.models import BookState, Event, Gap


class Legs:
    """The legs of one topic of one channel; to those who read it, one book (see `Maintained`).

    Pass what each leg's book tells through `told`, and call `expire` at `due`. `patience`: seconds a leg has to catch up;
    `begun` is called when consumers get a first view, `behind` with a leg that is right and not where another one is.
    """

    def __init__(
        self, patience: float, begun: Callable[[], None] = lambda: None, behind: Callable[[SyncedBook], None] = lambda book: None
    ) -> None:
        self._patience, self._begun, self._behind = patience, begun, behind
        self._books: list[SyncedBook] = []
        self._primary: SyncedBook | None = None
        self._next: SyncedBook | None = None
        self._believed = False
        """consumers were given a view, and not told that the book is right no longer"""
        self._kept_back: list[Event] = []
        """what consumers are told unless a leg catches up"""
        self._bar: Position | None = None
        """where it must stand"""
        self._lost: BookState | None = None
        """what they were told when it was lost, where the gap that this leaves is to be told here"""
        self.due = inf

    def __bool__(self) -> bool:
        return bool(self._books)

    @property
    def primary(self) -> SyncedBook:
        """The leg that is delivered."""
        assert self._primary is not None
        return self._primary

    @property
    def book(self) -> OrderBook:
        """See `Maintained.book`."""
        return self.primary.book

    @property
    def sequence(self) -> int | None:
        """See `Maintained.sequence`."""
        return self.primary.sequence

    @property
    def proven(self) -> int | None:
        """See `Maintained.proven`."""
        return self.primary.proven

    @property
    def trouble(self) -> str | None:
        """See `Maintained.trouble`."""
        if self._kept_back:
            return "the book is out of sync: another connection's has yet to get where this one was"
        return self.primary.trouble

    def join(self, book: SyncedBook) -> None:
        """One leg more."""
        book.source = self
        self._books.append(book)
        if self._primary is None:
            self._primary = book

    def leave(self, book: SyncedBook, now: float) -> list[Event]:
        """One leg less: what consumers hear of that. Nobody is left to tell when the last one goes."""
        self._books.remove(book)
        self._next = None if self._next is book else self._next
        if not self._books:
            return []
        told = self.told(book, book.died("its connection was left"), now)
        if self._primary is book:
            self._primary = self._books[0]
        return told

    def promote(self, book: SyncedBook, now: float) -> list[Event]:
        """Make this leg the primary, as soon as it is right and not behind: what consumers hear of that now."""
        self._next = None if book is self._primary else book
        return [] if self._next is None else self.told(book, [], now)

    def told(self, book: SyncedBook, events: list[Event], now: float) -> list[Event]:
        """What consumers hear of what a leg tells."""
        right = book.state == "in_sync"
        if right and len(self._books) > 1:
            self._compare(book)
        if self._kept_back:
            return self._catch_up(now)
        if book is not self._primary:
            return self._of_another(book) if right else []
        if right and not self._believed:
            self._believed = True
            return self._after_gap(events)
        if right or not self._believed:
            return events
        self._kept_back, self._bar, self.due = events, book.reached, now + self._patience
        return self._catch_up(now)

    def expire(self, now: float) -> list[Event]:
        """Time passed: what consumers hear now."""
        return self._catch_up(now) if self._kept_back and now >= self.due else []

    def _compare(self, book: SyncedBook) -> None:
        """Others have yet to get where this leg is."""
        for other in self._books:
            if other is not book and other.state == "in_sync" and not _reaches(other.reached, book.reached):
                self._behind(other)

    def _of_another(self, book: SyncedBook) -> list[Event]:
        """What becomes of a leg that is right and not the primary."""
        if not self._believed:
            return self._begin(book)
        return self._switch(book) if book is self._next and _reaches(book.reached, self.primary.reached) else []

    def _catch_up(self, now: float) -> list[Event]:
        """The primary was lost: go on with a leg that is there, wait for one, or tell."""
        right = [book for book in self._books if book.state == "in_sync"]
        there = next((book for book in right if _reaches(book.reached, self._bar)), None)
        if there is not None:
            return self._switch(there)
        if right and now < self.due:
            return []
        told, self._kept_back, self.due, self._believed = self._kept_back, [], inf, False
        if self._books != [self._primary] or self.primary.state != "waiting":  # of a connection alone, its owner tells the gap
            self._lost = next((event for event in told if isinstance(event, BookState)), None)
        return told + self._begin(right[0]) if right else told

    def _switch(self, book: SyncedBook) -> list[Event]:
        """Go on with this leg, as if nothing had been."""
        self._take(book)
        return [book.view(first=False)]

    def _begin(self, book: SyncedBook) -> list[Event]:
        """Begin anew with this leg."""
        self._take(book)
        return self._after_gap([book.view(first=True)])

    def _after_gap(self, events: list[Event]) -> list[Event]:
        """The first events of a book that was lost: the gap goes before them, unless it is among them."""
        lost, self._lost = self._lost, None
        self._begun()
        if lost is None or any(isinstance(event, Gap) for event in events):
            return events
        view = events[-1]
        assert isinstance(view, BookView)
        return [gap_before(view, lost.channel, lost.reason or "", lost.timestamp), *events]

    def _take(self, book: SyncedBook) -> None:
        self._primary, self._kept_back, self.due, self._believed = book, [], inf, True
        self._next = None if self._next is book else self._next


def _reaches(here: Position | None, there: Position | None) -> bool:
    """Whether one place is not before another. Where nothing is numbered or timed, nobody can see a step back."""
    return there is None or (here is not None and here >= there)
