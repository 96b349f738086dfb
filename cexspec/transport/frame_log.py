"""Records WebSocket sessions: a transport around another one, which writes down every frame as a line of JSON.

    with open("frames.jsonl", "w") as file:
        recording = RecordingTransport(websocket_transport(), FrameLog(file))
        async with Client("my-exchange.yaml", websocket=recording) as client:
            ...

A line: `{"n": 1, "ts": 1790000000000000000, "connection": 1, "url": "wss://...", "direction": "in", "raw": "..."}`.
`n` counts lines, `ts` is in nanoseconds, `connection` counts what was opened. `direction` is `connect`, `in`, `out` or
`disconnect` (with its `reason`); `raw_b64` holds a frame that is no text, in base64.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

import msgspec

from cexspec.models import CexspecError, Credentials
from cexspec.transport.secrets import masked_text, masked_url
from cexspec.transport.websocket import DEFAULTS, Socket, SocketOptions, WebSocketTransport

Direction = Literal["connect", "in", "out", "disconnect"]


class FrameLog:
    """Writes lines to a text file; secrets are masked (see `cexspec.transport.secrets`). `clock` gives nanoseconds.

    `credentials`: theirs are masked wherever they stand, whatever they are called there.
    """

    def __init__(self, file: TextIO, clock: Callable[[], int] = time.time_ns, *, credentials: Credentials | None = None) -> None:
        self._file, self._clock, self._credentials = file, clock, credentials or Credentials()
        self._lines = self._connections = 0

    def opened(self, url: str) -> int:
        """A connection is open: its number."""
        self._connections += 1
        self.write(self._connections, url, "connect")
        return self._connections

    def write(self, connection: int, url: str, direction: Direction, **what: str) -> None:
        """One line."""
        self._lines += 1
        url = self._credentials.masked(masked_url(url))
        line: dict[str, Any] = {"n": self._lines, "ts": self._clock(), "connection": connection, "url": url}
        self._file.write(msgspec.json.encode({**line, "direction": direction, **what}).decode() + "\n")

    def frame(self, connection: int, url: str, direction: Literal["in", "out"], frame: str | bytes) -> None:
        """A line about a frame."""
        self.write(connection, url, direction, **self._payload(frame))

    def _payload(self, frame: str | bytes) -> dict[str, str]:
        try:
            return {"raw": self._credentials.masked(masked_text(frame if isinstance(frame, str) else frame.decode()))}
        except UnicodeDecodeError:
            return {"raw_b64": base64.b64encode(frame).decode()}  # type: ignore[arg-type]  # text always decodes


class RecordingTransport:
    """See `WebSocketTransport`: what another transport opens, written down."""

    def __init__(self, transport: WebSocketTransport, log: FrameLog) -> None:
        self._transport, self._log = transport, log

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> RecordingSocket:
        """See `WebSocketTransport.connect`."""
        return RecordingSocket(await self._transport.connect(url, headers, options), url, self._log)

    async def close(self) -> None:
        """Close the other transport. The file stays open: it is its owner's."""
        await self._transport.close()


class RecordingSocket:
    """See `Socket`."""

    def __init__(self, socket: Socket, url: str, log: FrameLog) -> None:
        self._socket, self._url, self._log = socket, url, log
        self._number = log.opened(url)
        self._over = False

    async def send(self, frame: str | bytes) -> None:
        """See `Socket.send`. Written down before it is sent: the answer can't come first."""
        self._log.frame(self._number, self._url, "out", frame)
        await self._socket.send(frame)

    async def receive(self) -> bytes:
        """See `Socket.receive`."""
        try:
            frame = await self._socket.receive()
        except CexspecError as error:
            self._ended(str(error))
            raise
        self._log.frame(self._number, self._url, "in", frame)
        return frame

    async def close(self, code: int = 1000) -> None:
        """See `Socket.close`."""
        self._ended(f"closed by the client with code {code}")
        await self._socket.close(code)

    def _ended(self, reason: str) -> None:
        if not self._over:
            self._over = True
            self._log.write(self._number, self._url, "disconnect", reason=reason)
