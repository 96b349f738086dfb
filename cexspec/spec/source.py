"""Spec text with positions: where every key and value of a spec stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Where = tuple[str | int, ...]
"""A place in a spec: keys and list indices from the top (`("rest", "ticker", "fields", "last")`)."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Entry(NamedTuple):
    """A value of a YAML file and where it stands: text, or a mapping or list of entries.

    `key` and `at` are (line, column) of its key (of itself, where it has none) and of the value; `like` tells, in words, through
    which `like` a mapping took it over from the one that writes it. A named tuple, because a spec has thousands and is loaded in
    milliseconds.
    """

    value: str | dict[str, Entry] | list[Entry]
    file: str
    key: tuple[int, int]
    at: tuple[int, int]
    like: str = ""

    def child(self, step: str | int) -> Entry | None:
        """The entry under a key or index, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            element: Entry = self.value[step]
            return element
        return None


@dataclass(frozen=True, slots=True)
class Source:
    """A spec as written: the entries (those of `extends` merged in) and the text of every file they come from."""

    root: Entry
    texts: Mapping[str, str]

    def entry(self, where: Where) -> Entry:
        """The entry at a place, or its nearest parent that the file has."""
        found = self.root
        for step in where:
            inner = found.child(step)
            if inner is None:
                break
            found = inner
        return found

    def likeness(self, where: Where) -> str:
        """Through which `like` a place has what another mapping writes; empty where it has its own."""
        found = self.root
        for step in where:
            inner = found.child(step)
            if inner is None or inner.like:
                return inner.like if inner else ""
            found = inner
        return ""

    def position(self, where: Where) -> Position:
        """Where the key of a place stands (for a list's element: the element)."""
        entry = self.entry(where)
        return Position(entry.file, *entry.key)

    def value_position(self, where: Where) -> Position:
        """Where the value of a place stands."""
        entry = self.entry(where)
        return Position(entry.file, *entry.at)

    def line(self, position: Position) -> str:
        """The source line of a position; empty where the text is not at hand."""
        lines = self.texts.get(position.file, "").split("\n")
        return lines[position.line - 1].rstrip("\r") if position.line <= len(lines) else ""
