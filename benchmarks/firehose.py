"""A WebSocket server that sends the same frames as fast as a socket takes them: run as a process of its own.

It prints its port and serves one connection after the other: frames at once, or, at any path below `/asked`, after the first
message of the client, which is taken for a subscription and acknowledged. Written on bare sockets, so that it is faster than
whoever reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from benchmarks.frames import Run, run_of_books, run_of_trades

Kind = Literal["trades", "books"]
VENUE = "okx"
ASKED = "/asked"
ROUNDS: dict[Kind, int] = {"trades": 50, "books": 8}
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def run_of(kind: Kind) -> Run:
    """What is sent."""
    return run_of_trades(VENUE, ROUNDS[kind]) if kind == "trades" else run_of_books(VENUE, ROUNDS[kind])


@contextmanager
def server(kind: Kind) -> Iterator[int]:
    """Run one; gives its port."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.firehose", kind], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def framed(payload: bytes) -> bytes:
    """An unmasked text frame."""
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    return (bytes([0x81, 126]) + size.to_bytes(2, "big") if size < 1 << 16 else bytes([0x81, 127]) + size.to_bytes(8, "big")) + payload


def serve(kind: Kind) -> None:
    """Serve until killed."""
    blob = b"".join(map(framed, run_of(kind).frames()))
    ack = json.dumps({"event": "subscribe", "arg": {"channel": kind, "instId": "BTC-USDT"}, "connId": "a4d3ae55"}).encode()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                path = _shake_hands(connection)
                try:
                    if path.startswith(ASKED):
                        connection.recv(4096)
                        connection.sendall(framed(ack))
                    connection.sendall(blob)
                    connection.recv(1)
                except OSError:
                    continue


def _shake_hands(connection: socket.socket) -> str:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(4096)
    lines = [line.partition(b":") for line in request.split(b"\r\n")]
    key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    connection.sendall(head + accept + b"\r\n\r\n")
    return request.split(b" ", 2)[1].decode()


if __name__ == "__main__":
    serve("books" if sys.argv[1] == "books" else "trades")
