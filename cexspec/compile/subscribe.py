"""The client's side of a WebSocket connection: topics, subscribe and unsubscribe messages and their answers, pings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from cexspec.compile.bounds import compile_bounds, compile_param, interval_words
from cexspec.compile.code import NOTHING
from cexspec.compile.errors import compile_errors
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.lookups import Lookup, compile_lookup, text_at
from cexspec.compile.paths import MISSING
from cexspec.compile.plan import ErrorPlan, Json, Params
from cexspec.compile.private import bootstrapped, encode, needed, optional_credentials, public_credentials, signed_holes
from cexspec.compile.request import INSTRUMENT
from cexspec.compile.socket_plan import Answer, KeepalivePlan, VerbPlan
from cexspec.compile.templates import Template, compile_tree, spreads
from cexspec.spec.model import Channel, Connection, ExchangeSpec, Keepalive, Subscribe
from cexspec.spec.model.ws import Answer as Pong
from cexspec.spec.problems import Findings

Clock = Callable[[], int]
"""The time in nanoseconds."""

TOPIC = INSTRUMENT | {"interval", "depth"}
"""Holes of a topic."""
OPTIONAL = frozenset({"depth"})
"""Holes of a topic whose key is left out where they have no value."""
VERB = frozenset({"topics", "topic", "request_id", "now"})
"""Holes of a subscribe message; those that learned values fill come on top where there are any."""
PING = frozenset({"request_id", "now"})
"""Holes of a client's ping."""
PONG = frozenset({"message", "now"})
"""Holes of the answer to a server's ping."""


@dataclass(frozen=True, slots=True)
class TopicParts:
    """What a `ChannelPlan` holds of the topic; the names are its own.

    `interval` is the unified one on both sides. A channel with a `depth` of its own fills that hole with it.
    `credentials` are those that the topic holds: no secrets.
    """

    topic: Callable[[Params], Json]
    params_of: Callable[[Json], dict[str, str] | None]
    needs: frozenset[str]
    credentials: frozenset[str]


def compile_topic(channel: Channel, connection: Connection, spec: ExchangeSpec, findings: Findings) -> TopicParts:
    """Compile a channel's topic both ways, as one of its connections sends it; what is wrong goes to `findings`."""
    where = (*channel.where, "topic")
    known = public_credentials(spec)
    template = compile_tree(channel.topic, TOPIC | known, findings, where, OPTIONAL)
    inverse = compile_inverse(template.tree, OPTIONAL, findings, where)
    if template.spreads:
        findings.error("CEX048", where, "a topic spreads nothing: '*' belongs to the subscribe message")
    elif spreads(connection.subscribe.send) and not isinstance(template.tree, dict):
        hint = "write a mapping, or '{{ topic }}' instead of '*' in the subscribe message"
        findings.error("CEX048", where, "its connection spreads topics, and this one is no mapping", hint)
    depth = channel.depth
    bounds = {name: compile_param(param) for name, param in channel.params.items()}
    names = {word: interval for interval, word in interval_words(bounds, spec.intervals).items()}
    for name in sorted(bounds.keys() - template.holes):
        hint = f"the topic holds {', '.join(sorted(template.holes)) or 'no holes'}"
        findings.error("CEX062", (*channel.where, "params", name), f"the topic doesn't send '{name}'", hint)
    bound = compile_bounds(bounds, spec.intervals, spec.id, channel.stream or "")

    def topic(params: Params) -> Json:
        values = bound(params)
        if depth is not None:
            values["depth"] = depth
        return template.fill(values)

    def params_of(value: Json) -> dict[str, str] | None:
        found = inverse(value)
        if found and "interval" in found:
            found["interval"] = names.get(found["interval"], found["interval"])
        return found

    needs = template.needs - (OPTIONAL if depth is not None else NOTHING)
    return TopicParts(topic, params_of, needs, template.holes & known)


def compile_subscribe(
    connection: Connection, spec: ExchangeSpec, errors: ErrorPlan, findings: Findings, clock: Clock = time.time_ns
) -> VerbPlan:
    """How a connection subscribes. `errors` reads refusals where the connection doesn't say how."""
    return _verb(connection.subscribe, bootstrapped(connection), spec, errors, findings, clock)


