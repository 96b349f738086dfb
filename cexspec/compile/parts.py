"""A mapping taken apart: its items, rules and levels, with everything they read noted in a wire type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from cexspec.compile.access import Scope
from cexspec.compile.inline import request_conditions
from cexspec.compile.items import Items, compile_items
from cexspec.compile.leaves import Bases, paths_of, request_paths
from cexspec.compile.levels import LevelWriter
from cexspec.compile.merging import MergeWriter, Sharing
from cexspec.compile.numbers import NumberType
from cexspec.compile.paths import Steps, parse
from cexspec.compile.targets import PRICES_OF_SIZES, FieldTarget, Target, targets
from cexspec.compile.wire import Leaf, Wire
from cexspec.spec.model import FieldRule, Levels, Mapping
from cexspec.spec.model.node import place
from cexspec.spec.source import Where


@dataclass(frozen=True)
class Form:
    """One form of frame: where the message is in it, and where the envelope (None: there is none)."""

    message: Steps = ()
    frame: Steps | None = ()


class Twin(Enum):
    """Faster forms of a reader, for what most venues send: each fails on anything else."""

    PAIRS = "as USUAL, and a book level is a price and a size, both text, and nothing else"
    USUAL = "numbers are text or JSON numbers as in a sample, times integers or ISO 8601 as most write it"


@dataclass(frozen=True)
class Rule:
    """How one unified field is read; `bases`: where `$` is."""

    name: str
    rule: FieldRule
    target: FieldTarget
    bases: Bases


@dataclass(frozen=True)
class Parts:
    """What one form of a mapping is made of."""

    mapping: Mapping
    model: str
    message: Steps
    scope: Scope
    items: Items
    bases: Bases
    rules: tuple[Rule, ...]
    levels: LevelWriter | None
    length: int
    """elements of an item that is an array, up to the first that is mapped; 0: whatever there is will do"""
    merge: MergeWriter | None

    @property
    def names(self) -> frozenset[str]:
        """The unified fields that have a rule."""
        return frozenset(each.name for each in self.rules)

    @property
    def branches_on(self) -> frozenset[str]:
        """What of the market anything depends on: its `kind`, its `category`."""
        levels = self.levels.levels if self.levels is not None else None
        inside = [levels.price, levels.size] if levels is not None else []
        rules = (*inside, *(each.rule for each in self.rules))
        return frozenset(one.branching.on for rule in rules for one in rule.every if one.branching is not None)

    @property
    def scaled(self) -> bool:
        """Whether sizes may be contracts."""
        levels = self.levels is not None and self.levels.levels.size.scale is not None
        return levels or any(each.rule.scale is not None for each in self.rules)


def take_apart(mapping: Mapping, model: str, form: Form, number: NumberType, twin: Twin | None, sharing: Sharing | None) -> Parts:
    """Take a mapping apart for one form of its frames; `sharing` is with whom it shares what it merges. Raises PathError."""
    scope = Scope(Wire(number, narrow=twin is not None))
    items = compile_items(mapping, form.message, scope)
    if items.plain:
        scope.bind(items.element, "i", plain=True)
    bases = Bases(items.base, form.message, form.frame, items.parent)
    rules = (*_field_rules(mapping, model, bases), *_book_rules(mapping, bases))
    for each in rules:
        request_paths(scope, each.bases, each.rule, each.target, optional=sharing is not None and each.rule.of == "item")
    request_conditions(scope, items.base, mapping.only)
    if mapping.category is not None:
        path = parse(mapping.category.path)
        scope.request((*(bases.of(mapping.category.of) or ()), *path.steps), Leaf.SCALAR if path.rest is None else Leaf.ANY, required=False)
    if isinstance(mapping.snapshot_when, dict):
        request_conditions(scope, form.message, mapping.snapshot_when)
    merge = MergeWriter(sharing, mapping, bases, scope) if sharing is not None else None
    levels = _levels(mapping)
    lists = LevelWriter(levels, bases, scope, pairs=twin is Twin.PAIRS) if levels is not None else None
    if lists is not None:
        lists.request()
    length = 0 if lists is not None else _length(mapping, rules)
    scope.wire.fill(items.base, length)
    return Parts(mapping, model, form.message, scope, items, bases, rules, lists, length, merge)


def _length(mapping: Mapping, rules: tuple[Rule, ...]) -> int:
    """How long an item must be that is an array, so that anything of it is mapped: an empty one is nothing, and no event."""
    texts = [*(text for each in rules for text in _item_paths(each.rule)), *(mapping.only or ())]
    first = [path.steps[0] if path.steps else None for path in map(parse, texts)]
    indices = [step for step in first if isinstance(step, int) and step >= 0]
    return min(indices) + 1 if indices and len(indices) == len(first) else 0


def _item_paths(rule: FieldRule) -> Iterator[str]:
    """The paths by which a rule and those inside of it read the item."""
    yield from (path for one in rule.every if one.of == "item" for path in paths_of(one))


def _field_rules(mapping: Mapping, model: str, bases: Bases) -> Iterator[Rule]:
    """The rules in the order of the model's fields: the symbol comes first; prices before the sizes they convert."""
    fields, known = mapping.fields or {}, targets(model)
    places = {name: at for at, name in enumerate(known)}

    def last(name: str) -> int:
        return max(places.get(one, 0) for one in (name, *(PRICES_OF_SIZES.get(name, ()) if fields[name].scale is not None else ())))

    for name in sorted((name for name in known if name in fields), key=last):
        if known[name].target is not Target.LEVELS:
            yield Rule(name, fields[name], known[name], bases)


def _book_rules(mapping: Mapping, bases: Bases) -> Iterator[Rule]:
    """What `sequence` and `checksum` read, as rules of the fields they fill."""
    known, sequence, checksum = targets("book"), mapping.sequence, mapping.checksum
    if sequence is not None:
        place = replace(bases, item=bases.message) if sequence.of == "message" else bases
        for name, key in (("sequence", "last"), ("first_sequence", "first"), ("previous_sequence", "previous")):
            if (path := getattr(sequence, key)) is not None:
                yield Rule(name, _optional(path, (*sequence.where, key)), known[name], place)
    if checksum is not None:
        yield Rule("checksum", _optional(checksum.value, (*checksum.where, "value")), known["checksum"], bases)


def _optional(path: str, where: Where) -> FieldRule:
    rule = FieldRule(path=path, optional=True)
    place(rule, where)
    return rule


def _levels(mapping: Mapping) -> Levels | None:
    """The levels as given, or those that plain `bids` and `asks` stand for."""
    fields = mapping.fields or {}
    if mapping.levels is not None or not {"bids", "asks"} <= fields.keys():
        return mapping.levels
    levels = Levels.model_validate({"bids": fields["bids"].path, "asks": fields["asks"].path, "price": "$[0]", "size": "$[1]"})
    place(levels, mapping.where)
    return levels
