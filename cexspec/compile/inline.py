"""Conditions inside an extractor, over the typed message."""

from __future__ import annotations

from collections.abc import Mapping

from cexspec.compile.access import Scope
from cexspec.compile.conditions import test
from cexspec.compile.paths import Steps, parse
from cexspec.compile.wire import Leaf
from cexspec.spec.model import Condition


def request_conditions(scope: Scope, base: Steps, conditions: Mapping[str, Condition] | None) -> None:
    """Add what conditions look at to the wire type. Raises PathError."""
    for text, condition in (conditions or {}).items():
        path = parse(text)
        scope.wire.add((*base, *path.steps), leaf_of(condition) if path.rest is None else Leaf.ANY, required=False)


def leaf_of(condition: Condition) -> Leaf:
    """A scalar where only its value matters; anything where its shape does."""
    shaped = condition.is_ is not None or condition.min_length is not None or condition.max_length is not None
    return Leaf.ANY if shaped else Leaf.SCALAR


def condition_code(scope: Scope, base: Steps, conditions: Mapping[str, Condition]) -> str:
    """An expression that tells whether all of them hold."""
    return " and ".join(_code(scope, base, text, condition) for text, condition in conditions.items())


def _code(scope: Scope, base: Steps, text: str, condition: Condition) -> str:
    value = scope.access(base, parse(text)).code
    words = [condition.value] if condition.value is not None else condition.any_of
    if words is not None and condition.model_fields_set <= {"value", "any_of"}:
        return f"{value} in {scope.constant(_variants(words), 'words')}"
    return f"{scope.constant(test(condition), 'holds')}({value})"


def plain_words(condition: Condition) -> tuple[str | int, ...] | None:
    """The texts and integers that meet a condition, where it is nothing but a list of them."""
    words = [condition.value] if condition.value is not None else condition.any_of
    if words is None or condition.of != "message" or not condition.model_fields_set <= {"value", "any_of"} or set(words) & {"true", "false"}:
        return None
    found: list[str | int] = list(words)
    found += [int(word) for word in words if word.isascii() and word.lstrip("-").isdigit()]
    return tuple(found)


def _variants(words: list[str]) -> frozenset[object]:
    """A word as JSON may hold it: the text, and the number or truth value it looks like."""
    found: set[object] = set(words)
    for word in words:
        if word.lstrip("-").isdigit():
            found.add(int(word))
        elif word in ("true", "false"):
            found.add(word == "true")
    return frozenset(found)
