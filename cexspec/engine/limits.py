"""The limiter of a plan: its pools in the transport's terms, with the user's own rates in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.compile.plan import PoolPlan
from cexspec.transport.clock import Clock
from cexspec.transport.limiter import Limiter, PoolBudget
from cexspec.transport.pools import Pool
from cexspec.transport.redis_store import RedisStore
from cexspec.transport.store import MemoryStore, Store, StoreStatus
from cexspec.transport.window import Window

GLOBAL = "global"
"""The pool of the user that every request to the exchange draws one unit from."""
LIMIT_KEYS = {"rate", "period"}
RateLimits = Mapping[str, Mapping[str, float]]
"""Pool -> `{"rate": 100, "period": 60}`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A look at the budgets of a client: `pools` by name, and the `store` where they are kept."""

    pools: Mapping[str, PoolBudget]
    store: StoreStatus

    def __getitem__(self, pool: str) -> PoolBudget:
        return self.pools[pool]


def limiter_of(
    pools: Mapping[str, PoolPlan],
    clock: Clock,
    *,
    exchange: str = "",
    on_limit: Literal["wait", "raise"] = "wait",
    rate_limits: RateLimits | None = None,
    store: Store | None = None,
    owner: str = "",
) -> Limiter:
    """A limiter that holds the budgets of a plan (see `Limiter`).

    `rate_limits` take the place of the plan's; `global` is one of every plan, and counts requests. Raises `ValueError`
    for those of another form or name, and where a shared store has other windows for a pool.
    """
    found = {pool.name: _pool(pool) for pool in pools.values()}
    for name, limit in (rate_limits or {}).items():
        window = _window(name, limit)
        if name in found:
            found[name] = replace(found[name], windows=(window,), told=found[name].windows[0])
        elif name == GLOBAL:
            found[name] = Pool(name, (window,), every=True)
        else:
            raise ValueError(f"no pool is called {name!r} (there are: {', '.join([*pools, GLOBAL])})")
    return Limiter(found.values(), clock, exchange=exchange, on_limit=on_limit, store=store, owner=owner)


def owner_of(exchange: str, environment: EnvironmentPlan) -> str:
    """Whose budgets they are: those of the exchange at the environment's host."""
    host = urlsplit(environment.rest).netloc if environment.rest else environment.name
    return f"{exchange}@{host}"


def store_of(wanted: str | Store | None) -> Store:
    """The store itself, a new one at the URL of a Redis server, or a new one in memory. Raises `ValueError`, `ImportError`."""
    if wanted is None:
        return MemoryStore()
    return RedisStore(wanted) if isinstance(wanted, str) else wanted


def _pool(plan: PoolPlan) -> Pool:
    return Pool(plan.name, tuple(Window(window.rate, window.per) for window in plan.windows), plan.by, plan.scope)


def _window(name: str, limit: Mapping[str, Any]) -> Window:
    if set(limit) != LIMIT_KEYS:
        raise ValueError(f"rate_limits[{name!r}] has the keys rate and period")
    rate, period = limit["rate"], float(limit["period"])
    if rate != int(rate) or rate < 1 or not 0 < period < float("inf"):
        raise ValueError(f"rate_limits[{name!r}]: rate is a whole number from 1, period a number of seconds above 0")
    return Window(int(rate), period)
