"""What the queue between a connection and its consumer costs an event, beside `asyncio.Queue` doing as much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.frames import trades
from cexspec import Event, Normalizer, Trade
from cexspec.engine.buffer import Buffer, Policy
from cexspec.engine.distribution import Durations
from cexspec.engine.stats import Counters
from cexspec.engine.stream import Stream, StreamHost

VENUE, BATCH, BATCHES, REPETITIONS = "okx", 100, 1000, 7
"""Events come in batches, as frames come off a socket; then the consumer has its turn."""


def events() -> list[Event]:
    """One batch."""
    read = Normalizer(VENUE).ws
    return [event for frame in trades(VENUE).data[:BATCH] for event in read(frame)]


def iterating(policy: Policy) -> float:
    """Median nanoseconds from `Buffer.put` to `async for`."""
    return median(asyncio.run(_iterate(policy)) for _ in range(REPETITIONS))


def calling() -> float:
    """Median nanoseconds from `Buffer.put` to a callback."""
    return median(asyncio.run(_call()) for _ in range(REPETITIONS))


def plainly() -> float:
    """Median nanoseconds through an `asyncio.Queue`."""
    return median(asyncio.run(_queue()) for _ in range(REPETITIONS))


def _stream(policy: Policy) -> tuple[Stream[Trade], Buffer]:
    buffer = Buffer("trades", 10 * BATCH, policy, Durations(), time.time_ns)
    nobody = SimpleNamespace(counters=Counters(VENUE), detach=lambda *_: None, closed=lambda *_: None)
    return Stream("trades", cast("StreamHost", nobody), buffer), buffer


async def _iterate(policy: Policy) -> float:
    stream, buffer = _stream(policy)

    async def consume() -> int:
        return sum([1 async for _ in stream])

    taken, seen = await _fed(asyncio.ensure_future(consume()), buffer.put, lambda: buffer.end())
    assert seen == (BATCHES if policy == "conflate" else BATCHES * BATCH)
    return taken


async def _call() -> float:
    stream, buffer = _stream("block")
    seen = 0

    def count(_: object) -> None:
        nonlocal seen
        seen += 1

    pump = stream.on(count)._pump
    assert pump is not None
    taken, _ = await _fed(pump, buffer.put, lambda: buffer.end())
    assert seen == BATCHES * BATCH
    return taken


async def _queue() -> float:
    queue: asyncio.Queue[Event | None] = asyncio.Queue(10 * BATCH)

    async def consume() -> int:
        seen = 0
        while await queue.get() is not None:
            seen += 1
        return seen

    taken, seen = await _fed(asyncio.ensure_future(consume()), queue.put_nowait, lambda: queue.put_nowait(None))
    assert seen == BATCHES * BATCH
    return taken


async def _fed(consumer: asyncio.Future[Any], put: Callable[[Event], object], end: Callable[[], None]) -> tuple[float, Any]:
    """Nanoseconds of CPU time an event, and what the consumer says."""
    batch = events()
    await asyncio.sleep(0)
    start = time.process_time_ns()
    for _ in range(BATCHES):
        for event in batch:
            put(event)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    end()
    seen = await consumer
    return (time.process_time_ns() - start) / (BATCHES * BATCH), seen
