"""The mock venue under the real host names: what stands between the client and it, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.mock import MockVenue
from cexspec.mock.dialogue import Dialogue
from cexspec.models import ConnectionLost
from cexspec.transport.http import AiohttpTransport, HttpAnswer, HttpCall
from cexspec.transport.websocket import DEFAULTS, SocketOptions


class LoopbackTransport(AiohttpTransport):
    """The client's own HTTP transport, with the venue's host names resolved to a mock venue on this machine."""

    def __init__(self, environment: EnvironmentPlan, resolved: str) -> None:
        super().__init__()
        self._bases, self._resolved = bases(environment), resolved
        self._named: dict[str, str] = {}

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        base = next(base for base in self._bases if call.url.startswith(base))
        path = call.url.removeprefix(base)
        self._named[path.partition("?")[0]] = base
        return await super().send(replace(call, url=self._resolved + path))

    def name(self, url: str) -> str:
        """The URL as the client has it; such a one is left alone."""
        if not url.startswith(self._resolved):
            return url
        path = url.removeprefix(self._resolved)
        return self._named[path.partition("?")[0]] + path


def bases(environment: EnvironmentPlan) -> list[str]:
    """Base URLs of REST calls."""
    return [base.rstrip("/") for base in (environment.rest, environment.rest_private) if base]


@dataclass
class DirectTransport:
    """An `HttpTransport` that is the venue, for work in virtual time, where no socket may be waited for."""

    venue: MockVenue
    environment: EnvironmentPlan

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        base = next((base for base in bases(self.environment) if call.url.startswith(base)), "")
        parts = urlsplit(call.url.removeprefix(base))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        status, body, _ = self.venue.answer(call.method, parts.path, query, call.body or b"", dict(call.headers))
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
        name = next(name for name in self.names if _leads_to(self.environment.ws.get(name, ""), url))
        self.sockets.append(DirectSocket(self.venue.dialogue(name)))
        return self.sockets[-1]

    async def close(self) -> None:
        """Nothing is shared."""

    def tell(self) -> None:
        """Say on private channels what has happened to the account."""
        told = list(self.venue.accounts.told())
        for socket in self.sockets:
            socket.put(list(socket.dialogue.news(told)))

    def move(self) -> None:
        """One move of every market that is subscribed. The venue's clock has moved on before."""
        for socket in self.sockets:
            for native in sorted(socket.dialogue.instruments()):
                self.venue.market(native)
                socket.put(list(socket.dialogue.tick(self.venue.listing[native])))


def _leads_to(template: str, url: str) -> bool:
    """Whether a URL is that of an environment, with what the client got over REST in its place."""
    begin, hole, _ = template.partition("{{")
    return url.startswith(begin) if hole else url == template
