"""Problems of a configuration as text: place, message, line and caret. The line may hold secrets, so only what is none is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cexspec.configuration.settings import PLAIN
from cexspec.spec.problems import Problem, printable
from cexspec.spec.render import snippet
from cexspec.spec.source import Entry, Position

MASK = "***"
_TOKENS = re.compile(
    r"""(?P<key>[A-Za-z_][\w-]*(?=\s*:(?:\s|$)))|(?P<reference>"?\$\{\w*\}"?)|(?P<mark>[\s,{}\[\]:]|-(?=\s))"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,{}\[\]]+)"""
)


def shown(problem: Problem, line: str) -> str:
    """One problem for people."""
    line, column = masked_line(line, problem.position.column)
    place = replace(problem.position, column=column)
    lines = [f"{problem.position}: {printable(problem.message)}", *snippet(line, place)]
    return "\n".join([*lines, f"  write: {printable(problem.hint)}"] if problem.hint else lines)


def masked_line(line: str, column: int = 1) -> tuple[str, int]:
    """The line with `***` for all that is neither a key, nor a reference, nor a value of a plain key; and where the column is then."""
    parts: list[str] = []
    key, moved = "", 0
    for token in _TOKENS.finditer(line):
        text = token.group()
        key = text if token["key"] else key
        if token["text"] and _is_hidden(key, text):
            text = MASK
            moved += len(MASK) - len(token.group()) if token.end() < column else 0
        parts.append(text)
    return "".join(parts), column + moved


def without_values(problem: Problem, root: Entry | None) -> Problem:
    """The problem with `***` where its words quote a value that may be a secret."""
    message, hint = problem.message, problem.hint
    for value in _hidden(root):
        message, hint = message.replace(f"`{value}`", f"`{MASK}`"), hint.replace(f"`{value}`", f"`{MASK}`")
    return replace(problem, message=message, hint=hint, edit=None)


def _hidden(entry: Entry | None, key: str = "") -> Iterator[str]:
    """The texts of an entry that are no values of plain keys."""
    if entry is None:
        return
    value = entry.value
    steps: Iterable[tuple[str, Entry]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = ((key, inner) for inner in value)
    elif _is_hidden(key, value):
        yield value
    for name, inner in steps:
        yield from _hidden(inner, name)


def _is_hidden(key: str, value: str) -> bool:
    """Whether a value may be a secret; a URL may hold one before its host."""
    return key not in PLAIN or "@" in value


def listed(problems: Iterable[Problem], texts: Mapping[str, str]) -> str:
    """All problems, each with its line."""
    return "\n".join(shown(problem, _line(texts, problem.position)) for problem in problems)


def _line(texts: Mapping[str, str], position: Position) -> str:
    lines = texts.get(position.file, "").split("\n")
    return lines[position.line - 1].rstrip("\r") if position.line <= len(lines) else ""
