"""A WebSocket server that sends the same trade frames as fast as a socket takes them: run as a process of its own.

It prints its port and serves one connection after the other: frames at once, or, at the path `/asked`, after the first
message of the client, which is taken for a subscription and acknowledged. Written on bare sockets, so that it is faster than
whoever reads.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import sys

from benchmarks.frames import trades

ROUNDS = 100
ASKED = "/asked"
ACK = b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a4d3ae55"}'
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def framed(payload: bytes) -> bytes:
    """An unmasked text frame."""
    size = len(payload)
    head = bytes([0x81, size]) if size < 126 else bytes([0x81, 126]) + size.to_bytes(2, "big")
    return head + payload


def serve(venue: str) -> None:
    """Serve until killed."""
    blob = b"".join(map(framed, trades(venue).data))
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                path = _shake_hands(connection)
                try:
                    if path == ASKED:
                        connection.recv(4096)
                        connection.sendall(framed(ACK))
                    for _ in range(ROUNDS):
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
    serve(sys.argv[1])
