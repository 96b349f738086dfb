"""A burst on a socket: who reads it gives way, so that a consumer that is fast enough loses nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

import msgspec

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


SYMBOLS = [f"T{number:03}/USDT" for number in range(500)]
EACH = 256


class Sockets:
    """A transport whose sockets answer subscriptions, and burst together once told to."""

    def __init__(self) -> None:
        self.opened: list[Socket] = []
        self.read = 0

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Socket:
        """Another one."""
        self.opened.append(Socket(self))
        return self.opened[-1]

    async def close(self) -> None:
        """Nothing to close."""


class Socket:
    """See `Sockets`."""

    def __init__(self, all_of_them: Sockets) -> None:
        self._all = all_of_them
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._asked: list[str] = []

    async def send(self, frame: str | bytes) -> None:
        """What is asked for is acknowledged."""
        for topic in msgspec.json.decode(frame)["args"]:
            self._asked.append(topic["instId"])
            self.put(msgspec.json.encode({"event": "subscribe", "arg": topic, "connId": "a4d3ae55"}))

    def burst(self) -> None:
        """Trades of the first topic, all at once."""
        for number in range(EACH):
            self.put((TRADE % number).replace("BTC-USDT", self._asked[0]).encode())

    def put(self, frame: bytes) -> None:
        """Let one be read."""
        self._frames.append(frame)
        self._news.set()

    async def receive(self) -> bytes:
        """The next frame."""
        while not self._frames:
            self._news.clear()
            await self._news.wait()
        self._all.read += 1
        return self._frames.popleft()

    async def close(self, code: int = 1000) -> None:
        """Nothing to close."""


async def test_of_several_connections_that_burst_at_once_the_first_events_do_not_wait_for_the_last() -> None:
    sockets, before = Sockets(), list[int]()
    done = asyncio.Event()

    def take(event: Event) -> None:
        before.append(sockets.read)
        if len(before) == EACH * len(sockets.opened):
            done.set()

    async with Client("okx", environment={"ws": {"public": "ws://burst"}}, websocket=sockets) as client:
        await client.ws.subscribe("trades", *SYMBOLS, callback=take).ready()
        sockets.read = 0
        for socket in sockets.opened:
            socket.burst()
        await done.wait()
    whole = EACH * len(sockets.opened)
    assert len(sockets.opened) > 1
    assert before[0] <= whole / 4
    assert sum(before) / len(before) <= 0.65 * whole, "about half is read when a trade is delivered, on average"
