"""ccxt.pro's own path: the client's message handler, as its connection calls it, into its caches. No network, no patches.

What its `watch_...` methods do afterwards (waking the waiting task, slicing the cache) is not counted.
"""

from __future__ import annotations

from typing import Any

import ccxt.pro

from benchmarks.frames import Frames
from benchmarks.readers import SeenRow

VENUES = {
    "binance": (ccxt.pro.binance, "BTC/USDT", "BTCUSDT", "wss://stream.binance.com:9443/stream"),
    "okx": (ccxt.pro.okx, "BTC/USDT", "BTC-USDT", "wss://ws.okx.com:8443/ws/v5/public"),
    "bybit": (ccxt.pro.bybit, "BTC/USDT:USDT", "BTCUSDT", "wss://stream.bybit.com/v5/public/linear"),
    "kraken": (ccxt.pro.kraken, "BTC/USDT", "XBTUSDT", "wss://ws.kraken.com/v2"),
    "hyperliquid": (ccxt.pro.hyperliquid, "BTC/USDC:USDC", "BTC/USDC:USDC", "wss://api.hyperliquid.xyz/ws"),
}
"""Venue -> exchange, its symbol, the native id, the address."""


class Ccxt:
    """One exchange with one market and the client of its public stream. Needs a running event loop."""

    def __init__(self, frames: Frames) -> None:
        exchange_class, self._symbol, native, url = VENUES[frames.venue]
        self._exchange: Any = exchange_class()
        self._exchange.set_markets([self._exchange.safe_market_structure(market(self._symbol, native))], {})
        self._is_book, self._levels = "book" in frames.kind, len(frames.rows[0]) // 2
        client = self._exchange.client(url)
        self._handle = client.handle_text_or_binary_message
        if frames.first is not None:
            client.subscriptions[f"books:{self._symbol}"] = True
            self._handle(frames.first.decode())
        elif self._is_book:
            book = self._exchange.order_book({}, 1000)
            book.reset({"bids": [], "asks": [], "nonce": 1, "symbol": self._symbol})
            self._exchange.orderbooks[self._symbol] = book

    def read(self, frame: bytes) -> object:
        """Handle a text frame; it ends up in the exchange's caches."""
        self._handle(frame.decode())
        return None

    def seen(self, result: object) -> list[SeenRow]:
        """The last trade, or the levels of the maintained book."""
        if not self._is_book:
            trade = self._exchange.trades[self._symbol][-1]
            return [(trade["price"], trade["amount"])]
        book = self._exchange.orderbooks[self._symbol]
        assert len(book["bids"]) == len(book["asks"]) == self._levels
        return sorted((price, size) for side in ("bids", "asks") for price, size, *_ in book[side])

    async def close(self) -> None:
        """Close its HTTP session."""
        await self._exchange.close()


def market(symbol: str, native: str) -> dict[str, Any]:
    """What is known of one market."""
    pair, _, settle = symbol.partition(":")
    base, quote = pair.split("/")
    return {
        "id": native,
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "settle": settle or None,
        "baseId": base,
        "quoteId": quote,
        "settleId": settle or None,
        "type": "swap" if settle else "spot",
        "spot": not settle,
        "swap": bool(settle),
        "future": False,
        "option": False,
        "contract": bool(settle),
        "linear": True if settle else None,
        "inverse": False if settle else None,
        "contractSize": 1 if settle else None,
        "active": True,
        "precision": {"price": 0.01, "amount": 0.00000001},
        "limits": {},
    }
