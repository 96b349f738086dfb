"""Problems as text, JSON or GitHub annotations. Text from a spec is made printable first: it may come from a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from cexspec.spec.compose import MAX_BYTES
from cexspec.spec.problems import Problem, printable
from cexspec.spec.rules import rule
from cexspec.spec.source import Position

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s,\[\]{}:#]+')
_WINDOW = 140


class Lines:
    """The source lines that problems point at; each file is read once, and one that can't be read has none."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def of(self, position: Position) -> str:
        """The line of a position, or nothing."""
        if position.file not in self._files:
            self._files[position.file] = _read(position.file)
        lines = self._files[position.file]
        return lines[position.line - 1] if position.line <= len(lines) else ""


def _read(file: str) -> list[str]:
    path = Path(file)
    if not path.is_file():
        return []
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES).decode("utf-8-sig", "replace").split("\n")


def text(problem: Problem, line: str) -> str:
    """One problem for people: place and message, the source line with a caret, why, and what to write."""
    shown = [str(problem), *snippet(line, problem.position)]
    shown.append(f"  why: {rule(problem.rule).why}")
    if problem.hint:
        shown.append(f"  write: {printable(problem.hint).rstrip()}")
    return "\n".join(shown)


def snippet(line: str, position: Position) -> list[str]:
    """A source line with a caret below the position; nothing for an empty one."""
    if not line.strip():
        return []
    start = max(0, position.column - 1 - _WINDOW // 2) if len(line) > _WINDOW else 0
    shown = line[start : start + _WINDOW].replace("\t", " ")
    column = position.column - 1 - start
    token = _TOKEN.match(shown, column)
    number = f"{position.line:>5} | "
    return [number + _same_width(shown), " " * 5 + " | " + " " * column + "^" * (len(token.group()) if token else 1)]


def _same_width(line: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def document(problems: Iterable[Problem]) -> str:
    """All problems as one JSON document."""
    shown = [
        {
            "rule": problem.rule,
            "severity": problem.severity,
            "file": problem.position.file,
            "line": problem.position.line,
            "column": problem.position.column,
            "where": list(problem.where),
            "message": problem.message,
            "why": rule(problem.rule).why,
            "write": problem.hint or None,
        }
        for problem in problems
    ]
    return json.dumps({"problems": shown, **count(problems)}, indent=2, ensure_ascii=False)


def count(problems: Iterable[Problem]) -> Mapping[str, int]:
    """How many errors and warnings there are."""
    severities = [problem.severity for problem in problems]
    return {"errors": severities.count("error"), "warnings": severities.count("warning")}


def github(problem: Problem) -> str:
    """One problem as a GitHub workflow command."""
    place = f"file={_property(problem.position.file)},line={problem.position.line},col={problem.position.column}"
    hint = f"\nwrite: {problem.hint}" if problem.hint else ""
    return f"::{problem.severity} {place},title={problem.rule}::{_escaped(problem.message + hint)}"


def _escaped(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")
