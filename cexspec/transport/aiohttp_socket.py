"""The WebSocket interface on aiohttp's client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from aiohttp import (
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    DummyCookieJar,
    TraceConfig,
    TraceRequestRedirectParams,
    WSMsgType,
    WSServerHandshakeError,
)

from cexspec.models import CexspecError, ConnectionLost
from cexspec.transport.translate import origin, refused_handshake, translate
from cexspec.transport.websocket import DEFAULTS, SocketOptions

WINDOW_BITS = 15


class AiohttpSocket:
    """See `Socket`."""

    __slots__ = ("_close_timeout", "_closed_with", "_connection", "_receive", "_where")

    def __init__(self, connection: ClientWebSocketResponse[Literal[False]], where: str, close_timeout: float) -> None:
        self._connection, self._where, self._close_timeout = connection, where, close_timeout
        self._receive = connection.receive
        self._closed_with: int | None = None

    async def send(self, frame: str | bytes) -> None:
        """See `Socket.send`."""
        try:
            if self._connection.closed:
                raise self._lost()
            if isinstance(frame, str):
                return await self._connection.send_str(frame)
            return await self._connection.send_bytes(frame)
        except Exception as error:
            failure = translate(error, self._where)
        raise failure

    async def receive(self) -> bytes:
        """See `Socket.receive`."""
        try:
            message = await self._receive()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                data: bytes = message.data
                return data
            raise self._lost()
        except Exception as error:
            failure = translate(error, self._where)
        raise failure

    async def close(self, code: int = 1000) -> None:
        """See `Socket.close`."""
        self._closed_with = self._closed_with or code
        with suppress(Exception):
            async with asyncio.timeout(self._close_timeout):
                await self._connection.close(code=code)

    def _lost(self) -> ConnectionLost:
        code = self._closed_with or self._connection.close_code
        if code is None or code == 1006:
            return ConnectionLost(f"{self._where}: the connection broke", 1006)
        return ConnectionLost(f"{self._where}: the connection was closed with code {code}", code)


class AiohttpWebSocketTransport:
    """See `WebSocketTransport`. One session is shared; close it when done."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> AiohttpSocket:
        """See `WebSocketTransport.connect`."""
        where = origin(url)
        try:
            async with asyncio.timeout(options.open_timeout):
                connection = await self._open(url, headers or {}, options)
            return AiohttpSocket(connection, where, options.close_timeout)
        except Exception as error:
            failure = _refused(error, where)
        raise failure

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _open(self, url: str, headers: Mapping[str, str], options: SocketOptions) -> ClientWebSocketResponse[Literal[False]]:
        if self._session is None:
            tracing = TraceConfig()
            tracing.on_request_redirect.append(_no_redirect)
            self._session = ClientSession(cookie_jar=DummyCookieJar(), trust_env=True, trace_configs=[tracing])
        return await self._session.ws_connect(
            url,
            headers=headers,
            timeout=ClientWSTimeout(ws_close=options.close_timeout),
            heartbeat=options.ping_every,
            compress=WINDOW_BITS if options.compression else 0,
            max_msg_size=options.max_message,
            decode_text=False,
            ssl=options.tls if options.tls is not None else True,
        )


async def _no_redirect(_session: ClientSession, _context: object, redirect: TraceRequestRedirectParams) -> None:
    # It would carry headers to another host.
    raise refused_handshake(redirect.response.status, redirect.response.headers, origin(str(redirect.url)))


def _refused(error: Exception, where: str) -> CexspecError:
    if isinstance(error, WSServerHandshakeError):
        return refused_handshake(error.status, dict(error.headers or {}), where)
    return translate(error, where)
