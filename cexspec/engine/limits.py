"""The limiter of a plan: its pools, in the transport's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from cexspec.compile.plan import PoolPlan
from cexspec.transport.clock import Clock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.window import Window


def limiter_of(pools: Mapping[str, PoolPlan], clock: Clock, *, exchange: str = "", on_limit: Literal["wait", "raise"] = "wait") -> Limiter:
    """A limiter that holds the budgets of a plan (see `Limiter` for `on_limit`)."""
    return Limiter(
        (Pool(pool.name, tuple(Window(window.rate, window.per) for window in pool.windows), pool.by) for pool in pools.values()),
        clock,
        exchange=exchange,
        on_limit=on_limit,
    )
