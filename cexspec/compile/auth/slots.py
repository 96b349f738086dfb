"""The texts of a recipe as slots of one dictionary: literals and credentials stand in it from the start, and what a hole holds is
written once for each way in which some text holds it. So a text is a join, however many holes it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from cexspec.compile.filters import Filter, as_text
from cexspec.compile.holes import Hole, Text
from cexspec.compile.plan import Params

Write = Callable[[Any], str]
_LITERAL = "="
"""Begins the name of a literal's slot; that of a hole's text is `name|filters`."""


class Slots:
    """Every slot of one recipe's texts."""

    def __init__(self) -> None:
        self.literals: dict[str, str] = {}
        self._ways: dict[str, list[tuple[str, Write]]] = {}
        self._filters: list[tuple[Filter, ...]] = []

    def fill(self, text: Text) -> Callable[[Mapping[Any, Any]], str]:
        """A function that reads a text off the slots."""
        slots = [self._literal(part) if isinstance(part, str) else self._hole(part) for part in text.parts]
        if not slots:
            return lambda values: ""
        read = itemgetter(*slots)
        return read if len(slots) == 1 else lambda values: "".join(read(values))

    def put(self, values: dict[Any, Any], name: str, value: object) -> None:
        """Give a hole its value."""
        values[name] = value
        for slot, write in self._ways.get(name, ()):
            values[slot] = write(value)

    def begun(self, given: Params) -> dict[Any, Any]:
        """The dictionary with literals and what is known from the start."""
        values: dict[Any, Any] = dict(self.literals)
        for name, value in given.items():
            self.put(values, name, value)
        return values

    def _literal(self, text: str) -> str:
        slot = _LITERAL + text
        self.literals[slot] = text
        return slot

    def _hole(self, hole: Hole) -> str:
        filters = next((at for at, known in enumerate(self._filters) if known == hole.filters), len(self._filters))
        if filters == len(self._filters):
            self._filters.append(hole.filters)
        slot, ways = f"{hole.name}|{filters}", self._ways.setdefault(hole.name, [])
        if all(known != slot for known, _ in ways):
            ways.append((slot, _writer(hole.filters)))
        return slot


def _writer(filters: Iterable[Filter]) -> Write:
    applied = [each.apply for each in filters]
    if not applied:
        return _plain

    def write(value: Any) -> str:
        for apply in applied:
            value = apply(value)
        return _plain(value)

    return write


def _plain(value: str | bytes | int) -> str:
    """Text as it is; bytes too, which only stand alone."""
    return value if value.__class__ is str or isinstance(value, bytes) else as_text(value)  # type: ignore[return-value]
