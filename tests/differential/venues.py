"""What is particular to a venue when ccxt reads the same bodies: a few rows each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """The method of ccxt that reads an operation's body. `at` is a part of the path it asks, where that isn't ours."""

    method: str
    arguments: tuple[str, ...] = ("symbol",)
    params: Mapping[str, Any] = field(default_factory=dict)
    at: str | None = None
    asks: Mapping[str, str] = field(default_factory=dict)
    """what its query or body holds, where several operations share a path"""
    reshaped: Callable[[str], str] | None = None
    """the same values in the form of the answer that ccxt reads"""


CALLS: Mapping[str, Call] = {
    "server_time": Call("fetch_time", ()),
    "instruments": Call("fetch_markets", ()),
    "ticker": Call("fetch_ticker"),
    "tickers": Call("fetch_tickers", ("symbols",)),
    "bbo": Call("fetch_bids_asks", ("symbols",)),
    "order_book": Call("fetch_order_book"),
    "trades": Call("fetch_trades"),
    "trades_history": Call("fetch_trades"),
    "candles": Call("fetch_ohlcv", ("symbol", "interval")),
    "candles_history": Call("fetch_ohlcv", ("symbol", "interval")),
    "mark_price": Call("fetch_mark_price"),
    "funding_rate": Call("fetch_funding_rate"),
    "funding_rates": Call("fetch_funding_rate_history"),
    "open_interest": Call("fetch_open_interest"),
    "open_interest_history": Call("fetch_open_interest_history", ("symbol", "interval")),
    "liquidations": Call("fetch_liquidations"),
}


@dataclass(frozen=True)
class Venue:
    """How ccxt is made to read a venue's bodies. `symbol` stands in where nothing tells which was asked for, `least` are values
    that are equal at the least, by source, and `without` the operations that it has no method for, and why."""

    ccxt: str
    symbol: str
    least: Mapping[str, int]
    options: Mapping[str, Any] = field(default_factory=dict)
    nothing: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    native_id: str = "id"
    """the key of ccxt's markets that holds what is our native id"""

    def call(self, operation: str) -> Call | None:
        """The method that reads an operation's body; None where there is none."""
        return None if operation in self.without else self.calls.get(operation, CALLS.get(operation))


def _as_pairs_information(body: str) -> str:
    """A list of pairs as the answer that tells their sizes as well, with none of them."""
    pairs = json.loads(body)[0]
    return json.dumps([[[pair, [None] * 12] for pair in pairs], [], [], []])


_DERIVATIVES = "/status/deriv"
VENUES: Mapping[str, Venue] = {
    "okx": Venue(
        "okx",
        "BTC/USDT",
        least={"corpus": 11000, "samples": 450},
        options={"fetchMarkets": {"types": ["spot"]}},
        calls={
            "trades_history": Call("fetch_trades", params={"method": "publicGetMarketHistoryTrades"}),
            "candles_history": Call("fetch_ohlcv", ("symbol", "interval"), params={"type": "HistoryCandles"}),
        },
        without={
            "index_price": "ccxt has no method for it",
            "open_interest_history": "ccxt reads a history by currency, over all of its contracts",
        },
    ),
    "binance": Venue(
        "binance",
        "BTC/USDT",
        least={"corpus": 150, "samples": 120},
        options={"fetchMarkets": {"types": ["spot"]}},
        calls={
            "trades": Call("fetch_trades", params={"fetchTradesMethod": "publicGetTrades"}),
            "trades_history": Call("fetch_trades", params={"fetchTradesMethod": "publicGetAggTrades"}),
            "last_price": Call("fetch_last_prices", ("symbols",)),
        },
    ),
    "bitfinex": Venue(
        "bitfinex",
        "BTC/USD",
        least={"corpus": 1900, "samples": 140},
        calls={
            "order_book": Call("fetch_order_book", params={"precision": "P0"}),
            "tickers": Call("fetch_tickers", ()),
            "instruments": Call("fetch_markets", (), at="/conf/"),
            "pairs": Call("fetch_markets", (), at="/conf/", reshaped=_as_pairs_information),
        },
        without={"mark_price": "ccxt has no method for it"},
    ),
    "kraken": Venue(
        "kraken",
        "BTC/USDT",
        least={"corpus": 150, "samples": 100},
        native_id="altname",
    ),
}

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "nt:okx/http_get_candlesticks_full.json": {"symbol": "BTC/USDT:PERP", "interval": "1m"},
}
"""Record -> what was asked for, where the record doesn't tell."""

INTERVAL = "1m"
"""What stands in where nothing tells the interval that was asked for."""
