"""Templates: what a hole may be, what it becomes, and that no value changes what stands around it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile import templates
from cexspec.compile.filters import FILTERS, as_text
from cexspec.compile.holes import parse_text
from cexspec.compile.inversion import MAX_TEXT, compile_inverse
from cexspec.compile.plan import Params
from cexspec.compile.templates import compile_tree, path_text
from cexspec.models import InvalidRequest
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position

ALLOWED = frozenset({"id", "base", "interval", "depth", "start", "now", "topics", "topic", "message"})
OPTIONAL = frozenset({"depth"})
NOON = 1_785_585_600_123_456_789


def collect() -> Findings:
    """Findings without a file."""
    return Findings(lambda where: Position("spec.yaml", 1, 1))


def fill(tree: Any, optional: frozenset[str] = OPTIONAL, **params: Any) -> Any:
    """A tree with its holes filled; it must compile."""
    findings = collect()
    template = compile_tree(tree, ALLOWED, findings, (), optional)
    assert findings.problems == []
    return template.fill(params)


def filler(text: str, write: Callable[[object], str] | None = None) -> Callable[[Params], str]:
    """A function that fills a text; it must compile."""
    findings = collect()
    parsed = parse_text(text, ALLOWED, findings, ())
    assert findings.problems == []
    return templates.text_filler(parsed, write)


def invert(tree: Any, value: Any) -> dict[str, str] | None:
    """The holes' values that `value` tells; the tree must compile."""
    findings = collect()
    template = compile_tree(tree, ALLOWED, findings, ())
    inverse = compile_inverse(template.tree, OPTIONAL, findings, ())
    assert findings.problems == []
    return inverse(value)


FILLED: list[tuple[Any, dict[str, Any], Any]] = [
    ("plain", {}, "plain"),
    ("", {}, ""),
    ("{not} a }} hole", {}, "{not} a }} hole"),
    (7, {}, 7),
    (None, {}, None),
    ([True, 1.5, None], {}, [True, 1.5, None]),
    ("{{ id }}", {"id": "0.10"}, "0.10"),
    ("{{ id }}", {"id": Decimal("0.10")}, "0.10"),
    ("{{ id }}", {"id": False}, False),
    ("{{ topics }}", {"topics": [{"a": 1}]}, [{"a": 1}]),
    ("{{ id }}@{{ depth }}\n", {"id": "x", "depth": 5}, "x@5\n"),
    ("{{ id }}{{ depth }}", {"id": Decimal("1E-8"), "depth": True}, "0.00000001true"),
    ({"a": {"b": ["{{ id }}", "c"]}}, {"id": 1}, {"a": {"b": [1, "c"]}}),
    ({"a": "{{ depth }}", "b": 1}, {}, {"b": 1}),
    ({"a": "{{ depth }}", "b": None}, {"depth": 0}, {"a": 0, "b": None}),
    ({"event": "subscribe", "*": "{{ topic }}"}, {"topic": {"id": 1, "event": "x"}}, {"event": "subscribe", "id": 1}),
    ({"pong": "{{ message.ping }}"}, {"message": {"ping": 2**63}}, {"pong": 2**63}),
    ("{{ id | lower }}", {"id": "BTCUSDT"}, "btcusdt"),
    ("{{ id | upper }}-{{ id }}", {"id": "x"}, "X-x"),
    ("{{ start | s }}", {"start": NOON}, 1_785_585_600),
    ("{{ start | ms }}", {"start": NOON}, 1_785_585_600_123),
    ("{{ start | datetime }}", {"start": NOON}, "2026-08-01 12:00:00"),
    ("{{ start | us }}", {"start": NOON}, 1_785_585_600_123_456),
    ("{{ start | ns }}", {"start": NOON}, NOON),
    ("{{ start | ms | text }}", {"start": NOON}, "1785585600123"),
    ("{{ start | iso }}", {"start": NOON}, "2026-08-01T12:00:00.123Z"),
    ("{{ depth | text }}", {"depth": 25}, "25"),
    ("{{ id | int }}", {"id": "-42"}, -42),
    ("{{ topics | json }}", {"topics": ["a", "b"]}, '["a","b"]'),
    ('{{ topics | join("/") }}', {"topics": ["a", 2]}, "a/2"),
    ('{{ topics | join(",") }}', {"topics": "alone"}, "alone"),
]


@pytest.mark.parametrize(("tree", "params", "expected"), FILLED, ids=[repr(row[0]) for row in FILLED])
def test_a_hole_passes_its_value_and_joins_as_text(tree: Any, params: dict[str, Any], expected: Any) -> None:
    result = fill(tree, **params)
    assert result == expected
    assert type(result) is type(expected)


