"""Conditions over decoded JSON: what a spec's `match`, `only`, `ack` and their like mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from cexspec.compile.paths import MISSING, parse
from cexspec.spec.model import Condition

Conditions = dict[str, Condition]
"""Path -> what it must hold; all of them must hold."""
Predicate = Callable[[object], bool]

ABOUT_TEXT = frozenset({"value", "any_of", "not_", "prefix", "suffix"})
"""The keys of a condition that look at what a scalar says."""
SHAPES = frozenset({"text", "boolean", "number", "array", "object", "absent"})
NAMED_SHAPES = {**{shape: frozenset({shape}) for shape in SHAPES}, "present": SHAPES - {"absent"}}
"""The words of `is:` and the shapes they stand for."""

_CONTAINERS = (dict, list)
_TYPES: tuple[tuple[type, str], ...] = ((str, "text"), (bool, "boolean"), (list, "array"), (dict, "object"))
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")


def predicate(conditions: Mapping[str, Condition]) -> Predicate:
    """All the conditions over a decoded JSON document."""
    tests = [(parse(path).first, value_predicate(condition)) for path, condition in conditions.items()]
    return lambda document: all(holds(find(document)) for find, holds in tests)


def value_predicate(condition: Condition) -> Predicate:
    """One condition over the value at its path (`MISSING` where there is none)."""
    words, shapes, shortest, longest = words_of(condition), condition.is_, condition.min_length, condition.max_length
    checks: list[Predicate] = [_one_of(words)] if words is not None else []
    if condition.not_ is not None:
        checks.append(_none_of(condition.not_))
    if condition.prefix is not None or condition.suffix is not None:
        checks.append(_affixed(condition.prefix or "", condition.suffix or ""))
    if shapes is not None:
        checks.append(_shaped(frozenset().union(*(NAMED_SHAPES[name] for name in shapes))))
    if shortest is not None or longest is not None:
        checks.append(_long(shortest or 0, longest))
    whole = checks[0] if len(checks) == 1 else lambda value: all(holds(value) for holds in checks)
    return _or_nothing(whole) if condition.optional else whole


def words_of(condition: Condition) -> frozenset[str] | None:
    """The texts one of which the value must be; None where there is no such list."""
    one = None if condition.value is None else frozenset((condition.value,))
    several = None if condition.any_of is None else frozenset(condition.any_of)
    return several if one is None else one if several is None else one & several


def split(conditions: Mapping[str, Condition]) -> tuple[Conditions, Conditions]:
    """Conditions on the message, and conditions on the frame around it."""
    of: dict[str, Conditions] = {"message": {}, "frame": {}}
    for path, condition in conditions.items():
        of[condition.of][path] = condition
    return of["message"], of["frame"]


def text_of(value: object) -> str | None:
    """A JSON scalar as the text conditions compare with; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or value is MISSING or isinstance(value, _CONTAINERS) else str(value)


def shape_of(value: object) -> str:
    """The JSON shape of a value; null counts as absent."""
    if value is None or value is MISSING:
        return "absent"
    return next((name for types, name in _TYPES if isinstance(value, types)), "number")


def integers(words: Iterable[str]) -> tuple[int, ...]:
    """The JSON integers that read as one of the words: what a venue may send instead of the text."""
    return tuple(int(word) for word in words if _INTEGER.fullmatch(word))


def numeric(word: str) -> bool:
    """Whether a JSON number may read as the word."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _or_nothing(holds: Predicate) -> Predicate:
    return lambda value: value is MISSING or value is None or holds(value)


def _one_of(words: frozenset[str]) -> Predicate:
    return lambda value: text_of(value) in words


def _none_of(word: str) -> Predicate:
    return lambda value: value is not MISSING and value is not None and text_of(value) != word


def _affixed(start: str, end: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.startswith(start) and value.endswith(end)


def _shaped(shapes: frozenset[str]) -> Predicate:
    return lambda value: shape_of(value) in shapes


def _long(least: int, most: int | None) -> Predicate:
    return lambda value: isinstance(value, list) and least <= len(value) and (most is None or len(value) <= most)
