"""Field rules: each word alone and with others gives the same value (or error) wherever the field is read from, in both number types."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.reader import FAILURES
from cexspec.models import DecodeError, SpecError
from cexspec.spec.load import load_text
from cexspec.spec.problems import Problem
from tests.compile.made_up import Notes

HEAD = """\
cexspec: "1"
id: venue
name: Venue
kind: cex
docs: https://docs.test/
environments: {live: {rest: "https://venue.test"}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDT: BTC-USDT}}
intervals: {1m: "60", 1h: 1HUTC}
errors: {code: $.code, message: $.msg, codes: {"404": InvalidSymbol}}
rest:
  call:
    get: /call
"""
ONE = {"const": "1"}
OTHERS: dict[str, dict[str, Any]] = {
    "ticker": {"symbol": {"const": "BTC-USDT"}},
    "trade": {"symbol": {"const": "BTC-USDT"}, "id": ONE, "price": ONE, "size": ONE, "side": {"const": "buy"}},
    "liquidation": {"symbol": {"const": "BTC-USDT"}, "price": ONE, "size": ONE, "side": {"const": "buy"}},
    "candle": {
        "symbol": {"const": "BTC-USDT"},
        "interval": {"const": "1m"},
        **dict.fromkeys(("open", "high", "low", "close"), ONE),
    },
    "server_time": {},
    "instrument": {"id": {"const": "BTC-USDT"}},
}
"""What a mapping to the model can't do without."""


class Place(NamedTuple):
    """A way to put a value into an answer, and to read it back: `found` is the path that errors name."""

    name: str
    path: str
    body: Any
    items: str | None = None


ABSENT = object()
VALUE = "<value>"
TYPED = Place("typed", "$.v", {"v": VALUE})
ELEMENT = Place("array element", "$.a[1]", {"a": [0, VALUE, 2]})
FILTERED = Place("behind a filter", "$.x[?(@.k == 1)].v", {"x": [{"k": 2, "v": {}}, {"k": 1, "v": VALUE}]})
WALKED = Place("in a member of an object", "$.v", {"x": {"one": {"v": VALUE}}}, "$.x.*")
PLACES = (TYPED, ELEMENT, FILTERED, WALKED)


class Bad(NamedTuple):
    """The reason of a `DecodeError`: a regular expression."""

    reason: str


def put(body: Any, value: Any) -> Any:
    """The body of a place with the value in it; ABSENT takes the member (or cuts the array) away."""
    if isinstance(body, dict):
        return {name: put(inner, value) for name, inner in body.items() if not (inner == VALUE and value is ABSENT)}
    if isinstance(body, list):
        if value is ABSENT and VALUE in body:
            return body[: body.index(VALUE)]
        return [put(inner, value) for inner in body]
    return value if body == VALUE else body


def spec(model: str, fields: dict[str, Any], items: str | None = None) -> str:
    """A spec of one operation, each field on a line of its own."""
    lines = [f"    returns: {model}", *([f"    items: {json.dumps(items)}"] if items else []), "    fields:"]
    return HEAD + "\n".join([*lines, *(f"      {name}: {json.dumps(rule)}" for name, rule in fields.items())]) + "\n"


def line_of(text: str, field: str) -> int:
    """The line of a field, from 1."""
    return next(at for at, line in enumerate(text.splitlines(), 1) if line.startswith(f"      {field}:"))


def compiled(text: str, number: type[Decimal] | type[float] = Decimal) -> Exchange:
    """The exchange of a spec; `call` compiles."""
    exchange = Exchange(load_text(text), number)
    exchange.operation("call")
    return exchange


def read(text: str, body: Any, number: type[Decimal] | type[float] = Decimal, **context: Any) -> Any:
    """The only event of an answer."""
    reader = compiled(text, number).operation("call").reader
    assert reader is not None
    (event,) = reader.read(json.dumps(body).encode(), Notes(**context))
    return event


def same(found: Any, expected: Any, number: type[Decimal] | type[float]) -> bool:
    """Equal in value and in type: numbers are of the type that was asked for."""
    if isinstance(expected, Decimal):
        return type(found) is number and (str(found) == str(expected) if number is Decimal else found == pytest.approx(float(expected)))
    return type(found) is type(expected) and bool(found == expected)


