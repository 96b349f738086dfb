"""What is particular to a venue when ccxt reads the same bodies: a few rows each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any

from tests.differential.ccxt_venue import Unified


@dataclass(frozen=True)
class Call:
    """The method of ccxt that reads an operation's body. `at` is a part of the path it asks, where that isn't ours."""

    method: str
    arguments: tuple[str, ...] = ("symbol",)
    params: Mapping[str, Any] = field(default_factory=dict)
    at: str | None = None
    asks: Mapping[str, str] = field(default_factory=dict)
    """what its query or body holds of these keys, where several operations or pages share a path; empty: nothing"""
    interval: str = "1m"
    """what stands in where nothing tells the interval that was asked for"""
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
    "open_interest_history": Call("fetch_open_interest_history", ("symbol", "interval"), interval="5m"),
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
    calls: Mapping[str, Call | Callable[[str], Call]] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    native_id: Callable[[Unified], str] = itemgetter("id")
    """what is our native id in one of ccxt's markets"""

    def call(self, operation: str, body: str) -> Call | None:
        """The method that reads this body of an operation; None where there is none."""
        named = None if operation in self.without else self.calls.get(operation, CALLS.get(operation))
        return named if named is None or isinstance(named, Call) else named(body)


def _as_pairs_information(body: str) -> str:
    """A list of pairs as the answer that tells their sizes as well, with none of them."""
    pairs = json.loads(body)[0]
    return json.dumps([[[pair, [None] * 12] for pair in pairs], [], [], []])


def _product_line(body: str) -> Call:
    """Instruments of a product line are read by a method of its own, which wants the line's name in the answer."""
    first = json.loads(body)["result"]["list"][0]
    more = {"cursor": "", "status": ""}
    if "optionsType" in first:
        return Call("fetch_option_markets", (), {"baseCoin": first["baseCoin"]}, asks=more)
    if "contractType" not in first:
        return Call("fetch_spot_markets", (), {}, asks=more)
    line = "inverse" if first["contractType"].startswith("Inverse") else "linear"
    return Call("fetch_future_markets", (), {"category": line}, asks=more, reshaped=partial(_of_line, line=line))


def _of_line(body: str, line: str) -> str:
    """An answer that says its product line: not all records do, or say it rightly."""
    answer = json.loads(body)
    return json.dumps({**answer, "result": {**answer["result"], "category": line}})


_TOKENS = {0: "USDC", 235: "USDE", 268: "USDT0", 360: "USDH"}


def _with_contexts(body: str, delisted: bool | None = None) -> str:
    """Lists of perpetuals as the answer that tells their prices as well, with none of them; `delisted`: these or the others alone."""
    listed = json.loads(body)
    metas = listed if isinstance(listed, list) else [listed]
    universe = [
        {**one, "collateralTokenName": _TOKENS[meta.get("collateralToken", 0)]}
        for meta in metas
        for one in meta["universe"]
        if delisted is None or bool(one.get("isDelisted")) == delisted
    ]
    return json.dumps([{"universe": universe}, [{} for _ in universe]])


def _with_collateral(body: str) -> str:
    """Perpetuals beside their prices as ccxt has them once it has looked up what they are settled in."""
    meta, prices = json.loads(body)
    name = _TOKENS[meta.get("collateralToken", 0)]
    return json.dumps([{**meta, "universe": [{**one, "collateralTokenName": name} for one in meta["universe"]]}, prices])


def _whole_spot(body: str) -> str:
    """Spot with prices, its lists without gaps: ccxt looks up tokens and prices by their places, and a sample has a few of them."""
    listed = json.loads(body)
    meta, prices = listed if isinstance(listed, list) else (listed, [])
    place = {one["name"]: one["index"] for one in meta["universe"]}
    tokens = _placed({one["index"]: one for one in meta["tokens"]})
    return json.dumps([{**meta, "tokens": tokens}, _placed({place[one["coin"]]: one for one in prices if one["coin"] in place})])


def _placed(found: Mapping[int, Any]) -> list[Any]:
    return [found.get(place, {}) for place in range(max(found, default=-1) + 1)]


VENUES: Mapping[str, Venue] = {
    "okx": Venue(
        "okx",
        "BTC/USDT",
        least={"corpus": 10000, "samples": 430},
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
        least={"corpus": 1600, "samples": 120},
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
        least={"corpus": 6000, "samples": 150},
        native_id=itemgetter("altname"),
    ),
    "bybit": Venue(
        "bybit",
        "BTC/USDT:PERP",
        least={"corpus": 100, "samples": 270},
        options={"fetchMarkets": {"types": ["spot"]}},
        nothing={"/instruments-info": {"retCode": 0, "result": {"list": []}}},
        calls={
            "instruments": _product_line,
            "full_order_book": Call("fetch_order_book", at="/orderbook"),
            "funding_rate": Call("fetch_funding_rates", ("symbols",)),
        },
        without={"mark_price": "ccxt has no method for it", "open_interest": "ccxt reads it from the history"},
    ),
    "hyperliquid": Venue(
        "hyperliquid",
        "BTC/USDC:PERP",
        least={"corpus": 100, "samples": 250},
        calls={
            "perpetuals": Call("fetch_swap_markets", (), reshaped=partial(_with_contexts, delisted=False)),
            "delisted_perpetuals": Call("fetch_swap_markets", (), reshaped=partial(_with_contexts, delisted=True)),
            "dex_perpetuals": Call("fetch_swap_markets", (), reshaped=_with_contexts),
            "traded_perpetuals": Call("fetch_swap_markets", (), reshaped=_with_collateral),
            "spots": Call("fetch_spot_markets", (), reshaped=_whole_spot),
            "traded_spots": Call("fetch_spot_markets", (), reshaped=_whole_spot),
            "perpetual_tickers": Call("fetch_tickers", ("symbols",), {"type": "swap"}),
            "spot_tickers": Call("fetch_tickers", ("symbols",), {"type": "spot"}, reshaped=_whole_spot),
            "funding_rate": Call("fetch_funding_rates", ("symbols",)),
            "open_interest": Call("fetch_open_interests", ("symbols",)),
        },
        without={
            "mark_price": "ccxt has no method for it",
            "predicted_funding_rates": "ccxt has no method for it",
            "trades": "ccxt reads the trades of an account",
        },
        native_id=lambda market: str(market["info"]["name"]),
    ),
    "binance_usdm": Venue(
        "binanceusdm",
        "BTC/USDT:PERP",
        least={"corpus": 1500, "samples": 230},
        options={"fetchMarkets": {"types": ["linear"]}},
        calls={
            "trades": Call("fetch_trades", params={"fetchTradesMethod": "fapiPublicGetTrades"}),
            "old_trades": Call("fetch_trades", params={"fetchTradesMethod": "fapiPublicGetTrades"}, at="/trades"),  # its own wants a key
            "trades_history": Call("fetch_trades", params={"fetchTradesMethod": "fapiPublicGetAggTrades"}),
            "last_price": Call("fetch_last_prices", ("symbols",)),
            "mark_price_candles": Call("fetch_ohlcv", ("symbol", "interval"), {"price": "mark"}),
            "index_price_candles": Call("fetch_ohlcv", ("symbol", "interval"), {"price": "index"}),
            "mark_prices": Call("fetch_mark_prices", ("symbols",)),
        },
        without={"continuous_candles": "ccxt has no method for it"},
    ),
}

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "nt:okx/http_get_candlesticks_full.json": {"symbol": "BTC/USDT:PERP", "interval": "1m"},
}
"""Record -> what was asked for, where the record doesn't tell."""
