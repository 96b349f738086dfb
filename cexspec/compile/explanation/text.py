"""How an explanation is written: sections of rows, each with the line of the spec that says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cexspec.compile.conditions import Conditions
from cexspec.compile.exchange import Exchange
from cexspec.spec.model.node import Node
from cexspec.spec.source import Where


class Row(NamedTuple):
    """A line of a section: what it is about, what holds, and which line of the spec says so (empty: none does)."""

    label: str
    text: str
    line: str = ""


class Section(NamedTuple):
    """Some rows under a title."""

    title: str
    rows: list[Row]


def rendered(sections: Iterable[Section]) -> str:
    """Sections as text: titles at the margin, rows indented, labels in a column."""
    return "\n".join(line for section in sections for line in _lines(section))


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    width = max((len(row.label) for row in section.rows), default=0)
    for label, text, line in section.rows:
        head = f"{label:<{width}}  {text}" if width else text
        yield f"  {head}{f'  ({line})' if line else ''}".rstrip()
    yield ""


class Lines:
    """Tells the lines of a spec."""

    def __init__(self, exchange: Exchange) -> None:
        self._source, self._file = exchange.source, exchange.source.position(()).file

    def at(self, where: Where) -> str:
        """The line of a place, its file where that is another one, and the `like` that brought it here."""
        position, like = self._source.position(where), self._source.likeness(where)
        file = "" if position.file == self._file else f"{position.file.rpartition('/')[2]} "
        named = _LIKE.search(like)
        return f"{file}line {position.line}{f', like {named.group(1)}' if named else ''}"


_LIKE = re.compile(r"`like: ([^`]+)`")


def duration(seconds: float) -> str:
    """A span of time in the largest unit that leaves a whole number."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    sizes = (("d", 86400), ("h", 3600), ("min", 60))
    return next((f"{seconds / size:g} {unit}" for unit, size in sizes if seconds % size == 0), f"{seconds:g} s")


def conditions(match: Conditions) -> str:
    """Conditions in words."""
    return " and ".join(f"{'frame ' if one.of == 'frame' else ''}{path} {_condition(one)}" for path, one in match.items())


def _condition(condition: Node) -> str:
    given = condition.model_dump(exclude_unset=True, by_alias=True)
    given.pop("of", None)
    otherwise = " or nothing is there" if given.pop("optional", False) else ""
    return ", ".join(f"{_WORDS.get(key, key)} {compact(value)}".strip() for key, value in given.items()) + otherwise


_WORDS = {"value": "is", "any_of": "is one of", "not": "is not", "prefix": "starts with", "suffix": "ends with", "is": "is"} | {
    "min_length": "has at least",
    "max_length": "has at most",
}


def compact(value: Any) -> str:
    """A value of a spec on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {compact(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(map(compact, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