MISSING = [
    ("{{ id }}", "id"),
    ("a{{ id }}", "id"),
    (["{{ depth }}"], "depth"),
    ({"a": "{{ id }}"}, "id"),
    ({"a": "x{{ depth }}"}, "depth"),
    ("{{ id | lower }}", "id"),
    ("{{ message.ping }}", "message.ping"),
]


@pytest.mark.parametrize(("tree", "hole"), MISSING, ids=[repr(row[0]) for row in MISSING])
def test_a_needed_hole_without_a_value_is_named(tree: Any, hole: str) -> None:
    template = compile_tree(tree, ALLOWED, collect(), (), OPTIONAL)
    assert template.needs == {hole}
    assert template.holes == {hole.split(".")[0]}
    with pytest.raises(KeyError, match=hole):
        template.fill({"message": {}})
    with pytest.raises(KeyError, match=hole):
        template.fill({"message": "no mapping"})


UNFIT = [
    ("a{{ topics }}", {"topics": []}, "a list can't be written"),
    ("a{{ id }}", {"id": float}, "a type can't be written"),
    ("a{{ id }}", {"id": "\ud800"}, "a str can't be written"),
    ("{{ id }}", {"id": "\ud800"}, "a str can't be written"),
    ({"a": "{{ depth }}"}, {"depth": "\ud800"}, "a str can't be written"),
    ({"*": "{{ topic }}"}, {"topic": "text"}, "holds none"),
    ("{{ start | ms }}", {"start": "yesterday"}, "integer nanoseconds"),
    ("{{ start | iso }}", {"start": 10**30}, "no time of this era"),
    ("{{ id | int }}", {"id": "1e5"}, "not a whole number"),
    ("{{ id | int }}", {"id": "9" * 21}, "not a whole number"),
    ("{{ id | int }}", {"id": "٣"}, "not a whole number"),
]


@pytest.mark.parametrize(("tree", "params", "reason"), UNFIT, ids=[repr(row[0]) + row[2] for row in UNFIT])
def test_a_value_that_does_not_fit_its_hole_is_refused(tree: Any, params: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        fill(tree, **params)


TEXTS = [("1", "1"), (True, "true"), (False, "false"), (10**20, "100000000000000000000"), (Decimal("1E+3"), "1000")]
TEXTS += [(1e-7, "0.0000001"), (2.5, "2.5"), (Decimal("0.10"), "0.10")]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[repr(row[0]) for row in TEXTS])
def test_values_become_text_without_exponents(value: object, text: str) -> None:
    assert as_text(value) == text


REFUSED = [
    ("CEX048", "{% if id %}x{% endif %}", "blocks"),
    ("CEX048", "{% raw %}{{ id }}{% endraw %}", "blocks"),
    ("CEX048", "a{# note #}", "comments"),
    ("CEX048", "{{- id }}", "keeps its blanks"),
    ("CEX048", "{{ id -}} x", "keeps its blanks"),
    ("CEX048", "{{ id }", "unexpected '}'"),
    ("CEX048", "{{ }}", "Expected an expression"),
    ("CEX048", "{{ " + "(" * 5000 + "id" + ")" * 5000 + " }}", "too deep"),
    ("CEX048", "{{ " + "9" * 5000 + " }}", "too large a number"),
    ("CEX048", "{{ id }}" * 3000, "at most 16384 characters"),
    ("CEX048", "{{ id() }}", "no calls"),
    ("CEX048", "{{ id.__class__ }}", "no attributes"),
    ("CEX048", "{{ message.ping.deep }}", "no attributes"),
    ("CEX048", "{{ message['ping'] }}", "no subscripts"),
    ("CEX048", "{{ id ~ base }}", "no operators"),
    ("CEX048", "{{ 10 ** 10 ** 10 }}", "no operators"),
    ("CEX048", "{{ id if base else depth }}", "no operators"),
    ("CEX048", "{{ 'text' }}", "no constants"),
    ("CEX048", "{{ none }}", "no constants"),
    ("CEX048", "{{ id, base }}", "no tuples"),
    ("CEX048", "{{ [id] | join(',') }}", "no lists"),
    ("CEX048", "{{ {'a': id} }}", "no mappings"),
    ("CEX049", "{{ idd }}", "did you mean 'id'"),
    ("CEX049", "{{ api_secret }}", "one of base"),
    ("CEX049", "{{ message }}", "message.ping"),
    ("CEX050", "{{ id | safe }}", "one of datetime"),
    ("CEX050", "{{ id | lowr }}", "did you mean 'lower'"),
    ("CEX050", "{{ id | lower | attr('x') }}", "no filter is called 'attr'"),
    ("CEX050", "{{ id | lower('x') }}", "takes no argument"),
    ("CEX050", "{{ id | lower(*base) }}", "takes no argument"),
    ("CEX050", "{{ topics | join }}", "separator as a text"),
    ("CEX050", "{{ topics | join(id) }}", "separator as a text"),
    ("CEX050", "{{ topics | join(d=',') }}", "separator as a text"),
    ("CEX050", "{{ id | ms }}", "goes on a time"),
    ("CEX050", "{{ now }}", "say the venue's unit"),
    ("CEX050", "{{ now | text | ms }}", "say the venue's unit"),
    ("CEX050", "{{ now | ms | s }}", "goes on a time, first"),
]


