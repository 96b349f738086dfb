"""A channel: its topic, its messages, and the connection it lives on."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cexspec.compile.channels import Message, messages
from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.defaults import defaults
from cexspec.compile.explanation.mapping import reading
from cexspec.compile.explanation.rest import errors
from cexspec.compile.explanation.sample import samples
from cexspec.compile.explanation.text import Lines, Row, Section, compact, conditions, duration
from cexspec.compile.plan import Json
from cexspec.compile.roles import compile_roles
from cexspec.compile.socket_plan import ChannelPlan, VerbPlan
from cexspec.spec.model import Channel, Connection, Subscribe
from cexspec.spec.model.limits import Window
from cexspec.spec.model.node import Node


def channel(exchange: Exchange, name: str) -> Iterator[Section]:
    """All that is known of one channel, but for its connection."""
    assert exchange.spec.ws is not None
    plan, spec, lines = exchange.channel(name), exchange.spec.ws.channels[name], Lines(exchange)
    yield Section(f"WS {name}", _head(plan, spec, lines))
    yield Section("subscription", list(_subscription(exchange, plan, spec, lines)))
    yield from _messages(exchange, plan, spec, lines)
    if plan.book is not None:
        yield Section("book", list(_book(plan, spec, lines)))
    yield defaults(lines, _derived(plan, spec, lines), spec)


def connection(exchange: Exchange, name: str, *, with_errors: bool) -> Iterator[Section]:
    """All that is known of one connection; `with_errors`: the exchange's error classes too, if its refusals have none of their own."""
    assert exchange.spec.ws is not None
    spec, lines = exchange.spec.ws.connections[name], Lines(exchange)
    yield Section(f"connection {name}", list(_connection(exchange, name, spec, lines)))
    yield Section("keepalive", list(_keepalive(spec, lines)))
    yield Section("roles: messages without data, tried in this order before those with data", list(_roles(spec, lines)))
    if with_errors or spec.subscribe.errors is not None:
        yield Section("errors of refused subscriptions", list(errors(spec.subscribe.errors or exchange.spec.errors, lines)))
    yield defaults(lines, [], spec)


def _head(plan: ChannelPlan, spec: Channel, lines: Lines) -> list[Row]:
    several = [f"{category}: {name}" for category, name in plan.connections.items() if category is not None]
    where = f"connections by category ({', '.join(several)})" if several else f"connection {plan.connections[None]}"
    rows = [Row("on", where, lines.at((*spec.where, "on"))), Row("docs", plan.docs or "-")]
    for key in ("stream", "kinds", "depth", "expect_every", "backfill", "like"):
        if (value := getattr(spec, key)) is not None:
            rows.append(Row(key, _limit(value) if isinstance(value, float) else compact(value), lines.at((*spec.where, key))))
    return rows


def _subscription(exchange: Exchange, plan: ChannelPlan, spec: Channel, lines: Lines) -> Iterator[Row]:
    assert exchange.spec.ws is not None
    first = next(iter(plan.connections.values()))
    verbs, how = exchange.connection(first), exchange.spec.ws.connections[first]
    params = next(samples(exchange, plan.kinds), None)
    if params is None:
        yield Row("example", "no example symbol of its kinds")
    else:
        topic = plan.topic({**params, **{name: f"<{name}>" for name in plan.credentials}})
        yield Row("topic", f"{msgspec.json.encode(topic).decode()} for {params['symbol']}", lines.at((*spec.where, "topic")))
        learned = {name: f"<{name}>" for name in how.subscribe.learn}
        for key, verb, place in (("sends", verbs.subscribe, how.subscribe), ("ends", verbs.unsubscribe, how.unsubscribe)):
            yield Row(key, _message(verb, place, topic, learned), lines.at((*place.where, "send")))
    yield from _answers(how.subscribe, lines)
    for name, param in spec.params.items():
        yield Row(name, compact(param.model_dump(exclude_unset=True)), lines.at((*spec.where, "params", name)))


def _message(verb: VerbPlan, spec: Subscribe, topic: Json, learned: dict[str, str]) -> str:
    """What is sent; as it stands in the spec where it holds what only a connection knows."""
    if verb.implied:
        return "nothing: it is implied"
    try:
        return verb.send([topic], "1", learned).decode()
    except KeyError:
        return compact(spec.send) + (f", signed by {verb.recipe}" if verb.recipe is not None else "")


def _answers(how: Subscribe, lines: Lines) -> Iterator[Row]:
    for label, key in (("yes", "ack"), ("no", "failed")):
        if (match := getattr(how, key)) is not None:
            yield Row(label, f"when {conditions(match)}", lines.at((*how.where, key)))
    for key, label, what in (("topic", "answers", "the topic"), ("failed_topic", "refusals", "it"), ("id", "answers", "the request's id")):
        if (path := getattr(how, key)) is not None:
            yield Row(label, f"repeat {what} at {path}", lines.at((*how.where, key)))
    for name, path in how.learn.items():
        yield Row("teaches", f"{name} at {path}", lines.at((*how.where, "learn", name)))


