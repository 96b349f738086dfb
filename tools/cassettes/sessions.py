"""WebSocket sessions: one channel subscribed, some moves of its market, unsubscribed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from cexspec.client import Client
from cexspec.engine.stream import Stream
from cexspec.models import CexspecError, Event, Gap
from cexspec.transport.clock import VirtualClock
from tools.cassettes.calls import Call

MOVES = 3
PAUSE = 0.2
"""Seconds between moves."""
SECONDS = 10.0
"""How long a live session is listened to, at most."""
EVENTS = 5
"""Events after which a live session ends."""


@dataclass
class Subscribed:
    """A stream under way: its events so far, and why it was refused."""

    stream: Stream[Event]
    events: list[Event] = field(default_factory=list)
    refusals: list[CexspecError] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """An event; a gap is none of the venue's."""
        if not isinstance(event, Gap):
            self.events.append(event)


@contextlib.asynccontextmanager
async def subscribed(client: Client, call: Call) -> AsyncIterator[Subscribed]:
    """Subscribe, for as long as the block takes. Raises the venue's refusal at its end."""
    params = dict(call.params)
    named = [params.pop("symbol")] if "symbol" in params else []
    found = Subscribed(client.ws.stream(call.name, *named, **params))
    found.stream.on(found.take, found.refusals.append)
    try:
        yield found
        if found.refusals:
            raise found.refusals[0]
    finally:
        await found.stream.close()


async def watched(client: Client, call: Call, clock: VirtualClock, move: Callable[[], None]) -> list[Event]:
    """The events of a session in virtual time."""
    async with subscribed(client, call) as found:
        await clock.advance(PAUSE)
        for _ in range(MOVES):
            move()
            await clock.advance(PAUSE)
        found.stream.unsubscribe()
        await clock.advance(PAUSE)
    return found.events


async def listened(client: Client, call: Call) -> list[Event]:
    """The events of a live session."""
    async with subscribed(client, call) as found:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                while len(found.events) < EVENTS and not found.refusals:
                    await asyncio.sleep(PAUSE)
        found.stream.unsubscribe()
        await asyncio.sleep(PAUSE)
    return found.events
