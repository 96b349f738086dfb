"""Routing: what a frame is, told by its discriminating fields; and that short cuts never change the verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile.conditions import predicate
from cexspec.compile.disjoint import disjoint
from cexspec.compile.paths import parse
from cexspec.compile.route import Candidate, FrameRouter
from cexspec.compile.signature import Interest
from cexspec.compile.socket_plan import Router, Verdict
from cexspec.models import DecodeError, SpecError
from cexspec.spec.model import Condition
from tests.compile.made_up import VERB, errors_of, streaming

PRICE = {"returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.p"}}


def message(**words: str) -> dict[str, Any]:
    """A channel whose messages hold these words."""
    return {"match": {f"$.{name}": word for name, word in words.items()}, **PRICE}


def told(router: Router, frame: object, learned: dict[str, str] | None = None) -> tuple[str, str | None, str | None]:
    """Role, channel (or else the reason), and learned value: the same however often the frame comes."""
    text = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    verdict, value = router.route(text, learned or {})
    assert router.route(text, learned or {}) == (verdict, value)
    channels = "+".join(name for name, _ in verdict.readers)
    return verdict.role, channels or verdict.reason, value


TALKATIVE: dict[str, Any] = {
    "payload": "$.data",
    "greet": {"send": {"hi": 1}, "expect": {"$.e": "welcome"}},
    "keepalive": {
        "send": "ping",
        "every": "20s",
        "expect": "pong",
        "answer": {"match": {"$.ping": {"is": "present"}}, "send": {"pong": "{{ message.ping }}"}},
    },
    "subscribe": {**VERB, "ack": {"$.e": "subscribed"}, "failed": {"$.e": "refused"}, "topic": "$.t"},
    "unsubscribe": {**VERB, "ack": {"$.e": "unsubscribed"}, "topic": "$.t"},
    "roles": {
        "restart": {"match": {"$.e": "restart"}, "role": "notice", "reconnect": True},
        "beat": {"match": {"$.e": ["beat", "tick"]}, "role": "heartbeat", "reason": "still there"},
        "outer": {"match": {"$.kind": {"value": "status", "of": "frame"}, "$.e": {"is": "absent"}}, "role": "ignored"},
    },
}
CHANNELS = {
    "mark_price": message(e="mark"),
    "index": {**message(e="index"), "also": [{"match": {"$.e": "echo"}, "role": "ignored", "reason": "said before"}]},
}
TALK: list[tuple[object, str, str]] = [
    (b"pong", "pong", "pong"),
    ({"e": "welcome"}, "greeting", "greeting"),
    ({"ping": 5}, "ping", "ping"),
    ({"ping": None}, "unrouted", "no role or channel of the spec matches it"),
    ({"e": "subscribed", "t": "x"}, "ack", "ack of subscribe"),
    ({"e": "refused"}, "refusal", "refusal of subscribe"),
    ({"e": "unsubscribed"}, "ack", "ack of unsubscribe"),
    ({"e": "restart"}, "notice", "restart"),
    ({"e": "beat"}, "heartbeat", "still there"),
    ({"e": "tick"}, "heartbeat", "still there"),
    ({"kind": "status", "data": {"x": 1}}, "ignored", "outer"),
    ({"kind": "status"}, "ignored", "outer"),
    ({"e": "mark", "s": "A"}, "data", "mark_price"),
    ({"data": {"e": "mark"}, "kind": "status"}, "data", "mark_price"),
    ({"data": {"e": "restart"}}, "notice", "restart"),
    ({"data": None, "e": "mark"}, "data", "mark_price"),
    ({"data": {"e": "index"}, "e": "mark"}, "data", "index"),
    ({"data": {"e": "echo"}}, "ignored", "said before"),
    ({"data": [1]}, "unrouted", "no role or channel of the spec matches it"),
    ({"data": 7, "e": "mark"}, "unrouted", "no role or channel of the spec matches it"),
    ({"data": "mark"}, "unrouted", "no role or channel of the spec matches it"),
    ([{"e": "mark"}], "unrouted", "no role or channel of the spec matches it"),
    (7, "unrouted", "no role or channel of the spec matches it"),
    ("mark", "unrouted", "no role or channel of the spec matches it"),
    ({}, "unrouted", "no role or channel of the spec matches it"),
]


@pytest.mark.parametrize(("frame", "role", "what"), TALK, ids=[str(row[0]) for row in TALK])
def test_a_frame_is_what_the_spec_says_of_it_wrapped_or_bare(frame: object, role: str, what: str) -> None:
    router = streaming(CHANNELS, **TALKATIVE).connection("public").router
    assert told(router, frame) == (role, what, None)


def test_a_restart_asks_for_a_new_connection() -> None:
    verdict, _ = streaming(CHANNELS, **TALKATIVE).connection("public").router.route(b'{"e":"restart"}', {})
    assert verdict.reconnect
    assert verdict.verb is None


def test_a_pong_may_be_told_by_its_looks() -> None:
    keepalive = {"send": {"op": "ping"}, "every": "20s", "expect": {"$.op": "pong"}}
    connection = streaming(CHANNELS, keepalive=keepalive).connection("public")
    assert told(connection.router, {"op": "pong"}) == ("pong", "pong", None)
    assert connection.keepalive.expects


@pytest.mark.parametrize(
    "frame", [b"", b"what", b'{"e":', b"[1", b'{"e":"\xff"}', b"[" * 100_000, b'{"x":' + b"[" * 100_000, b'{"data":7,"e":']
)
def test_what_is_no_json_is_refused(frame: bytes) -> None:
    with pytest.raises(DecodeError, match=r"venue.*no JSON"):
        streaming(CHANNELS, **TALKATIVE).connection("public").router.route(frame, {})


def test_channels_of_one_topic_and_looks_share_their_messages() -> None:
    shared = {"topic": "state", "match": {"$.e": "state"}}
    router = streaming({"one": {**PRICE, **shared}, "two": {**PRICE, **shared}}).connection("public").router
    assert told(router, {"e": "state"}) == ("data", "one+two", None)


LEARNED: dict[str, Any] = {
    "subscribe": {**VERB, "ack": {"$.event": "subscribed"}, "topic": "$", "learn": {"channel": "$.chanId"}},
    "route": {"by": "$[0]", "learned": "channel"},
    "roles": {"beat": {"match": {"$[1]": "hb"}, "role": "heartbeat"}},
}
SHAPED = {
    "mark_price": {
        "match": {"$[1]": {"is": "array"}},
        "shape": {"$[1]": {"min_length": 3}},
        "returns": "mark_price",
        "fields": {"symbol": {"of": "request"}, "mark_price": "$[1][0]"},
    },
    "index": {
        "match": {"$[1]": {"is": "array"}},
        "shape": {"$[1]": {"max_length": 2}},
        "returns": "mark_price",
        "fields": {"symbol": {"of": "request"}, "index_price": "$[1][0]"},
    },
}
NUMBERED: list[tuple[object, dict[str, str], tuple[str, str, str | None]]] = [
    ([5, [1, 2, 3]], {"5": "mark_price"}, ("data", "mark_price", "5")),
    ([5, [1, 2, 3]], {"5": "index"}, ("data", "index", "5")),
    ([5, [1, 2]], {"5": "mark_price"}, ("data", "mark_price", "5")),
    ([5, [1, 2, 3]], {}, ("data", "mark_price", "5")),
    ([5, [1, 2]], {"6": "mark_price"}, ("data", "index", "5")),
    ([5, "hb"], {"5": "index"}, ("heartbeat", "beat", "5")),
    ([5, "hb"], {}, ("heartbeat", "beat", "5")),
    ([5, {}], {"5": "index"}, ("unrouted", "no role or channel of the spec matches it", "5")),
    ([5, {}], {}, ("unrouted", "its number was not announced by an ack and no channel has its shape", "5")),
    ([[], [1, 2]], {}, ("data", "index", None)),
    ([None, "x"], {}, ("unrouted", "no role or channel of the spec matches it", None)),
    ({"event": "subscribed", "chanId": 5}, {}, ("ack", "ack of subscribe", None)),
]


@pytest.mark.parametrize(("frame", "learned", "expected"), NUMBERED, ids=[f"{row[0]} {row[1]}" for row in NUMBERED])
def test_a_learned_number_names_the_channel_and_an_unknown_one_leaves_it_to_the_shape(
    frame: object, learned: dict[str, str], expected: tuple[str, str, str | None]
) -> None:
    assert told(streaming(SHAPED, **LEARNED).connection("public").router, frame, learned) == expected


def test_a_number_learned_later_changes_the_verdict() -> None:
    router = streaming(SHAPED, **LEARNED).connection("public").router
    learned: dict[str, str] = {}
    assert told(router, [5, [1, 2]], learned)[1] == "index"
    learned["5"] = "mark_price"
    assert told(router, [5, [1, 2]], learned)[1] == "mark_price"


def router_of(*matches: dict[str, Any], payload: str | None = None) -> FrameRouter:
    """A router that names the place of the first match that holds."""
    asked = [{path: Condition.model_validate(condition, by_alias=True, by_name=True) for path, condition in one.items()} for one in matches]
    candidates = [Candidate(Verdict("notice", reason=str(at)), one) for at, one in enumerate(asked)]
    return FrameRouter("venue", candidates, candidates, payload, None, {})


FROM_THE_END: list[dict[str, Any]] = [
    {"$[-1]": {"value": "x"}, "$[0]": {"is_": ["number"]}},
    {"$[-2]": {"value": "y"}},
    {"$": {"is_": ["array"]}},
]
QUOTED: list[dict[str, Any]] = [{"$['a\"b']": {"value": "x"}}, {"$['a\"b']": {"is_": ["present"]}}, {"$.c": {"value": "x"}}]
BELOW: list[dict[str, Any]] = [
    {"$.a": {"is_": ["array"]}, "$.a[-1].b": {"value": "x"}},
    {"$.a.b.c": {"value": "x"}},
    {"$.a": {"is_": ["object"]}},
]
ANYWHERE: list[dict[str, Any]] = [{"$..x": {"value": "1"}}, {"$.a[?(@.b == 2)].c": {"is_": ["present"]}}]
MANY: list[dict[str, Any]] = [{"$.a[*]": {"value": "1"}, "$.a": {"is_": ["present"]}}, {"$.a": {"min_length": 2}}]
OUTSIDE: list[dict[str, Any]] = [
    {"$.data": {"is_": ["absent"], "of": "frame"}, "$.e": {"value": "x"}},
    {"$.e": {"value": "x"}},
    {"$.data.e": {"value": "y", "of": "frame"}},
]
MATCHES: list[tuple[list[dict[str, Any]], str | None, list[tuple[object, str | None]]]] = [
    (FROM_THE_END, None, [([1, "x"], "0"), (["y", 2], "1"), (["x"], "2"), ([], "2"), ({"a": 1}, None), (["y", "x"], "1")]),
    (
        FROM_THE_END,
        "$.data",
        [({"data": [1, "x"]}, "0"), ({"data": ["y", 2]}, "1"), ({"data": {}}, None), ({"data": "x"}, None), ([1, "x"], "0")],
    ),
    (QUOTED, None, [({'a"b': "x"}, "0"), ({'a"b': 0}, "1"), ({'a"b': None, "c": "x"}, "2"), (["x"], None), (7, None)]),
    (QUOTED, "$.data", [({"data": {'a"b': "x"}}, "0"), ({"data": [1]}, None), ({'a"b': "x"}, "0"), ({"data": 1, 'a"b': "x"}, None)]),
    (
        BELOW,
        None,
        [
            ({"a": [1, {"b": "x"}]}, "0"),
            ({"a": [1, {"b": 5}]}, None),
            ({"a": {"b": {"c": "x"}}}, "1"),
            ({"a": {"b": 1}}, "2"),
            ({"a": 1}, None),
        ],
    ),
    (ANYWHERE, None, [({"q": {"x": 1}}, "0"), ({"q": {"x": 2}}, None), ({"a": [{"b": 2, "c": 0}]}, "1"), ([{"x": "1"}], "0")]),
    (MANY, None, [({"a": [1]}, "0"), ({"a": [2, 3]}, "1"), ({"a": [2]}, None), ({"a": {"k": 1}}, "0"), ({"a": {}}, None)]),
    (
        OUTSIDE,
        "$.data",
        [({"e": "x"}, "0"), ({"data": {"e": "x"}}, "1"), ({"data": {"e": "y"}}, "2"), ({"data": None, "e": "x"}, "0"), ({"e": "y"}, None)],
    ),
]


@pytest.mark.parametrize(("matches", "payload", "frames"), MATCHES, ids=[f"{row[0]} in {row[1]}" for row in MATCHES])
def test_conditions_on_odd_places_are_told_apart(
    matches: list[dict[str, Any]], payload: str | None, frames: list[tuple[object, str | None]]
) -> None:
    router = router_of(*matches, payload=payload)
    for frame, expected in frames:
        role, reason, _ = told(router, frame)
        assert (reason if role == "notice" else None) == expected, frame


def test_a_hostile_peer_cannot_fill_the_memory_or_change_the_verdicts() -> None:
    router = router_of({"$.e": {"value": "x"}})
    for number in range(8200):
        assert router.route(b'{"e":"%d"}' % number, {})[0].role == "unrouted"
    assert told(router, {"e": "x"})[0] == "notice"
    assert told(router, {"e": "x" * 5000})[0] == "unrouted"
    assert told(router, {"e": "x"})[0] == "notice"


CONDITIONS_GIVEN: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from(["1", "true", "x", "xy", "1.0", "-1"]).map(lambda word: {"value": word}),
    st.lists(st.sampled_from(["1", "false", "x", "y"]), min_size=1, max_size=2).map(lambda words: {"any_of": words}),
    st.sampled_from(["1", "x"]).map(lambda word: {"not_": word}),
    st.sampled_from([{"prefix": "x"}, {"prefix": "y"}, {"suffix": "y"}, {"prefix": "x", "suffix": "y"}]),
    st.sets(st.sampled_from(["array", "object", "text", "number", "boolean", "present", "absent"]), min_size=1, max_size=2).map(
        lambda names: {"is_": sorted(names)}
    ),
    st.integers(0, 2).map(lambda least: {"min_length": least}),
    st.integers(0, 2).map(lambda most: {"max_length": most}),
)
OPTIONAL = CONDITIONS_GIVEN.filter(lambda given: not {"present", "absent"} & set(given.get("is_", ()))).map(
    lambda given: {**given, "optional": True}
)
CONDITIONS = st.one_of(CONDITIONS_GIVEN, CONDITIONS_GIVEN, OPTIONAL).map(lambda given: Condition.model_validate(given, by_name=True))
TO_ONE = ["$", "$.a", "$['a']", "$.b", "$.a.b", "$.a[0]", "$[0]", "$[1]", "$[-1]", "$[0].a", "$.a[0].b", "$..b", "$.b.a[1]"]
MATCH = st.dictionaries(st.sampled_from([*TO_ONE, "$.a[*]", "$.*.b"]), CONDITIONS, min_size=1, max_size=3)
ROUTED = st.dictionaries(st.sampled_from(TO_ONE), CONDITIONS, min_size=1, max_size=3)
SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, -1, "1", "true", "x", "xy", "y", ""])
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner)), max_leaves=6
)


@settings(max_examples=60)
@given(st.lists(ROUTED, min_size=1, max_size=4), st.lists(DOCUMENTS, min_size=1, max_size=8), st.sampled_from([None, "$.a"]))
def test_a_remembered_verdict_is_the_one_that_the_conditions_give(
    matches: list[dict[str, Condition]], documents: list[object], payload: str | None
) -> None:
    candidates = [Candidate(Verdict("notice", reason=str(at)), match) for at, match in enumerate(matches)]
    router = FrameRouter("venue", candidates, candidates, payload, None, {})
    for document in [*documents, *documents]:
        inner = document.get("a") if payload is not None and isinstance(document, dict) else None
        holding = [str(at) for at, match in enumerate(matches) if predicate(match)(document if inner is None else inner)]
        verdict, _ = router.route(json.dumps(document).encode(), {})
        assert (verdict.reason if verdict.role == "notice" else None) == (holding[0] if holding else None)


@given(MATCH, DOCUMENTS, DOCUMENTS)
def test_values_of_one_signature_meet_the_same_conditions(match: dict[str, Condition], one: object, other: object) -> None:
    interest = Interest()
    for text, condition in match.items():
        path = parse(text)
        interest.add(path.steps, condition, whole=path.rest is not None)
    if interest.signature(one) == interest.signature(other):
        assert predicate(match)(one) == predicate(match)(other)


@given(MATCH, MATCH, DOCUMENTS)
def test_no_message_meets_two_conditions_that_are_disjoint(
    one: dict[str, Condition], other: dict[str, Condition], document: object
) -> None:
    if predicate(one)(document) and predicate(other)(document):
        assert not disjoint(one, other)
        assert not disjoint(other, one)


APART: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"$.e": {"value": "a"}}, {"$.e": {"value": "b"}}, True),
    ({"$.e": {"value": "a"}}, {"$['e']": {"value": "b"}}, True),
    ({"$.e": {"value": "a"}}, {"$.e": {"any_of": ["a", "b"]}}, False),
    ({"$.e": {"value": "a"}}, {"$.f": {"value": "b"}}, False),
    ({"$.e": {"value": "a", "of": "frame"}}, {"$.e": {"value": "b"}}, False),
    ({"$.e": {"value": "abc"}}, {"$.e": {"prefix": "b"}}, True),
    ({"$.e": {"value": "abc"}}, {"$.e": {"prefix": "a", "suffix": "c"}}, False),
    ({"$.e": {"prefix": "a"}}, {"$.e": {"prefix": "ab"}}, False),
    ({"$.e": {"prefix": "a"}}, {"$.e": {"prefix": "b"}}, True),
    ({"$.e": {"suffix": "a"}}, {"$.e": {"suffix": "b"}}, True),
    ({"$.e": {"value": "a"}}, {"$.e": {"not_": "a"}}, True),
    ({"$.e": {"not_": "b"}}, {"$.e": {"is_": ["absent"]}}, True),
    ({"$.e": {"value": "1"}}, {"$.e": {"is_": ["number"]}}, False),
    ({"$.e": {"value": "x"}}, {"$.e": {"is_": ["number"]}}, True),
    ({"$.e": {"value": "true"}}, {"$.e": {"is_": ["boolean"]}}, False),
    ({"$.e": {"min_length": 3}}, {"$.e": {"max_length": 2}}, True),
    ({"$.e": {"min_length": 2}}, {"$.e": {"max_length": 2}}, False),
    ({"$.e": {"min_length": 2}}, {"$.e": {"is_": ["object", "text"]}}, True),
    ({"$.e": {"is_": ["object"]}}, {"$.e": {"is_": ["object"]}}, False),
    ({"$.e": {"max_length": 2}}, {"$.e[2]": {"value": "x"}}, True),
    ({"$.e": {"max_length": 3}}, {"$.e[2]": {"value": "x"}}, False),
    ({"$.e": {"is_": ["object"]}}, {"$.e[2]": {"value": "x"}}, True),
    ({"$.e": {"is_": ["text"]}}, {"$.e.f": {"value": "x"}}, True),
    ({"$.e": {"is_": ["text"]}}, {"$.e.*": {"value": "x"}}, True),
    ({"$.e": {"is_": ["array"]}}, {"$.e[*]": {"value": "x"}}, False),
    ({"$.e": {"is_": ["text"]}}, {"$.e.f": {"is_": ["absent"]}}, False),
    ({"$[0]": {"value": "x"}}, {"$.e": {"value": "x"}}, True),
    ({"$[0]": {"value": "x"}}, {"$.e": {"is_": ["absent"]}}, False),
    ({"$.a[0]": {"value": "x"}}, {"$.a.b": {"value": "x"}}, True),
    ({"$.a[*]": {"value": "x"}}, {"$.a.b": {"value": "x"}}, False),
    ({"$[*].a": {"value": "x"}}, {"$[*].b": {"value": "x"}}, False),
    ({"$..a": {"value": "x"}}, {"$..a": {"value": "y"}}, True),
    ({"$..a": {"value": "x"}}, {"$..b": {"value": "y"}}, False),
    ({"$.e": {"value": "a", "optional": True}}, {"$.e": {"value": "b"}}, True),
    ({"$.e": {"value": "a", "optional": True}}, {"$.e": {"value": "b", "optional": True}}, False),
    ({"$.e": {"not_": "a", "optional": True}}, {"$.e": {"is_": ["absent"]}}, False),
    ({"$.e": {"value": "a", "optional": True}}, {"$.e": {"is_": ["present"]}}, False),
    ({"$.e": {"is_": ["text"]}}, {"$.e.f": {"value": "x", "optional": True}}, False),
    ({"$.e": {"is_": ["text"], "optional": True}}, {"$.e.f": {"value": "x"}}, True),
    ({"$[0]": {"value": "x"}}, {"$.e": {"value": "x", "optional": True}}, False),
]


@pytest.mark.parametrize(("one", "other", "apart"), APART, ids=[f"{row[0]} and {row[1]}" for row in APART])
def test_conditions_are_told_apart_where_it_can_be_seen(one: dict[str, Any], other: dict[str, Any], apart: bool) -> None:
    first, second = ({path: Condition.model_validate(how, by_name=True) for path, how in each.items()} for each in (one, other))
    assert disjoint(first, second) == disjoint(second, first) == apart


AMBIGUOUS: dict[str, tuple[dict[str, Any], dict[str, Any], str, tuple[str | int, ...]]] = {
    "two channels": (
        {"one": message(e="a"), "two": {**PRICE, "match": {"$.e": {"any_of": ["a", "b"]}}}},
        {},
        "a message can match both this and 'one' ($.e a)",
        ("ws", "channels", "two", "match"),
    ),
    "two messages of one channel": (
        {"one": {**message(e="a"), "also": [{"match": {"$.f": "x"}}]}},
        {},
        "a message can match both this and 'one' ($.e a)",
        ("ws", "channels", "one", "also", 0, "match"),
    ),
    "two roles": (
        {"one": message(e="a")},
        {"roles": {"x": {"match": {"$.r": "1"}, "role": "notice"}, "y": {"match": {"$.q": "1"}, "role": "ignored"}}},
        "a message can match both this and 'x'",
        ("ws", "connections", "public", "roles", "y", "match"),
    ),
}


@pytest.mark.parametrize("case", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_messages_that_could_be_either_are_refused(case: tuple[dict[str, Any], dict[str, Any], str, tuple[str | int, ...]]) -> None:
    channels, connection, what, where = case
    with pytest.raises(SpecError) as raised:
        streaming(channels, **connection).connection("public")
    found = [(problem.rule, problem.message, problem.where) for problem in errors_of(raised.value)]
    assert found == [("CEX054", what, where)]
