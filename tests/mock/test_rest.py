"""Every REST operation of the mock venues answers the real client; what the specs don't describe is refused in the venue's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from cexspec.mock import MockVenue
from cexspec.models import (
    MODELS,
    Book,
    ExchangeError,
    FundingRate,
    InvalidRequest,
    InvalidSymbol,
    OpenInterest,
    Ticker,
    Trade,
)
from tests.mock.wire import ALL_VENUES, START, VENUES, rest_of, venue_of

MINUTE = 60_000_000_000


@cache
def shared(name: str) -> MockVenue:
    return venue_of(name)


def operations() -> Iterator[tuple[str, str]]:
    for name in ALL_VENUES:
        spec = shared(name).exchange.spec.rest
        private = {operation for operation, one in spec.items() if one.auth is not None}
        private |= {operation for operation, one in spec.items() if private & set(one.joins or ())}
        yield from ((name, operation) for operation in spec if operation not in private)


def holes(name: str, operation: str) -> set[str]:
    spec = shared(name).exchange.spec.rest[operation]
    return set(re.findall(r"\{\{\s*(\w+)", f"{spec.path}{spec.query}{spec.body}{spec.form}"))


def interval_of(name: str, operation: str) -> str:
    """An hour, or the first of those that the operation knows."""
    known = shared(name).exchange.operation(operation).params.get("interval")
    return "1h" if known is None or not known.values or "1h" in known.values else known.values[0]


@pytest.mark.parametrize(("name", "operation"), list(operations()))
async def test_every_operation_answers_with_its_model(name: str, operation: str) -> None:
    venue = shared(name)
    client, wire = rest_of(venue)
    plan, wanted = venue.exchange.operation(operation), holes(name, operation)
    for kind in sorted(plan.kinds or {one.symbol.kind for one in venue.listing}):
        one = next(one for one in venue.listing if one.symbol.kind == kind)
        symbol: dict[str, Any] = {"symbol": str(one.symbol)} if wanted & {"id", "base", "quote"} else {}
        interval: dict[str, Any] = {"interval": interval_of(name, operation)} if "interval" in wanted else {}
        events = await client.call(operation, **symbol, **interval)
        assert wire.reasons == []
        assert client._engine.quarantine.count == 0
        model = venue.exchange.spec.rest[operation].returns
        if model in MODELS:
            assert events, "no events"
            assert {type(event) for event in events} == {MODELS[model]}
            assert not symbol or {event.symbol for event in events} == {str(one.symbol)}


ROWS_OF_A_LINE = [
    ("/api/v5/market/tickers", {"instType": "SWAP"}, {"SWAP"}),
    ("/api/v5/market/tickers", {"instType": "FUTURES"}, {"FUTURES"}),
    ("/api/v5/market/ticker", {"instId": "BTC-USDT"}, {"SPOT"}),
    ("/api/v5/public/instruments", {"instType": "OPTION", "uly": "BTC-USD"}, {"OPTION"}),
    ("/api/v5/public/instruments", {"instType": "OPTION", "uly": "ETH-USD"}, set()),
]


@pytest.mark.parametrize(("path", "query", "lines"), ROWS_OF_A_LINE)
def test_rows_agree_with_what_was_asked_for(path: str, query: dict[str, str], lines: set[str]) -> None:
    status, body, reason = shared("okx").answer("GET", path, query)
    assert (status, reason) == (200, "")
    assert {row["instType"] for row in json.loads(body)["data"]} == lines


def test_a_native_id_that_no_symbol_means_has_a_market_and_is_no_instrument() -> None:
    venue = venue_of("okx", symbols=["BTC-USDT_BTC-USDT-SWAP"])
    assert venue.market("BTC-USDT_BTC-USDT-SWAP").price > 0
    assert "BTC-USDT_BTC-USDT-SWAP" not in [one.id for one in venue.listing]
    with pytest.raises(InvalidSymbol):
        venue.market("BTC-USDT_ETH-USDT")


@pytest.mark.parametrize("name", VENUES)
async def test_what_is_listed_is_what_the_client_learns(name: str) -> None:
    venue = shared(name)
    client, _ = rest_of(venue)
    instruments = {one.symbol: one for one in await client.get_instruments()}
    assert {str(one.symbol): one.id for one in venue.listing} == {symbol: one.id for symbol, one in instruments.items()}
    for one in venue.listing:
        found = instruments[str(one.symbol)]
        assert found.kind == one.symbol.kind
        assert found.active is not False
        assert (found.base, found.quote) == (one.symbol.base, one.symbol.quote)


@pytest.mark.parametrize("name", VENUES)
async def test_tickers_of_all_agree_with_each_one(name: str) -> None:
    venue = shared(name)
    client, _ = rest_of(venue)
    tickers = await client.get_tickers()
    assert {ticker.symbol for ticker in tickers} == {str(one.symbol) for one in venue.listing}
    for one in list(venue.listing)[:3]:
        single = await client.get_ticker(str(one.symbol))
        assert isinstance(single, Ticker)
        assert single.last == venue.market(str(one.symbol)).price == next(row.last for row in tickers if row.symbol == single.symbol)


@pytest.mark.parametrize("name", VENUES)
async def test_the_book_is_the_markets_own(name: str) -> None:
    venue = shared(name)
    client, _ = rest_of(venue)
    book = await client.get_order_book("BTC/USDT", depth=20)
    assert isinstance(book, Book)
    bids, asks = venue.market(venue.listing.find("BTC/USDT").id).top(20)
    assert (book.bids, book.asks) == (bids, asks)
    assert bids[0][0] < asks[0][0]


NEWEST_ONLY = ("kraken",)
"""Venues whose candles go no further back than one answer, whatever is asked for."""


@pytest.mark.parametrize("name", [name for name in VENUES if name not in NEWEST_ONLY])
@pytest.mark.parametrize(("start", "end", "limit"), [(None, None, 1000), (1000, 0, None), (2500, None, 1200), (None, 1500, 700)])
async def test_candles_walk_over_several_pages(name: str, start: int | None, end: int | None, limit: int | None) -> None:
    """`start` and `end` are minutes ago."""
    venue = venue_of(name)
    client, wire = rest_of(venue)
    now = START // MINUTE * MINUTE
    first, last = (None if ago is None else now - ago * MINUTE for ago in (start, end))
    candles = await client.get_candles("BTC/USDT", "1m", start=first, end=last, limit=limit)
    count = limit or 1000
    newest = (last if last is not None else now + MINUTE) - MINUTE
    begin = first if first is not None else newest - (count - 1) * MINUTE
    assert [candle.timestamp for candle in candles] == [begin + at * MINUTE for at in range(count)]
    assert all(candle.low <= min(candle.open, candle.close) <= candle.high for candle in candles)
    assert wire.reasons == []


async def test_thousand_candles_take_several_calls_where_a_page_is_short() -> None:
    client, wire = rest_of(venue_of("okx"))
    assert len(await client.get_candles("BTC/USDT", "1m", limit=1000)) == 1000
    assert len(wire.calls) == 4


@pytest.mark.parametrize("name", VENUES)
async def test_a_closed_candle_is_the_same_whenever_asked(name: str) -> None:
    venue = venue_of(name)
    client, _ = rest_of(venue)
    end = START // MINUTE * MINUTE
    span = {"start": end - 10 * MINUTE, "end": end}
    prices = [[(row.open, row.high, row.low, row.close) for row in await client.get_candles("BTC/USDT", "1m", **span)] for _ in range(2)]
    assert prices[0] == prices[1]
    assert len(prices[0]) == 10


PAGED = [
    ("okx", "trades_history", "BTC/USDT", Trade, {}),
    ("binance", "trades_history", "BTC/USDT", Trade, {"start": START - 900 * 1_000_000_000}),
    ("bitfinex", "trades", "BTC/USDT", Trade, {"start": START - 900 * 1_000_000_000}),
    ("kraken", "trades", "BTC/USDT", Trade, {"start": START - 900 * 1_000_000_000}),
    ("okx", "funding_rates", "BTC/USDT:PERP", FundingRate, {}),
    ("bitfinex", "funding_rates", "BTC/USDT:PERP", FundingRate, {}),
    ("okx", "open_interest_history", "BTC/USDT:PERP", OpenInterest, {"interval": "1h"}),
    ("bitfinex", "open_interest_history", "BTC/USDT:PERP", OpenInterest, {}),
    ("binance_usdm", "trades_history", "BTC/USDT:PERP", Trade, {"start": START - 900 * 1_000_000_000}),
    ("binance_usdm", "open_interest_history", "BTC/USDT:PERP", OpenInterest, {"interval": "1h"}),
]


@pytest.mark.parametrize(("name", "operation", "symbol", "model", "params"), PAGED)
async def test_histories_walk_without_holes_or_repetition(
    name: str, operation: str, symbol: str, model: type, params: dict[str, Any]
) -> None:
    venue = venue_of(name)
    client, wire = rest_of(venue)
    rows = await client.call(operation, symbol=symbol, limit=350, **params)
    times = [row.timestamp or 0 for row in rows]
    assert len(rows) == 350
    assert all(isinstance(row, model) for row in rows)
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert len(steps) == 1
    assert min(steps) > 0
    assert wire.reasons == []


REFUSED = [
    ("okx", "/api/v5/market/nothing", {}, None),
    ("okx", "/api/v5/market/ticker", {"instId": "BTC-USDT", "extra": "1"}, InvalidRequest),
    ("okx", "/api/v5/market/ticker", {"instId": "BTC-NOPE"}, InvalidSymbol),
    ("okx", "/api/v5/market/ticker", {"instId": "'; drop"}, InvalidSymbol),
    ("okx", "/api/v5/market/candles", {"instId": "BTC-USDT", "bar": "7m"}, InvalidRequest),
    ("okx", "/api/v5/market/candles", {"instId": "BTC-USDT", "bar": "1m", "limit": "301"}, InvalidRequest),
    ("okx", "/api/v5/market/candles", {"instId": "BTC-USDT", "bar": "1m", "after": "soon"}, InvalidRequest),
    ("okx", "/api/v5/public/funding-rate", {"instId": "BTC-USDT"}, InvalidSymbol),
    ("okx", "/api/v5/public/mark-price", {"instType": "OPTION", "instId": "BTC-USDT-SWAP"}, InvalidSymbol),
    ("okx", "/api/v5/public/instruments", {"instType": "STOCKS"}, InvalidRequest),
    ("binance", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1001"}, InvalidRequest),
    ("binance", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "-1"}, InvalidRequest),
    ("binance", "/api/v3/exchangeInfo", {}, InvalidRequest),
    ("binance", "/api/v3/depth", {"symbol": "NOPE"}, InvalidSymbol),
    ("kraken", "/0/public/Ticker", {"pair": "NOPUSD"}, InvalidSymbol),
    ("kraken", "/0/public/OHLC", {"pair": "XBTUSD", "interval": "7"}, InvalidRequest),
    ("kraken", "/0/public/Trades", {"pair": "XBTUSD", "since": "soon"}, InvalidRequest),
    ("bitfinex", "/v2/book/tBTCUSD/P0", {"len": "7"}, InvalidRequest),
    ("bitfinex", "/v2/ticker/tNOPNOP", {}, InvalidSymbol),
    ("bitfinex", "/v2/trades/tBTCUSD/hist", {"limit": "many", "sort": "-1"}, InvalidRequest),
]


@pytest.mark.parametrize(("name", "path", "query", "expected"), REFUSED)
def test_what_the_spec_does_not_describe_is_refused(
    name: str, path: str, query: dict[str, str], expected: type[ExchangeError] | None
) -> None:
    venue = shared(name)
    status, body, reason = venue.answer("GET", path, query)
    assert reason
    error = venue.exchange.errors.check(status, body, path)
    assert error is not None
    assert isinstance(error, expected or ExchangeError)


@pytest.mark.parametrize("name", VENUES)
async def test_unknown_instruments_raise_in_the_client(name: str) -> None:
    client, _ = rest_of(shared(name))
    with pytest.raises(InvalidSymbol):
        await client.get_ticker("NOP/USDT")


def test_a_body_that_is_no_json_is_refused() -> None:
    status, _, reason = shared("okx").answer("GET", "/api/v5/public/time", {}, b"{")
    assert (status >= 200, "no JSON" in reason) == (True, True)


async def test_markets_nobody_subscribed_to_move_when_asked_later() -> None:
    venue = venue_of("okx")
    client, _ = rest_of(venue)
    before = await client.get_order_book("BTC/USDT")
    venue._clock.now += 1_000_000_000  # type: ignore[attr-defined]
    after = await client.get_order_book("BTC/USDT")
    assert (after.timestamp or 0) - (before.timestamp or 0) == 1_000_000_000
    assert after.bids != before.bids


async def test_symbols_asked_for_are_listed_too() -> None:
    venue = venue_of("okx", symbols=("ADA/USDT", "XRP-USDC"))
    client, _ = rest_of(venue)
    for symbol in ("ADA/USDT", "XRP/USDC"):
        assert isinstance(await client.get_ticker(symbol), Ticker)
    rows = await client.get_instruments()
    assert {"ADA/USDT", "XRP/USDC"} <= {row.symbol for row in rows}
