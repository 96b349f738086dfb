"""Snapshots that are fetched: how many levels of one, and who is next where many wait."""

from __future__ import annotations

import heapq
from collections import deque

from msgspec import Struct

from cexspec.engine.books.synced import Fetch


class _Start(Struct, frozen=True, order=True):
    """A place in the order asked for."""

    number: int
    arrival: int


class SnapshotLine:
    """Books that wait for their snapshots: those that begin in the order asked for, those that begin anew as they come.

    Both take turns. A book that was right has consumers that miss it, so it does not wait until hundreds have begun; and books
    that break again and again do not keep others from beginning. Whoever waits is overtaken by one of the other kind at most
    for each that goes before it.
    """

    def __init__(self) -> None:
        self._starts: list[tuple[_Start, Fetch]] = []
        self._resyncs: deque[Fetch] = deque()
        self._arrivals = 0
        self._turn = False
        """it is the turn of one that begins"""

    def __len__(self) -> int:
        return len(self._starts) + len(self._resyncs)

    def add(self, wanted: Fetch, number: int) -> None:
        """Stand in line; `number` is the book's place in the order asked for."""
        self._arrivals += 1
        if wanted.again:
            self._resyncs.append(wanted)
        else:
            heapq.heappush(self._starts, (_Start(number, self._arrivals), wanted))

    def next(self) -> Fetch | None:
        """Who is next; those whose book has no use for a snapshot any more are left out."""
        while self._starts or self._resyncs:
            begins = bool(self._starts) and (self._turn or not self._resyncs)
            wanted = heapq.heappop(self._starts)[1] if begins else self._resyncs.popleft()
            if wanted.book.awaits(wanted.ticket):
                self._turn = not begins
                return wanted
        return None