@pytest.mark.parametrize(("rule", "text", "reason"), REFUSED, ids=[row[1][:40] for row in REFUSED])
def test_anything_but_names_and_listed_filters_is_a_problem_at_its_node(rule: str, text: str, reason: str) -> None:
    findings = collect()
    compile_tree({"args": ["fine", text]}, ALLOWED, findings, ("send",))
    (problem,) = findings.problems
    assert (problem.rule, problem.severity, problem.where) == (rule, "error", ("send", "args", 1))
    assert reason in f"{problem.message} {problem.hint}"


def test_a_hole_where_none_is_allowed_says_so() -> None:
    findings = collect()
    compile_tree("{{ id }}", frozenset(), findings, ())
    assert [(problem.rule, problem.hint) for problem in findings.problems] == [("CEX049", "there is no hole here")]


KEYS = [({"{{ id }}": 1}, "a key holds no hole"), ({"*": "x{{ topic }}"}, "spreads one hole"), ({"*": 1}, "spreads one hole")]


@pytest.mark.parametrize(("tree", "reason"), KEYS, ids=[repr(row[0]) for row in KEYS])
def test_keys_are_literal_and_the_star_spreads_one_hole(tree: Any, reason: str) -> None:
    findings = collect()
    compile_tree(tree, ALLOWED, findings, ("body",))
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == ("CEX048", ("body", next(iter(tree))))
    assert reason in problem.message


def test_a_text_is_always_text_and_a_path_keeps_its_segments() -> None:
    text, path = filler("{{ depth }}"), filler("/book/{{ id }}/{{ depth }}", path_text)
    assert text({"depth": 25}) == "25"
    assert path({"id": "tDOGE:USD", "depth": 1}) == "/book/tDOGE:USD/1"
    assert path({"id": "a/../b?x=1#y 币", "depth": 1}) == "/book/a%2F..%2Fb%3Fx=1%23y%20%E5%B8%81/1"
    for hostile in ("", ".", ".."):
        with pytest.raises(InvalidRequest, match="can't stand in a path"):
            path({"id": hostile, "depth": 1})


INVERTED: list[tuple[Any, Any, dict[str, str] | None]] = [
    (
        {"channel": "candles", "key": "trade:{{ interval }}:{{ id }}"},
        {"event": "subscribed", "channel": "candles", "key": "trade:1m:tDOGE:USD", "chanId": 5},
        {"interval": "1m", "id": "tDOGE:USD"},
    ),
    ({"channel": "trades", "symbol": "{{ id }}"}, {"channel": "book", "symbol": "tBTCUSD"}, None),
    ({"channel": "trades", "symbol": "{{ id }}"}, {"channel": "trades"}, None),
    ({"channel": "trades", "symbol": "{{ id }}"}, {"channel": "trades", "symbol": None}, None),
    ({"channel": "trades", "symbol": "{{ id }}"}, {"channel": "trades", "symbol": ["x"]}, None),
    ({"channel": "trades"}, "trades", None),
    ({"c": "book", "len": "{{ depth }}"}, {"c": "book"}, {}),
    ({"c": "book", "len": "{{ depth }}"}, {"c": "book", "len": 25}, {"depth": "25"}),
    ({"c": "book", "len": "25", "n": None, "b": True}, {"c": "book", "len": 25, "n": None, "b": True}, {}),
    ({"c": "book", "n": None}, {"c": "book", "n": {}}, None),
    ({"symbol": ["{{ id }}"]}, {"symbol": ["BTC/USD"]}, {"id": "BTC/USD"}),
    ({"symbol": ["{{ id }}"]}, {"symbol": "BTC/USD"}, {"id": "BTC/USD"}),
    ({"symbol": ["{{ id }}"]}, {"symbol": ["BTC/USD", "ETH/USD"]}, None),
    ("{{ id | lower }}@trade", "btcusdt@trade", {"id": "BTCUSDT"}),
    ("{{ id | lower }}@trade", "BTCUSDT@trade", None),
    ("{{ id | lower }}@trade", "btcusdt@depth", None),
    ("{{ id | lower }}@trade", "@trade", None),
    ("{{ id | lower }}@kline_{{ interval }}", "btcusdt@kline_1m", {"id": "BTCUSDT", "interval": "1m"}),
    ("{{ id }}:{{ interval }}", "tDOGE:USD:1m", {"id": "tDOGE:USD", "interval": "1m"}),
    ("{{ interval }}:{{ base }}/x", "1m:BTC/x", {"interval": "1m", "base": "BTC"}),
    ("{{ interval }}:{{ base }}", "1m", None),
    ("{{ id }}:{{ interval }}:x", "1m", None),
    ("candle{{ interval }}", "trades", None),
    ("{{ id }}-{{ id }}", "a-a", {"id": "a"}),
    ("{{ id }}-{{ id }}", "a-b", None),
    ({"a": "{{ id }}", "b": ["{{ id | lower }}"]}, {"a": "tBTCUSD", "b": ["tbtcusd"]}, {"id": "tBTCUSD"}),
    ("{{ id }}", "x" * (MAX_TEXT + 1), None),
    ("{{ depth | text }}", 25, {"depth": "25"}),
    ({"oid": "{{ depth | number }}"}, {"oid": 25}, {"depth": "25"}),
    ({"oid": "{{ depth | number }}"}, {"oid": "0xc1"}, None),
    ("tickers", "tickers", {}),
    ("tickers", ["tickers"], None),
]


