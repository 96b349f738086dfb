"""Where budgets are kept: in this process, or in a place that several processes share."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple, Protocol

from cexspec.transport.clock import Clock
from cexspec.transport.pools import Bucket, Claims, Pool, PoolState, Turn


class StoreStatus(NamedTuple):
    """How a store is: `outages` so far, and `alone`, the calls let through by its own count while it could not be reached."""

    kind: str
    reachable: bool = True
    outages: int = 0
    alone: int = 0


class Store(Protocol):
    """What limiters need of the place where budgets are kept. Lines of waiting callers are always the process's own."""

    direct: bool
    """`take` never waits for anybody, so that a call need not stand in line while it asks"""

    def state(self, owner: str, pool: Pool) -> PoolState:
        """The pool of this owner. Raises `ValueError` where others share it with other windows."""

    def number(self) -> int:
        """The next number in the order of arrival."""

    async def take(self, claims: Claims, clock: Clock, turn: Turn | None, *, held: bool, waits: bool = True) -> float:
        """Take all the units at once: 0.0, or nothing was taken and the seconds until it may be worth asking again.

        `held` units count until `release`; `inf`: that depends on work under way here. `waits`: the caller will ask again.
        """

    def release(self, claims: Claims, clock: Clock, turn: Turn | None) -> None:
        """Work has ended: its held units count as spent now."""

    def leave(self, turn: Turn) -> None:
        """A caller that waited will not ask again."""

    def spend(self, claims: Claims, clock: Clock) -> None:
        """Count units that have been used already."""

    def correct(self, bucket: Bucket, used: int, clock: Clock) -> None:
        """Others draw on the budget too: so much of it is used."""

    def pause(self, target: Bucket | PoolState, seconds: float, clock: Clock) -> None:
        """Let nobody through for so long."""

    def status(self) -> StoreStatus:
        """How the store is."""

    async def close(self) -> None:
        """Let go of what it holds."""


class MemoryStore:
    """Budgets of this process. Give one to several clients, and they share what the venue counts together.

    All of them have to run in one event loop.
    """

    direct = True

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], PoolState] = {}
        self._numbers = count()

    def state(self, owner: str, pool: Pool) -> PoolState:
        """See `Store.state`."""
        found = self._states.setdefault((owner, pool.name), PoolState(owner, pool))
        if (found.pool.windows, found.pool.by) != (pool.windows, pool.by):
            raise ValueError(f"the pool {pool.name!r} of {owner} is shared with a client that has other rate limits for it")
        return found

    def number(self) -> int:
        """See `Store.number`."""
        return next(self._numbers)

    async def take(self, claims: Claims, clock: Clock, turn: Turn | None, *, held: bool, waits: bool = True) -> float:
        """See `Store.take`."""
        now = clock.monotonic()
        delay = max((bucket.wait(weight, now) for bucket, weight in claims), default=0.0)
        if delay == 0.0:
            self._note(claims, now, held)
        return delay

    def release(self, claims: Claims, clock: Clock, turn: Turn | None) -> None:
        """See `Store.release`."""
        now = clock.monotonic()
        for bucket, weight in claims:
            for window in bucket.windows:
                window.release(weight, now)

    def leave(self, turn: Turn) -> None:
        """See `Store.leave`."""

    def spend(self, claims: Claims, clock: Clock) -> None:
        """See `Store.spend`."""
        self._note(claims, clock.monotonic(), held=False)

    def correct(self, bucket: Bucket, used: int, clock: Clock) -> None:
        """See `Store.correct`."""
        told, now = bucket.pool.pool.told, clock.monotonic()
        for window in bucket.windows if told is not None else bucket.windows[:1]:
            missing = used - window.used(now)
            if missing > 0 and (told is None or window.per == told.per):
                window.spend(missing, now)

    def pause(self, target: Bucket | PoolState, seconds: float, clock: Clock) -> None:
        """See `Store.pause`."""
        target.pause(clock.monotonic() + seconds)

    def status(self) -> StoreStatus:
        """See `Store.status`."""
        return StoreStatus("memory")

    async def close(self) -> None:
        """See `Store.close`."""

    def _note(self, claims: Claims, now: float, held: bool) -> None:
        for bucket, weight in claims:
            for window in bucket.windows:
                if held:
                    window.hold(weight)
                else:
                    window.spend(weight, now)
