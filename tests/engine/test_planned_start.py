"""The start of many books: the plan, and that it goes as planned."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.books.progress import BooksProgress
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.planning import ROUND_TRIP, StartPlan, answers, plan_start, wanted_of
from cexspec.engine.poll_planning import Polled, plan_polls, polled_of
from cexspec.engine.polling import common_params
from cexspec.engine.rest import RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.mock import MockVenue
from cexspec.models import InvalidRequest, InvalidSymbol, NotSupported
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from cexspec.transport.limiter import Draw, Limiter, Pool
from cexspec.transport.window import SlidingWindow, Window
from tests.mock.side import FarSide
from tests.mock.wire import START, Wire
from tests.simulation.network import Network


def planned(exchange: str, form: str, count: int, stream: str = "order_book", depth: int | None = None) -> StartPlan:
    plan = compile_exchange(exchange)
    markets, params = Markets(plan), {} if depth is None else {"depth": depth}
    return plan_start(plan, [wanted_of(plan, markets, stream, form.format(at), params) for at in range(count)], BookSettings())


# exchange, symbols, how many, depth: topics on each connection, messages, weights spent, seconds
PLANS = [
    ("binance", "C{}/USDT", 500, None, [500], 8, {"request_weight": 125_000}, 20 * 60),
    ("binance", "C{}/USDT", 500, 100, [500], 8, {"request_weight": 12_500}, 2 * 60),
    ("binance", "C{}/USDT", 500, 20, [500], 8, {}, 1.5),
    ("okx", "C{}/USDT", 500, None, [240, 240, 20], 7, {}, 0.5),
    ("bitfinex", "C{}/USD", 60, 100, [25, 25, 10], 60, {}, 0.5),
    ("bitfinex", "C{}/USD", 510, None, [25] * 20 + [10], 510, {}, 60.5),
    ("bybit", "C{}/USDT", 55, None, [55], 6, {}, 0.5),
]


@pytest.mark.parametrize(("exchange", "form", "count", "depth", "topics", "messages", "weights", "seconds"), PLANS)
def test_a_start_is_planned_by_the_limits_of_the_venue(
    exchange: str, form: str, count: int, depth: int | None, topics: list[int], messages: int, weights: dict[str, int], seconds: float
) -> None:
    plan = planned(exchange, form, count, depth=depth)
    assert [len(each.topics) for each in plan.connections] == topics
    assert (plan.messages, plan.weights) == (messages, weights)
    assert plan.seconds == pytest.approx(seconds, rel=0.05)


def test_symbols_that_share_a_topic_ask_for_it_once() -> None:
    plan = planned("binance", "BTC/USDT", 3, stream="trades")
    assert ([each.topics for each in plan.connections], plan.messages, plan.snapshots) == ([['"btcusdt@trade"']], 1, ())


WINDOW = Window(10, 60.0)

# when each call may begin, weight of each, how many at once: when each is answered (a call takes one second)
LINES: list[tuple[list[float], int, int, list[float]]] = [
    ([0, 0, 0], 1, 3, [1, 1, 1]),
    ([0, 0, 0], 1, 1, [1, 2, 3]),
    ([5, 0, 5], 1, 1, [6, 1, 7]),
    ([0, 0, 0], 5, 1, [1, 2, 62]),
    ([0, 0, 0], 5, 3, [1, 1, 62]),
    ([], 5, 3, []),
]


@pytest.mark.parametrize(("begins", "weight", "at_once", "answered"), LINES)
def test_calls_go_in_their_order_within_their_windows(begins: list[float], weight: int, at_once: int, answered: list[float]) -> None:
    window = SlidingWindow(WINDOW)
    assert answers([(at, [Draw(window, weight, -inf)]) for at in begins], at_once, 1.0, 0.0) == answered


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 10)), max_size=30), st.integers(1, 5))
@settings(max_examples=200)
def test_no_window_is_exceeded_and_everybody_is_answered(calls: list[tuple[float, int]], at_once: int) -> None:
    window = SlidingWindow(WINDOW)
    answered = answers([(at, [Draw(window, weight, -inf)]) for at, weight in calls], at_once, 1.0, 0.0)
    begun = [end - 1.0 for end in answered]
    for start in begun:
        counted = [weight for (_, weight), end in zip(calls, answered, strict=True) if end - 1.0 <= start < end + 60.0 - 1e-9]
        assert sum(counted) <= 10
        assert sum(end - 1.0 <= start < end - 1e-9 for end in answered) <= at_once
    assert all(at - 1e-9 <= start for (at, _), start in zip(calls, begun, strict=True))


def test_a_budget_that_rests_is_waited_for_and_one_that_is_too_small_is_refused() -> None:
    assert answers([(0.0, [Draw(SlidingWindow(WINDOW), 1, 30.0)])], 1, 1.0, 0.0) == [31.0]
    with pytest.raises(InvalidRequest, match="more than its budget ever holds"):
        answers([(0.0, [Draw(SlidingWindow(WINDOW), 11, -inf)])], 1, 1.0, 0.0)


def test_looking_at_budgets_changes_nothing() -> None:
    limiter = Limiter([Pool("weight", (WINDOW,))], VirtualClock())
    (draw,) = limiter.draws(["weight"], 4)
    draw.window.spend(3, 0.0)
    draw.window.hold(2)
    copy = draw.window.settled(1.0)
    copy.spend(5, 1.0)
    assert (draw.weight, draw.window.used(0.0), copy.used(0.0)) == (4, 5, 10)
    assert (copy.wait(1, 1.0), copy.wait(4, 1.0)) == (59.0, 60.0)


@dataclass
class SlowWire(Wire):
    """A venue that takes its time to answer, and notes when it was asked."""

    clock: VirtualClock | None = None
    asked: list[tuple[float, str, int]] | None = None

    async def send(self, call: HttpCall) -> HttpAnswer:
        assert self.clock is not None and self.asked is not None
        await self.clock.sleep(ROUND_TRIP / 2)
        query = parse_qs(urlsplit(call.url).query)
        if "limit" in query:
            self.asked.append((self.clock.monotonic(), query["symbol"][0], int(query["limit"][0])))
        answer = await super().send(call)
        await self.clock.sleep(ROUND_TRIP / 2)
        return answer


@dataclass
class Start:
    """Many books of a venue with real budgets."""

    clock: VirtualClock
    client: StreamClient
    far: FarSide
    wire: SlowWire
    symbols: list[str]
    told: list[tuple[float, BooksProgress]]

    async def all_in_sync(self) -> float:
        while (progress := self.client.books_progress).waiting or not progress.total:
            await self.clock.sleep(1.0)
        return self.clock.monotonic()


@asynccontextmanager
async def starting(clock: VirtualClock, count: int, depth: int | None) -> AsyncIterator[Start]:
    symbols = [f"C{at}/USDT" for at in range(count)]
    Random(3).shuffle(symbols)
    venue = MockVenue("binance", clock=clock.time_ns, interval=1e9, symbols=symbols)
    far, plan, wire = FarSide(venue), venue.exchange, SlowWire(venue, clock=clock, asked=[])
    environment = EnvironmentPlan("mock", "http://mock", {one: f"ws://mock/{one}" for one in plan.connection_names})
    markets, limiter = Markets(plan), limiter_of(plan.pools, clock)
    engine = RestEngine(plan, environment, wire, clock, limiter, markets, random=Random(1))
    client = StreamClient(
        plan,
        environment,
        markets,
        transport=Network(clock, far, Random(1), (0.05, 0.1)),
        clock=clock,
        random=Random(1),
        fetch=engine.call,
        draws_of=engine.draws,
    )
    told: list[tuple[float, BooksProgress]] = []
    stop = client.on_books_progress(lambda progress: told.append((clock.monotonic(), progress)))
    client.stream_order_book(*symbols, depth=depth)
    try:
        yield Start(clock, client, far, wire, symbols, told)
    finally:
        stop()
        await client.close()


async def test_500_books_begin_in_the_order_asked_for_within_budget_and_in_the_time_that_was_planned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, ended, first = VirtualClock(START), list[float](), list[BooksProgress]()

    async def work() -> Start:
        async with starting(clock, 500, 100) as start:
            first.append(start.client.books_progress)
            await clock.sleep(5.0)
            start.far.move()
            ended.append(await start.all_in_sync())
        return start

    caplog.set_level(logging.INFO, "cexspec.stream")
    start = await clock.run(work(), limit=1e4)
    plan = compile_exchange("binance")
    wanted = [wanted_of(plan, Markets(plan), "order_book", symbol, {"depth": 100}) for symbol in start.symbols]
    seconds = plan_start(plan, wanted, BookSettings()).seconds
    assert ended[0] == pytest.approx(seconds, rel=0.2)
    assert (first[0].in_sync, first[0].waiting, first[0].total) == (0, 500, 500)
    assert first[0].eta == pytest.approx(seconds, rel=0.2)

    asked = start.wire.asked or []
    order = [symbol for _, symbol, _ in asked]
    assert len(order) == 500 and {limit for _, _, limit in asked} == {500}
    places = [order.index(symbol.replace("/", "")) for symbol in start.symbols]
    assert max(abs(place - at) for at, place in enumerate(places)) <= 4, "but for those that are under way together"
    weights = [(at, plan.operation("order_book").weight({"depth": limit})) for at, _, limit in asked]
    assert all(sum(weight for other, weight in weights if at <= other < at + 60.0) <= 6000 for at, _ in weights)

    assert [progress.in_sync for _, progress in start.told] == [50 * tenth for tenth in range(1, 11)]
    for at, progress in start.told:
        assert at + progress.eta == pytest.approx(ended[0], rel=0.2)
    logged = [record for record in caplog.records if getattr(record, "event", None) == "books_progress"]
    assert logged[0].getMessage().startswith("binance: 50 of 500 books in sync, the others in about 1")


async def test_a_running_book_that_breaks_does_not_wait_until_all_others_have_begun() -> None:
    clock = VirtualClock(START)

    async def work() -> tuple[list[str], str]:
        async with starting(clock, 90, None) as start:
            await clock.sleep(10.0)
            assert start.client.books_progress.in_sync == 24, "a snapshot of 5000 levels costs 250 of 6000 units a minute"
            victim = next(str(symbol) for symbol, state in start.client.books.items() if state == "in_sync")
            books = start.client._connections.books
            (kept,) = (kept for kept in books._kept.values() if kept.legs.primary.symbol() == victim)
            books._tell([(kept.legs.primary, kept.legs.primary.lose("a message was lost", clock.monotonic()))])
            await clock.sleep(70.0)
            assert start.client.books[victim] == "in_sync"
            assert start.client.books_progress.waiting > 30
            return [symbol for _, symbol, _ in start.wire.asked or []], victim

    order, victim = await clock.run(work(), limit=1e4)
    again = order.index(victim.replace("/", ""), 24)
    assert again <= 24 + 4 + 1, "the four that were in line before it, and one whose turn it was"


def test_what_is_polled_is_planned_by_the_pace_that_it_is_polled_with() -> None:
    plan = compile_exchange("binance_usdm")
    markets = Markets(plan)
    few, many = (
        plan_polls(plan, [polled_of(plan, markets, "open_interest", f"C{at}/USDT:PERP", {}) for at in range(count)]) for count in (3, 400)
    )
    assert [poll.every for poll in few.polls] == [5.0] * 3
    assert few.seconds == pytest.approx(0.2 + ROUND_TRIP), "one after the other, a tenth of a second apart"
    assert [poll.every for poll in many.polls] == pytest.approx([20.0] * 400), "half of 2400 a minute"
    assert many.weights == {"request_weight": 400}
    assert many.seconds == pytest.approx(400 * 0.05 + ROUND_TRIP, rel=0.01)


def test_what_is_polled_by_one_call_for_all_symbols_is_asked_for_once() -> None:
    plan = compile_exchange("binance_usdm")
    operation = replace(plan.operation("tickers"), poll=5.0)
    wanted = [Polled(symbol, operation, common_params(operation, {"id": symbol, "symbol": symbol})) for symbol in ("A", "B")]
    assert [poll.symbols for poll in plan_polls(plan, wanted).polls] == [["A", "B"]]


def test_what_can_not_be_polled_is_refused_as_the_stream_refuses_it() -> None:
    plan = compile_exchange("binance_usdm")
    markets = Markets(plan)
    with pytest.raises(NotSupported, match="polls nothing for the stream 'trades'"):
        polled_of(plan, markets, "trades", "BTC/USDT:PERP", {})
    with pytest.raises(InvalidSymbol):
        polled_of(plan, markets, "open_interest", "not/a/symbol", {})
