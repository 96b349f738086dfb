"""Book levels in the shape of a sample's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cexspec.compile.paths import Steps, Wild, parse
from cexspec.mock.document import get, like, put
from cexspec.mock.words import Inverse, inverse, written
from cexspec.spec.model import Levels
from cexspec.spec.model import Mapping as MappingSpec

SIDES = ("bids", "asks")


@dataclass(frozen=True, slots=True)
class LevelWriter:
    """Where a message has its levels, and how one is written. `lists` are those of bids and asks, or the mixed one."""

    lists: tuple[Steps, ...]
    mixed: bool
    single: bool
    split: str | None
    price: Inverse | None
    size: Inverse | None
    side: Inverse | None
    removed: tuple[tuple[Steps, str], ...]

    def write(self, item: Any, event: Mapping[str, Any]) -> Any:
        """The item with the event's levels instead of its own."""
        samples = (get(item, (*steps, 0)) for steps in self.lists)
        sample = get(item, self.lists[0]) if self.single else next((row for row in samples if isinstance(row, list | dict | str)), [])
        rows = {side: [self._row(sample, level, side[:-1]) for level in event[side]] for side in SIDES}
        if self.single:
            return put(item, self.lists[0], (rows["bids"] + rows["asks"])[0])
        if self.mixed:
            return put(item, self.lists[0], rows["bids"] + rows["asks"])
        return put(put(item, self.lists[0], rows["bids"]), self.lists[1], rows["asks"])

    def _row(self, sample: Any, level: tuple[Decimal, Decimal], side: str) -> Any:
        parts: Any = sample.split(self.split) if self.split and isinstance(sample, str) else copy.copy(sample)
        price, size = level
        gone = size == 0 and bool(self.removed)
        for rule, value in ((self.price, price), (self.size, Decimal(1) if gone else size), (self.side, side)):
            if rule is not None:
                steps = rule.paths[0].steps
                parts = put(parts, steps, written(rule, value, get(parts, steps)))
        for steps, mark in self.removed:
            current = get(parts, steps)
            parts = put(parts, steps, like(current, mark if gone else "1" if str(current) == mark else str(current)))
        return self.split.join(map(str, parts)) if self.split and isinstance(parts, list) else parts


def level_writer(mapping: MappingSpec) -> LevelWriter | None:
    """How a mapping's levels are written; None where it has none."""
    fields, levels = mapping.fields or {}, mapping.levels
    if levels is None and not {*SIDES} <= set(fields):
        return None
    if levels is None:
        levels = Levels.model_validate({**{side: fields[side].path for side in SIDES}, "price": "$[0]", "size": "$[1]"})
    steps = tuple(parse(text).steps for text in (levels.mixed, levels.bids, levels.asks) if text is not None)
    return LevelWriter(
        lists=tuple(one[:-1] if one[-1:] == (Wild.ELEMENTS,) else one for one in steps),
        mixed=levels.mixed is not None,
        single=levels.mixed is not None and steps[0][-1:] != (Wild.ELEMENTS,),
        split=levels.split,
        price=inverse(levels.price),
        size=inverse(levels.size),
        side=inverse(levels.side) if levels.side is not None else None,
        removed=tuple((parse(text).steps, condition.value or "") for text, condition in (levels.remove_when or {}).items()),
    )
