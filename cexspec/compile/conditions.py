"""Conditions: over decoded JSON (`predicate`), and whether two of them can hold together (`disjoint`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cexspec.compile.paths import MISSING, parse
from cexspec.spec.model import Condition

Predicate = Callable[[object], bool]


def predicate(conditions: Mapping[str, Condition]) -> Predicate:
    """All the conditions over a decoded JSON document."""
    tests = [(parse(path).first, test(condition)) for path, condition in conditions.items()]
    return lambda document: all(check(find(document)) for find, check in tests)


def split(conditions: Mapping[str, Condition]) -> tuple[dict[str, Condition], dict[str, Condition]]:
    """Conditions on the message, and conditions on the frame around it."""
    of: dict[str, dict[str, Condition]] = {"message": {}, "frame": {}}
    for path, condition in conditions.items():
        of[condition.of][path] = condition
    return of["message"], of["frame"]


def test(condition: Condition) -> Predicate:
    """One condition over the value at its path (MISSING where there is none)."""
    checks: list[Predicate] = []
    if condition.value is not None:
        checks.append(_one_of((condition.value,)))
    if condition.any_of is not None:
        checks.append(_one_of(tuple(condition.any_of)))
    if condition.not_ is not None:
        checks.append(_none_of(condition.not_))
    if condition.prefix is not None:
        checks.append(_prefix(condition.prefix))
    if condition.suffix is not None:
        checks.append(_suffix(condition.suffix))
    if condition.is_ is not None:
        checks.append(_any_shape(tuple(condition.is_)))
    if condition.min_length is not None or condition.max_length is not None:
        checks.append(_length(condition.min_length or 0, condition.max_length))
    return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)


def text_of(value: object) -> str | None:
    """A JSON scalar as the text conditions compare with; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, dict | list) or value is MISSING else str(value)


def disjoint(one: Mapping[str, Condition], other: Mapping[str, Condition]) -> bool:
    """Whether no message can meet both: some place is asked for two things that exclude each other."""
    pairs = [(a, b) for a in one.items() for b in other.items() if a[1].of == b[1].of]
    if any(a[0] == b[0] and _exclude(a[1], b[1]) for a, b in pairs):
        return True
    return any(_contains_not(a, b) or _contains_not(b, a) or _fork(a, b) for a, b in pairs)


def _one_of(words: tuple[str, ...]) -> Predicate:
    return lambda value: text_of(value) in words


def _none_of(word: str) -> Predicate:
    return lambda value: value is not MISSING and value is not None and text_of(value) != word


def _prefix(start: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.startswith(start)


def _suffix(end: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.endswith(end)


def _length(least: int, most: int | None) -> Predicate:
    return lambda value: isinstance(value, list) and least <= len(value) and (most is None or len(value) <= most)


def _any_shape(shapes: tuple[str, ...]) -> Predicate:
    wanted = frozenset(shape for name in shapes for shape in _NAMED[name])
    return lambda value: shape_of(value) in wanted


def shape_of(value: object) -> str:
    """The JSON shape of a value; null counts as absent."""
    if value is None or value is MISSING:
        return "absent"
    return next((name for types, name in _TYPES if isinstance(value, types)), "number")


_TYPES: tuple[tuple[type, str], ...] = ((str, "text"), (bool, "boolean"), (list, "array"), (dict, "object"))
_ALL = frozenset({"text", "boolean", "number", "array", "object", "absent"})
_NAMED: dict[str, frozenset[str]] = {**{shape: frozenset({shape}) for shape in _ALL}, "present": _ALL - {"absent"}}


def _words(condition: Condition) -> tuple[str, ...] | None:
    if condition.value is not None:
        return (condition.value,)
    return tuple(condition.any_of) if condition.any_of is not None else None


def _shapes(condition: Condition) -> frozenset[str]:
    """The shapes of value that can meet a condition."""
    found = _ALL
    words = _words(condition)
    if words is not None:
        found &= {"text", *("number" for word in words if _numeric(word)), *("boolean" for word in words if word in ("true", "false"))}
    if condition.not_ is not None:
        found -= {"absent"}
    if condition.prefix is not None or condition.suffix is not None:
        found &= {"text"}
    if condition.is_ is not None:
        found &= frozenset().union(*(_NAMED[name] for name in condition.is_))
    if condition.min_length is not None or condition.max_length is not None:
        found &= {"array"}
    return found


def _numeric(word: str) -> bool:
    return word.lstrip("-").replace(".", "", 1).isdigit()


def _exclude(one: Condition, other: Condition) -> bool:
    """No value meets both: no shape is common, or in every common one they want different things."""
    return all(_exclude_within(shape, one, other) for shape in _shapes(one) & _shapes(other))


def _exclude_within(shape: str, one: Condition, other: Condition) -> bool:
    if shape == "array":
        return _too_short(one, other) or _too_short(other, one)
    if shape in ("object", "absent"):
        return False
    words = [(_words(a), b) for a, b in ((one, other), (other, one))]
    if any(found is not None and not any(_textual(b)(word) for word in found) for found, b in words):
        return True
    return shape == "text" and (_affixes_exclude(one.prefix, other.prefix, str.startswith) or _affixes_exclude(one.suffix, other.suffix, str.endswith))


def _textual(condition: Condition) -> Predicate:
    """The part of a condition that is about the text of a scalar."""
    given = {key: getattr(condition, key) for key in ("value", "any_of", "prefix", "suffix") if getattr(condition, key) is not None}
    if condition.not_ is not None:
        given["not"] = condition.not_
    return test(Condition.model_validate(given)) if given else lambda value: True


def _too_short(one: Condition, other: Condition) -> bool:
    return one.max_length is not None and other.min_length is not None and one.max_length < other.min_length


def _affixes_exclude(one: str | None, other: str | None, fits: Callable[[str, str], bool]) -> bool:
    return one is not None and other is not None and not fits(one, other) and not fits(other, one)


def _contains_not(outer: tuple[str, Condition], inner: tuple[str, Condition]) -> bool:
    """The inner place must exist, and the outer one can't be what would hold it."""
    a, b = parse(outer[0]).steps, parse(inner[0]).steps
    if len(b) <= len(a) or b[: len(a)] != a or "absent" in _shapes(inner[1]):
        return False
    step = b[len(a)]
    if isinstance(step, int) and outer[1].max_length is not None and outer[1].max_length <= step:
        return True
    return ("array" if isinstance(step, int) else "object") not in _shapes(outer[1])


def _fork(one: tuple[str, Condition], other: tuple[str, Condition]) -> bool:
    """Both places must exist, and what holds them would be an array for the one and an object for the other."""
    if "absent" in _shapes(one[1]) | _shapes(other[1]):
        return False
    steps = zip(parse(one[0]).steps, parse(other[0]).steps, strict=False)
    first = next(((a, b) for a, b in steps if a != b), None)
    return first is not None and isinstance(first[0], int) is not isinstance(first[1], int)
