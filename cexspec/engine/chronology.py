"""Trades in the order in which they happened: some venues list them newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cexspec.models import Event, Trade

T = TypeVar("T", bound=Event)
MAX_DIGITS = 80
"""Digits of an id that counts at most: Python itself refuses to read some thousands."""


def chronological(trades: Sequence[T]) -> list[T]:
    """Oldest first; those of one time keep the order in which the venue tells them, seen from the oldest."""
    backwards = len(trades) > 1 and rank(trades[0]) > rank(trades[-1])
    return sorted(reversed(trades) if backwards else trades, key=when)


def told_newest_first(events: Sequence[Event]) -> bool:
    """Whether these are trades in the wrong order."""
    if len(events) < 2:
        return False
    first, last = events[0], events[-1]
    return isinstance(first, Trade) and isinstance(last, Trade) and rank(first) > rank(last)


def rank(trade: Event) -> tuple[int, int]:
    """What sorts trades: the time, then the id where ids are numbers."""
    return when(trade), counted(getattr(trade, "id", None))


def counted(id: object) -> int:
    """The number that an id is; 0 where it is none, or one that nobody counts to."""
    return int(id) if isinstance(id, str) and id.isdecimal() and len(id) <= MAX_DIGITS else 0


def proves(event: Event, otherwise: int) -> int:
    """Up to when an event shows that nothing was missed: by the venue's clock or by ours, whichever is behind."""
    return min((stamp for stamp in (event.timestamp, event.received) if stamp is not None), default=otherwise)


def when(event: Event) -> int:
    """The venue's time of an event, else the local one, in nanoseconds."""
    time = event.timestamp if event.timestamp is not None else event.received
    return time or 0
