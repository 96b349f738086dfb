"""Texts with `{{ holes }}`: read once, at compile time.

A hole is a name, or one attribute of `message`, through filters of a closed list. Everything else Jinja2 knows is a
problem: CEX048 (no such thing in a template), CEX049 (no such hole here), CEX050 (no such filter, or not on this).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from cexspec.compile.filters import FILTERS, JOIN, TIMES, Filter, joined
from cexspec.compile.written import Call, Expression, NoTemplate, written
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

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
    try:
        parts = [_part(part, allowed, findings, where) for part in written(text)]
    except NoTemplate as problem:
        findings.error("CEX048", where, problem.reason, problem.hint)
        return Text(())
    return Text(tuple(part for part in parts if part is not None))


def _part(part: str | Expression, allowed: frozenset[str], findings: Findings, where: Where) -> str | Hole | None:
    if isinstance(part, str):
        return part
    if part.other is not None:
        findings.error("CEX048", where, f"a hole holds no {part.other}: only names", "a hole is a name with filters: {{ id | lower }}")
        return None
    if part.name not in allowed or (part.name == "message") != (part.attribute is not None):
        _unbound(part.name, part.attribute, allowed, findings, where)
        return None
    filters = _filters(part.name, part.calls, findings, where)
    return Hole(part.name, part.attribute, filters) if filters is not None else None


def _unbound(name: str, attribute: str | None, allowed: frozenset[str], findings: Findings, where: Where) -> None:
    if name == "message" and name in allowed:
        findings.error("CEX049", where, "say which value of the message", "{{ message.ping }}")
        return
    written = name if attribute is None else f"{name}.{attribute}"
    findings.error("CEX049", where, f"nothing fills {{{{ {written} }}}} here", _nearest(name, allowed, "there is no hole here"))


def _filters(name: str, calls: tuple[Call, ...], findings: Findings, where: Where) -> tuple[Filter, ...] | None:
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


def _filter(call: Call, findings: Findings, where: Where) -> Filter | None:
    if call.name == JOIN:
        match call.arguments:
            case (str() as separator,):
                return joined(separator)
        findings.error("CEX050", where, "'join' takes the separator as a text", '{{ topics | join(",") }}')
        return None
    if call.name not in FILTERS:
        findings.error("CEX050", where, f"no filter is called {call.name!r}", _nearest(call.name, [*FILTERS, JOIN], ""))
        return None
    if call.arguments:
        findings.error("CEX050", where, f"the filter {call.name!r} takes no argument", f"{{{{ ... | {call.name} }}}}")
        return None
    return FILTERS[call.name]


def _nearest(name: str, legal: Iterable[str], nothing: str) -> str:
    names = sorted(legal)
    close = get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"one of {', '.join(names)}" if names else nothing
