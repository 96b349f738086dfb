"""Who reads from the loopback server, each in a process of its own: prints what that cost as JSON.

    python -m benchmarks.consumers NAME KIND PORT

All do the same: subscribe, and look at the price of every trade, or at the best prices of the book each time it is said to have
changed. The clock (CPU time of the process) runs from the first of these to the one of the last frame.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from benchmarks.firehose import ASKED, Kind, run_of
from cexspec import Client, Event, Normalizer
from cexspec.engine.options import StreamOptions
from cexspec.transport.websocket import Library, SocketOptions, websocket_transport

VENUE, CONNECTION, SYMBOL = "okx", "public", "BTC/USDT"


class Meter:
    """What came, and what it cost."""

    def __init__(self, kind: Kind) -> None:
        run = run_of(kind)
        self.kind, self.frames, self.ends = kind, run.count, run.ends
        self.seen = 0
        self._began = self._ended = 0.0
        self._done: asyncio.Future[None] | None = None

    def saw(self, milliseconds: int, count: int = 1) -> None:
        """Something came, of this time."""
        if not self.seen:
            self._began = time.process_time()
        self.seen += count
        if milliseconds >= self.ends:
            self._ended = time.process_time()
            if self._done is not None and not self._done.done():
                self._done.set_result(None)

    @property
    def over(self) -> bool:
        """Whether the last frame was seen."""
        return self._ended > 0.0

    async def done(self) -> None:
        """Wait for the last frame."""
        self._done = asyncio.get_running_loop().create_future()
        if not self.over:
            await self._done

    def report(self) -> dict[str, float]:
        """Frames, how many of their events reached the consumer, and seconds of CPU time."""
        return {"frames": self.frames, "seen": self.seen, "seconds": self._ended - self._began}


async def _read(meter: Meter, port: int, library: Library, use: Callable[[bytes], object]) -> None:
    """Every frame, without a subscription."""
    transport = websocket_transport(library)
    socket = await transport.connect(f"ws://127.0.0.1:{port}/", options=SocketOptions(compression=False, ping_every=None))
    for number in range(1, meter.frames + 1):
        use(await socket.receive())
        meter.saw(meter.ends if number == meter.frames else 0)
    await socket.close()
    await transport.close()


async def _subscribe(meter: Meter, port: int, library: Library, number: type[Decimal] | type[float] = Decimal) -> None:
    """A `Client` with a callback: nothing may be lost."""
    environment = {"ws": {CONNECTION: f"ws://127.0.0.1:{port}{ASKED}"}}
    channel = "trades" if meter.kind == "trades" else "order_book"

    def trade(event: Any) -> None:
        if event.price > 0:
            meter.saw(event.timestamp // 1_000_000)

    def book(event: Any) -> None:
        if event.best_bid is not None and event.best_ask is not None:
            meter.saw(event.timestamp // 1_000_000)

    callback: Callable[[Event], None] = trade if meter.kind == "trades" else book
    options = StreamOptions(policy="block")
    async with Client(VENUE, environment=environment, websocket=library, stream_options=options, number=number) as client:
        client.ws.subscribe(channel, SYMBOL, callback=callback)
        await meter.done()


def _on_uvloop(meter: Meter, port: int) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_subscribe(meter, port, "aiohttp"))


def _cryptofeed(meter: Meter, port: int) -> None:
    from benchmarks.cryptofeed_consumer import consume

    consume(meter, port)


def _ccxt(meter: Meter, port: int) -> None:
    from benchmarks.ccxt_consumer import consume

    asyncio.run(consume(meter, port))


CONSUMERS: dict[str, Callable[[Meter, int], None]] = {
    "socket-aiohttp": lambda meter, port: asyncio.run(_read(meter, port, "aiohttp", lambda frame: None)),
    "socket-websockets": lambda meter, port: asyncio.run(_read(meter, port, "websockets", lambda frame: None)),
    "normalizer-aiohttp": lambda meter, port: asyncio.run(_read(meter, port, "aiohttp", Normalizer(VENUE).ws)),
    "client-aiohttp": lambda meter, port: asyncio.run(_subscribe(meter, port, "aiohttp")),
    "client-float": lambda meter, port: asyncio.run(_subscribe(meter, port, "aiohttp", float)),
    "client-websockets": lambda meter, port: asyncio.run(_subscribe(meter, port, "websockets")),
    "client-uvloop": _on_uvloop,
    "cryptofeed": _cryptofeed,
    "ccxt": _ccxt,
}


def main(name: str, kind: Kind, port: int) -> None:
    """Consume, and print the report."""
    meter = Meter(kind)
    CONSUMERS[name](meter, port)
    print(json.dumps(meter.report()))


if __name__ == "__main__":
    main(sys.argv[1], "books" if sys.argv[2] == "books" else "trades", int(sys.argv[3]))
