"""A program that streams until Ctrl-C; run by `test_stream_loopback`."""

from __future__ import annotations

import asyncio
import sys

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.markets import Markets
from cexspec.engine.stream_client import StreamClient
from tests.simulation.specs import BAZAAR, exchange


async def main(url: str) -> None:
    plan = exchange(BAZAAR)
    client = StreamClient(plan, EnvironmentPlan("loopback", None, {"public": url}), Markets(plan))
    try:
        client.stream_trades("ETH/USDT").on(lambda event: None)
        async for event in client.stream_trades("BTC/USDT"):
            sys.stdout.write(f"{type(event).__name__}\n")
            sys.stdout.flush()
    finally:
        await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
