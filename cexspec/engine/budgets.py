"""Budgets of connection attempts: venues count them by host, so all connections to a host share one."""

from __future__ import annotations

from urllib.parse import urlsplit

from cexspec.compile.plan import WindowPlan
from cexspec.transport.clock import Clock
from cexspec.transport.limiter import Limiter
from cexspec.transport.pools import Pool
from cexspec.transport.store import MemoryStore, Store
from cexspec.transport.window import Window

UNSAID = WindowPlan(60, 60.0)
"""The budget of a host for which the spec has none: no venue minds so few attempts, and every one minds a storm of them."""


class ConnectBudgets:
    """Waits until a host may be connected to once more. Clients with the same `store` share what they may.

    A `window` that is None is that of `UNSAID`.
    """

    def __init__(self, clock: Clock, store: Store | None = None) -> None:
        self._clock, self._store = clock, store or MemoryStore()
        self._limiters: dict[tuple[str, str], Limiter] = {}

    async def acquire(self, url: str, window: WindowPlan | None) -> None:
        """Spend one attempt."""
        limiter, name = self._limiter(url, window or UNSAID)
        await limiter.acquire([name])

    def pause(self, url: str, window: WindowPlan | None, seconds: float) -> None:
        """The host wants to be left alone for so long, by all connections."""
        limiter, name = self._limiter(url, window or UNSAID)
        limiter.pause(name, seconds)

    def _limiter(self, url: str, window: WindowPlan) -> tuple[Limiter, str]:
        host, name = urlsplit(url).netloc, f"connects: {window.rate} per {window.per:g} s"
        if (host, name) not in self._limiters:
            pool = Pool(name, (Window(window.rate, window.per),))
            self._limiters[host, name] = Limiter([pool], self._clock, store=self._store, owner=host)
        return self._limiters[host, name], name
