"""Topics, subscribe messages and their answers, pings, greetings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.compile.errors import compile_errors
from cexspec.compile.plan import ErrorPlan, Json
from cexspec.compile.private import compile_greet
from cexspec.compile.socket_plan import Answer, KeepalivePlan, VerbPlan
from cexspec.compile.subscribe import (
    TopicParts,
    compile_keepalive,
    compile_subscribe,
    compile_topic,
    compile_unsubscribe,
)
from cexspec.models import InvalidRequest
from cexspec.spec.model import Connection, ExchangeSpec
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position
from cexspec.spec.unread import bind

NOON = 1_785_585_600_123_456_789
LISTED = {"send": {"op": "subscribe", "args": "{{ topics }}", "id": "{{ request_id }}"}}
SPREAD = {"send": {"event": "subscribe", "*": "{{ topic }}"}}


def collect() -> Findings:
    return Findings(lambda where: Position("spec.yaml", 1, 1))


def compile_spec(connection: dict[str, Any], channel: dict[str, Any], intervals: dict[str, str]) -> ExchangeSpec:
    """A spec of one connection, `public`, and one channel, `one`."""
    spec = ExchangeSpec.model_validate(
        {
            "cexspec": "1",
            "id": "venue",
            "name": "Venue",
            "kind": "cex",
            "docs": "https://example.com",
            "environments": {"live": {}},
            "symbols": {"formats": {}, "examples": {}},
            "intervals": intervals,
            "errors": {"code": ["$.code"], "message": ["$.msg"], "codes": {"60018": "InvalidSymbol"}},
            "ws": {
                "connections": {"public": {"subscribe": LISTED, "unsubscribe": LISTED, **connection}},
                "channels": {"one": {"on": "public", "topic": "x", "match": {"$.a": "1"}, **channel}},
            },
        }
    )
    bind(spec)
    return spec


INTERVALS = {"1m": "1min", "1h": "60min"}


def topic_of(
    topic: Any, connection: dict[str, Any] | None = None, intervals: dict[str, str] = INTERVALS, **channel: Any
) -> tuple[TopicParts, Findings]:
    findings = collect()
    spec = compile_spec(connection or {}, {"topic": topic, **channel}, intervals)
    assert spec.ws is not None
    return compile_topic(spec.ws.channels["one"], spec.ws.connections["public"], spec, findings), findings


def connection_of(**connection: Any) -> tuple[Connection, ExchangeSpec, ErrorPlan]:
    spec = compile_spec(connection, {}, {})
    assert spec.ws is not None
    return spec.ws.connections["public"], spec, compile_errors(spec.errors, "venue", collect())


def verb(name: str = "subscribe", **connection: Any) -> VerbPlan:
    """A compiled verb; it must compile."""
    findings = collect()
    node, spec, errors = connection_of(**connection)
    compiler = compile_subscribe if name == "subscribe" else compile_unsubscribe
    compiled = compiler(node, spec, errors, findings, lambda: NOON)
    assert findings.problems == []
    return compiled


TOPICS: list[tuple[Any, dict[str, Any], Any, dict[str, str], set[str]]] = [
    ("tickers.{{ id }}", {"id": "BTCUSDT"}, "tickers.BTCUSDT", {"id": "BTCUSDT"}, {"id"}),
    (
        {"channel": "candle{{ interval }}", "instId": "{{ id }}"},
        {"id": "X", "interval": "1h"},
        {"channel": "candle60min", "instId": "X"},
        {"id": "X", "interval": "1h"},
        {"id", "interval"},
    ),
    ({"c": "book", "s": ["{{ id }}"], "d": "{{ depth }}"}, {"id": "X"}, {"c": "book", "s": ["X"]}, {"id": "X"}, {"id"}),
    ({"c": "book", "d": "{{ depth }}"}, {"depth": 10}, {"c": "book", "d": 10}, {"depth": "10"}, set()),
    ({"c": "all"}, {}, {"c": "all"}, {}, set()),
    ("{{ id | lower }}@depth{{ depth }}", {"id": "X", "depth": 5}, "x@depth5", {"id": "X", "depth": "5"}, {"id", "depth"}),
]


@pytest.mark.parametrize(("topic", "params", "expected", "back", "needs"), TOPICS, ids=[str(row[0]) for row in TOPICS])
def test_a_topic_is_made_and_read_back(topic: Any, params: dict[str, Any], expected: Any, back: dict[str, str], needs: set[str]) -> None:
    parts, findings = topic_of(topic)
    assert findings.problems == []
    assert parts.topic(params) == expected
    assert parts.params_of(expected) == back
    assert parts.needs == needs


def test_a_topic_without_a_needed_value_names_the_hole() -> None:
    parts, _ = topic_of({"c": "trades", "s": "{{ id }}"})
    with pytest.raises(KeyError, match="id"):
        parts.topic({})
    assert parts.params_of({"c": "book", "s": "X"}) is None


def test_an_interval_is_the_venues_word_in_the_topic_and_unified_outside() -> None:
    parts, _ = topic_of("{{ interval }}:{{ id }}")
    assert parts.topic({"interval": "1m", "id": "X"}) == "1min:X"
    assert parts.params_of("1min:X") == {"interval": "1m", "id": "X"}
    assert parts.params_of("14D:X") == {"interval": "14D", "id": "X"}
    with pytest.raises(InvalidRequest, match="no interval '2m': it has 1m, 1h") as caught:
        parts.topic({"interval": "2m", "id": "X"})
    assert caught.value.exchange == "venue"
    plain, _ = topic_of("{{ interval }}:{{ id }}", intervals={})
    assert plain.topic({"interval": "2m", "id": "X"}) == "2m:X"


def test_a_channel_of_a_fixed_depth_fills_the_hole_with_it() -> None:
    parts, _ = topic_of("book{{ depth }}.{{ id }}", depth="25")
    assert parts.topic({"id": "X", "depth": 10}) == "book25.X"
    assert parts.needs == {"id"}


TOPIC_PROBLEMS: list[tuple[str, Any, dict[str, Any], str]] = [
    ("CEX049", "{{ request_id }}", {}, "nothing fills"),
    ("CEX048", "{{ id }}{{ base }}", {}, "touch"),
    ("CEX050", '{{ id | join(",") }}', {}, "read back"),
    ("CEX048", {"*": "{{ id }}"}, {}, "spreads nothing"),
    ("CEX048", "trades.{{ id }}", {"subscribe": SPREAD}, "this one is no mapping"),
]


@pytest.mark.parametrize(("rule", "topic", "connection", "reason"), TOPIC_PROBLEMS, ids=[row[3] for row in TOPIC_PROBLEMS])
def test_a_topic_that_cannot_work_is_a_problem(rule: str, topic: Any, connection: dict[str, Any], reason: str) -> None:
    _, findings = topic_of(topic, connection)
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == (rule, ("ws", "channels", "one", "topic"))
    assert reason in problem.message


def test_a_mapping_may_be_spread_and_an_unknown_connection_is_anothers_finding() -> None:
    for on in ("public", "nowhere"):
        _, findings = topic_of({"c": "{{ id }}"}, {"subscribe": SPREAD}, on=on)
        assert findings.problems == []


SENT: list[tuple[Any, list[Any], dict[str, Any], bytes]] = [
    (LISTED["send"], ["a", {"b": 1}], {}, b'{"op":"subscribe","args":["a",{"b":1}],"id":"7"}'),
    (LISTED["send"], [], {}, b'{"op":"subscribe","args":[],"id":"7"}'),
    (SPREAD["send"], [{"channel": "trades", "symbol": "X"}], {}, b'{"event":"subscribe","channel":"trades","symbol":"X"}'),
    ({"sub": "{{ topic }}", "id": "{{ request_id | int }}", "at": "{{ now | s }}"}, ["t"], {}, b'{"sub":"t","id":7,"at":1785585600}'),
    ("{{ topic }}", [{"a": 1}], {}, b'{"a":1}'),
    ('sub:{{ topics | join("/") }}', ["a", "b"], {}, b"sub:a/b"),
]


@pytest.mark.parametrize(("send", "topics", "learned", "frame"), SENT, ids=[repr(row[3]) for row in SENT])
def test_a_subscribe_message_is_encoded_once(send: Any, topics: list[Any], learned: dict[str, Any], frame: bytes) -> None:
    assert verb(subscribe={"send": send}).send(topics, "7", learned) == frame


def test_unsubscribing_repeats_what_subscribing_learned() -> None:
    plan = verb("unsubscribe", subscribe={**SPREAD, "learn": {"channel": "$.chanId"}}, unsubscribe={"send": {"chanId": "{{ channel }}"}})
    assert plan.per_topic
    assert plan.send([{"c": 1}], "1", {"channel": 17}) == b'{"chanId":17}'
    with pytest.raises(KeyError, match="channel"):
        plan.send([{"c": 1}], "1", {})


def test_a_message_of_one_topic_takes_one() -> None:
    plan = verb(subscribe=SPREAD)
    assert plan.per_topic and not verb().per_topic
    none: list[Json] = []
    for topics in (none, [*none, "a", "b"]):
        with pytest.raises(ValueError, match="one message holds one topic"):
            plan.send(topics, "1", {})


ACKING = {
    **SPREAD,
    "ack": {"$.event": "subscribed"},
    "failed": {"$.event": "error"},
    "topic": "$",
    "id": "$.id",
    "learn": {"channel": "$.chanId", "extra": "$.extra"},
}


def answered(plan: VerbPlan, frame: bytes, *, refused: bool) -> Answer:
    return plan.answer(frame, refused)


def test_an_ack_tells_topic_id_and_what_is_learned() -> None:
    plan = verb(subscribe=ACKING)
    assert (plan.answered, plan.echoes_topic, plan.echoes_id) == (True, True, True)
    frame = b'{"event":"subscribed","chanId":17,"id":5,"symbol":"X"}'
    expected: Json = {"event": "subscribed", "chanId": 17, "id": 5, "symbol": "X"}
    assert answered(plan, frame, refused=False) == Answer(expected, "5", {"channel": 17}, None)


def test_an_ack_without_its_topic_or_id_tells_neither() -> None:
    plan = verb(subscribe={**ACKING, "topic": "$.arg"})
    assert answered(plan, b"{}", refused=False) == Answer(None, None, {}, None)
    silent = verb()
    assert (silent.answered, silent.echoes_topic, silent.echoes_id) == (False, False, False)
    assert answered(silent, b'{"id":1}', refused=False) == Answer(None, None, {}, None)


def test_a_refusal_carries_the_venues_error() -> None:
    frame = b'{"event":"error","code":60018,"msg":"no such symbol","chanId":1}'
    answer = answered(verb(subscribe=ACKING), frame, refused=True)
    assert answer.error is not None and type(answer.error).__name__ == "InvalidSymbol"
    assert (answer.error.code, answer.error.message, answer.learned) == ("60018", "no such symbol", {})
    own = {**ACKING, "errors": {"code": ["$.no"], "message": ["$.why"], "codes": {"1": "PermissionDenied"}}}
    error = answered(verb(subscribe=own), b'{"no":1,"why":"login first"}', refused=True).error
    assert error is not None and (type(error).__name__, error.message) == ("PermissionDenied", "login first")


def test_a_refusal_may_repeat_its_topics_elsewhere() -> None:
    plan = verb(subscribe={**ACKING, "topic": "$.arg", "failed_topic": "$.not"})
    frame = b'{"event":"error","arg":"a","not":["b","c"],"id":1}'
    assert (answered(plan, frame, refused=True).topic, answered(plan, frame, refused=False).topic) == (["b", "c"], "a")
    assert answered(plan, b'{"arg":"a"}', refused=True).topic is None
    only = {"send": "{{ topics }}", "failed": {"$.event": "error"}, "failed_topic": "$.not"}
    assert answered(verb(subscribe=only), frame, refused=True).topic == ["b", "c"]


VERB_PROBLEMS: list[tuple[str, dict[str, Any], tuple[str | int, ...]]] = [
    ("CEX049", {"subscribe": {"send": {"a": "{{ id }}"}}}, ("subscribe", "send", "a")),
    ("CEX049", {"subscribe": {"send": "{{ channel }}", "learn": {"channel": "$.c"}}}, ("subscribe", "send")),
    ("CEX048", {"subscribe": {"send": ["{{ topic }}", "{{ topics }}"]}}, ("subscribe", "send")),
    ("CEX044", {"subscribe": {**ACKING, "topic": "$.["}}, ("subscribe", "topic")),
    ("CEX044", {"subscribe": {**ACKING, "failed_topic": "$.["}}, ("subscribe", "failed_topic")),
    ("CEX044", {"subscribe": {**ACKING, "id": "$.["}}, ("subscribe", "id")),
    ("CEX044", {"subscribe": {**ACKING, "learn": {"channel": "$.["}}}, ("subscribe", "learn", "channel")),
]


@pytest.mark.parametrize(("rule", "connection", "where"), VERB_PROBLEMS, ids=[f"{row[0]} {row[2]}" for row in VERB_PROBLEMS])
def test_a_problem_stands_at_its_node(rule: str, connection: dict[str, Any], where: tuple[str | int, ...]) -> None:
    findings = collect()
    node, spec, errors = connection_of(**connection)
    compile_subscribe(node, spec, errors, findings)
    assert [(problem.rule, problem.where) for problem in findings.problems] == [(rule, ("ws", "connections", "public", *where))]


def keepalive(**keys: Any) -> KeepalivePlan:
    findings = collect()
    node, *_ = connection_of(keepalive=keys)
    compiled = compile_keepalive(node.keepalive, findings, lambda: NOON)
    assert findings.problems == []
    return compiled


def test_a_client_ping_is_plain_text_or_json() -> None:
    text = keepalive(send="ping", every="25s", expect="pong", within="5s", silence="60s")
    assert text.send is not None and text.send("1") == b"ping"
    assert (text.every, text.expects, text.within, text.silence, text.answer) == (25.0, True, 5.0, 60.0, None)
    json = keepalive(send={"id": "{{ request_id }}", "ts": "{{ now | ms }}"}, every="20s")
    assert json.send is not None and json.send("9") == b'{"id":"9","ts":1785585600123}'
    assert not json.expects


def test_a_server_ping_is_answered_with_its_own_value() -> None:
    plan = keepalive(answer={"match": {"$.ping": {"is": "present"}}, "send": {"pong": "{{ message.ping }}", "ts": "{{ now | s }}"}})
    assert plan.send is None and plan.answer is not None
    assert plan.answer(b'{"ping":18446744073709551615}') == b'{"pong":18446744073709551615,"ts":1785585600}'
    assert plan.answer(b"[]") == b'{"ts":1785585600}'


def test_no_keepalive_is_none() -> None:
    assert keepalive() == KeepalivePlan(None, None, False, 10.0, None, None)


def test_a_greeting_without_a_recipe_is_one_constant_frame() -> None:
    plan = compile_greet(*connection_of(greet={"send": {"event": "conf", "flags": 229376}}), collect())
    assert plan is not None and plan.send is not None and plan.recipe is None
    assert plan.send({}) == b'{"event":"conf","flags":229376}'
    assert compile_greet(*connection_of(), collect()) is None
    welcomed = compile_greet(*connection_of(greet={"expect": {"$.type": "welcome"}}), collect())
    assert welcomed is not None and welcomed.send is None and welcomed.expects


def test_a_greeting_without_a_recipe_has_no_holes() -> None:
    findings = collect()
    compile_greet(*connection_of(greet={"send": {"token": "{{ token }}", "at": "{{ now | ms }}"}}), findings)
    at = ("ws", "connections", "public", "greet", "send")
    assert [(one.rule, one.where) for one in findings.problems] == [("CEX049", (*at, "token")), ("CEX049", (*at, "at"))]


NATIVE = st.text(min_size=1, max_size=20)


@given(NATIVE, st.sampled_from(["1m", "1h"]))
def test_any_topic_reads_back_from_its_ack(native: str, interval: str) -> None:
    parts, _ = topic_of({"channel": "candles", "key": "trade:{{ interval }}:{{ id }}"})
    topic = parts.topic({"id": native, "interval": interval})
    assert isinstance(topic, dict)
    assert parts.params_of({**topic, "event": "subscribed", "chanId": 1}) == {"id": native, "interval": interval}
