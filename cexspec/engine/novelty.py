"""What of an answer is news, where the same is asked again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from cexspec.models import Candle, Event, Liquidation, Trade

OCCURRENCES = (Trade, Liquidation)
"""Models whose rows tell what happened; the others tell how things stand."""


class News(NamedTuple):
    """Rows that no answer before had, in their order; and the symbols of which rows may be missing in between."""

    rows: list[Event]
    broken: frozenset[str | None]


class Novelty:
    """Tells the news of each answer: what the one before didn't hold.

    Rows with an id are the same when their ids are, others when all that they say is (but for the time of receipt). Of the
    first answer, what happened before is no news: occurrences are none at all, and of candles only the newest of each symbol is.
    An answer of occurrences that has nothing in common with the one before is `broken`: there may have been more in between.
    """

    def __init__(self) -> None:
        self._known: dict[str | None, Counter[Hashable]] | None = None

    def of(self, rows: Iterable[Event]) -> News:
        """The news of the next answer."""
        by_symbol: dict[str | None, list[Event]] = {}
        for row in rows:
            by_symbol.setdefault(row.symbol, []).append(row)
        before, self._known = self._known, {symbol: Counter(map(_identity, same)) for symbol, same in by_symbol.items()}
        if before is None:
            return News([row for same in by_symbol.values() for row in _current(same)], frozenset())
        for symbol, known in before.items():  # a symbol that says nothing this time is no less known
            self._known.setdefault(symbol, known)
        fresh = [row for symbol, same in by_symbol.items() for row in _fresh(same, before.get(symbol))]
        broken = (symbol for symbol, same in by_symbol.items() if _is_broken(same, before.get(symbol)))
        return News(fresh, frozenset(broken))


def _current(rows: list[Event]) -> list[Event]:
    if isinstance(rows[0], OCCURRENCES):
        return []
    return rows[-1:] if isinstance(rows[0], Candle) else rows


def _fresh(rows: list[Event], known: Counter[Hashable] | None) -> list[Event]:
    left = Counter(known or {})
    found = []
    for row in rows:
        identity = _identity(row)
        if left[identity] > 0:
            left[identity] -= 1
        else:
            found.append(row)
    return found


def _is_broken(rows: list[Event], known: Counter[Hashable] | None) -> bool:
    return isinstance(rows[0], OCCURRENCES) and bool(known) and not any(_identity(row) in (known or ()) for row in rows)


def _identity(row: Event) -> Hashable:
    number = getattr(row, "id", None)
    return number if number is not None else replace(row, received=None)
