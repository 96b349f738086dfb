"""Where the next page begins, and how to ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from cexspec.compile.http_request import HttpRequest, pairs_of, urlencoded
from cexspec.compile.plan import PagePlan
from cexspec.engine.chronology import counted
from cexspec.engine.times import UNITS
from cexspec.models import Candle, Event, FundingRate, OpenInterest, Order

UNIQUE = (Candle, FundingRate, OpenInterest)
"""Models of which a market has one at any time. Of others there may be several, on both sides of a page's end."""


def ascending(rows: Sequence[Event], *, newest_first: bool = False) -> list[Event]:
    """The rows of one answer, oldest first; among rows of one time a counting id decides, or the venue's own order.

    `newest_first` says what that order is where the rows don't tell.
    """
    if rows:
        first, last = place(rows[0]), place(rows[-1])
        newest_first = first > last if first != last else newest_first
    return sorted(reversed(rows) if newest_first else rows, key=place)


def place(row: Event) -> tuple[int, int]:
    """What rows are sorted by: their time, and their id where it counts."""
    return moment(row), counted(own_id(row))


def own_id(row: Event) -> str | None:
    """The row's own id, of models that have one."""
    found: str | None = row.order_id if isinstance(row, Order) else getattr(row, "id", None)
    return found


def moment(row: Event) -> int:
    """The row's time; rows without one sort first."""
    return row.timestamp or 0


def cursor_of(edge: Event, page: PagePlan, *, beyond: bool) -> str | None:
    """The cursor of the page that follows the row `edge`; None where the row has none.

    Not `beyond`, rows of the edge's own time are asked for again, because a page may end between rows of one time.
    """
    if page.by in ("id", "order_id"):
        return own_id(edge)
    return None if edge.timestamp is None else time_cursor(edge.timestamp, page, beyond=beyond)


def time_cursor(time: int, page: PagePlan, *, beyond: bool) -> str:
    """The cursor that asks for rows from `time` on, in the page's direction and unit; `beyond`: without `time` itself."""
    unit = UNITS[page.unit or "ms"]
    floor, ceiling = time // unit, -(-time // unit)
    if page.direction == "backward":
        newest = ceiling - 1 if beyond else ceiling if page.inclusive else floor
        return str(newest if page.inclusive else newest + 1)
    oldest = floor + 1 if beyond else floor if page.inclusive else ceiling
    return str(oldest if page.inclusive else oldest - 1)


def with_cursor(request: HttpRequest, page: PagePlan, cursor: str) -> HttpRequest:
    """The request continued from `cursor`."""
    left_out = {page.param, *page.drop}
    query, form = (tuple(pair for pair in pairs_of(text) if pair[0] not in left_out) for text in (request.query, request.form))
    if page.within == "body":
        return replace(request, query=urlencoded(query), body=_continued(request.body or b"{}", page, cursor))
    if page.within == "form":
        return replace(request, query=urlencoded(query), form=urlencoded((*form, (page.param, cursor))))
    return replace(request, query=urlencoded((*query, (page.param, cursor))))


def _continued(body: bytes, page: PagePlan, cursor: str) -> bytes:
    """The body continued from `cursor`."""
    document = msgspec.json.decode(body)
    for dotted in page.drop:
        around, name = _around(document, dotted)
        around.pop(name, None)
    around, name = _around(document, page.param)
    around[name] = int(cursor) if page.unit is not None else cursor
    return msgspec.json.encode(document)


def _around(document: dict[str, Any], dotted: str) -> tuple[dict[str, Any], str]:
    """The object that holds a key with dots, made where it is missing, and the key in it."""
    *outer, name = dotted.split(".")
    for one in outer:
        document = document.setdefault(one, {})
    return document, name
