"""The way back: unified values written into a copy of a sample message, by the same mapping that reads them.

Every form stays the sample's: a number that is text there becomes text, a number a number.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from cexspec.compile.conditions import Predicate, predicate
from cexspec.compile.paths import MISSING, Path, Steps, Wild, parse, walk
from cexspec.mock.bars import BarEnd, bar_ends
from cexspec.mock.document import get, like, put
from cexspec.mock.levels import SIDES, level_writer
from cexspec.mock.nesting import Nest
from cexspec.mock.words import Inverse, inverse, is_zero, key_of, written
from cexspec.spec.model import FieldRule
from cexspec.spec.model import Mapping as MappingSpec
from cexspec.spec.model.mapping import Columns, Zip

Values = Mapping[str, Any]
"""Unified fields of one event; `bids` and `asks` are lists of (price, size), sizes in the venue's own unit."""

OTHER = "other"
"""The key of `by_kind` and `by_category` for what they don't name, and of rules that are the same for all."""


class Encoder:
    """Writes events in the shape of one sample message.

    `mappings` are those that read the message: the first says where its items are, all of them which fields they have.
    `payload` leads from the frame to the message, `intervals` are the venue's words by the unified ones. Besides fields, events
    may have `like`, the item of the sample to fill, `known`, what that says already, `key`, what the venue calls their market, and
    `entire`, whether fields are written that the item leaves out.
    """

    def __init__(self, mappings: Sequence[MappingSpec], sample: object, intervals: Mapping[str, str], payload: Steps = ()) -> None:
        self.sample, self._payload = sample, payload if get(sample, payload) is not MISSING else ()
        self._items, self._item, self._only = mappings[0].items, parse(mappings[0].item or "$").steps, mappings[0].only
        self._keyed = next((name for name, rule in (mappings[0].fields or {}).items() if rule.of == "key"), "symbol")
        self._skipped = mappings[0].skip
        self._fits: Predicate = predicate(self._only) if self._only else bool
        self._fields = [field for mapping in mappings for field in _fields(mapping, intervals, self._within(mapping))]
        self._numbers = [number for mapping in mappings for number in _numbers(mapping, self._within(mapping))]
        self.levels = level_writer(mappings[0])

    def encode(self, events: Iterable[Values], branches: Sequence[str] = ()) -> Any:
        """The sample with these events instead of its own; `branches` are the market's kind and category, for rules by them."""
        document = copy.deepcopy(self.sample)
        message = get(document, self._payload)
        items = [(self._key(event), *self._written(document, message, event, branches)) for event in events]
        return put(document, self._payload, self._placed(message, items))

    @cached_property
    def samples(self) -> list[Any]:
        """The items of the sample that count, as they are."""
        message = get(self.sample, self._payload)
        match self._items:
            case None:
                return [get(message, self._item)]
            case Zip(zip=paths):
                return [list(row) for row in zip(*(get(message, _list_at(path)) for path in paths), strict=False)]
            case Columns(columns=columns):
                rows = zip(*(get(message, _list_at(path)) for path in columns.values()), strict=False)
                return [dict(zip(columns, row, strict=True)) for row in rows]
            case path:
                return [item for item in walk(message, parse(str(path)).steps) if self._fits(item)]

    @cached_property
    def keys(self) -> list[str | None]:
        """What the venue calls each of `samples` where an object holds them; None for all others."""
        steps = parse(self._items).steps if isinstance(self._items, str) else ()
        if steps[-1:] != (Wild.VALUES,) or Wild.VALUES in steps[:-1] or Wild.ELEMENTS in steps[:-1]:
            return [None] * len(self.samples)
        return [key for key, item in get(get(self.sample, self._payload), steps[:-1]).items() if self._fits(item)]

    @cached_property
    def _ends(self) -> list[tuple[str, BarEnd]]:
        """Of bars, where their ends stand: in what, and how."""
        message = get(self.sample, self._payload)
        bases = {"item": next(iter(self.samples), None), "message": message}
        openings = (rule for name, branches in self._fields if name == "timestamp" for rule in branches.values() if rule is not None)
        return [(rule.of, end) for rule in openings if rule.of in bases for end in bar_ends(rule, bases[rule.of])]

    @cached_property
    def _nest(self) -> Nest | None:
        if not isinstance(self._items, str):
            return None
        told = any(rule.of == "parent" for name, branches in self._fields if name == "symbol" for rule in branches.values() if rule)
        return Nest.of(get(self.sample, self._payload), parse(self._items).steps, self._fits, told)

    def _key(self, event: Values) -> Any:
        """What an object of items has it under: what the venue calls its market, unless another field is the key."""
        named = event.get("key") if self._keyed == "symbol" else None
        return named if named is not None else event.get(self._keyed)

    def _within(self, mapping: MappingSpec) -> Steps:
        """Where in the message the one thing is that a mapping is about, as far as the first one's is another."""
        own = parse(mapping.item or "$").steps
        return () if self._items is not None or mapping.items is not None or own == self._item else own

    def _written(self, document: Any, message: Any, event: Values, chosen: Sequence[str]) -> tuple[Any, Any]:
        """The element that has it, and one item with the event's values; what stands around it is written where it stands."""
        is_message = self._items is None and not self._item
        if is_message and event.get("like") is not None:
            message = self._template(event)
        bases = {"item": message if is_message else self._template(event), "message": message, "frame": document}
        home = self._nest.home(bases["item"]) if self._nest is not None else None
        if self._nest is not None and self._nest.singly:
            home = bases["parent"] = copy.deepcopy(home)
        known = event.get("known") or {}
        for name, branches in self._fields:
            rule = _read(next((branches[name] for name in (*chosen, OTHER) if name in branches), None), bases)
            if rule is None or event.get(name) is None or bases.get(rule.of) is None or str(known.get(name)) == str(event[name]):
                continue
            bases[rule.of] = _told(rule, bases[rule.of], event[name], message, entire=bool(event.get("entire")))
        for of, end in self._ends if "end" in event else ():
            bases[of] = end.write(bases[of], event["end"])
        for of, name, steps in self._numbers:
            if event.get(name) is not None:
                bases[of] = put(bases[of], steps, like(get(bases[of], steps), event[name]))
        item = bases["item"]
        return home, self.levels.write(item, event) if self.levels is not None and "bids" in event else item

    def _template(self, event: Values) -> Any:
        return copy.deepcopy(event.get("like") or (self.samples[0] if self.samples else {}))

    def _placed(self, message: Any, items: list[tuple[Any, Any, Any]]) -> Any:
        match self._items:
            case Zip(zip=paths):
                for at, path in enumerate(paths):
                    message = put(message, _list_at(path), [item[at] for *_, item in items])
            case Columns(columns=columns):
                for name, path in columns.items():
                    message = put(message, _list_at(path), [item[name] for *_, item in items])
            case str() if self._nest is not None and items:
                message = self._nest.filled(message, [(element, item) for _, element, item in items])
            case str(path):
                message = _listed(message, parse(path).steps, [(key, item) for key, _, item in items], self._skipped)
            case None if items:
                message = put(message, self._item, items[0][2])
        return message


