"""ccxt.pro's own path: the client's message handler, as its connection calls it, into its caches. No network, no patches.

What its `watch_...` methods do afterwards (waking the waiting task, slicing the cache) is not counted.
"""

from __future__ import annotations

from typing import Any

import ccxt.pro

from benchmarks.frames import LEVELS, Frames
from benchmarks.readers import SeenRow

SYMBOL = "BTC/USDT"
_VENUES = {
    "binance": (ccxt.pro.binance, "BTCUSDT", "wss://stream.binance.com:9443/stream"),
    "okx": (ccxt.pro.okx, "BTC-USDT", "wss://ws.okx.com:8443/ws/v5/public"),
}


class Ccxt:
    """One exchange with one market and the client of its public stream. Needs a running event loop."""

    def __init__(self, frames: Frames) -> None:
        exchange_class, native, url = _VENUES[frames.venue]
        self._exchange: Any = exchange_class()
        self._exchange.set_markets([self._exchange.safe_market_structure(_market(native))], {})
        self._is_book = "book" in frames.kind
        client = self._exchange.client(url)
        self._handle = client.handle_text_or_binary_message
        if frames.first is not None:
            client.subscriptions[f"books:{SYMBOL}"] = True
            self._handle(frames.first.decode())
        elif self._is_book:
            book = self._exchange.order_book({}, 1000)
            book.reset({"bids": [], "asks": [], "nonce": 1, "symbol": SYMBOL})
            self._exchange.orderbooks[SYMBOL] = book

    def read(self, frame: bytes) -> object:
        """Handle a text frame; it ends up in the exchange's caches."""
        self._handle(frame.decode())
        return None

    def seen(self, result: object) -> list[SeenRow]:
        """The last trade, or the levels of the maintained book."""
        if not self._is_book:
            trade = self._exchange.trades[SYMBOL][-1]
            return [(trade["price"], trade["amount"])]
        book = self._exchange.orderbooks[SYMBOL]
        assert len(book["bids"]) == len(book["asks"]) == LEVELS
        return sorted((price, size) for side in ("bids", "asks") for price, size, *_ in book[side])

    async def close(self) -> None:
        """Close its HTTP session."""
        await self._exchange.close()


def _market(native: str) -> dict[str, Any]:
    return {
        "id": native,
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "active": True,
        "precision": {"price": 0.01, "amount": 0.00000001},
        "limits": {},
    }
