"""Rate limits are waited for, not bumped into: named pools of budget, shared fairly by all who draw on them."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from types import TracebackType
from typing import Annotated, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from cexspec.models import InvalidRequest, RateLimitExceeded
from cexspec.models.measures import Measure
from cexspec.transport.clock import Clock
from cexspec.transport.pools import IDLE_BUCKETS, Bucket, Claims, Pool, Turn
from cexspec.transport.store import MemoryStore, Store
from cexspec.transport.window import SlidingWindow, Window

__all__ = ["IDLE_BUCKETS", "BucketBudget", "Budget", "Draw", "Hold", "Limiter", "Pool", "PoolBudget", "Priority"]


class Priority(IntEnum):
    """Who goes first where calls wait: the lower number."""

    ORDER = 0
    SNAPSHOT = 1
    """what streams need to go on: snapshots of books, lists of instruments"""
    MARKET_DATA = 2
    POLL = 3
    """what is asked for again and again: it comes later rather than that others wait"""


class Budget(NamedTuple):
    """A look at one budget: units free now, callers in line, seconds of pause left."""

    remaining: int
    waiting: int
    paused: float


class Draw(NamedTuple):
    """A window that a call draws on, the units it takes, and until when nobody is let through (seconds of the limiter's clock)."""

    window: SlidingWindow
    weight: int
    closed_until: float


class BucketBudget(NamedTuple):
    """The budget of one operation, or of one operation and symbol; both are empty where the pool has one for all."""

    operation: str
    symbol: str
    remaining: int
    waiting: int
    paused: float


@dataclass(frozen=True, slots=True)
class PoolBudget:
    """A look at a pool: the least `remaining` of its budgets, all who are `waiting`, the longest pause (`paused`, seconds).

    `buckets` are the budgets that have been drawn on; where each operation or symbol has its own, one that is not there is full.
    """

    name: str
    windows: tuple[Window, ...]
    scope: Literal["ip", "account", "endpoint"]
    remaining: int
    waiting: int
    paused: float
    buckets: tuple[BucketBudget, ...]


class LimiterStats(Struct, kw_only=True):
    """What calls had to wait for since the limiter was made, and who waits now."""

    waits: Annotated[int, Measure("counter", "REST calls that had to wait for a budget")] = 0
    wait_seconds: Annotated[float, Measure("counter", "Seconds that REST calls waited for budgets, those that gave up included")] = 0.0
    refusals: Annotated[int, Measure("counter", 'REST calls refused because they would have had to wait (`on_limit="raise"`)')] = 0
    waiting: Annotated[int, Measure("gauge", "REST calls that wait for a budget now")] = 0


class Limiter:
    """Holds every pool to its windows. Nobody overtakes in line, but for a lower `priority` number, and that only so often.

    With `on_limit="raise"` nobody waits: a call that would have to raises `RateLimitExceeded(retry_after)`. A weight
    that no window of the pool could ever hold is `InvalidRequest` at once. Cancelling a waiting call leaves the line
    and spends nothing.

    Limiters with the same `store` share the pools of the same `owner` (the exchange at a host), those with the scope
    `account` where the `account` is the same too.
    """

    def __init__(
        self,
        pools: Iterable[Pool],
        clock: Clock,
        *,
        on_limit: Literal["wait", "raise"] = "wait",
        exchange: str = "",
        store: Store | None = None,
        owner: str = "",
        account: str = "",
    ) -> None:
        self.store: Store = store or MemoryStore()
        self._pools = {pool.name: self.store.state(f"{owner}#{account}" if pool.scope == "account" else owner, pool) for pool in pools}
        self._every = tuple(name for name, state in self._pools.items() if state.pool.every)
        self._clock, self._on_limit, self._exchange = clock, on_limit, exchange
        self._counts = LimiterStats()

    @property
    def stats(self) -> LimiterStats:
        """What has been waited for so far."""
        return replace(self._counts)

    async def acquire(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "", priority: int = 0) -> None:
        """Spend `weight` units of every pool named, waiting until all of them have room at once."""
        claims = self._claims(pools, weight, operation, symbol)
        if not (self.store.direct and _free(claims) and not await self.store.take(claims, self._clock, None, held=False)):
            await self._line_up(claims, operation, priority, held=False)

    def hold(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "", priority: int = 0) -> Hold:
        """As `acquire`, for the length of an `async with`: the units start to age when its body ends.

        This is how requests are counted: the venue sees one at some moment between its start and its answer.
        """
        return Hold(self, pools, weight, operation, symbol, priority)

    def pause(self, pool: str, seconds: float, *, operation: str | None = None, symbol: str = "") -> None:
        """Let nobody through for `seconds`: the budget of one operation (and symbol), or all of the pool."""
        state = self._pools[pool]
        target = state if operation is None else state.bucket(operation, symbol, self._clock.monotonic())
        self.store.pause(target, seconds, self._clock)

    def ban(self, seconds: float) -> None:
        """The venue shuts the address out: nobody is let through to any pool that counts by it."""
        for state in self._pools.values():
            if state.pool.scope != "account":
                self.store.pause(state, seconds, self._clock)

    def usage(self, pool: str, used: int, *, operation: str = "", symbol: str = "") -> None:
        """The venue says how much of the pool's window (`Pool.told`) is used: others may draw on the same budget.

        Only more than what is known here corrects the count; venues count in fixed windows and begin again at 0.
        """
        self.store.correct(self._bucket(pool, operation, symbol), used, self._clock)

    def charge(self, pools: Sequence[str], units: int, *, operation: str = "", symbol: str = "") -> None:
        """Spend units of what has already happened: nobody waits here, and who comes next waits until the budget has room again."""
        self.store.spend([(self._bucket(name, operation, symbol), units) for name in pools], self._clock)

    def shares(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "") -> dict[Hashable, float]:
        """Budget -> the seconds for which one call of this weight uses all of it; calls that share a budget have its key in common."""
        found: dict[Hashable, float] = {}
        for name, units in [*((name, weight) for name in pools), *((name, 1) for name in self._every)]:
            pool = self._pools[name].pool
            key = {"pool": (name,), "operation": (name, operation), "symbol": (name, operation, symbol)}[pool.by]
            found[key] = max(units * window.per / window.rate for window in pool.windows)
        return found

    def view(self, pool: str, *, operation: str = "", symbol: str = "") -> Budget:
        """What is left of a budget, and who waits for it."""
        return _look(self._bucket(pool, operation, symbol), self._clock.monotonic())

    def draws(self, pools: Sequence[str], weight: int = 1, *, operation: str = "", symbol: str = "") -> list[Draw]:
        """The windows that such a call draws on, to look at. Raises `InvalidRequest` for a weight that they never hold."""
        claims = self._claims(pools, weight, operation, symbol)
        return [Draw(window, units, bucket.paused_until) for bucket, units in claims for window in bucket.windows]

    def snapshot(self) -> Mapping[str, PoolBudget]:
        """What is left of every pool, and who waits for it."""
        now = self._clock.monotonic()
        found = {}
        for name, state in self._pools.items():
            buckets = [BucketBudget(each.operation, each.symbol, *_look(each, now)) for each in state.buckets.values()]
            found[name] = PoolBudget(
                name,
                state.pool.windows,
                state.pool.scope,
                min((each.remaining for each in buckets), default=state.rate),
                sum(each.waiting for each in buckets),
                max([0.0, state.paused_until - now, *(each.paused for each in buckets)]),
                tuple(buckets),
            )
        return found

    def _bucket(self, pool: str, operation: str, symbol: str) -> Bucket:
        return self._pools[pool].bucket(operation, symbol, self._clock.monotonic())

    def _claims(self, pools: Sequence[str], weight: int, operation: str, symbol: str) -> Claims:
        now = self._clock.monotonic()
        claims = []
        for name in pools:
            state = self._pools[name]
            if weight > state.rate:
                raise InvalidRequest(
                    f"costs {weight} units, and the pool {name!r} never holds more than {state.rate}",
                    exchange=self._exchange,
                    endpoint=operation,
                )
            claims.append((state.bucket(operation, symbol, now), weight))
        for name in self._every:
            claims.append((self._pools[name].bucket(operation, symbol, now), 1))
        return claims

    async def _line_up(self, claims: Claims, operation: str, priority: int, *, held: bool) -> Turn:
        turn = Turn(priority, self.store.number(), [bucket for bucket, _ in claims])
        for bucket in turn.buckets:
            bucket.join(turn)
        admitted = False
        try:
            if (delay := await self._try(claims, turn, held)) > 0.0:
                if self._on_limit == "raise":
                    self._counts.refusals += 1
                    raise self._refusal(claims, delay, operation)
                await self._wait(claims, turn, delay, held=held)
            admitted = True
        finally:
            for bucket in turn.buckets:
                bucket.leave(turn)
            for bucket in turn.buckets:
                if admitted:
                    bucket.served(turn)
                bucket.next()
            if not admitted:
                self.store.leave(turn)
        return turn

    async def _try(self, claims: Claims, turn: Turn, held: bool) -> float:
        """0.0 when the units are taken; else the time to rest."""
        if any(bucket.first() is not turn for bucket in turn.buckets):
            return inf
        return await self.store.take(claims, self._clock, turn, held=held, waits=self._on_limit == "wait")

    async def _wait(self, claims: Claims, turn: Turn, delay: float, *, held: bool) -> None:
        """Until the units are taken."""
        counts, began = self._counts, self._clock.monotonic()
        counts.waits += 1
        counts.waiting += 1
        try:
            while delay > 0.0:
                await self._rest(turn, delay)
                delay = await self._try(claims, turn, held)
        finally:
            counts.waiting -= 1
            counts.wait_seconds += self._clock.monotonic() - began

    async def _rest(self, turn: Turn, delay: float) -> None:
        # A finite delay can only grow (pauses, usage, others with priority), so that nobody need wake the sleeper.
        if delay < inf:
            await self._clock.sleep(delay)
            return
        turn.bell = asyncio.get_running_loop().create_future()
        try:
            await turn.bell
        finally:
            turn.bell = None

    def _refusal(self, claims: Claims, delay: float, operation: str) -> RateLimitExceeded:
        if delay == inf:
            now = self._clock.monotonic()
            delay = max(bucket.wait(weight, now) for bucket, weight in claims)
        error = RateLimitExceeded("the local budget is used up; nothing was sent", exchange=self._exchange, endpoint=operation)
        error.retry_after = delay if 0.0 < delay < inf else None
        return error


class Hold:
    """Units held while the body of an `async with` runs (see `Limiter.hold`)."""

    __slots__ = ("_call", "_claims", "_limiter", "_turn")

    def __init__(self, limiter: Limiter, pools: Sequence[str], weight: int, operation: str, symbol: str, priority: int) -> None:
        self._limiter = limiter
        self._call = (pools, weight, operation, symbol, priority)
        self._claims: Claims = ()
        self._turn: Turn | None = None

    async def __aenter__(self) -> None:
        pools, weight, operation, symbol, priority = self._call
        limiter = self._limiter
        claims = self._claims = limiter._claims(pools, weight, operation, symbol)
        if not (limiter.store.direct and _free(claims) and not await limiter.store.take(claims, limiter._clock, None, held=True)):
            self._turn = await limiter._line_up(claims, operation, priority, held=True)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._limiter.store.release(self._claims, self._limiter._clock, self._turn)
        for bucket, _ in self._claims:
            bucket.next()


def _free(claims: Claims) -> bool:
    """Whether nobody stands in the way."""
    return all(not bucket.waiting for bucket, _ in claims)


def _look(bucket: Bucket, now: float) -> Budget:
    return Budget(bucket.remaining(now), bucket.waiting, max(0.0, bucket.paused_until - now))
