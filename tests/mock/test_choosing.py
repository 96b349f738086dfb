"""Decision tables backwards: whatever a call is sent as, the parameters that are read of it are sent the same way."""

from __future__ import annotations

from typing import Any

import pytest

from cexspec.compile.choices import compile_tables, refusal
from cexspec.compile.request import holes_of
from cexspec.mock.choosing import Choosing, places
from tests.compile.made_up import exchange

PLACE: dict[str, Any] = {
    "serves": "place_order",
    "post": "/order",
    "body": {"side": "{{ side }}", "px": "{{ price }}", "kind": "{{ word }}", "tif": "{{ force }}", "flags": "{{ flags }}"},
    "when": {"type": {"not": ["stop_market", "stop_limit"]}},
    "params": {
        "word": {
            "choose": [
                {"is": "LIMIT_MAKER", "when": {"type": "limit", "post_only": "true"}},
                {"is": "IOC", "when": {"type": "limit", "time_in_force": "ioc"}},
                {"is": "{{ type }}", "when": {"time_in_force": {"not": "ioc", "optional": "true"}}},
            ]
        },
        "force": {
            "choose": [
                {"is": "G", "when": {"type": "limit", "time_in_force": {"any_of": "gtc", "optional": "true"}, "post_only": "false"}},
                {"is": {"fill": "kill"}, "when": {"time_in_force": "fok"}},
                {},
            ]
        },
        "flags": {"choose": [{"is": "reduce {{ margin_mode }}", "when": {"reduce_only": "true", "price": {"is": "present"}}}, {}]},
    },
    "ignored": "an id",
}
CALLS: list[dict[str, Any]] = [
    {"type": "limit", "price": "1"},
    {"type": "limit", "price": "1", "post_only": True},
    {"type": "limit", "price": "1", "time_in_force": "ioc"},
    {"type": "limit", "price": "1", "time_in_force": "fok"},
    {"type": "market", "time_in_force": "fok"},
    {"type": "market"},
    {"type": "limit", "price": "1", "reduce_only": True, "margin_mode": "cross"},
]


def made_by(call: dict[str, Any]) -> dict[str, Any]:
    """What the tables make of a call."""
    made = exchange(rest={"place": PLACE})
    spec = made.spec.rest["place"]
    tables = compile_tables(spec, holes_of("place", spec), refusal("venue", "place", None), made.findings())
    values = dict(call)
    for plan, at in zip(tables.plans, tables.rows(tables.plans, call, dict(call)), strict=True):
        values[plan.name] = plan.rows[at].value(values)
    return {name: value for name, value in values.items() if name in tables.names}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_read_back_is_sent_the_same_way(call: dict[str, Any]) -> None:
    made, compiled = made_by(call), exchange(rest={"place": PLACE})
    told = {"side": "buy", **({"price": call["price"]} if "price" in call else {})}
    found = Choosing(compiled, "place", compiled.spec.rest["place"]).unified(made, told, {"side", "price"})
    assert found is not None
    assert made_by(dict(found)) == made
    assert found["type"] == call["type"] and found["side"] == "buy"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"word": "OCO"}, {}),
        ({"word": "stop_limit"}, {}),
        ({"word": "limit", "force": "H"}, {}),
        ({"word": "LIMIT_MAKER", "force": "G"}, {}),
        ({"flags": "reduce cross"}, {"price": None}),
        ({"word": "limit"}, {"type": "stop_limit"}),
    ],
)
def test_words_that_no_call_makes_are_told_apart(made: dict[str, Any], told: dict[str, Any]) -> None:
    compiled = exchange(rest={"place": PLACE})
    assert Choosing(compiled, "place", compiled.spec.rest["place"]).unified(made, told, {"price"}) is None


def test_tables_that_look_at_tables_and_hide_parameters_are_read_too() -> None:
    params = {
        "type": {"choose": [{"is": "LMT", "when": {"type": "limit"}}, {"is": "MKT", "when": {"type": "market"}}]},
        "line": {"choose": [{"is": "a", "when": {"post_only": "true"}}, {"is": "b"}]},
        "last": {"choose": [{"is": "{{ line }}!", "when": {"line": "a"}}, {"is": "?"}]},
    }
    compiled = exchange(
        rest={"place": {**PLACE, "when": {"side": "buy"}, "body": {"x": ["{{ type }}", "{{ line }}", "{{ last }}"]}, "params": params}}
    )
    choosing = Choosing(compiled, "place", compiled.spec.rest["place"])
    assert choosing.names == {"type", "line", "last"}
    assert choosing.unified({"type": "LMT", "line": "a", "last": "a!"}, {"side": "buy"}, ()) == {
        "side": "buy",
        "type": "limit",
        "post_only": "true",
    }
    assert choosing.unified({"type": "LMT", "line": "b", "last": "a!"}, {}, ()) is None


def test_holes_that_stand_alone_are_found_in_bodies() -> None:
    tree = {"a": {"b": "{{ word }}", "c": "{{ word | upper }}"}, "d": ["{{ word }}"], "e": "{{other}}", "f": 1}
    assert list(places(tree, frozenset({"word", "other"}))) == [(("a", "b"), "word"), (("d", 0), "word"), (("e",), "other")]
    assert list(places("{{ word }}", frozenset({"word"}))) == [((), "word")]
