"""The frames all libraries read: documented shapes with values made here, the same in every run.

Every frame comes with the prices and sizes it holds, so that a benchmark can check that each library saw them.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

COUNT = 1000
"""Frames of one kind."""
LEVELS = 100
"""Levels on each side of a book frame where the venue sends so many: 200 in all."""
START_MS = 1_800_000_000_000
"""In 2027: OKX sends no checksums any more."""

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


@dataclass(frozen=True)
class Run:
    """What a connection brings: so many frames in order, of which only the last has the time `ends` (milliseconds)."""

    count: int
    ends: int
    frames: Callable[[], Iterator[bytes]]


def trades(venue: str) -> Frames:
    """One trade a frame."""
    rows = list(_walk(random.Random(7)))
    data = [SHAPES[venue].trade(number, *row, number % 3 == 0).encode() for number, row in enumerate(rows)]
    return Frames(venue, "trade", data, [[row] for row in rows])


def books(venue: str) -> Frames:
    """Changes to 200 levels a frame, or to all the venue sends: the same prices with new sizes, so that a maintained book ends
    up as the last frame."""
    random_numbers, shapes = random.Random(11), SHAPES[venue]
    rows = [_levels(random_numbers, shapes.levels) for _ in range(COUNT // 4)]
    first = shapes.first(rows[0]).encode() if shapes.first is not None else None
    data = [shapes.book(number + 1, row).encode() for number, row in enumerate(rows)]
    return Frames(venue, f"book, {2 * shapes.levels} levels", data, rows, first)


def run_of_trades(venue: str, rounds: int) -> Run:
    """Trades of their own, at the same prices every round."""
    write, rows = SHAPES[venue].trade, [row for (row,) in trades(venue).rows]
    count = rounds * len(rows)
    return Run(count, START_MS + 7 * (count - 1), lambda: (write(n, *rows[n % len(rows)], n % 3 == 0).encode() for n in range(count)))


def run_of_books(venue: str, rounds: int) -> Run:
    """A snapshot and changes that follow one another without a gap."""
    shapes, rows = SHAPES[venue], books(venue).rows
    count = rounds * len(rows)

    def frames() -> Iterator[bytes]:
        if shapes.first is not None:
            yield shapes.first(rows[0]).encode()
        yield from (shapes.book(n + 1, rows[n % len(rows)]).encode() for n in range(count))

    return Run(count + (shapes.first is not None), START_MS + 100 * count, frames)


def _walk(random_numbers: random.Random) -> Iterator[Row]:
    cents = 6_431_250
    for _ in range(COUNT):
        cents += random_numbers.randint(-300, 300)
        yield Decimal(cents).scaleb(-2), Decimal(random_numbers.randint(1, 5_000_000)).scaleb(-8)


def _levels(random_numbers: random.Random, levels: int) -> list[Row]:
    bids = [6_431_200 - 10 * step for step in range(levels)]
    asks = [6_431_210 + 10 * step for step in range(levels)]
    return [(Decimal(cents).scaleb(-2), Decimal(random_numbers.randint(1, 900_000_000)).scaleb(-8)) for cents in bids + asks]


def _text(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


def _sides(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Bids and asks."""
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _binance_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> str:
    at = START_MS + 7 * number
    data = {"e": "aggTrade", "E": at + 1, "s": "BTCUSDT", "a": 5_933_014 + number, "p": f"{price:f}000000", "q": f"{size:.8f}"}
    data |= {"f": 100 + number, "l": 105 + number, "T": at, "m": sell, "M": True}
    return _text({"stream": "btcusdt@aggTrade", "data": data})


