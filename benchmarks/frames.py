"""The frames all libraries read: documented shapes with values made here, the same in every run.

Every frame comes with the prices and sizes it holds, so that a benchmark can check that each library saw them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

COUNT = 1000
"""Frames of one kind."""
LEVELS = 100
"""Levels on each side of a book frame: 200 in all."""
START_MS = 1_700_000_000_000

Row = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Frames:
    """Frames of one kind: `data` is measured, `first` brings the connection into the state in which they arrive."""

    venue: str
    kind: str
    data: list[bytes]
    rows: list[list[Row]]
    """(price, size) of each frame: one trade, or bids then asks"""
    first: bytes | None = None

    @property
    def name(self) -> str:
        """How tables call them."""
        return f"{self.venue} {self.kind}"


def trades(venue: str) -> Frames:
    """One trade a frame."""
    rows = list(_walk(random.Random(7)))
    frame = {"binance": _binance_trade, "okx": _okx_trade}[venue]
    data = [_text(frame(number, *row, number % 3 == 0)) for number, row in enumerate(rows)]
    return Frames(venue, "trade", data, [[row] for row in rows])


def books(venue: str) -> Frames:
    """Changes to 200 levels a frame: the same prices with new sizes, so that a maintained book ends up as the last frame."""
    random_numbers = random.Random(11)
    rows = [_levels(random_numbers) for _ in range(COUNT // 4)]
    frame = {"binance": _binance_book, "okx": _okx_book}[venue]
    first = _text(_okx_book(0, rows[0], "snapshot")) if venue == "okx" else None
    data = [_text(frame(number + 1, row)) for number, row in enumerate(rows)]
    return Frames(venue, "book, 200 levels", data, rows, first)


def _walk(random_numbers: random.Random) -> Iterator[Row]:
    cents = 6_431_250
    for _ in range(COUNT):
        cents += random_numbers.randint(-300, 300)
        yield Decimal(cents).scaleb(-2), Decimal(random_numbers.randint(1, 5_000_000)).scaleb(-8)


def _levels(random_numbers: random.Random) -> list[Row]:
    bids = [6_431_200 - 10 * step for step in range(LEVELS)]
    asks = [6_431_210 + 10 * step for step in range(LEVELS)]
    return [(Decimal(cents).scaleb(-2), Decimal(random_numbers.randint(1, 900_000_000)).scaleb(-8)) for cents in bids + asks]


def _text(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _binance_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> object:
    at = START_MS + 7 * number
    data = {"e": "aggTrade", "E": at + 1, "s": "BTCUSDT", "a": 5_933_014 + number, "p": f"{price:f}000000", "q": f"{size:.8f}"}
    data |= {"f": 100 + number, "l": 105 + number, "T": at, "m": sell, "M": True}
    return {"stream": "btcusdt@aggTrade", "data": data}


def _okx_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> object:
    data = {"instId": "BTC-USDT", "tradeId": str(130_639_474 + number), "px": f"{price:f}", "sz": f"{size:.8f}"}
    data |= {"side": "sell" if sell else "buy", "ts": str(START_MS + 7 * number), "count": "3"}
    return {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [data]}


def _binance_book(number: int, rows: list[Row]) -> object:
    bids, asks = ([[f"{price:f}000000", f"{size:.8f}"] for price, size in side] for side in (rows[:LEVELS], rows[LEVELS:]))
    data = {"e": "depthUpdate", "E": START_MS + 100 * number, "s": "BTCUSDT", "U": 10 * number - 8, "u": 10 * number + 1}
    data |= {"b": bids, "a": asks}
    return {"stream": "btcusdt@depth@100ms", "data": data}


def _okx_book(number: int, rows: list[Row], action: str = "update") -> object:
    bids, asks = ([[f"{price:f}", f"{size:.8f}", "0", "4"] for price, size in side] for side in (rows[:LEVELS], rows[LEVELS:]))
    data = {"asks": asks, "bids": bids, "ts": str(START_MS + 100 * number), "checksum": 0}
    data |= {"seqId": 123_456 + number, "prevSeqId": 123_455 + number if action == "update" else -1}
    return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [data]}
