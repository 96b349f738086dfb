"""ccxt.pro as it is meant to be run: `watch_trades` or `watch_order_book` in a loop, with another host in its `urls`."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt.pro

from benchmarks.ccxt_reader import market
from benchmarks.consumers import Meter
from benchmarks.firehose import ASKED

SYMBOL, NATIVE = "BTC/USDT", "BTC-USDT"


async def consume(meter: Meter, port: int) -> None:
    """Watch until the last frame was seen."""
    exchange: Any = ccxt.pro.okx()
    exchange.set_markets([exchange.safe_market_structure(market(SYMBOL, NATIVE))], {})
    exchange.urls["api"]["ws"] = f"ws://127.0.0.1:{port}{ASKED}"
    watch = _trades if meter.kind == "trades" else _books
    await asyncio.wait_for(watch(exchange, meter), 120)
    await exchange.close()


async def _trades(exchange: Any, meter: Meter) -> None:
    while not meter.over:
        trades = await exchange.watch_trades(SYMBOL)
        if trades and all(trade["price"] > 0 for trade in trades):
            meter.saw(trades[-1]["timestamp"], len(trades))


async def _books(exchange: Any, meter: Meter) -> None:
    while not meter.over:
        book = await exchange.watch_order_book(SYMBOL)
        if book["bids"][0][0] and book["asks"][0][0]:
            meter.saw(book["timestamp"])
