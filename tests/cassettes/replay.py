"""The venue's end of a recorded WebSocket session."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cexspec.models import ConnectionLost
from cexspec.transport.clock import NANOSECONDS, VirtualClock
from cexspec.transport.websocket import DEFAULTS, SocketOptions

Line = dict[str, Any]


def session(path: Path) -> tuple[dict[str, Any], list[Line]]:
    """What a file says of itself, and its lines."""
    head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return head, lines


def payload(line: Line) -> bytes:
    """The frame of a line."""
    return str(line["raw"]).encode() if "raw" in line else base64.b64decode(line["raw_b64"])


@dataclass
class Replay:
    """A `WebSocketTransport` that says what was recorded, when it was recorded, once the client has sent what came before."""

    lines: list[Line]
    clock: VirtualClock
    sockets: list[ReplaySocket] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> ReplaySocket:
        self.urls.append(url)
        number = len(self.urls)
        self.sockets.append(ReplaySocket([line for line in self.lines if line["connection"] == number], self.clock))
        return self.sockets[-1]

    async def close(self) -> None:
        """Nothing is shared."""

    @property
    def sent(self) -> list[bytes]:
        """What the client has sent."""
        return [frame for socket in self.sockets for frame in socket.sent]


class ReplaySocket:
    """See `Socket`. What the client sends is in `sent`."""

    def __init__(self, lines: list[Line], clock: VirtualClock) -> None:
        self._clock = clock
        self._incoming = [(line, _sent_before(lines, line)) for line in lines if line["direction"] == "in"]
        self._news = asyncio.Event()
        self._closed = False
        self.sent: list[bytes] = []

    @property
    def left(self) -> int:
        """Frames that were not received."""
        return len(self._incoming)

    async def send(self, frame: str | bytes) -> None:
        self.sent.append(frame.encode() if isinstance(frame, str) else frame)
        self._news.set()

    async def receive(self) -> bytes:
        while not self._incoming or len(self.sent) < self._incoming[0][1]:
            if self._closed:
                raise ConnectionLost("the connection was closed with code 1000", 1000)
            self._news.clear()
            await self._news.wait()
        line, _ = self._incoming[0]
        await self._clock.sleep((line["ts"] - self._clock.time_ns()) / NANOSECONDS)
        del self._incoming[0]
        return payload(line)

    async def close(self, code: int = 1000) -> None:
        self._closed = True
        self._news.set()


def _sent_before(lines: list[Line], line: Line) -> int:
    return sum(one["direction"] == "out" and one["n"] < line["n"] for one in lines)
