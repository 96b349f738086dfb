"""Whether two sets of conditions can hold of one message: what must not be asked twice is told apart here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cexspec.compile.conditions import ABOUT_TEXT, NAMED_SHAPES, SHAPES, Predicate, numeric, value_predicate, words_of
from cexspec.compile.paths import Path, Step, Wild, parse
from cexspec.spec.model import Condition

_At = tuple[str, Condition]


def disjoint(one: Mapping[str, Condition], other: Mapping[str, Condition]) -> bool:
    """Whether no message can meet both: some place is asked for two things that exclude each other.

    True is certain; False may only mean that this is not clever enough to see it.
    """
    pairs = [(a, b) for a in one.items() for b in other.items() if a[1].of == b[1].of]
    return any(_apart(a, b) for a, b in pairs)


def _apart(one: _At, other: _At) -> bool:
    if _same(parse(one[0]), parse(other[0])):
        return _exclude(one[1], other[1])
    return _contains_not(one, other) or _contains_not(other, one) or _fork(one, other)


def _same(one: Path, other: Path) -> bool:
    return one.text == other.text or (one.steps == other.steps and one.rest is None and other.rest is None)


def _exclude(one: Condition, other: Condition) -> bool:
    """No value meets both: no shape is common, or in every common one they want different things."""
    return all(_exclude_within(shape, one, other) for shape in _shapes(one) & _shapes(other))


def _shapes(condition: Condition) -> frozenset[str]:
    """The shapes of value that can meet a condition."""
    found = SHAPES
    words = words_of(condition)
    if words is not None:
        numbers = {"number"} if any(map(numeric, words)) else set()
        found &= {"text", *numbers, *({"boolean"} if words & {"true", "false"} else ())}
    if condition.not_ is not None:
        found -= {"absent"}
    if condition.prefix is not None or condition.suffix is not None:
        found &= {"text"}
    if condition.is_ is not None:
        found &= frozenset().union(*(NAMED_SHAPES[name] for name in condition.is_))
    if condition.min_length is not None or condition.max_length is not None:
        found &= {"array"}
    return found | {"absent"} if condition.optional else found


def _exclude_within(shape: str, one: Condition, other: Condition) -> bool:
    if shape == "array":
        return _too_short(one, other) or _too_short(other, one)
    if shape in ("object", "absent"):
        return False
    if _no_word_of(one, other) or _no_word_of(other, one):
        return True
    affixes = ((one.prefix, other.prefix, str.startswith), (one.suffix, other.suffix, str.endswith))
    return shape == "text" and any(_affixes_exclude(*each) for each in affixes)


def _too_short(one: Condition, other: Condition) -> bool:
    return one.max_length is not None and other.min_length is not None and one.max_length < other.min_length


def _no_word_of(one: Condition, other: Condition) -> bool:
    """The one lists words, and none of them meets what both say about the text."""
    words = words_of(one)
    if words is None:
        return False
    tests = [_about_text(one), _about_text(other)]
    return not any(all(holds(word) for holds in tests) for word in words)


def _about_text(condition: Condition) -> Predicate:
    """The part of a condition that is about the text of a scalar."""
    given = {name: value for name in ABOUT_TEXT if (value := getattr(condition, name)) is not None}
    return value_predicate(Condition.model_validate(given)) if given else lambda value: True


def _affixes_exclude(one: str | None, other: str | None, fits: Callable[[str, str], bool]) -> bool:
    return one is not None and other is not None and not fits(one, other) and not fits(other, one)


def _contains_not(outer: _At, inner: _At) -> bool:
    """The inner place must exist, and the outer one can't be what would hold it."""
    path, condition = parse(outer[0]), outer[1]
    inside = parse(inner[0]).steps
    if path.many or inside[: len(path.steps)] != path.steps or len(inside) == len(path.steps) or "absent" in _shapes(inner[1]):
        return False
    step = inside[len(path.steps)]
    if isinstance(step, int) and condition.max_length is not None and condition.max_length <= step:
        return True
    return not _holders(step) & _shapes(condition)


def _fork(one: _At, other: _At) -> bool:
    """Both places must exist, and what holds them would be an array for the one and an object for the other."""
    for mine, theirs in zip(parse(one[0]).steps, parse(other[0]).steps, strict=False):
        if isinstance(mine, Wild):
            return False
        if mine != theirs:
            return not _holders(mine) & _holders(theirs) and "absent" not in _shapes(one[1]) | _shapes(other[1])
    return False


def _holders(step: Step) -> frozenset[str]:
    """The shapes in which a step leads anywhere."""
    if isinstance(step, Wild):
        return frozenset({"array", "object"})
    return frozenset({"array"}) if isinstance(step, int) else frozenset({"object"})
