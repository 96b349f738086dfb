"""Updates that come level by level, where a message may be half of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from cexspec.engine.books.order_book import OrderBook
from cexspec.models import Level, Number

Key = tuple[Literal["bids", "asks"], Number]


class Halves:
    """Levels that would cross the book are kept back until the levels they meet are gone: the book is whole all the time."""

    def __init__(self) -> None:
        self._kept: dict[Key, Level] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()

    def change(self, book: OrderBook, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set levels as far as they don't cross; of those kept back the newest of a price counts."""
        for level in bids:
            self._kept["bids", level[0]] = level
        for level in asks:
            self._kept["asks", level[0]] = level
        while self._kept and self._set(book, {key: level for key, level in self._kept.items() if not _crosses(book, *key, level)}):
            pass

    def finish(self, book: OrderBook) -> None:
        """Set what was kept back, whether it crosses or not: the update is whole."""
        self._set(book, dict(self._kept))

    def _set(self, book: OrderBook, levels: dict[Key, Level]) -> bool:
        """Whether anything was set."""
        for key, level in levels.items():
            del self._kept[key]
            book.change(*(([level], ()) if key[0] == "bids" else ((), [level])))
        return bool(levels)


def _crosses(book: OrderBook, side: str, price: Number, level: Level) -> bool:
    if not level[1]:
        return False
    other = book.best_ask if side == "bids" else book.best_bid
    return other is not None and (price >= other[0] if side == "bids" else price <= other[0])
