"""Book levels in the shape of a sample's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cexspec.compile.paths import Wild, parse
from cexspec.mock.document import get, like, put
from cexspec.mock.words import written
from cexspec.spec.model import FieldRule, Levels
from cexspec.spec.model import Mapping as MappingSpec

SIDES = ("bids", "asks")


def levels_of(mapping: MappingSpec) -> Levels | None:
    """Where a mapping has its book levels, if it has any."""
    fields = mapping.fields or {}
    if mapping.levels is None and "bids" in fields and "asks" in fields:
        return Levels.model_validate({**{side: fields[side].path for side in SIDES}, "price": "$[0]", "size": "$[1]"})
    return mapping.levels


def single(levels: Levels) -> bool:
    """Whether a message holds one level only."""
    return levels.mixed is not None and parse(levels.mixed).steps[-1:] != (Wild.ELEMENTS,)


def write_levels(mapping: MappingSpec, item: Any, event: Mapping[str, Any]) -> Any:
    """The item with the event's levels instead of its own."""
    levels = levels_of(mapping)
    if levels is None:
        return item
    if levels.mixed is not None:
        steps = parse(levels.mixed).steps
        sample = get(item, steps)
        rows = [_row(levels, sample, level, side[:-1]) for side in SIDES for level in event[side]]
        return put(item, steps, rows[0]) if single(levels) else put(item, steps[:-1], rows)
    paths = [_steps(text) for text in (levels.bids, levels.asks)]
    sample = next((row for path in paths for row in (get(item, (*path, 0)),) if isinstance(row, list | dict | str)), [])
    for side, path in zip(SIDES, paths, strict=True):
        item = put(item, path, [_row(levels, sample, level, side[:-1]) for level in event[side]])
    return item


def _steps(text: str | None) -> tuple[Any, ...]:
    steps = parse(text or "$").steps
    return steps[:-1] if steps[-1:] == (Wild.ELEMENTS,) else steps


def _row(levels: Levels, sample: Any, level: tuple[Decimal, Decimal], side: str) -> Any:
    parts: Any = sample.split(levels.split) if levels.split and isinstance(sample, str) else copy.deepcopy(sample)
    price, size = level
    removed = size == 0 and levels.remove_when is not None
    parts = _set(parts, levels.price, price)
    parts = _set(parts, levels.size, Decimal(1) if removed else size)
    if levels.side is not None:
        parts = _set(parts, levels.side, side)
    for text, condition in (levels.remove_when or {}).items():
        steps = parse(text).steps
        current = get(parts, steps)
        mark = condition.value if removed else str(current) if str(current) != condition.value else "1"
        parts = put(parts, steps, like(current, mark))
    return levels.split.join(map(str, parts)) if levels.split and isinstance(parts, list) else parts


def _set(base: Any, rule: FieldRule, value: Any) -> Any:
    steps = parse(rule.path or "$").steps
    return put(base, steps, written(rule, value, get(base, steps)))
