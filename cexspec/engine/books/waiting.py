"""Waiting for a fetched snapshot: how deep it is, whether it is still of use, and what came meanwhile."""

from __future__ import annotations

from collections import deque

from cexspec.models import Book

MAX_KEPT = 5_000
"""Changes kept for a snapshot; it must then be newer than those that went."""
IN_LINE = 50
"""Of them those kept until the snapshot is asked for: it is taken later than they are."""
MARGIN = 5
"""Levels fetched for each that consumers want, so that the market may move before they are too few."""
FEWEST = 100
"""Levels fetched at least: fewer cost no less."""


def levels_fetched(most: int, wanted: int | None) -> int:
    """Levels of a snapshot, where `wanted` are to be known of each side (None: all that there are)."""
    return most if wanted is None else min(most, max(FEWEST, wanted * MARGIN))


class Waiting:
    """One book's wait. `ticket` tells the snapshot that is of use from earlier ones, `levels` how many of a side it has at most."""

    def __init__(self) -> None:
        self.ticket = self.levels = 0
        self.kept: deque[Book] = deque(maxlen=MAX_KEPT)
        """changes that came meanwhile, in their order"""
        self._asking = False

    def ask(self, levels: int) -> None:
        """Another snapshot is wanted, of so many levels."""
        self.ticket, self.levels, self._asking = self.ticket + 1, levels, False

    def asking(self) -> None:
        """It is asked for now: what comes from here on follows it."""
        self._asking = True

    def keep(self, message: Book) -> None:
        """A change came."""
        if not self._asking and len(self.kept) >= IN_LINE:
            self.kept.popleft()
        self.kept.append(message)

    def refuse(self) -> None:
        """What is under way is of no use any more."""
        self.ticket += 1

    def clear(self) -> None:
        """Begin from nothing."""
        self.kept.clear()
        self.refuse()
