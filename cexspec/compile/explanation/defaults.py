"""What a spec leaves out, and what holds instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cexspec.compile.explanation.text import Lines, Row, Section, compact
from cexspec.spec.model import Condition, FieldRule, Mapping
from cexspec.spec.model.node import Node

_OF_BOOKS = frozenset({"ordered"})


def defaults(lines: Lines, derived: list[Row], node: Node) -> Section:
    """What follows from other keys (`derived`), and the language's own defaults in a node."""
    return Section("defaults", [*derived, *_of(lines, "", node)] or [Row("", "none: the spec says it all")])


def _of(lines: Lines, name: str, node: Node) -> Iterator[Row]:
    """The defaults of one node that say something, and of the nodes that it holds; the line is that of the node."""
    for key, info in type(node).model_fields.items():
        value: Any = getattr(node, key)
        written = f"{name}.{info.alias or key}" if name else info.alias or key
        if key in node.model_fields_set:
            yield from _inside(lines, written, value)
        elif value not in (None, False, [], {}) and not isinstance(value, Node) and not _idle(key, node):
            yield Row(written, compact(value), lines.at(node.where))


def _idle(key: str, node: Node) -> bool:
    """Whether a default has nothing to do: it is about books, and these are none."""
    return key in _OF_BOOKS and isinstance(node, Mapping) and node.returns != "book"


def _inside(lines: Lines, name: str, value: Any) -> Iterator[Row]:
    if isinstance(value, Node) and not isinstance(value, FieldRule | Condition):
        yield from _of(lines, name, value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _inside(lines, f"{name}.{key}", inner)
