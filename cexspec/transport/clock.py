"""Time as a dependency: the system's clock, and a virtual one that makes waiting instant and repeatable."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from cexspec.models import TimeoutError

T = TypeVar("T")
NANOSECONDS = 1_000_000_000


class Clock(Protocol):
    """What the engine knows of time."""

    def time_ns(self) -> int:
        """Wall clock: nanoseconds since the Unix epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less gives other tasks a turn."""


class SystemClock:
    """The machine's own time."""

    time_ns = staticmethod(time.time_ns)
    """Nanoseconds since the Unix epoch."""
    monotonic = staticmethod(time.monotonic)
    """Seconds, never going back."""

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))


class VirtualClock:
    """Time that stands still until `advance` moves it, waking sleepers one by one in the order of their due times.

    Sleepers of the same instant wake in the order in which they went to sleep, and whatever one of them sets off
    runs to rest before the next one wakes: the same program takes the same steps every time.
    """

    def __init__(self, start: int = 1_700_000_000 * NANOSECONDS) -> None:
        self._start = start
        self._now = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def time_ns(self) -> int:
        """`start` (nanoseconds since the epoch) plus the virtual time that has passed."""
        return self._start + self._now

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._now / NANOSECONDS

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the clock this far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        due = self._now + max(1, math.ceil(seconds * NANOSECONDS))
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (due, self._count, waiter))
        await waiter

    async def advance(self, seconds: float) -> None:
        """Move time on, waking everyone due on the way."""
        target = self._now + round(seconds * NANOSECONDS)
        await settle()
        while (due := self._next()) is not None and due <= target:
            await self._wake()
        self._now = target

    async def run(self, work: Coroutine[Any, Any, T], *, limit: float = 1e6) -> T:
        """Run to the end, moving time on whenever nothing else can happen.

        Raises `RuntimeError` when nobody sleeps and the work still waits, or after `limit` virtual seconds.
        """
        task = asyncio.get_running_loop().create_task(work)
        deadline = self._now + round(limit * NANOSECONDS)
        try:
            await settle()
            while not task.done():
                due = self._next()
                if due is None or due > deadline:
                    raise RuntimeError("stuck: the work waits for something that no sleeper will bring")
                await self._wake()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        return task.result()

    def _next(self) -> int | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def _wake(self) -> None:
        self._now, _, waiter = heapq.heappop(self._sleepers)
        waiter.set_result(None)
        await settle()


async def settle(turns: int = 50) -> None:
    """Let every task run until it waits (on event loops that don't tell, for a fixed number of turns)."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    await asyncio.sleep(0)
    if ready is None:
        for _ in range(turns):
            await asyncio.sleep(0)
    while ready:
        await asyncio.sleep(0)


async def within(clock: Clock, seconds: float | None, work: Coroutine[Any, Any, T], what: str = "the call") -> T:
    """The work's result, or our `TimeoutError` after `seconds` by this clock (None: no bound). Late work is cancelled."""
    if seconds is None:
        return await work
    loop = asyncio.get_running_loop()
    task, alarm = loop.create_task(work), loop.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait((task, alarm), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
    raise TimeoutError(f"{what} was not done within {seconds:g} s")
