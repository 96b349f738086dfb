"""A client on a simulated network, ready to play."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from cexspec.engine.holes import FetchRows
from cexspec.engine.markets import Markets
from cexspec.engine.options import StreamOptions
from cexspec.engine.stream import Stream
from cexspec.engine.stream_client import StreamClient
from cexspec.models import CexspecError, Event, Gap, Trade
from cexspec.transport.clock import VirtualClock
from tests.simulation.network import Network
from tests.simulation.specs import BAZAAR, HARBOR, exchange
from tests.simulation.venues import Bazaar, Harbor

START = 1_790_000_000 * 10**9


@dataclass
class Stage:
    """Everything of one play."""

    clock: VirtualClock
    network: Network
    client: StreamClient
    bazaar: Bazaar
    harbor: Harbor

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


Play = Callable[[Stage], Awaitable[None]]


@asynccontextmanager
async def stage(
    clock: VirtualClock,
    spec: str = BAZAAR,
    *,
    seed: int = 1,
    options: StreamOptions | None = None,
    environment: str = "live",
    delays: tuple[float, float] = (0.001, 0.05),
    fetch: Callable[[Bazaar], FetchRows] | None = None,
) -> AsyncIterator[Stage]:
    plan = exchange(spec)
    bazaar, harbor = Bazaar(clock), Harbor(clock)
    network = Network(clock, bazaar if plan.id == "bazaar" else harbor, Random(seed), delays)
    hosts = plan.environments[environment]
    rows = fetch(bazaar) if fetch is not None else None
    client = StreamClient(plan, hosts, Markets(plan), transport=network, clock=clock, random=Random(seed), options=options, fetch=rows)
    try:
        yield Stage(clock, network, client, bazaar, harbor)
    finally:
        await client.close()


async def perform(play: Play, spec: str = BAZAAR, **more: Any) -> None:
    """Play to the end in virtual time; nothing may be left running."""
    clock = VirtualClock(START)

    async def work() -> None:
        async with stage(clock, spec, **more) as scene:
            await play(scene)

    before = asyncio.all_tasks()
    await clock.run(work(), limit=1e5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "tasks are left running"


class Collector:
    """Takes what a stream gives, from now on."""

    def __init__(self, stream: Stream[Any]) -> None:
        self.stream = stream
        self.events: list[Event] = []
        self.errors: list[CexspecError] = []
        self.ended = False
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while not self.ended:
            try:
                async for event in self.stream:
                    self.events.append(event)
                self.ended = True
            except CexspecError as error:
                self.errors.append(error)
                self.ended = self.stream._buffer.ended is error

    @property
    def gaps(self) -> list[Gap]:
        return [event for event in self.events if isinstance(event, Gap)]

    def numbers(self, symbol: str) -> list[int]:
        return [int(event.id or 0) for event in self.events if isinstance(event, Trade) and event.symbol == symbol]


__all__ = ["BAZAAR", "HARBOR", "START", "Collector", "Play", "Stage", "perform", "stage"]
