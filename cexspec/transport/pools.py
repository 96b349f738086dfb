"""Budgets and the lines before them.

PoolState (by owner and name)   what the venue counts together: an address, or an account
`-- Bucket                      one budget: the pool's, or one for each operation or symbol
    |-- SlidingWindow ...       all of them must have room
    `-- line                    who waits: by priority, then first come first served; nobody starves
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from cexspec.transport.window import SlidingWindow, Window

IDLE_BUCKETS = 1000
OVERTAKEN = 10
"""So many may overtake the one that has waited longest; then it is its turn, whatever its priority."""
FIRST = -sys.maxsize
LEFT_BEHIND = 64
"""Entries of callers that left which a line may hold besides as many as wait."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A budget. `by` tells whether all share one, or each operation or each operation and symbol has its own.

    - `scope`: whom the venue counts; clients that share a store share the pools of their address, and those of their account.
    - `told`: the window that the venue's usage headers speak of; None: the first one.
    - `every`: every call draws one unit from it, whichever pools it names and whatever it weighs there.
    """

    name: str
    windows: tuple[Window, ...]
    by: Literal["pool", "operation", "symbol"] = "pool"
    scope: Literal["ip", "account", "endpoint"] = "ip"
    told: Window | None = None
    every: bool = False


@dataclass(eq=False, slots=True)
class Turn:
    """A caller in line. The bell rings when it may have become first, or when work under way has ended."""

    priority: int
    number: int
    buckets: Sequence[Bucket]
    bell: asyncio.Future[None] | None = None
    gone: bool = False
    receipt: int | None = None
    """what a shared store knows the taken units by"""

    def ring(self) -> None:
        """Let it look again."""
        if self.bell is not None and not self.bell.done():
            self.bell.set_result(None)

    def promote(self) -> None:
        """Put it before all others, in every line it stands in."""
        self.priority = FIRST
        for bucket in self.buckets:
            heapq.heappush(bucket.line, (FIRST, self.number, self))
        self.ring()


@dataclass(eq=False, slots=True)
class Bucket:
    """One budget and its line. Times are seconds of a monotonic clock."""

    pool: PoolState
    operation: str
    symbol: str
    windows: tuple[SlidingWindow, ...]
    paused_until: float = -inf
    line: list[tuple[int, int, Turn]] = field(default_factory=list)
    waiting: int = 0
    seen: tuple[int, float] | None = None
    """what a shared store said is left, and when"""
    adrift: bool = False
    """units were taken that the shared store does not know of"""
    _arrivals: deque[Turn] = field(default_factory=deque)
    _eldest: Turn | None = None
    _overtaken: int = 0

    def wait(self, weight: int, now: float) -> float:
        """Seconds until `weight` units fit; `inf` while that depends on work under way."""
        delay = self.paused_until - now
        for window in self.windows:
            delay = max(delay, window.wait(weight, now))
        return max(delay, 0.0)

    def remaining(self, now: float) -> int:
        """Units free now in the tightest window."""
        left = min((window.rate - window.used(now) for window in self.windows), default=0)
        if self.seen is not None and now - self.seen[1] < max(window.per for window in self.windows):
            left = min(left, self.seen[0])
        return max(0, left)

    def idle(self, now: float) -> bool:
        """Whether a new bucket would be just the same."""
        return not self.waiting and self.paused_until <= now and not any(window.used(now) for window in self.windows)

    def pause(self, until: float) -> None:
        """Let nobody through before then; never shortens a pause."""
        self.paused_until = max(self.paused_until, until)

    def first(self) -> Turn | None:
        """Whose turn it is."""
        line = self.line
        while line and (line[0][2].gone or line[0][0] != line[0][2].priority):
            heapq.heappop(line)
        return line[0][2] if line else None

    def next(self) -> None:
        """Let who is first look again."""
        if (turn := self.first()) is not None:
            turn.ring()

    def join(self, turn: Turn) -> None:
        """Stand in line."""
        heapq.heappush(self.line, (turn.priority, turn.number, turn))
        self._arrivals.append(turn)
        self.waiting += 1

    def leave(self, turn: Turn) -> None:
        """Step out of the line, served or not."""
        turn.gone = True
        self.waiting -= 1
        if len(self.line) > 2 * self.waiting + LEFT_BEHIND:
            self.line = [entry for entry in self.line if not entry[2].gone]
            heapq.heapify(self.line)
            self._arrivals = deque(each for each in self._arrivals if not each.gone)

    def served(self, turn: Turn) -> None:
        """Count those whom `turn` went before: who has waited longest is overtaken only so often."""
        arrivals = self._arrivals
        while arrivals and arrivals[0].gone:
            arrivals.popleft()
        if not arrivals or turn.number < arrivals[0].number:
            return
        if arrivals[0] is not self._eldest:
            self._eldest, self._overtaken = arrivals[0], 0
        self._overtaken += 1
        if self._overtaken == OVERTAKEN:
            self._eldest.promote()


Claims = Sequence[tuple[Bucket, int]]
"""Budgets, and the units to take from each."""


class PoolState:
    """The buckets of one pool, made as they are asked for; idle ones are dropped when there are many."""

    __slots__ = ("buckets", "owner", "paused_until", "pool", "rate")

    def __init__(self, owner: str, pool: Pool) -> None:
        self.owner, self.pool = owner, pool
        self.rate = min((window.rate for window in pool.windows), default=0)
        self.buckets: dict[str | tuple[str, str], Bucket] = {}
        self.paused_until = -inf

    def bucket(self, operation: str, symbol: str, now: float) -> Bucket:
        """The budget that such a call draws on."""
        by = self.pool.by
        key = "" if by == "pool" else operation if by == "operation" else (operation, symbol)
        found = self.buckets.get(key)
        if found is None:
            if len(self.buckets) >= IDLE_BUCKETS:
                self.buckets = {name: bucket for name, bucket in self.buckets.items() if not bucket.idle(now)}
            windows = tuple(SlidingWindow(window) for window in self.pool.windows)
            names = ("" if by == "pool" else operation, symbol if by == "symbol" else "")
            found = self.buckets[key] = Bucket(self, *names, windows, self.paused_until)
        return found

    def pause(self, until: float) -> None:
        """Let nobody through before then, in all of its budgets."""
        self.paused_until = max(self.paused_until, until)
        for bucket in self.buckets.values():
            bucket.pause(self.paused_until)
