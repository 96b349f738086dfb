"""Requests: unified parameters to exact wire form, bounds, paging."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.plan import ParamPlan
from cexspec.compile.request import RequestParts, compile_request
from cexspec.models import InvalidRequest
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position
from cexspec.spec.unread import bind

NOON = 1_785_585_600_123_456_789


def compile_one(operation: dict[str, Any], **top: Any) -> tuple[RequestParts, Findings]:
    """The request of an operation named `one` in an otherwise empty spec."""
    findings = Findings(lambda where: Position("spec.yaml", 1, 1))
    spec = ExchangeSpec.model_validate(
        {
            "cexspec": "1",
            "id": "venue",
            "name": "Venue",
            "kind": "cex",
            "docs": "https://example.com",
            "environments": {"live": {"rest": "https://example.com"}},
            "symbols": {"formats": {}, "examples": {}},
            "intervals": {"1m": "1min", "1h": "60min"},
            "limits": {"market": {"rate": "20", "per": "2s"}},
            "errors": {"code": ["$.code"], "message": ["$.msg"], "codes": {}},
            "rest": {"one": {"ignored": "only its request matters", **operation}},
            **top,
        }
    )
    bind(spec)
    return compile_request(spec.rest["one"], "one", spec, findings), findings


def parts(operation: dict[str, Any], **top: Any) -> RequestParts:
    """The same, without problems."""
    compiled, findings = compile_one(operation, **top)
    assert findings.problems == []
    return compiled


CANDLES = {
    "get": "/v2/candles/trade:{{ interval }}:{{ id }}/hist",
    "query": {"limit": "{{ limit }}", "start": "{{ start | ms }}", "end": "{{ end | iso }}", "sort": "-1", "depth": "d{{ depth }}"},
    "params": {"limit": {"default": "100", "max": "1000"}},
}
WIRE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (CANDLES, {"id": "tBTCUSD", "interval": "1h"}, "/v2/candles/trade:60min:tBTCUSD/hist?limit=100&sort=-1"),
    (
        CANDLES,
        {"id": "币/安", "interval": "1m", "limit": 5000, "start": NOON, "end": NOON, "depth": 3},
        "/v2/candles/trade:1min:%E5%B8%81%2F%E5%AE%89/hist"
        "?limit=1000&start=1785585600123&end=2026-08-01T12%3A00%3A00.123Z&sort=-1&depth=d3",
    ),
    ({"get": "/t", "query": {"symbol": "{{ id }}", "type": "{{ category }}"}}, {"id": "A&b=c", "category": None}, "/t?symbol=A%26b%3Dc"),
    ({"get": "/t", "query": {"symbols": '["{{ id }}"]'}}, {"id": "X"}, "/t?symbols=%5B%22X%22%5D"),
    (
        {"get": "/t", "query": {"n": "{{ flag }}", "x": "{{ x }}"}, "each": [{"flag": "a"}, {"x": "b"}]},
        {"x": Decimal("1E-8")},
        "/t?x=0.00000001",
    ),
    ({"get": "/t", "query": {"b": "{{ x }}"}, "each": [{"x": "b"}]}, {"x": True}, "/t?b=true"),
    ({"get": "/t", "query": {"k": '{{ id | join(",") }}'}}, {"id": ["a", "b"]}, "/t?k=a%2Cb"),
    ({"get": "https://other.example.com/t"}, {}, "https://other.example.com/t"),
]


@pytest.mark.parametrize(("operation", "params", "target"), WIRE, ids=[row[2][:40] for row in WIRE])
def test_a_call_becomes_its_wire_form(operation: dict[str, Any], params: dict[str, Any], target: str) -> None:
    request = parts(operation).build(params)
    assert (request.method, request.target, request.body, request.headers) == ("GET", target, None, ())


def test_a_body_is_json_encoded_once() -> None:
    operation = {"post": "/info", "body": {"type": "l2Book", "coin": "{{ id }}", "n": "{{ depth }}", "at": "{{ start | ms }}"}}
    compiled = parts(operation)
    request = compiled.build({"id": 'B"TC', "start": NOON})
    assert (request.method, request.target) == ("POST", "/info")
    assert request.body == b'{"type":"l2Book","coin":"B\\"TC","at":1785585600123}'
    assert request.headers == (("Content-Type", "application/json"),)
    assert compiled.needs == frozenset()


def test_needs_are_what_the_request_cannot_go_without() -> None:
    operation = {
        "post": "/{{ category }}/x",
        "query": {"id": "{{ id }}", "t": "{{ now | ms }}"},
        "body": {"list": ["{{ interval }}"], "maybe": "{{ depth }}", "text": "x{{ base }}", "uuid": "{{ uuid }}"},
    }
    compiled = parts(operation)
    assert compiled.needs == {"category", "now", "interval", "base", "uuid"}
    assert compiled.holes == compiled.needs | {"id", "depth"}
    with pytest.raises(KeyError) as caught:
        compiled.build({})
    assert caught.value.args[0] in compiled.needs


BOUNDS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"depth": 7}, "depth=7"),
    ({}, {}, ""),
    ({}, {"depth": None}, ""),
    ({"depth": {"default": "100"}}, {}, "depth=100"),
    ({"depth": {"default": "100"}}, {"depth": None}, "depth=100"),
    ({"depth": {"max": "400"}}, {"depth": 5000}, "depth=400"),
    ({"depth": {"values": ["100", "1", "25"]}}, {"depth": 1}, "depth=1"),
    ({"depth": {"values": ["100", "1", "25"]}}, {"depth": 2}, "depth=25"),
    ({"depth": {"values": ["100", "1", "25"]}}, {"depth": 9999}, "depth=100"),
    ({"depth": {"values": ["1", "25"], "default": "3"}}, {}, "depth=25"),
    ({"category": {"default": "SPOT"}}, {}, "category=SPOT"),
    ({"category": {"values": ["SPOT", "SWAP"]}}, {"category": "SWAP"}, "category=SWAP"),
    ({"interval": {"default": "1h", "values": ["1h"]}}, {}, "interval=60min"),
    ({"interval": {"default": "4h", "words": {"4h": "4hours"}}}, {}, "interval=4hours"),
    ({"category": {"words": {"spot": "SPOT", "swap": "SWAP"}}}, {"category": "swap"}, "category=SWAP"),
]
ANY = {"get": "/t", "query": {name: f"{{{{ {name} }}}}" for name in ("depth", "category", "interval")}}


@pytest.mark.parametrize(("params", "given", "query"), BOUNDS, ids=[f"{row[0]} {row[1]}" for row in BOUNDS])
def test_parameters_are_bounded_as_the_venue_takes_them(params: dict[str, Any], given: dict[str, Any], query: str) -> None:
    assert parts({**ANY, "params": params}).build(given).target == f"/t?{query}".rstrip("?")


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"interval": "7m"}, "no interval '7m': it has 1m, 1h"),
    ({}, {"interval": 60}, "no interval 60"),
    ({}, {"depth": 0}, "depth is a whole number from 1, not 0"),
    ({}, {"depth": "many"}, "depth is a whole number from 1, not 'many'"),
    ({"category": {"values": ["SPOT", "SWAP"]}}, {"category": "X"}, "category is one of SPOT, SWAP, not 'X'"),
    ({"category": {"words": {"spot": "SPOT"}}}, {"category": "SPOT"}, "no category 'SPOT': it has spot"),
    ({"interval": {"words": {"4h": "4hours"}}}, {"interval": "1h"}, "no interval '1h': it has 4h"),
]


@pytest.mark.parametrize(("params", "given", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_parameter_the_venue_does_not_take_is_refused(params: dict[str, Any], given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parts({**ANY, "params": params}).build(given)
    assert reason in caught.value.message
    assert (caught.value.exchange, caught.value.endpoint) == ("venue", "one")


def test_without_intervals_the_word_goes_out_as_it_is() -> None:
    assert parts(ANY, intervals={}).build({"interval": "7m"}).target == "/t?interval=7m"


def test_the_weight_sees_the_bounded_parameters() -> None:
    weight = {"by": "depth", "steps": {"100": "5", "500": "25"}}
    compiled = parts({**ANY, "params": {"depth": {"default": "500"}}, "weight": weight, "limit": "market"})
    assert (compiled.weight({}), compiled.weight({"depth": 5}), compiled.pools) == (25, 5, ("market",))


def test_the_rest_of_the_parts_is_the_specs() -> None:
    compiled = parts(
        {
            **ANY,
            "params": {"depth": {"default": "5", "max": "9", "values": ["5"]}},
            "each": [{"instType": "SPOT"}, {"family": {"from": "families"}}],
            "kinds": ["perpetual"],
        }
    )
    assert (compiled.method, compiled.path, compiled.idempotent, compiled.page) == ("GET", "/t", True, None)
    assert compiled.params == {"depth": ParamPlan("5", 9, ("5",))}
    assert compiled.each == ({"instType": "SPOT"}, {"family": ("from", "families")})
    assert compiled.kinds == frozenset({"perpetual"})


@pytest.mark.parametrize(("method", "idempotent", "expected"), [("get", None, True), ("post", None, False), ("post", "true", True)])
def test_gets_are_idempotent_and_others_where_the_spec_says_so(method: str, idempotent: str | None, expected: bool) -> None:
    assert parts({method: "/t", "idempotent": idempotent}).idempotent is expected


def test_a_page_continues_by_a_field_or_from_a_cursor() -> None:
    page = {"direction": "backward", "param": "after", "by": "timestamp", "unit": "ms", "inclusive": "true", "drop": ["depth"]}
    by_field = parts({**ANY, "page": page}).page
    assert by_field is not None and by_field.cursor is None
    assert (by_field.direction, by_field.param, by_field.by, by_field.unit) == ("backward", "after", "timestamp", "ms")
    assert (by_field.inclusive, by_field.drop) == (True, ("depth",))
    by_cursor = parts({**ANY, "page": {"direction": "forward", "param": "since", "cursor": "$.result.last"}}).page
    assert by_cursor is not None and by_cursor.cursor is not None
    bodies = [
        b'{"result":{"last":17}}',
        b'{"result":{"last":"x"}}',
        b'{"result":{"last":""}}',
        b'{"result":{}}',
        b'{"result":{"last":null}}',
    ]
    assert [by_cursor.cursor(body) for body in bodies] == ["17", "x", None, None, None]


FORWARD = {"direction": "forward", "by": "timestamp", "unit": "ms"}
PLACES: list[tuple[dict[str, Any], str, str]] = [
    ({"post": "/t", "body": {"a": {"b": "{{ id }}"}}}, "a.since", "body"),
    ({"post": "/t", "body": {"a": "{{ id }}"}}, "since", "body"),
    ({"post": "/t", "body": {"a": "{{ id }}"}, "query": {"since": "{{ start | ms }}"}}, "since", "query"),
    ({"post": "/t", "form": {"a": "{{ id }}"}}, "since", "form"),
    ({"post": "/t"}, "since", "query"),
    ({"get": "/t"}, "a.since", "query"),
]


@pytest.mark.parametrize(("operation", "param", "within"), PLACES, ids=str)
def test_a_page_continues_in_the_body_where_there_is_one(operation: dict[str, Any], param: str, within: str) -> None:
    page = parts({**operation, "page": {**FORWARD, "param": param}}).page
    assert page is not None
    assert page.within == within


PROBLEMS: list[tuple[str, dict[str, Any], tuple[str | int, ...]]] = [
    ("CEX069", {"post": "/t", "body": {"a": "b"}, "page": {**FORWARD, "param": "a.since"}}, ("page", "param")),
    ("CEX069", {"post": "/t", "body": {"a": "b"}, "page": {**FORWARD, "param": "a.b.since"}}, ("page", "param")),
    ("CEX069", {"post": "/t", "body": ["a"], "page": {**FORWARD, "param": "since"}}, ("page", "param")),
    ("CEX069", {"post": "/t", "body": {"a": "b"}, "page": {**FORWARD, "param": "s", "drop": ["a", "x"]}}, ("page", "drop", 1)),
    ("CEX049", {"get": "/{{ symbl }}"}, ("get",)),
    ("CEX049", {"post": "/{{ topic }}"}, ("post",)),
    ("CEX050", {"get": "/t", "query": {"a": "{{ start }}"}}, ("query", "a")),
    ("CEX048", {"post": "/t", "body": {"a": ["{{ id + 1 }}"]}}, ("body", "a", 0)),
    ("CEX057", {"get": "/t", "limit": "markt"}, ("limit",)),
    ("CEX062", {"get": "/t", "weight": {"by": "depth", "steps": {"1": "1"}}}, ("weight", "by")),
    ("CEX044", {"get": "/t", "page": {"direction": "forward", "param": "p", "cursor": "$.["}}, ("page", "cursor")),
]


@pytest.mark.parametrize(("rule", "operation", "where"), PROBLEMS, ids=[f"{row[0]} {row[2]}" for row in PROBLEMS])
def test_a_problem_stands_at_its_node(rule: str, operation: dict[str, Any], where: tuple[str | int, ...]) -> None:
    _, findings = compile_one(operation)
    assert [(problem.rule, problem.where) for problem in findings.problems] == [(rule, ("rest", "one", *where))]


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_value_changes_the_target_around_it(one: str, other: str) -> None:
    build = parts({"get": "/a/{{ id }}/b", "query": {"x": "{{ base }}", "y": "1"}}).build
    try:
        target = build({"id": one, "base": other}).target
    except InvalidRequest:
        assert one in (".", "..")
        return
    split = urlsplit(target)
    assert (len(split.path.split("/")), split.fragment) == (4, "")
    assert parse_qsl(split.query, keep_blank_values=True) == [("x", other), ("y", "1")]


@given(st.text(min_size=1) | st.integers(-(2**53), 2**53) | st.booleans())
def test_no_value_changes_the_body_around_it(value: Any) -> None:
    body = parts({"post": "/t", "body": {"a": {"b": "{{ id }}"}, "c": ["0.10"]}}).build({"id": value}).body
    assert body is not None
    assert msgspec.json.decode(body) == {"a": {"b": value}, "c": ["0.10"]}
