"""Product lines: ids that are unique in one only, channels on several connections, rules by category, contracts known offline."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.engine.frames import FrameReader
from cexspec.engine.markets import Markets
from cexspec.engine.normalize import Normalizer
from cexspec.models import Instrument, InvalidSymbol, Ticker, Trade
from tests.compile.made_up import VERB, exchange

CATEGORIES = {
    "spot": {"kind": ["spot"]},
    "linear": {"kind": ["perpetual"], "settle": ["USDT"], "value": "LINEAR", "contract_size": 1, "contract_currency": "base"},
    "inverse": {"kind": ["perpetual"], "contract_size": 1, "contract_currency": "quote"},
}
SYMBOLS = {
    "unique_in": "category",
    "formats": {"spot": "{base}{quote}", "perpetual": ["{base}{quote}", "{base}_{quote:3}"]},
    "quotes": ["USDT"],
    "inverse_quotes": ["USD"],
    "examples": {"BTC/USDT": "BTCUSDT", "BTC/USDT:PERP": "BTCUSDT", "BTC/USD:PERP:BTC": "BTC_USD"},
}
LINES = ("spot", "linear", "inverse")
TRADES = {
    "on": {name: name for name in LINES},
    "topic": "trades.{{ id }}",
    "match": {"$.topic": {"prefix": "trades."}},
    "returns": "trade",
    "item": "$.data",
    "fields": {"symbol": "$.s", "id": "$.i", "price": "$.p", "size": {"path": "$.q", "scale": "contract_size"}, "side": "$.d"},
}
TICKER = {
    "get": "/ticker",
    "query": {"category": "{{ category }}", "id": "{{ id }}"},
    "category": "$.line",
    "returns": "ticker",
    "item": "$.data",
    "fields": {
        "symbol": "$.s",
        "last": "$.l",
        "base_volume": {"by_category": {"inverse": "$.turnover", "other": "$.volume"}},
        "quote_volume": {"by_category": {"inverse": "$.volume", "linear": "$.turnover"}},
    },
}
LISTED = {
    "get": "/instruments",
    "query": {"category": "{{ category }}"},
    "each": [{"category": name} for name in ("spot", "LINEAR", "inverse")],
    "category": "$.line",
    "returns": "instrument",
    "items": "$.list[*]",
    "fields": {"id": "$.id", "tick_size": "$.tick"},
}


def venue() -> Exchange:
    return exchange(
        symbols=SYMBOLS,
        categories=CATEGORIES,
        environments={"live": {"rest": "https://venue.test", "ws": {name: f"wss://venue.test/{name}" for name in LINES}}},
        rest={"ticker": TICKER, "instruments": LISTED},
        ws={"connections": {name: {"subscribe": VERB, "unsubscribe": VERB} for name in LINES}, "channels": {"trades": TRADES}},
    )


def trade(native_id: str) -> str:
    return json.dumps({"topic": f"trades.{native_id}", "data": {"s": native_id, "i": "7", "p": "50000", "q": "100", "d": "buy"}})


def read(normalizer: Normalizer, frame: str, connection: str | None) -> Trade:
    (event,) = normalizer.ws(frame, connection)
    assert isinstance(event, Trade)
    return event


@pytest.fixture
def normalizer(monkeypatch: pytest.MonkeyPatch) -> Normalizer:
    monkeypatch.setattr("cexspec.engine.normalize.compile_exchange", lambda *_: venue())
    return Normalizer("venue")


FRAMES = [
    ("spot", "BTCUSDT", "BTC/USDT", Decimal(100), None),
    ("linear", "BTCUSDT", "BTC/USDT:PERP", Decimal(100), None),  # one contract is one coin: nothing to count
    ("inverse", "BTC_USD", "BTC/USD:PERP:BTC", Decimal("0.002"), Decimal(100)),
    (None, "BTC_USD", "BTC/USD:PERP:BTC", Decimal("0.002"), Decimal(100)),  # no other line reads it
    (None, "BTCUSDT", "BTCUSDT", None, Decimal(100)),  # two lines do: labelled by its id, not by one of them
]


@pytest.mark.parametrize(("connection", "native_id", "symbol", "size", "contracts"), FRAMES)
def test_a_frame_is_read_in_the_product_line_of_its_connection(
    normalizer: Normalizer, connection: str | None, native_id: str, symbol: str, size: Decimal | None, contracts: Decimal | None
) -> None:
    for _ in range(2):  # by routing, and by guessing
        event = read(normalizer, trade(native_id), connection)
        assert (event.symbol, event.size, event.contracts) == (symbol, size, contracts)


def test_frames_of_several_connections_never_share_a_guess(normalizer: Normalizer) -> None:
    symbols = [read(normalizer, trade("BTCUSDT"), name).symbol for name in ("spot", "linear", None, "spot", "linear", None)]
    assert symbols == ["BTC/USDT", "BTC/USDT:PERP", "BTCUSDT"] * 2


def test_a_url_tells_the_product_line(normalizer: Normalizer) -> None:
    (event,) = normalizer.read_ws(trade("BTCUSDT"), url="wss://venue.test/linear?x=1").events
    assert event.symbol == "BTC/USDT:PERP"


ANSWERS: list[tuple[dict[str, Any], dict[str, Any], str, tuple[int, int | None]]] = [
    ({"line": "LINEAR"}, {}, "BTC/USDT:PERP", (5, 9)),  # the message's own word
    ({}, {"category": "LINEAR"}, "BTC/USDT:PERP", (5, 9)),  # the request's
    ({"line": "spot"}, {"category": "LINEAR"}, "BTC/USDT", (5, None)),  # the message knows best
    ({}, {}, "BTCUSDT", (5, None)),
]


@pytest.mark.parametrize(("told", "params", "symbol", "volumes"), ANSWERS)
def test_an_answer_is_about_the_product_line_that_it_or_its_request_names(
    normalizer: Normalizer, told: dict[str, str], params: dict[str, str], symbol: str, volumes: tuple[int, int | None]
) -> None:
    body = {**told, "data": {"s": "BTCUSDT", "l": "1", "volume": "5", "turnover": "9"}}
    (event,) = normalizer.rest("ticker", json.dumps(body), params)
    assert isinstance(event, Ticker)
    assert (event.symbol, event.base_volume, event.quote_volume) == (symbol, *volumes)


MIXED = {
    **{key: value for key, value in TRADES.items() if key != "item"},
    "on": "all",
    "category": {"path": "$.line", "of": "item"},
    "items": "$.data[*]",
}
"""One connection for all product lines, whose items name theirs."""


def mixed(**changes: Any) -> Exchange:
    return exchange(
        symbols=SYMBOLS,
        categories=CATEGORIES,
        environments={"live": {"rest": "https://venue.test", "ws": {"all": "wss://venue.test/all"}}},
        ws={"connections": {"all": {"subscribe": VERB, "unsubscribe": VERB}}, "channels": {"trades": {**MIXED, **changes}}},
    )


def test_each_item_is_about_the_product_line_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cexspec.engine.normalize.compile_exchange", lambda *_: mixed())
    rows = [{"line": line, "s": "BTCUSDT", "i": "7", "p": "50000", "q": "100", "d": "buy"} for line in ("LINEAR", "spot", None)]
    events = Normalizer("venue").ws(json.dumps({"topic": "trades.all", "data": rows}), "all")
    assert [event.symbol for event in events] == ["BTC/USDT:PERP", "BTC/USDT", "BTCUSDT"]


def test_the_product_line_of_merged_items_outlasts_what_does_not_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"symbol": "$.s", "last": "$.l", "bid": {"path": "$.b", "optional": True}}
    told = mixed(stream="ticker", returns="ticker", merge={"by": "$.s"}, fields=fields)
    monkeypatch.setattr("cexspec.engine.normalize.compile_exchange", lambda *_: told)
    normalizer = Normalizer("venue")
    rows: list[dict[str, Any]] = [{"line": "spot", "s": "BTCUSDT", "l": "1"}, {"s": "BTCUSDT", "b": "2"}]
    frames = [json.dumps({"topic": "trades.all", "data": [row]}) for row in rows]
    events = [event for frame in frames for event in normalizer.ws(frame, "all")]
    assert [(event.symbol, getattr(event, "bid", None)) for event in events] == [("BTC/USDT", None), ("BTC/USDT", 2)]


def test_the_branch_of_an_inverse_market(normalizer: Normalizer) -> None:
    body = {"line": "inverse", "data": {"s": "BTC_USD", "l": "1", "volume": "5", "turnover": "9"}}
    (event,) = normalizer.rest("ticker", json.dumps(body))
    assert isinstance(event, Ticker)
    assert (event.base_volume, event.quote_volume) == (9, 5)


def instruments(normalizer: Normalizer, line: str, *ids: str) -> list[Instrument]:
    body = {"line": line, "list": [{"id": one, "tick": "0.1"} for one in ids]}
    return [event for event in normalizer.rest("instruments", json.dumps(body)) if isinstance(event, Instrument)]


LINES_OF_INSTRUMENTS = [
    ("spot", "BTCUSDT", ("BTC/USDT", "spot", None, None)),
    ("LINEAR", "BTCUSDT", ("BTC/USDT:PERP", "perpetual", Decimal(1), "BTC")),
    ("inverse", "BTC_USD", ("BTC/USD:PERP:BTC", "perpetual", Decimal(1), "USD")),
]


@pytest.mark.parametrize(("line", "native_id", "expected"), LINES_OF_INSTRUMENTS)
def test_an_instrument_has_what_its_product_line_says(
    normalizer: Normalizer, line: str, native_id: str, expected: tuple[str, str, Decimal | None, str | None]
) -> None:
    (one,) = instruments(normalizer, line, native_id)
    assert (one.symbol, one.kind, one.contract_size, one.contract_currency) == expected


def test_loaded_instruments_with_one_id_keep_apart() -> None:
    markets, plan = Markets(venue()), venue()
    given: dict[str, Any] = {"exchange": "venue", "base": "BTC", "quote": "USDT"}
    spot = Instrument(id="BTCUSDT", symbol="BTC/USDT", kind="spot", **given)
    linear = Instrument(id="BTCUSDT", symbol="BTC/USDT:PERP", kind="perpetual", settle="USDT", **given)
    assert markets.load([spot, linear]) == ()
    assert markets.instrument("BTC/USDT") is spot
    assert markets.instrument("BTC/USDT:PERP") is linear
    assert markets.within("spot")("BTCUSDT").symbol == "BTC/USDT"
    assert markets.within("LINEAR")("BTCUSDT").symbol == markets.within("linear")("BTCUSDT").symbol == "BTC/USDT:PERP"
    assert markets.params("BTC/USDT:PERP") | {"id": "BTCUSDT", "category": "LINEAR"} == markets.params("BTC/USDT:PERP")
    with pytest.raises(InvalidSymbol, match="'BTCUSDT' is the id of BTC/USDT and BTC/USDT:PERP: name one of these"):
        markets.native_id("BTCUSDT")
    assert plan.unique_in_category


NAMED = [("BTC/USDT", "spot"), ("BTC/USDT:PERP", "linear"), ("BTC/USD:PERP:BTC", "inverse"), ("BTC_USD", "inverse")]


@pytest.mark.parametrize(("asked", "category"), NAMED)
def test_offline_a_caller_names_a_market(asked: str, category: str) -> None:
    assert Markets(venue()).find(asked).category == category


def test_offline_an_id_of_two_lines_names_none() -> None:
    with pytest.raises(InvalidSymbol, match="name one of these"):
        Markets(venue()).find("BTCUSDT")


def test_a_channel_lives_where_its_category_does() -> None:
    plan = venue()
    channel = plan.channel("trades")
    assert [channel.connection_of(name) for name in (*LINES, "option", None)] == [*LINES, None, None]
    assert [plan.connection(name).category for name in LINES] == list(LINES)
    reader = FrameReader("venue", plan.connection("linear"), {"trades": channel}, Markets(plan))
    assert [event.symbol for event in reader.read(trade("BTCUSDT")).events] == ["BTC/USDT:PERP"]


def test_ids_that_are_unique_anyway_need_no_line() -> None:
    plan = exchange(symbols={**SYMBOLS, "unique_in": "exchange", "examples": {"BTC/USDT": "BTCUSDT"}, "formats": {"spot": "{base}{quote}"}},
                    categories=CATEGORIES)  # fmt: skip
    markets = Markets(plan)
    assert markets.within("linear")("BTCUSDT") is markets.market("BTCUSDT")
    assert markets.market("BTCUSDT").category == "spot"
