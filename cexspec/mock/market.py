"""A seeded market: a price that walks, the book around it, the trades it makes. The truth the mock venue speaks."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cexspec.spec.model import Mapping

Side = dict[Decimal, Decimal]
Row = dict[str, Any]
"""Unified fields of one event; sizes in the venue's own unit."""

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
ID_TIME = 100_000
"""Nanoseconds per trade id: ids grow with time, so that either can be reckoned from the other."""
LEVELS = 60
"""Levels kept on each side of the book."""
TAPE = 20_000
"""Trades remembered."""


def next_payment(time: int, hours: int) -> int:
    """When funding is next paid that is paid every so many hours."""
    period = hours * 3600 * SECOND
    return (time // period + 1) * period


@dataclass(frozen=True)
class Grid:
    """Where prices and sizes may stand."""

    tick: Decimal
    step: Decimal

    @classmethod
    def around(cls, price: Decimal, tick: Decimal | None = None, step: Decimal | None = None) -> Grid:
        """The venue's own steps; else five significant digits of price, as venues commonly have it. Sizes that look real."""
        natural = Decimal("0.0001") if price > 10 else Decimal("0.1")
        digits = Decimal(format(Decimal(1).scaleb(price.adjusted() - 4), "f"))
        return cls(tick or digits, max(step or natural, natural))


@dataclass
class Market:
    """One instrument. `advance` moves it; everything else reads where it stands. Times are nanoseconds, whole milliseconds."""

    symbol: str
    price: Decimal
    grid: Grid
    random: random.Random
    time: int
    bids: Side = field(default_factory=dict)
    asks: Side = field(default_factory=dict)
    sequence: int = 1_000_000
    moves: int = 1_000_000
    """as `sequence`, without holes"""
    trades: list[Row] = field(default_factory=list)
    """the trades of the last move"""

    def __post_init__(self) -> None:
        self.price = self._allowed(self.price)
        self.opened = self.high = self.low = self.price
        self.began = self.time
        self.tape: deque[Row] = deque(maxlen=TAPE)
        self._traded = Decimal(1000)
        self._fill()

    def advance(self, now: int) -> None:
        """Let the price walk, the book follow, and some trades happen."""
        self.time = max(now // MILLISECOND * MILLISECOND, self.time + MILLISECOND)
        self.price = self._allowed(self.price + self.grid.tick * self.random.randint(-3, 3))
        self.high, self.low = max(self.high, self.price), min(self.low, self.price)
        self._fill()
        self._touch()
        self.sequence += self.random.randint(1, 3)
        self.moves += 1
        self.trades = [self._trade(number) for number in range(self.random.randint(1, 2))]
        self.tape.extend(self.trades)

    def top(self, depth: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """The best levels of each side, best first."""
        bids = sorted(self.bids.items(), reverse=True)[:depth]
        return bids, sorted(self.asks.items())[:depth]

    def number(self, mapping: Mapping) -> int:
        """The number of its last move, as the rule of a mapped book counts."""
        return self.moves if mapping.sequence is not None and mapping.sequence.rule == "contiguous" else self.sequence

    def state(self, hours: int = 8) -> Row:
        """How it stands, by the unified fields of tickers, quotes, mark prices, funding (every so many hours) and open interest."""
        (bids, asks), change = self.top(1), self.price - self.opened
        interest = Decimal(12_345 + self.sequence % 1000)
        return {
            "bid": bids[0][0], "bid_size": bids[0][1], "ask": asks[0][0], "ask_size": asks[0][1], "last": self.price, "price": self.price,
            "open": self.opened, "high": self.high, "low": self.low, "base_volume": self._traded, "quote_volume": self._traded * self.price,
            "change": change, "change_percent": (change / self.opened * 100).quantize(Decimal("0.01")), "mark_price": self.price,
            "index_price": self.price, "sequence": self.sequence, "rate": Decimal("0.0001"), "predicted_rate": Decimal("0.0001"),
            "next_time": next_payment(self.time, hours), "contracts": interest, "base_size": interest,
            "value": interest * self.price, "size": self.grid.step * 100, "side": "sell", "id": str(self.time // ID_TIME),
            "timestamp": self.time,
        }  # fmt: skip

    def _trade(self, number: int) -> Row:
        side = self.random.choice(("buy", "sell"))
        bids, asks = self.top(1)
        size = self.grid.step * self.random.randint(1, 20_000)
        self._traded += size
        price = (asks if side == "buy" else bids)[0][0]
        return {"id": str(self.time // ID_TIME + number), "price": price, "size": size, "side": side, "timestamp": self.time}

    def _fill(self) -> None:
        """Levels on every tick around the price, none beyond, none crossed."""
        tick = self.grid.tick
        for book, direction in ((self.bids, -1), (self.asks, 1)):
            wanted = {self.price + direction * tick * (at + 1) for at in range(LEVELS)}
            for price in [price for price in book if price not in wanted]:
                del book[price]
            for price in sorted(wanted - book.keys()):
                book[price] = self._size()

    def _touch(self) -> None:
        for book in (self.bids, self.asks):
            for price in self.random.sample(sorted(book), 4):
                book[price] = self._size()

    def _size(self) -> Decimal:
        return self.grid.step * self.random.randint(1, 50_000)

    def _allowed(self, price: Decimal) -> Decimal:
        """On the grid, with room for the bids below."""
        tick = self.grid.tick
        return max((price / tick).to_integral_value(), Decimal(LEVELS + 5)) * tick
