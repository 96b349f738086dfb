"""Fields of orders, fills, positions and balances: what venues say of them, and what follows from it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cexspec.models import DecodeError, Event, Market, Ticker
from cexspec.models.execution import Balance, Fill, Order, Position
from tests.compile.made_up import Notes, answering, streaming

LINEAR = Market(id="L", symbol="BTC/USDT:PERP", kind="perpetual", contract_size=Decimal("0.01"))
INVERSE = Market(id="I", symbol="BTC/USD:PERP:BTC", kind="perpetual", contract_size=Decimal(100), contract_in_quote=True)
SPOT = Market(id="S", symbol="BTC/USDT", kind="spot")
UNKNOWN = Market(id="U", symbol="ETH/USD:PERP:ETH", kind="perpetual", contract_in_quote=True)
MARKETS = {market.id: market for market in (LINEAR, INVERSE, SPOT, UNKNOWN)}


def read(fields: dict[str, Any], message: dict[str, Any], model: str = "order", number: type[Decimal] | type[float] = Decimal) -> Event:
    """The one event of an answer; of a market `S` unless it says another."""
    symbol = {} if model == "balance" else {"symbol": "$.m"}
    plan = answering({"returns": model, "fields": {**symbol, **fields}}, number).operation("call")
    assert plan.reader is not None
    (event,) = plan.reader.read(json.dumps({"m": "S", **message}).encode(), Notes(markets=MARKETS))
    return event


FEES: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"path": "$.fee", "negate": "true"}, {"fee": "-0.10"}, "0.10"),
    ({"path": "$.fee", "negate": "true"}, {"fee": 0.5}, "-0.5"),
    ({"path": "$.fee", "negate": "true"}, {"fee": "0.00"}, "0.00"),
    ({"path": "$.fee", "negate": "true", "zero": "absent"}, {"fee": "0.00"}, None),
    ({"path": "$.fee", "negate": "true", "zero": "absent"}, {"fee": "-3"}, "3"),
    ({"path": "$.fee", "absent": ["-", "none"]}, {"fee": "-"}, None),
    ({"path": "$.fee", "absent": ["-", "none"]}, {"fee": "1.50"}, "1.50"),
    ({"path": "$.fee", "absent": ["-1"]}, {"fee": -1}, None),
    ({"path": "$.fee", "absent": ["-"], "empty": "absent"}, {"fee": ""}, None),
    ({"path": "$.fee", "optional": "true", "or": "$.cost"}, {"cost": "2"}, "2"),
    ({"path": "$.fee", "optional": "true", "or": "$.cost"}, {"fee": "1", "cost": "2"}, "1"),
    ({"path": "$.fee", "zero": "absent", "or": {"path": "$.cost", "optional": "true"}}, {"fee": "0"}, None),
    ({"path": "$.fee", "empty": "absent", "or": {"path": "$.cost", "optional": "true", "or": {"const": "0"}}}, {"fee": ""}, "0"),
    ({"path": "$.fee", "optional": "true", "or": {"by_kind": {"spot": "$.cost", "other": "$.n"}}}, {"cost": "2", "n": "3"}, "2"),
    ({"path": "$.fee", "over": "$.n"}, {"fee": "30", "n": "1.5"}, "20"),
    ({"path": "$.fee", "over": "$.n"}, {"fee": 1, "n": 8}, "0.125"),
    ({"path": "$.fee", "over": "$.n"}, {"fee": "30", "n": "0.0"}, None),
    ({"path": "$.fee", "over": "$.n", "or": {"path": "$.cost", "zero": "absent"}}, {"fee": "0", "n": "0", "cost": "7"}, "7"),
    ({"path": "$.fee", "over": "$.n", "zero": "absent"}, {"fee": "0", "n": "0"}, None),
    ({"path": "$.fee", "over": "$.n", "zero": "absent"}, {"fee": "9", "n": "3"}, "3"),
    ({"path": "$.fee", "over": "$.n", "optional": "true"}, {"fee": "9"}, None),
    ({"path": "$.fee", "over": "$.n", "optional": "true"}, {}, None),
    ({"path": "$.fee", "times": "$.cost", "over": "$.n"}, {"fee": "9", "cost": "2", "n": "3"}, "6"),
    ({"path": "$.fee", "minus": "$.cost"}, {"fee": "9.50", "cost": "2"}, "7.50"),
    ({"path": "$.fee", "minus": "$.cost"}, {"fee": 9, "cost": "9"}, "0"),
    ({"path": "$.fee", "minus": "$.cost", "over": "$.n"}, {"fee": "9", "cost": "3", "n": "2"}, "3"),
    ({"path": "$.fee", "minus": "$.cost", "zero": "absent"}, {"fee": "0", "cost": "3"}, None),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"fee": "9", "in": "quote"}, None),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"fee": "9", "in": "base"}, "9"),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"fee": "9"}, "9"),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"in": "quote"}, None),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"fee": {"paid": "9"}, "in": "quote"}, None),
    ({"path": "$.fee", "unless": {"$.in": "quote"}}, {"fee": 9, "in": "base"}, "9"),
    ({"path": "$.fee", "unless": {"$.in": "quote", "$.n": {"not": "0"}}}, {"fee": "9", "in": "quote", "n": "0"}, "9"),
    ({"path": "$.fee", "unless": {"$.in": "quote"}, "or": "$.cost"}, {"fee": "9", "in": "quote", "cost": "2"}, "2"),
    ({"const": "1", "unless": {"$.in": "quote"}}, {"in": "quote"}, None),
    ({"by_kind": {"spot": "$.fee", "other": "$.n"}, "unless": {"$.in": "quote"}}, {"fee": "9", "in": "quote"}, None),
    ({"by_kind": {"spot": "$.fee", "other": "$.n"}, "unless": {"$.in": "quote"}}, {"fee": "9", "n": "2"}, "9"),
]


@pytest.mark.parametrize(("rule", "message", "expected"), FEES)
def test_a_fee_is_as_the_rule_says(rule: dict[str, Any], message: dict[str, Any], expected: str | None) -> None:
    event = read({"fee": rule}, message)
    assert isinstance(event, Order)
    assert (None if event.fee is None else str(event.fee)) == expected
    inexact = read({"fee": rule}, message, number=float)
    assert isinstance(inexact, Order)
    assert inexact.fee == (None if expected is None else float(expected))


@pytest.mark.parametrize(
    ("rule", "message", "text"),
    [
        ({"path": "$.q", "over": "$.n"}, {"q": "1", "n": None}, "got `null`"),
        ({"path": "$.q", "over": "$.n"}, {"q": "-1", "n": "2"}, "less than nothing"),
        ({"path": "$.q", "absent": ["none"]}, {"q": "some"}, "not a number"),
        ({"path": "$.q", "optional": "true", "or": "$.n"}, {}, "nothing at \\$.n"),
        ({"path": "$.q", "unless": {"$.in": "quote"}}, {"in": "base"}, "nothing at \\$.q"),
    ],
)
def test_a_number_that_the_rule_doesnt_excuse_is_refused(rule: dict[str, Any], message: dict[str, Any], text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        read({"quantity": rule}, message)


def test_what_a_model_must_have_is_not_none_whatever_the_marks() -> None:
    fields = {"side": "$.s", "quantity": "$.q", "price": {"path": "$.p", "absent": ["-"], "or": {"path": "$.o", "absent": ["-"]}}}
    event = read(fields, {"s": "buy", "q": "1", "p": "-", "o": "2"}, "fill")
    assert isinstance(event, Fill) and event.price == 2
    with pytest.raises(DecodeError, match="nothing at"):
        read(fields, {"s": "buy", "q": "1", "p": "-", "o": "-"}, "fill")
    fields |= {"price": {"path": "$.p", "unless": {"$.s": "sell"}}}
    with pytest.raises(DecodeError, match="'unless' holds"):
        read(fields, {"s": "sell", "q": "1", "p": "3"}, "fill")


WORDS: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"path": "$.s", "map": {"1": "buy", "2": "sell"}, "absent": ["0", "none"]}, {"s": 1}, "buy"),
    ({"path": "$.s", "map": {"1": "buy", "2": "sell"}, "absent": ["0", "none"]}, {"s": 0}, None),
    ({"path": "$.s", "map": {"1": "buy", "2": "sell"}, "absent": ["0", "none"]}, {"s": "none"}, None),
    (
        {"path": "$.s", "absent": ["net"], "or": {"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}}},
        {"s": "sell", "q": 1},
        "sell",
    ),
    (
        {"path": "$.s", "absent": ["net"], "or": {"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}}},
        {"s": "net", "q": -1},
        "sell",
    ),
    ({"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}, "zero": "absent"}, {"q": "0.000"}, None),
    ({"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}, "zero": "absent"}, {"q": "-0.5"}, "sell"),
    ({"path": "$.s", "split": {"by": ":", "part": "1"}, "absent": ["?"]}, {"s": "x:buy"}, "buy"),
    ({"path": "$.s", "split": {"by": ":", "part": "1"}, "absent": ["?"]}, {"s": "?"}, None),
    ({"path": "$.s", "unless": {"$.q": "0"}}, {"s": "closed", "q": 0}, None),
    ({"path": "$.s", "unless": {"$.q": "0"}}, {"s": "buy", "q": 1}, "buy"),
    ({"path": "$.s", "map": {"1": "buy"}, "unless": {"$.q": "0"}}, {"s": {"any": 1}, "q": 0}, None),
    ({"path": "$.s", "map": {"1": "buy"}, "unless": {"$.q": "0"}}, {"s": 1, "q": 1}, "buy"),
    ({"path": "$.s", "flag": {"true": "buy", "false": "sell"}, "unless": {"$.q": "0"}}, {"s": True, "q": 1}, "buy"),
]


@pytest.mark.parametrize(("rule", "message", "expected"), WORDS)
def test_a_side_is_as_the_rule_says(rule: dict[str, Any], message: dict[str, Any], expected: str | None) -> None:
    event = read({"side": rule}, message)
    assert isinstance(event, Order) and event.side == expected


def test_words_that_decide_are_strict() -> None:
    with pytest.raises(DecodeError, match="'OPEN' is none of new"):
        read({"status": {"path": "$.s", "map": {"new": "new"}}}, {"s": "OPEN"})
    event = read({"type": "$.t", "time_in_force": "$.f", "conditional": {"const": "true"}}, {"t": "stop_limit", "f": "gtd"})
    assert isinstance(event, Order) and (event.type, event.time_in_force, event.conditional) == ("stop_limit", "gtd", True)


AMOUNTS = {"quantity": {"path": "$.q", "optional": "true"}, "filled": {"path": "$.f", "optional": "true"}}
AMOUNTS |= {"remaining": {"path": "$.r", "optional": "true"}, "status": {"path": "$.s", "optional": "true"}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"q": "2.50", "f": "1"}, (None, "2.50", "1", "1.50")),
        ({"q": "2.50", "r": "1"}, (None, "2.50", "1.50", "1")),
        ({"f": "2.50", "r": "1"}, (None, "3.50", "2.50", "1")),
        ({"q": "2", "f": "2.1"}, (None, "2", "2.1", "0")),
        ({"q": "2", "f": "1", "r": "3"}, (None, "2", "1", "3")),
        ({"q": "2"}, (None, "2", None, None)),
        ({"f": "2"}, (None, None, "2", None)),
        ({"s": "new", "q": "2", "f": "0"}, ("new", "2", "0", "2")),
        ({"s": "new", "q": "2", "f": "1"}, ("partially_filled", "2", "1", "1")),
        ({"s": "new", "q": "2", "r": "1"}, ("partially_filled", "2", "1", "1")),
        ({"s": "filled", "q": "2"}, ("filled", "2", "2", "0")),
        ({"s": "filled", "f": "2"}, ("filled", "2", "2", "0")),
        ({"s": "filled"}, ("filled", None, None, "0")),
        ({"s": "canceled", "q": "2", "f": "1"}, ("canceled", "2", "1", "1")),
    ],
)
def test_of_an_order_two_amounts_give_the_third(message: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    event = read(AMOUNTS, message)
    assert isinstance(event, Order)
    found = (event.status, event.quantity, event.filled, event.remaining)
    assert tuple(None if value is None else str(value) for value in found) == expected


def test_amounts_are_completed_whatever_is_mapped() -> None:
    event = read({"filled": "$.f", "remaining": "$.r"}, {"f": 1.5, "r": 0.5}, number=float)
    assert isinstance(event, Order) and (event.quantity, event.status) == (2.0, None)
    bare = read({"order_id": "$.o"}, {"o": 1})
    assert isinstance(bare, Order) and (bare.order_id, bare.quantity, bare.status) == ("1", None, None)


@pytest.mark.parametrize(
    ("fields", "message", "expected"),
    [
        ({"total": "$.t", "used": "$.u"}, {"t": "1.0", "u": "0.25"}, ("1.0", "0.75", "0.25")),
        ({"free": "$.f", "used": "$.u"}, {"f": "1.0", "u": "0.25"}, ("1.25", "1.0", "0.25")),
        ({"total": "$.t", "free": "$.f"}, {"t": "1.0", "f": "1.0"}, ("1.0", "1.0", "0")),
        ({"total": "$.t"}, {"t": "1.0"}, ("1.0", None, None)),
        ({"total": "$.t", "free": "$.f"}, {"t": "-1.0", "f": "0"}, ("-1.0", "0", "0")),
    ],
)
def test_of_a_balance_two_amounts_give_the_third(fields: dict[str, Any], message: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    event = read({"currency": "$.c", **fields}, {"c": "BTC", **message}, "balance")
    assert isinstance(event, Balance) and event.symbol is None
    assert tuple(None if value is None else str(value) for value in (event.total, event.free, event.used)) == expected


COUNTED: dict[str, Any] = {
    "quantity": {"path": "$.q", "scale": "contract_size"},
    "filled": {"path": "$.f", "scale": "contract_size"},
    "price": {"path": "$.p", "zero": "absent"},
    "average_price": {"path": "$.a", "zero": "absent"},
}


@pytest.mark.parametrize(
    ("market", "prices", "expected"),
    [
        ("S", ("5", "0"), ("10", "4", "6", None)),
        ("L", ("0", "0"), ("0.10", "0.04", "0.06", "10")),
        ("I", ("50000", "0"), ("0.02", "0.008", "0.012", "10")),
        ("I", ("0", "50000"), ("0.02", "0.008", "0.012", "10")),
        ("I", ("50000", "40000"), ("0.02", "0.008", "0.012", "10")),
        ("I", ("0", "0"), (None, None, None, "10")),
        ("U", ("50000", "0"), (None, None, None, "10")),
    ],
)
def test_contracts_of_an_order_become_base(market: str, prices: tuple[str, str], expected: tuple[str | None, ...]) -> None:
    event = read(COUNTED, {"m": market, "q": "10", "f": "4", "p": prices[0], "a": prices[1]})
    assert isinstance(event, Order)
    found = (event.quantity, event.filled, event.remaining, event.contracts)
    assert tuple(None if value is None else str(value) for value in found) == expected


def test_no_contracts_are_nothing_in_base_without_any_price() -> None:
    fields: dict[str, Any] = {
        "quantity": {"path": "$.q", "abs": "true", "scale": "contract_size"},
        "entry_price": {"path": "$.e", "empty": "absent"},
    }
    fields["side"] = {"path": "$.q", "sign": {"positive": "long", "negative": "short"}, "zero": "absent"}
    event = read(fields, {"m": "I", "q": "0", "e": ""}, "position")
    assert isinstance(event, Position) and (event.side, event.quantity, event.contracts) == (None, 0, 0)
    short = read(fields, {"m": "I", "q": "-10", "e": "50000"}, "position")
    assert isinstance(short, Position) and (short.side, str(short.quantity), short.contracts) == ("short", "0.02", 10)
    fill = read(
        {"side": "$.s", "quantity": {"path": "$.q", "scale": "contract_size"}, "price": "$.p"},
        {"m": "U", "s": "buy", "q": 3, "p": 1},
        "fill",
    )
    assert isinstance(fill, Fill) and (fill.quantity, fill.contracts) == (None, 3)


def test_what_the_answer_leaves_out_is_told_by_the_request() -> None:
    told = ("symbol", "side", "type", "quantity", "price", "client_order_id", "post_only")
    plan = answering({"returns": "order", "fields": {"order_id": "$.o", **{name: {"of": "request"} for name in told}}}).operation("call")
    assert plan.reader is not None
    request = {"id": "S", "side": "buy", "type": "limit", "quantity": Decimal("1.50"), "price": Decimal(2), "client_order_id": "x"}
    (event,) = plan.reader.read(b'{"o": "7"}', Notes(markets=MARKETS, request={**request, "post_only": True}))
    assert isinstance(event, Order) and str(event.quantity) == "1.50"
    assert (event.order_id, event.symbol, event.side, event.type, event.post_only) == ("7", "BTC/USDT", "buy", "limit", True)


def test_a_divisor_of_partial_updates_may_be_yet_to_come() -> None:
    mapping = {"returns": "ticker", "merge": {"by": "$.i", "reset_when": {"$.t": "all"}}, "match": {"$.t": ["all", "some"]}}
    made = streaming({"ticker": {**mapping, "fields": {"symbol": "$.m", "last": {"path": "$.c", "over": "$.n"}}}})
    reader, notes = made.channel("ticker").readers[0], Notes(markets=MARKETS)
    assert reader.read(b'{"t": "some", "m": "S", "i": 1, "c": "6"}', notes) == []
    (event,) = reader.read(b'{"t": "some", "i": 1, "n": "3"}', notes)
    assert isinstance(event, Ticker) and event.last == 2
    with pytest.raises(DecodeError, match="nothing at"):
        reader.read(b'{"t": "all", "m": "S", "i": 2, "c": "6"}', notes)


@pytest.mark.parametrize(
    ("market", "rule", "expected"),
    [
        ("S", {"market": "quote"}, "USDT"),
        ("S", {"market": "base"}, "BTC"),
        ("S", {"market": "settle"}, "USDT"),
        ("I", {"market": "settle"}, "BTC"),
        ("nowhere", {"market": "quote"}, None),
        ("S", {"market": "quote", "unless": {"$.in": "base"}, "or": {"market": "base"}}, "USDT"),
        ("L", {"path": "$.ccy", "empty": "absent", "or": {"market": "quote"}}, "USDT"),
    ],
)
def test_a_fee_is_paid_in_a_currency_of_its_market(market: str, rule: dict[str, Any], expected: str | None) -> None:
    event = read({"fee": "$.fee", "fee_currency": rule}, {"m": market, "fee": "1", "ccy": ""})
    assert isinstance(event, Order) and event.fee_currency == expected


def test_a_fee_may_be_paid_in_another_currency_of_its_market() -> None:
    rule = {"market": "quote", "unless": {"$.in": "base"}, "or": {"market": "base"}}
    event = read({"fee_currency": rule}, {"in": "base"})
    assert isinstance(event, Order) and event.fee_currency == "BTC"


@pytest.mark.parametrize(("native", "common"), [("XBT", "BTC"), ("XXBT", "BTC"), ("ZUSD", "USD"), ("SOL", "SOL"), (None, None)])
def test_assets_of_accounts_have_common_codes(native: str | None, common: str | None) -> None:
    symbols = {"formats": {"spot": "{base}{quote}"}, "quotes": ["USD"], "aliases": {"XBT": "BTC"}, "examples": {"BTC/USD": "XBTUSD"}}
    fields = {"symbol": "$.m", "fee_currency": {"path": "$.c", "optional": "true"}}
    made = answering({"returns": "order", "fields": fields}, symbols={**symbols, "assets": {"XXBT": "BTC", "ZUSD": "USD"}})
    reader = made.operation("call").reader
    assert reader is not None
    (event,) = reader.read(json.dumps({"m": "XBTUSD", "c": native}).encode(), Notes())
    assert isinstance(event, Order) and event.fee_currency == common
