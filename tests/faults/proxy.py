"""A TCP proxy on loopback that can break what passes through it, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import Self

CHUNK = 65_536
PIECE = 16
BREATH = 0.0005
"""Bytes at a time of a slow line, and the seconds between."""
EVERY = 8
"""One byte in so many is flipped."""


class Line:
    """One client's connection through the proxy, and the two pumps that carry its bytes."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, venue: asyncio.StreamWriter) -> None:
        self._proxy, self.client, self.venue = proxy, client, venue

    async def carry(self, from_client: asyncio.StreamReader, from_venue: asyncio.StreamReader) -> None:
        """Until one side ends, or the line is cut."""
        pumps = [
            asyncio.create_task(self._pump(from_client, self.venue)),
            asyncio.create_task(self._pump(from_venue, self.client, damaged=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for side in (self.client, self.venue):
                side.close()

    def reset(self) -> None:
        """End both sides with RST."""
        for side in (self.client, self.venue):
            raw = side.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, damaged: bool = False) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                await self._proxy.flowing.wait()
                if damaged:
                    data = self._proxy.damage(data)
                await self._pass_on(data, writer)
                if damaged and self._proxy.cuts():
                    return

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while self._proxy.slow and data:
            writer.write(data[:PIECE])
            data = data[PIECE:]
            await asyncio.sleep(BREATH)
        writer.write(data)
        await writer.drain()


class Proxy:
    """Stands between a client and a local port. With `tls` its clients speak TLS to it."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._target, self.tls = target, tls
        self.port = 0
        self.lines: set[Line] = set()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.slow = False
        self._garbled = False
        self._cut = False
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Accept connections (again), on the port of the first time."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Accept no connection any more; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def reset(self) -> None:
        """Reset every connection."""
        for line in tuple(self.lines):
            line.reset()

    def stall(self) -> None:
        """Nothing passes, and nothing ends."""
        self.flowing.clear()

    def flow(self) -> None:
        """Everything passes; what was stalled has been given up by both sides, or comes now."""
        self.slow = False
        self.flowing.set()

    def garble(self) -> None:
        """Every few bytes of the next chunk from the venue are flipped."""
        self._garbled = True

    def cut(self) -> None:
        """The next chunk from the venue is its last, and only half of it comes."""
        self._cut = True

    def damage(self, data: bytes) -> bytes:
        """What becomes of a chunk from the venue."""
        if self._garbled:
            self._garbled = False
            return bytes(byte ^ 0xFF if place % EVERY == EVERY - 1 else byte for place, byte in enumerate(data))
        return data[: max(1, len(data) // 2)] if self._cut else data

    def cuts(self) -> bool:
        """Whether the line ends here; it happens once."""
        cut, self._cut = self._cut, False
        return cut

    async def close(self) -> None:
        """End everything."""
        self.refuse()
        self.flow()
        self.reset()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            venue_reader, venue_writer = await asyncio.open_connection("127.0.0.1", self._target)
            line = Line(self, writer, venue_writer)
            self.lines.add(line)
            try:
                await line.carry(reader, venue_reader)
            finally:
                self.lines.discard(line)
        except (OSError, asyncio.CancelledError):
            writer.close()
        finally:
            self._running.discard(task)
