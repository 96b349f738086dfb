"""Both WebSocket libraries behind the one interface, over loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from cexspec.models import ConnectionLost, NetworkError, RateLimitExceeded, TimeoutError
from cexspec.transport.websocket import Library, SocketOptions, WebSocketTransport, websocket_transport
from tests.faults.certificates import certificates

LIBRARIES: list[Library] = ["aiohttp", "websockets"]


async def _peer(request: web.Request) -> web.WebSocketResponse:
    """Echoes; a few texts make it misbehave."""
    peer = web.WebSocketResponse(compress=True, max_msg_size=1 << 24)
    await peer.prepare(request)
    await peer.send_str(f"hello {request.headers.get('X-Key', '')}")
    async for message in peer:
        if message.type is WSMsgType.BINARY:
            await peer.send_bytes(message.data)
        elif message.data == "close":
            await peer.close(code=4001, message=b"SECRET reason")
        elif message.data == "drop":
            assert request.transport is not None
            request.transport.abort()
        elif message.data == "flood":
            await peer.send_str("x" * 100_000)
        elif message.data == "invalid":
            await peer.send_frame(b'"\xff"', WSMsgType.TEXT)
        else:
            await peer.send_str(message.data)
    return peer


async def _refuse(_: web.Request) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": "3"})


async def _redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("/peer")


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/peer", _peer)
    app.router.add_get("/refuse", _refuse)
    app.router.add_get("/redirect", _redirect)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/").replace("http", "ws")


@pytest.fixture(params=LIBRARIES)
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[WebSocketTransport]:
    made = websocket_transport(request.param)
    yield made
    await made.close()


async def test_a_private_certificate_is_trusted_where_that_is_said(transport: WebSocketTransport) -> None:
    app = web.Application()
    app.router.add_get("/peer", _peer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=certificates().trusted)
    url = f"wss://127.0.0.1:{server.port}/peer"
    socket = await transport.connect(url, options=SocketOptions(tls=certificates().client))
    assert await socket.receive() == b"hello "
    await socket.close()
    with pytest.raises(NetworkError, match="certificate refused"):
        await transport.connect(url)
    await server.close()


@pytest.mark.parametrize("compression", [True, False])
async def test_frames_go_both_ways_as_bytes(base: str, transport: WebSocketTransport, compression: bool) -> None:
    socket = await transport.connect(f"{base}/peer", {"X-Key": "k"}, SocketOptions(compression=compression))
    assert await socket.receive() == b"hello k"
    for frame in ("ping", '{"op":"äöü"}', b"\x00\xff", "", "y" * 70_000):
        await socket.send(frame)
        assert await socket.receive() == (frame.encode() if isinstance(frame, str) else frame)
    await socket.close()


async def test_invalid_text_is_left_to_the_decoder(base: str, transport: WebSocketTransport) -> None:
    socket = await transport.connect(f"{base}/peer")
    await socket.receive()
    await socket.send("invalid")
    assert await socket.receive() == b'"\xff"'
    await socket.close()


@pytest.mark.parametrize(("word", "code"), [("close", 4001), ("drop", 1006), ("flood", 1009)])
async def test_a_lost_connection_tells_its_code(base: str, transport: WebSocketTransport, word: str, code: int) -> None:
    socket = await transport.connect(f"{base}/peer?key=SECRET", options=SocketOptions(max_message=90_000))
    await socket.receive()
    await socket.send(word)
    with pytest.raises(ConnectionLost) as caught:
        await socket.receive()
    assert caught.value.code == code
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None
    for again in (socket.receive(), socket.send("more")):
        with pytest.raises(ConnectionLost):
            await again
    await socket.close()


async def test_closing_ends_a_receive_under_way_and_can_be_repeated(base: str, transport: WebSocketTransport) -> None:
    socket = await transport.connect(f"{base}/peer")
    await socket.receive()
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0.02)
    await socket.close()
    with pytest.raises(ConnectionLost) as caught:
        await waiting
    assert caught.value.code == 1000
    await socket.close()


async def test_a_cancelled_receive_loses_nothing(base: str, transport: WebSocketTransport) -> None:
    socket = await transport.connect(f"{base}/peer")
    await socket.receive()
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await socket.send("still here")
    assert await socket.receive() == b"still here"
    await socket.close()


async def test_a_refused_handshake_is_the_venues_error(base: str, transport: WebSocketTransport) -> None:
    with pytest.raises(RateLimitExceeded) as caught:
        await transport.connect(f"{base}/refuse?key=SECRET")
    assert (caught.value.http_status, caught.value.retry_after) == (429, 3.0)
    assert "SECRET" not in str(caught.value)


async def test_a_redirect_is_not_followed(base: str, transport: WebSocketTransport) -> None:
    with pytest.raises(Exception, match="302") as caught:
        await transport.connect(f"{base}/redirect", {"X-Key": "SECRET"})
    assert type(caught.value).__module__ == "cexspec.models.errors"


async def _silent_server() -> tuple[asyncio.Server, str]:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    return server, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_opening_takes_no_longer_than_its_timeout(transport: WebSocketTransport) -> None:
    server, url = await _silent_server()
    async with server:
        with pytest.raises(TimeoutError):
            await transport.connect(url, options=SocketOptions(open_timeout=0.05))
        await transport.close()


async def test_nobody_listening_is_a_network_error(transport: WebSocketTransport) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NetworkError) as caught:
        await transport.connect(f"ws://127.0.0.1:{port}/?key=SECRET")
    assert "SECRET" not in str(caught.value)


async def test_a_peer_that_never_says_goodbye_does_not_hold_the_close(transport: WebSocketTransport) -> None:
    import base64
    import hashlib

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in request.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        writer.write(f"{head}{accept}\r\n\r\n".encode())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        socket = await transport.connect(f"ws://127.0.0.1:{port}", options=SocketOptions(close_timeout=0.1))
        async with asyncio.timeout(1):
            await socket.close()
        with pytest.raises(ConnectionLost):
            await socket.send("x")


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(ValueError, match="use 'aiohttp' or 'websockets'"):
        websocket_transport("curl")  # type: ignore[arg-type]
