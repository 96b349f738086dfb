"""HTTP: one call, one answer. The protocol is one method wide; aiohttp serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from cexspec.models import ConnectionLost, DecodeError
from cexspec.transport.translate import place, translate

if TYPE_CHECKING:
    from aiohttp import ClientSession

MAX_BODY = 64 * 1024 * 1024


class HttpCall(Struct, frozen=True, gc=False):
    """A request ready to go: `url` is encoded and sent as it is, `timeout` in seconds is for the whole exchange.

    The repr shows no query, header or body: they may hold secrets.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout: float = 10.0

    def __repr__(self) -> str:
        return f"HttpCall(method={self.method!r}, timeout={self.timeout!r})"

    @property
    def where(self) -> str:
        """What is being called, for errors."""
        return f"{self.method} {''.join(place(self.url))}"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Any answer, errors of the venue included. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpTransport(Protocol):
    """Sends one request."""

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer, whatever its status. Raises `TransportError` where there is none, `DecodeError` on a huge one."""


class AiohttpTransport:
    """One aiohttp session, opened at the first call: connections are kept and reused, proxies of the environment honoured.

    Redirects are not followed (they would carry headers to another host) and no cookies are kept. Close it when done.
    """

    def __init__(self, *, max_body: int = MAX_BODY, connections: int = 100) -> None:
        self._max_body, self._connections = max_body, connections
        self._session: ClientSession | None = None
        self._closed = False

    async def send(self, call: HttpCall) -> HttpAnswer:
        """See `HttpTransport.send`."""
        if self._closed:
            raise ConnectionLost(f"{call.where}: the client is closed")
        try:
            return await self._exchange(call)
        except Exception as error:
            failure = translate(error, call.where)
        raise failure  # outside of the handler: the foreign exception, which may hold secrets, is not kept as context

    async def close(self) -> None:
        """Close every connection; calls under way fail."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            # aiohttp leaves TLS transports to the loop's next turn; without it they warn as unclosed.
            await asyncio.sleep(0)

    async def _exchange(self, call: HttpCall) -> HttpAnswer:
        from aiohttp import ClientTimeout
        from yarl import URL

        request = self._open().request(
            call.method,
            URL(call.url, encoded=True),
            headers=list(call.headers),
            data=call.body,
            timeout=ClientTimeout(total=call.timeout),
            allow_redirects=False,
        )
        async with request as answer:
            chunks, size = [], 0
            async for chunk in answer.content.iter_any():
                size += len(chunk)
                if size > self._max_body:
                    answer.close()
                    raise DecodeError(f"the answer is larger than {self._max_body} bytes", exchange="", channel=call.where)
                chunks.append(chunk)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpAnswer(answer.status, headers, b"".join(chunks))

    def _open(self) -> ClientSession:
        if self._session is None:
            from aiohttp import ClientSession, DummyCookieJar, TCPConnector

            connector = TCPConnector(limit=self._connections)
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=True)
        return self._session
