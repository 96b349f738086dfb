"""The WebSocket interface on `websockets` (its asyncio client)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cexspec.models import CexspecError, ConnectionLost
from cexspec.transport.translate import origin, refused_handshake, translate
from cexspec.transport.websocket import DEFAULTS, SocketOptions

SILENT = logging.Logger("cexspec.websockets")
"""The library's own log would show headers and frames, and those hold secrets; what fails is raised."""
SILENT.disabled = True


class WebsocketsSocket:
    """See `Socket`."""

    __slots__ = ("_close_timeout", "_connection", "_where")

    def __init__(self, connection: ClientConnection, where: str, close_timeout: float) -> None:
        self._connection, self._where, self._close_timeout = connection, where, close_timeout

    async def send(self, frame: str | bytes) -> None:
        """See `Socket.send`."""
        try:
            return await self._connection.send(frame)
        except Exception as error:
            failure = _lost(error, self._where)
        raise failure

    async def receive(self) -> bytes:
        """See `Socket.receive`."""
        try:
            return await self._connection.recv(decode=False)
        except Exception as error:
            failure = _lost(error, self._where)
        raise failure

    async def close(self, code: int = 1000) -> None:
        """See `Socket.close`."""
        with suppress(Exception):
            async with asyncio.timeout(self._close_timeout):
                return await self._connection.close(code)
        self._connection.transport.abort()


class WebsocketsTransport:
    """See `WebSocketTransport`."""

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> WebsocketsSocket:
        """See `WebSocketTransport.connect`."""
        where = origin(url)
        try:
            connection = await _open(url, headers or {}, options)
            return WebsocketsSocket(connection, where, options.close_timeout)
        except Exception as error:
            failure = _refused(error, where)
        raise failure

    async def close(self) -> None:
        """Nothing is shared."""


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        # A redirect would carry headers to another host.
        return exc


async def _open(url: str, headers: Mapping[str, str], options: SocketOptions) -> ClientConnection:
    return await _Connect(
        url,
        additional_headers=dict(headers),
        compression="deflate" if options.compression else None,
        open_timeout=options.open_timeout,
        close_timeout=options.close_timeout,
        max_size=options.max_message,
        ping_interval=options.ping_every,
        ping_timeout=options.ping_every,
        max_queue=256,
        logger=SILENT,
        ssl=(options.tls or True) if url.startswith("wss:") else None,
    )


def _refused(error: Exception, where: str) -> CexspecError:
    if isinstance(error, InvalidStatus):
        return refused_handshake(error.response.status_code, dict(error.response.headers.raw_items()), where)
    return translate(error, where)


def _lost(error: Exception, where: str) -> CexspecError:
    if not isinstance(error, ConnectionClosed):
        return translate(error, where)
    close = error.sent if error.rcvd is None or error.rcvd_then_sent is False else error.rcvd
    if close is None:
        return ConnectionLost(f"{where}: the connection broke", 1006)
    return ConnectionLost(f"{where}: the connection was closed with code {close.code}", close.code)