def compile_unsubscribe(
    connection: Connection, spec: ExchangeSpec, errors: ErrorPlan, findings: Findings, clock: Clock = time.time_ns
) -> VerbPlan:
    """How a connection unsubscribes; what subscribing learned fills holes here."""
    learned = frozenset(connection.subscribe.learn)
    return _verb(connection.unsubscribe, learned | bootstrapped(connection), spec, errors, findings, clock)


def _verb(verb: Subscribe, further: frozenset[str], spec: ExchangeSpec, errors: ErrorPlan, findings: Findings, clock: Clock) -> VerbPlan:
    where = (*verb.where, "send")
    allowed = VERB | further | signed_holes(verb.recipe, spec, findings, (*verb.where, "recipe"))
    template = compile_tree(verb.send, allowed, findings, where, optional_credentials(spec))
    if {"topic", "topics"} <= template.holes:
        findings.error("CEX048", where, "a message holds one topic or a list of them, not both", "keep {{ topic }} or {{ topics }}")
    per_topic = not verb.implied and "topics" not in template.holes

    def send(topics: Sequence[Json], request_id: str, values: Params) -> bytes:
        if per_topic and len(topics) != 1:
            raise ValueError(f"one message holds one topic, not {len(topics)}")
        topic = topics[0] if len(topics) == 1 else None
        return encode(template.fill({"now": clock(), **values, "topics": list(topics), "topic": topic, "request_id": request_id}))

    return VerbPlan(
        per_topic=per_topic,
        send=send,
        answered=verb.ack is not None,
        echoes_topic=verb.topic is not None,
        echoes_id=verb.id is not None,
        sends_id="request_id" in template.holes,
        answer=_answer(verb, compile_errors(verb.errors, spec.id, findings) if verb.errors else errors, findings),
        recipe=verb.recipe,
        implied=verb.implied,
        credentials=needed(template, spec),
    )


def _answer(verb: Subscribe, errors: ErrorPlan, findings: Findings) -> Callable[[bytes, bool], Answer]:
    topic_at = compile_lookup(verb.topic, findings, (*verb.where, "topic")) if verb.topic is not None else None
    failed_at = topic_at
    if verb.failed_topic is not None:
        failed_at = compile_lookup(verb.failed_topic, findings, (*verb.where, "failed_topic"))
    id_at = compile_lookup(verb.id, findings, (*verb.where, "id")) if verb.id is not None else None
    learns = {name: compile_lookup(path, findings, (*verb.where, "learn", name)) for name, path in verb.learn.items()}

    def answer(frame: bytes, refused: bool) -> Answer:
        document = msgspec.json.decode(frame)
        place = failed_at if refused else topic_at
        topic = place(document) if place else None
        return Answer(
            topic=None if topic is MISSING else cast(Json, topic),
            id=text_at(id_at, document) if id_at else None,
            learned={} if refused else _learned(learns, document),
            error=errors.message(frame) if refused else None,
        )

    return answer


def _learned(learns: Mapping[str, Lookup], document: object) -> dict[str, object]:
    found = {name: lookup(document) for name, lookup in learns.items()}
    return {name: value for name, value in found.items() if value is not MISSING}


def compile_keepalive(keepalive: Keepalive, findings: Findings, clock: Clock = time.time_ns) -> KeepalivePlan:
    """Pings in either direction."""
    if (keepalive.send is None) != (keepalive.every is None):
        lone, other = ("send", "every") if keepalive.every is None else ("every", "send")
        findings.error(
            "CEX069",
            (*keepalive.where, lone),
            f"'{lone}' does nothing without '{other}'",
            f"add '{other}: ...', as in {{send: ping, every: 25s}}",
        )
    send = None
    if keepalive.send is not None:
        ping = compile_tree(keepalive.send, PING, findings, (*keepalive.where, "send"))
        send = _pinger(ping, clock)
    return KeepalivePlan(
        send=send,
        every=keepalive.every,
        expects=keepalive.expect is not None,
        within=keepalive.within,
        silence=keepalive.silence,
        answer=_ponger(keepalive.answer, findings, clock) if keepalive.answer else None,
    )


def _pinger(ping: Template, clock: Clock) -> Callable[[str], bytes]:
    return lambda request_id: encode(ping.fill({"request_id": request_id, "now": clock()}))


def _ponger(answer: Pong, findings: Findings, clock: Clock) -> Callable[[bytes], bytes]:
    pong = compile_tree(answer.send, PONG, findings, (*answer.where, "send"), frozenset({"message"}))
    return lambda frame: encode(pong.fill({"message": msgspec.json.decode(frame), "now": clock()}))