D = Decimal
NO_NUMBER = "is not a number|Expected `float"
NOT_FINITE = "is not a number|is out of range|Expected `float`"
NO_TEXT = r"Expected `(str|int \| str|str \| int)`, got `"
NOTHING = "nothing at|null is not a number|got `null`|missing required field|Expected `.*`, got `null`|of at least length"
NO_BOOLEAN = "Expected `bool`"
SECOND = 1_000_000_000
T = 1_700_000_000
FLAG = {"true": "sell", "false": "buy"}
SIGN = {"positive": "buy", "negative": "sell"}

Case = tuple[str, str, dict[str, Any], Any, Any]
NUMBERS: list[Case] = [
    ("ticker", "last", {}, "1.50", D("1.50")),
    ("ticker", "last", {}, 1.5, D("1.5")),
    ("ticker", "last", {}, 7, D(7)),
    ("ticker", "last", {}, "-1e-8", D("-1E-8")),
    ("ticker", "last", {}, True, Bad(NO_NUMBER)),
    ("ticker", "last", {}, "", Bad(NO_NUMBER)),
    ("ticker", "last", {}, "1_000", Bad(NO_NUMBER)),
    ("ticker", "last", {}, "NaN", Bad(NOT_FINITE)),
    ("ticker", "last", {}, "-Infinity", Bad(NOT_FINITE)),
    ("ticker", "last", {}, "\u0661\u0662", Bad(NO_NUMBER)),
    ("ticker", "last", {}, "1\u0662.5", Bad(NO_NUMBER)),
    ("ticker", "last", {}, [1], Bad(NO_NUMBER)),
    ("ticker", "last", {}, {"a": 1}, Bad(NO_NUMBER)),
    ("ticker", "last", {}, None, Bad(NOTHING)),
    ("ticker", "last", {}, ABSENT, Bad(NOTHING)),
    ("ticker", "last", {"optional": True}, None, None),
    ("ticker", "last", {"optional": True}, ABSENT, None),
    ("ticker", "last", {"optional": True}, "2", D(2)),
    ("ticker", "last", {"optional": True}, "", Bad(NO_NUMBER)),
    ("ticker", "last", {"empty": "absent"}, "", None),
    ("ticker", "last", {"empty": "absent"}, "2", D(2)),
    ("ticker", "last", {"empty": "absent"}, 2.5, D("2.5")),
    ("ticker", "last", {"empty": "absent", "optional": True}, ABSENT, None),
    ("ticker", "last", {"zero": "absent"}, "0.00", None),
    ("ticker", "last", {"zero": "absent"}, 0, None),
    ("ticker", "last", {"zero": "absent"}, "0.1", D("0.1")),
    ("ticker", "last", {"zero": "absent", "abs": True}, "-3", D(3)),
    ("ticker", "last", {"zero": "absent", "abs": True}, "-0", None),
    ("ticker", "last", {"zero": "absent", "empty": "absent", "optional": True}, "", None),
    ("ticker", "last", {"zero": "absent", "empty": "absent", "unit": "fraction"}, "0.25", D("25.00")),
    ("ticker", "last", {"abs": True}, "-2.5", D("2.5")),
    ("ticker", "last", {"unit": "fraction"}, "-0.015", D("-1.500")),
    ("ticker", "last", {"abs": True, "unit": "fraction"}, -0.5, D("50.0")),
    ("ticker", "last", {"unit": "decimals"}, 2, D("0.01")),
    ("ticker", "last", {"unit": "decimals"}, "8", D("1E-8")),
    ("ticker", "last", {"unit": "decimals"}, 0, D(1)),
    ("ticker", "last", {"unit": "decimals"}, "-2", D(100)),
    ("ticker", "last", {"unit": "decimals"}, "1.5", Bad("1.5'? is no number of decimal places")),
    ("ticker", "last", {"unit": "decimals"}, 65, Bad("is no number of decimal places")),
    ("ticker", "last", {"unit": "decimals", "optional": True}, None, None),
    ("ticker", "last", {"split": {"by": "@", "part": 0}}, "7.5@3", D("7.5")),
    ("ticker", "last", {"split": {"by": "@", "part": -1}}, "7.5@3", D(3)),
    ("ticker", "last", {"split": {"by": "@", "part": 2}}, "7.5@3", Bad("'7.5@3' has no part 2 between '@'")),
    ("ticker", "last", {"strip": "$"}, "$9.10", D("9.10")),
    ("ticker", "last", {"prefix": "-"}, "4", D(-4)),
    ("ticker", "last", {"prefix": "1"}, 4, D(14)),
    ("ticker", "last", {"map": {"low": "1.5", "high": "2"}}, "low", D("1.5")),
    ("ticker", "last", {"map": {"low": "1.5"}, "unknown": "9"}, "other", D(9)),
    ("candle", "open", {"zero": "absent"}, "0", Bad("nothing at")),
    ("candle", "open", {"empty": "absent"}, "", Bad("nothing at")),
    ("candle", "open", {"optional": True}, ABSENT, Bad("nothing at")),
    ("candle", "open", {"optional": True}, "5", D(5)),
]
WHOLE: list[Case] = [
    ("candle", "trades", {}, 5, 5),
    ("candle", "trades", {}, "5", 5),
    ("candle", "trades", {}, 5.5, Bad("Expected `int`|out of|Invalid")),
    ("candle", "trades", {}, "five", Bad("Expected `int`")),
    ("candle", "trades", {}, 2**70, Bad("Expected `int` <=|out of range|Expected `int`")),
    ("candle", "trades", {}, None, Bad(NOTHING)),
    ("candle", "trades", {"optional": True}, ABSENT, None),
    ("candle", "trades", {"optional": True}, 3, 3),
    ("candle", "trades", {"empty": "absent"}, "", None),
    ("candle", "trades", {"empty": "absent"}, "12", 12),
    ("candle", "trades", {"map": {"few": "3"}}, "few", 3),
    ("candle", "closed", {}, True, True),
    ("candle", "closed", {}, "false", False),
    ("candle", "closed", {}, 1, True),
    ("candle", "closed", {}, "yes", Bad(NO_BOOLEAN)),
    ("candle", "closed", {}, [True], Bad(NO_BOOLEAN)),
    ("candle", "closed", {"optional": True}, None, None),
    ("candle", "closed", {"map": {"open": "false", "done": "true"}}, "done", True),
    ("candle", "closed", {"map": {"done": "true"}, "unknown": "false"}, "anything", False),
    ("candle", "closed", {"map": {"true": "false", "false": "true"}}, True, False),
    ("candle", "closed", {"map": {"true": "false", "false": "true"}}, "false", True),
    ("candle", "closed", {"map": {"true": "false"}}, [1], Bad("Expected")),
    ("candle", "closed", {"flag": {"true": "false", "false": "true"}}, True, False),
    ("candle", "closed", {"sign": {"positive": "true", "negative": "false"}}, "-1", False),
]
TIMES: list[Case] = [
    ("ticker", "timestamp", {"unit": "s"}, T, T * SECOND),
    ("ticker", "timestamp", {"unit": "s"}, f"{T}.25", T * SECOND + SECOND // 4),
    ("ticker", "timestamp", {"unit": "s"}, 1700000000.1234567, T * SECOND + 123_456_700),
    ("ticker", "timestamp", {"unit": "ms"}, f"{T}123", T * SECOND + 123_000_000),
    ("ticker", "timestamp", {"unit": "ms"}, T * 1000, T * SECOND),
    ("ticker", "timestamp", {"unit": "us"}, T * 1_000_000 + 7, T * SECOND + 7000),
    ("ticker", "timestamp", {"unit": "ns"}, str(T * SECOND + 7), T * SECOND + 7),
    ("ticker", "timestamp", {"unit": "ms"}, "soon", Bad("'soon' is not a number")),
    ("ticker", "timestamp", {"unit": "ms"}, True, Bad("true is not a number")),
    ("ticker", "timestamp", {"unit": "ms"}, 10**20, Bad("is out of range")),
    ("ticker", "timestamp", {"unit": "ms"}, None, Bad(NOTHING)),
    ("ticker", "timestamp", {"unit": "ms", "zero": "absent"}, 0, None),
    ("ticker", "timestamp", {"unit": "ms", "zero": "absent"}, "1000", SECOND),
    ("ticker", "timestamp", {"unit": "ms", "empty": "absent"}, "", None),
    ("ticker", "timestamp", {"unit": "ms", "empty": "absent"}, "1000", SECOND),
    ("ticker", "timestamp", {"unit": "ms", "empty": "absent", "zero": "absent", "optional": True}, ABSENT, None),
    ("ticker", "timestamp", {"unit": "iso"}, "2023-11-14T22:13:20.5Z", T * SECOND + SECOND // 2),
    ("ticker", "timestamp", {"unit": "iso", "empty": "absent"}, "", None),
    ("ticker", "timestamp", {"unit": "iso"}, "2023-13-14", Bad("'2023-13-14' is not an ISO 8601 time")),
    ("ticker", "timestamp", {"unit": "iso"}, "yesterday", Bad("'yesterday' is not an ISO 8601 time")),
    ("ticker", "timestamp", {"unit": "iso"}, 5, Bad("Expected `str`, got `int`|5 is not an ISO 8601 time")),
    ("ticker", "timestamp", {"unit": "s", "split": {"by": "-", "part": 1}}, "id-5", 5 * SECOND),
    ("server_time", "timestamp", {"unit": "s"}, "1", SECOND),
    ("server_time", "timestamp", {"unit": "s", "zero": "absent"}, 0, Bad("nothing at")),
]
WORDS: list[Case] = [
    ("trade", "side", {}, "buy", "buy"),
    ("trade", "side", {}, "BUY", Bad("'BUY' is none of buy, sell|Invalid enum value 'BUY'")),
    ("trade", "side", {}, 1, Bad("1 is none of buy, sell|Expected")),
    ("trade", "side", {}, ABSENT, Bad(NOTHING)),
    ("trade", "side", {"optional": True}, ABSENT, None),
    ("trade", "side", {"case": "lower"}, "SELL", "sell"),
    ("trade", "side", {"case": "lower"}, "SHORT", Bad("'short' is none of buy, sell")),
    ("trade", "side", {"map": {"1": "buy", "2": "sell"}}, 2, "sell"),
    ("trade", "side", {"map": {"1": "buy", "2": "sell"}}, "1", "buy"),
    ("trade", "side", {"map": {"1": "buy", "2": "sell"}}, 3, Bad("3 is none of 1, 2|Invalid enum value 3")),
    ("trade", "side", {"map": {"1": "buy"}, "empty": "absent"}, "", None),
    ("trade", "side", {"map": {"1": "buy"}, "empty": "absent"}, "1", "buy"),
    ("trade", "side", {"map": {"b": "buy"}, "split": {"by": "-", "part": 1}}, "x-b", "buy"),
    ("trade", "side", {"map": {"b": "buy"}, "split": {"by": "-", "part": 1}}, "x-s", Bad("'s' is none of b")),
    ("trade", "side", {"flag": FLAG}, True, "sell"),
    ("trade", "side", {"flag": FLAG}, False, "buy"),
    ("trade", "side", {"flag": FLAG, "optional": True}, None, None),
    ("trade", "side", {"flag": {"true": "buy", "false": "sell"}}, "true", "buy"),
    ("trade", "side", {"flag": FLAG, "empty": "absent"}, "", None),
    ("trade", "side", {"flag": FLAG, "empty": "absent"}, False, "buy"),
    ("trade", "side", {"flag": FLAG}, "x", Bad(NO_BOOLEAN)),
    ("trade", "side", {"sign": SIGN}, "-0.5", "sell"),
    ("trade", "side", {"sign": SIGN}, 3, "buy"),
    ("trade", "side", {"sign": {"positive": "sell", "negative": "buy"}}, 3, "sell"),
    ("trade", "side", {"sign": SIGN, "empty": "absent"}, "", None),
    ("trade", "side", {"sign": SIGN}, "x", Bad(NO_NUMBER)),
    ("liquidation", "side", {"sign": SIGN, "optional": True}, ABSENT, Bad("nothing at")),
    ("trade", "id", {"map": {"a": "A"}, "unknown": "?"}, "b", "?"),
    ("trade", "id", {"map": {"a": "A", "1": "B"}, "unknown": "?"}, 1, "B"),
    ("trade", "id", {"map": {"a": "A"}, "unknown": "?"}, {"a": 1}, Bad("Expected")),
]
TEXTS: list[Case] = [
    ("trade", "id", {}, "t-1", "t-1"),
    ("trade", "id", {}, 12345678901234567890, "12345678901234567890"),
    ("trade", "id", {}, True, Bad(NO_TEXT)),
    ("trade", "id", {}, 1.5, Bad(NO_TEXT)),
    ("trade", "id", {}, ["a"], Bad(NO_TEXT)),
    ("trade", "id", {}, None, Bad(NOTHING)),
    ("trade", "id", {"optional": True}, None, None),
    ("trade", "id", {"empty": "absent"}, "", None),
    ("trade", "id", {"empty": "absent"}, 7, "7"),
    ("trade", "id", {"prefix": "t"}, 7, "t7"),
    ("trade", "id", {"strip": "id:"}, "id:id:7", "id:7"),
    ("trade", "id", {"strip": "id:"}, "7", "7"),
    ("trade", "id", {"case": "upper"}, "ab", "AB"),
    ("trade", "id", {"split": {"by": ":", "part": 1}, "strip": "x", "prefix": "p", "case": "upper"}, "a:xb:c", "PB"),
    ("trade", "id", {"split": {"by": ":", "part": 3}}, "a:b", Bad("'a:b' has no part 3 between ':'")),
    ("trade", "id", {"split": {"by": ":", "part": 0}, "empty": "absent"}, "", None),
    ("trade", "id", {"split": {"by": [" @ ", " was: ", " ("], "part": 0}}, "CANCELED was: EXECUTED @ 5(1)", "CANCELED"),
    ("trade", "id", {"split": {"by": [" @ ", " was: "], "part": -1}}, "CANCELED was: EXECUTED @ 5(1)", "5(1)"),
    ("trade", "id", {"split": {"by": ["@", ":"], "part": 2}}, "a@b", Bad("'a@b' has no part 2 between '@', ':'")),
    ("trade", "id", {"case": "upper", "map": {"AB": "ab"}}, "ab", "ab"),
    ("trade", "symbol", {}, "BTC-USDT", "BTC-USDT"),
    ("trade", "symbol", {}, 7, Bad("Expected `str`, got `int`")),
    ("trade", "symbol", {"split": {"by": "@", "part": 0}, "case": "upper"}, "btc-usdt@trade", "BTC-USDT"),
    ("trade", "symbol", {"optional": True}, ABSENT, None),
    ("candle", "interval", {}, "1HUTC", "1h"),
    ("candle", "interval", {}, 60, "1m"),
    ("candle", "interval", {}, "1h", "1h"),
    ("candle", "interval", {}, "7m", Bad("'7m' is none of 1m, 1h, 60, 1HUTC")),
    ("candle", "interval", {"strip": "candle"}, "candle60", "1m"),
]
CASES = [*NUMBERS, *WHOLE, *TIMES, *WORDS, *TEXTS]


def misread(place: Place, number: type[Decimal] | type[float], case: Case) -> str | None:
    """How a case comes out otherwise than expected."""
    model, field, rule, value, expected = case
    text = spec(model, {**OTHERS[model], field: {"path": place.path, **rule}}, place.items)
    try:
        found = getattr(read(text, put(place.body, value), number), field)
    except DecodeError as error:
        right = isinstance(expected, Bad) and re.search(expected.reason, str(error)) is not None
        right &= place.path.startswith(error.path) and error.position.startswith(f"spec.yaml:{line_of(text, field)}:")
        return None if right else f"{case}: {error}"
    return None if same(found, expected, number) else f"{case}: {found!r}"


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_rule_means_the_same_wherever_its_value_is(place: Place, number: type[Decimal] | type[float]) -> None:
    assert [said for case in CASES if (said := misread(place, number, case)) is not None] == []


@pytest.mark.parametrize("number", [Decimal, float])
def test_a_faster_form_of_a_reader_gives_the_same_or_fails(number: type[Decimal] | type[float]) -> None:
    read_fast = 0
    for model, field, rule, value, expected in CASES:
        reader = compiled(spec(model, {**OTHERS[model], field: {"path": TYPED.path, **rule}}), number).operation("call").reader
        assert reader is not None
        frame = json.dumps(put(TYPED.body, value)).encode()
        for twin in reader.twins(frame):
            try:
                (event,) = twin.extract()(Notes(), frame)
            except FAILURES:
                continue
            read_fast += 1
            assert same(getattr(event, field), expected, number), (model, field, rule, value, getattr(event, field))
    assert read_fast > len(CASES) // 3


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_empty_alone_does_not_make_null_legal(place: Place) -> None:
    case = ("ticker", "last", {"empty": "absent"}, None, Bad(NOTHING))
    assert misread(place, Decimal, case) is None


CONSTANTS: list[tuple[str, str, str, Any]] = [
    ("ticker", "last", "-1.50", D("-1.50")),
    ("ticker", "timestamp", "1700", 1700),
    ("candle", "trades", "5", 5),
    ("candle", "closed", "true", True),
    ("candle", "closed", "false", False),
    ("candle", "interval", "1h", "1h"),
    ("trade", "id", "t", "t"),
    ("trade", "side", "sell", "sell"),
    ("trade", "symbol", "BTC-USDT", "BTC-USDT"),
]


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize(("model", "field", "word", "expected"), CONSTANTS)
def test_a_constant_is_of_the_fields_type(model: str, field: str, word: str, expected: Any, number: type[Decimal] | type[float]) -> None:
    event = read(spec(model, {**OTHERS[model], field: {"const": word}}), {}, number)
    assert same(getattr(event, field), expected, number)


SOURCES: list[tuple[str, dict[str, Any], Any, dict[str, Any], Any]] = [
    ("last", {"first_of": ["$.a", "$.b"]}, {"a": "1", "b": "2"}, {}, D(1)),
    ("last", {"first_of": ["$.a", "$.b"]}, {"a": None, "b": "2"}, {}, D(2)),
    ("last", {"first_of": ["$.a", "$.b", "$.c"]}, {"c": 3}, {}, D(3)),
    ("last", {"first_of": ["$.a", "$.x[?(@.k == 1)].v"]}, {"a": "1", "x": []}, {}, D(1)),
    ("last", {"first_of": ["$.a", "$.x[?(@.k == 1)].v"]}, {"x": [{"k": 1, "v": "4"}]}, {}, D(4)),
    ("last", {"first_of": ["$.a", "$.b"]}, {}, {}, Bad(r"nothing at \$\.a or \$\.b")),
    ("last", {"first_of": ["$.a", "$.b"], "optional": True}, {}, {}, None),
    ("last", {"first_of": ["$.a", "$.b"], "empty": "absent", "optional": True}, {"a": "", "b": "5"}, {}, None),
    ("last", {"path": "$.o.p", "optional": True}, {"o": {"p": "1"}}, {}, D(1)),
    ("last", {"path": "$.o.p", "optional": True}, {"o": {}}, {}, None),
    ("last", {"path": "$.o.p", "optional": True}, {"o": None}, {}, None),
    ("last", {"path": "$.o.p.q", "optional": True}, {"o": {"p": None}}, {}, None),
    ("last", {"path": "$.o.p", "optional": True}, {}, {}, None),
    ("last", {"path": "$.o.x[?(@.k == 1)].v", "optional": True}, {"o": {"x": [{"k": 1, "v": 2}]}}, {}, D(2)),
    ("last", {"path": "$.o.x[?(@.k == 1)].v", "optional": True}, {}, {}, None),
    ("last", {"path": "$.o[-1].v", "optional": True}, {"o": [{"v": 1}, {"v": 2}]}, {}, D(2)),
    ("last", {"path": "$.o[-1].v", "optional": True}, {}, {}, None),
    ("last", {"path": "$.p", "of": "message"}, {"p": 1}, {}, D(1)),
    ("last", {"path": "$.p", "of": "parent", "optional": True}, {"p": 1}, {}, None),
    ("last", {"path": "$.p", "of": "parent"}, {"p": 1}, {}, Bad(r"nothing at \$\.p")),
    ("last", {"of": "request"}, {}, {"last": "7"}, D(7)),
    ("last", {"path": "$.price", "of": "request"}, {}, {"price": 8}, D(8)),
    ("last", {"of": "request"}, {}, {}, None),
    ("symbol", {"of": "request"}, {}, {"id": "ETH-BTC"}, "ETH-BTC"),
    ("symbol", {"of": "request"}, {}, {}, None),
    ("last", {"path": "$.p", "times": "$.m"}, {"p": "1.5", "m": 2}, {}, D("3.0")),
    ("last", {"path": "$.p", "times": "$.m", "abs": True}, {"p": "-1.5", "m": "2"}, {}, D("3.0")),
    ("last", {"path": "$.p", "times": "$.m", "zero": "absent"}, {"p": "0", "m": "2"}, {}, None),
    ("last", {"path": "$.p", "times": "$.m", "zero": "absent"}, {"p": "3", "m": "2"}, {}, D(6)),
    ("last", {"path": "$.p", "times": "$.m", "unit": "fraction"}, {"p": "3", "m": "2"}, {}, D(600)),
    ("last", {"path": "$.p", "times": "$.m"}, {"p": "1.5"}, {}, Bad("missing required field|null is not a number")),
    ("last", {"path": "$.p", "times": "$.m", "empty": "absent"}, {"p": "", "m": ""}, {}, None),
    ("last", {"path": "$.p", "times": "$.m", "empty": "absent"}, {"p": "1", "m": ""}, {}, Bad("'' is not a number")),
    ("last", {"path": "$.p", "times": "$.m", "of": "parent", "optional": True}, {"p": 1, "m": 2}, {}, None),
    ("last", {"by_kind": {"spot": "$.p", "other": "$.q"}}, {"p": 1, "q": 2}, {}, D(1)),
    ("last", {"by_kind": {"perpetual": "$.p", "other": "$.q"}}, {"p": 1, "q": 2}, {}, D(2)),
    ("last", {"by_kind": {"perpetual": "$.p", "spot": "$.q"}}, {"p": 1, "q": 2}, {}, D(2)),
    ("last", {"by_kind": {"perpetual": "$.p"}}, {"p": 1}, {}, None),
    ("last", {"by_kind": {"other": "$.p"}}, {"p": 1}, {}, D(1)),
]


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize(("field", "rule", "body", "request_", "expected"), SOURCES)
def test_a_value_comes_from_its_source(
    field: str, rule: dict[str, Any], body: Any, request_: dict[str, Any], expected: Any, number: type[Decimal] | type[float]
) -> None:
    text = spec("ticker", {**OTHERS["ticker"], field: rule})
    if not isinstance(expected, Bad):
        assert same(getattr(read(text, body, number, request=request_), field), expected, number)
        return
    with pytest.raises(DecodeError, match=expected.reason) as caught:
        read(text, body, number, request=request_)
    assert caught.value.position.startswith(f"spec.yaml:{line_of(text, field)}:")


def test_a_kind_without_a_rule_is_an_error_where_the_field_must_be_there() -> None:
    text = spec("candle", {**OTHERS["candle"], "open": {"by_kind": {"perpetual": "$.p"}}})
    with pytest.raises(DecodeError, match="no rule for markets of this kind") as caught:
        read(text, {"p": 1})
    assert caught.value.position.startswith(f"spec.yaml:{line_of(text, 'open')}:")


ITEMS: list[tuple[str, dict[str, Any], Any, str]] = [
    ("$.x.*", {"of": "key"}, {"x": {"A-B": {}}}, "A-B"),
    ("$.x[*].y[*]", {"path": "$.s", "of": "parent"}, {"x": [{"s": "A-B", "y": [{}]}]}, "A-B"),
    ("$.x[*]", {"path": "$.s", "of": "message"}, {"s": "A-B", "x": [{}]}, "A-B"),
    ("$.x.*", {"path": "$"}, {"x": ["A-B"]}, "A-B"),
    ("$.x[*]", {"path": "$.s", "of": "frame"}, {"s": "A-B", "x": [{}]}, "A-B"),
    ("$.x.*", {"of": "key", "split": {"by": ":", "part": 1}}, {"x": {"t:A-B": {}}}, "A-B"),
]


@pytest.mark.parametrize(("items", "rule", "body", "expected"), ITEMS)
def test_a_source_may_be_around_the_item(items: str, rule: dict[str, Any], body: Any, expected: str) -> None:
    assert read(spec("ticker", {"symbol": rule}, items), body).symbol == expected


MISFITS: list[tuple[str, str, Any, str, str]] = [
    ("ticker", "last", {"path": "$.v", "unit": "ms"}, "'last' is a number, 'unit: ms' is for times", "remove 'unit'"),
    ("trade", "id", {"path": "$.v", "unit": "fraction"}, "'id' is a text, 'unit: fraction' is for numbers", "remove 'unit'"),
    ("trade", "id", {"path": "$.v", "unit": "decimals"}, "'id' is a text, 'unit: decimals' is for numbers", "remove 'unit'"),
    ("ticker", "timestamp", {"path": "$.v", "unit": "decimals"}, "'timestamp' is a time, 'unit: decimals' is for steps", "'unit: ms'"),
    ("ticker", "timestamp", "$.v", "'timestamp' is a time, and nothing says in what unit", "add 'unit: ms'"),
    ("ticker", "timestamp", {"path": "$.v", "unit": "fraction"}, "'timestamp' is a time, 'unit: fraction' is for ratios", "'unit: ms'"),
    ("trade", "id", {"path": "$.v", "abs": True}, "'id' is a text, 'abs' is for numbers", "remove 'abs'"),
    ("trade", "id", {"path": "$.v", "times": "$.m"}, "'id' is a text, 'times' is for numbers", "remove 'times'"),
    ("trade", "side", {"path": "$.v", "zero": "absent"}, "'side' is a word of a closed list, 'zero' is for numbers", "remove 'zero'"),
    ("ticker", "last", {"path": "$.v", "sign": SIGN}, "'last' is a number, 'sign' and 'flag' give words", "remove it"),
    ("trade", "side", {"path": "$.v", "map": {"a": "buy"}, "unknown": "sell"}, "an unlisted word must be an error", "remove 'unknown'"),
    ("trade", "side", {"path": "$.v", "map": {"a": "up"}}, "'up' is no side", "one of: buy, sell"),
    ("trade", "side", {"const": "up"}, "'up' is no side", "one of: buy, sell"),
    ("trade", "side", {"path": "$.v", "flag": {"true": "up", "false": "buy"}}, "'up' is no side", "one of: buy, sell"),
    ("trade", "side", {"path": "$.v", "sign": {"positive": "up", "negative": "buy"}}, "'up' is no side", "one of: buy, sell"),
    ("candle", "closed", {"const": "yes"}, "'yes' is no closed", "one of: true, false"),
    ("ticker", "last", {"const": "many"}, "'many' is not a number", "write a number"),
    ("candle", "trades", {"const": "1.5"}, "'1.5' is not an integer", "write a number"),
    ("ticker", "last", {"const": "1", "abs": True}, "'abs' does nothing beside 'const'", "remove 'abs'"),
    ("ticker", "last", {"by_kind": {"spot": "$.p"}, "optional": True}, "'optional' does nothing beside 'by_kind'", "remove 'optional'"),
    ("trade", "side", {"path": "$.v", "flag": FLAG, "sign": SIGN}, "'flag' and 'sign' each give the word", "keep one of them"),
    ("ticker", "last", {"path": "$.v", "map": {"a": "1"}, "abs": True}, "'abs' does nothing beside 'map'", "remove 'abs'"),
    ("trade", "id", {"path": "$.v", "unknown": "x"}, "'unknown' is for words that 'map' doesn't list", "add 'map', or remove 'unknown'"),
    ("book", "bids", {"path": "$.b", "optional": True}, "'bids' is a list of levels: a path to it, and nothing else", "write 'levels:'"),
    ("ticker", "last", "$.x.*", "'$.x.*' finds many values where one is wanted", "name one element: [0] instead of [*]"),
]
OTHERS["book"] = {"symbol": {"const": "BTC-USDT"}, "bids": "$.b", "asks": "$.a"}


@pytest.mark.parametrize(("model", "field", "rule", "message", "hint"), MISFITS)
def test_a_rule_that_does_not_fit_its_field_is_refused_at_its_line(model: str, field: str, rule: Any, message: str, hint: str) -> None:
    text = spec(model, {**OTHERS[model], field: rule})
    with pytest.raises(SpecError) as caught:
        compiled(text)
    problems = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    found = [problem for problem in problems if message in problem.message]
    assert found, problems
    assert hint in (found[0].hint or "")
    assert found[0].position.line == line_of(text, field)


def test_what_is_decoded_of_an_answer_can_be_shown() -> None:
    fields = {
        **OTHERS["trade"],
        "id": "$.id",
        "price": {"path": "$.a[2]"},
        "size": {"path": "$.a[10]", "optional": True},
        "side": {"path": "$['the side']", "map": {"b": "buy"}},
        "timestamp": {"path": "$.t[?(@.k == 1)].v", "unit": "ms"},
    }
    reader = compiled(spec("trade", fields)).operation("call").reader
    assert reader is not None
    assert list(reader.layout()) == [
        "object",
        "  t?: anything, walked as it is",
        "  id: text or integer",
        "  a: array",
        "    [2]: number",
        "    [10]?: number",
        "  ['the side']: 'b'",
    ]
    listed = compiled(spec("trade", {**OTHERS["trade"], "id": "$.id"}, "$.rows[*]")).operation("call").reader
    assert listed is not None
    assert list(listed.layout()) == ["object", "  rows: list of object", "    id: text or integer"]
