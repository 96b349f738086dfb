"""cryptofeed's own handlers, as its connection calls them: `message_handler` with a callback. No network, no patches.

A book goes into its maintained book; ours stays an event. The handler is driven directly: it never has to wait here.
Of Kraken it reads the former version of the stream, and Hyperliquid it does not know.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from cryptofeed import exchanges
from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.symbols import Symbols

from benchmarks.frames import Frames
from benchmarks.readers import SeenRow

VENUES = {
    "binance": (exchanges.Binance, "BTC-USDT", "BTCUSDT", "spot"),
    "okx": (exchanges.OKX, "BTC-USDT", "BTC-USDT", "spot"),
    "bybit": (exchanges.Bybit, "BTC-USDT-PERP", "BTCUSDT", "perpetual"),
}
"""Venue -> feed, its symbol, the native id, the kind of instrument."""
_CONNECTION = SimpleNamespace(address="wss://stream.bybit.com/v5/public/linear")
"""Stands for its WebSocket: Bybit's handler tells product lines apart by the address."""


class _Snapshot:
    """Stands for its HTTP connection: the book snapshot that Binance's handler asks for."""

    async def read(self, address: str) -> str:
        return json.dumps({"lastUpdateId": 1, "bids": [], "asks": []})


class Cryptofeed:
    """One feed with callbacks for trades and books."""

    def __init__(self, frames: Frames) -> None:
        feed_class, symbol, native, kind = VENUES[frames.venue]
        Symbols.set(feed_class.id, {symbol: native}, {"instrument_type": {symbol: kind}})
        self._last: Any = None
        feed = feed_class(symbols=[symbol], channels=[TRADES, L2_BOOK], callbacks={TRADES: self._keep, L2_BOOK: self._keep})
        feed.http_conn = _Snapshot()
        self._handle = feed.message_handler
        if frames.first is not None:
            self.read(frames.first)

    async def _keep(self, event: Any, receipt_timestamp: float) -> None:
        self._last = event

    def read(self, frame: bytes) -> object:
        """Run the handler to its end."""
        running = self._handle(frame.decode(), _CONNECTION, 0.0)
        try:
            running.send(None)
        except StopIteration:
            return self._last
        raise AssertionError("the handler waited for something")

    def seen(self, result: object) -> list[SeenRow]:
        """The trade, or the levels of the maintained book."""
        event: Any = result
        if hasattr(event, "price"):
            return [(float(event.price), float(event.amount))]
        sides = [side.to_dict() for side in (event.book.bids, event.book.asks)]
        return sorted((float(price), float(size)) for side in sides for price, size in side.items())

    async def close(self) -> None:
        """It never opened anything."""
