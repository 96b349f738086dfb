"""Spec coverage: what of a spec its samples exercise.

`wanted` lists everything that has to be exercised, each as a line of text with its place in the spec; `exercised` lists what
one case exercises. What is wanted and by no case exercised is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cexspec.compile.channels import Message, messages
from cexspec.compile.conditions import predicate, split
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, parse
from cexspec.models import MODELS, Event, InvalidSymbol, Symbol
from cexspec.spec.model import Channel, Condition, Connection, FieldRule
from cexspec.spec.model import Mapping as SpecMapping
from tests.exchanges import items as raw
from tests.exchanges.venue import Case, Feed, connection_of

JSON = msgspec.json.Decoder(float_hook=Decimal)
HOLDS = {True: "holds", False: "does not hold"}


def wanted(exchange: Exchange) -> set[str]:
    """Everything in a spec that a sample has to exercise (error codes are apart)."""
    found: set[str] = set()
    for name, operation in exchange.spec.rest.items():
        if operation.returns in MODELS and operation.joins is None:
            found |= _of_mapping(f"rest.{name}", operation)
    if exchange.spec.ws is not None:
        for name, channel in exchange.spec.ws.channels.items():
            found |= _of_channel(name, channel)
        for name, connection in exchange.spec.ws.connections.items():
            found |= {f"ws.connections.{name}.{place}" for place in control(connection)}
    return found


def exercised(exchange: Exchange, case: Case, feed: Feed) -> set[str]:
    """What one case exercises; `feed` has read what comes before it."""
    if "operation" in case:
        name = case["operation"]
        events, _ = feed.rest(case)
        document = JSON.decode(case["raw"].encode())
        return set(_seen(exchange, f"rest.{name}", exchange.spec.rest[name], document, document, events))
    reading = feed.ws(case)
    place = f"ws.connections.{connection_of(exchange, case)}"
    if reading.role != "data":
        return {f"{place}.{one}" for one in _control_seen(exchange, case)} | set(_ignored_seen(exchange, case))
    return {line for name, events in reading.parts for line in _channel_seen(exchange, name, case, events)}


def control(connection: Connection) -> dict[str, Any]:
    """What messages without data look like on a connection: place -> conditions, or a plain text."""
    looks: dict[str, Any] = {f"roles.{name}": role.match for name, role in connection.roles.items()}
    for verb, plan in (("subscribe", connection.subscribe), ("unsubscribe", connection.unsubscribe)):
        looks |= {f"{verb}.ack": plan.ack, f"{verb}.failed": plan.failed}
    looks["keepalive.expect"] = connection.keepalive.expect
    looks["keepalive.answer"] = connection.keepalive.answer.match if connection.keepalive.answer else None
    looks |= {"greet.expect": connection.greet.expect, "greet.failed": connection.greet.failed} if connection.greet else {}
    return {place: look for place, look in looks.items() if look is not None}


def fits(conditions: Mapping[str, Condition], document: object, frame: object) -> bool:
    """Whether conditions hold, each of the message or of the frame around it as it says."""
    of_message, of_frame = split(conditions)
    return predicate(of_message)(document) and predicate(of_frame)(frame)


def _of_channel(name: str, channel: Channel) -> set[str]:
    found: set[str] = set()
    for at, message in enumerate(messages(name, channel)):
        place = _place(name, at)
        found |= {f"{place}: ignored"} if message.ignored is not None else _of_mapping(place, message.mapping)
    return found


def _place(channel: str, at: int) -> str:
    return f"ws.channels.{channel}" + (f".also[{at - 1}]" if at else "")


def _of_mapping(place: str, mapping: SpecMapping) -> set[str]:
    found = {f"{place}: an event"}
    for name, rule in (mapping.fields or {}).items():
        found |= _of_rule(f"{place}.fields.{name}", rule)
    if mapping.levels is not None and mapping.levels.side is not None:
        found |= _words_of(f"{place}.levels.side", mapping.levels.side)
    if mapping.levels is not None and mapping.levels.remove_when is not None:
        found.add(f"{place}.levels.remove_when")
    if isinstance(mapping.snapshot_when, dict):
        found |= {f"{place}.snapshot_when: {answer}" for answer in HOLDS.values()}
    if mapping.merge is not None and mapping.merge.reset_when is not None:
        found |= {f"{place}.merge.reset_when: {answer}" for answer in HOLDS.values()}
    return found


def _of_rule(place: str, rule: FieldRule) -> set[str]:
    inside = {line for keys, inner in rule.inner for line in _of_rule(".".join((place, *keys)), inner)}
    inside |= {f"{place}.unless"} if rule.unless is not None else set()
    return inside if rule.branching is not None else inside | {place} | _words_of(place, rule)


def _words_of(place: str, rule: FieldRule) -> set[str]:
    words = list(rule.map or {}) + (["true", "false"] if rule.flag else []) + (["positive", "negative"] if rule.sign else [])
    return {f"{place}: {word}" for word in words}


def _channel_seen(exchange: Exchange, name: str, case: Case, events: list[Event]) -> Iterator[str]:
    found = _message_of(exchange, name, case)
    if found is not None:
        at, message, document, frame = found
        yield from _seen(exchange, _place(name, at), message.mapping, document, frame, events)


def _ignored_seen(exchange: Exchange, case: Case) -> Iterator[str]:
    assert exchange.spec.ws is not None
    for name, channel in exchange.spec.ws.channels.items():
        found = _message_of(exchange, name, case) if connection_of(exchange, case) in channel.connections.values() else None
        if found is not None and found[1].ignored is not None:
            yield f"{_place(name, found[0])}: ignored"


def _message_of(exchange: Exchange, name: str, case: Case) -> tuple[int, Message, object, object] | None:
    """Which message of a channel a frame is: its number, itself, the document, and the frame around it."""
    assert exchange.spec.ws is not None
    channel = exchange.spec.ws.channels[name]
    frame, document = _documents(exchange, case)
    every = list(messages(name, channel))
    fitting = [(at, one) for at, one in enumerate(every) if fits(one.match, document, frame)]
    shaped = [(at, one) for at, one in fitting if fits(one.shape, document, frame)]
    chosen = next(iter(shaped or fitting), None)
    return (*chosen, document, frame) if chosen else None


def _documents(exchange: Exchange, case: Case) -> tuple[object, object]:
    """The frame, and the message in it."""
    assert exchange.spec.ws is not None
    frame = _json(case["raw"])
    payload = exchange.spec.ws.connections[connection_of(exchange, case)].payload
    inner = parse(payload).first(frame) if payload else MISSING
    return frame, frame if inner is MISSING or inner is None else inner


def _json(raw: str) -> object:
    try:
        return JSON.decode(raw.encode())
    except msgspec.DecodeError:
        return MISSING


def _control_seen(exchange: Exchange, case: Case) -> Iterator[str]:
    """The kinds of message a case fits: roles, answers, pings."""
    assert exchange.spec.ws is not None
    frame, document = _documents(exchange, case)
    for place, look in control(exchange.spec.ws.connections[connection_of(exchange, case)]).items():
        alike = case["raw"] == look if isinstance(look, str) else fits(look, document, frame)
        if alike and case["role"] in _ROLES.get(place.rpartition(".")[2], (case["role"],)):
            yield place


_ROLES = {"ack": ("ack",), "failed": ("refusal", "denial", "error"), "answer": ("ping",)}
"""The roles a case has where a message is an answer; a role's own name tells nothing."""


