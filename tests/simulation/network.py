"""A seeded network in virtual time: delays, losses of connections, peers that fall silent. Frames of a socket keep their order."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from cexspec.models import CexspecError, ConnectionLost, NetworkError
from cexspec.transport.clock import VirtualClock
from cexspec.transport.websocket import DEFAULTS, SocketOptions


class Venue(Protocol):
    """The far side."""

    def opened(self, line: Line) -> None: ...

    def received(self, line: Line, frame: str) -> None: ...

    def lost(self, line: Line) -> None: ...


class _Way:
    """One direction: frames arrive in order, each after a delay of its own."""

    def __init__(self, clock: VirtualClock, delay: Callable[[], float], arrive: Callable[[bytes], None]) -> None:
        self._clock, self._delay, self._arrive = clock, delay, arrive
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._more = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run())

    def put(self, frame: bytes) -> None:
        self._last = max(self._last, self._clock.monotonic() + self._delay())
        self._waiting.append((self._last, frame))
        self._more.set()

    async def _run(self) -> None:
        while True:
            while self._waiting:
                due, frame = self._waiting[0]
                if due > self._clock.monotonic():
                    await self._clock.sleep(due - self._clock.monotonic())
                self._waiting.popleft()
                self._arrive(frame)
            self._more.clear()
            await self._more.wait()


class Line:
    """A WebSocket: the client's `Socket` on one side, the venue's on the other."""

    def __init__(self, network: Network, url: str, headers: Mapping[str, str]) -> None:
        self.network, self.url, self.headers = network, url, dict(headers)
        self.alive, self.silent = True, False
        self.sent: list[str] = []
        """what the client sent, as it reached the venue"""
        self.arrived: list[bytes] = []
        """what reached the client"""
        self._inbox: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._close_code = 1006
        self._there = _Way(network.clock, network.delay, self._at_venue)
        self._back = _Way(network.clock, network.delay, self._at_client)

    async def send(self, frame: str | bytes) -> None:
        if not self.alive:
            raise ConnectionLost("the connection broke", self._close_code)
        self._there.put(frame.encode() if isinstance(frame, str) else frame)

    async def receive(self) -> bytes:
        while not self._inbox:
            if not self.alive:
                raise ConnectionLost(f"the connection was closed with code {self._close_code}", self._close_code)
            self._news.clear()
            await self._news.wait()
        return self._inbox.popleft()

    async def close(self, code: int = 1000) -> None:
        self.cut(code)

    def push(self, message: Any) -> None:
        """The venue sends: a text as it is, anything else as JSON."""
        text = message if isinstance(message, bytes | str) else json.dumps(message)
        frame = text.encode() if isinstance(text, str) else text
        if self.alive and not self.silent:
            self._back.put(frame)

    def cut(self, code: int = 1006) -> None:
        """The connection is gone, with everything under way."""
        if self.alive:
            self.alive, self._close_code = False, code
            self._there.task.cancel()
            self._back.task.cancel()
            self.network.lines.remove(self)
            self.network.venue.lost(self)
            self._news.set()

    def fall_silent(self) -> None:
        """Nothing gets through any more in either direction, and nobody is told."""
        self.silent = True

    def _at_venue(self, frame: bytes) -> None:
        if not self.silent:
            self.sent.append(frame.decode())
            self.network.venue.received(self, frame.decode())

    def _at_client(self, frame: bytes) -> None:
        if not self.silent:
            self.arrived.append(frame)
            self._inbox.append(frame)
            self._news.set()


class Network:
    """The `WebSocketTransport` of a simulation. `refusals` are raised by the next attempts to connect."""

    def __init__(self, clock: VirtualClock, venue: Venue, random: Random, delays: tuple[float, float]) -> None:
        self.clock, self.venue, self.random, self.delays = clock, venue, random, delays
        self.lines: list[Line] = []
        self.opened: list[Line] = []
        self.attempts: list[float] = []
        self.refusals: deque[CexspecError] = deque()
        self.down = False

    def delay(self) -> float:
        return self.random.uniform(*self.delays)

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Line:
        self.attempts.append(self.clock.monotonic())
        await self.clock.sleep(self.delay())
        if self.refusals:
            raise self.refusals.popleft()
        if self.down:
            raise NetworkError("connection refused")
        line = Line(self, url, headers or {})
        self.lines.append(line)
        self.opened.append(line)
        self.venue.opened(line)
        return line

    async def close(self) -> None:
        for line in tuple(self.lines):
            line.cut()
