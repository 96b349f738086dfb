"""Conditions on the parameters of a call: closures that tell whether they hold, and boxes that tell which calls are left.

A box is a set of calls: for each parameter the values it may have, any for a parameter it doesn't name. What a row of conditions
takes is a box, so that it is known exactly which rows are never reached, and which parameters reach one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cexspec.compile.checks import nearest
from cexspec.compile.conditions import text_of
from cexspec.compile.plan import Params
from cexspec.compile.verbs import CLOSED, FLAGS
from cexspec.spec.model.choices import Asked, When
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Ask = Callable[[Params], bool]
Box = Mapping[str, frozenset[str | None]]
"""Parameter -> the texts it may have; None among them: it may be absent."""

OTHER = "\0"
"""Any text that no condition names."""


def compile_when(when: When | None) -> Ask:
    """A closure that tells whether all the conditions hold."""
    tests = [(name, _holds(asked)) for name, asked in (when or {}).items()]
    if not tests:
        return _always

    def asked(params: Params) -> bool:
        for name, holds in tests:  # noqa: SIM110 - a generator costs more than what it goes through
            if not holds(params.get(name)):
                return False
        return True

    return asked


def check_when(when: When | None, allowed: frozenset[str], findings: Findings, where: Where) -> None:
    """Find parameters that no call has, and words that they never are: CEX080."""
    for name, asked in (when or {}).items():
        if name not in allowed:
            findings.error("CEX080", (*where, name), f"no call has a parameter '{name}'", nearest(name, sorted(allowed)))
        legal = ("true", "false") if name in FLAGS else CLOSED.get(name, ())
        for word in (*(asked.any_of or ()), *(asked.not_ or ())):
            if legal and word not in legal:
                findings.error("CEX080", (*where, name), f"'{name}' is never '{word}'", nearest(word, list(legal)))


def _always(params: Params) -> bool:
    return True


def _holds(asked: Asked) -> Callable[[object], bool]:
    absent, optional = _absent, asked.optional
    if asked.is_ is not None:
        return absent if asked.is_ == "absent" else lambda value: not absent(value)
    if asked.not_ is not None:
        refused = frozenset(asked.not_)
        return lambda value: optional if absent(value) else text_of(value) not in refused
    words = frozenset(asked.any_of or ())
    optional = optional or "false" in words
    return lambda value: optional if absent(value) else text_of(value) in words


def _absent(value: object) -> bool:
    return value is None or value is False


@dataclass(frozen=True)
class Space:
    """All the calls that some rows of conditions tell apart: parameter -> the values it may have, in the order of preference."""

    values: Mapping[str, Sequence[str | None]]

    @classmethod
    def of(cls, rows: Iterable[When | None]) -> Space:
        """The space of some rows."""
        named: dict[str, dict[str, None]] = {}
        for when in rows:
            for name, asked in (when or {}).items():
                named.setdefault(name, {}).update(dict.fromkeys((*(asked.any_of or ()), *(asked.not_ or ()))))
        return cls({name: _values(name, words) for name, words in named.items()})

    def box(self, when: When | None) -> Box:
        """The calls of which conditions hold."""
        return {name: self._allowed(name, _holds(asked)) for name, asked in (when or {}).items()}

    def _allowed(self, name: str, holds: Callable[[object], bool]) -> frozenset[str | None]:
        return frozenset(value for value in self.values[name] if holds(value))

    def taken(self, rows: Sequence[When | None]) -> list[list[Box]]:
        """For each row the boxes of calls that take it, because no row before does; none where it is never reached."""
        boxes = [self.box(when) for when in rows]
        return [self._without(box, boxes[:at]) for at, box in enumerate(boxes)]

    def _without(self, box: Box, others: Iterable[Box]) -> list[Box]:
        left = [box] if all(box.values()) else []
        for other in others:
            left = [piece for one in left for piece in self._outside(one, other)]
        return left

    def _outside(self, box: Box, other: Box) -> Iterator[Box]:
        """The parts of a box outside of another."""
        inside = dict(box)
        for name, allowed in other.items():
            own = inside.get(name, frozenset(self.values[name]))
            if own - allowed:
                yield {**inside, name: own - allowed}
            if not own & allowed:
                return
            inside[name] = own & allowed

    def intersection(self, one: Box, other: Box) -> Box | None:
        """The calls in both; None where there are none."""
        both = {**one, **{name: one.get(name, values) & values for name, values in other.items()}}
        return both if all(both.values()) else None

    def example(self, box: Box) -> dict[str, str]:
        """Parameters of a call in a box."""
        chosen = ((name, next(value for value in self.values[name] if value in allowed)) for name, allowed in box.items())
        return {name: value for name, value in chosen if value is not None}


def _values(name: str, words: Iterable[str]) -> tuple[str | None, ...]:
    if name in FLAGS:
        return (None, *dict.fromkeys(("true", *words)))
    return (*dict.fromkeys((*CLOSED[name], *words)), None) if name in CLOSED else (*words, None, OTHER)