@pytest.mark.parametrize(("tree", "value", "expected"), INVERTED, ids=[f"{row[0]} from {str(row[1])[:40]}" for row in INVERTED])
def test_a_topic_reads_back_from_what_repeats_it(tree: Any, value: Any, expected: dict[str, str] | None) -> None:
    assert invert(tree, value) == expected


IRREVERSIBLE = [("CEX048", {"a": ["{{ id }}{{ base }}"]}, ("a", 0)), ("CEX050", {"a": "{{ now | ms }}"}, ("a",))]


@pytest.mark.parametrize(("rule", "tree", "where"), IRREVERSIBLE, ids=[row[0] for row in IRREVERSIBLE])
def test_a_topic_that_cannot_be_read_back_is_a_problem(rule: str, tree: Any, where: tuple[str | int, ...]) -> None:
    findings = collect()
    compile_inverse(compile_tree(tree, ALLOWED, findings, ()).tree, OPTIONAL, findings, ())
    assert [(problem.rule, problem.where) for problem in findings.problems] == [(rule, where)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON.filter(lambda value: value is not None))
def test_no_value_changes_the_structure_or_types_around_it(value: Any) -> None:
    tree = {"a": ["0.10", "{{ id }}", 1], "b": {"c": "{{ id }}", "d": "null"}, "e": "{{ depth }}"}
    filled = fill(tree, id=value, depth=value)
    assert msgspec.json.decode(msgspec.json.encode(filled)) == {"a": ["0.10", value, 1], "b": {"c": value, "d": "null"}, "e": value}


@given(st.text())
def test_a_joined_value_stays_inside_its_text(value: str) -> None:
    assert fill({"a": "<{{ id }}>", "b": 1}, id=value) == {"a": f"<{value}>", "b": 1}


@given(st.text(), st.text())
def test_no_value_leaves_its_path_segment(one: str, other: str) -> None:
    path = filler("/a/{{ id }}/b/{{ base }}", path_text)
    try:
        text = path({"id": one, "base": other})
    except InvalidRequest:
        assert {one, other} & {"", ".", ".."}
        return
    assert len(text.split("/")) == 5
    assert not set(text) & set("?# \\")


@given(st.text(alphabet="{}%#| ()[].,'\"idmessage_*+-~\\\n0", max_size=60))
def test_any_text_compiles_or_is_a_problem(text: str) -> None:
    findings = collect()
    template = compile_tree(text, ALLOWED, findings, ())
    if not findings.problems:
        assert template.holes <= ALLOWED
        if not template.holes:
            assert template.fill({}) == text


WORDS = st.text(st.characters(exclude_characters=":@", codec="utf-8"), min_size=1)


@given(st.text(min_size=1), WORDS, st.integers(1, 10**6))
def test_a_topic_inverts_to_what_it_was_made_from(native: str, interval: str, depth: int) -> None:
    tree = {"key": "trade:{{ interval }}:{{ id }}@{{ base }}:x", "l": [{"d": "{{ depth }}"}]}
    params: dict[str, Any] = {"id": native, "interval": interval, "base": interval, "depth": depth}
    expected = {"id": native, "interval": interval, "base": interval, "depth": str(depth)}
    assert invert(tree, fill(tree, **params)) == expected


@given(JSON)
def test_any_value_is_a_topic_or_not(value: Any) -> None:
    for tree in ("a{{ id }}b", {"a": "{{ id | lower }}", "l": ["{{ depth }}"]}, {"a": {"b": "{{ interval }}:{{ id }}"}}):
        found = invert(tree, value)
        assert found is None or all(text for text in found.values())


def test_every_filter_says_what_it_does() -> None:
    assert all(each.does for each in FILTERS.values())
