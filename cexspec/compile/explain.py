"""Explains a compiled plan node to a person: what is sent, what is read, what was assumed, and which lines say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cexspec.compile.channels import messages
from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import OperationPlan, Params, ReaderPlan
from cexspec.models import NotSupported
from cexspec.models.symbol import Symbol
from cexspec.spec.model import Channel, Connection, FieldRule, Mapping, Operation
from cexspec.spec.model.node import Node

SAMPLE_TIME = 1_700_000_000_000_000_000
"""The time that `start`, `end` and `now` show."""

Section = tuple[str, list[str]]


def explain(exchange: Exchange, name: str) -> str:
    """Everything about an operation, a channel, or both where they share a name. Raises `NotSupported`."""
    sections: list[Section] = []
    if name in exchange.operation_names:
        sections += _operation(exchange, name)
    for channel in _channels(exchange, name):
        sections += _channel(exchange, channel)
    if not sections:
        known = ", ".join(dict.fromkeys((*exchange.operation_names, *exchange.channel_names)))
        raise NotSupported(f"{exchange.id} has no operation or channel '{name}' (it has: {known})")
    return "\n".join(line for title, body in sections for line in (title, *(f"  {row}" for row in body), ""))


def _channels(exchange: Exchange, name: str) -> list[str]:
    served = [channel.name for channel in exchange.channels_of(name)]
    return served or ([name] if name in exchange.channel_names else [])


def _operation(exchange: Exchange, name: str) -> Iterator[Section]:
    plan, spec = exchange.operation(name), exchange.spec.rest[name]
    yield f"REST {name}  ({plan.position})", [f"{plan.method} {plan.path}", f"docs     {plan.docs or '-'}"]
    yield "request", list(_request(exchange, plan))
    yield "limits", list(_draws(exchange, plan))
    if plan.page is not None:
        how = f"by {plan.page.by}" if plan.page.by else "by the answer's cursor"
        yield "pages", [f"{plan.page.direction}, {how}, in '{plan.page.param}'{', cursor row included' if plan.page.inclusive else ''}"]
    if plan.reader is not None:
        yield from _reader(exchange, plan.reader, spec)
    elif plan.ignored is not None:
        yield "ignored", [plan.ignored]
    yield "defaults", list(_defaults(exchange, spec, "rest", name))


def _request(exchange: Exchange, plan: OperationPlan) -> Iterator[str]:
    shown = False
    for params in _samples(exchange, plan.kinds):
        for extra in plan.each or ({},):
            keys = {key: value if isinstance(value, str) else f"<each {value[1]}>" for key, value in extra.items()}
            request = plan.build({**params, **keys})
            yield f"{params['symbol']}: {request.method} {request.target}{' ' + request.body.decode() if request.body else ''}"
            shown = True
        break
    if not shown:
        yield "no example symbol of its kinds"
    for name, param in plan.params.items():
        facts = {"default": param.default, "max": param.max, "values": ", ".join(param.values) or None}
        yield f"{name}: " + ", ".join(f"{key} {value}" for key, value in facts.items() if value is not None)


def _draws(exchange: Exchange, plan: OperationPlan) -> Iterator[str]:
    for name in plan.pools:
        pool = exchange.pools[name]
        windows = " and ".join(f"{window.rate} per {window.per:g}s" for window in pool.windows)
        weights = sorted({plan.weight(params) for params in _samples(exchange, plan.kinds)}) or [1]
        yield f"{name}: {windows}, by {pool.by}, scope {pool.scope}; weight {' to '.join(map(str, weights))}  ({pool.position})"
    if not plan.pools:
        yield "none"


def _channel(exchange: Exchange, name: str) -> Iterator[Section]:
    plan = exchange.channel(name)
    assert exchange.spec.ws is not None
    spec, connection = exchange.spec.ws.channels[name], exchange.spec.ws.connections[plan.connection]
    yield f"WS {name}  ({plan.position})", [f"stream   {plan.stream}", f"docs     {plan.docs or '-'}"]
    yield "subscription", list(_subscription(exchange, name))
    yield f"connection {plan.connection}  ({exchange.connection(plan.connection).position})", list(_connection(exchange, connection))
    yield from _messages(exchange, name, spec)
    if plan.book is not None:
        checksum = f", checksum {plan.book.checksum_hook} over {plan.book.checksum_depth}" if plan.book.checksum_hook else ""
        until = f" until {plan.book.checksum_until}" if plan.book.checksum_until else ""
        yield "book", [f"sync {plan.book.sync}, sequence {plan.book.rule or '-'}{checksum}{until}"]
    yield "defaults", list(_defaults(exchange, spec, "ws", "channels", name))


def _subscription(exchange: Exchange, name: str) -> Iterator[str]:
    plan = exchange.channel(name)
    verb = exchange.connection(plan.connection).subscribe
    params = next(_samples(exchange, plan.kinds), None)
    if params is None:
        yield "no example symbol of its kinds"
        return
    topic = plan.topic(params)
    yield f"topic    {msgspec.json.encode(topic).decode()}"
    yield f"message  {verb.send([topic], '1', {}).decode()}"
    answers = [what for what, told in (("the topic", verb.echoes_topic), ("the request id", verb.echoes_id)) if told]
    yield f"answer   {'names ' + ' and '.join(answers) if verb.answered else 'none'}"


def _connection(exchange: Exchange, spec: Connection) -> Iterator[str]:
    for name, environment in exchange.environments.items():
        for connection, url in environment.ws.items():
            if exchange.spec.ws is not None and exchange.spec.ws.connections[connection] is spec:
                yield f"{name}: {url}"
    limits = ("max_topics", "topics_per_message", "max_message_bytes", "lifetime")
    yield from (f"{key}: {getattr(spec, key)}" for key in limits if getattr(spec, key) is not None)
    for key in ("messages_per", "connects_per"):
        if (window := getattr(spec, key)) is not None:
            yield f"{key.removesuffix('_per')}: {window.rate} per {window.per:g}s"
    keepalive = spec.keepalive
    if keepalive.send is not None:
        yield f"ping {keepalive.send} every {keepalive.every or 0:g}s of silence, answer due within {keepalive.within:g}s"


def _messages(exchange: Exchange, name: str, spec: Channel) -> Iterator[Section]:
    readers = iter(exchange.channel(name).readers)
    wrapped = exchange.spec.ws is not None and exchange.spec.ws.connections[spec.on].payload is not None
    for message in messages(name, spec):
        conditions = ", ".join(f"{path} {_condition(condition)}" for path, condition in message.match.items())
        where = exchange.source.position(message.mapping.where)
        if message.ignored is not None:
            yield f"ignored when {conditions}  ({where})", [message.ignored]
            continue
        yield f"message when {conditions}  ({where})", []
        yield from _reader(exchange, next(readers), message.mapping)
        if wrapped and not any(rule.of == "frame" for rule in (message.mapping.fields or {}).values()):
            next(readers)


def _condition(condition: Node) -> str:
    given = condition.model_dump(exclude_unset=True, by_alias=True)
    return str(given["value"]) if set(given) == {"value"} else " ".join(f"{key} {value}" for key, value in given.items())


def _reader(exchange: Exchange, reader: ReaderPlan, mapping: Mapping) -> Iterator[Section]:
    yield f"fields of {reader.model.__struct_config__.tag}", list(_fields(exchange, mapping))
    yield "wire type", reader.layout()
    yield "extractor", reader.source.rstrip().splitlines()
    if reader.unlowered:
        yield "walked, not lowered", list(reader.unlowered)


def _fields(exchange: Exchange, mapping: Mapping) -> Iterator[str]:
    fields = mapping.fields or {}
    width = max((len(name) for name in fields), default=0)
    for name, rule in fields.items():
        line = exchange.source.position(rule.where).line
        yield f"{name:<{width}}  {_rule(rule)}  (line {line})"


def _rule(rule: FieldRule) -> str:
    given = rule.model_dump(exclude_unset=True, by_alias=True)
    path = given.pop("path", None)
    parts = [path] if path else []
    parts += [f"{key} {_compact(value)}" for key, value in given.items()]
    return ", ".join(parts)


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_compact(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def _defaults(exchange: Exchange, spec: Operation | Channel, *where: str) -> Iterator[str]:
    """Keys the spec leaves out, with the value that holds instead."""
    found = [
        f"{info.alias or name}: {str(value).lower() if isinstance(value, bool) else value}"
        for name, info in type(spec).model_fields.items()
        if name not in spec.model_fields_set and (value := getattr(spec, name)) not in (None, [], {})
    ]
    yield from found or ["none"]


def _samples(exchange: Exchange, kinds: frozenset[str] | None) -> Iterator[Params]:
    """Parameters made of the spec's own examples."""
    interval = next(iter(exchange.intervals), None)
    for text, native in exchange.spec.symbols.examples.items():
        symbol = Symbol.parse(text)
        if kinds is not None and symbol.kind not in kinds:
            continue
        params: dict[str, Any] = {"id": native, "symbol": text, "base": symbol.base, "quote": symbol.quote, "uuid": "<uuid>"}
        params |= {"category": exchange.category(symbol.kind, symbol.settle), "interval": interval}
        yield {**params, "now": SAMPLE_TIME, "start": None, "end": None}
