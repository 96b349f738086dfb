"""Every path of a mapping, with its place in the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cexspec.spec.model import Condition, FieldRule, Levels, Mapping
from cexspec.spec.model.mapping import Columns, Zip
from cexspec.spec.source import Where


class PathAt(NamedTuple):
    """A path as written and where; `single`: it must find one value."""

    text: str
    where: Where
    single: bool


def mapping_paths(mapping: Mapping) -> Iterator[PathAt]:
    """All of them, in the order of the spec language's keys."""
    at = mapping.where
    yield from _items_paths(mapping)
    if mapping.category is not None:
        yield PathAt(mapping.category.path, mapping.category.where, True)
    for key in ("only", "snapshot_when", "match", "shape"):
        yield from condition_paths(getattr(mapping, key, None), (*at, key))
    if mapping.merge is not None:
        yield PathAt(mapping.merge.by, (*mapping.merge.where, "by"), True)
        yield from condition_paths(mapping.merge.reset_when, (*mapping.merge.where, "reset_when"))
    for name, rule in (mapping.fields or {}).items():
        yield from rule_paths(rule, (*at, "fields", name))
    yield from _proof_paths(mapping)
    if mapping.levels is not None:
        yield from _level_paths(mapping.levels, (*at, "levels"))


def condition_paths(conditions: object, where: Where) -> Iterator[PathAt]:
    """The paths of conditions; none, where there is something else than conditions."""
    if isinstance(conditions, dict):
        yield from (PathAt(path, (*where, path), True) for path, condition in conditions.items() if isinstance(condition, Condition))


def rule_paths(rule: FieldRule, where: Where) -> Iterator[PathAt]:
    """The paths of a field rule and of those inside of it."""
    yield from _own_paths(rule, where)
    for keys, inner in rule.inner:
        yield from rule_paths(inner, (*where, *keys))


def _own_paths(rule: FieldRule, where: Where) -> Iterator[PathAt]:
    if rule.path is not None:
        yield PathAt(rule.path, where, True)
    for index, text in enumerate(rule.first_of or []):
        yield PathAt(text, (*where, "first_of", index), True)
    if rule.lookup is not None:
        for key, text in (("in", rule.lookup.in_), ("by", rule.lookup.by), ("take", rule.lookup.take)):
            yield PathAt(text, (*where, "lookup", key), True)
    for key, factor in (("minus", rule.minus), ("times", rule.times), ("over", rule.over)):
        if factor is not None:
            yield PathAt(factor, (*where, key), True)
    yield from condition_paths(rule.unless, (*where, "unless"))


def item_paths(mapping: Mapping) -> Iterator[PathAt]:
    """Those that start at the item."""
    yield from condition_paths(mapping.only, (*mapping.where, "only"))
    if mapping.category is not None and mapping.category.of == "item":
        yield PathAt(mapping.category.path, mapping.category.where, True)
    for name, rule in (mapping.fields or {}).items():
        yield from _of_item(rule, (*mapping.where, "fields", name))


def _of_item(rule: FieldRule, where: Where) -> Iterator[PathAt]:
    if rule.of == "item":  # a table to look up in is the message's
        yield from (path for path in _own_paths(rule, where) if path.where[: len(where) + 1] != (*where, "lookup"))
    else:
        yield from condition_paths(rule.unless, (*where, "unless"))
    for keys, inner in rule.inner:
        yield from _of_item(inner, (*where, *keys))


def _items_paths(mapping: Mapping) -> Iterator[PathAt]:
    at, items = mapping.where, mapping.items
    if mapping.item is not None:
        yield PathAt(mapping.item, (*at, "item"), False)
    if isinstance(items, Zip):
        yield from (PathAt(text, (*at, "items", "zip", index), True) for index, text in enumerate(items.zip))
    elif isinstance(items, Columns):
        yield from (PathAt(text, (*at, "items", "columns", name), True) for name, text in items.columns.items())
    elif items is not None:
        yield PathAt(items, (*at, "items"), False)


def _proof_paths(mapping: Mapping) -> Iterator[PathAt]:
    """How books prove that nothing was lost."""
    if mapping.sequence is not None:
        for key in ("first", "last", "previous"):
            if (text := getattr(mapping.sequence, key)) is not None:
                yield PathAt(text, (*mapping.sequence.where, key), True)
    if mapping.checksum is not None:
        yield PathAt(mapping.checksum.value, (*mapping.checksum.where, "value"), True)


def _level_paths(levels: Levels, at: Where) -> Iterator[PathAt]:
    for key in ("bids", "asks", "mixed"):
        if (text := getattr(levels, key)) is not None:
            yield PathAt(text, (*at, key), False)
    for key in ("price", "size", "side"):
        if (rule := getattr(levels, key)) is not None:
            yield from rule_paths(rule, (*at, key))
    yield from condition_paths(levels.remove_when, (*at, "remove_when"))
