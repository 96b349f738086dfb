"""Sends what changes an account: once, to the end, whatever becomes of the caller."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from cexspec.engine.sent import Mark, watched
from cexspec.models import CexspecError, Order
from cexspec.models.log_events import LogEvent

T = TypeVar("T")
log = logging.getLogger("cexspec.trade")


class Errands:
    """Work that is done in tasks of its own: a caller who is cancelled before anything was sent takes it along, later it goes on."""

    def __init__(self) -> None:
        self._left: set[asyncio.Task[Any]] = set()

    @property
    def left(self) -> int:
        """How many go on without a caller."""
        return len(self._left)

    async def run(self, what: str, work: Callable[[Mark], Coroutine[Any, Any, T]]) -> T:
        """The work's result. Cancelled after something was sent, the work goes on and is told of in the log."""
        mark = Mark()
        task = asyncio.get_running_loop().create_task(_marked(mark, work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() or task.done():
                raise
            if not mark.sent:
                task.cancel()
                await asyncio.wait((task,))
            else:
                self._leave(task, what)
            raise

    async def finish(self) -> None:
        """Wait for what goes on without a caller."""
        while self._left:
            await asyncio.wait(self._left)

    def _leave(self, task: asyncio.Task[Any], what: str) -> None:
        text = "%s was sent, and whoever asked for it was cancelled: its outcome is still found out"
        log.warning(text, what, extra={"event": LogEvent.ORDER_UNSETTLED})
        self._left.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._left.discard(task)
            outcome = "cancelled, outcome unknown" if task.cancelled() else task.exception() or task.result()
            text = "%s, which nobody waits for any more: %s"
            log.warning(text, what, _told(outcome), extra={"event": LogEvent.ORDER_UNSETTLED})

        task.add_done_callback(ended)


async def _marked(mark: Mark, work: Callable[[Mark], Awaitable[T]]) -> T:
    with watched(mark):
        return await work(mark)


def _told(outcome: object) -> str:
    if isinstance(outcome, Order):
        return f"the order {outcome.order_id or outcome.client_order_id} is {outcome.status}"
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, CexspecError) else str(outcome)
