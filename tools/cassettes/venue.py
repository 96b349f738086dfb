"""The mock venue under the real host names: what stands between the client and it, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

from cexspec.compile.plan import EnvironmentPlan
from cexspec.mock import MockVenue
from cexspec.mock.dialogue import Dialogue
from cexspec.models import ConnectionLost
from cexspec.transport.http import AiohttpTransport, HttpAnswer, HttpCall
from cexspec.transport.websocket import DEFAULTS, SocketOptions


class LoopbackTransport(AiohttpTransport):
    """The client's own HTTP transport, with the venue's host name resolved to a mock venue on this machine."""

    def __init__(self, named: str, resolved: str) -> None:
        super().__init__()
        self._named, self._resolved = named.rstrip("/"), resolved

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        return await super().send(replace(call, url=call.url.replace(self._named, self._resolved, 1)))

    def name(self, url: str) -> str:
        """The URL as the client has it."""
        return url.replace(self._resolved, self._named, 1)


@dataclass
class DirectTransport:
    """An `HttpTransport` that is the venue, for work in virtual time, where no socket may be waited for."""

    venue: MockVenue
    environment: EnvironmentPlan

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        parts = urlsplit(call.url.removeprefix((self.environment.rest or "").rstrip("/")))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        status, body, _ = self.venue.answer(call.method, parts.path, query, call.body or b"")
        return HttpAnswer(status, {}, body)


class DirectSocket:
    """A `Socket` whose other end is the venue's side of a connection."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.put(list(dialogue.opened()))

    def put(self, texts: list[str]) -> None:
        """What the venue sends."""
        for text in texts:
            self._frames.put_nowait(text)

    async def send(self, frame: str | bytes) -> None:
        """See `Socket.send`."""
        self.put(list(self.dialogue.receive(frame if isinstance(frame, str) else frame.decode())))

    async def receive(self) -> bytes:
        """See `Socket.receive`."""
        text = await self._frames.get()
        if text is None:
            raise ConnectionLost("the connection was closed with code 1000", 1000)
        return text.encode()

    async def close(self, code: int = 1000) -> None:
        """See `Socket.close`."""
        self._frames.put_nowait(None)


@dataclass
class DirectWebSockets:
    """A `WebSocketTransport` to these connections of the venue, which may share a URL with others.

    `move` lets the markets move and sends what is due.
    """

    venue: MockVenue
    environment: EnvironmentPlan
    names: Collection[str]
    sockets: list[DirectSocket] = field(default_factory=list)

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> DirectSocket:
        """See `WebSocketTransport.connect`."""
        name = next(name for name in self.names if self.environment.ws.get(name) == url)
        self.sockets.append(DirectSocket(self.venue.dialogue(name)))
        return self.sockets[-1]

    async def close(self) -> None:
        """Nothing is shared."""

    def move(self) -> None:
        """One move of every market that is subscribed. The venue's clock has moved on before."""
        for socket in self.sockets:
            for native in sorted(socket.dialogue.instruments()):
                self.venue.market(native)
                socket.put(list(socket.dialogue.tick(self.venue.listing[native])))
