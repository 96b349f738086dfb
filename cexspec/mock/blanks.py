"""Items of samples with what doesn't apply taken out: a value that there is none of is written as the venue writes none."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cexspec.compile.paths import MISSING, Steps, parse
from cexspec.mock.document import get, like, put
from cexspec.spec.model import FieldRule

WORDS = ("type", "status", "side", "time_in_force", "liquidity", "margin_mode", "currency")
"""Fields that make items of samples alike."""


def nearest(event: Mapping[str, Any], known: Sequence[Mapping[str, Any]], items: Sequence[Any]) -> Any:
    """Of a sample's items, whose events are known, the one most like an event: of the same words, the same state, the same fields."""

    def alike(other: Mapping[str, Any]) -> tuple[int, bool, int]:
        same = sum(event.get(name) is not None and str(other.get(_told(name))) == str(event[name]) for name in WORDS)
        unlike = sum((other.get(_told(name)) is None) != (value is None) for name, value in event.items())
        return same, other.get("status") == event.get("status"), -unlike

    pairs = list(zip(known, items, strict=False))
    return max(pairs, key=lambda pair: alike(pair[0]))[1] if pairs else next(iter(items), None)


def blanked(item: Any, fields: Mapping[str, FieldRule], event: Mapping[str, Any]) -> Any:
    """A copy of a sample's item in which the fields that an event has not are none."""
    item = copy.deepcopy(item)
    for name, rule in fields.items():
        if name in event and event[name] is None:
            for one in rule.every:
                item = _without(item, one)
    return item


def _without(item: Any, rule: FieldRule) -> Any:
    if rule.of != "item":
        return item
    for steps in _places(rule):
        current = get(item, steps)
        if current is MISSING:
            continue
        if rule.optional:
            item = _removed(item, steps)
        elif (none := _none(rule, current)) is not MISSING:
            item = put(item, steps, none)
    return item


def _none(rule: FieldRule, current: Any) -> Any:
    """How the venue writes that there is none; MISSING: it doesn't."""
    if rule.empty is not None:
        return ""
    if rule.absent:
        return rule.absent[0]
    return like(current, 0) if rule.zero is not None else MISSING


def _places(rule: FieldRule) -> Iterable[Steps]:
    texts = [rule.path] if rule.path is not None else rule.first_of or []
    return [path.steps for path in map(parse, texts) if path.rest is None and path.steps]


def _removed(item: Any, steps: Steps) -> Any:
    """The item without what is at some steps; an element of a list becomes null, so that the others stay where they are."""
    around = get(item, steps[:-1])
    if isinstance(around, dict):
        del around[steps[-1]]
        return item
    return put(item, steps, None)


def _told(name: str) -> str:
    return "order_type" if name == "type" else name
