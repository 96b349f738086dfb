"""What a template says, before anybody asks whether it may.

Holes of a name and filters are read at a glance; all else by Jinja2's parser, whose renderer is never used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

_HOLE = re.compile(r"""\{\{ ((?:message\.)?[A-Za-z_]\w*(?: \| [A-Za-z_]\w*(?:\("[^"\\{}]*"\))?)*) \}\}""", re.ASCII)
_FILTER = re.compile(r""" \| (\w+)(?:\("([^"]*)"\))?""", re.ASCII)
_NO_NAME = re.compile(r"\b(?:and|else|false|False|if|in|is|none|None|not|or|true|True)\b")
"""Words that mean something to Jinja2."""
_FOREIGN = {"block_begin": "blocks {% ... %}", "raw_begin": "blocks {% ... %}", "comment_begin": "comments {# ... #}"}
_OTHERS = {
    "Const": "constants",
    "Call": "calls",
    "Getattr": "attributes",
    "Getitem": "subscripts",
    "List": "lists",
    "Dict": "mappings",
    "Tuple": "tuples",
}
"""What may stand in a hole instead of a name, in words."""


@dataclass(frozen=True, slots=True)
class Call:
    """A filter as it is written; an argument is None where it is no text."""

    name: str
    arguments: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A hole as it is written: a name, or an attribute of `message`, through filters; `other` is what it holds in place of a name."""

    name: str
    attribute: str | None = None
    calls: tuple[Call, ...] = ()
    other: str | None = None


Written = tuple[str | Expression, ...]


class NoTemplate(Exception):
    """A text that is no template, and what to write."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


@lru_cache(maxsize=1024)  # most of a spec's templates are few texts
def written(text: str) -> Written:
    """Literals and holes in order. Raises NoTemplate."""
    found = at_a_glance(text)
    return found if found is not None else by_grammar(text)


def at_a_glance(text: str) -> Written | None:
    """What a text says whose holes are plain; None where it takes a grammar to tell."""
    pieces = _HOLE.split(text)
    if any("{" in literal or "}" in literal or "\r" in literal for literal in pieces[::2]) or any(map(_NO_NAME.search, pieces[1::2])):
        return None
    parts = [piece if number % 2 == 0 else _plain(piece) for number, piece in enumerate(pieces)]
    return tuple(part for part in parts if part)


def _plain(hole: str) -> Expression:
    name, _, attribute = hole.partition(" ")[0].partition(".")
    found = _FILTER.finditer(hole)
    return Expression(name, attribute or None, tuple(Call(one[1], () if one[2] is None else (one[2],)) for one in found))


def by_grammar(text: str) -> Written:
    """What any text says. Raises NoTemplate."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        for _, kind, value in _environment().lex(text):
            if kind in _FOREIGN:
                raise NoTemplate(f"a template has no {_FOREIGN[kind]}", "only holes: {{ id }}")
            if kind in ("variable_begin", "variable_end") and value.strip("{}").strip():
                raise NoTemplate(f"no {value.strip()!r}: a template keeps its blanks", "write {{ and }}")
        body = _environment().parse(text).body
    except (TemplateSyntaxError, RecursionError, ValueError) as problem:
        reason = problem.message if isinstance(problem, TemplateSyntaxError) else "too deep, or too large a number"
        raise NoTemplate(f"not a template: {reason}", "a hole is {{ name }} or {{ name | filter }}") from None
    return tuple(_part(node) for output in body if isinstance(output, nodes.Output) for node in output.nodes)


@cache
def _environment() -> Environment:
    from jinja2 import Environment

    return Environment(keep_trailing_newline=True, autoescape=False)


def _part(node: nodes.Expr) -> str | Expression:
    from jinja2 import nodes

    if isinstance(node, nodes.TemplateData):
        return node.data
    calls: list[Call] = []
    while isinstance(node, nodes.Filter) and node.node is not None:
        calls.insert(0, Call(node.name, _arguments(node)))
        node = node.node
    if isinstance(node, nodes.Name):
        return Expression(node.name, None, tuple(calls))
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "message":
        return Expression("message", node.attr, tuple(calls))
    return Expression("", other=_OTHERS.get(type(node).__name__, "operators"))


def _arguments(call: nodes.Filter) -> tuple[str | None, ...]:
    from jinja2 import nodes

    given: Iterable[object] = (*call.args, *call.kwargs, *(one for one in (call.dyn_args, call.dyn_kwargs) if one is not None))
    return tuple(one.value if isinstance(one, nodes.Const) and isinstance(one.value, str) else None for one in given)
