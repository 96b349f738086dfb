"""What a message becomes: fields, levels, wire type and extractor."""

from __future__ import annotations

from collections.abc import Iterator

from cexspec.compile.explanation.text import Lines, Row, Section, compact, conditions
from cexspec.compile.plan import ReaderPlan
from cexspec.spec.model import FieldRule, Levels, Mapping


def reading(lines: Lines, reader: ReaderPlan, mapping: Mapping) -> Iterator[Section]:
    """How a reader makes events of a message."""
    model = str(reader.model.__struct_config__.tag)
    yield Section(f"fields of {model}", [*_items(lines, mapping), *_fields(lines, mapping), *_derived(model)])
    yield Section("wire type", [Row("", line) for line in reader.layout()])
    yield Section("extractor", [Row("", line) for line in reader.source.rstrip().splitlines()])
    if reader.unlowered:
        yield Section("walked, not lowered", [Row("", path) for path in reader.unlowered])


def _items(lines: Lines, mapping: Mapping) -> Iterator[Row]:
    if mapping.items is not None:
        items = mapping.items if isinstance(mapping.items, str) else compact(mapping.items.model_dump(exclude_unset=True))
        yield Row("$", f"each of {items}", lines.at((*mapping.where, "items")))
    elif mapping.item is not None:
        yield Row("$", mapping.item, lines.at((*mapping.where, "item")))
    else:
        yield Row("$", "the message")
    if mapping.skip:
        yield Row("except", compact(mapping.skip), lines.at((*mapping.where, "except")))
    if mapping.only is not None:
        yield Row("only", f"where {conditions(mapping.only)}", lines.at((*mapping.where, "only")))
    if mapping.merge is not None:
        reset = f", anew when {conditions(mapping.merge.reset_when)}" if mapping.merge.reset_when is not None else ""
        yield Row("merge", f"into the last one of the same {mapping.merge.by}{reset}", lines.at(mapping.merge.where))


def _fields(lines: Lines, mapping: Mapping) -> Iterator[Row]:
    for name, rule in (mapping.fields or {}).items():
        yield Row(name, _rule(rule), lines.at(rule.where))
    if mapping.levels is not None:
        yield from _levels(lines, mapping.levels)
    when = mapping.snapshot_when
    if when is not None:
        text = when if isinstance(when, str) else conditions(when)
        yield Row("is_snapshot", text, lines.at((*mapping.where, "snapshot_when")))
    for part, keys in (("sequence", ("rule", "first", "last", "previous")), ("checksum", ("hook", "depth", "value", "precision", "until"))):
        if (node := getattr(mapping, part)) is not None:
            given = [f"{key} {getattr(node, key)}" for key in keys if getattr(node, key) is not None]
            yield Row(part, ", ".join(given), lines.at((*mapping.where, part)))


def _derived(model: str) -> Iterator[Row]:
    """What follows from the fields that are there."""
    if (told := _FOLLOWS.get(model)) is not None:
        yield Row("", told)


_FOLLOWS = {
    "order": "of quantity, filled and remaining two give the third; a new one with fills is partially_filled",
    "balance": "of total, free and used two give the third",
}


def _levels(lines: Lines, levels: Levels) -> Iterator[Row]:
    for key in ("bids", "asks", "mixed", "split"):
        if (text := getattr(levels, key)) is not None:
            yield Row(key, text, lines.at((*levels.where, key)))
    for key in ("price", "size", "side"):
        if (rule := getattr(levels, key)) is not None:
            yield Row(f"  {key}", _rule(rule), lines.at((*levels.where, key)))
    if levels.remove_when is not None:
        yield Row("  removed", f"when {conditions(levels.remove_when)}", lines.at((*levels.where, "remove_when")))


def _rule(rule: FieldRule) -> str:
    given = rule.model_dump(exclude_unset=True, by_alias=True)
    path = given.pop("path", None)
    words = [key if value is True or value == {} else f"{key} {compact(value)}" for key, value in given.items()]
    return ", ".join([path, *words] if path is not None else words)
