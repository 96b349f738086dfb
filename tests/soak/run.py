"""One soak: a load server in a process of its own, the real client here, faults in between, and what was seen of it all."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cexspec import Client
from cexspec.engine.stats import StreamStats
from cexspec.models import BookOutOfSync, Event
from tests.soak.measure import Pauses, Sample, Samples, sample
from tests.soak.oracle import BookOracle, TradeOracle
from tests.soak.plan import Plan
from tests.soak.server import LINE

ROOT = Path(__file__).parents[2]
SETTLE = 5.0
"""Seconds at the end in which what was sent last may still arrive."""


@dataclass
class Seen:
    """Everything that a report is made of."""

    plan: Plan
    trades: TradeOracle
    books: BookOracle
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    began: float = 0.0
    """when the warm-up was over, in seconds since the start"""
    ended: float = 0.0
    first: dict[str, Any] = field(default_factory=dict)
    """the server when the warm-up was over"""
    last: dict[str, Any] = field(default_factory=dict)
    ceiling: int = 0
    unseen: int = 0
    wrong_books: list[str] = field(default_factory=list)
    judged: int = 0
    """trades that arrived after the warm-up"""
    stats: StreamStats | None = None
    pauses: Pauses = field(default_factory=Pauses)
    left_tasks: int = 0
    """tasks that still ran once the client was closed"""


class Server:
    """The server process: one question, one answer."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process, self.port = process, port
        self._turn = asyncio.Lock()

    async def do(self, what: str, **more: Any) -> dict[str, Any]:
        """A command and its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
            await self._process.stdin.drain()
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
            return answer


@asynccontextmanager
async def server(plan: Plan) -> AsyncIterator[Server]:
    """A running one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.server", plan.to_json(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        limit=LINE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Server(process, int(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def soak(plan: Plan) -> Seen:
    """Run the plan to its end."""
    seen = Seen(plan, TradeOracle(), BookOracle())
    async with server(plan) as serving:
        seen.ceiling = (await serving.do("ceiling"))["ceiling"]
        before = len(asyncio.all_tasks())
        try:
            with seen.pauses:
                await _with_client(plan, seen, serving)
        finally:
            gc.unfreeze()
        for _ in range(10):
            await asyncio.sleep(0)
        seen.left_tasks = len(asyncio.all_tasks()) - before
    return seen


async def _with_client(plan: Plan, seen: Seen, serving: Server) -> None:
    connections = Client(plan.exchange).exchange.connection_names
    environment = {"ws": {name: f"ws://127.0.0.1:{serving.port}/_ws/{name}" for name in connections}}
    async with Client(plan.exchange, environment=environment) as client:
        trades = client.ws.subscribe("trades", *plan.symbols, callback=_Planted(seen) if plan.plant else seen.trades.take)
        books = client.ws.subscribe("order_book", *plan.books, callback=seen.books.take) if plan.books else None
        await trades.ready()
        if books is not None:
            await books.ready()
        if plan.freeze:
            gc.collect()
            gc.freeze()
        start = time.monotonic()
        await serving.do("go")
        samples = Samples()
        others = [asyncio.create_task(work) for work in (_sampling(seen, samples, serving, start), _harming(plan, seen, serving, start))]
        await asyncio.sleep(plan.warm_up)
        for counted in (seen.trades.calm, seen.trades.disturbed, seen.pauses):
            counted.clear()
        seen.judged, seen.began, seen.first = -seen.trades.trades, time.monotonic() - start, await serving.do("state")
        await asyncio.sleep(start + plan.seconds - time.monotonic())
        seen.judged, seen.ended, seen.last = seen.judged + seen.trades.trades, time.monotonic() - start, await serving.do("stop")
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await _settled(seen)
        await _judged(seen, serving)
        samples.append(sample(start))
        seen.samples = list(samples)
        seen.wrong_books = [text for symbol, top in seen.last["books"].items() if (text := _differs(client, symbol, top))]
        seen.stats = client.ws.stats


def _differs(client: Client, symbol: str, top: list[str]) -> str | None:
    """How a maintained book is not the one that was sent."""
    try:
        book = client.ws.book(symbol)
    except BookOutOfSync as error:
        return str(error)
    best = [str(side[0]) if side is not None else None for side in (book.best_bid, book.best_ask)]
    return None if best == top else f"{symbol}: {best}, sent {top}"


async def _settled(seen: Seen) -> None:
    """Until everything that was sent is here, or time is up."""
    end = time.monotonic() + SETTLE
    while (left := seen.trades.unseen(seen.last["last"])) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    seen.unseen = left


async def _judged(seen: Seen, serving: Server) -> None:
    """No hole is left in doubt."""
    holes, seen.trades.doubtful = seen.trades.doubtful, []
    answer = await serving.do("times", asked=[[hole.symbol, hole.first, hole.last] for hole in holes])
    seen.trades.settle(holes, [(first, last) for first, last in answer["times"]])


async def _sampling(seen: Seen, samples: Samples, serving: Server, start: float) -> None:
    while True:
        await asyncio.sleep(seen.plan.sample_every)
        await _judged(seen, serving)  # what is in doubt is memory, too
        samples.append(sample(start))


async def _harming(plan: Plan, seen: Seen, serving: Server, start: float) -> None:
    """A fault, and the next one."""
    number = 0
    while plan.faults and time.monotonic() - start < plan.seconds - plan.quiet:
        await asyncio.sleep(plan.fault_every)
        if time.monotonic() - start < plan.seconds - plan.quiet:
            name = plan.faults[number % len(plan.faults)]
            seen.trades.disturb()
            answer = await serving.do("fault", name=name)
            seen.trades.disturb()
            seen.faults.append(f"{time.monotonic() - start:.0f} s: {name} ({answer['about']})")
            number += 1


class _Planted:
    """A callback that leaks memory and tasks, on purpose."""

    def __init__(self, seen: Seen) -> None:
        self._take = seen.trades.take
        self._kept: list[object] = []
        self._tasks: list[asyncio.Task[object]] = []

    def __call__(self, event: Event) -> None:
        """The callback."""
        self._take(event)
        self._kept.append(bytearray(b"x" * 100_000))
        if len(self._tasks) < 300:
            self._tasks.append(asyncio.get_running_loop().create_task(asyncio.Event().wait()))
