"""Pages against the naive slice of the whole series, in every way venues page."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile.http_request import HttpRequest, pairs_of
from cexspec.compile.plan import OperationPlan, PagePlan, ParamPlan, Params
from cexspec.engine.cursor import time_cursor, with_cursor
from cexspec.engine.paging import collect
from cexspec.models import Candle, Event, InvalidRequest, Liquidation, Order, Trade
from tests.engine.fake_venue import changed, operation

MS = 1_000_000
STEP = 60_000
BASE = 1_700_000_040_000


@dataclass
class PagedVenue:
    """A venue with one history, ascending, and its habits."""

    rows: list[Event]
    page: PagePlan
    size: int
    ascending: bool = False
    end_included: bool = False
    requests: list[HttpRequest] = field(default_factory=list)

    async def fetch(self, request: HttpRequest) -> tuple[list[Event], bytes]:
        assert request not in self.requests, "asked twice"
        self.requests.append(request)
        query = dict(pairs_of(request.query))
        limit = int(query["limit"])
        assert limit <= self.size
        rows = [row for row in self.rows if self._fits(row, query)]
        from_the_oldest = self.page.direction == "forward" and ("start" in query or self.page.param in query)
        rows = rows[:limit] if from_the_oldest else rows[-limit:]
        following = f"{rows[0 if self.page.direction == 'backward' else -1].timestamp}" if rows else ""
        return (rows if self.ascending else rows[::-1]), following.encode()

    def _fits(self, row: Event, query: dict[str, str]) -> bool:
        time, here = _ms(row), True
        if "start" in query:
            here = time >= int(query["start"])
        if "end" in query:
            here = here and time < int(query["end"]) + self.end_included
        if self.page.param in query and self.page.param not in ("start", "end"):
            here = here and self._beyond(row, int(query[self.page.param]))
        return here

    def _beyond(self, row: Event, cursor: int) -> bool:
        place = int(getattr(row, "id", 0)) if self.page.by == "id" else _ms(row) if self.page.by else row.timestamp or 0
        if place == cursor:
            return self.page.inclusive
        return place < cursor if self.page.direction == "backward" else place > cursor


def _ms(row: Event) -> int:
    assert row.timestamp is not None
    return row.timestamp // MS


def trades(gaps: list[int]) -> list[Event]:
    time, rows = BASE, list[Event]()
    for number, gap in enumerate(gaps):
        time += gap
        rows.append(
            Trade(exchange="x", symbol="S", timestamp=time * MS, id=str(95 + number), price=Decimal(1), size=Decimal(1), side="buy")
        )
    return rows


def candles(gaps: list[int]) -> list[Event]:
    time, rows, one = BASE, list[Event](), Decimal(1)
    for gap in gaps:
        time += STEP * max(1, gap)
        rows.append(Candle(exchange="x", symbol="S", timestamp=time * MS, interval="1m", open=one, high=one, low=one, close=one))
    return rows


def paged(venue: PagedVenue, *, start: bool = True, end: bool = True, default: int | None = None) -> OperationPlan:
    query = {"limit": "limit"} | ({"start": "start"} if start else {}) | ({"end": "end"} if end else {})
    model = type(venue.rows[0]) if venue.rows else Trade
    bounds = ParamPlan(str(default or venue.size), venue.size)
    return operation("history", model, lambda wire, context: [], query=query, page=venue.page, limit=bounds)


def page(direction: str, by: str | None = "timestamp", *, inclusive: bool = False, drop: tuple[str, ...] = ("start", "end")) -> PagePlan:
    unit = "ms" if by == "timestamp" else None
    cursor = None if by else (lambda body: body.decode() or None)
    return PagePlan(direction, "cursor", by, unit, inclusive, drop, cursor)  # type: ignore[arg-type]


def naive(rows: list[Event], start: int | None, end: int | None, limit: int | None) -> list[Event]:
    held = [row for row in rows if (start is None or _ms(row) >= start) and (end is None or _ms(row) < end)]
    return held if limit is None else held[:limit] if start is not None else held[-limit:]


def ask(
    venue: PagedVenue, plan: OperationPlan, start: int | None, end: int | None, limit: int | None, interval: str | None = None
) -> list[Event]:
    params = {"start": start and start * MS, "end": end and end * MS, "limit": limit, "interval": interval}
    now = max([BASE, *map(_ms, venue.rows)]) * MS + 5
    return asyncio.run(collect(plan, params, venue.fetch, now))


@st.composite
def histories(draw: st.DrawFn, kind: str) -> list[Event]:
    if kind == "candle":
        return candles(draw(st.lists(st.sampled_from([1, 1, 1, 2, 3]), max_size=60)))
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 5]), min_size=draw(st.sampled_from([0, 20])), max_size=60))
    for at in range(2, len(gaps)):  # at most three rows of one time: fewer than the smallest page
        if gaps[at] == gaps[at - 1] == 0:
            gaps[at] = 1
    return trades(gaps)


@st.composite
def asked(draw: st.DrawFn, rows: list[Event]) -> tuple[int | None, int | None, int | None]:
    times = sorted({_ms(row) for row in rows} | {BASE, BASE + 7})
    edge = st.one_of(st.none(), st.sampled_from(times), st.integers(BASE - 10, times[-1] + 10))
    start, end = draw(edge), draw(edge)
    limit = draw(st.one_of(st.none(), st.integers(1, 70)))
    if start is not None and end is not None and start >= end:
        start, end = (end, start) if start > end else (start, None)
    return start, end, limit if limit is not None or start is not None else 10


@settings(max_examples=400)
@given(data=st.data(), kind=st.sampled_from(["trade", "candle"]), direction=st.sampled_from(["backward", "forward"]))
def test_pages_add_up_to_the_naive_slice(data: st.DataObject, kind: str, direction: str) -> None:
    rows = data.draw(histories(kind))
    by = data.draw(st.sampled_from(["timestamp", "id"] if kind == "trade" else ["timestamp", None]))
    plan_page = page(
        direction, by, inclusive=data.draw(st.booleans()) if by else False, drop=data.draw(st.sampled_from([("start", "end"), ()]))
    )
    venue = PagedVenue(rows, plan_page, data.draw(st.integers(4, 20)), data.draw(st.booleans()), data.draw(st.booleans()))
    sends_start = (direction == "forward" and by != "timestamp") or data.draw(st.booleans())
    sends_end = data.draw(st.booleans())
    if by == "id" or by is None:
        sends_end = sends_end or direction == "forward"
    start, end, limit = data.draw(asked(rows))
    if direction == "forward" and start is None:
        sends_end = True
        if kind == "trade":
            limit = min(limit or 1, venue.size - 3)
    result = ask(venue, paged(venue, start=sends_start, end=sends_end), start, end, limit, "1m" if kind == "candle" else None)
    assert result == naive(rows, start, end, limit)


@pytest.mark.parametrize(
    ("direction", "inclusive", "unit", "time", "beyond", "cursor"),
    [
        ("backward", False, "ms", 5_000_000, False, "6"),
        ("backward", False, "ms", 5_000_000, True, "5"),
        ("backward", True, "ms", 5_000_000, False, "5"),
        ("backward", True, "ms", 5_000_000, True, "4"),
        ("backward", True, "ms", 5_000_001, False, "6"),
        ("backward", False, "ms", 5_000_001, False, "6"),
        ("forward", False, "ms", 5_000_000, False, "4"),
        ("forward", False, "ms", 5_000_000, True, "5"),
        ("forward", True, "ms", 5_000_000, False, "5"),
        ("forward", True, "ms", 5_000_000, True, "6"),
        ("forward", True, "s", 5_999_999_999, False, "5"),
        ("forward", False, "s", 5_999_999_999, False, "5"),
        ("forward", True, "ns", 5, True, "6"),
        ("forward", True, "us", 5_000, True, "6"),
    ],
)
def test_a_time_cursor_reaches_the_edge_or_what_lies_beyond(
    direction: str, inclusive: bool, unit: str, time: int, beyond: bool, cursor: str
) -> None:
    plan = PagePlan(direction, "c", "timestamp", unit, inclusive, (), None)  # type: ignore[arg-type]
    assert time_cursor(time, plan, beyond=beyond) == cursor


def test_no_page_more_than_needed_is_asked_for_candles() -> None:
    venue = PagedVenue(candles([1] * 1000), page("backward"), 100)
    assert len(ask(venue, paged(venue), None, None, 300, "1m")) == 300
    assert len(venue.requests) == 3


def test_the_first_rows_of_a_venue_that_pages_backward_need_no_walk_from_the_present() -> None:
    venue = PagedVenue(candles([1] * 5000), page("backward"), 100)
    start = _ms(venue.rows[0])
    assert ask(venue, paged(venue), start, None, 150, "1m") == venue.rows[:150]
    assert len(venue.requests) <= 3


def test_the_last_rows_of_a_venue_that_pages_forward_are_found_by_the_interval() -> None:
    venue = PagedVenue(candles([1] * 3000), page("forward", inclusive=True), 1000)
    assert ask(venue, paged(venue), None, None, 1500, "1m") == venue.rows[-1500:]
    assert len(venue.requests) <= 4


def test_without_start_and_limit_one_page_of_the_venues_own_size_is_asked() -> None:
    for direction in ("backward", "forward"):
        venue = PagedVenue(candles([1] * 50), page(direction), 20)
        assert ask(venue, paged(venue, default=7), None, None, None, "1m") == venue.rows[-7:]
        assert len(venue.requests) == 1


def test_newest_rows_beyond_one_page_need_a_start_where_pages_go_forward() -> None:
    venue = PagedVenue(trades([1] * 50), page("forward"), 20)
    with pytest.raises(InvalidRequest, match="history gives at most 20 of the newest rows: pass start"):
        ask(venue, paged(venue), None, None, 21)


def test_pages_by_id_that_can_not_begin_at_a_time_say_so() -> None:
    venue = PagedVenue(trades([1] * 50), page("forward", "id"), 20)
    with pytest.raises(InvalidRequest, match="history can't begin at a time"):
        ask(venue, paged(venue, start=False), BASE, None, 10)


def test_more_pages_than_allowed_are_an_error_not_a_shorter_answer() -> None:
    venue = PagedVenue(trades([1] * 50), page("backward"), 4)
    params = {"start": BASE * MS, "limit": None}
    with pytest.raises(InvalidRequest, match="would take more than 3 pages"):
        asyncio.run(collect(paged(venue), params, venue.fetch, BASE * MS, max_pages=3))


def test_more_rows_of_one_time_than_a_page_holds_are_passed_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    venue = PagedVenue(trades([1, 1, 0, 0, 0, 0, 0, 1, 1]), page("backward"), 4)
    result = ask(venue, paged(venue), BASE, None, None)
    assert {_ms(row) for row in result} == {_ms(row) for row in venue.rows}
    assert "there may be more that can't be reached" in caplog.text


def test_rows_alike_on_one_page_are_kept_and_rows_of_an_earlier_page_are_not() -> None:
    alike = [
        Liquidation(exchange="x", symbol="S", timestamp=(BASE + at) * MS, price=Decimal(1), size=Decimal(2), side="buy")
        for at in (0, 1, 1, 2, 3)
    ]
    venue = PagedVenue(list(alike), page("backward", inclusive=True), 4)
    assert ask(venue, paged(venue), BASE, None, None) == alike


def test_only_rows_that_count_are_returned_while_all_of_them_move_the_walk() -> None:
    rows = trades([1] * 40)
    venue = PagedVenue(rows, page("backward"), 5)
    wanted = {"100", "110", "120"}

    async def run() -> list[Event]:
        params = {"limit": 3, "start": None}
        return await collect(paged(venue), params, venue.fetch, BASE * MS, keep=lambda row: getattr(row, "id", None) in wanted)

    assert [getattr(row, "id", None) for row in asyncio.run(run())] == ["100", "110", "120"]
    assert len(venue.requests) > 5


def test_times_between_two_units_lose_no_row() -> None:
    venue = PagedVenue(trades([1] * 20), page("backward"), 7)
    params = {"start": BASE * MS + 1, "end": (BASE + 9) * MS + 1, "limit": None}
    result = asyncio.run(collect(paged(venue), params, venue.fetch, BASE * MS))
    times = [_ms(row) for row in venue.rows]
    assert result == venue.rows[: bisect_left(times, BASE + 10)]


def test_a_start_that_the_request_can_not_do_without_is_sent_with_every_page() -> None:
    venue = PagedVenue(trades([1] * 30), page("forward", inclusive=True, drop=()), 10)
    plan = paged(venue)
    build = plan.build

    def demanding(params: Params) -> HttpRequest:
        if params.get("start") is None:
            raise KeyError("start")
        return build(params)

    assert ask(venue, changed(plan, build=demanding), BASE, None, None) == venue.rows


INTO_A_BODY = [
    ("from", "ms", (), b'{"q":{"a":1},"from":7}'),
    ("from", None, (), b'{"q":{"a":1},"from":"7"}'),
    ("q.from", "ms", (), b'{"q":{"a":1,"from":7}}'),
    ("q.a", "ms", (), b'{"q":{"a":7}}'),
    ("x.y.z", "ms", ("q.a", "q.b"), b'{"q":{},"x":{"y":{"z":7}}}'),
    ("from", "ms", ("q",), b'{"from":7}'),
]


@pytest.mark.parametrize(("param", "unit", "drop", "expected"), INTO_A_BODY)
def test_a_page_may_continue_in_the_body(param: str, unit: str | None, drop: tuple[str, ...], expected: bytes) -> None:
    plan = PagePlan("forward", param, "timestamp", unit, False, drop, None, "body")  # type: ignore[arg-type]
    request = HttpRequest("POST", "/info", "k=v", b'{"q":{"a":1}}')
    assert with_cursor(request, plan, "7") == HttpRequest("POST", "/info", "k=v", expected)


def test_a_page_may_continue_in_a_form() -> None:
    plan = PagePlan("backward", "ofs", "offset", None, False, ("old",), None, "form")
    request = HttpRequest("POST", "/closed", form="trades=true&old=1&ofs=50")
    assert with_cursor(request, plan, "100") == HttpRequest("POST", "/closed", form="trades=true&ofs=100")


STATES: list[tuple[str, str | None, int | None, int, list[str], int]] = [
    ("order_id", None, 2, 5, ["first", "3", "1"], 5),  # a page that isn't full is the last
    ("order_id", None, 2, 4, ["first", "2", "0"], 4),
    ("order_id", None, None, 4, ["first", "2", "0"], 4),
    ("order_id", "3", 2, 5, ["first", "3"], 3),
    ("offset", None, 2, 5, ["first", "2", "4"], 5),
]


@pytest.mark.parametrize(("by", "limit", "size", "there", "asked", "got"), STATES)
async def test_what_is_there_now_is_fetched_whole(
    by: Any, limit: str | None, size: int | None, there: int, asked: list[str], got: int
) -> None:
    """`there` orders with ids from 0, newest first, two on a page."""
    seen: list[str] = []

    async def fetch(request: HttpRequest) -> tuple[list[Event], bytes]:
        after = dict(pairs_of(request.query)).get("after")
        seen.append(after or "first")
        ids = [number for number in reversed(range(there)) if by == "offset" or after is None or number < int(after)]
        ids = ids[int(after or 0) :] if by == "offset" else ids
        return [Order(exchange="fake", symbol="BTC/USDT", order_id=str(number), timestamp=BASE + number) for number in ids[:2]], b""

    plan = changed(
        operation("open_orders", Order, lambda wire, context: [], query={"limit": "limit"}, limit=ParamPlan(None, size)),
        page=PagePlan("backward", "after", by, None, False, (), None, all=True),
    )
    rows = await collect(plan, {"limit": int(limit)} if limit else {}, fetch, BASE)
    assert (seen, len(rows)) == (asked, got)
    assert rows == sorted(rows, key=lambda row: row.timestamp or 0)


def test_an_operation_without_pages_can_not_be_walked() -> None:
    venue = PagedVenue(trades([1]), page("forward"), 10)
    with pytest.raises(ValueError, match="history has no pages"):
        ask(venue, changed(paged(venue), page=None), BASE, None, None)
