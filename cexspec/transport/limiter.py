"""Rate limits are waited for, not bumped into: named pools of budget, shared fairly by all who draw on them.

Limiter
`-- pool (by name)              its windows, and a pause of the whole pool
    `-- bucket                  one budget: the pool's, or one for each operation or symbol
        |-- SlidingWindow ...   all of them must have room
        `-- line                who waits: by priority, then first come first served
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from types import TracebackType
from typing import Literal, NamedTuple

from cexspec.models import InvalidRequest, RateLimitExceeded
from cexspec.transport.clock import Clock
from cexspec.transport.window import SlidingWindow, Window

IDLE_BUCKETS = 1000


@dataclass(frozen=True, slots=True)
class Pool:
    """A budget. `by` tells whether all share one, or each operation or each operation and symbol has its own."""

    name: str
    windows: tuple[Window, ...]
    by: Literal["pool", "operation", "symbol"] = "pool"


class Budget(NamedTuple):
    """A look at one budget: units free now, callers in line, seconds of pause left."""

    remaining: int
    waiting: int
    paused: float


@dataclass(eq=False, slots=True)
class _Turn:
    """A caller in line. The bell rings when it may have become first, or when work under way has ended."""

    weight: int
    bell: asyncio.Future[None] | None = None
    gone: bool = False

    def ring(self) -> None:
        if self.bell is not None and not self.bell.done():
            self.bell.set_result(None)


@dataclass(eq=False, slots=True)
class _Bucket:
    windows: tuple[SlidingWindow, ...]
    paused_until: float = -inf
    line: list[tuple[int, int, _Turn]] = field(default_factory=list)

    def first(self) -> _Turn | None:
        while self.line and self.line[0][2].gone:
            heapq.heappop(self.line)
        return self.line[0][2] if self.line else None

    def wait(self, weight: int, now: float) -> float:
        delay = self.paused_until - now
        for window in self.windows:
            delay = max(delay, window.wait(weight, now))
        return max(delay, 0.0)

    def idle(self, now: float) -> bool:
        return not self.line and self.paused_until <= now and not any(window.used(now) for window in self.windows)

    def pause(self, until: float) -> None:
        self.paused_until = max(self.paused_until, until)

    def next(self) -> None:
        if (turn := self.first()) is not None:
            turn.ring()


class _PoolState:
    """The buckets of one pool, made as they are asked for; idle ones are dropped when there are many."""

    __slots__ = ("buckets", "paused_until", "pool", "rate")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.rate = min((window.rate for window in pool.windows), default=0)
        self.buckets: dict[str | tuple[str, str], _Bucket] = {}
        self.paused_until = -inf

    def bucket(self, operation: str, symbol: str, now: float) -> _Bucket:
        by = self.pool.by
        key = "" if by == "pool" else operation if by == "operation" else (operation, symbol)
        found = self.buckets.get(key)
        if found is None:
            if len(self.buckets) >= IDLE_BUCKETS:
                self.buckets = {name: bucket for name, bucket in self.buckets.items() if not bucket.idle(now)}
            found = _Bucket(tuple(SlidingWindow(window) for window in self.pool.windows), self.paused_until)
            self.buckets[key] = found
        return found


class Limiter:
    """Holds every pool to its windows. Nobody overtakes in line, but for a lower `priority` number.

    With `on_limit="raise"` nobody waits: a call that would have to raises `RateLimitExceeded(retry_after)`. A weight
    that no window of the pool could ever hold is `InvalidRequest` at once. Cancelling a waiting call leaves the line
    and spends nothing.
    """

    def __init__(self, pools: Iterable[Pool], clock: Clock, *, on_limit: Literal["wait", "raise"] = "wait", exchange: str = "") -> None:
        self._pools = {pool.name: _PoolState(pool) for pool in pools}
        self._clock, self._on_limit, self._exchange = clock, on_limit, exchange
        self._numbers = count()

    async def acquire(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "", priority: int = 0) -> None:
        """Spend `weight` units of every pool named, waiting until all of them have room at once."""
        buckets = self._find(pools, weight, operation, symbol)
        if not self._free(buckets, weight):
            await self._line_up(buckets, weight, operation, priority)
        now = self._clock.monotonic()
        for bucket in buckets:
            for window in bucket.windows:
                window.spend(weight, now)
            if bucket.line:
                bucket.next()

    def hold(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "", priority: int = 0) -> Hold:
        """As `acquire`, for the length of an `async with`: the units start to age when its body ends.

        This is how requests are counted: the venue sees one at some moment between its start and its answer.
        """
        return Hold(self, pools, weight, operation, symbol, priority)

    def pause(self, pool: str, seconds: float, *, operation: str | None = None, symbol: str = "") -> None:
        """Let nobody through for `seconds`: the budget of one operation (and symbol), or all of the pool."""
        state, now = self._pools[pool], self._clock.monotonic()
        if operation is not None:
            state.bucket(operation, symbol, now).pause(now + seconds)
            return
        state.paused_until = max(state.paused_until, now + seconds)
        for bucket in state.buckets.values():
            bucket.pause(state.paused_until)

    def usage(self, pool: str, used: int, *, operation: str = "", symbol: str = "") -> None:
        """The venue says how much of the pool's first window is used: others may draw on the same budget.

        Only more than what is known here corrects the count; venues count in fixed windows and begin again at 0.
        """
        now = self._clock.monotonic()
        window = self._pools[pool].bucket(operation, symbol, now).windows[0]
        missing = used - window.used(now)
        if missing > 0:
            window.spend(missing, now)

    def charge(self, pools: Sequence[str], units: int, *, operation: str = "", symbol: str = "") -> None:
        """Spend units of what has already happened: nobody waits here, and who comes next waits until the budget has room again."""
        now = self._clock.monotonic()
        for name in pools:
            for window in self._pools[name].bucket(operation, symbol, now).windows:
                window.spend(units, now)

    def view(self, pool: str, *, operation: str = "", symbol: str = "") -> Budget:
        """What is left of a budget, and who waits for it."""
        now = self._clock.monotonic()
        bucket = self._pools[pool].bucket(operation, symbol, now)
        remaining = min((window.rate - window.used(now) for window in bucket.windows), default=0)
        waiting = sum(not turn.gone for _, _, turn in bucket.line)
        return Budget(max(0, remaining), waiting, max(0.0, bucket.paused_until - now))

    def _find(self, pools: Sequence[str], weight: int, operation: str, symbol: str) -> list[_Bucket]:
        now = self._clock.monotonic()
        found = []
        for name in pools:
            state = self._pools[name]
            if weight > state.rate:
                raise InvalidRequest(
                    f"costs {weight} units, and the pool {name!r} never holds more than {state.rate}",
                    exchange=self._exchange,
                    endpoint=operation,
                )
            found.append(state.bucket(operation, symbol, now))
        return found

    def _free(self, buckets: list[_Bucket], weight: int) -> bool:
        now = self._clock.monotonic()
        return all(bucket.first() is None and bucket.wait(weight, now) == 0.0 for bucket in buckets)

    async def _line_up(self, buckets: list[_Bucket], weight: int, operation: str, priority: int) -> None:
        if self._on_limit == "raise":
            raise self._refusal(buckets, weight, operation)
        turn, number = _Turn(weight), next(self._numbers)
        for bucket in buckets:
            heapq.heappush(bucket.line, (priority, number, turn))
        admitted = False
        try:
            while (delay := self._delay(buckets, turn)) > 0.0:
                await self._rest(turn, delay)
            admitted = True
        finally:
            turn.gone = True
            if not admitted:
                for bucket in buckets:
                    bucket.next()

    def _delay(self, buckets: list[_Bucket], turn: _Turn) -> float:
        now = self._clock.monotonic()
        return max(bucket.wait(turn.weight, now) if bucket.first() is turn else inf for bucket in buckets)

    async def _rest(self, turn: _Turn, delay: float) -> None:
        # A finite delay can only grow (pauses, usage, others with priority), so that nobody need wake the sleeper.
        if delay < inf:
            await self._clock.sleep(delay)
            return
        turn.bell = asyncio.get_running_loop().create_future()
        try:
            await turn.bell
        finally:
            turn.bell = None

    def _refusal(self, buckets: list[_Bucket], weight: int, operation: str) -> RateLimitExceeded:
        now = self._clock.monotonic()
        delay = max(bucket.wait(weight, now) for bucket in buckets)
        error = RateLimitExceeded("the local budget is used up; nothing was sent", exchange=self._exchange, endpoint=operation)
        error.retry_after = delay if delay < inf else None
        return error


class Hold:
    """Units held while the body of an `async with` runs (see `Limiter.hold`)."""

    __slots__ = ("_buckets", "_call", "_limiter")

    def __init__(self, limiter: Limiter, pools: Sequence[str], weight: int, operation: str, symbol: str, priority: int) -> None:
        self._limiter = limiter
        self._call = (pools, weight, operation, symbol, priority)
        self._buckets: list[_Bucket] = []

    async def __aenter__(self) -> None:
        pools, weight, operation, symbol, priority = self._call
        buckets = self._limiter._find(pools, weight, operation, symbol)
        if not self._limiter._free(buckets, weight):
            await self._limiter._line_up(buckets, weight, operation, priority)
        self._buckets = buckets
        for bucket in buckets:
            for window in bucket.windows:
                window.hold(weight)
            bucket.next()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        weight, now = self._call[1], self._limiter._clock.monotonic()
        for bucket in self._buckets:
            for window in bucket.windows:
                window.release(weight, now)
            bucket.next()
