"""HTTP over loopback: what goes out, what comes back, how it fails."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cexspec.models import CexspecError, ConnectionLost, DecodeError, NetworkError, TimeoutError
from cexspec.transport.http import AiohttpTransport, HttpCall

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _echo(request: web.Request) -> web.Response:
    body = (await request.read()).decode()
    seen = [request.method, request.raw_path, request.headers.get("X-Key", ""), body]
    return web.Response(text="|".join(seen), status=int(request.query.get("status", "200")), headers={"X-Used": "5"})


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits that long")


async def _gzip(_: web.Request) -> web.Response:
    answer = web.Response(body=b"0" * 100_000)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


async def _cut(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return answer


async def _redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def _cookie(request: web.Request) -> web.Response:
    answer = web.Response(text=str(len(request.cookies)))
    answer.set_cookie("session", "1")
    return answer


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    handlers: dict[str, Handler] = {"echo": _echo, "slow": _slow, "gzip": _gzip, "cut": _cut, "redirect": _redirect, "cookie": _cookie}
    for name, handler in handlers.items():
        app.router.add_route("*", f"/{name}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def http() -> AsyncIterator[AiohttpTransport]:
    transport = AiohttpTransport()
    yield transport
    await transport.close()


async def test_a_request_goes_out_as_it_is(base: str, http: AiohttpTransport) -> None:
    url = f"{base}/echo?symbols=%5B%22A%22%5D&x=a%2Fb+c%20d"
    answer = await http.send(HttpCall("POST", url, (("X-Key", "k"),), b'{"a":1}'))
    assert answer.body.decode() == 'POST|/echo?symbols=%5B%22A%22%5D&x=a%2Fb+c%20d|k|{"a":1}'
    assert (answer.status, answer.headers["x-used"]) == (200, "5")


@pytest.mark.parametrize("status", [400, 418, 429, 500, 503])
async def test_errors_of_the_venue_are_answers(base: str, http: AiohttpTransport, status: int) -> None:
    assert (await http.send(HttpCall("GET", f"{base}/echo?status={status}"))).status == status


async def test_redirects_are_not_followed_and_cookies_not_kept(base: str, http: AiohttpTransport) -> None:
    assert (await http.send(HttpCall("GET", f"{base}/redirect"))).status == 302
    for _ in range(2):
        assert (await http.send(HttpCall("GET", f"{base}/cookie"))).body == b"0"


async def test_connections_are_reused(base: str, http: AiohttpTransport) -> None:
    await http.send(HttpCall("GET", f"{base}/echo"))
    session = http._session
    assert session is not None and session.connector is not None
    pooled = dict(session.connector._conns)
    await http.send(HttpCall("GET", f"{base}/echo"))
    assert len(pooled) == len(session.connector._conns) == 1


async def test_compressed_answers_are_read_and_bounded_by_their_real_size(base: str) -> None:
    call = HttpCall("GET", f"{base}/gzip")
    for size, fits in ((100_000, True), (99_999, False)):
        http = AiohttpTransport(max_body=size)
        if fits:
            assert (await http.send(call)).body == b"0" * 100_000
        else:
            with pytest.raises(DecodeError, match="larger than 99999 bytes"):
                await http.send(call)
        await http.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


FAILURES: list[tuple[str, float, type[CexspecError], str]] = [
    ("{base}/slow?key=SECRET", 0.05, TimeoutError, "no answer in time"),
    ("{base}/cut?key=SECRET", 5, ConnectionLost, "the connection ended within the answer"),
    ("http://127.0.0.1:{port}/x?key=SECRET", 5, NetworkError, "can't connect"),
    ("http://no-such-host.invalid/x?key=SECRET", 5, NetworkError, "host name not found"),
    ("https://127.0.0.1:{tls}/echo?key=SECRET", 5, NetworkError, "TLS failure"),
    ("ftp://host/x?key=SECRET", 5, NetworkError, "not a usable URL"),
    ("no url at all SECRET", 5, NetworkError, "not a usable URL"),
]


@pytest.mark.parametrize(("url", "timeout", "cls", "text"), FAILURES, ids=[case[3] for case in FAILURES])
async def test_failures_are_ours_and_hold_no_secret(
    base: str, http: AiohttpTransport, url: str, timeout: float, cls: type[CexspecError], text: str
) -> None:
    full = url.format(base=base, port=_free_port(), tls=base.rpartition(":")[2])
    with pytest.raises(cls) as caught:
        await http.send(HttpCall("GET", full, (("Authorization", "SECRET"),), timeout=timeout))
    assert text in str(caught.value)
    assert caught.value.__context__ is None
    assert "key=SECRET" not in str(caught.value)


async def test_a_closed_transport_refuses_and_closing_twice_is_fine(base: str, http: AiohttpTransport) -> None:
    await http.send(HttpCall("GET", f"{base}/echo"))
    await http.close()
    await http.close()
    with pytest.raises(ConnectionLost, match="the client is closed"):
        await http.send(HttpCall("GET", f"{base}/echo"))


async def test_a_cancelled_request_ends_at_once(base: str, http: AiohttpTransport) -> None:
    task = asyncio.create_task(http.send(HttpCall("GET", f"{base}/slow")))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_call_shows_no_secret() -> None:
    call = HttpCall("GET", "https://host/path?signature=SECRET", (("Key", "SECRET"),), b"SECRET")
    assert "SECRET" not in repr(call)
    assert call.where == "GET https://host/path"


def test_network_libraries_are_imported_at_the_first_connection_only() -> None:
    modules = "cexspec.transport.http, cexspec.transport.websocket, cexspec.engine.rest_client"
    code = f"import sys, {modules}; print({{'aiohttp', 'websockets'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
