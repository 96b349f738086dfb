"""Makes the cassettes of one exchange, authored or from the venue itself."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cexspec.client import Client
from cexspec.mock import MockVenue
from cexspec.models import CexspecError, Event
from cexspec.transport.clock import VirtualClock
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from cexspec.transport.websocket import websocket_transport
from tools.cassettes.calls import Call, StillClock, channels, operations, outcome, requests, symbols
from tools.cassettes.folder import rest_path, ws_path
from tools.cassettes.rest import Rename, recording
from tools.cassettes.sessions import listened, watched
from tools.cassettes.venue import DirectTransport, DirectWebSockets, LoopbackTransport

T = TypeVar("T")
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

    async def author(self) -> None:
        """Against a mock venue, which has the real host names; its clock stands still."""
        wanted, environment = symbols(self._told), self._offers.environment
        async with MockVenue(self.exchange, symbols=wanted, clock=lambda: NOW) as venue:
            for call in operations(self._offers, self._told):
                transport = LoopbackTransport(environment.rest or "", venue.environment["rest"])
                async with Client(self.exchange, http=transport, clock=StillClock(NOW)) as client:
                    await self._call(client, call, AUTHORED, NOW, transport.name)
        for call in channels(self._offers, self._told):
            clock = VirtualClock(NOW)
            venue = MockVenue(self.exchange, symbols=wanted, clock=clock.time_ns)
            names = self._offers.exchange.channel(call.name).connections.values()
            sockets, frames = DirectWebSockets(venue, environment, names), io.StringIO()
            recorded = RecordingTransport(sockets, FrameLog(frames, clock.time_ns))
            async with Client(self.exchange, http=DirectTransport(venue, environment), websocket=recorded, clock=clock) as client:
                events = await self._tried(call, lambda: watched(client, call, clock, sockets.move))  # noqa: B023 - called at once
                self._check(client, call)
            self._write(call, AUTHORED, NOW, events, frames)

    async def record(self) -> None:
        """From the venue itself."""
        now = time.time_ns()
        origin = f"{RECORDED}{datetime.fromtimestamp(now / 1e9, UTC):%Y-%m-%d}"
        for call in operations(self._offers, self._told):
            async with Client(self.exchange, clock=StillClock(now)) as client:
                await self._call(client, call, origin, now)
        for call in channels(self._offers, self._told):
            frames, began = io.StringIO(), time.time_ns()
            recorded = RecordingTransport(websocket_transport(), FrameLog(frames))
            async with Client(self.exchange, websocket=recorded) as client:
                events = await self._tried(call, lambda: listened(client, call))  # noqa: B023 - called at once
                self._check(client, call)
            self._write(call, origin, began, events, frames)

    async def _call(self, client: Client, call: Call, origin: str, now: int, rename: Rename = str) -> None:
        path, head = rest_path(self.folder, self._offers.id, call.name), self._head(origin, "operation", call, now)
        with recording(path, head, rename):
            events = await self._tried(call, lambda: call.make(client))
            head |= outcome(events or [])
        if events is None:
            path.unlink(missing_ok=True)

    def _write(self, call: Call, origin: str, now: int, events: list[Event] | None, frames: io.StringIO) -> None:
        if events is None:
            return
        path, head = ws_path(self.folder, self._offers.id, call.name), self._head(origin, "channel", call, now)
        path.parent.mkdir(parents=True, exist_ok=True)
        first = json.dumps({**head, **outcome(events)}, ensure_ascii=False, separators=(",", ":"))
        path.write_text(f"{first}\n{frames.getvalue()}", encoding="utf-8")

    def _head(self, origin: str, kind: str, call: Call, now: int) -> dict[str, Any]:
        return {"origin": origin, "exchange": self._offers.id, kind: call.name, "call": dict(call.params), "clock": now}

    def _check(self, client: Client, call: Call) -> None:
        """What the client did not understand of a session."""
        stats = client.ws.stats
        if stats.unrouted or stats.decode_errors or stats.venue_errors:
            self.failures += [f"{self._offers.id} {call.name}: {problem}" for problem in stats.problems]

    async def _tried(self, call: Call, work: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await work()
        except CexspecError as error:
            self.failures.append(f"{self._offers.id} {call.name}: {type(error).__name__}: {error}")
            return None
