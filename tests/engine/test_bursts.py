"""A burst on a socket: who reads it gives way, so that a consumer that is fast enough loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cexspec import Client
from cexspec.engine.options import StreamOptions
from cexspec.models import Event, Gap
from cexspec.transport.websocket import DEFAULTS, SocketOptions

ACK = b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a4d3ae55"}'
TRADE = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"%d","px":"1","sz":"1","side":"buy",'
    '"ts":"1790000000000"}]}'
)
BURST = 20_000
QUEUE = 1_000


class Bursting:
    """A transport and its one socket: all frames are there at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._frames = iter([ACK, *((TRADE % number).encode() for number in range(BURST))])

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Bursting:
        """The socket."""
        return self

    async def send(self, frame: str | bytes) -> None:
        """The first message asks for the trades."""
        self._asked.set()

    async def receive(self) -> bytes:
        """The next frame, without waiting for anything."""
        await self._asked.wait()
        frame = next(self._frames, None)
        if frame is None:
            await asyncio.Event().wait()
        assert frame is not None
        return frame

    async def close(self, code: int = 1000) -> None:
        """Nothing to close."""


async def test_a_consumer_that_is_fast_enough_gets_all_of_a_burst() -> None:
    seen: list[str | None] = []
    done = asyncio.Event()

    def take(event: Event) -> None:
        seen.append(event.cause if isinstance(event, Gap) else getattr(event, "id", None))
        if seen[-1] == str(BURST - 1):
            done.set()

    options = StreamOptions(queue=QUEUE)
    async with Client("okx", environment={"ws": {"public": "ws://burst"}}, websocket=Bursting(), stream_options=options) as client:
        client.ws.subscribe("trades", "BTC/USDT", callback=take)
        await done.wait()
    assert seen == [str(number) for number in range(BURST)]