def _seen(exchange: Exchange, place: str, mapping: SpecMapping, document: object, frame: object, events: list[Event]) -> Iterator[str]:
    """What the items of a message and their events exercise of a mapping."""
    found = list(raw.items(mapping, document, frame))
    for name, rule in (mapping.fields or {}).items():
        yield from _excepted(f"{place}.fields.{name}", rule, found)
    if isinstance(mapping.snapshot_when, dict):
        yield f"{place}.snapshot_when: {HOLDS[fits(mapping.snapshot_when, document, frame)]}"
    if mapping.merge is not None and mapping.merge.reset_when is not None:
        yield f"{place}.merge.reset_when: {HOLDS[fits(mapping.merge.reset_when, document, frame)]}"
    for event in events:
        yield f"{place}: an event"
        for name, rule in (mapping.fields or {}).items():
            if getattr(event, name, None) not in (None, []) or _unsized(rule, found) or _bare(rule, document, frame):
                yield from _rule_seen(f"{place}.fields.{name}", rule, (exchange, event), found)
    yield from _levels_seen(place, mapping, found)


def _excepted(place: str, rule: FieldRule, found: list[raw.Item]) -> Iterator[str]:
    """The rules that leave out what stands in an item."""
    if any(raw.excepted(rule, item) for item in found):
        yield f"{place}.unless"
    for keys, inner in rule.inner:
        yield from _excepted(".".join((place, *keys)), inner, found)


