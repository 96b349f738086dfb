"""A seeded network in virtual time: delays, losses, repetitions and overtakings of frames, lines that break or fall silent.

A line is a TCP connection, perhaps through a proxy: bytes on it keep their order and none is lost while it lives. What the
far side (`push`) says of a message besides, `about`, lets `Network.fate` treat it as a venue, or a box on the way that reads
messages, may: lose it, repeat it, or let others overtake it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from cexspec.models import CexspecError, ConnectionLost, NetworkError, TimeoutError
from cexspec.transport.clock import VirtualClock
from cexspec.transport.websocket import DEFAULTS, SocketOptions
from tests.simulation.trace import Trace

Fate = tuple[float, ...]
"""The seconds after which each copy of a message starts: none, it is lost; 0, in its order; else later, overtaken by others."""
PASS: Fate = (0.0,)


class Venue(Protocol):
    """The far side."""

    def opened(self, line: Line) -> None: ...

    def received(self, line: Line, frame: str) -> None: ...

    def lost(self, line: Line) -> None: ...


class _Way:
    """One direction: frames arrive in order, each after a delay of its own; those that are sent `late` whenever they do."""

    def __init__(self, clock: VirtualClock, delay: Callable[[], float], arrive: Callable[[bytes], None]) -> None:
        self._clock, self._delay, self._arrive = clock, delay, arrive
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._more = asyncio.Event()
        self._tasks = {asyncio.get_running_loop().create_task(self._run())}
        self.underway = 0

    def put(self, frame: bytes, late: float = 0.0) -> None:
        self.underway += 1
        if late:
            task = asyncio.get_running_loop().create_task(self._later(frame, late))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._last = max(self._last, self._clock.monotonic() + self._delay())
        self._waiting.append((self._last, frame))
        self._more.set()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.underway = 0

    async def _run(self) -> None:
        while True:
            while self._waiting:
                due, frame = self._waiting[0]
                if due > self._clock.monotonic():
                    await self._clock.sleep(due - self._clock.monotonic())
                self._waiting.popleft()
                self._arrived(frame)
            self._more.clear()
            await self._more.wait()

    async def _later(self, frame: bytes, late: float) -> None:
        await self._clock.sleep(late)
        self._arrived(frame)

    def _arrived(self, frame: bytes) -> None:
        self.underway -= 1
        self._arrive(frame)


class Line:
    """A WebSocket: the client's `Socket` on one side, the venue's on the other. `dead_there`: nothing reaches the venue any
    more; `dead_back`: nothing reaches the client. Nobody is told."""

    def __init__(self, network: Network, url: str, headers: Mapping[str, str], options: SocketOptions) -> None:
        self.network, self.url, self.headers = network, url, dict(headers)
        self.name = f"line{len(network.opened) + 1}"
        self.alive, self.dead_there, self.dead_back = True, False, False
        self.heard = network.clock.monotonic()
        """when the venue last heard of the client"""
        self.sent: list[str] = []
        """what the client sent, as it reached the venue"""
        self.arrived: list[bytes] = []
        """what reached the client"""
        self._inbox: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._close_code = 1006
        self._there = _Way(network.clock, network.delay, self._at_venue)
        self._back = _Way(network.clock, network.delay, self._at_client)
        self._pings: asyncio.Task[None] | None = None
        if network.control_pings and options.ping_every is not None:
            self._pings = asyncio.get_running_loop().create_task(self._ping(options.ping_every))

    @property
    def waiting(self) -> int:
        """Frames that arrived and were not read yet."""
        return len(self._inbox)

    @property
    def underway(self) -> bool:
        """Whether something is on its way to the client, or waits to be read."""
        return bool(self._back.underway or self._inbox)

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

    def push(self, message: Any, about: str = "") -> None:
        """The venue sends: a text as it is, anything else as JSON."""
        text = message if isinstance(message, bytes | str) else json.dumps(message)
        frame = text.encode() if isinstance(text, str) else text
        if self.alive and not self.dead_back:
            for late in self.network.fate(self, about):
                self._back.put(frame, late)

    def cut(self, code: int = 1006) -> None:
        """The connection is gone, with everything under way."""
        if self.alive:
            self.alive, self._close_code = False, code
            self._there.stop()
            self._back.stop()
            if self._pings is not None:
                self._pings.cancel()
            self.network.lines.remove(self)
            self.network.note("cut", self.name, code)
            self.network.venue.lost(self)
            self._news.set()

    def fall_silent(self, *, there: bool = True, back: bool = True) -> None:
        """Nothing gets through any more in these directions, and nobody is told."""
        self.dead_there, self.dead_back = self.dead_there or there, self.dead_back or back

    async def _ping(self, every: float) -> None:
        """Control frames, as the socket libraries send them: one that isn't answered ends the connection."""
        while True:
            await self.network.clock.sleep(every)
            if self.dead_there or self.dead_back:
                await self.network.clock.sleep(every / 2)
                self.cut(1006)

    def _at_venue(self, frame: bytes) -> None:
        if not self.dead_there:
            self.heard = self.network.clock.monotonic()
            self.sent.append(frame.decode())
            self.network.note("->", self.name, frame.decode())
            self.network.venue.received(self, frame.decode())

    def _at_client(self, frame: bytes) -> None:
        if not self.dead_back:
            self.arrived.append(frame)
            self._inbox.append(frame)
            self.network.note("<-", self.name, frame.decode("utf-8", "replace"))
            self._news.set()


class Network:
    """The `WebSocketTransport` of a simulation. `refusals` are raised by the next attempts to connect.

    `down`: nobody can connect; `hanging`: nobody gets an answer. With `control_pings` sockets find out by themselves that
    the peer is gone, as the real ones do; without, something on the way answers those pings.
    """

    def __init__(self, clock: VirtualClock, venue: Venue, random: Random, delays: tuple[float, float]) -> None:
        self.clock, self.venue, self.random, self.delays = clock, venue, random, delays
        self.lines: list[Line] = []
        self.opened: list[Line] = []
        self.attempts: list[float] = []
        self.hosts: list[str] = []
        """of each attempt"""
        self.refusals: deque[CexspecError] = deque()
        self.down = self.hanging = self.control_pings = False
        self.fate: Callable[[Line, str], Fate] = lambda line, about: PASS
        self.trace: Trace | None = None

    def delay(self) -> float:
        return self.random.uniform(*self.delays)

    def drop_idle(self, seconds: float) -> None:
        """The venue ends lines of which it hears nothing any more; who can't be reached isn't told."""
        for line in tuple(self.lines):
            if self.clock.monotonic() - line.heard > seconds and not line.dead_back:
                line.cut(1006)

    def note(self, what: str, where: object = "", detail: object = "") -> None:
        if self.trace is not None:
            self.trace.note(what, where, detail)

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Line:
        self.attempts.append(self.clock.monotonic())
        self.hosts.append(url.split("/")[2])
        self.note("connect", url)
        await self.clock.sleep(self.delay())
        if self.refusals:
            raise self.refusals.popleft()
        if self.down:
            raise NetworkError("connection refused")
        if self.hanging:
            await self.clock.sleep(options.open_timeout)
            raise TimeoutError("no connection in time")
        line = Line(self, url, headers or {}, options)
        self.lines.append(line)
        self.opened.append(line)
        self.note("opened", line.name, url)
        self.venue.opened(line)
        return line

    async def close(self) -> None:
        for line in tuple(self.lines):
            line.cut()