def _messages(exchange: Exchange, plan: ChannelPlan, spec: Channel, lines: Lines) -> Iterator[Section]:
    for message in messages(plan.name, spec):
        yield Section("message", list(_match(message, lines)))
        if message.ignored is None:
            position = exchange.source.position(message.mapping.where)
            yield from reading(lines, next(one for one in plan.readers if one.position == position), message.mapping)


def _match(message: Message, lines: Lines) -> Iterator[Row]:
    at = message.mapping.where
    yield Row("match", conditions(message.match), lines.at((*at, "match")))
    if message.shape:
        yield Row("shape", f"{conditions(message.shape)}, where the learned value is unknown", lines.at((*at, "shape")))
    if message.ignored is not None:
        yield Row("ignored", message.ignored, lines.at(at))


def _book(plan: ChannelPlan, spec: Channel, lines: Lines) -> Iterator[Row]:
    assert plan.book is not None
    sync, at = plan.book.sync, lines.at((*spec.where, "sync")) if spec.sync is not None else ""
    how = {"stream": "starts with the stream's own snapshot", "replace": "every message is the whole book"}
    yield Row("sync", how[sync] if isinstance(sync, str) else f"a snapshot of {sync[1]} levels from {sync[0]}, then the changes", at)
    yield Row("sequence", plan.book.rule or "nothing proves that no message was lost")
    if plan.book.accepts:
        yield Row("accepts", ", ".join(plan.book.accepts))
    if plan.book.checksum_hook is not None:
        digits = ", in the decimals of the instrument" if plan.book.checksum_precise else ""
        until = f", until {plan.book.checksum_until}" if plan.book.checksum_until is not None else ""
        yield Row("checksum", f"{plan.book.checksum_hook} over {plan.book.checksum_depth} levels of each side{digits}{until}")


_SHAPES = {
    "payload": "the message is at {}, where a frame has that",
    "bootstrap": "{}",
    "greet": "{}",
    "route": "{}",
    "sequence": "counted at {}",
}


def _connection(exchange: Exchange, name: str, spec: Connection, lines: Lines) -> Iterator[Row]:
    for environment, hosts in exchange.environments.items():
        if name in hosts.ws:
            yield Row(environment, hosts.ws[name], lines.at(("environments", environment, "ws", name)))
    if spec.like is not None:
        yield Row("like", spec.like, lines.at((*spec.where, "like")))
    for key, what in _SHAPES.items():
        if (value := getattr(spec, key)) is not None:
            given = value.model_dump(exclude_unset=True) if isinstance(value, Node) else value
            yield Row(key, what.format(compact(given)), lines.at((*spec.where, key)))
    for key in ("max_topics", "topics_per_message", "max_message_bytes", "lifetime", "messages_per", "connects_per"):
        if (value := getattr(spec, key)) is not None:
            yield Row(key, _limit(value), lines.at((*spec.where, key)))


def _limit(value: int | float | Window) -> str:
    if isinstance(value, Window):
        return f"{value.rate} in {duration(value.per)}"
    return duration(value) if isinstance(value, float) else str(value)


def _keepalive(connection: Connection, lines: Lines) -> Iterator[Row]:
    spec = connection.keepalive
    if spec.send is not None and spec.every is not None:
        yield Row("ping", f"{compact(spec.send)} after {duration(spec.every)} without a frame", lines.at((*spec.where, "send")))
    if spec.expect is not None:
        looks = f"the text {spec.expect}" if isinstance(spec.expect, str) else f"a message where {conditions(spec.expect)}"
        yield Row("pong", f"{looks}, due within {duration(spec.within)}", lines.at((*spec.where, "expect")))
    if spec.answer is not None:
        text = f"a message where {conditions(spec.answer.match)} is answered with {compact(spec.answer.send)}"
        yield Row("server", text, lines.at(spec.answer.where))
    if spec.silence is not None:
        yield Row("silence", f"of {duration(spec.silence)} means that the connection is dead", lines.at((*spec.where, "silence")))
    if not spec.model_fields_set:
        yield Row("", "WebSocket control frames alone")


def _roles(connection: Connection, lines: Lines) -> Iterator[Row]:
    for role in compile_roles(connection):
        reconnect = ", then reconnect" if role.verdict.reconnect else ""
        label = role.where[-2] if role.named else role.verdict.reason
        reason = f": {role.verdict.reason}" if role.named and role.verdict.reason != label else ""
        yield Row(str(label), f"{role.verdict.role}{reason}, when {conditions(role.match)}{reconnect}", lines.at(role.where))
    if isinstance(connection.keepalive.expect, str):
        text = f"pong, when the frame is the text {connection.keepalive.expect}"
        yield Row("pong", text, lines.at((*connection.keepalive.where, "expect")))


def _derived(plan: ChannelPlan, spec: Channel, lines: Lines) -> list[Row]:
    """What the compiler concluded from keys that are not there."""
    at = lines.at(spec.where)
    rows = [Row("stream", f"{plan.stream}: its own name", at)] if spec.stream is None else []
    if plan.book is not None and spec.sync is None:
        rows.append(Row("sync", f"{plan.book.sync}: as snapshot_when says", at))
    return rows
