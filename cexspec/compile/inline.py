"""Conditions inside an extractor and in wire types, over the typed message."""

from __future__ import annotations

from collections.abc import Mapping

from cexspec.compile.access import Scope
from cexspec.compile.conditions import integers, numeric, value_predicate, words_of
from cexspec.compile.paths import Steps, parse
from cexspec.compile.wire import Leaf
from cexspec.spec.model import Condition


def request_conditions(scope: Scope, base: Steps, conditions: Mapping[str, Condition] | None) -> None:
    """Add what conditions look at to the wire type. Raises PathError."""
    for text, condition in (conditions or {}).items():
        path = parse(text)
        scope.request((*base, *path.steps), leaf_of(condition) if path.rest is None else Leaf.ANY, required=False)


def leaf_of(condition: Condition) -> Leaf:
    """A scalar where only its value matters; anything where its shape does."""
    shaped = condition.is_ is not None or condition.min_length is not None or condition.max_length is not None
    return Leaf.ANY if shaped else Leaf.SCALAR


def condition_code(scope: Scope, base: Steps, conditions: Mapping[str, Condition]) -> str:
    """An expression that tells whether all of them hold."""
    return " and ".join(_code(scope, base, text, condition) for text, condition in conditions.items())


def _code(scope: Scope, base: Steps, text: str, condition: Condition) -> str:
    found = scope.access(base, parse(text))
    words = _mere_words(condition)
    if words is not None and not found.plain and not any(map(_ambiguous, words)):  # then only texts equal them
        return f"{found.code} in {scope.constant(words, 'words')}"
    return f"{scope.constant(value_predicate(condition), 'holds')}({found.code})"


Demand = tuple[Steps, Leaf, tuple[str | int, ...]]
"""A place of a message, and what alone may stand there: a leaf with its words."""


def demanded(condition: Condition) -> tuple[Leaf, tuple[str | int, ...]] | None:
    """What alone meets a condition on the message, as a leaf with its words; None where no wire type can tell."""
    if condition.of != "message":
        return None
    if condition.model_fields_set <= {"prefix", "suffix", "of"} and (condition.prefix or condition.suffix):
        return Leaf.AFFIXED, (condition.prefix or "", condition.suffix or "")
    if condition.model_fields_set <= {"is_", "of"} and condition.is_ is not None and set(condition.is_) == {"absent"}:
        return Leaf.NOTHING, ()
    words = _mere_words(condition)
    whole = integers(words or ())
    if not words or len(whole) < sum(map(_ambiguous, words)):
        return None
    return Leaf.WORDS, (*sorted(words), *sorted(whole))


def _mere_words(condition: Condition) -> frozenset[str] | None:
    """The words of a condition that says nothing else; one that allows nothing to be there says more."""
    return words_of(condition) if condition.model_fields_set <= {"value", "any_of", "of"} else None


def _ambiguous(word: str) -> bool:
    """Whether a number or truth value may read as the word."""
    return numeric(word) or word in ("true", "false")
