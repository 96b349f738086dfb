"""Makes the cassettes of one exchange, authored or from the venue itself."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cexspec.client import Client
from cexspec.mock import MockVenue
from cexspec.transport.clock import VirtualClock
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from cexspec.transport.websocket import websocket_transport
from tools.cassettes.calls import StillClock, channels, operations, requests, symbols
from tools.cassettes.private import PrivateRecorder
from tools.cassettes.sessions import listened, watched
from tools.cassettes.taking import Taker
from tools.cassettes.venue import DirectTransport, DirectWebSockets, LoopbackTransport

AUTHORED = "authored (mock venue generated from the spec and its samples)"
RECORDED = "recorded "
NOW = 1_785_571_201_337_000_000
"""The time of authored cassettes: that of the samples, whose times stand where the mock venue puts none."""


@dataclass
class Recorder:
    """The cassettes of one exchange (its id, or the path of a spec with samples), made in a folder.

    `failures` tells what could not be recorded, and why. Raises `SpecError` where the spec is wrong.
    """

    exchange: str
    folder: Path
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A client of its own, never connected: it knows the spec and the real host names.
        self._offers, self._told = Client(self.exchange), requests(self.exchange)
        self._taker = Taker(self._offers.id, self.folder, self.failures)

    async def author(self) -> None:
        """Against a mock venue, which has the real host names; its clock stands still."""
        await self._author_public()
        await PrivateRecorder(self.exchange, self.folder, self.failures, AUTHORED, NOW).author()

    async def record(self) -> None:
        """From the venue itself: what needs no account. Nobody's own is ever asked for."""
        now = time.time_ns()
        origin = f"{RECORDED}{datetime.fromtimestamp(now / 1e9, UTC):%Y-%m-%d}"
        for call in operations(self._offers, self._told):
            async with Client(self.exchange, clock=StillClock(now)) as client:
                await self._taker.call(client, call, origin, now)
        for call in channels(self._offers, self._told):
            frames, began = io.StringIO(), time.time_ns()
            recorded = RecordingTransport(websocket_transport(), FrameLog(frames))
            async with Client(self.exchange, websocket=recorded) as client:
                events = await self._taker.tried(call, lambda: listened(client, call))  # noqa: B023 - called at once
                self._taker.check(client, call)
            self._taker.session(call, origin, began, events, frames)

    async def _author_public(self) -> None:
        wanted, environment = symbols(self._told), self._offers.environment
        async with MockVenue(self.exchange, symbols=wanted, clock=lambda: NOW) as venue:
            for call in operations(self._offers, self._told):
                transport = LoopbackTransport(environment, venue.environment["rest"])
                async with Client(self.exchange, http=transport, clock=StillClock(NOW)) as client:
                    await self._taker.call(client, call, AUTHORED, NOW, transport.name)
        for call in channels(self._offers, self._told):
            clock = VirtualClock(NOW)
            venue = MockVenue(self.exchange, symbols=wanted, clock=clock.time_ns)
            names = self._offers.exchange.channel(call.name).connections.values()
            sockets, frames = DirectWebSockets(venue, environment, names), io.StringIO()
            recorded = RecordingTransport(sockets, FrameLog(frames, clock.time_ns))
            async with Client(self.exchange, http=DirectTransport(venue, environment), websocket=recorded, clock=clock) as client:
                events = await self._taker.tried(call, lambda: watched(client, call, clock, sockets.move))  # noqa: B023 - called at once
                self._taker.check(client, call)
            self._taker.session(call, AUTHORED, NOW, events, frames)
