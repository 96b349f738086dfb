"""Which keys of a spec nothing has read: every value must be consumed, or it only looks as if it did something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cexspec.spec.model.exchange import ExchangeSpec
from cexspec.spec.model.node import Node
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position, Where

_FOLLOWED = frozenset({"extends", "like"})
"""Keys that loading itself consumes: what they name is merged in."""


def bind(value: Any, where: Where = ()) -> None:
    """Tell every node its place in the file, and forget the reads that validation itself did."""
    if isinstance(value, Node):
        value._where = where
        value._read = {*(_FOLLOWED & value.__pydantic_fields_set__)}
    steps: Iterator[tuple[str | int, Any]] = _given(value) if isinstance(value, Node) else _inside(value)
    for key, inner in steps:
        if isinstance(inner, Node | dict | list):
            bind(inner, (*where, key))


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
    values, given = node.__dict__, node.__pydantic_fields_set__
    for name, key in _spelling(type(node)):
        if name in given:
            yield key, values[name]


@cache
def _spelling(model: type[Node]) -> list[tuple[str, str]]:
    """The names of a model's fields and how they are written in YAML."""
    return [(name, info.alias or name) for name, info in model.model_fields.items()]


def _inside(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