def _unsized(rule: FieldRule, found: list[raw.Item]) -> bool:
    """Whether a count of contracts is there that nothing can convert, because no instrument says how much one is."""
    return rule.scale is not None and rule.path is not None and any(one.at(rule, rule.path) not in (MISSING, None) for one in found)


def _bare(rule: FieldRule, document: object, frame: object) -> bool:
    """Whether a value of the envelope is None because there is no envelope."""
    return rule.of == "frame" and rule.optional and document is frame


def _rule_seen(place: str, rule: FieldRule, seen: tuple[Exchange, Event], found: list[raw.Item]) -> Iterator[str]:
    branches = rule.branching
    if branches is not None:
        name = _kind(seen[1]) if branches.on == "kind" else _category(*seen)
        branch = name if name in branches.rules else "other"
        if branch in branches.rules:
            yield from _rule_seen(f"{place}.{branches.key}.{branch}", branches.rules[branch], seen, found)
        return
    telling = [item for item in found if not raw.nothing(rule, item)]
    if rule.or_ is not None and len(telling) < len(found):
        yield from _rule_seen(f"{place}.or", rule.or_, seen, found)
    if rule.or_ is None or telling:
        yield place
    yield from (f"{place}: {word}" for item in telling for value in raw.values(rule, item) for word in raw.words(rule, value))


def _levels_seen(place: str, mapping: SpecMapping, found: list[raw.Item]) -> Iterator[str]:
    levels = mapping.levels
    if levels is None:
        return
    for item in found:
        for path in filter(None, (levels.mixed, levels.bids, levels.asks)):
            for row in raw.rows(path, item.item, levels.split):
                if levels.side is not None and levels.side.path is not None:
                    value = parse(levels.side.path).first(row)
                    yield from (f"{place}.levels.side: {word}" for word in raw.words(levels.side, value))
                if levels.remove_when is not None and predicate(levels.remove_when)(row):
                    yield f"{place}.levels.remove_when"


def _kind(event: Event) -> str:
    kind = getattr(event, "kind", None)
    if kind is not None:
        return str(kind)
    try:
        return Symbol.parse(event.symbol or "").kind
    except InvalidSymbol:
        return "other"


def _category(exchange: Exchange, event: Event) -> str:
    """The name of the product line that an event is about."""
    try:
        symbol = Symbol.parse(event.symbol or "")
    except InvalidSymbol:
        return "other"
    found = exchange.category(symbol.kind, symbol.settle)
    return found.name if found is not None else "other"


def missing_messages(exchange: Exchange, cases: Iterable[Case]) -> set[str]:
    """Texts of error messages that decide a class (the first that fits does), and that no case exercises."""
    errors = exchange.spec.errors
    rules = {code: [text.casefold() for text in rule.messages] for code, rule in errors.codes.items()}
    uncoded = [text.casefold() for text in errors.messages]
    told = [(str(case.get("code")), str(case.get("message", "")).casefold()) for case in cases]
    exercised = {(code, next((text for text in rules.get(code, uncoded) if text in message), None)) for code, message in told}
    texts = {text for code, text in exercised if code not in rules}
    found = {f"errors.codes.{code}.messages: {text}" for code, texts in rules.items() for text in texts if (code, text) not in exercised}
    return found | {f"errors.messages: {text}" for text in uncoded if text not in texts}
