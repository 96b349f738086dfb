"""The local order book: sorted levels, cheap to change near the best and to read from the top.

A side is a dict of levels by price beside a sorted list of keys whose last one is the best, so that what changes most (the
top) moves least: O(log n) to find a place, O(1) to read the best, O(k) to read k levels. Levels are the tuples as they came,
with the digits as sent, which is what checksums are made of.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Literal, cast

from cexspec.engine.books.tables import arrow_table, data_frame
from cexspec.models import Level, Number, Side

MAX_LEVELS = 50_000
"""Levels kept of a side at most: a venue may send prices without end."""

Depth = tuple[list[Level], list[Level]]
"""Bids and asks, best first."""


def _itself(price: Any) -> Any:
    return price


def _negative(price: Any) -> Any:
    return price.copy_negate() if type(price) is Decimal else -price  # `-` would round a Decimal


class BookSide:
    """One side, best first. Below its `edge` (a price; None: there is none) nothing is known, and nothing is kept."""

    __slots__ = ("_edge", "_key", "_keys", "_levels", "_most")

    def __init__(self, side: Literal["bids", "asks"], most: int = MAX_LEVELS) -> None:
        self._key: Callable[[Any], Any] = _itself if side == "bids" else _negative
        self._keys: list[Any] = []
        self._levels: dict[Number, Level] = {}
        self._edge: Any = None
        self._most = most

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> Level | None:
        """The best level; None while the side is empty."""
        return self._levels[self._key(self._keys[-1])] if self._keys else None

    @property
    def edge(self) -> Number | None:
        """The worst price down to which every level is known; None: all are."""
        return None if self._edge is None else cast(Number, self._key(self._edge))

    def top(self, count: int | None = None) -> list[Level]:
        """The best levels, all of them without a number."""
        levels, key = self._levels, self._key
        keys = self._keys[::-1] if count is None else self._keys[: -count - 1 : -1]
        return [levels[key(each)] for each in keys]

    def replace(self, levels: Iterable[Level], asked: int | None = None) -> None:
        """Hold these levels and no others. As many as were `asked` for are the top of a side that may go on below."""
        self._levels = {level[0]: level for level in levels if level[1]}
        self._keys = sorted(map(self._key, self._levels))
        self._edge = self._keys[0] if asked is not None and len(self._keys) >= asked else None
        self._bound()

    def change(self, levels: Iterable[Level]) -> None:
        """Set these levels; size 0 removes one."""
        held, keys, key, edge = self._levels, self._keys, self._key, self._edge
        for level in levels:
            price, size = level
            if size:
                if price in held:
                    held[price] = level
                elif edge is None or key(price) >= edge:
                    held[price] = level
                    insort(keys, key(price))
            elif price in held:
                del held[price], keys[bisect_left(keys, key(price))]
        self._bound()

    def cut(self, count: int) -> None:
        """Let go of all but the best levels."""
        excess = len(self._keys) - count
        if excess > 0:
            for each in self._keys[:excess]:
                del self._levels[self._key(each)]
            del self._keys[:excess]

    def _bound(self) -> None:
        if len(self._keys) > self._most:
            self.cut(self._most)
            self._edge = self._keys[0]


class BookReading:
    """What can be read of a book. A side that is empty makes what needs it None."""

    __slots__ = ()

    def _sides(self) -> tuple[BookSide, BookSide]:
        """Bids and asks."""
        raise NotImplementedError

    @property
    def best_bid(self) -> Level | None:
        """Price and size of the best bid."""
        return self._sides()[0].best

    @property
    def best_ask(self) -> Level | None:
        """Price and size of the best ask."""
        return self._sides()[1].best

    @property
    def spread(self) -> Number | None:
        """From the best bid to the best ask."""
        return None if (best := self._best()) is None else best[1][0] - best[0][0]  # type: ignore[operator]

    @property
    def mid(self) -> Number | None:
        """Halfway between the best bid and the best ask."""
        return None if (best := self._best()) is None else (best[0][0] + best[1][0]) / 2  # type: ignore[operator]

    @property
    def microprice(self) -> Number | None:
        """Best bid and ask, each weighted by the size of the other: the mid, leaning to where less is offered."""
        if (best := self._best()) is None:
            return None
        (bid, bid_size), (ask, ask_size) = cast("tuple[tuple[float, float], tuple[float, float]]", best)
        return (bid * ask_size + ask * bid_size) / (bid_size + ask_size)

    @property
    def bids(self) -> list[Level]:
        """All bids, best first (a copy)."""
        return self._sides()[0].top()

    @property
    def asks(self) -> list[Level]:
        """All asks, best first (a copy)."""
        return self._sides()[1].top()

    @property
    def verified_depth(self) -> int:
        """Levels of each side, from the best, of which none is missing."""
        return min(map(len, self._sides()))

    def depth(self, count: int) -> Depth:
        """The best bids and asks, at most so many of each."""
        bids, asks = self._sides()
        return bids.top(count), asks.top(count)

    def vwap(self, size: Number, side: Side) -> Number | None:
        """What an order of this size would pay (`buy`: it takes asks) or get, on average; None: the book doesn't hold as much."""
        left: Any = size
        paid: Any = size * 0
        for price, offered in self._sides()[1 if side == "buy" else 0].top():
            taken = min(left, offered)
            paid, left = paid + price * taken, left - taken
            if left <= 0:
                return cast(Number, paid / size)
        return None

    def to_pandas(self, count: int | None = None) -> Any:
        """A pandas data frame: side, price, size. Raises `ModuleNotFoundError` where pandas isn't installed."""
        return data_frame(*(side.top(count) for side in self._sides()))

    def to_arrow(self, count: int | None = None) -> Any:
        """A pyarrow table: side, price, size. Raises `ModuleNotFoundError` where pyarrow isn't installed."""
        return arrow_table(*(side.top(count) for side in self._sides()))

    def _best(self) -> tuple[Level, Level] | None:
        bids, asks = self._sides()
        return None if bids.best is None or asks.best is None else (bids.best, asks.best)


class OrderBook(BookReading):
    """Both sides of one symbol's book, at most `most` levels of each."""

    __slots__ = ("_asks", "_bids")

    def __init__(self, most: int = MAX_LEVELS) -> None:
        self._bids, self._asks = BookSide("bids", most), BookSide("asks", most)

    def _sides(self) -> tuple[BookSide, BookSide]:
        return self._bids, self._asks

    @property
    def crossed(self) -> bool:
        """Whether somebody bids what another one asks, or more: no exchange leaves that standing."""
        bids, asks = self._bids, self._asks
        return bool(bids and asks) and -asks._keys[-1] <= bids._keys[-1]

    def replace(self, bids: Iterable[Level], asks: Iterable[Level], asked: int | None = None) -> None:
        """Hold these levels and no others. As many as were `asked` for of a side are the top of one that may go on below."""
        self._bids.replace(bids, asked)
        self._asks.replace(asks, asked)

    def change(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set these levels; size 0 removes one."""
        self._bids.change(bids)
        self._asks.change(asks)

    def cut(self, count: int) -> None:
        """Let go of all but the best levels of each side."""
        self._bids.cut(count)
        self._asks.cut(count)
