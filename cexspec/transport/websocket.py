"""WebSockets: the small interface every socket library has to fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Literal, Protocol

Library = Literal["aiohttp", "websockets"]
DEFAULT_LIBRARY: Library = "aiohttp"
"""The faster one: see `docs/performance.md`."""

MAX_MESSAGE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """How to connect; times in seconds.

    `max_message` bounds an incoming message after decompression: a larger one ends the connection with code 1009.
    `ping_every` sends control-frame pings; a peer that leaves one unanswered that long is lost. Pings of the peer are
    always answered. `tls` is for private certificates (default: those the system trusts).
    """

    open_timeout: float = 10.0
    close_timeout: float = 1.0
    max_message: int = MAX_MESSAGE
    compression: bool = True
    ping_every: float | None = 20.0
    tls: SSLContext | None = None


DEFAULTS = SocketOptions()


class Socket(Protocol):
    """An open connection. One task receives; any may send."""

    async def send(self, frame: str | bytes) -> None:
        """Send a message: text as text, bytes as binary. Raises `ConnectionLost`."""

    async def receive(self) -> bytes:
        """The next message; text comes as the UTF-8 it was sent in, unchecked. Raises `ConnectionLost` with the close code."""

    async def close(self, code: int = 1000) -> None:
        """Close; never raises, and never takes longer than the close timeout."""


class WebSocketTransport(Protocol):
    """Opens connections."""

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Socket:
        """An open connection. Raises `TransportError`, or the `ExchangeError` of a refused handshake."""

    async def close(self) -> None:
        """Let go of what all connections share."""


def websocket_transport(library: Library = DEFAULT_LIBRARY) -> WebSocketTransport:
    """The transport on the library of this name."""
    if library == "aiohttp":
        from cexspec.transport.aiohttp_socket import AiohttpWebSocketTransport

        return AiohttpWebSocketTransport()
    if library == "websockets":
        from cexspec.transport.websockets_socket import WebsocketsTransport

        return WebsocketsTransport()
    raise ValueError(f"no WebSocket library {library!r}: use 'aiohttp' or 'websockets'")
