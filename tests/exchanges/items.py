"""Items of sample messages as raw JSON, and the enum words in them: what coverage looks at beside the events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cexspec.compile.conditions import predicate, text_of
from cexspec.compile.convert import parted
from cexspec.compile.paths import MISSING, parse
from cexspec.spec.model import FieldRule
from cexspec.spec.model import Mapping as SpecMapping
from cexspec.spec.model.mapping import Columns, Zip


@dataclass(frozen=True)
class Item:
    """One item of a message, with what a rule can reach from it."""

    item: object
    key: str | None
    parent: object
    message: object
    frame: object

    def at(self, rule: FieldRule, path: str) -> object:
        """The value of a rule's path; MISSING where there is none."""
        return parse(path).first(MISSING if rule.of == "request" else getattr(self, rule.of))


def rows(path: str, item: object, split: str | None) -> list[Any]:
    """The level rows at a path: many where it says so, else a list of rows or a single row."""
    found = list(parse(path).find(item))
    if not parse(path).many and found and isinstance(found[0], list) and found[0] and isinstance(found[0][0], list | dict):
        found = found[0]
    return [row.split(split) if split is not None and isinstance(row, str) else row for row in found]


def items(mapping: SpecMapping, document: object, frame: object) -> Iterator[Item]:
    """The items a mapping goes through, its own conditions applied."""
    keep = predicate(mapping.only) if mapping.only else None
    if isinstance(mapping.items, str) and mapping.items.count("[*]") == 2:
        nested = _nested(mapping.items, document)
        yield from (Item(item, None, parent, document, frame) for parent, item in nested if not keep or keep(item))
        return
    for key, item in _all_items(mapping, document):
        if key not in mapping.skip and (keep is None or keep(item)):
            yield Item(item, key, MISSING, document, frame)


def _all_items(mapping: SpecMapping, document: object) -> Iterable[tuple[str | None, object]]:
    if isinstance(mapping.items, Zip):
        return [(None, list(row)) for row in zip(*(_list(path, document) for path in mapping.items.zip), strict=False)]
    if isinstance(mapping.items, Columns):
        names = mapping.items.columns
        return [
            (None, dict(zip(names, row, strict=True))) for row in zip(*(_list(path, document) for path in names.values()), strict=False)
        ]
    if mapping.items is not None:
        return _keyed(mapping.items, document)
    return [(None, parse(mapping.item or "$").first(document))]


def _nested(path: str, document: object) -> Iterator[tuple[object, object]]:
    """The items of lists inside the elements of a list, each with its element."""
    head, star, tail = path.partition("[*]")
    for parent in parse(head + star).find(document):
        yield from ((parent, item) for item in parse(f"${tail}").find(parent))


def _list(path: str, document: object) -> list[Any]:
    found = parse(path).first(document)
    return found if isinstance(found, list) else []


def _keyed(path: str, document: object) -> Iterator[tuple[str | None, object]]:
    """The items at a path; those of an object with their keys."""
    head, star, _ = path.rpartition(".*")
    parent = parse(head).first(document) if star and path.endswith(".*") else None
    if isinstance(parent, dict):
        yield from parent.items()
    else:
        yield from ((None, item) for item in parse(path).find(document))


def values(rule: FieldRule, item: Item) -> list[object]:
    """The raw values at the paths of a rule."""
    return [item.at(rule, path) for path in ([rule.path] if rule.path is not None else rule.first_of or [])]


def excepted(rule: FieldRule, item: Item) -> bool:
    """Whether an item holds something else where a rule reads, and the rule says so."""
    return rule.unless is not None and predicate(rule.unless)(item.item)


def nothing(rule: FieldRule, item: Item) -> bool:
    """Whether an item has nothing for a rule, as far as the rule's own marks say."""
    if excepted(rule, item) or (rule.over is not None and _is_zero(item.at(rule, rule.over))):
        return True
    return rule.market is None and all(_none(rule, value) for value in values(rule, item))


def _none(rule: FieldRule, value: object) -> bool:
    text = text_of(value)
    if text is None or text in (rule.absent or ()) or (text == "" and rule.empty is not None):
        return True
    return rule.zero is not None and _is_zero(value)


def _is_zero(value: object) -> bool:
    text = text_of(value) or ""
    return text.replace(".", "", 1).strip("-0") == "" and "0" in text


def words(rule: FieldRule, value: object) -> Iterator[str]:
    """The enum word a raw value is, after the rules that come before words."""
    text = None if _none(rule, value) else _before_words(rule, value)
    if rule.map is not None and text in rule.map:
        yield text
    if rule.flag is not None and text in ("true", "false"):
        yield text
    if rule.sign is not None and text is not None:
        yield "negative" if Decimal(text) < 0 else "positive"


def _before_words(rule: FieldRule, value: object) -> str | None:
    text = text_of(value)
    if text is None:
        return None
    if rule.split is not None:
        parts = parted(text, rule.split.by)
        text = parts[rule.split.part] if -len(parts) <= rule.split.part < len(parts) else ""
    text = f"{rule.prefix or ''}{text.removeprefix(rule.strip or '')}"
    return {"upper": text.upper, "lower": text.lower}[rule.case]() if rule.case else text
