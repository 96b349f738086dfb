"""`like` of a connection: the rules of another one, but for what is said here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.compile.validate import validate
from cexspec.models import SpecError
from cexspec.spec import likeness
from cexspec.spec.export import spec_schema
from cexspec.spec.load import load, load_text
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.problems import Problem
from cexspec.spec.source import Position

HEAD = """\
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com
environments:
  live: {rest: https://example.com, ws: {linear: wss://example.com/linear, inverse: wss://example.com/inverse}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDT: BTC-USDT}}
errors: {code: $.c, message: $.m, codes: {}}
ws:
  connections:
    linear:
      keepalive: {send: ping, every: 20s, expect: pong}
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}, ack: {$.event: subscribe}, topic: $.arg}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}, ack: {$.event: unsubscribe}, topic: $.arg}
      max_topics: 100
"""
TRADES = """\
  channels:
    trades:
      on: inverse
      topic: {c: trades, id: "{{ id }}"}
      match: {$.c: trades}
      returns: trade
      fields: {symbol: $.s, id: $.i, price: $.p, size: $.q, side: $.d}
"""


def said(spec: ExchangeSpec, name: str) -> dict[str, Any]:
    """The rules of a connection as plain data."""
    assert spec.ws is not None
    told = spec.ws.connections[name].model_dump(by_alias=True, exclude_unset=True)
    return {key: value for key, value in told.items() if key != "like"}


def rules(text: str, name: str = "inverse") -> dict[str, Any]:
    return said(load_text(f"{HEAD}{text}  channels: {{}}\n").spec, name)


INFO = {"info": {"match": {"$.e": {"value": "info"}}, "role": "notice"}}
LINEAR = said(load_text(f"{HEAD}  channels: {{}}\n").spec, "linear")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", LINEAR),
        (", max_topics: 10", {**LINEAR, "max_topics": 10}),
        (", max_topics: null, keepalive: null", {key: LINEAR[key] for key in ("subscribe", "unsubscribe")}),
        (", payload: $.data", {**LINEAR, "payload": "$.data"}),
        (", keepalive: {silence: 60s}", {**LINEAR, "keepalive": {"silence": 60.0}}),
        (", roles: {info: {match: {$.e: info}, role: notice}}", {**LINEAR, "roles": INFO}),
    ],
)
def test_what_is_not_said_is_the_others(own: str, expected: dict[str, Any]) -> None:
    assert rules(f"    inverse: {{like: linear{own}}}\n") == expected


def test_a_connection_may_be_like_one_that_is_like_another() -> None:
    text = "    option: {like: inverse, max_topics: 5}\n    inverse: {like: linear, payload: $.data}\n    x-note: {like: nothing}\n"
    assert rules(text, "option") == {**LINEAR, "payload": "$.data", "max_topics": 5}


def test_what_is_taken_over_stands_where_it_is_written() -> None:
    source = load_text(f"{HEAD}    inverse: {{like: linear, lifetime: 24h}}\n{TRADES}").source
    at = ("ws", "connections", "inverse")
    assert source.position((*at, "subscribe", "send")) == Position("spec.yaml", 14, 19)
    assert source.position((*at, "lifetime")) == Position("spec.yaml", 17, 29)
    assert source.likeness((*at, "subscribe", "send")) == "through `like: linear` of `inverse`"
    assert source.likeness((*at, "lifetime")) == ""


def test_it_validates_compiles_and_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(f"{HEAD}    inverse: {{like: linear, max_topics: 7}}\n{TRADES}", encoding="utf-8")
    assert validate(path) == []
    exchange = Exchange(load(path))
    plan = exchange.connection("inverse")
    assert (plan.name, plan.max_topics, plan.keepalive.every) == ("inverse", 7, 20.0)
    assert plan.subscribe.send([{"c": "trades", "id": "X"}], "1", {}) == b'{"op":"subscribe","args":[{"c":"trades","id":"X"}]}'
    assert ["like", "linear", "(line", "17)"] in [line.split() for line in explain(exchange, "trades").split("\n")]


def test_what_extends_a_spec_changes_both(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(f"{HEAD}    inverse: {{like: linear, payload: $.data}}\n{TRADES}", encoding="utf-8")
    twin = "extends: demo\nid: twin\nws: {connections: {linear: {max_topics: 3}, inverse: {payload: null, keepalive: null}}}\n"
    (tmp_path / "twin.yaml").write_text(twin, encoding="utf-8")
    spec = load(tmp_path / "twin.yaml").spec
    assert said(spec, "inverse") == {"subscribe": LINEAR["subscribe"], "unsubscribe": LINEAR["unsubscribe"], "max_topics": 3}


def chain(length: int) -> str:
    links = [f"    t{number}: {{like: t{number + 1}}}\n" for number in range(length)]
    return f"{''.join(links)}    t{length}: {{like: linear}}\n"


NULL = "`null` removes an inherited key, and nothing is inherited here"
MISSING = ("CEX013", 17, "key `subscribe` is missing in `inverse`")
WAY = " -> ".join([*(f"t{number}" for number in range(likeness.MAX_CHAIN)), f"t{likeness.MAX_CHAIN}"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    inverse: {like: lineer}\n", [("CEX068", 17, "no connection is called `lineer`")]),
        ("    inverse: {like: [linear]}\n", [("CEX014", 17, "a name is wanted here, not a list")]),
        ("    inverse: {like: x-old}\n    x-old: {}\n", [("CEX068", 17, "no connection is called `x-old`")]),
        ("    inverse: {like: inverse}\n", [("CEX068", 17, "`like` goes round in a circle: inverse -> inverse")]),
        (
            "    a: {like: b, max_topics: null}\n    b: {like: a}\n    c: {like: a}\n",
            [("CEX068", 17, "`like` goes round in a circle: a -> b -> a")],
        ),
        (chain(likeness.MAX_CHAIN), [("CEX068", 17, f"`like` over more than {likeness.MAX_CHAIN} connections: {WAY}")]),
        ("    inverse: {like: linear, lifetime: null}\n", [("CEX025", 17, NULL)]),
        ("    inverse: {like: linear, subscribe: null}\n", [MISSING]),
        ("    inverse: {max_topics: 5}\n", [MISSING, ("CEX013", 17, "key `unsubscribe` is missing in `inverse`")]),
        ("    inverse: no\n", [("CEX014", 17, "a mapping is wanted here, not the text `no`")]),
    ],
)
def test_what_leads_nowhere_is_a_problem_and_its_consequences_are_none(text: str, expected: list[tuple[str, int, str]]) -> None:
    with pytest.raises(SpecError) as caught:
        load_text(f"{HEAD}{text}  channels: {{}}\n")
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    told = {(problem.rule, problem.position.line, problem.message) for problem in found}
    assert told == set(expected)


def test_a_way_may_be_as_long_as_allowed() -> None:
    assert rules(chain(likeness.MAX_CHAIN - 1), "t0") == LINEAR


def test_a_problem_is_told_where_it_is_written_and_once(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(f"{HEAD}      payload: $.data[*]\n    inverse: {{like: linear}}\n{TRADES}", encoding="utf-8")
    told = [(one.rule, one.position.line, one.message) for one in validate(path)]
    assert told == [
        ("CEX044", 17, "'$.data[*]' finds many values where one is wanted"),
        ("CEX044", 17, "the payload is one member of the frame"),
    ]


def as_an_editor_sees(connections: dict[str, Any]) -> list[str]:
    schema = spec_schema()
    one = {"$defs": schema["$defs"], "$ref": "#/$defs/WebSocket"}
    return [error.message for error in jsonschema.Draft202012Validator(one).iter_errors({"connections": connections, "channels": {}})]


def test_an_editor_wants_all_keys_only_where_nothing_brings_them() -> None:
    assert as_an_editor_sees({"inverse": {"like": "linear", "keepalive": None, "max_topics": None}}) == []
    assert len(as_an_editor_sees({"inverse": {"max_topics": 5}})) == 2


KEYS = st.fixed_dictionaries(
    {},
    optional={
        "max_topics": st.integers(1, 3),
        "payload": st.sampled_from(["$.a", "$.b"]),
        "lifetime": st.sampled_from(["1h", "2h"]),
        "keepalive": st.fixed_dictionaries({"silence": st.sampled_from(["10s", "20s"])}),
        "roles": st.dictionaries(st.sampled_from(["one", "two"]), st.just({"match": {"$.e": "x"}, "role": "notice"}), max_size=2),
    },
)


@settings(max_examples=80)
@given(st.lists(KEYS, min_size=1, max_size=5))
def test_written_out_by_hand_it_is_the_same_model(nodes: list[dict[str, Any]]) -> None:
    text, whole = HEAD, LINEAR_PLAIN
    for number, node in enumerate(nodes):
        text += f"    m{number}: {json.dumps({'like': f'm{number - 1}' if number else 'linear', **node})}\n"
        whole = {**whole, **node}
    by_hand = f"{HEAD}    m: {json.dumps(whole)}\n  channels: {{}}\n"
    assert said(load_text(f"{text}  channels: {{}}\n").spec, f"m{len(nodes) - 1}") == said(load_text(by_hand).spec, "m")


LINEAR_PLAIN: dict[str, Any] = {
    "keepalive": {"send": "ping", "every": "20s", "expect": "pong"},
    "subscribe": {"send": {"op": "subscribe", "args": "{{ topics }}"}, "ack": {"$.event": "subscribe"}, "topic": "$.arg"},
    "unsubscribe": {"send": {"op": "unsubscribe", "args": "{{ topics }}"}, "ack": {"$.event": "unsubscribe"}, "topic": "$.arg"},
    "max_topics": "100",
}
