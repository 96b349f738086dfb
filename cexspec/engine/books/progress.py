"""How far the start of many books is, and who is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from cexspec.models.log_events import LogEvent

log = logging.getLogger("cexspec.stream")
MILESTONES = 10
"""Parts of a start after each of which observers are told."""


@dataclass(frozen=True, slots=True)
class BooksProgress:
    """Of the books that are kept, how many can be read; `eta`: seconds until all can, as far as that is known now.

    `inf` where one never will, because its snapshot can't be asked for.
    """

    in_sync: int
    waiting: int
    total: int
    eta: float


Observer = Callable[[BooksProgress], None]


class Milestones:
    """Tells of every tenth of the books that have begun. Log records carry the stable name `books_progress` as `event`."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._observers: list[Observer] = []
        self._passed = 0

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call this at every milestone; what is returned stops it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def more(self, begun: int, total: int) -> None:
        """There are more books than before: milestones are those of all of them."""
        self._passed = begun * MILESTONES // total

    def begun(self, begun: int, total: int, progress: Callable[[], BooksProgress]) -> None:
        """Another book has begun for the first time."""
        passed = begun * MILESTONES // total
        if passed <= self._passed:
            return
        self._passed, now = passed, progress()
        text = "%s: %d of %d books in sync, the others in about %.1f s"
        log.info(text, self._exchange, now.in_sync, now.total, now.eta, extra={"event": LogEvent.BOOKS_PROGRESS, "progress": now})
        for observer in tuple(self._observers):
            try:
                observer(now)
            except Exception:
                log.exception("an observer of books failed", extra={"event": LogEvent.CALLBACK_ERROR})