def _fields(mapping: MappingSpec, intervals: Mapping[str, str], within: Steps) -> list[tuple[str, dict[str, Inverse | None]]]:
    """Each field with its rule by kind or category; signs last, because they go onto the sizes, and what is divided by others."""
    fields = [(name, rule) for name, rule in (mapping.fields or {}).items() if name not in SIDES]
    fields.sort(key=lambda field: (field[1].sign is not None, any(one.over is not None for one in field[1].every)))
    words = {"interval": intervals}
    found = [(name, {branch: inverse(one, words.get(name)) for branch, one in _branches(rule).items()}) for name, rule in fields]
    return [(name, {branch: _moved(rule, within) for branch, rule in branches.items()}) for name, branches in found]


def _moved(rule: Inverse | None, within: Steps) -> Inverse | None:
    """A rule for what is within a message as one for the message."""
    if rule is None or not within or rule.of != "item":
        return rule
    moved = tuple(replace(path, steps=(*within, *path.steps)) for path in rule.paths)
    minus, over = (replace(path, steps=(*within, *path.steps)) if path is not None else None for path in (rule.minus, rule.over))
    return replace(rule, of="message", paths=moved, minus=minus, over=over)


def _branches(rule: FieldRule) -> dict[str, FieldRule]:
    return dict(rule.branching.rules) if rule.branching is not None else {OTHER: rule}


