"""What a shared budget costs: a script in a Redis server of this machine for each taking."""

from __future__ import annotations

import asyncio
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from cexspec.transport.clock import SystemClock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.redis_store import RedisStore
from cexspec.transport.window import Window
from tests.transport.redis_server import BINARY, RedisServer

CALLS = 2_000
REPETITIONS = 5


def missing() -> str | None:
    """What is not installed, where something is."""
    if not RedisServer.installed():
        return BINARY
    return "the package redis" if find_spec("redis") is None else None


def acquiring() -> float:
    """Median microseconds of `Limiter.acquire` with a `RedisStore`, one call after the other."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        try:
            server.start()
            return median(asyncio.run(_acquire(server.url)) for _ in range(REPETITIONS))
        finally:
            server.stop()


async def _acquire(url: str) -> float:
    store = RedisStore(url)
    limiter = Limiter([Pool("weight", (Window(10 * CALLS * REPETITIONS, 60.0),))], SystemClock(), store=store)
    await limiter.acquire(("weight",), 1, operation="ticker")
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        await limiter.acquire(("weight",), 1, operation="ticker")
    taken = (time.perf_counter_ns() - start) / CALLS / 1000
    await store.close()
    return taken
