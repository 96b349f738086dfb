"""Which keys of a spec nothing has read: every value must be consumed, or it only looks as if it did something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cexspec.spec.model.exchange import ExchangeSpec
from cexspec.spec.model.node import Node, note_reads, place, values_of
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position, Where

_FOLLOWED = frozenset({"extends", "like"})
"""Keys that loading itself consumes: what they name is merged in."""


def bind(value: Any, where: Where = ()) -> None:
    """Tell every node its place in the file."""
    if isinstance(value, Node):
        place(value, where)
    for key, inner in _entries(value):
        bind(inner, (*where, key))


def watch(value: Any) -> None:
    """From here on every node notes what is read of it; what was read before is forgotten."""
    entries = list(_entries(value))
    if isinstance(value, Node):
        note_reads(value, {*(_FOLLOWED & value.model_fields_set)})
    for _, inner in entries:
        watch(inner)


def unread(spec: ExchangeSpec) -> list[Where]:
    """The places of keys that are set in the file and were never read; of nested ones only the outermost."""
    return list(_unread(spec, ()))


def note_unread(spec: ExchangeSpec, findings: Findings) -> None:
    """A problem for each unread key, once everything has been compiled; none in a part that could not be compiled to its end."""
    broken = {_part(problem.where) for problem in findings.errors}
    found = [where for where in unread(spec) if _part(where) not in broken]
    elsewhere = {_written(where, findings) for where in _consumed(spec, ())} if found else set()
    for where in found:
        if _written(where, findings) not in elsewhere:
            findings.error("CEX056", where, f"nothing reads `{where[-1]}` here", "leave it out, or write it where it takes effect")


def _written(where: Where, findings: Findings) -> tuple[Position, str | int]:
    """What tells that two places have the same value of the file: one mapping took it over from the other by `like`."""
    return findings.position(where), where[-1]


def _part(where: Where) -> Where:
    """What is compiled together: an operation, or a whole section (the channels of a connection know each other)."""
    return where[:2] if where[:1] == ("rest",) else where[:1]


def _unread(value: Any, where: Where) -> Iterator[Where]:
    if not isinstance(value, Node):
        for key, inner in _inside(value):
            yield from _unread(inner, (*where, key))
        return
    names: dict[str | int, str] = {key: name for name, key in _spelling(type(value))}
    given = list(_given(value))
    if where and given and not any(names[key] in value._read for key, _ in given):
        yield where
        return
    for key, inner in given:
        if names[key] in value._read:
            yield from _unread(inner, (*where, key))
        else:
            yield (*where, key)


def _consumed(value: Any, where: Where) -> Iterator[Where]:
    """The places of keys that were read; of a node that nothing looked into, none."""
    if not isinstance(value, Node):
        for key, inner in _inside(value):
            yield from _consumed(inner, (*where, key))
        return
    names: dict[str | int, str] = {key: name for name, key in _spelling(type(value))}
    read = [(key, inner) for key, inner in _given(value) if names[key] in value._read]
    if read and where:
        yield where
    for key, inner in read:
        if not isinstance(inner, Node):
            yield (*where, key)
        yield from _consumed(inner, (*where, key))


def _given(node: Node) -> Iterator[tuple[str | int, Any]]:
    """Key as written and value of the fields that the file sets, without marking them as read."""
    values, given = values_of(node), node.model_fields_set
    for name, key in _spelling(type(node)):
        if name in given:
            yield key, values[name]


@cache
def _spelling(model: type[Node]) -> list[tuple[str, str]]:
    """The names of a model's fields and how they are written in YAML."""
    return [(name, info.alias or name) for name, info in model.model_fields.items()]


def _entries(value: Any) -> Iterator[tuple[str | int, Node | dict[str, Any] | list[Any]]]:
    """What of a node, mapping or list may hold nodes, without marking it as read."""
    steps = _given(value) if isinstance(value, Node) else _inside(value)
    return ((key, inner) for key, inner in steps if isinstance(inner, Node | dict | list))


def _inside(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
