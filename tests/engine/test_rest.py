"""The REST engine: budgets, retries, errors, parameter sets, contract sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.compile.plan import Context, OperationPlan, ParamPlan
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.sender import Retry
from cexspec.models import (
    Book,
    CexspecError,
    ConnectionLost,
    DecodeError,
    Event,
    ExchangeError,
    ExchangeUnavailable,
    Instrument,
    InvalidRequest,
    InvalidSymbol,
    NetworkError,
    NotSupported,
    OpenInterest,
    RateLimitExceeded,
    Ticker,
    TimeoutError,
    TimestampError,
    Trade,
)
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from cexspec.transport.limiter import Limiter, Priority
from tests.engine.fake_venue import ENVIRONMENT, Plan, Rows, Wire, ok, operation, pool

MS = 1_000_000
BASE = 1_700_000_000_000


def read_trades(wire: Any, context: Context) -> list[Event]:
    rows: list[Event] = []
    for native, time, id, size in wire:
        if size is None:
            context.quarantine(DecodeError("no size", exchange="fake", channel="trades"))
            continue
        market = context.market(native)
        base = Decimal(size) if market.kind == "spot" else market.base_size(Decimal(size), None)
        fields: dict[str, Any] = {"timestamp": time * MS, "received": context.received, "price": Decimal(1), "side": "buy"}
        rows.append(Trade(exchange="fake", symbol=market.symbol, id=id, size=base, **fields))
    return rows


def read_instruments(wire: Any, context: Context) -> list[Event]:
    rows: list[Event] = []
    for native, size in wire:
        symbol = context.market(native).symbol
        kind = context.market(native).kind or "spot"
        rows.append(
            Instrument(
                exchange="fake",
                symbol=symbol,
                id=native,
                kind=kind,
                base="BTC",
                quote="USDT",
                contract_size=size and Decimal(size),
                contract_currency="BTC",
            )
        )
    return rows


def read_book(wire: Any, context: Context) -> list[Event]:
    levels = [(Decimal(price), Decimal(1)) for price in wire]
    return [Book(exchange="fake", symbol="BTC/USDT", bids=list(levels), asks=list(levels), is_snapshot=True)]


def trades(**others: Any) -> OperationPlan:
    given: dict[str, Any] = {"query": {"instId": "id", "limit": "limit"}, "limit": ParamPlan(None, 100), **others}
    return operation("trades", Trade, read_trades, **given)


ROW = ["BTC-USDT", BASE, "1", "2"]


@dataclass
class Rig:
    clock: VirtualClock
    wire: Wire
    limiter: Limiter
    engine: RestEngine

    async def call(self, name: str, timeout: float | None = None, **params: Any) -> list[Event]:
        return await self.clock.run(self.engine.call(name, params, timeout=timeout))


def rig(answers: Mapping[str, list[Any]], *plans: OperationPlan, pools: Mapping[str, Any] | None = None, **others: Any) -> Rig:
    clock, wire = VirtualClock(), Wire(dict(answers))
    plan = Plan({each.name: each for each in plans}, pools or {})
    limits = limiter_of(plan.pools, clock, exchange="fake", on_limit=others.pop("on_limit", "wait"))
    environment = others.pop("environment", ENVIRONMENT)
    engine = RestEngine(plan, environment, wire, clock, limits, Markets(plan), random=Random(1), **others)
    return Rig(clock, wire, limits, engine)


async def test_a_call_goes_to_the_environments_host_with_its_headers() -> None:
    venue = rig({"/trades": [ok([ROW])]}, trades())
    (row,) = await venue.call("trades", id="BTC-USDT", symbol="BTC/USDT", limit=5)
    assert isinstance(row, Trade)
    assert (row.symbol, row.id, row.size, row.received) == ("BTC/USDT", "1", 2, venue.clock.time_ns())
    (call,) = venue.wire.calls
    assert call.url == "https://fake.example/api/trades?instId=BTC-USDT&limit=5"
    assert dict(call.headers) == {"User-Agent": "cexspec", "X-Demo": "1"}


async def test_an_operation_may_live_on_another_host() -> None:
    elsewhere = trades()
    build = elsewhere.build
    plan = trades(build=lambda params: type(build(params))("GET", "https://other.example/x", build(params).query))
    venue = rig({"https://other.example/x": [ok([ROW])]}, plan, environment=EnvironmentPlan("bare", None, {}))
    await venue.call("trades", id="BTC-USDT")
    assert venue.wire.calls[0].url == "https://other.example/x?instId=BTC-USDT&limit=100"


async def test_an_environment_without_a_rest_host_says_so() -> None:
    venue = rig({}, trades(), environment=EnvironmentPlan("demo", None, {}))
    with pytest.raises(NotSupported, match="fake has no REST host in its environment 'demo', which trades needs"):
        await venue.call("trades", id="BTC-USDT")


async def test_rows_come_oldest_first_cut_to_the_limit_and_books_to_the_depth() -> None:
    rows = [["BTC-USDT", BASE + n, str(n), "1"] for n in (3, 2, 1)]
    book = operation("order_book", Book, read_book)
    venue = rig({"/trades": [ok(rows)], "/order_book": [ok(["3", "2", "1"])]}, trades(), book)
    assert [getattr(row, "id", None) for row in await venue.call("trades", id="BTC-USDT", limit=2)] == ["2", "3"]
    (answer,) = await venue.call("order_book", depth=2)
    assert isinstance(answer, Book)
    assert (len(answer.bids), len(answer.asks)) == (2, 2)


async def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^fake trades: trades needs id"):
        await rig({}, trades(needs=frozenset({"id"}))).call("trades")


@pytest.mark.parametrize("name", ["start", "end"])
async def test_a_time_that_the_request_can_not_hold_is_refused(name: str) -> None:
    with pytest.raises(NotSupported, match=f"gives only the newest rows: it takes no {name}"):
        await rig({}, trades()).call("trades", id="BTC-USDT", **{name: BASE * MS})


async def test_an_operation_for_some_kinds_refuses_the_others() -> None:
    venue = rig({"/trades": [ok([])]}, trades(kinds=frozenset({"perpetual"})))
    with pytest.raises(NotSupported, match="fake has trades for perpetual only; BTC/USDT is spot"):
        await venue.call("trades", id="BTC-USDT")
    assert await venue.call("trades", id="BTC-USDT-SWAP") == []


async def test_an_operation_without_a_model_returns_nothing() -> None:
    venue = rig({"/trades": [ok([ROW])]}, trades(reader=None, ignored="no model"))
    assert await venue.call("trades", id="BTC-USDT") == []


async def test_of_an_operation_that_answers_for_all_only_the_asked_symbol_is_kept() -> None:
    rows = [["ETH-USDT", BASE, "1", "1"], ["BTC-USDT", BASE, "2", "1"]]
    venue = rig({"/trades": [ok(rows)]}, trades(query={}))
    assert [row.symbol for row in await venue.call("trades", id="BTC-USDT", symbol="BTC/USDT")] == ["BTC/USDT"]
    assert len(await venue.call("trades")) == 2


async def test_a_bad_record_is_quarantined_and_counted() -> None:
    venue = rig({"/trades": [ok([ROW, ["BTC-USDT", BASE, "2", None]])]}, trades())
    assert len(await venue.call("trades", id="BTC-USDT")) == 1
    assert venue.engine.quarantine.count == len(venue.engine.quarantine.samples) == 1


async def test_every_call_has_a_time_and_a_fresh_id_for_its_holes() -> None:
    plan = trades(query={"ts": "now", "nonce": "uuid"})
    venue = rig({"/trades": [ok([])]}, plan)
    await venue.call("trades")
    await venue.call("trades")
    first, second = (call.url for call in venue.wire.calls)
    assert first != second
    assert f"ts={venue.clock.time_ns()}" in first


RETRY = Retry(attempts=3, total=20.0, backoff=Backoff(1.0, 4.0))
UNAVAILABLE, LIMITED = ok({}, 503), ok({}, 429)
OUTCOMES: list[tuple[str, list[Any], type[CexspecError] | None, int]] = [
    ("a lost connection", [ConnectionLost("lost"), ok([ROW])], None, 2),
    ("a network failure twice", [NetworkError("down"), NetworkError("down"), ok([ROW])], None, 3),
    ("a venue that stays away", [UNAVAILABLE], ExchangeUnavailable, 3),
    ("a timeout that repeats", [TimeoutError("slow")], TimeoutError, 3),
    ("a full budget at the venue", [LIMITED, ok([ROW])], None, 2),
    ("a time to wait", [ok({}, 429, Retry_After="5"), ok([ROW])], None, 2),
    ("a time to wait that is too long", [ok({}, 418, Retry_After="3600"), ok([ROW])], RateLimitExceeded, 1),
    ("a rate limit inside HTTP 200", [ok({"error": "RateLimitExceeded"}), ok([ROW])], None, 2),
    ("a wrong clock", [ok({"error": "TimestampError"})], TimestampError, 1),
    ("a refusal", [ok({"error": "InvalidSymbol", "message": "no such"})], InvalidSymbol, 1),
    ("an unknown refusal", [ok({}, 404)], ExchangeError, 1),
    ("a redirect", [ok({}, 302)], ExchangeError, 1),
    ("a body that doesn't fit", [ok([["BTC-USDT"]])], DecodeError, 1),
    ("no JSON", [HttpAnswer(200, {}, b"<html>")], DecodeError, 1),
]


@pytest.mark.parametrize(("answers", "error", "calls"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
async def test_what_is_retried_and_what_is_not(answers: list[Any], error: type[CexspecError] | None, calls: int) -> None:
    venue = rig({"/trades": list(answers)}, trades(), retry=RETRY)
    if error is None:
        assert len(await venue.call("trades", id="BTC-USDT")) == 1
    else:
        with pytest.raises(error) as caught:
            await venue.call("trades", id="BTC-USDT")
        assert type(caught.value) is error
    assert len(venue.wire.calls) == calls
    stats = venue.engine.stats
    assert (stats.requests, stats.retries) == (calls, calls - 1)
    assert stats.calls == {"ok" if error is None else error.__name__: 1}


@pytest.mark.parametrize("answer", [ConnectionLost("lost"), UNAVAILABLE, LIMITED])
async def test_a_call_that_is_not_idempotent_is_sent_once(answer: Any) -> None:
    venue = rig({"/trades": [answer, ok([ROW])]}, trades(idempotent=False))
    with pytest.raises(CexspecError):
        await venue.call("trades", id="BTC-USDT")
    assert len(venue.wire.calls) == 1


async def test_retries_wait_longer_each_time_and_end_in_time() -> None:
    venue = rig({"/trades": [UNAVAILABLE]}, trades(), retry=Retry(attempts=50, total=10.0, backoff=Backoff(1.0, 4.0)))
    with pytest.raises(ExchangeUnavailable):
        await venue.call("trades", id="BTC-USDT")
    assert venue.clock.monotonic() <= 10.0
    assert 3 < len(venue.wire.calls) < 50


async def test_a_rate_limit_closes_the_operations_budget_and_a_ban_the_whole_pool() -> None:
    pools = {"p": pool("p", 10, 1.0, by="operation")}
    for status, others in ((429, 0.0), (418, 90.0)):
        venue = rig({"/trades": [ok({}, status, Retry_After="90")]}, trades(pools=("p",)), pools=pools)
        with pytest.raises(RateLimitExceeded) as caught:
            await venue.call("trades", id="BTC-USDT")
        assert caught.value.retry_after == 90.0
        assert venue.limiter.view("p", operation="trades").paused == 90.0
        assert venue.limiter.view("p", operation="book").paused == others


async def test_the_spec_says_how_long_to_rest_where_the_venue_does_not() -> None:
    venue = rig({"/trades": [LIMITED]}, trades(pools=("p",)), pools={"p": pool("p", 10, 1.0, pause=60.0)})
    with pytest.raises(RateLimitExceeded) as caught:
        await venue.call("trades", id="BTC-USDT")
    assert caught.value.retry_after == 60.0
    assert venue.limiter.view("p").paused == 60.0


async def test_weights_are_spent_and_waited_for() -> None:
    plan = trades(pools=("p",), weight=lambda params: params.get("limit") or 1)
    venue = rig({"/trades": [ok([])]}, plan, pools={"p": pool("p", 10, 60.0)})
    for limit, at in ((6, 0.0), (4, 0.0), (5, 60.0)):
        await venue.call("trades", id="BTC-USDT", limit=limit)
        assert venue.clock.monotonic() == at
    with pytest.raises(InvalidRequest, match="costs 11 units"):
        await venue.call("trades", id="BTC-USDT", limit=11)


async def test_retries_draw_on_the_same_budget() -> None:
    venue = rig({"/trades": [UNAVAILABLE, ok([])]}, trades(pools=("p",)), pools={"p": pool("p", 1, 15.0)})
    await venue.call("trades", id="BTC-USDT")
    assert venue.clock.monotonic() == 15.0


async def test_usage_headers_correct_the_budget() -> None:
    pools = {"p": pool("p", 100, 60.0, usage_header="X-Used-Weight"), "q": pool("q", 9, 1.0)}
    venue = rig({"/trades": [ok([], X_Used_Weight=text) for text in ("80", "junk", "9" * 5000)]}, trades(pools=("p", "q")), pools=pools)
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == 20
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == 19
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == 18


async def test_headers_may_tell_what_is_left_of_a_budget() -> None:
    pools = {"p": pool("p", 100, 60.0, usage_remaining="X-Left")}
    venue = rig({"/trades": [ok([], X_Left="30"), ok([], X_Left="99")]}, trades(pools=("p",)), pools=pools)
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == 30
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == 29


@pytest.mark.parametrize(("rows", "left"), [(0, 95), (19, 95), (20, 94), (45, 93)])
async def test_rows_of_an_answer_cost_more_units(rows: int, left: int) -> None:
    plan = trades(pools=("p",), weight=lambda params: 5, per_rows=20)
    venue = rig({"/trades": [ok([["BTC-USDT", BASE, str(at), "1"] for at in range(rows)])]}, plan, pools={"p": pool("p", 100, 60.0)})
    await venue.call("trades", id="BTC-USDT")
    assert venue.limiter.view("p").remaining == left


async def test_on_request_a_full_budget_is_an_error_and_never_retried() -> None:
    venue = rig({"/trades": [ok([])]}, trades(pools=("p",)), pools={"p": pool("p", 1, 60.0)}, on_limit="raise")
    await venue.call("trades", id="BTC-USDT")
    with pytest.raises(RateLimitExceeded, match="nothing was sent"):
        await venue.call("trades", id="BTC-USDT")
    assert len(venue.wire.calls) == 1


class SlowWire:
    """Answers after so many seconds of the clock."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        self.clock, self.seconds, self.calls = clock, seconds, list[HttpCall]()
        self.under_way = 0

    async def send(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        self.under_way += 1
        try:
            await self.clock.sleep(self.seconds)
        finally:
            self.under_way -= 1
        return ok([ROW])


async def test_a_timeout_bounds_the_whole_call_and_cancels_it() -> None:
    clock = VirtualClock()
    plan, wire = Plan({"trades": trades()}), SlowWire(clock, 60.0)
    engine = RestEngine(plan, ENVIRONMENT, wire, clock, limiter_of({}, clock), Markets(plan))
    with pytest.raises(TimeoutError, match="fake trades was not done within 3 s"):
        await clock.run(engine.call("trades", {"id": "BTC-USDT"}, timeout=3.0))
    assert (clock.monotonic(), wire.under_way) == (3.0, 0)
    assert wire.calls[0].timeout == 3.0


async def test_parameter_sets_are_called_side_by_side_and_joined_first_one_wins() -> None:
    rows = {
        "SPOT": [["BTC-USDT", BASE + 2, "1", "1"]],
        "MARGIN": [["BTC-USDT", BASE + 9, "1", "9"], ["ETH-USDT", BASE + 1, "3", "1"]],
    }
    plan = trades(query={"type": "type"}, each=({"type": "SPOT"}, {"type": "MARGIN"}))
    venue = rig({"/trades": [lambda call: ok(rows[call.url.partition("=")[2].partition("&")[0]])]}, plan)
    answer = await venue.call("trades")
    assert [(getattr(row, "id", None), row.timestamp) for row in answer] == [("3", (BASE + 1) * MS), ("1", (BASE + 2) * MS)]
    assert len(venue.wire.calls) == 2
    assert len(await venue.call("trades", type="MARGIN")) == 2
    assert len(venue.wire.calls) == 3


async def test_a_set_may_take_its_values_from_another_operation() -> None:
    families = operation("families", Trade, read_trades, reader=None, values=lambda body: ["A", "B", "A"])
    plan = trades(query={"type": "type", "family": "family"}, each=({"type": "OPTION", "family": ("from", "families")},))
    venue = rig({"/families": [ok([])], "/trades": [ok([])]}, plan, families)
    await venue.call("trades")
    assert [call.url.partition("?")[2] for call in venue.wire.calls] == ["", "type=OPTION&family=A", "type=OPTION&family=B"]
    venue.wire.calls.clear()
    await venue.call("trades", family="C")
    assert [call.url.partition("?")[2] for call in venue.wire.calls] == ["type=OPTION&family=C"]


async def test_a_set_may_take_the_ids_of_a_models_rows() -> None:
    listed = operation("instruments", Instrument, read_instruments)
    plan = trades(each=({"id": ("from", "instruments")},))
    venue = rig({"/instruments": [ok([["BTC-USDT", None], ["ETH-USDT", None]])], "/trades": [ok([])]}, plan, listed)
    await venue.call("trades")
    assert [call.url.rpartition("/")[2] for call in venue.wire.calls] == [
        "instruments",
        "trades?instId=BTC-USDT&limit=100",
        "trades?instId=ETH-USDT&limit=100",
    ]


async def test_when_one_of_several_calls_fails_the_others_end() -> None:
    clock = VirtualClock()

    class Half(SlowWire):
        async def send(self, call: HttpCall) -> HttpAnswer:
            if "type=BAD" in call.url:
                await self.clock.sleep(1)
                raise InvalidSymbol("bad")
            return await super().send(call)

    plan = Plan({"trades": trades(query={"type": "type"}, each=({"type": "GOOD"}, {"type": "BAD"}))})
    wire = Half(clock, 60.0)
    engine = RestEngine(plan, ENVIRONMENT, wire, clock, limiter_of({}, clock), Markets(plan))
    with pytest.raises(InvalidSymbol):
        await clock.run(engine.call("trades"))
    assert (wire.under_way, clock.monotonic()) == (0, 1.0)


SWAPS = [["BTC-USDT-SWAP", BASE, "1", "3"]]


async def test_contract_sizes_are_fetched_once_when_an_answer_needs_them() -> None:
    listed = operation("instruments", Instrument, read_instruments)
    venue = rig({"/trades": [ok(SWAPS)], "/instruments": [ok([["BTC-USDT-SWAP", "0.01"]])]}, trades(), listed)

    async def both() -> list[list[Event]]:
        return await asyncio.gather(*(venue.engine.call("trades", {"id": "BTC-USDT-SWAP"}) for _ in range(3)))

    for answer in await venue.clock.run(both()):
        assert [getattr(row, "size", None) for row in answer] == [Decimal("0.03")]
    paths = [call.url.rpartition("/")[2].partition("?")[0] for call in venue.wire.calls]
    assert sorted(paths) == ["instruments", "trades", "trades", "trades"]


async def test_spot_answers_need_no_instruments_and_a_venue_without_them_leaves_sizes_out() -> None:
    listed = operation("instruments", Instrument, read_instruments)
    venue = rig({"/trades": [ok([ROW])], "/instruments": []}, trades(), listed)
    await venue.call("trades", id="BTC-USDT")
    bare = rig({"/trades": [ok(SWAPS)]}, trades())
    (row,) = await bare.call("trades", id="BTC-USDT-SWAP")
    assert isinstance(row, Trade)
    assert row.size is None


async def test_a_refused_list_of_instruments_fails_the_call_that_needs_it() -> None:
    listed = operation("instruments", Instrument, read_instruments)
    venue = rig({"/trades": [ok(SWAPS)], "/instruments": [ok({"error": "PermissionDenied"})]}, trades(), listed)
    with pytest.raises(ExchangeError):
        await venue.call("trades", id="BTC-USDT-SWAP")


async def test_joined_answers_keep_what_only_looks_alike() -> None:
    row: dict[str, Any] = {"exchange": "fake", "timestamp": BASE * MS, "price": Decimal(1), "side": "buy", "size": Decimal(1)}
    cases: list[tuple[list[Event], int]] = [
        ([Trade(symbol="A", id="1", **row), Trade(symbol="B", id="1", **row)], 2),
        ([Trade(symbol="A", id="1", **row), Trade(symbol="A", id="1", **row)], 1),
        ([Trade(symbol="A", id=None, **row), Trade(symbol="A", id=None, **row)], 2),
        ([Ticker(exchange="fake", symbol="A", timestamp=1), Ticker(exchange="fake", symbol="A", timestamp=2)], 1),
        ([OpenInterest(exchange="fake", symbol="A", timestamp=1), OpenInterest(exchange="fake", symbol="A", timestamp=2)], 2),
    ]
    for rows, kept in cases:
        plan = operation("joined", type(rows[0]), _one_by_one(rows), each=({"n": "1"}, {"n": "2"}))
        assert len(await rig({"/joined": [ok([])]}, plan).call("joined")) == kept


def _one_by_one(rows: list[Event]) -> Rows:
    source = iter(rows)
    return lambda wire, context: [next(source)]


async def test_a_ban_pauses_every_pool_that_is_counted_by_address() -> None:
    pools = {"p": pool("p", 10, 1.0), "q": pool("q", 10, 1.0), "mine": pool("mine", 10, 1.0, scope="account")}
    venue = rig({"/trades": [ok({}, 418, Retry_After="90")]}, trades(pools=("p",)), pools=pools)
    with pytest.raises(RateLimitExceeded):
        await venue.call("trades", id="BTC-USDT")
    assert {name: each.paused for name, each in venue.limiter.snapshot().items()} == {"p": 90.0, "q": 90.0, "mine": 0.0}


async def test_snapshots_go_before_market_data_and_orders_before_both() -> None:
    venue = rig({"/trades": [ok([])]}, trades(pools=("p",)), pools={"p": pool("p", 1, 1.0)})
    done = list[str]()

    async def ask(name: str, **how: Any) -> None:
        await venue.engine.call("trades", {"id": "BTC-USDT"}, **how)
        done.append(name)

    kinds: list[tuple[str, dict[str, Any]]] = [
        ("first", {}),
        ("data", {}),
        ("snapshot", {"priority": Priority.SNAPSHOT}),
        ("order", {"priority": Priority.ORDER}),
    ]
    await venue.clock.run(_all(*(ask(name, **how) for name, how in kinds)))
    assert done == ["first", "order", "snapshot", "data"]


async def _all(*calls: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*calls)
