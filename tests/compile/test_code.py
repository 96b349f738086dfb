"""The code that fills requests: it does what walking the tree at each call would do."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile import filling
from cexspec.compile.code import CodeWriter, Tree
from cexspec.compile.exchange import Exchange
from cexspec.compile.filters import as_text
from cexspec.compile.holes import Hole, Text, parse_text
from cexspec.compile.http_request import HttpRequest, urlencoded
from cexspec.compile.templates import compile_tree, text_filler
from cexspec.models import InvalidOrder, InvalidRequest
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position
from tests.compile.made_up import exchange

ALLOWED = frozenset({"id", "base", "depth", "limit", "start"})
OPTIONAL = frozenset({"depth", "limit"})
TEXTS = st.sampled_from(
    [
        "x", "", "{a}", "\'\"\\", "{{ id }}", "{{ base }}", "{{ depth }}", "{{ limit }}", "{{ depth | text }}", "{{ id | lower }}",
        "<{{ id }}|{{ depth }}>", "{{ start | ms }}", "{{ start | ms }}{{ id | upper }}", "{ {{ limit }} }", "{{ limit | number }}",
    ]
)  # fmt: skip
TREES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.just(1.5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
VALUES = st.one_of(st.none(), st.sampled_from(["BTC", "é", "\ud800", "7", True, 5, Decimal("1E-8"), Decimal("0.10"), 1.5]))


def walked(tree: Tree, params: dict[str, Any]) -> Any:
    """A tree filled by walking it."""
    if isinstance(tree, list):
        return [walked(inner, params) for inner in tree]
    if isinstance(tree, dict):
        whole = {key: inner.whole for key, inner in tree.items() if isinstance(inner, Text) and inner.whole is not None}
        left_out = {key for key, hole in whole.items() if hole.name in OPTIONAL and params.get(hole.name) is None}
        return {key: walked(inner, params) for key, inner in tree.items() if key not in left_out}
    if not isinstance(tree, Text):
        return tree
    if tree.whole is not None:
        value = of(tree.whole, params)
        return as_text(value) if isinstance(value, str | Decimal) else value
    return "".join(as_text(of(part, params)) if isinstance(part, Hole) else part for part in tree.parts)


def of(hole: Hole, params: dict[str, Any]) -> Any:
    """The value of a hole through its filters."""
    value = params.get(hole.name)
    if value is None:
        raise KeyError(hole.name)
    for each in hole.filters:
        value = each.apply(value)
    return value


@given(TREES, st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(ALLOWED), VALUES)))
def test_written_code_does_what_a_walk_does(tree: Any, params: dict[str, Any]) -> None:
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    template = compile_tree(tree, ALLOWED, findings, (), OPTIONAL)
    assert findings.problems == []
    try:
        expected = walked(template.tree, params)
    except (KeyError, InvalidRequest):
        with pytest.raises((KeyError, InvalidRequest)):
            template.fill(params)
        return
    found = template.fill(params)
    assert msgspec.json.encode(found) == msgspec.json.encode(expected)


def placing(**operation: Any) -> Exchange:
    """An exchange whose one operation places orders."""
    return exchange(rest={"place": {"serves": "place_order", "ignored": "an id", "post": "/order", **operation}})


def built(call: dict[str, Any], **operation: Any) -> HttpRequest:
    """The request of an operation that orders are placed with."""
    made = placing(**operation)
    return made.operation("place").build(call)


ROWS = [{"is": "{{ price | text }}", "when": {"type": "limit"}}, {"is": "{{ size }}", "when": {"type": "stop_limit"}}, {}]
TABLE: dict[str, Any] = {"params": {"word": {"choose": ROWS}}}


def test_what_a_row_makes_fills_any_part_of_a_request() -> None:
    by_row: list[tuple[dict[str, Any], Any]] = [
        ({"type": "limit", "price": Decimal("2.50")}, "w=2.50&n=n2.50"),
        ({"type": "limit"}, ""),
        ({"type": "stop_limit", "size": Decimal("1E-8")}, "w=0.00000001&n=n0.00000001"),
        ({"type": "market"}, ""),
    ]
    for params, query in by_row:
        assert built(params, query={"w": "{{ word }}", "n": "n{{ word }}"}, **TABLE).query == query
    assert built({"type": "stop_limit", "size": "7"}, post="/order/{{ word }}", **TABLE).path == "/order/7"
    with pytest.raises(KeyError, match="word"):
        built({"type": "market"}, post="/order/{{ word }}", **TABLE)
    assert built({"price": Decimal("2.50")}, query={"p": "{{ price | number }}", "q": "{{ price | number }}!"}).query == "p=2.50&q=2.50%21"


def test_more_decisions_than_are_kept_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "MOST_KNOWN", 1)
    rows = [{"is": "a", "when": {"type": ["limit", "market"]}}, {"is": "b", "when": {"client_order_id": "x"}}]
    made = placing(body={"w": "{{ word }}"}, params={"word": {"choose": rows}})
    build = made.operation("place").build
    for _ in range(2):
        assert [build({"type": kind}).body for kind in ("limit", "market")] == [b'{"w":"a"}'] * 2
        assert build({"type": "stop_limit", "client_order_id": "x"}).body == b'{"w":"b"}'
        with pytest.raises(InvalidOrder):
            build({"type": "stop_limit", "client_order_id": 7})


QUERIES = st.dictionaries(st.sampled_from(["a", "b", "c&=", "é"]), TEXTS)


@given(QUERIES, st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(ALLOWED), VALUES)))
def test_a_query_is_what_its_pairs_are_encoded_to(texts: dict[str, str], params: dict[str, Any]) -> None:
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    parsed = {key: parse_text(text, ALLOWED, findings, ()) for key, text in texts.items()}
    code = CodeWriter()
    with code.block("def fill(params)"):
        code.line("get = params.get")
        code.line(f"return {code.query(parsed.items())}")
    there = {key: text for key, text in parsed.items() if all(params.get(hole.name) is not None for hole in text.holes)}
    try:
        parts = {key: [as_text(of(part, params)) if isinstance(part, Hole) else part for part in text.parts] for key, text in there.items()}
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            code.function("fill")(params)
        return
    assert code.function("fill")(params) == urlencoded(tuple((key, "".join(texts)) for key, texts in parts.items()))


CHOICES: list[dict[str, Any]] = [
    {"is": "maker", "when": {"post_only": True}},
    {"is": "sized", "when": {"size": {"is": "present"}, "type": "limit"}},
    {"is": "{{ client_order_id }}", "when": {"client_order_id": "x"}},
    {},
]


def test_calls_that_differ_in_what_decides_are_told_apart() -> None:
    made = placing(
        body={
            "side": "{{ side }}", "lasts": "{{ time_in_force }}", "word": "{{ word }}", "post": "{{ post_only }}",
            "size": "{{ size }}", "type": "{{ type }}", "own": "{{ client_order_id }}",
        },
        params={
            "side": {"words": {"buy": "B", "sell": "S"}},
            "time_in_force": {"default": "gtc", "values": ["gtc", "ioc"]},
            "word": {"choose": CHOICES},
        },
    )  # fmt: skip
    build = made.operation("place").build

    def expected(call: dict[str, Any]) -> dict[str, Any]:
        word = "sized" if call["size"] is not None and call["type"] == "limit" else call["client_order_id"]
        found = {
            "side": {"buy": "B", "sell": "S", None: None}[call["side"]],
            "lasts": call["time_in_force"] or "gtc",
            "word": "maker" if call["post_only"] else word if word in ("x", "sized") else None,
            "post": True if call["post_only"] else None,
            "size": call["size"],
            "type": call["type"],
            "own": call["client_order_id"],
        }
        return {name: value for name, value in found.items() if value is not None}

    values: dict[str, list[Any]] = {
        "side": ["buy", "sell", None],
        "time_in_force": [None, "ioc"],
        "post_only": [None, False, True],
        "size": ["1", None],
        "type": ["limit", "market"],
        "client_order_id": ["x", "y", None],
    }
    for words in product(*values.values()):
        call = dict(zip(values, words, strict=True))
        assert json.loads(build(call).body or b"") == expected(call)
        assert json.loads(build({name: value for name, value in call.items() if value is not None}).body or b"") == expected(call)
    for call in ({"side": "long"}, {"time_in_force": "fok"}):
        with pytest.raises(InvalidRequest):
            build(call)


def test_a_hole_that_is_all_of_a_text_is_written_as_text() -> None:
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    assert text_filler(parse_text("{{ limit | number }}", ALLOWED, findings, ()))({"limit": Decimal("2.50")}) == "2.50"
    assert text_filler(parse_text("{{ limit }}", ALLOWED, findings, ()))({"limit": Decimal("1E-8")}) == "0.00000001"
