"""Decision tables and operations that serve one verb: which row a call takes, what it sends, and what no row is for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.asked import Space, compile_when
from cexspec.compile.choices import compile_tables, refusal
from cexspec.compile.exchange import Exchange
from cexspec.compile.verbs import CLOSED, FLAGS, ORDER, VERBS
from cexspec.models import ExchangeError, InvalidOrder, InvalidRequest, NotSupported
from cexspec.spec.model.choices import When
from cexspec.spec.model.rest import Operation
from tests.compile.made_up import exchange

WORD = [
    {"is": "post_only", "when": {"type": "limit", "post_only": "true"}},
    {"is": "ioc", "when": {"type": "limit", "time_in_force": "ioc"}},
    {"is": "{{ type }}", "when": {"time_in_force": {"any_of": ["gtc"], "optional": "true"}}},
]
BODY = {
    "pair": "{{ id }}",
    "kind": "{{ word }}",
    "size": "{{ size }}",
    "price": "{{ price }}",
    "reduce": "{{ reduce_only }}",
}
BASE = {"id": "BTC-USDT", "size": Decimal("1E-8"), "post_only": False, "reduce_only": False}


def venue(operations: Mapping[str, Any] | None = None, **place: Any) -> Exchange:
    """A venue that takes orders."""
    one = {"serves": "place_order", "post": "/order", "body": BODY, "params": {"word": {"choose": WORD}}, "ignored": "an id", **place}
    return exchange(rest={"place": one, **(operations or {})})


def sent(made: Exchange, params: Mapping[str, Any], name: str = "place") -> Any:
    """The body that a call sends."""
    body = made.operation(name).build({**BASE, **params}).body
    assert body is not None
    return msgspec.json.decode(body)


TAKEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "limit", "price": Decimal("2.50")}, {"kind": "limit", "price": "2.50"}),
    ({"type": "market"}, {"kind": "market"}),
    ({"type": "limit", "post_only": True}, {"kind": "post_only"}),
    ({"type": "limit", "time_in_force": "ioc"}, {"kind": "ioc"}),
    ({"type": "limit", "time_in_force": "gtc", "reduce_only": True}, {"kind": "limit", "reduce": True}),
]


@pytest.mark.parametrize(("params", "expected"), TAKEN)
def test_the_first_row_that_holds_makes_the_hole(params: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(venue(), params) == {"pair": "BTC-USDT", "size": "0.00000001", **expected}


@pytest.mark.parametrize(
    ("serves", "params", "error", "text"),
    [
        ("place_order", {"type": "limit", "time_in_force": "fok"}, InvalidOrder, "venue has no limit order with time_in_force fok"),
        (
            "place_order",
            {"type": "market", "time_in_force": "fok", "post_only": True},
            InvalidOrder,
            "market order with post_only, time_in_",
        ),
        ("amend_order", {"time_in_force": "fok"}, InvalidOrder, "venue has no word for time_in_force fok"),
        ("cancel_order", {"type": "limit", "time_in_force": "fok"}, InvalidRequest, "venue has no word for type limit, time_in_force fok"),
    ],
)
def test_what_no_row_is_for_is_refused_in_words(serves: str, params: dict[str, Any], error: type[ExchangeError], text: str) -> None:
    with pytest.raises(error, match=text):
        sent(venue(serves=serves), params)


def test_what_lacks_a_parameter_that_every_row_wants_is_told_so() -> None:
    rows = [{"is": "L", "when": {"type": "limit"}}, {"is": "P", "when": {"stop_price": {"is": "present"}, "type": {"not": "limit"}}}]
    with pytest.raises(InvalidOrder, match="no word without type or stop_price"):
        sent(venue(params={"word": {"choose": rows}}), {})


def test_a_row_without_a_value_leaves_the_key_out() -> None:
    rows = [{"when": {"type": "market"}}, {"is": {"limit": {"px": "{{ price }}"}, "iceberg": False, "till": "{{ expires | ms }}"}}]
    made = venue(params={"word": {"choose": rows}})
    assert "kind" not in sent(made, {"type": "market"})
    assert sent(made, {"type": "limit", "price": Decimal(3)})["kind"] == {"limit": {"px": "3"}, "iceberg": False}
    assert sent(made, {"type": "limit", "expires": 5_000_000})["kind"] == {"limit": {}, "iceberg": False, "till": 5}


def test_a_table_may_look_at_the_one_before_and_at_defaults() -> None:
    params = {
        "time_in_force": {"default": "gtc", "words": {"gtc": "GoodTillCancel", "ioc": "ImmediateOrCancel"}},
        "line": {"choose": [{"is": "stops", "when": {"stop_price": {"is": "present"}}}, {"is": "plain"}]},
        "word": {"choose": [{"is": "{{ line }}-{{ time_in_force }}", "when": {"line": "plain", "time_in_force": "gtc"}}, {"is": "other"}]},
    }
    made = venue(params=params)
    assert sent(made, {})["kind"] == "plain-GoodTillCancel"
    assert sent(made, {"time_in_force": "ioc"})["kind"] == "other"
    assert sent(made, {"stop_price": Decimal(1)})["kind"] == "other"
    assert made.operation("place").needs == frozenset()


def test_a_table_of_a_parameters_own_name_hides_it_from_the_request_only() -> None:
    params = {
        "type": {"choose": [{"is": "LMT", "when": {"type": "limit"}}, {"is": "MKT"}]},
        "word": {"choose": [{"is": "still {{ type }}", "when": {"type": "limit"}}, {"is": "no"}]},
    }
    assert sent(venue(params=params, body={**BODY, "t": "{{ type }}"}), {"type": "limit"}) == {
        "pair": "BTC-USDT",
        "kind": "still LMT",
        "size": "0.00000001",
        "t": "LMT",
    }


def test_tables_are_asked_only_for_what_is_sent() -> None:
    made = venue(
        serves="place_orders",
        body={"all": "{{ orders }}", "pair": "{{ id }}"},
        each_order=BODY,
        params={"word": {"choose": WORD}, "orders": {"max": "2"}},
    )
    order = {"type": "limit", "price": Decimal(1)}
    assert sent(made, {"orders": [order, {**order, "post_only": True}]}) == {
        "all": [{"pair": "BTC-USDT", "kind": kind, "size": "0.00000001", "price": "1"} for kind in ("limit", "post_only")],
        "pair": "BTC-USDT",
    }
    with pytest.raises(InvalidRequest, match="3 orders: it takes 2 in a call"):
        sent(made, {"orders": [order] * 3})
    with pytest.raises(InvalidOrder, match="no limit order with time_in_force gtd"):
        sent(made, {"orders": [order, {**order, "time_in_force": "gtd"}]})
    with pytest.raises(KeyError, match="orders"):
        sent(made, {})
    assert made.operation("place").batch and made.operation("place").verb == "place_orders"


def test_orders_of_a_batch_may_be_texts_without_bound() -> None:
    made = venue(serves="cancel_orders", body={"ids": '{{ orders | join(",") }}'}, each_order="{{ order_id }}", params={})
    assert sent(made, {"orders": [{"order_id": "a"}, {"order_id": "b"}]}) == {"ids": "a,b"}


def test_exact_numbers_are_text_or_with_a_filter_numbers_of_json() -> None:
    made = venue(body={"text": "{{ size }}", "number": "{{ size | number }}", "whole": "{{ leverage | number }}"}, params={})
    body = made.operation("place").build({"size": Decimal("1E-8"), "leverage": "10"}).body
    assert body == b'{"text":"0.00000001","number":0.00000001,"whole":10}'
    with pytest.raises(InvalidRequest, match="not a number: 'many'"):
        made.operation("place").build({"size": "many"})
    joined = venue(body={"text": "x{{ size | number }}"}, params={}).operation("place")
    assert joined.build({"size": Decimal("0.10")}).body == b'{"text":"x0.10"}'


STOPS = {"when": {"type": ["stop_market", "stop_limit"]}, "serves": "place_order", "post": "/stop", "ignored": "an id"}


def test_the_first_operation_that_serves_a_call_is_taken() -> None:
    made = venue({"place_stop": STOPS, "spot": {**STOPS, "when": {"type": "market", "kind": {"not": "spot"}}}}, when={"type": "limit"})
    assert [plan.name for plan in made.serving("place_order")] == ["place", "place_stop", "spot"]
    assert made.operation_for("place_order", {"type": "stop_limit"}).name == "place_stop"
    assert made.operation_for("place_order", {"type": "market", "kind": "future"}).name == "spot"
    with pytest.raises(InvalidOrder, match="venue has no market order with kind spot"):
        made.operation_for("place_order", {"type": "market", "kind": "spot"})
    with pytest.raises(NotSupported, match="declares nothing that serves fills"):
        made.operation_for("fills", {})
    assert made.serving("fills") == ()


def test_an_operation_of_a_verbs_name_serves_it_always() -> None:
    made = exchange(rest={"fills": {"get": "/fills", "query": {"from": "{{ start | ms }}", "c": "{{ currency }}"}, "ignored": "not yet"}})
    assert made.operation_for("fills", {}).verb == "fills"
    assert made.operation("fills").build({"currency": "BTC", "start": 10**9}).target == "/fills?from=1000&c=BTC"


ACCEPTED = {
    "accepts": ["10"],
    "errors": {"failed": {"$.rows[0].code": {"not": "0"}}, "code": ["$.rows[0].code", "$.code"], "message": "$.m"},
}
GENERAL = {
    "failed": {"$.code": {"not": "0"}},
    "code": "$.code",
    "message": "$.m",
    "codes": {"9": "InvalidSymbol", "10": "InvalidOrder"},
    "messages": {"Money": "InsufficientFunds"},
    "statuses": {"404": "OrderNotFound"},
    "default": "InvalidRequest",
}


@pytest.mark.parametrize(
    ("own", "body", "error"),
    [
        ({}, '{"rows": [{"code": 0}]}', None),
        ({}, '{"rows": [{"code": 10}]}', None),
        ({}, '{"rows": [{"code": 9}], "m": "no"}', "InvalidSymbol"),
        ({}, '{"rows": [{"code": 7}], "m": "no money"}', "InsufficientFunds"),
        ({}, '{"rows": [{"code": 7}], "m": "no"}', "InvalidRequest"),
        ({"codes": {"9": "InvalidOrder", "11": "DuplicateOrder"}}, '{"rows": [{"code": 9}], "m": "no"}', "InvalidOrder"),
        ({"codes": {"11": "DuplicateOrder"}}, '{"rows": [{"code": 11}], "m": "no"}', "DuplicateOrder"),
        ({"messages": {"no mon": "InvalidOrder"}}, '{"rows": [{"code": 7}], "m": "no money"}', "InvalidOrder"),
        ({"default": "ExchangeError"}, '{"rows": [{"code": 7}], "m": "no"}', "ExchangeError"),
    ],
)
def test_errors_of_an_operation_look_into_items_and_take_the_rest_from_the_exchange(own: Any, body: str, error: str | None) -> None:
    place = {"post": "/order", "ignored": "an id", **ACCEPTED, "errors": {**ACCEPTED["errors"], **own}}  # type: ignore[dict-item]
    plan = exchange(errors=GENERAL, rest={"place_order": place}).operation("place_order")
    found = plan.errors.check(200, body.encode(), "place_order")
    assert (type(found).__name__ if found else None) == error
    missing = plan.errors.check(404, b'{"m": "gone"}', "place_order")
    assert type(missing).__name__ == "OrderNotFound"


def test_codes_are_accepted_of_answers_that_fail_as_all_do() -> None:
    plan = exchange(errors=GENERAL, rest={"set_leverage": {"post": "/l", "ignored": "ok", "accepts": ["10"]}}).operation("set_leverage")
    assert plan.errors.check(200, b'{"code": 10, "m": "not modified"}', "") is None
    assert plan.errors.check(200, b'{"code": 9, "m": "no such pair"}', "") is not None


def test_the_type_of_an_order_is_said_though_no_row_asks_for_it() -> None:
    refused = refusal("venue", "place", "place_order")({"type": "limit", "reduce_only": True}, ("reduce_only",), "a word")
    assert "venue has no limit order with reduce_only" in str(refused)


def test_every_word_of_an_order_is_known() -> None:
    assert {"side", "type", "time_in_force", "margin_mode", "position_side", "kind"} == set(CLOSED)
    assert FLAGS <= ORDER and "place_order" in VERBS and "symbol" not in ORDER


# --- boxes of calls

PARAMS = {"type": ["market", "limit"], "post_only": ["true"], "line": ["a", "b"]}
CONDITIONS = st.one_of(
    st.builds(lambda name, words: (name, {"any_of": words}), st.sampled_from(list(PARAMS)), st.lists(st.integers(0, 1), min_size=1)),
    st.builds(lambda name, is_: (name, {"is": is_}), st.sampled_from(list(PARAMS)), st.sampled_from(["present", "absent"])),
    st.builds(lambda name, words: (name, {"not": words}), st.sampled_from(list(PARAMS)), st.lists(st.integers(0, 1), min_size=1)),
)


def whens(rows: list[list[tuple[str, dict[str, Any]]]]) -> list[When | None]:
    """Conditions as the spec has them."""
    named = [{name: {key: _words(name, value) for key, value in one.items()} for name, one in row} for row in rows]
    choices = [{"is": "x", **({"when": when} if when else {})} for when in named]
    operation = Operation.model_validate({"get": "/", "ignored": "x", "params": {"t": {"choose": choices}}})
    return [row.when for row in operation.params["t"].choose or []]


def _words(name: str, value: Any) -> Any:
    return [PARAMS[name][at % len(PARAMS[name])] for at in value] if isinstance(value, list) else value


CALLS = [
    {"type": kind, "post_only": flag, "line": line}
    for kind in (None, "market", "limit", "stop_limit")
    for flag in (None, False, True)
    for line in (None, "a", "b", "c")
]


@given(st.lists(st.lists(CONDITIONS, max_size=3), min_size=1, max_size=4))
def test_a_row_is_reached_where_some_call_takes_it(rows: list[list[tuple[str, dict[str, Any]]]]) -> None:
    every = whens(rows)
    space = Space.of(every)
    tests = [compile_when(when) for when in every]
    first = {next((at for at, holds in enumerate(tests) if holds(call)), None) for call in CALLS}
    taken = space.taken(every)
    assert {at for at, boxes in enumerate(taken) if boxes} == first - {None}
    for at, boxes in enumerate(taken):
        for box in boxes:
            call = space.example(box)
            assert next(place for place, holds in enumerate(tests) if holds(call)) == at


def test_boxes_meet_where_both_hold() -> None:
    every = whens([[("type", {"any_of": [0]})], [("type", {"any_of": [1]}), ("line", {"is": "absent"})], []])
    space = Space.of(every)
    one, two, rest = (space.box(when) for when in every)
    assert space.intersection(one, two) is None
    assert space.intersection(rest, two) == two
    assert space.intersection(two, rest) == two


def test_which_row_a_call_takes_is_told() -> None:
    made = venue()
    operation = made.spec.rest["place"]
    tables = compile_tables(operation, ORDER | {"id"}, refusal("venue", "place", "place_order"), made.findings())
    assert [tables.chosen("word", params) for params, _ in TAKEN] == [2, 2, 0, 1, 2]
    assert tables.chosen("word", {"time_in_force": "fok"}) is None
    with pytest.raises(LookupError, match="nothing"):
        tables.chosen("nothing", {"type": "limit"})


def test_a_row_is_told_by_the_tables_before() -> None:
    params = {
        "type": {"choose": [{"is": "LMT", "when": {"type": "limit"}}]},
        "line": {"choose": [{"is": "at-{{ price }}", "when": {"price": {"is": "present"}}}, {"is": "on-{{ leverage }}"}]},
        "word": {"choose": [{"is": "high", "when": {"line": "at-9"}}, {"is": "low"}]},
    }
    made = venue(params=params, body={"x": "{{ type }}{{ line }}{{ word }}"})
    operation = made.spec.rest["place"]
    tables = compile_tables(operation, ORDER | {"id"}, refusal("venue", "place", None), made.findings())
    assert [tables.chosen("word", {"price": price}) for price in (Decimal(9), Decimal(8), None)] == [0, 1, 1]
