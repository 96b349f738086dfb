"""YAML text to entries: scalars stay text, every key and value keeps its place, and a hostile file is refused early.

Works on the parser's events with a stack of its own: no recursion, no tags resolved, no aliases expanded, so
nothing in a file can run code or make this hang.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from cexspec.spec.model.node import Plain
from cexspec.spec.problems import Problem
from cexspec.spec.source import Entry, Position, Where

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 50_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML = "tag:yaml.org,2002:"
_PLAIN_TAGS = (f"{_YAML}str", f"{_YAML}map", f"{_YAML}seq")


_TOO_DEEP = "exceeded maximum nesting depth"
"""What libyaml itself says of it, from 1000 levels on, before any of them reaches the builder."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What a text holds: None where it can't be read on; the problems tell why."""

    root: Entry | None
    problems: list[Problem]


def compose(text: str, file: str) -> Composed:
    """Read one YAML text. Never raises: what is wrong comes back as problems."""
    builder = _Builder(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        builder.problem("CEX007", (1, 1), f"the file is larger than {MAX_BYTES >> 20} MiB")
        return Composed(None, builder.problems)
    try:
        root = builder.build(yaml.parse(text, Loader=LOADER))
    except _Stop:
        root = None
    except (yaml.YAMLError, UnicodeError) as error:
        root = None
        if getattr(error, "problem", None) == _TOO_DEEP:
            builder.problem("CEX008", _mark(error), f"nested deeper than {MAX_DEPTH} levels")
        else:
            builder.problem("CEX002", *_syntax(error, text))
    return Composed(root, builder.problems)


def _syntax(error: Exception, text: str) -> tuple[tuple[int, int], str, str]:
    at = _mark(error)
    if getattr(error, "problem_mark", None) is None:
        return at, "not YAML: a character that YAML does not allow", 'printable text; "\\u0007" in double quotes for the rest'
    lines = text.split("\n")
    line = lines[at[0] - 1] if at[0] <= len(lines) else ""
    context = getattr(error, "context", None)
    message = f"not YAML: {context + ': ' if context else ''}{getattr(error, 'problem', '')}"
    return at, message, _syntax_hint(line)


def _mark(error: Exception) -> tuple[int, int]:
    """Line and column of an error, from 1; the beginning where it has none."""
    mark = getattr(error, "problem_mark", None)
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _syntax_hint(line: str) -> str:
    if "{" in line and "[" in line:
        return 'inside {...} quote a path that has brackets: {path: "$.data[0]"}'
    if "\t" in line:
        return "indent with spaces: YAML forbids tabs"
    if "{{" in line:
        return 'a text that begins with a hole needs quotes: "{{ id }}"'
    return "quote a text that holds `: `, ` #`, or begins with one of @ ` % & * ! | > [ {"


class _Stop(Exception):
    """Nothing more can be read of this text."""


@dataclass(slots=True)
class _Frame:
    """An open mapping or list; `key` is the key read last, whose value comes next."""

    value: dict[str, Entry] | list[Entry]
    at: tuple[int, int]
    key: str | None = None
    key_at: tuple[int, int] = (1, 1)


@dataclass(slots=True)
class _Builder:
    file: str
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    root: Entry | None = None
    nodes: int = 0

    def build(self, events: Iterator[Any]) -> Entry | None:
        """The one document's top mapping."""
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent or kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.node(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                frame = self.stack.pop()
                self.add(frame.value, frame.at)
            elif kind is yaml.AliasEvent:
                self.stop("CEX005", event, f"alias `*{event.anchor}`", "write the value out, or `extends` a sibling spec")
            elif kind is yaml.DocumentStartEvent and self.root is not None:
                self.stop("CEX006", event, "a second document begins here", "one file, one spec: split it")
        if self.root is None or not isinstance(self.root.value, dict):
            self.problem("CEX011", (1, 1), "the file holds no mapping", "`cexspec: 1` and the keys of a spec")
            return None
        return self.root

    def node(self, event: Any) -> None:
        """A scalar, or the start of a mapping or list."""
        at = _at(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.stop("CEX009", event, f"more than {MAX_NODES} keys and values")
        if event.anchor is not None:
            self.problem("CEX005", at, f"anchor `&{event.anchor}`", "write the value out, or `extends` a sibling spec")
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            self.problem("CEX004", at, f"tag `{event.tag.replace(_YAML, '!!')}`", "the value without its tag")
        if type(event) is yaml.ScalarEvent:
            self.scalar(event, at)
        else:
            self.open(event, at)

    def open(self, event: Any, at: tuple[int, int]) -> None:
        """The start of a mapping or list."""
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            self.stop("CEX010", event, "a key that is a mapping or list", 'text as the key; a hole needs quotes: "{{ id }}"')
        if len(self.stack) >= MAX_DEPTH:
            self.stop("CEX008", event, f"nested deeper than {MAX_DEPTH} levels")
        self.stack.append(_Frame({} if type(event) is yaml.MappingStartEvent else [], at))

    def scalar(self, event: Any, at: tuple[int, int]) -> None:
        """A key or a text."""
        plain = event.implicit[0]
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            frame.key, frame.key_at = event.value, at
            return
        if plain and not event.value:
            self.problem("CEX024", frame.key_at if frame and frame.key is not None else at, "no value", "a value; '' for an empty text")
        self.add(Plain(event.value) if plain else event.value, at)

    def add(self, value: Any, at: tuple[int, int]) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.root = Entry(value, self.file, at, at)
            return
        frame = self.stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(Entry(value, self.file, at, at))
            return
        key, frame.key = str(frame.key), None
        if key == "<<":
            self.problem("CEX005", frame.key_at, "merge key `<<`", "write the keys out, or `extends` a sibling spec")
        elif key in frame.value:
            first = frame.value[key].key[0]
            self.problem("CEX003", frame.key_at, f"key `{key}` a second time; first on line {first}", "one of the two")
        else:
            frame.value[key] = Entry(value, self.file, frame.key_at, at)

    def problem(self, rule: str, at: tuple[int, int], message: str, hint: str = "") -> None:
        """Note a problem and read on."""
        self.problems.append(Problem(rule, "error", Position(self.file, *at), self.where(), message, hint))

    def stop(self, rule: str, event: Any, message: str, hint: str = "") -> None:
        """Note a problem that ends the reading."""
        self.problem(rule, _at(event), message, hint)
        raise _Stop

    def where(self) -> Where:
        """The place being read, as keys and indices."""
        steps: list[str | int] = []
        for frame in self.stack:
            if isinstance(frame.value, list):
                steps.append(len(frame.value))
            elif frame.key is not None:
                steps.append(frame.key)
        return tuple(steps)


def _at(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
