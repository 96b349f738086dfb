"""What field rules read of a message: the places, and as what each is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from cexspec.compile.access import Scope
from cexspec.compile.conditions import integers
from cexspec.compile.inline import request_conditions
from cexspec.compile.paths import PathError, Steps, parse
from cexspec.compile.source import Origin
from cexspec.compile.tables import request_table
from cexspec.compile.targets import FieldTarget, Target
from cexspec.compile.wire import TIMES, Leaf
from cexspec.spec.model import FieldRule

Words = tuple[str | int, ...]

_BY_TARGET = {
    Target.NUMBER: Leaf.NUMBER,
    Target.TEXT: Leaf.TEXT,
    Target.INTEGER: Leaf.INTEGER,
    Target.BOOLEAN: Leaf.BOOLEAN,
    Target.WORD: Leaf.TEXT,
    Target.INTERVAL: Leaf.TEXT,
    Target.SYMBOL: Leaf.STRING,
}
_WITH_EMPTY = {Leaf.NUMBER: Leaf.NUMBER_OR_EMPTY, Leaf.TEXT: Leaf.TEXT, Leaf.STRING: Leaf.STRING}
"""Leaves that take an empty text besides what they are for; others are decoded as JSON has them."""


@dataclass(frozen=True)
class Bases:
    """Where `$` is for each `of:`, as steps from the root of the frame; None where there is no such thing."""

    item: Steps
    message: Steps
    frame: Steps | None
    parent: Steps | None = None

    def of(self, source: str) -> Steps | None:
        """The base of `of: source`."""
        return {"item": self.item, "message": self.message, "frame": self.frame, "parent": self.parent}.get(source)


def textual(rule: FieldRule) -> bool:
    """Whether the rule works on the value's text."""
    return any(value is not None for value in (rule.split, rule.strip, rule.prefix, rule.case))


def leaf_of(rule: FieldRule, target: FieldTarget) -> Leaf:
    """How the value of a rule is decoded."""
    if rule.unless is not None:  # what stands there otherwise may be anything
        return Leaf.ANY
    if textual(rule):
        return Leaf.TEXT
    if rule.map is not None or (target.target is Target.WORD and rule.flag is None and rule.sign is None):
        return Leaf.WORDS if wire_words(rule, target) else Leaf.SCALAR
    leaf = typed_leaf(rule, target)
    return _WITH_EMPTY.get(leaf, Leaf.ANY) if nothings(rule) else leaf


def typed_leaf(rule: FieldRule, target: FieldTarget) -> Leaf:
    """As `leaf_of`, for values that are not words, were they never empty."""
    if rule.flag is not None:
        return Leaf.BOOLEAN
    if rule.sign is not None:
        return Leaf.NUMBER
    if target.target is Target.TIME:
        return TIMES[rule.unit or "ns"]
    return _BY_TARGET[target.target]


def wire_words(rule: FieldRule, target: FieldTarget) -> Words:
    """All that the venue may send, where that is a closed list which decoding can check."""
    if textual(rule) or rule.flag is not None or rule.sign is not None or rule.unknown is not None:
        return ()
    words = target.words if rule.map is None else tuple(rule.map)
    if not words or {"true", "false"} & set(words):
        return ()
    words = (*words, *nothings(rule))
    return (*words, *integers(words))


def nothings(rule: FieldRule) -> tuple[str, ...]:
    """The texts that mean that there is none."""
    return tuple(dict.fromkeys((*(rule.absent or ()), *(("",) if rule.empty is not None else ()))))


def paths_of(rule: FieldRule) -> list[str]:
    """The paths a rule reads its value from (without `minus`, `times` and `over`)."""
    return list(rule.first_of or []) if rule.path is None else [rule.path]


def request_paths(scope: Scope, bases: Bases, rule: FieldRule, target: FieldTarget, *, optional: bool = False) -> None:
    """Add what the rule reads to the wire type; `optional`: it may be missing, whatever the rule says. Raises PathError."""
    for _, inner in rule.inner:
        request_paths(scope, bases, inner, target, optional=True)
    leaf, words = leaf_of(rule, target), wire_words(rule, target)
    if rule.lookup is not None:
        origin = Origin(target.name, rule.lookup.take, rule.where)
        request_table(scope, bases.message, rule.lookup, leaf, words if leaf is Leaf.WORDS else (), origin)
        leaf = Leaf.TEXT
    request_conditions(scope, bases.item, rule.unless)
    base = bases.of(rule.of)
    if base is None:
        return
    required = not (optional or rule.optional or rule.unless is not None)
    reads = [(text, leaf, words if leaf is Leaf.WORDS else (), required and rule.first_of is None) for text in paths_of(rule)]
    for factor in (rule.minus, rule.times, rule.over):
        if factor is not None:
            reads.append((factor, Leaf.NUMBER_OR_EMPTY if nothings(rule) else Leaf.NUMBER, (), required))
    for text, one, known, needed in reads:
        path = parse(text)
        if path.rest is None and path.many:
            raise PathError(f"'{text}' finds many values where one is wanted")
        scope.asked.append((base + path.steps, Origin(target.name, text, rule.where)))
        plain = path.rest is not None
        scope.request(base + path.steps, Leaf.ANY if plain else one, required=needed and not plain, words=() if plain else known)
