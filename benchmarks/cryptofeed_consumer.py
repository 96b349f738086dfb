"""cryptofeed as it is meant to be run: a `FeedHandler` (on uvloop, its default) with a feed and a callback.

Its connections take `wss` addresses only, so the feed puts that of the loopback server into the connection it has made.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cryptofeed import FeedHandler, exchanges
from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.symbols import Symbols

from benchmarks.consumers import Meter
from benchmarks.firehose import ASKED

SYMBOL, NATIVE = "BTC-USDT", "BTC-USDT"


def consume(meter: Meter, port: int) -> None:
    """Run until the last frame was seen."""

    class Here(exchanges.OKX):  # type: ignore[misc]
        def connect(self) -> Any:
            made = super().connect()
            for connection, *_ in made:
                connection.address = f"ws://127.0.0.1:{port}{ASKED}"
            return made

    async def trade(event: Any, _: float) -> None:
        if event.price > 0:
            meter.saw(round(event.timestamp * 1000))

    async def book(event: Any, _: float) -> None:
        if event.book.bids.index(0)[0] and event.book.asks.index(0)[0]:
            meter.saw(round(event.timestamp * 1000))

    Symbols.set(Here.id, {SYMBOL: NATIVE}, {"instrument_type": {SYMBOL: "spot"}})
    channel, callback = (TRADES, trade) if meter.kind == "trades" else (L2_BOOK, book)
    handler = FeedHandler(config={"log": {"disabled": True}})
    handler.add_feed(Here(symbols=[SYMBOL], channels=[channel], callbacks={channel: callback}))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler.run(start_loop=False, install_signal_handlers=False)
    loop.run_until_complete(meter.done())
    handler.stop(loop)
