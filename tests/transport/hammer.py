"""A process that takes from a shared budget as fast as it is let, and writes when it was let through: nanoseconds, units.

It says when it is ready, and starts when it is told to.
"""

from __future__ import annotations

import asyncio
import sys
import time

from cexspec.transport.clock import SystemClock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.redis_store import RedisStore
from cexspec.transport.window import Window

WINDOWS = (Window(20, 0.4), Window(45, 1.5))


def wait_for_the_others() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


async def main(url: str, calls: int, weight: int) -> None:
    """Five calls at a time, `calls` in all."""
    store = RedisStore(url, timeout=20.0)
    limits = Limiter([Pool("p", WINDOWS)], SystemClock(), store=store, owner="hammered")
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            async with limits.hold(["p"], weight):
                sys.stdout.write(f"{time.time_ns()} {weight}\n")

    await asyncio.gather(*(worker() for _ in range(5)))
    assert store.status().alone == 0
    await store.close()


if __name__ == "__main__":
    wait_for_the_others()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
