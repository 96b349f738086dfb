"""`like`: a mapping that is another one's but for what it says itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile.validate import validate
from cexspec.models import SpecError
from cexspec.spec import likeness
from cexspec.spec.load import load_text
from cexspec.spec.model import ExchangeSpec, Mapping
from cexspec.spec.problems import Problem
from cexspec.spec.source import Position, Where

HEAD = """\
cexspec: 1
id: demo
name: Demo
kind: cex
docs: https://example.com
environments:
  live: {rest: https://example.com, ws: {public: wss://example.com}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDT: BTC-USDT}}
errors: {code: $.c, message: $.m, codes: {}}
"""
REST = """\
rest:
  ticker:
    get: /ticker
    query: {id: "{{ id }}"}
    returns: ticker
    item: $.data[0]
    fields:
      symbol: $.s
      last: $.l
"""
SOCKET = """\
ws:
  connections:
    public:
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}, ack: {$.event: subscribe}, topic: $.arg}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}, ack: {$.event: unsubscribe}, topic: $.arg}
  channels:
"""
CHANNEL = 'on: public, topic: {c: NAME, id: "{{ id }}"}, match: {$.c: NAME}'


def channel(name: str, rest: str) -> str:
    return f"    {name}: {{{CHANNEL.replace('NAME', name)}, {rest}}}\n"


def mapping(text: str, *where: str) -> Mapping:
    spec: Any = load_text(HEAD + text).spec
    for step in where:
        spec = spec[step] if isinstance(spec, dict) else getattr(spec, step)
    assert isinstance(spec, Mapping)
    return spec


def said(one: Mapping) -> dict[str, Any]:
    """The mapping of a node: what `like` can bring, as plain data."""
    told = one.model_dump(by_alias=True, exclude_unset=True)
    return {key: value for key, value in told.items() if key in likeness.INHERITED}


def tickers(rest: str) -> dict[str, Any]:
    return said(mapping(f"{REST}  tickers: {{get: /tickers, like: rest.ticker{rest}}}\n", "rest", "tickers"))


TICKER: dict[str, Any] = {"returns": "ticker", "item": "$.data[0]", "fields": {"symbol": {"path": "$.s"}, "last": {"path": "$.l"}}}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", TICKER),
        (", returns: bbo", {**TICKER, "returns": "bbo"}),
        (", item: $.d", {**TICKER, "item": "$.d"}),
        (', items: "$.d[*]"', {"returns": "ticker", "items": "$.d[*]", "fields": TICKER["fields"]}),
        (", item: null", {"returns": "ticker", "fields": TICKER["fields"]}),
        (", fields: {last: $.p}", {**TICKER, "fields": {"symbol": {"path": "$.s"}, "last": {"path": "$.p"}}}),
        (", fields: {last: {first_of: [$.p]}}", {**TICKER, "fields": {"symbol": {"path": "$.s"}, "last": {"first_of": ["$.p"]}}}),
        (", fields: {bid: $.b, last: null}", {**TICKER, "fields": {"symbol": {"path": "$.s"}, "bid": {"path": "$.b"}}}),
        (", fields: null", {"returns": "ticker", "item": "$.data[0]"}),
        (", only: {$.k: x}, except: [y]", {**TICKER, "only": {"$.k": {"value": "x"}}, "except": ["y"]}),
        (", ordered: any, truncate: true", {**TICKER, "ordered": "any", "truncate": True}),
    ],
)
def test_what_is_not_said_is_the_others(own: str, expected: dict[str, Any]) -> None:
    assert tickers(own) == expected


def test_only_the_mapping_is_taken_over() -> None:
    text = REST.replace("    query:", "    shape: {$.x: y}\n    query:") + "  tickers: {get: /tickers, like: rest.ticker}\n"
    assert mapping(text, "rest", "tickers").model_fields_set == {"get", "like", "returns", "item", "fields"}


def test_a_channel_is_like_an_operation_that_is_like_a_channel_and_each_says_what_differs() -> None:
    text = REST + "  tickers: {get: /tickers, like: ws.all, item: null}\n" + SOCKET
    text += channel("all", "like: rest.ticker, fields: {bid: $.b}") + channel("ticker", 'like: rest.tickers, items: "$.rows[*]"')
    fields = {**TICKER["fields"], "bid": {"path": "$.b"}}
    assert said(mapping(text, "ws", "channels", "ticker")) == {"returns": "ticker", "items": "$.rows[*]", "fields": fields}


def test_a_further_message_may_be_like_another_mapping_and_its_null_takes_away_what_is_the_channels() -> None:
    also = "also: [{match: {$.k: all}, like: rest.ticker, item: null, fields: {last: $.p}}, {match: {$.k: x}, role: ignored, reason: no}]"
    text = REST + SOCKET + channel("ticker", f"returns: ticker, item: $.d, fields: {{symbol: $.n, last: $.x}}, {also}")
    spec = load_text(HEAD + text).spec
    assert spec.ws is not None
    first, second = spec.ws.channels["ticker"].also
    assert said(first) == {**TICKER, "item": None, "fields": {"symbol": {"path": "$.s"}, "last": {"path": "$.p"}}}
    assert said(second) == {}


def test_what_is_taken_over_stands_where_it_is_written() -> None:
    loaded = load_text(f"{HEAD}{REST}  tickers: {{get: /tickers, like: rest.ticker, fields: {{bid: $.b}}}}\n")
    source, fields = loaded.source, loaded.spec.rest["tickers"].fields
    assert fields is not None
    assert source.position(fields["last"].where) == Position("spec.yaml", 18, 7)
    assert source.position(fields["bid"].where) == Position("spec.yaml", 19, 56)
    taken = [("item",), ("fields", "last"), ("fields", "last", "path")]
    own: list[Where] = [(), ("rest", "tickers", "fields", "bid"), ("rest", "ticker", "item"), ("rest", "no")]
    assert {source.likeness(("rest", "tickers", *step)) for step in taken} == {"through `like: rest.ticker` of `rest.tickers`"}
    assert {source.likeness(where) for where in own} == {""}


def problems(text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(SpecError) as caught:
        load_text(HEAD + text)
    found = [problem for problem in caught.value.problems if isinstance(problem, Problem)]
    return [(problem.rule, problem.position.line, problem.message) for problem in found]


def chain(length: int) -> str:
    links = [f"  t{number}: {{get: /t, like: rest.t{number + 1}}}\n" for number in range(length)]
    return f"rest:\n{''.join(links)}  t{length}: {{get: /t, returns: ticker, fields: {{symbol: $.s}}}}\n"


NULL = "`null` removes an inherited key, and nothing is inherited here"
NO_MAPPING = "a mapping is wanted here, not the text `no`"
WAY = " -> ".join(f"rest.t{number}" for number in range(likeness.MAX_CHAIN + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REST + "  all: {get: /a, like: rest.tiker}\n", [("CEX068", 19, "no operation or channel is called `rest.tiker`")]),
        (REST + "  all: {get: /a, like: ticker}\n", [("CEX068", 19, "no operation or channel is called `ticker`")]),
        (REST + "  all: {get: /a, like: [rest.ticker], ignored: no}\n", [("CEX014", 19, "text is wanted here, not a list")]),
        (REST + "  all: {get: /a, like: null, ignored: no}\n", [("CEX025", 19, NULL)]),
        ("rest: {a: {get: /a, like: rest.a}}\n", [("CEX068", 10, "`like` goes round in a circle: rest.a -> rest.a")]),
        (
            "rest:\n  a: {get: /a, like: rest.b, fields: {last: null}}\n  b: {get: /b, like: rest.a}\n  c: {get: /c, like: rest.a}\n",
            [("CEX068", 11, "`like` goes round in a circle: rest.a -> rest.b -> rest.a")],
        ),
        (chain(2).replace("t2:", "t3:"), [("CEX068", 12, "no operation or channel is called `rest.t2`")]),
        (chain(likeness.MAX_CHAIN + 1), [("CEX068", 11, f"`like` over more than {likeness.MAX_CHAIN} mappings: {WAY}")]),
        (
            REST + "  all: {get: /a, like: rest.ticker, fields: {bid: null}}\n",
            [("CEX025", 19, NULL)],
        ),
        (
            REST + "  all: {get: /a, like: rest.ticker, fields: $.x}\n",
            [("CEX014", 19, "a mapping is wanted here, not the text `$.x`")],
        ),
        (
            REST.replace("last: $.l", "last: l") + "  all: {get: /a, like: rest.ticker}\n",
            [("CEX021", 18, "path `l` does not start with `$`")],
        ),
        (
            REST + SOCKET + channel("t", "like: rest.ticker, also: [{match: {$.k: v}, role: ignored, like: rest.ticker}]"),
            [("CEX022", 25, "an ignored message is read by no mapping: remove 'like'")],
        ),
        (REST + SOCKET + channel("t", "like: rest.ticker, also: no"), [("CEX014", 25, "a list is wanted here, not the text `no`")]),
        ("rest: no\nws: no\n", [("CEX014", 10, NO_MAPPING), ("CEX014", 11, NO_MAPPING)]),
        (
            REST + "  x-old: {like: rest.no}\n  all: {get: /a, like: rest.x-old}\n",
            [("CEX068", 20, "no operation or channel is called `rest.x-old`")],
        ),
        ("ws: {connections: {public: {}}, channels: [no]}\n", [("CEX014", 10, "a mapping is wanted here, not a list")]),
    ],
)
def test_what_leads_nowhere_is_a_problem_and_its_consequences_are_none(text: str, expected: list[tuple[str, int, str]]) -> None:
    found = [problem for problem in problems(text) if problem[0] != "CEX013"]
    assert found == expected


def test_a_way_may_be_as_long_as_allowed() -> None:
    assert said(mapping(chain(likeness.MAX_CHAIN), "rest", "t0")) == {"returns": "ticker", "fields": {"symbol": {"path": "$.s"}}}


def test_what_grows_beyond_all_bounds_is_refused() -> None:
    fields = ", ".join(f"x{number}: $.x" for number in range(700))
    many = "".join(f"  t{number}: {{get: /t, like: rest.t}}\n" for number in range(100))
    found = problems(f"rest:\n  t: {{get: /t, returns: ticker, fields: {{{fields}}}}}\n{many}")
    assert found == [("CEX009", 83, "more than 50000 keys and values, once every `like` is followed")]


def test_a_problem_is_told_where_it_is_written_and_once(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    text = f"{REST}      lst: $.x\n  all: {{get: /a, like: rest.ticker}}\n  more: {{get: /m, like: rest.ticker, returns: trade}}\n"
    path.write_text(HEAD + text, encoding="utf-8")
    told = [(one.rule, one.position.line, one.message) for one in validate(path) if one.rule == "CEX041"]
    through = "through `like: rest.ticker` of `rest.more`"
    assert told == [
        ("CEX041", 18, f"a trade has no field 'last' ({through})"),
        ("CEX041", 19, "a ticker has no field 'lst'"),
        ("CEX041", 19, f"a trade has no field 'lst' ({through})"),
    ]


@pytest.mark.parametrize(
    ("book", "expected"),
    [("like: rest.order_book", []), ("like: rest.order_book, truncate: false", [("CEX056", 16, "nothing reads `truncate` here")])],
)
def test_what_is_read_anywhere_is_read(book: str, expected: list[tuple[str, int, str]], tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    rest = 'rest:\n  order_book:\n    get: /b\n    query: {id: "{{ id }}"}\n    returns: book\n'
    rest += "    snapshot_when: always\n    truncate: true\n    fields: {symbol: $.s, bids: $.b, asks: $.a}\n"
    path.write_text(HEAD + rest + SOCKET + channel("order_book", book), encoding="utf-8")
    assert [(one.rule, one.position.line, one.message) for one in validate(path)] == expected


PATHS = st.sampled_from(["$.a", "$.b", "$.c[0]"])
RULES = st.one_of(
    PATHS, st.fixed_dictionaries({"path": PATHS, "optional": st.just("true")}), st.fixed_dictionaries({"const": st.just("1")})
)
NODES = st.fixed_dictionaries(
    {},
    optional={
        "returns": st.sampled_from(["ticker", "bbo"]),
        "item": PATHS,
        "items": st.sampled_from(["$.a[*]", "$.b[*]"]),
        "only": st.dictionaries(PATHS, st.sampled_from(["x", "y"]), min_size=1, max_size=2),
        "except": st.lists(st.sampled_from(["x", "y"]), max_size=2),
        "fields": st.dictionaries(st.sampled_from(["symbol", "bid", "ask"]), RULES, max_size=3),
        "ordered": st.sampled_from(["any", "best_first"]),
        "truncate": st.sampled_from(["true", "false"]),
        "snapshot_when": st.sampled_from(["always", "never"]),
    },
).filter(lambda node: not {"item", "items"} <= node.keys())


def by_hand(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """What a careful person would write out: the same, told in another way."""
    whole = {key: value for key, value in base.items() if not ({"item", "items"} & over.keys() and key in ("item", "items"))}
    whole |= over
    if "fields" in base and "fields" in over:
        whole["fields"] = base["fields"] | over["fields"]
    return whole


@settings(max_examples=150)
@given(st.lists(NODES, min_size=2, max_size=5))
def test_written_out_by_hand_it_is_the_same_model(nodes: list[dict[str, Any]]) -> None:
    nodes[0].setdefault("returns", "ticker")
    names = [f"{'rest' if number % 2 else 'ws'}.m{number}" for number in range(len(nodes))]
    short = [{**node, **({"like": names[number - 1]} if number else {})} for number, node in enumerate(nodes)]
    whole = [nodes[0]]
    for node in nodes[1:]:
        whole.append(by_hand(whole[-1], node))
    assert plain(spec_of(names, short)) == plain(spec_of(names, whole))


def spec_of(names: list[str], nodes: list[dict[str, Any]]) -> ExchangeSpec:
    data = yaml.safe_load(HEAD + SOCKET)
    data["rest"], data["ws"]["channels"] = {}, {}
    for name, node in zip(names, nodes, strict=True):
        section, _, own = name.partition(".")
        if section == "rest":
            data["rest"][own] = {"get": "/x", **node}
        else:
            data["ws"]["channels"][own] = {"on": "public", "topic": own, "match": {"$.c": own}, **node}
    return load_text(json.dumps(data)).spec


def plain(spec: ExchangeSpec) -> Any:
    def without_like(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_like(inner) for key, inner in value.items() if key != "like"}
        return [without_like(inner) for inner in value] if isinstance(value, list) else value

    return without_like(spec.model_dump(exclude_unset=True))
