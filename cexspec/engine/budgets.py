"""Budgets of connection attempts: venues count them by host, so all connections of a client to a host share one."""

from __future__ import annotations

from urllib.parse import urlsplit

from cexspec.compile.plan import WindowPlan
from cexspec.transport.clock import Clock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.window import Window


class ConnectBudgets:
    """Waits until a host may be connected to once more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limiters: dict[tuple[str, WindowPlan], Limiter] = {}

    async def acquire(self, url: str, window: WindowPlan | None) -> None:
        """Spend one attempt; no window: no budget."""
        if window is None:
            return
        key = (urlsplit(url).netloc, window)
        if key not in self._limiters:
            self._limiters[key] = Limiter([Pool("connects", (Window(window.rate, window.per),))], self._clock)
        await self._limiters[key].acquire(["connects"])