def _okx_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> str:
    data = {"instId": "BTC-USDT", "tradeId": str(130_639_474 + number), "px": f"{price:f}", "sz": f"{size:.8f}"}
    data |= {"side": "sell" if sell else "buy", "ts": str(START_MS + 7 * number), "count": "3"}
    return _text({"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [data]})


def _binance_book(number: int, rows: list[Row]) -> str:
    bids, asks = ([[f"{price:f}000000", f"{size:.8f}"] for price, size in side] for side in _sides(rows))
    data = {"e": "depthUpdate", "E": START_MS + 100 * number, "s": "BTCUSDT", "U": 10 * number - 8, "u": 10 * number + 1}
    data |= {"b": bids, "a": asks}
    return _text({"stream": "btcusdt@depth@100ms", "data": data})


def _okx_book(number: int, rows: list[Row], action: str = "update") -> str:
    bids, asks = ([[f"{price:f}", f"{size:.8f}", "0", "4"] for price, size in side] for side in _sides(rows))
    data = {"asks": asks, "bids": bids, "ts": str(START_MS + 100 * number), "checksum": 0}
    data |= {"seqId": 123_456 + number, "prevSeqId": 123_455 + number if action == "update" else -1}
    return _text({"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [data]})


def _bybit_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> str:
    at = START_MS + 7 * number
    data = {"T": at, "s": "BTCUSDT", "S": "Sell" if sell else "Buy", "v": f"{size:.8f}", "p": f"{price:f}", "L": "PlusTick"}
    data |= {"i": f"20f43950-d8dd-5b31-9112-{number:012x}", "BT": False, "RPI": False, "seq": 7_961_638_724 + number}
    return _text({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": at + 2, "data": [data]})


def _bybit_book(number: int, rows: list[Row], kind: str = "delta") -> str:
    bids, asks = ([[f"{price:f}", f"{size:.8f}"] for price, size in side] for side in _sides(rows))
    at = START_MS + 100 * number
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": 177_400_507 + number, "seq": 66_544_703_342 + 9 * number}
    return _text({"topic": "orderbook.200.BTCUSDT", "type": kind, "ts": at, "data": data, "cts": at - 3})


def _kraken_time(number: int) -> str:
    at = datetime.fromtimestamp((START_MS + 7 * number) // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{7 * number % 1000:03d}{number * 37 % 1000:03d}Z"


def _kraken_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> str:
    row = f'{{"symbol":"BTC/USDT","side":"{"sell" if sell else "buy"}","price":{price:f},"qty":{size:.8f},"ord_type":"market",'
    row += f'"trade_id":{4_665_906 + number},"timestamp":"{_kraken_time(number)}"}}'
    return f'{{"channel":"trade","type":"update","data":[{row}]}}'


def _kraken_book(number: int, rows: list[Row], kind: str = "update") -> str:
    bids, asks = _sides(rows)
    texts = (",".join(f'{{"price":{price:f},"qty":{size:.8f}}}' for price, size in side) for side in (bids, asks))
    row = '{{"symbol":"BTC/USDT","bids":[{}],"asks":[{}],'.format(*texts)
    row += f'"checksum":{_kraken_checksum(bids, asks)},"timestamp":"{_kraken_time(number)}"}}'
    return f'{{"channel":"book","type":"{kind}","data":[{row}]}}'


def _kraken_checksum(bids: list[Row], asks: list[Row]) -> int:
    """CRC32 of the digits of the best ten asks and bids."""
    values = [text for price, size in asks[:10] + bids[:10] for text in (f"{price:f}", f"{size:.8f}")]
    return zlib.crc32("".join(text.replace(".", "").lstrip("0") for text in values).encode())


def _hyperliquid_trade(number: int, price: Decimal, size: Decimal, sell: bool) -> str:
    data: dict[str, object] = {"coin": "BTC", "side": "A" if sell else "B", "px": f"{price:f}", "sz": f"{size:.8f}"}
    data |= {
        "time": START_MS + 7 * number,
        "hash": f"0x{number:064x}",
        "tid": 981_894_269_203_506 + number,
        "users": [f"0x{1:040x}", f"0x{2:040x}"],
    }
    return _text({"channel": "trades", "data": [data]})


def _hyperliquid_book(number: int, rows: list[Row]) -> str:
    levels = [[{"px": f"{price:f}", "sz": f"{size:.8f}", "n": 3} for price, size in side] for side in _sides(rows)]
    return _text({"channel": "l2Book", "data": {"coin": "BTC", "time": START_MS + 500 * number, "levels": levels}})


@dataclass(frozen=True)
class Shapes:
    """How a venue writes trades and books: number of the frame and what is in it -> text. `first` is the book that changes follow."""

    trade: Callable[[int, Decimal, Decimal, bool], str]
    book: Callable[[int, list[Row]], str]
    first: Callable[[list[Row]], str] | None = None
    levels: int = LEVELS


SHAPES = {
    "binance": Shapes(_binance_trade, _binance_book),
    "okx": Shapes(_okx_trade, _okx_book, lambda rows: _okx_book(0, rows, "snapshot")),
    "bybit": Shapes(_bybit_trade, _bybit_book, lambda rows: _bybit_book(0, rows, "snapshot")),
    "kraken": Shapes(_kraken_trade, _kraken_book, lambda rows: _kraken_book(0, rows, "snapshot")),
    "hyperliquid": Shapes(_hyperliquid_trade, _hyperliquid_book, levels=20),  # it never sends more
}
"""The venues of the tables."""