def _numbers(mapping: MappingSpec, within: Steps) -> Iterator[tuple[str, str, Steps]]:
    """Where sequence numbers and the checksum stand: in what, their name, the steps."""
    item, moved = ("message", within) if within else ("item", ())
    if (sequence := mapping.sequence) is not None:
        names = {"sequence": sequence.last, "first_sequence": sequence.first, "previous_sequence": sequence.previous}
        of, around = (item, moved) if sequence.of == "item" else (sequence.of, ())
        yield from ((of, name, (*around, *parse(text).steps)) for name, text in names.items() if text is not None)
    if mapping.checksum is not None:
        yield item, "checksum", (*moved, *parse(mapping.checksum.value).steps)


def _place(rule: Inverse, base: Any) -> Path:
    """Where a rule reads: of several places the first that the sample has."""
    return next((path for path in rule.paths if get(base, path.steps) is not MISSING), rule.paths[-1])


def _read(rule: Inverse | None, bases: Mapping[str, Any]) -> Inverse | None:
    """The rule by which a sample's own value is read, of one and those to fall back on."""
    while rule is not None and rule.other is not None and bases.get(rule.of) is not None:
        base = bases[rule.of]
        undivided = rule.over is not None and is_zero(get(base, rule.over.steps))
        if not rule.unless(bases["item"]) and not undivided and not rule.is_none(get(base, _place(rule, base).steps)):
            break
        rule = rule.other
    return rule


def _told(rule: Inverse, base: Any, value: Any, message: Any, *, entire: bool) -> Any:
    """`base` with a value; as it is where the sample says nothing there and the venue need not, or has no word for the value."""
    steps = _place(rule, base).steps
    current = get(base, steps)
    if current is MISSING and ((rule.optional and not entire) or (rule.words is not None and value not in rule.words)):
        return base
    if rule.over is not None:
        value = Decimal(str(value)) * Decimal(str(get(base, rule.over.steps)))
    if rule.minus is not None:
        value = Decimal(str(value)) + Decimal(str(get(base, rule.minus.steps)))
    return put(base, steps, written(rule, value, current) if rule.lookup is None else key_of(rule, value, message))


def _list_at(path: str) -> Steps:
    """The steps to a list that a path may name with or without `[*]`."""
    steps = parse(path).steps
    return steps[:-1] if steps[-1:] == (Wild.ELEMENTS,) else steps


def _listed(message: Any, steps: Steps, items: list[tuple[Any, Any]], skipped: Sequence[str]) -> Any:
    """The items in place of the sample's, at the last wildcard; what wraps each of them is the sample's too."""
    at = max(number for number, step in enumerate(steps) if isinstance(step, Wild))
    wrapper = get(message, steps[: at + 1])
    wrapped = [(key, put(copy.deepcopy(wrapper), steps[at + 1 :], item)) for key, item in items]
    if steps[at] is Wild.VALUES:
        return put(message, steps[:at], dict(wrapped))
    key = items[0][0] if items else None
    return put(_single(message, steps[:at], key, skipped), steps[:at], [item for _, item in wrapped])


def _single(message: Any, steps: Steps, key: Any, skipped: Sequence[str]) -> Any:
    """The message with one element at each wildcard on the way, in an object under `key` beside what is no item there."""
    for at, step in enumerate(steps):
        around = get(message, steps[:at])
        if step is Wild.ELEMENTS:
            message = put(message, steps[:at], around[:1])
        elif step is Wild.VALUES and key is not None:
            own: Any = next((inner for name, inner in around.items() if name not in skipped), [])
            message = put(message, steps[:at], {key: own, **{name: around[name] for name in skipped if name in around}})
    return message
