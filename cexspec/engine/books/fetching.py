"""Fetches the snapshots of books over REST, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cexspec.compile.plan import Params
from cexspec.engine.books.snapshots import SnapshotLine
from cexspec.engine.books.synced import Fetch, SyncedBook
from cexspec.engine.holes import FetchRows
from cexspec.models import Book, CexspecError, Event, InvalidRequest
from cexspec.models.log_events import LogEvent
from cexspec.transport.clock import Clock

log = logging.getLogger("cexspec.stream")


class Fetching:
    """`fetch` is None where there is no REST; `params_of` says how a request names a book's market; `tell` hears what books tell."""

    def __init__(
        self,
        exchange: str,
        fetch: FetchRows | None,
        params_of: Callable[[SyncedBook], Params],
        at_once: int,
        clock: Clock,
        tell: Callable[[SyncedBook, list[Event]], None],
    ) -> None:
        self._exchange, self.fetch, self._params_of, self._at_once = exchange, fetch, params_of, at_once
        self._clock, self._tell = clock, tell
        self._line = SnapshotLine()
        self._under_way: set[asyncio.Task[None]] = set()

    def add(self, wanted: Fetch, number: int) -> None:
        """Fetch this when its turn comes; `number` is the book's place in the order asked for."""
        self._line.add(wanted, number)
        self._go_on()

    async def close(self) -> None:
        """Stop; returns when nothing is left running."""
        self._line = SnapshotLine()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _go_on(self, ended: asyncio.Task[None] | None = None) -> None:
        if ended is not None:
            self._under_way.discard(ended)
        while len(self._under_way) < self._at_once and (wanted := self._line.next()) is not None:
            name = f"cexspec snapshot of {wanted.book.symbol()}"
            task = asyncio.get_running_loop().create_task(self._snapshot(wanted), name=name)
            self._under_way.add(task)
            task.add_done_callback(self._go_on)

    async def _snapshot(self, wanted: Fetch) -> None:
        """Fetch a snapshot and hand it in."""
        book = wanted.book
        book.waiting.asking()
        try:
            snapshot = await self._fetched(wanted)
        except CexspecError as error:
            told = book.failed(wanted.ticket, str(error), self._clock.monotonic())
        except Exception as failure:
            log.exception("a snapshot of %s failed", book.symbol(), extra={"event": LogEvent.INTERNAL_ERROR})
            told = book.failed(wanted.ticket, repr(failure), self._clock.monotonic())
        else:
            told = book.fetched(wanted.ticket, snapshot, self._clock.monotonic())
        self._tell(book, told)

    async def _fetched(self, wanted: Fetch) -> Book:
        assert self.fetch is not None
        rows = await self.fetch(wanted.operation, {**self._params_of(wanted.book), "depth": wanted.depth})
        for row in rows:
            if isinstance(row, Book):
                return row
        raise InvalidRequest(f"the answer of {wanted.operation} holds no book", exchange=self._exchange)
