"""Streams over real sockets on loopback: both libraries, reconnection, and a clean end however it comes."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from websockets.asyncio.server import ServerConnection, serve

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.markets import Markets
from cexspec.engine.options import Reconnecting, StreamOptions
from cexspec.engine.stream_client import StreamClient
from cexspec.models import AuthenticationError, Gap, Trade
from cexspec.transport.backoff import Backoff
from cexspec.transport.websocket import Library, websocket_transport
from tests.simulation.specs import BAZAAR, exchange

ROOT = Path(__file__).parents[2]
QUICK = StreamOptions(reconnecting=Reconnecting(Backoff(0.01, 0.05)))


class Server:
    """Acks what is asked for and sends a trade on each topic at once, and more when told."""

    def __init__(self) -> None:
        self.url = ""
        self.lines: set[ServerConnection] = set()
        self.topics: list[dict[str, str]] = []
        self.number = 0

    async def handle(self, line: ServerConnection) -> None:
        self.lines.add(line)
        try:
            async for frame in line:
                if frame == "ping":
                    await line.send("pong")
                    continue
                message = json.loads(frame)
                for topic in message["args"]:
                    await line.send(json.dumps({"event": message["op"], "id": message["id"], "arg": topic}))
                    self.topics.append(topic)
                    await self.trade(topic)
        finally:
            self.lines.discard(line)

    async def trade(self, topic: dict[str, str]) -> None:
        self.number += 1
        row = {"i": str(self.number), "p": "1", "s": "1", "d": "buy", "t": time.time_ns()}
        for line in tuple(self.lines):
            await line.send(json.dumps({"arg": topic, "data": [row]}))


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    mine = Server()
    async with serve(mine.handle, "127.0.0.1", 0) as running:
        mine.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/"
        yield mine


def client(url: str, library: Library) -> StreamClient:
    plan = exchange(BAZAAR)
    hosts = EnvironmentPlan("loopback", None, {"public": url})
    return StreamClient(plan, hosts, Markets(plan), transport=websocket_transport(library), options=QUICK, random=Random(1))


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
async def test_streams_reconnect_and_end_within_a_second_with_nothing_left(library: Library) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with server() as far:
            before = asyncio.all_tasks()
            mine = client(far.url, library)
            async with mine.stream_trades("BTC/USDT", "ETH/USDT") as stream:
                got = [await anext(stream) for _ in range(2)]
                assert {event.symbol for event in got} == {"BTC/USDT", "ETH/USDT"}
                for line in tuple(far.lines):
                    await line.close(1012)
                kinds = [type(await anext(stream)) for _ in range(4)]
                assert sorted(kind.__name__ for kind in kinds) == ["Gap", "Gap", "Trade", "Trade"] and Gap in kinds
                mine.stream_trades("SOL/USDT").on(lambda event: None)
            mine.stream_trades("BTC/USDT")
            began = time.monotonic()
            await mine.close()
            assert time.monotonic() - began < 1.0
            await asyncio.sleep(0)
            leftover = {task for task in asyncio.all_tasks() - before if "cexspec" in task.get_name()}
            assert not leftover
        gc.collect()


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
async def test_a_cancelled_consumer_leaves_the_client_in_order(library: Library) -> None:
    async with server() as far:
        mine = client(far.url, library)

        async def consume() -> None:
            async with mine.stream_trades("BTC/USDT") as stream:
                async for event in stream:
                    seen.set_result(event)
                    await asyncio.Event().wait()

        seen: asyncio.Future[Trade | Gap] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(consume())
        await seen
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        again = mine.stream_trades("ETH/USDT")
        assert (await anext(again)).symbol == "ETH/USDT"
        await mine.close()


@pytest.mark.parametrize("library", ["aiohttp", "websockets"])
async def test_a_refused_handshake_reaches_the_stream(library: Library) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with running:
        mine = client(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/", library)
        with pytest.raises(AuthenticationError):
            await mine.stream_trades("BTC/USDT").ready()
        assert list(mine.states.values()) == ["failed"]
        await mine.close()


async def test_ctrl_c_ends_a_program_within_a_second_and_without_warnings() -> None:
    async with server() as far:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "always", "PYTHONASYNCIODEBUG": "0"}
        pipe = asyncio.subprocess.PIPE
        program = str(ROOT / "tests" / "simulation" / "ctrl_c.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-X", "dev", program, far.url, stdout=pipe, stderr=pipe, env=environment
        )
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"Trade"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
        took, text = time.monotonic() - began, errors.decode()
        # In development mode the interpreter itself takes its time to end.
        assert took < 2.0 and "KeyboardInterrupt" in text
        for bad in ("Warning", "never retrieved", "was destroyed", "Unclosed", "never awaited"):
            assert bad not in text, text
