"""The unified methods: names, parameters, fail-closed answers."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cexspec.compile.plan import Context, OperationPlan, PagePlan, ParamPlan
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.rest_client import RestClient
from cexspec.models import (
    Book,
    Candle,
    DecodeError,
    Event,
    FundingRate,
    Instrument,
    InvalidRequest,
    InvalidSymbol,
    Liquidation,
    MarkPrice,
    NotSupported,
    OpenInterest,
    ServerTime,
    Ticker,
    Trade,
)
from cexspec.transport.clock import VirtualClock
from tests.engine.fake_venue import ENVIRONMENT, Plan, Wire, ok, operation

ONE = Decimal(1)
EXTRAS: dict[type[Event], dict[str, Any]] = {
    Trade: {"id": "1", "price": ONE, "size": ONE, "side": "buy"},
    Candle: {"interval": "1m", "open": ONE, "high": ONE, "low": ONE, "close": ONE},
    FundingRate: {"rate": ONE},
    Liquidation: {"price": ONE, "size": ONE, "side": "sell"},
    Book: {"bids": [], "asks": [], "is_snapshot": True},
}
T0 = 1_700_000_000_000_000_000


def plan_of(
    name: str, model: type[Event], query: str = "instId=id interval=interval sz=depth start=start end=end limit=limit", **others: Any
) -> OperationPlan:
    """Rows on the wire are `[symbol, time]`."""

    def rows(wire: Any, context: Context) -> list[Event]:
        return [model(exchange="fake", symbol=symbol, timestamp=time, **EXTRAS.get(model, {})) for symbol, time in wire]

    pairs = dict(pair.split("=") for pair in query.split())
    return operation(name, model, rows, query=pairs, **others)


def instruments() -> OperationPlan:
    def rows(wire: Any, context: Context) -> list[Event]:
        return [
            Instrument(exchange="fake", symbol=symbol, id=id, kind="spot", base=symbol.split("/")[0], quote=symbol.split("/")[1])
            for id, symbol in wire
        ]

    return operation("instruments", Instrument, rows)


class Venue:
    def __init__(self, answers: dict[str, object], *plans: OperationPlan) -> None:
        self.clock, self.wire = VirtualClock(), Wire({f"/{name}": [ok(body)] for name, body in answers.items()})
        plan = Plan({each.name: each for each in plans})
        self.markets = Markets(plan)
        self.rest = RestClient(RestEngine(plan, ENVIRONMENT, self.wire, self.clock, limiter_of({}, self.clock), self.markets))

    @property
    def asked(self) -> list[str]:
        return [call.url.removeprefix("https://fake.example/api/") for call in self.wire.calls]


SYMBOL, OTHER = "BTC/USDT", "ETH/USDT"
ONE_ROW: list[tuple[str, type[Event], Callable[[RestClient, str], Awaitable[Event]]]] = [
    ("ticker", Ticker, RestClient.get_ticker),
    ("order_book", Book, RestClient.get_order_book),
    ("mark_price", MarkPrice, RestClient.get_mark_price),
    ("funding_rate", FundingRate, RestClient.get_funding_rate),
    ("open_interest", OpenInterest, RestClient.get_open_interest),
]


@pytest.mark.parametrize(("name", "model", "method"), ONE_ROW, ids=[case[0] for case in ONE_ROW])
@pytest.mark.parametrize("symbol", [SYMBOL, "BTC-USDT"])
async def test_a_method_for_one_symbol_returns_its_row_by_symbol_or_id(
    name: str, model: type[Event], method: Callable[[RestClient, str], Awaitable[Event]], symbol: str
) -> None:
    venue = Venue({name: [[OTHER, 1], [SYMBOL, 2]]}, plan_of(name, model))
    row = await method(venue.rest, symbol)
    assert type(row) is model
    assert (row.symbol, row.timestamp) == (SYMBOL, 2)
    assert venue.asked == [f"{name}?instId=BTC-USDT"]


@pytest.mark.parametrize(("name", "model", "method"), ONE_ROW, ids=[case[0] for case in ONE_ROW])
@pytest.mark.parametrize("rows", [[], [[OTHER, 1]]])
async def test_an_answer_without_the_symbol_is_an_error(
    name: str, model: type[Event], method: Callable[[RestClient, str], Awaitable[Event]], rows: object
) -> None:
    with pytest.raises(InvalidSymbol, match=f"^fake {name}: the answer holds nothing about BTC/USDT") as caught:
        await method(Venue({name: rows}, plan_of(name, model)).rest, SYMBOL)
    assert caught.value.symbol == SYMBOL


HISTORIES: list[tuple[str, type[Event], dict[str, Any]]] = [
    ("trades", Trade, {}),
    ("candles", Candle, {"interval": "1m"}),
    ("funding_rates", FundingRate, {}),
    ("open_interest_history", OpenInterest, {"interval": "1h"}),
    ("liquidations", Liquidation, {}),
]


@pytest.mark.parametrize(("name", "model", "others"), HISTORIES, ids=[case[0] for case in HISTORIES])
async def test_a_history_is_cut_to_its_times_whatever_their_form(name: str, model: type[Event], others: dict[str, Any]) -> None:
    rows = [[SYMBOL, T0 + n * 10**9] for n in (3, 2, 1, 0)]
    venue = Venue({name: rows}, plan_of(name, model))
    method = getattr(venue.rest, f"get_{name}")
    found = await method(SYMBOL, start=datetime.fromtimestamp(T0 // 10**9 + 1, UTC), end=T0 + 3 * 10**9, **others)
    assert [row.timestamp - T0 for row in found] == [10**9, 2 * 10**9]
    assert all(type(row) is model for row in found)
    sent = f"{name}?instId=BTC-USDT" + (f"&interval={others['interval']}" if others else "")
    assert venue.asked == [f"{sent}&start=1700000001000&end=1700000003000"]


async def test_liquidations_of_all_symbols_need_no_symbol() -> None:
    venue = Venue({"liquidations": [[SYMBOL, 1], [OTHER, 2]]}, plan_of("liquidations", Liquidation, "limit=limit"))
    assert len(await venue.rest.get_liquidations()) == 2
    assert [row.symbol for row in await venue.rest.get_liquidations(OTHER, limit=1)] == [OTHER]


async def test_depth_and_limit_are_sent() -> None:
    venue = Venue({"order_book": [[SYMBOL, 1]], "trades": [[SYMBOL, 1]]}, plan_of("order_book", Book), plan_of("trades", Trade))
    await venue.rest.get_order_book(SYMBOL, depth=10)
    await venue.rest.get_trades(SYMBOL, limit=5)
    assert venue.asked == ["order_book?instId=BTC-USDT&sz=10", "trades?instId=BTC-USDT&limit=5"]


async def test_server_time_is_nanoseconds_or_an_error() -> None:
    assert await Venue({"server_time": [[None, 5]]}, plan_of("server_time", ServerTime)).rest.get_server_time() == 5
    for rows in ([], [[None, None]]):
        with pytest.raises(DecodeError, match="the answer holds no time"):
            await Venue({"server_time": rows}, plan_of("server_time", ServerTime)).rest.get_server_time()


async def test_tickers_are_all_or_those_asked_for_in_their_order() -> None:
    rows = [[SYMBOL, 1], [OTHER, 2], ["SOL/USDT", 3]]
    venue = Venue({"tickers": rows}, plan_of("tickers", Ticker, ""))
    assert [row.symbol for row in await venue.rest.get_tickers()] == [SYMBOL, OTHER, "SOL/USDT"]
    assert [row.symbol for row in await venue.rest.get_tickers(["ETH-USDT", SYMBOL])] == [OTHER, SYMBOL]
    with pytest.raises(InvalidSymbol, match="nothing about XRP/USDT"):
        await venue.rest.get_tickers(["XRP/USDT"])


async def test_instruments_become_the_authority_on_symbols() -> None:
    venue = Venue({"instruments": [["XBTUSDT", SYMBOL]], "ticker": [[SYMBOL, 1]]}, instruments(), plan_of("ticker", Ticker))
    assert [row.id for row in await venue.rest.get_instruments()] == ["XBTUSDT"]
    await venue.rest.get_ticker(SYMBOL)
    assert venue.asked[-1] == "ticker?instId=XBTUSDT"
    with pytest.raises(InvalidSymbol, match="did you mean BTC/USDT"):
        await venue.rest.get_ticker("BTC/USDC")


async def test_a_symbol_that_the_rules_can_not_write_is_looked_up_in_the_instruments() -> None:
    odd = "BTC/USDT:FUT:20260925"
    venue = Venue({"instruments": [["XBTU26", odd]], "ticker": [[odd, 1]]}, instruments(), plan_of("ticker", Ticker))
    await venue.rest.get_ticker(odd)
    assert venue.asked == ["instruments", "ticker?instId=XBTU26"]
    with pytest.raises(InvalidSymbol):
        await Venue({}, plan_of("ticker", Ticker)).rest.get_ticker(odd)


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ({}, "trades"),
        ({"limit": 100}, "trades"),
        ({"limit": 101}, "trades_history"),
        ({"start": T0}, "trades_history"),
        ({"end": T0 + 5}, "trades_history"),
    ],
)
async def test_what_the_newest_rows_do_not_reach_is_asked_of_the_history(asked: dict[str, int], used: str) -> None:
    bounds = ParamPlan(None, 100)
    venue = Venue(
        {"trades": [], "trades_history": []}, plan_of("trades", Trade, limit=bounds), plan_of("trades_history", Trade, limit=bounds)
    )
    await venue.rest.get_trades(SYMBOL, **asked)
    assert venue.asked[0].startswith(f"{used}?")


async def test_candles_are_walked_page_by_page() -> None:
    minute = 60 * 10**9
    page = PagePlan("backward", "before", "timestamp", "ms", False, (), None)
    plan = plan_of("candles", Candle, "limit=limit", page=page, limit=ParamPlan("2", 2))
    venue = Venue({}, plan)
    series = [T0 + n * minute for n in range(7)]

    def answer(call: Any) -> Any:
        query = dict(pair.split("=") for pair in call.url.partition("?")[2].split("&"))
        older = [time for time in series if time < int(query.get("before", 10**15)) * 10**6]
        return ok([[SYMBOL, time] for time in older[-int(query["limit"]) :][::-1]])

    venue.wire.answers["/candles"] = [answer]
    assert [row.timestamp for row in await venue.rest.get_candles(SYMBOL, "1m", limit=5)] == series[-5:]
    assert len(venue.wire.calls) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit is a whole number from 1, not 0"),
        ({"limit": True}, "limit is a whole number from 1, not True"),
        ({"start": T0, "end": T0}, "start lies before end"),
        ({"start": 5}, "start is counted in nanoseconds"),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(arguments: dict[str, Any], message: str) -> None:
    venue = Venue({}, plan_of("trades", Trade))
    with pytest.raises(InvalidRequest, match=message):
        await venue.rest.get_trades(SYMBOL, **arguments)
    assert venue.asked == []


async def test_a_bad_depth_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="depth is a whole number from 1, not -1"):
        await Venue({}, plan_of("order_book", Book)).rest.get_order_book(SYMBOL, depth=-1)


async def test_what_the_spec_lacks_is_not_supported_and_what_it_has_is_named() -> None:
    venue = Venue({}, plan_of("ticker", Ticker), plan_of("trades", Trade))
    required = {"symbol": SYMBOL, "interval": "1m"}
    for name in METHODS - {"get_ticker", "get_trades"}:
        method = getattr(venue.rest, name)
        wanted = {
            key: value
            for key, value in required.items()
            if key in inspect.signature(method).parameters and inspect.signature(method).parameters[key].default is inspect.Parameter.empty
        }
        with pytest.raises(NotSupported, match=f"fake has no {name.removeprefix('get_')} over REST; it has ticker, trades"):
            await method(**wanted)
    with pytest.raises(NotSupported, match="fake has no nonsense over REST"):
        await venue.rest.call("nonsense")
    with pytest.raises(NotSupported, match="it has nothing"):
        await Venue({}).rest.get_ticker(SYMBOL)


async def test_any_operation_can_be_called_by_name_with_unified_parameters() -> None:
    venue = Venue({"agg_trades": [[SYMBOL, T0]]}, plan_of("agg_trades", Trade))
    (row,) = await venue.rest.call("agg_trades", symbol=SYMBOL, limit=3, start="2023-11-14")
    assert row.symbol == SYMBOL
    assert venue.asked == ["agg_trades?instId=BTC-USDT&start=1699920000000&limit=3"]


METHODS = {
    "get_server_time",
    "get_instruments",
    "get_ticker",
    "get_tickers",
    "get_order_book",
    "get_trades",
    "get_candles",
    "get_mark_price",
    "get_funding_rate",
    "get_funding_rates",
    "get_open_interest",
    "get_open_interest_history",
    "get_liquidations",
}


def test_the_methods_are_those_of_the_contract_and_all_take_a_timeout() -> None:
    found = {name for name in vars(RestClient) if name.startswith("get_")}
    assert found == METHODS
    for name in found | {"call"}:
        assert inspect.signature(getattr(RestClient, name)).parameters["timeout"].kind is inspect.Parameter.KEYWORD_ONLY
