"""From the wire to a callback over a real socket on loopback: frames per second of one core's time.

The server is a process of its own; what is counted is the CPU time of the reading process alone.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks.firehose import ASKED, ROUNDS
from benchmarks.frames import COUNT
from cexspec import Client, Event, Normalizer
from cexspec.engine.options import StreamOptions
from cexspec.transport.websocket import Library, SocketOptions, websocket_transport

VENUE, CONNECTION, SYMBOL = "okx", "public", "BTC/USDT"
REPETITIONS = 5
FRAMES = ROUNDS * COUNT


@dataclass(frozen=True)
class Throughput:
    """Frames per second of CPU time."""

    socket: float
    """frames received and thrown away"""
    unified: float
    """each frame through `Normalizer.ws`"""
    client: float
    """a `Client`'s subscription with a callback: everything the library does"""


def throughput(library: Library) -> Throughput:
    """Medians for one socket library."""
    normalize = Normalizer(VENUE).ws
    with _server() as port:
        bare = median(asyncio.run(_read(port, library, lambda frame: None)) for _ in range(REPETITIONS))
        unified = median(asyncio.run(_read(port, library, normalize)) for _ in range(REPETITIONS))
        client = median(asyncio.run(_subscribe(port, library)) for _ in range(REPETITIONS))
    return Throughput(bare, unified, client)


async def _read(port: int, library: Library, use: Callable[[bytes], object]) -> float:
    transport = websocket_transport(library)
    socket = await transport.connect(f"ws://127.0.0.1:{port}/", options=SocketOptions(compression=False, ping_every=None))
    start = time.process_time()
    for _ in range(FRAMES):
        use(await socket.receive())
    taken = time.process_time() - start
    await socket.close()
    await transport.close()
    return FRAMES / taken


async def _subscribe(port: int, library: Library) -> float:
    environment = {"ws": {CONNECTION: f"ws://127.0.0.1:{port}{ASKED}"}}
    options = StreamOptions(policy="block")
    seen, done = 0, asyncio.Event()

    def count(event: Event) -> None:
        nonlocal seen
        seen += event.symbol == SYMBOL
        if seen == FRAMES:
            done.set()

    async with Client(VENUE, environment=environment, websocket=library, stream_options=options) as client:
        start = time.process_time()
        client.ws.subscribe("trades", SYMBOL, callback=count)
        await done.wait()
        return FRAMES / (time.process_time() - start)


@contextmanager
def _server() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.firehose", VENUE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
