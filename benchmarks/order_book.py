"""The local book: deltas of 200 levels into 5,000, and reads of the top 25, beside a plain dict that is sorted to be read."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from statistics import median

from cexspec.engine.books.order_book import OrderBook
from cexspec.models import Level, Number

HELD, CHANGED, TOP, DELTAS, REPETITIONS = 5_000, 200, 25, 200, 9
Numbers = type[Decimal] | type[float]
Delta = tuple[list[Level], list[Level]]


class Plain:
    """Two dicts, sorted after each change: the reference."""

    def __init__(self) -> None:
        self.bids: dict[Number, Number] = {}
        self.asks: dict[Number, Number] = {}

    def replace(self, bids: list[Level], asks: list[Level]) -> None:
        """Hold these."""
        self.bids, self.asks = dict(bids), dict(asks)

    def change(self, bids: list[Level], asks: list[Level]) -> None:
        """Set these; size 0 removes."""
        for held, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size in levels:
                if size:
                    held[price] = size
                else:
                    held.pop(price, None)

    def depth(self, count: int) -> Delta:
        """The best of each side."""
        return sorted(self.bids.items(), reverse=True)[:count], sorted(self.asks.items())[:count]


def deltas(number: Numbers, seed: int = 1) -> tuple[Delta, list[Delta]]:
    """A book and changes of it, most of them near the best, a fifth of them removals."""
    random = Random(seed)

    def levels(sign: int, places: list[int], sizes: Callable[[], str]) -> list[Level]:
        return [(number(f"{10_000 + sign * (place + 1) / 100:.2f}"), number(sizes())) for place in places]

    def size() -> str:
        return "0" if random.random() < 0.2 else f"{random.uniform(0.001, 9):.3f}"

    def near() -> list[int]:
        return [int(random.expovariate(1 / 300)) % (HELD // 2) for _ in range(CHANGED // 2)]

    start = tuple(levels(sign, list(range(HELD // 2)), lambda: "1.000") for sign in (-1, 1))
    return (start[0], start[1]), [(levels(-1, near(), size), levels(1, near(), size)) for _ in range(DELTAS)]


def check(number: Numbers) -> None:
    """Raises AssertionError where the book and the reference differ."""
    start, changes = deltas(number)
    ours, plain = OrderBook(), Plain()
    for one in (ours, plain):
        one.replace(*start)
        for change in changes:
            one.change(*change)
    if ours.depth(HELD) != plain.depth(HELD):
        raise AssertionError("the book holds other levels than a dict does")


def microseconds(number: Numbers) -> dict[str, float]:
    """Median microseconds of CPU time: `change` and `read` of ours, `plain` for a change and a read of the reference."""
    check(number)
    start, changes = deltas(number)
    taken: dict[str, list[float]] = {"change": [], "read": [], "plain": []}
    for _ in range(REPETITIONS):
        ours, plain = OrderBook(), Plain()
        ours.replace(*start)
        plain.replace(*start)
        taken["change"].append(_each(partial(_change, ours), changes))
        taken["read"].append(_each(partial(_read, ours), changes))
        taken["plain"].append(_each(partial(_change_and_read, plain), changes))
    return {name: median(times) for name, times in taken.items()}


def _change(book: OrderBook, change: Delta) -> None:
    book.change(*change)


def _read(book: OrderBook, _: Delta) -> None:
    book.depth(TOP)


def _change_and_read(book: Plain, change: Delta) -> None:
    book.change(*change)
    book.depth(TOP)


def _each(work: Callable[[Delta], object], changes: list[Delta]) -> float:
    gc.collect()
    start = time.process_time_ns()
    for change in changes:
        work(change)
    return (time.process_time_ns() - start) / len(changes) / 1000
