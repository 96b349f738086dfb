"""Pages: walks a history in the venue's own direction until what was asked for is complete.

What is asked for: the rows of [start, end), ascending; with `limit`, the first ones from `start`, or without a
`start` the last ones. Venues page one way only, so that two of the cases are walked in spans of time, candles by
their interval: the first rows where pages go backward, the last rows where they go forward.
"""

from __future__ import annotations

from dataclasses import replace

from cexspec.compile.plan import OperationPlan, Params
from cexspec.engine.span import Span, span_of
from cexspec.engine.times import interval_span
from cexspec.engine.walk import MAX_PAGES, Fetch, Keep, Walk
from cexspec.models import Event, InvalidRequest

LONGEST_HOLE = 1000
"""Missing candles that are looked behind, where pages have no known size."""


async def collect(
    operation: OperationPlan, params: Params, fetch: Fetch, now: int, *, keep: Keep | None = None, max_pages: int = MAX_PAGES
) -> list[Event]:
    """The rows that `params` ask of a paged operation (`now`: the present, nanoseconds).

    `keep` tells the rows that count among those of a page. Raises `InvalidRequest` where the venue's pages can't reach
    what is asked for, or not within `max_pages`.
    """
    span, walk = span_of(params), Walk(operation, params, fetch, keep, max_pages)
    step = interval_span(params["interval"]) if params.get("interval") else None
    if walk.backward and span.start is not None and span.limit is not None and step is not None:
        await _first_rows(walk, span, span.limit, step, now)
    elif walk.backward or span.start is not None or span.limit is None:
        await walk.run(span)
    elif step is not None and (span.end is not None or span.limit > walk.page_size):
        await _last_rows(walk, span, span.limit, step, now)
    else:
        await _last_page(walk, span, span.limit)
    return span.cut(walk.ascending())


async def _first_rows(walk: Walk, span: Span, limit: int, step: int, now: int) -> None:
    """The first rows from `start`, of pages that go backward: bounded by the interval, and wider where candles are missing."""
    low, width = span.start or 0, limit * step
    last = span.end if span.end is not None else now + step
    while low < last and walk.count(span) < limit:
        high = min(low + width, last)
        await walk.run(Span(low, high if high < last else span.end, limit))
        low, width = high, width * 2


async def _last_rows(walk: Walk, span: Span, limit: int, step: int, now: int) -> None:
    """The last rows, of pages that go forward: begun early enough by the interval, and earlier where candles are missing.

    A page's worth of intervals without a single candle is taken for the beginning of the history.
    """
    high = now + step if span.end is None else min(span.end, now + step)
    end, width, count, grown = span.end, limit * step, 0, True
    while count < limit and (grown or width <= 2 * step * min(walk.page_size, LONGEST_HOLE)):
        low = max(0, high - width)
        await walk.run(Span(low, end))
        high, end, width = low, low, width * 2
        grown, count = walk.count(span) > count, walk.count(span)


async def _last_page(walk: Walk, span: Span, limit: int) -> None:
    """The last rows, of pages that go forward and have no interval: what the venue's newest page holds."""
    if limit > walk.page_size:
        name = walk.operation.name
        raise InvalidRequest(f"{name} gives at most {walk.page_size} of the newest rows: pass start to walk forward from there")
    await walk.run(span)
    if walk.count(span) < limit and walk.cut_off(span):
        await walk.run(replace(span, limit=int(walk.page_size)))
