"""What must wait until the instruments are loaded: symbols that no rule writes, and channels that count contracts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from cexspec.engine.dispatch import Subscription
from cexspec.engine.markets import Markets
from cexspec.models import CexspecError
from cexspec.models.log_events import LogEvent

log = logging.getLogger(__name__)
Prepare = Callable[[], Awaitable[None]]
"""Loads the instruments."""
Then = Callable[[set[Subscription], CexspecError | None], None]
"""Told of the subscriptions that have waited and are still wanted, and of what kept the instruments away."""


class Preparation:
    """Loads the instruments when something waits for them. `prepare` is None where the venue doesn't list any."""

    def __init__(self, prepare: Prepare | None, exchange: str, markets: Markets) -> None:
        self._prepare, self._exchange, self._markets = prepare, exchange, markets
        self._waiting: dict[asyncio.Task[None], set[Subscription]] = {}

    @property
    def ahead(self) -> bool:
        """Whether there are instruments that could be loaded."""
        return self._prepare is not None and not self._markets.loaded

    @property
    def waiting(self) -> tuple[Subscription, ...]:
        """What waits for them now."""
        return tuple(subscription for waiting in self._waiting.values() for subscription in waiting)

    def before(self, subscriptions: set[Subscription], then: Then) -> None:
        """Load the instruments, then call this."""
        task = asyncio.get_running_loop().create_task(self._run(subscriptions, then))
        self._waiting[task] = subscriptions
        task.add_done_callback(self._waiting.pop)

    def forget(self, subscriptions: Iterable[Subscription]) -> None:
        """These are wanted no longer."""
        gone = set(subscriptions)
        for waiting in self._waiting.values():
            waiting -= gone

    async def close(self) -> None:
        """Stop; nothing is called any more."""
        for task in tuple(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _run(self, subscriptions: set[Subscription], then: Then) -> None:
        trouble: CexspecError | None = None
        try:
            assert self._prepare is not None
            await self._prepare()
        except CexspecError as error:
            trouble = error
            text = "%s: the instruments could not be loaded, contracts stay unconverted: %s"
            log.warning(text, self._exchange, error, extra={"event": LogEvent.INSTRUMENTS_UNAVAILABLE})
        then(subscriptions, trouble)
