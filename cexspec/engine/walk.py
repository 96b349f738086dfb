"""One walk over pages: asks no page twice, keeps every row once, and knows when to stop."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from math import inf
from typing import Any

from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan, Params
from cexspec.engine.cursor import UNIQUE, ascending, cursor_of, moment, own_id, place, time_cursor, with_cursor
from cexspec.engine.span import Span
from cexspec.engine.times import UNITS
from cexspec.models import Event, InvalidRequest
from cexspec.models.log_events import LogEvent

MAX_PAGES = 10_000
log = logging.getLogger(__name__)

Fetch = Callable[[HttpRequest], Awaitable[tuple[Sequence[Event], bytes]]]
"""Request -> its rows, and the body they were read from."""
Keep = Callable[[Event], bool]


class Walk:
    """The pages asked for and the rows they brought."""

    def __init__(self, operation: OperationPlan, params: Params, fetch: Fetch, keep: Keep | None, max_pages: int) -> None:
        if operation.page is None:
            raise ValueError(f"{operation.name} has no pages")
        self.operation, self._page, self._params = operation, operation.page, dict(params)
        self._fetch, self._keep, self._max_pages = fetch, keep, max_pages
        limit = operation.params.get("limit")
        self._max = limit.max if limit is not None else None
        self._unique = operation.reader is not None and issubclass(operation.reader.model, UNIQUE)
        self._known: Counter[Hashable] = Counter()
        self._pages: list[list[Event]] = []
        self._asked: set[HttpRequest] = set()

    @property
    def backward(self) -> bool:
        """Newest page first."""
        return self._page.direction == "backward"

    @property
    def page_size(self) -> float:
        """Rows of a page at most."""
        return inf if self._max is None else self._max

    def ascending(self) -> list[Event]:
        """Every row that counts, oldest first (see `ascending`)."""
        pages = reversed(self._pages) if self.backward else self._pages
        return sorted((row for page in pages for row in page if self._counts(row)), key=place)

    def count(self, bounds: Span) -> int:
        """The rows so far within the bounds."""
        return sum(self._held(page, bounds) for page in self._pages)

    def cut_off(self, bounds: Span) -> bool:
        """Whether a page brought rows past the end."""
        return bounds.end is not None and any(moment(row) >= bounds.end for page in self._pages for row in page)

    async def run(self, bounds: Span) -> None:
        """Walk from one end of the bounds to the other, or until their limit is reached."""
        request: HttpRequest | None = self._first(bounds)
        count = self.count(bounds)
        while request is not None and request not in self._asked:
            if len(self._asked) >= self._max_pages:
                raise InvalidRequest(f"{self.operation.name} would take more than {self._max_pages} pages: ask for less")
            self._asked.add(request)
            rows, body = await self._fetch(request)
            page = ascending(rows, newest_first=self.backward)
            fresh = self._new(page)
            self._pages.append(fresh)
            count += self._held(fresh, bounds)
            done = not page or self._complete(bounds, page, count)
            request = None if done else self._next(bounds, page, bool(fresh), body)

    def _counts(self, row: Event) -> bool:
        return self._keep is None or self._keep(row)

    def _held(self, rows: list[Event], bounds: Span) -> int:
        return sum(bounds.holds(row) and self._counts(row) for row in rows)

    def _new(self, page: list[Event]) -> list[Event]:
        """The rows that no earlier page brought. Rows alike within one page are as many rows, where a time has several."""
        here: Counter[Hashable] = Counter()
        fresh = []
        for row in page:
            identity = self._identity(row)
            here[identity] += 1
            if here[identity] > self._known[identity] and not (self._unique and here[identity] > 1):
                fresh.append(row)
        self._known |= here
        return fresh

    def _identity(self, row: Event) -> Hashable:
        if self._unique:
            return row.symbol, row.timestamp
        if (found := own_id(row)) is not None:
            return row.symbol, row.timestamp, found
        return tuple(getattr(row, name) for name in row.__struct_fields__ if name != "received")

    def _complete(self, bounds: Span, page: list[Event], count: int) -> bool:
        if self._page.all and bounds.limit is None:
            return len(page) < self.page_size and self._max is not None
        if bounds.start is None and (bounds.limit is None or not self.backward):
            return True
        enough = bounds.limit is not None and count >= bounds.limit
        if not self.backward:
            return enough or (bounds.end is not None and moment(page[-1]) >= bounds.end)
        return enough if bounds.start is None else moment(page[0]) < bounds.start + self._unique

    def _first(self, bounds: Span) -> HttpRequest:
        limit = bounds.limit if bounds.limit is not None or bounds.start is None else self._max
        params = self._with(bounds, limit)
        request = self.operation.build(params)
        bound, name = (bounds.end, "end") if self.backward else (bounds.start, "start")
        if bound is None or not self._ignores(name, params, request):
            return request
        if self._page.by == "timestamp":
            return with_cursor(request, self._page, time_cursor(bound, self._page, beyond=self.backward))
        if not self.backward:
            raise InvalidRequest(f"{self.operation.name} can't begin at a time", endpoint=self.operation.name)
        return request

    def _ignores(self, name: str, params: dict[str, Any], request: HttpRequest) -> bool:
        try:
            return request == self.operation.build({**params, name: None})
        except KeyError:
            return False

    def _next(self, bounds: Span, page: list[Event], progress: bool, body: bytes) -> HttpRequest | None:
        if self._page.cursor is not None:
            cursor = self._page.cursor(body)
            return None if cursor is None else self._continued(bounds, cursor)
        if self._page.by == "offset":
            return self._continued(bounds, str(sum(map(len, self._pages))))
        edge = page[0] if self.backward else page[-1]
        following = self._after(bounds, edge, beyond=self._unique)
        if progress and following not in self._asked:
            return following
        if len(page) < self.page_size or self._page.by != "timestamp":
            return None
        text = "%s: one time has as many rows as a page holds; there may be more that can't be reached"
        log.warning(text, self.operation.name, extra={"event": LogEvent.PAGE_TOO_FULL})
        return self._after(bounds, edge, beyond=True)

    def _after(self, bounds: Span, edge: Event, *, beyond: bool) -> HttpRequest | None:
        cursor = cursor_of(edge, self._page, beyond=beyond)
        return None if cursor is None else self._continued(bounds, cursor)

    def _continued(self, bounds: Span, cursor: str) -> HttpRequest:
        return with_cursor(self.operation.build(self._with(bounds, self._max)), self._page, cursor)

    def _with(self, bounds: Span, limit: int | None) -> dict[str, Any]:
        """The parameters of one request. The end is rounded up to what the venue can tell apart: rows past it are cut."""
        unit = UNITS[self._page.unit or "ms"]
        end = None if bounds.end is None else -(-bounds.end // unit) * unit
        return {**self._params, "start": bounds.start, "end": end, "limit": limit}
