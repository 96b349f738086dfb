"""Texts with `{{ holes }}`: read once, at compile time, by Jinja2's parser; its renderer is never used.

A hole is a name, or one attribute of `message`, through filters of a closed list. Everything else Jinja2 knows is a
problem: CEX048 (no such thing in a template), CEX049 (no such hole here), CEX050 (no such filter, or not on this).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from cexspec.compile.filters import FILTERS, JOIN, TIMES, Filter, joined
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MAX_LENGTH = 16_384
"""Characters of one template at most."""


@dataclass(frozen=True, slots=True)
class Hole:
    """`{{ name }}` or `{{ message.attribute }}`, with its filters in order."""

    name: str
    attribute: str | None = None
    filters: tuple[Filter, ...] = ()

    @property
    def label(self) -> str:
        """As it is written, without filters."""
        return self.name if self.attribute is None else f"{self.name}.{self.attribute}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in parts: literals and holes."""

    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Its holes in order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def whole(self) -> Hole | None:
        """The hole that is all of the text."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Hole) else None


def parse_text(text: str, allowed: frozenset[str], findings: Findings, where: Where) -> Text:
    """The parts of a text; what is wrong goes to `findings` and is left out."""
    if "{" not in text:
        return Text((text,) if text else ())
    if len(text) > MAX_LENGTH:
        findings.error("CEX048", where, f"a template has at most {MAX_LENGTH} characters, this one {len(text)}")
        return Text(())
    parts: list[str | Hole] = []
    for node in _nodes(text, findings, where):
        part = _part(node, allowed, findings, where)
        if part is not None:
            parts.append(part)
    return Text(tuple(parts))


@cache
def _environment() -> Environment:
    from jinja2 import Environment  # costs 40 ms: only where a template is compiled

    return Environment(keep_trailing_newline=True, autoescape=False)


_FOREIGN = {"block_begin": "blocks {% ... %}", "raw_begin": "blocks {% ... %}", "comment_begin": "comments {# ... #}"}


def _nodes(text: str, findings: Findings, where: Where) -> list[nodes.Expr]:
    found = _parsed(text)
    if isinstance(found, list):
        return found
    findings.error("CEX048", where, *found)
    return []


@lru_cache(maxsize=1024)
def _parsed(text: str) -> list[nodes.Expr] | tuple[str, str]:
    """What a text consists of; else why it is no template, and what to write. Kept: most of a spec's templates are few texts."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        for _, kind, value in _environment().lex(text):
            if kind in _FOREIGN:
                return f"a template has no {_FOREIGN[kind]}", "only holes: {{ id }}"
            if kind in ("variable_begin", "variable_end") and value.strip("{}").strip():
                return f"no {value.strip()!r}: a template keeps its blanks", "write {{ and }}"
        body = _environment().parse(text).body
    except (TemplateSyntaxError, RecursionError, ValueError) as problem:
        reason = problem.message if isinstance(problem, TemplateSyntaxError) else "too deep, or too large a number"
        return f"not a template: {reason}", "a hole is {{ name }} or {{ name | filter }}"
    return [node for output in body if isinstance(output, nodes.Output) for node in output.nodes]


def _part(node: nodes.Expr, allowed: frozenset[str], findings: Findings, where: Where) -> str | Hole | None:
    from jinja2 import nodes

    if isinstance(node, nodes.TemplateData):
        return node.data
    calls: list[nodes.Filter] = []
    while isinstance(node, nodes.Filter) and node.node is not None:
        calls.insert(0, node)
        node = node.node
    name, attribute = _named(node)
    if name is None:
        hint = "a hole is a name with filters: {{ id | lower }}"
        findings.error("CEX048", where, f"a hole holds no {_describe(node)}: only names", hint)
        return None
    if name not in allowed or (name == "message") != (attribute is not None):
        _unbound(name, attribute, allowed, findings, where)
        return None
    filters = _filters(name, calls, findings, where)
    return Hole(name, attribute, filters) if filters is not None else None


def _named(node: nodes.Expr) -> tuple[str | None, str | None]:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return node.name, None
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "message":
        return "message", node.attr
    return None, None


def _describe(node: object) -> str:
    words = {
        "Const": "constants",
        "Call": "calls",
        "Getattr": "attributes",
        "Getitem": "subscripts",
        "List": "lists",
        "Dict": "mappings",
        "Tuple": "tuples",
    }
    return words.get(type(node).__name__, "operators")


def _unbound(name: str, attribute: str | None, allowed: frozenset[str], findings: Findings, where: Where) -> None:
    if name == "message" and name in allowed:
        findings.error("CEX049", where, "say which value of the message", "{{ message.ping }}")
        return
    written = name if attribute is None else f"{name}.{attribute}"
    findings.error("CEX049", where, f"nothing fills {{{{ {written} }}}} here", _nearest(name, allowed, "there is no hole here"))


def _filters(name: str, calls: list[nodes.Filter], findings: Findings, where: Where) -> tuple[Filter, ...] | None:
    filters: list[Filter] = []
    for call in calls:
        found = _filter(call, findings, where)
        if found is None:
            return None
        filters.append(found)
    timed = [found.unit for found in filters]
    if name in TIMES and not (timed and timed[0]):
        hint = f"{{{{ {name} | ms }}}}; units are {', '.join(_units())}"
        findings.error("CEX050", where, f"{{{{ {name} }}}} is a time in nanoseconds: say the venue's unit", hint)
        return None
    if any(timed[1:] if name in TIMES else timed):
        findings.error("CEX050", where, f"a unit filter goes on a time, first ({', '.join(sorted(TIMES))})", "drop it")
        return None
    return tuple(filters)


def _units() -> Iterable[str]:
    return (name for name, each in FILTERS.items() if each.unit)


def _filter(call: nodes.Filter, findings: Findings, where: Where) -> Filter | None:
    from jinja2 import nodes

    plain = not (call.kwargs or call.dyn_args or call.dyn_kwargs)
    if call.name == JOIN:
        match call.args if plain else ():
            case [nodes.Const(value=str() as separator)]:
                return joined(separator)
        findings.error("CEX050", where, "'join' takes the separator as a text", '{{ topics | join(",") }}')
        return None
    if call.name not in FILTERS:
        findings.error("CEX050", where, f"no filter is called {call.name!r}", _nearest(call.name, [*FILTERS, JOIN], ""))
        return None
    if call.args or not plain:
        findings.error("CEX050", where, f"the filter {call.name!r} takes no argument", f"{{{{ ... | {call.name} }}}}")
        return None
    return FILTERS[call.name]


def _nearest(name: str, legal: Iterable[str], nothing: str) -> str:
    names = sorted(legal)
    close = get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"one of {', '.join(names)}" if names else nothing
