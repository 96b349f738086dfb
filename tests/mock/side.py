"""The real client on the simulated network, with a mock venue at its far side: virtual time, and faults on the way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.markets import Markets
from cexspec.engine.options import StreamOptions
from cexspec.engine.rest import RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.mock import MockVenue
from cexspec.mock.dialogue import Dialogue
from cexspec.transport.clock import VirtualClock
from tests.mock.wire import START, Wire, unlimited
from tests.simulation.network import Line, Network

Fault = Literal["drop", "twice", "late"]


@dataclass
class FarSide:
    """Speaks for a mock venue on every line. `faults` happen to the next frames of data, one each."""

    venue: MockVenue
    dialogues: dict[Line, Dialogue] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    held: list[tuple[Line, str]] = field(default_factory=list)

    def opened(self, line: Line) -> None:
        self.dialogues[line] = self.venue.dialogue(line.url.rsplit("/", 1)[1])
        self._say(line, self.dialogues[line].opened())

    def received(self, line: Line, frame: str) -> None:
        self._say(line, self.dialogues[line].receive(frame))

    def lost(self, line: Line) -> None:
        self.dialogues.pop(line, None)

    def move(self) -> None:
        """One move of every subscribed market, told to everybody."""
        symbols = sorted({symbol for dialogue in self.dialogues.values() for symbol in dialogue.instruments()})
        for symbol in symbols:
            self.venue.market(symbol).advance(self.venue._clock())
        for line, dialogue in tuple(self.dialogues.items()):
            for symbol in symbols:
                for text in dialogue.tick(self.venue.listing[symbol]):
                    self._push(line, text)

    def _say(self, line: Line, texts: Iterable[str]) -> None:
        for text in texts:
            line.push(text)

    def _push(self, line: Line, text: str) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault == "late":
            self.held.append((line, text))
            return
        for _ in range({"drop": 0, "twice": 2}.get(str(fault), 1)):
            line.push(text)
        held, self.held = self.held, []
        for where, late in held:
            where.push(late)


@dataclass
class Scene:
    """Everything of one play."""

    clock: VirtualClock
    venue: MockVenue
    far: FarSide
    network: Network
    wire: Wire
    client: StreamClient

    async def move(self, times: int = 1) -> None:
        """Let the market move, and everything it says arrive."""
        for _ in range(times):
            self.far.move()
            await self.clock.sleep(0.5)


async def perform(name: str, play: Callable[[Scene], Awaitable[None]], options: StreamOptions | None = None) -> None:
    """Play to the end in virtual time; nothing may be left running."""
    clock = VirtualClock(START)

    async def work() -> None:
        venue = MockVenue(name, clock=clock.time_ns, interval=1e9)  # moves when told to
        far, plan, wire = FarSide(venue), venue.exchange, Wire(venue)
        environment = EnvironmentPlan("mock", "http://mock", {one: f"ws://mock/{one}" for one in plan.connection_names})
        network, markets = Network(clock, far, Random(1), (0.001, 0.02)), Markets(plan)
        engine = RestEngine(plan, environment, wire, clock, unlimited(venue, clock), markets, random=Random(1))
        client = StreamClient(
            plan,
            environment,
            markets,
            transport=network,
            clock=clock,
            random=Random(1),
            options=options,
            prepare=engine.ensure_instruments if "instruments" in plan.operation_names else None,
            fetch=engine.call,
            rest=engine,
        )
        try:
            await play(Scene(clock, venue, far, network, wire, client))
        finally:
            await client.close()

    before = asyncio.all_tasks()
    await clock.run(work(), limit=1e5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "tasks are left running"
