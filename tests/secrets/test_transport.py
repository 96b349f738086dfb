"""What the network makes of a call that holds secrets: failures, logs at DEBUG, and what recorders write."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from cexspec.models import CexspecError, Credentials
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from cexspec.transport.http import AiohttpTransport, HttpCall
from cexspec.transport.websocket import Library, SocketOptions, websocket_transport
from tests.secrets.planted import PLANTED, leaks, logged, told
from tools.cassettes.rest import recording

KEY, SECRET, PHRASE = PLANTED.values()
HEADERS = {"X-KEY": "Planted/Key+0001==", "X-SIGN": KEY, "X-PASSPHRASE": PHRASE}
LOGIN = '{"op":"login","args":[{"apiKey":"Planted/Key+0001==","passphrase":"Planted\'Phrase\\"0003","sign":"Planted Secret&0002"}]}'


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def _slow(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody waits that long")


async def _echo(request: web.Request) -> web.StreamResponse:
    return web.Response(text='{"token":"Planted Secret&0002","data":1}', headers={"Set-Cookie": "session=Planted", "X-Key": KEY})


async def _socket(request: web.Request) -> web.StreamResponse:
    peer = web.WebSocketResponse()
    await peer.prepare(request)
    async for message in peer:
        if message.type is WSMsgType.TEXT:
            await peer.send_str(message.data)
    return peer


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    for name, handler in {"cut": _cut, "slow": _slow, "echo": _echo, "ws": _socket}.items():
        app.router.add_route("*", f"/{name}", handler)
    async with TestServer(app) as server:
        yield f"http://{server.host}:{server.port}"


@pytest.fixture
def closed() -> str:
    """A URL where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def call(url: str, timeout: float = 5.0) -> HttpCall:
    query = "?api_key=Planted%2FKey%2B0001%3D%3D&signature=Planted%20Secret%260002"
    return HttpCall("POST", url + query, tuple(HEADERS.items()), SECRET.encode(), timeout)


def test_a_call_shows_nothing() -> None:
    shown = call("https://example.com/order")
    assert leaks(f"{shown!r} {shown} {shown.where}") == []


@pytest.mark.parametrize(("path", "timeout"), [("/cut", 5.0), ("/slow", 0.05), (None, 5.0), ("bad", 5.0)])
async def test_a_failed_call_shows_nothing(
    path: str | None, timeout: float, base: str, closed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transport = AiohttpTransport()
    url = "http://[bad/order" if path == "bad" else closed if path is None else base + path
    with pytest.raises(CexspecError) as raised:
        await transport.send(call(url, timeout))
    await transport.close()
    assert leaks(told(raised.value)) == []
    assert leaks(logged(caplog.records)) == []


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
async def test_a_socket_logs_nothing_of_what_it_sends(library: Library, base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    transport = websocket_transport(library)
    url = base.replace("http:", "ws:") + "/ws?token=Planted%20Secret%260002"
    peer = await transport.connect(url, HEADERS, SocketOptions())
    await peer.send(LOGIN)
    assert await peer.receive() == LOGIN.encode()
    await peer.close()
    with pytest.raises(CexspecError) as refused:
        await transport.connect(url.replace("/ws?", "/echo?"), HEADERS, SocketOptions())
    await transport.close()
    assert leaks(told(refused.value) + logged(caplog.records)) == []


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
async def test_a_log_of_frames_holds_none(library: Library, base: str) -> None:
    file = io.StringIO()
    transport = RecordingTransport(websocket_transport(library), FrameLog(file))
    peer = await transport.connect(base.replace("http:", "ws:") + "/ws?token=Planted%20Secret%260002", HEADERS, SocketOptions())
    await peer.send(LOGIN)
    await peer.receive()
    await peer.close()
    await transport.close()
    assert file.getvalue().count('"direction"') >= 4
    assert leaks(file.getvalue()) == []


async def test_a_log_of_frames_that_knows_the_credentials_finds_them_under_any_name(base: str) -> None:
    file = io.StringIO()
    transport = RecordingTransport(websocket_transport(), FrameLog(file, credentials=Credentials(PLANTED)))
    peer = await transport.connect(base.replace("http:", "ws:") + "/ws?user=Planted%20Secret%260002", {}, SocketOptions())
    await peer.send(f'{{"user": "{KEY}", "note": "Planted\'Phrase\\"0003"}}')
    await peer.receive()
    await peer.close()
    await transport.close()
    assert "note" in file.getvalue() and leaks(file.getvalue()) == []


async def test_a_cassette_holds_none(base: str, tmp_path: Path) -> None:
    cassette, transport = tmp_path / "call.yaml", AiohttpTransport()
    form = HttpCall(
        "POST", f"{base}/echo?signature=Planted%20Secret%260002", tuple(HEADERS.items()), b"amount=1&api_key=Planted/Key+0001=="
    )
    with recording(cassette, {}):
        await transport.send(form)
        await transport.send(HttpCall("POST", f"{base}/echo", tuple(HEADERS.items()), LOGIN.encode()))
    await transport.close()
    text = cassette.read_text(encoding="utf-8")
    assert text.count("uri:") == 2 and "amount=1" in text and "data" in text
    assert leaks(text, "session=Planted") == []


def test_credentials_show_no_value() -> None:
    credentials = Credentials(PLANTED)
    shown = f"{credentials!r} {credentials} {credentials!s} {credentials.keys()} {list(credentials)} {[credentials]}"
    assert leaks(shown) == []
    assert leaks(credentials.masked(f"a {KEY} b {SECRET} c {PHRASE}")) == []
    with pytest.raises(TypeError, match="not written down"):
        credentials.__reduce__()
