"""What a recorded WebSocket session holds, and what it must not."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from cexspec.client import Client
from cexspec.mock import MockVenue
from cexspec.models import ConnectionLost
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from cexspec.transport.secrets import masked_text, masked_url
from cexspec.transport.websocket import DEFAULTS, SocketOptions, websocket_transport

URL = "wss://example.com/ws"


class Peer:
    """A `WebSocketTransport` and the `Socket` it opens: gives these frames, then is gone."""

    def __init__(self, *frames: bytes) -> None:
        self.frames, self.sent, self.closed = list(frames), list[str | bytes](), 0

    async def connect(self, url: str, headers: Mapping[str, str] | None = None, options: SocketOptions = DEFAULTS) -> Peer:
        self.url, self.headers = url, headers
        return self

    async def send(self, frame: str | bytes) -> None:
        self.sent.append(frame)

    async def receive(self) -> bytes:
        if not self.frames:
            raise ConnectionLost("wss://example.com: the connection was closed with code 1001", 1001)
        return self.frames.pop(0)

    async def close(self, code: int = 1000) -> None:
        self.closed += 1


async def talk(peer: Peer, url: str = URL, *sent: str | bytes) -> list[dict[str, Any]]:
    """Send these, receive everything, close; the lines written."""
    file, times = io.StringIO(), iter(range(100, 200))
    transport = RecordingTransport(peer, FrameLog(file, lambda: next(times)))
    socket = await transport.connect(url, {"Authorization": "planted"})
    for frame in sent:
        await socket.send(frame)
    with pytest.raises(ConnectionLost):
        while True:
            await socket.receive()
    await socket.close()
    await transport.close()
    return [json.loads(line) for line in file.getvalue().splitlines()]


async def test_every_frame_is_a_line_with_its_time_and_direction() -> None:
    peer = Peer(b'{"a":"\xc3\xa9"}', b"\x1f\x8b\x00\xff")
    lines = await talk(peer, URL, '{"op":"subscribe"}', b"ping")
    common = {"connection": 1, "url": URL}
    assert lines == [
        {"n": 1, "ts": 100, **common, "direction": "connect"},
        {"n": 2, "ts": 101, **common, "direction": "out", "raw": '{"op":"subscribe"}'},
        {"n": 3, "ts": 102, **common, "direction": "out", "raw": "ping"},
        {"n": 4, "ts": 103, **common, "direction": "in", "raw": '{"a":"é"}'},
        {"n": 5, "ts": 104, **common, "direction": "in", "raw_b64": "H4sA/w=="},
        {"n": 6, "ts": 105, **common, "direction": "disconnect", "reason": "wss://example.com: the connection was closed with code 1001"},
    ]
    assert (peer.sent, peer.url, peer.headers, peer.closed) == (['{"op":"subscribe"}', b"ping"], URL, {"Authorization": "planted"}, 2)


async def test_connections_are_numbered() -> None:
    file = io.StringIO()
    transport = RecordingTransport(Peer(), FrameLog(file, lambda: 7))
    for _ in range(2):
        await (await transport.connect(URL)).close()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["n"], line["connection"], line["direction"]) for line in lines] == [
        (1, 1, "connect"),
        (2, 1, "disconnect"),
        (3, 2, "connect"),
        (4, 2, "disconnect"),
    ]
    assert lines[-1]["reason"] == "closed by the client with code 1000"


async def test_planted_secrets_are_not_written_and_are_sent_all_the_same() -> None:
    peer = Peer(b'{"event":"login","token":"planted-token"}')
    frames = ('{"op":"login","args":[{"apiKey":"planted-key","passphrase":"planted \\" phrase","sign":"planted-sign"}]}', "plain")
    lines = await talk(peer, "wss://user:planted-password@example.com/ws?token=planted-query&id=1", *frames)
    assert [line for line in lines if "planted" in json.dumps(line)] == []
    assert {line["url"] for line in lines} == {"wss://example.com/ws?token=***&id=1"}
    assert lines[1]["raw"] == '{"op":"login","args":[{"apiKey":"***","passphrase":"***","sign":"***"}]}'
    assert tuple(peer.sent) == frames
    assert peer.url.endswith("planted-query&id=1")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("wss://h/ws?token=a&connectId=1", "wss://h/ws?token=***&connectId=1"),
        ("wss://h/ws?id=1&API-KEY=a%20b#c", "wss://h/ws?id=1&API-KEY=***#c"),
        ("https://h/v1?signature=", "https://h/v1?signature=***"),
        ("https://u:p@h:8443/v1?q=u@h", "https://h:8443/v1?q=u@h"),
        ("https://h/v1?keys=tBTC&design=1", "https://h/v1?keys=tBTC&design=1"),
    ],
)
def test_urls_are_masked(url: str, masked: str) -> None:
    assert masked_url(url) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"key":"trade:1m:tBTCUSD","channel":"candles"}', '{"key":"trade:1m:tBTCUSD","channel":"candles"}'),
        ('{"token":0,"tokens":[{"name":"USDC"}]}', '{"token":0,"tokens":[{"name":"USDC"}]}'),
        ('{ "api_secret" : "a\\"b" , "x":1.10}', '{ "api_secret" : "***" , "x":1.10}'),
        ('{"op":"auth","args":["planted-api-key",1700000000000,"planted-signature"]}', '{"op":"auth","args":["***",1700000000000,"***"]}'),
        ('{"event":"auth","authSig":"s","authNonce":"1"}', '{"event":"auth","authSig":"***","authNonce":"***"}'),
        ("pong", "pong"),
    ],
)
def test_texts_are_masked_and_else_left_to_the_character(text: str, masked: str) -> None:
    assert masked_text(text) == masked


async def test_a_client_records_what_it_hears_and_says() -> None:
    file = io.StringIO()
    recording = RecordingTransport(websocket_transport(), FrameLog(file))
    async with (
        MockVenue("okx", interval=0.02) as venue,
        Client("okx", environment=venue.environment, websocket=recording) as client,
        client.ws.stream_trades("BTC/USDT") as trades,
    ):
        await anext(trades)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["direction"] for line in lines[:3]] == ["connect", "out", "in"]
    assert lines[-1]["direction"] == "disconnect"
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert json.loads(lines[1]["raw"])["op"] == "subscribe"
