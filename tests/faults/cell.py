"""One cell of the matrix: a fault at a venue, from calm to calm."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from tests.faults.scripts import Script, ridden_out
from tests.faults.stage import stage
from tests.faults.truth import Losses
from tests.faults.venues import Venue

LIMIT = 60.0
"""Seconds a cell may take: many times what it does on a quiet machine."""

NONE = Losses()


@dataclass(frozen=True)
class Outcome:
    """What a cell showed; times in seconds. `detected` is None where there was nothing to notice; `trouble` is what was wrong."""

    fault: str
    venue: str
    detected: float | None = None
    recovered: float | None = None
    losses: Losses = NONE
    meaningless: str | None = None
    trouble: str | None = None


async def play(script: Script, venue: Venue) -> Outcome:
    """Play it; what goes wrong is raised."""
    if (why := script.meaningless(venue)) is not None:
        return Outcome(script.name, venue.name, meaningless=why)
    async with stage(venue, tls=script.tls, by_name=script.by_name, impatient=script.impatient) as on:
        if script.from_start:
            await script.begin(on)
        await on.play()
        if not script.from_start:
            await on.calm()
        began, harmless = time.monotonic(), script.harmless(venue)
        if not script.from_start:
            await script.begin(on)
        await (ridden_out if harmless else script.notice)(on)
        healed = time.monotonic()
        await script.end(on)
        await on.calm()
        recovered = time.monotonic() - healed
        await on.moves(3)
        await on.settle()
        losses = on.losses()
        assert not on.received.wrong_views, on.received.wrong_views[0]
    return Outcome(script.name, venue.name, None if harmless else healed - began, recovered, losses)


async def judged(script: Script, venue: Venue, limit: float = LIMIT) -> Outcome:
    """Play it; what goes wrong is told as trouble."""
    try:
        outcome = await asyncio.wait_for(play(script, venue), limit)
    except Exception as wrong:
        return Outcome(script.name, venue.name, trouble=f"{type(wrong).__name__}: {wrong}")
    lost = outcome.losses
    bad = lost.silent or lost.doubled or lost.disordered
    return replace(outcome, trouble=str(lost)) if bad else outcome
