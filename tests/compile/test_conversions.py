"""Conversions: what a field's text or JSON number becomes, and the reason where it becomes nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.access import Scope
from cexspec.compile.convert import LatestSecond, Words, columns, iso_nanoseconds, keyed, part, scaled, time_reader, zipped
from cexspec.compile.hole import Hole, shown
from cexspec.compile.inline import demanded
from cexspec.compile.leaves import Bases, request_paths
from cexspec.compile.numbers import (
    MAX_INTEGER,
    best_first,
    decimal_levels,
    finite,
    float_levels,
    number_reader,
    to_decimal,
    to_float,
    unsigned,
)
from cexspec.compile.paths import PathError, Wild
from cexspec.compile.targets import Target, strict, targets
from cexspec.compile.wire import Leaf, Wire
from cexspec.models import MODELS, DecodeError, Level, Market
from cexspec.spec.model import Condition, FieldRule
from tests.compile.made_up import Notes
from tests.compile.test_messages import reader_of

D = Decimal
SECOND = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

HUMAN: list[tuple[object, str]] = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (1, "1"),
    (0, "0"),
    (1.0, "1.0"),
    (D("1.50"), "1.50"),
    (1 << 255, f"{str(1 << 255)[:57]}..."),
    (1 << 256, "an integer of 257 bits"),
    ("a\nb", r"'a\nb'"),
    ("x" * 58, f"'{'x' * 58}'"),
    ("x" * 59, f"'{'x' * 56}..."),
    ("x" * 10_000, f"'{'x' * 56}..."),
    ([1, 2], "an array"),
    ({"a": 1}, "an object"),
]


@pytest.mark.parametrize(("value", "text"), HUMAN, ids=str)
def test_values_are_shown_on_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(shown(value)) <= 60


NUMBERS: list[tuple[object, Decimal]] = [
    ("1.50", D("1.50")),
    ("1e5", D("1E+5")),
    (7, D(7)),
    (0.1, D("0.1")),
    (D("2.5"), D("2.5")),
    ("9" * 64, D("9" * 64)),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_a_number_is_read_with_all_its_digits(value: object, expected: Decimal) -> None:
    assert str(number_reader(Decimal)(value)) == str(expected)
    assert number_reader(float)(value) == float(expected)


def test_a_float_stays_the_float_it_is() -> None:
    assert to_float(0.1) == 0.1
    assert math.copysign(1, to_float(-0.0)) == -1


NO_NUMBERS: list[tuple[object, str]] = [
    (None, "null"),
    (True, "true is not a number"),
    ([], "an array is not a number"),
    ({}, "an object is not a number"),
    ("", "'' is not a number"),
    (" 1", "' 1' is not a number"),
    ("1_0", "'1_0' is not a number"),
    (D("NaN"), "'NaN' is not a number"),
    (D("-Infinity"), "'-Infinity' is not a number"),
    ("1e301", "'1e301' is out of range"),
    ("9" * 65, "is out of range"),
    (10**100, "is out of range"),
]


@pytest.mark.parametrize(("value", "reason"), NO_NUMBERS)
@pytest.mark.parametrize("read", [to_decimal, to_float])
def test_what_is_no_number_says_so(read: Callable[[object], object], value: object, reason: str) -> None:
    with pytest.raises(Hole, match=re.escape(reason)):
        read(value)


def test_an_integer_of_thousands_of_digits_is_out_of_range() -> None:
    with pytest.raises(Hole, match="an integer of 16610 bits is out of range"):
        to_decimal(10**5000)


@pytest.mark.parametrize("value", ["NaN", "Infinity", math.nan, math.inf, "\u0661\u0662", "1\uff12"])
@pytest.mark.parametrize("read", [to_decimal, to_float])
def test_nan_and_infinities_are_refused(read: Callable[[object], object], value: object) -> None:
    with pytest.raises(Hole):
        read(value)


def test_finite_lets_numbers_pass_and_nothing_else() -> None:
    assert finite(D("1.5")) == D("1.5")
    with pytest.raises(Hole, match="'NaN' is not a number"):
        finite(D("NaN"))


@pytest.mark.parametrize("bad", ["NaN", "snan", "-Infinity", "inf", "none", "\u0661\u0662", "1\u0662", "\uff11"])
@pytest.mark.parametrize("at", [0, 1])
def test_levels_hold_numbers_of_plain_digits_only(bad: str, at: int) -> None:
    rows = [("1.50", "2"), ("1e3", "0")]
    assert str(decimal_levels(rows)) == str([(D("1.50"), D(2)), (D("1E+3"), D(0))])
    with pytest.raises(Hole, match="is not a number"):
        decimal_levels([*rows, (bad, "1") if at == 0 else ("1", bad)])


@pytest.mark.parametrize("read", [lambda rows: decimal_levels([(str(a), str(b)) for a, b in rows]), float_levels])
def test_levels_of_less_than_nothing_are_refused(read: Callable[[list[tuple[float, float]]], list[Level]]) -> None:
    assert [tuple(map(float, level)) for level in read([(-1.5, 2.0), (1e-05, 0.0)])] == [(-1.5, 2.0), (1e-05, 0.0)]
    with pytest.raises(Hole, match=r"'-2\.0' is less than nothing"):
        read([(1.5, 1.0), (1.0, -2.0)])


def test_nothing_may_have_a_sign() -> None:
    assert (unsigned(D("-0")), unsigned(-0.0), unsigned(D(1))) == (0, 0, 1)
    with pytest.raises(Hole, match="'-1' is less than nothing"):
        unsigned(D(-1))


def test_levels_are_sorted_best_first() -> None:
    rows: list[Level] = [(D(2), D(1)), (D(10), D(1)), (D(3), D(1))]
    assert [price for price, _ in best_first(rows, descending=True)] == [10, 3, 2]
    assert [price for price, _ in best_first(rows, descending=False)] == [2, 3, 10]


TIMES: list[tuple[str, object, int]] = [
    ("s", 1, SECOND),
    ("s", "1.000000001", SECOND + 1),
    ("s", "1.0000000019", SECOND + 1),
    ("ms", D("1.5"), 1_500_000),
    ("us", "-3", -3000),
    ("ns", 1, 1),
    ("ns", MAX_INTEGER, MAX_INTEGER),
    ("s", "1" + "0" * 9 + "." + "0" * 8 + "1", 10**9 * SECOND + 1),
]


@pytest.mark.parametrize(("unit", "value", "expected"), TIMES)
def test_a_time_is_exact_to_the_nanosecond(unit: str, value: object, expected: int) -> None:
    assert time_reader(unit)(value) == expected


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 10**10), ("s", "1e10"), ("ns", MAX_INTEGER + 1), ("ns", -MAX_INTEGER - 1), ("ms", "-1e290")]
)
def test_a_time_that_64_bits_do_not_hold_is_refused(unit: str, value: object) -> None:
    with pytest.raises(Hole, match="is out of range"):
        time_reader(unit)(value)


ISO: list[tuple[str, int]] = [
    ("1970-01-01", 0),
    ("1970-01-01T00:00", 0),
    ("1970-01-01T00:00:01", SECOND),
    ("1970-01-01 00:00:01Z", SECOND),
    ("1970-01-01T00:00:01.5Z", SECOND + SECOND // 2),
    ("1970-01-01T00:00:01.123456789Z", SECOND + 123_456_789),
    ("1970-01-01T00:00:01.1234567899Z", SECOND + 123_456_789),
    ("1970-01-01T01:00:01+01:00", SECOND),
    ("1970-01-01T01:00:01.25+0100", SECOND + SECOND // 4),
    ("1969-12-31T23:59:59.75Z", -SECOND // 4),
]


@pytest.mark.parametrize(("text", "expected"), ISO)
def test_iso_times_are_read_to_the_last_digit(text: str, expected: int) -> None:
    assert iso_nanoseconds(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(None, 5, "", "now", "1970-13-01", "1970-01-01T25:00", "1970-01-01T00:00:00+99:99", "1970-1-1", "١٩٧٠-01-01"),
        *("2026-08-01T08:00:00;708706Z", "2026-08-01T08:00:00.Z", "2026-08-01T08:00:00.+00:00"),
    ],
)
def test_what_is_no_iso_time_is_refused(value: object) -> None:
    with pytest.raises(Hole, match=re.escape(f"{shown(value)} is not an ISO 8601 time")):
        iso_nanoseconds(value)


@given(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2250, 1, 1)))
def test_an_iso_time_reads_back(moment: datetime) -> None:
    exact = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) * 1000
    assert iso_nanoseconds(moment.isoformat() + "Z") == iso_nanoseconds(moment.isoformat(" ")) == exact


SECONDS = st.sampled_from(["1970-01-01T00:00:01", "1970-01-01 00:00:59", "1970-01-01T00:00", "1970-01-01T00:00:60", "1970-01-01.12345678"])
FRACTIONS = st.one_of(st.from_regex(r"\.[0-9]{0,10}", fullmatch=True), st.sampled_from(["", ".1_0", ".+12", ". 12", ".123456٣", ".١٢٣"]))
TIMED = reader_of({"returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.p", "timestamp": {"path": "$.t", "unit": "iso"}}})
USUAL = re.compile(r"1970-01-01[T ]00:00:\d\d\.\d{1,6}Z", re.ASCII)
ZONES = st.sampled_from(["Z", "", "+00:00", "+01:00", "+0100", "ZZ", "z"])


@given(st.lists(st.tuples(SECONDS, FRACTIONS, ZONES).map("".join), min_size=1, max_size=4))
def test_a_faster_form_reads_a_time_like_any_other_or_fails(texts: list[str]) -> None:
    for text in texts:
        frame = json.dumps({"s": "A", "p": "1", "t": text}).encode()
        try:
            expected = iso_nanoseconds(text)
        except Hole:
            expected = None
        for twin in TIMED.twins(frame):
            try:
                [event] = twin.read(frame, Notes())
            except DecodeError:
                assert expected is None or not USUAL.fullmatch(text), text
            else:
                assert event.timestamp == expected, text


@pytest.mark.parametrize(
    "text",
    ["2026-08-01T08:00:00Z", "20260801T080000.250000Z", "2026-W31-6T08:00:00.25Z", "2026-08-01x08:00:00.25Z", "2026-08-01T08:00:00.Z", ""],
)
def test_a_second_that_is_written_otherwise_does_not_become_the_latest(text: str) -> None:
    latest, moment = LatestSecond(), datetime(2026, 8, 1, 8, 0, 0, 250_000, UTC)
    assert latest.turn("2026-08-01T08:00:00.25Z", moment) == iso_nanoseconds("2026-08-01T08:00:00Z")
    before = latest.known
    with pytest.raises(Hole, match="written otherwise"):
        latest.turn(text, moment)
    assert latest.known == before


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=4), st.integers(-6, 6))
def test_a_part_of_a_joined_text_is_that_part(parts: list[str], index: int) -> None:
    text = "@".join(parts)
    if -len(parts) <= index < len(parts):
        assert part(text, ("@",), index) == parts[index]
    else:
        with pytest.raises(Hole, match=re.escape(f"{text!r} has no part {index} between '@'")):
            part(text, ("@",), index)


def test_a_word_that_is_not_listed_is_told_the_list() -> None:
    words = Words({"1": "buy", 1: "buy", "2": "sell"})
    assert words[1] == "buy"
    with pytest.raises(Hole, match=r"^'3' is none of 1, 2$"):
        words["3"]


ROWS: list[Level] = [(D(100), D(5)), (D(200), D(0))]
MARKETS: list[tuple[Market, list[Level], str]] = [
    (Market("a", "a", "spot", D(10)), ROWS, "base"),
    (Market("a", "a", "perpetual"), ROWS, "contracts"),
    (Market("a", "a", None), ROWS, "contracts"),
    (Market("a", "a", "perpetual", D("0.1")), [(D(100), D("0.5")), (D(200), D(0))], "base"),
    (Market("a", "a", "perpetual", D(100), contract_in_quote=True), [(D(100), D(5)), (D(200), D(0))], "base"),
]


@pytest.mark.parametrize(("market", "expected", "unit"), MARKETS)
def test_levels_in_contracts_become_base_where_the_contract_is_known(market: Market, expected: list[Level], unit: str) -> None:
    assert scaled(ROWS, market) == (expected, unit)


def test_inverse_contracts_without_a_price_are_refused() -> None:
    inverse = Market("a", "a", "perpetual", D(100), contract_in_quote=True)
    with pytest.raises(Hole, match="a level without a price"):
        scaled([(D(0), D(5))], inverse)


def test_lists_are_paired_element_by_element() -> None:
    assert list(zipped([[1, 2], ["a", "b"]])) == [[1, "a"], [2, "b"]]
    assert list(zipped([])) == []
    assert list(columns({"t": [1, 2], "p": ["a", "b"]})) == [{"t": 1, "p": "a"}, {"t": 2, "p": "b"}]


@pytest.mark.parametrize("lists", [[[1], [1, 2]], [[1], None], [None], [[1], {"a": 1}]])
def test_lists_that_do_not_pair_are_refused(lists: list[object]) -> None:
    with pytest.raises(Hole, match="missing or differ in length"):
        zipped(lists)


def test_members_come_with_their_keys_and_elements_without() -> None:
    assert keyed({"a": 1, "t": 2}, frozenset({"t"})) == [("a", 1)]
    assert keyed([1, 2], frozenset({"t"})) == [(None, 1), (None, 2)]
    with pytest.raises(Hole, match="'x' is neither an object nor a list"):
        keyed("x", frozenset())


Reading = tuple[tuple[Any, ...], Leaf]
DEMANDS: list[tuple[list[Reading], tuple[Any, ...], bool]] = [
    ([], ("a",), True),
    ([(("d", "p"), Leaf.NUMBER)], ("d", "ch"), True),
    ([(("d",), Leaf.NUMBER)], ("d", "ch"), False),
    ([(("d",), Leaf.NUMBER)], ("d",), False),
    ([(("d", "p"), Leaf.NUMBER)], ("d",), False),
    ([((1,), Leaf.NUMBER)], ("d",), False),
    ([(("d", "p"), Leaf.NUMBER)], ("d", Wild.ELEMENTS), False),
    ([(("d", 0), Leaf.NUMBER)], ("d", -1), False),
    ([(("d", -1), Leaf.NUMBER)], ("d", "ch"), False),
]


@pytest.mark.parametrize(("readings", "place", "taken"), DEMANDS)
def test_words_are_demanded_only_where_nothing_else_is_read(readings: list[Reading], place: tuple[Any, ...], taken: bool) -> None:
    wire = Wire()
    for steps, leaf in readings:
        wire.add(steps, leaf, required=True)
    assert wire.demand(place, Leaf.WORDS, ("x",)) is taken
    assert (wire.node(place).leaf is Leaf.WORDS) is taken


CONDITIONS: list[tuple[dict[str, Any], tuple[Leaf, tuple[str | int, ...]] | None]] = [
    ({"value": "a"}, (Leaf.WORDS, ("a",))),
    ({"any_of": ["b", "a"]}, (Leaf.WORDS, ("a", "b"))),
    ({"any_of": ["1", "a"]}, (Leaf.WORDS, ("1", "a", 1))),
    ({"prefix": "a."}, (Leaf.AFFIXED, ("a.", ""))),
    ({"suffix": ".a"}, (Leaf.AFFIXED, ("", ".a"))),
    ({"prefix": "a.", "suffix": ".a"}, (Leaf.AFFIXED, ("a.", ".a"))),
    ({"is": "absent"}, (Leaf.NOTHING, ())),
    ({"is": ["absent", "text"]}, None),
    ({"is": "absent", "not": "a"}, None),
    ({"prefix": ""}, None),
    ({"prefix": "a", "of": "frame"}, None),
    ({"prefix": "a", "optional": True}, None),
    ({"value": "true"}, None),
    ({"value": "1.5"}, None),
    ({"value": "a", "of": "frame"}, None),
    ({"not": "a"}, None),
    ({"value": "a", "prefix": "a"}, None),
    ({"value": "a", "optional": True}, None),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_only_a_scalars_text_or_nothing_is_demanded(condition: dict[str, Any], expected: tuple[Leaf, tuple[str | int, ...]] | None) -> None:
    assert demanded(Condition.model_validate(condition)) == expected


@pytest.mark.parametrize(("message", "fits"), [("{}", True), ('{"a": null}', True), ('{"a": 1}', False), ('{"a": ""}', False)])
def test_where_nothing_is_demanded_nothing_may_be(message: str, fits: bool) -> None:
    wire = Wire()
    assert wire.demand(("a",), Leaf.NOTHING, ())
    with nullcontext() if fits else pytest.raises(msgspec.ValidationError):
        wire.decoder(wire.build()).decode(message)


@pytest.mark.parametrize("rule", [FieldRule(path="$.a[*]"), FieldRule(path="$.a", times="$.b.*")])
def test_a_rule_reads_one_value(rule: FieldRule) -> None:
    with pytest.raises(PathError, match="finds many values where one is wanted"):
        request_paths(Scope(Wire()), Bases((), (), ()), rule, targets("ticker")["last"])


FIELDS: list[tuple[str, str, Target, bool, bool]] = [
    ("trade", "price", Target.NUMBER, True, False),
    ("trade", "size", Target.NUMBER, True, True),
    ("trade", "side", Target.WORD, True, True),
    ("candle", "interval", Target.INTERVAL, True, True),
    ("candle", "trades", Target.INTEGER, False, True),
    ("candle", "closed", Target.BOOLEAN, False, True),
    ("book", "bids", Target.LEVELS, True, False),
    ("instrument", "expiry", Target.TIME, False, True),
    ("instrument", "base", Target.TEXT, False, True),
    ("server_time", "timestamp", Target.TIME, True, False),
]


@pytest.mark.parametrize(("model", "field", "kind", "required", "nullable"), FIELDS)
def test_a_model_says_what_its_fields_want(model: str, field: str, kind: Target, required: bool, nullable: bool) -> None:
    target = targets(model)[field]
    assert (target.target, target.required, target.nullable) == (kind, required, nullable)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_no_mapping_gives_what_the_engine_gives(model: str) -> None:
    assert targets(model).keys().isdisjoint({"exchange", "received", "is_snapshot", "size_unit"})
    assert ("symbol" in targets(model)) is (model not in ("instrument", "server_time", "balance"))


def test_words_that_decide_meaning_are_strict() -> None:
    named = {field: target for model in MODELS for field, target in targets(model).items() if target.target is Target.WORD}
    assert {field for field in named if strict(field)} == {"side", "kind", "right", "status", "margin_mode"}
