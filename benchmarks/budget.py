"""What taking from a budget costs when nobody has to wait."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from cexspec.transport.clock import SystemClock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.window import Window

CALLS = 20_000
REPETITIONS = 7


def acquiring() -> float:
    """Median microseconds of `Limiter.acquire`."""
    return median(asyncio.run(_acquire()) for _ in range(REPETITIONS))


def holding() -> float:
    """Median microseconds of `async with Limiter.hold`, which is how requests are counted."""
    return median(asyncio.run(_hold()) for _ in range(REPETITIONS))


def _limiter() -> Limiter:
    return Limiter([Pool("weight", (Window(10 * CALLS, 60.0),))], SystemClock())


async def _acquire() -> float:
    limiter = _limiter()
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        await limiter.acquire(("weight",), 1, operation="ticker")
    return (time.perf_counter_ns() - start) / CALLS / 1000


async def _hold() -> float:
    limiter = _limiter()
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        async with limiter.hold(("weight",), 1, operation="ticker"):
            pass
    return (time.perf_counter_ns() - start) / CALLS / 1000
