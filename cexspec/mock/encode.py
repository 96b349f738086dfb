"""The way back: unified values written into a copy of a sample message, by the same mapping that reads them.

Every form stays the sample's: a number that is text there becomes text, a number a number.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cexspec.compile.conditions import predicate
from cexspec.compile.paths import MISSING, Path, Steps, Wild, parse, walk
from cexspec.mock.document import get, like, put
from cexspec.mock.levels import write_levels
from cexspec.mock.words import written
from cexspec.spec.model import FieldRule
from cexspec.spec.model import Mapping as MappingSpec
from cexspec.spec.model.mapping import Columns, Zip

Values = Mapping[str, Any]
"""Unified fields of one event; `bids` and `asks` are lists of (price, size), sizes in the venue's own unit."""


class Encoder:
    """Writes events in the shape of one sample message.

    `mappings` are those that read the message: the first says where its items are, all of them which fields they have.
    `payload` leads from the frame to the message, `intervals` are the venue's words by the unified ones.
    """

    def __init__(self, mappings: Sequence[MappingSpec], sample: object, intervals: Mapping[str, str], payload: Steps = ()) -> None:
        self._mapping, self._mappings = mappings[0], mappings
        self._sample, self._intervals = sample, intervals
        self._payload = payload if get(sample, payload) is not MISSING else ()

    def encode(self, events: Iterable[Values], kind: str) -> Any:
        """The sample with these events instead of its own; `kind` chooses the branch of `by_kind`."""
        document = copy.deepcopy(self._sample)
        message = get(document, self._payload)
        items = [(self._key(event), self._item(document, message, event, kind)) for event in events]
        return put(document, self._payload, self._placed(message, items))

    def samples(self) -> list[Any]:
        """The items of the sample that count, as they are."""
        message = get(self._sample, self._payload)
        match self._mapping.items:
            case None:
                return [get(message, parse(self._mapping.item or "$").steps)]
            case Zip(zip=paths):
                return [[get(message, (*_list_at(path), 0)) for path in paths]]
            case Columns(columns=columns):
                return [{name: get(message, (*_list_at(path), 0)) for name, path in columns.items()}]
            case path:
                fits = predicate(self._mapping.only) if self._mapping.only else bool
                return [item for item in walk(message, parse(str(path)).steps) if fits(item)]

    def _item(self, document: Any, message: Any, event: Values, kind: str) -> Any:
        samples = self.samples()
        bases = {"item": copy.deepcopy(event.get("like") or (samples[0] if samples else {})), "message": message, "frame": document}
        for mapping in self._mappings:
            fields = [(name, rule) for name, rule in (mapping.fields or {}).items() if event.get(name) is not None]
            for name, rule in sorted(fields, key=lambda one: one[1].sign is not None):  # the sign goes onto the size
                if name not in ("bids", "asks"):
                    self._field(name, rule, event[name], kind, bases)
            _numbers(mapping, event, bases)
            if "bids" in event:
                bases["item"] = write_levels(mapping, bases["item"], event)
        return bases["item"]

    def _field(self, name: str, rule: FieldRule, value: Any, kind: str, bases: dict[str, Any]) -> None:
        if rule.by_kind is not None:
            branch = next((rule.by_kind[key] for key in (kind, "other") if key in rule.by_kind), None)
            if branch is not None:
                self._field(name, branch, value, kind, bases)
            return
        path = _place(rule, bases.get(rule.of))
        if path is None or path.rest is not None or rule.times is not None:
            return
        base = bases[rule.of]
        if name == "interval" and rule.map is None:
            value = self._intervals.get(value, value)
        bases[rule.of] = put(base, path.steps, written(rule, value, get(base, path.steps)))

    def _key(self, event: Values) -> Any:
        """The key of an item in its object, where the mapping reads a field from it."""
        fields = self._mapping.fields or {}
        return next((event[name] for name, rule in fields.items() if rule.of == "key" and name in event), None)

    def _placed(self, message: Any, items: list[tuple[Any, Any]]) -> Any:
        match self._mapping.items:
            case Zip(zip=paths):
                for at, path in enumerate(paths):
                    message = put(message, _list_at(path), [item[at] for _, item in items])
            case Columns(columns=columns):
                for name, path in columns.items():
                    message = put(message, _list_at(path), [item[name] for _, item in items])
            case str(path):
                message = _listed(message, parse(path).steps, items)
            case None if items:
                message = put(message, parse(self._mapping.item or "$").steps, items[0][1])
        return message


def _numbers(mapping: MappingSpec, event: Values, bases: dict[str, Any]) -> None:
    """Sequence numbers and the checksum."""
    places: list[tuple[str, str, str | None]] = []
    if (sequence := mapping.sequence) is not None:
        names = {"sequence": sequence.last, "first_sequence": sequence.first, "previous_sequence": sequence.previous}
        places = [(sequence.of, name, text) for name, text in names.items()]
    if mapping.checksum is not None:
        places.append(("item", "checksum", mapping.checksum.value))
    for base, name, text in places:
        if text is not None and event.get(name) is not None:
            steps = parse(text).steps
            bases[base] = put(bases[base], steps, like(get(bases[base], steps), event[name]))


def _place(rule: FieldRule, base: Any) -> Path | None:
    """Where a rule reads: of several places the first that the sample has."""
    texts = [rule.path] if rule.path else rule.first_of or []
    if base is None or not texts:
        return None
    found = [path for path in map(parse, texts) if path.rest is None and get(base, path.steps) is not MISSING]
    return (found or [parse(texts[-1])])[0]


def _list_at(path: str) -> Steps:
    """The steps to a list that a path may name with or without `[*]`."""
    steps = parse(path).steps
    return steps[:-1] if steps[-1:] == (Wild.ELEMENTS,) else steps


def _listed(message: Any, steps: Steps, items: list[tuple[Any, Any]]) -> Any:
    """The items in place of the sample's, at the last wildcard; what wraps each of them is the sample's too."""
    at = max(number for number, step in enumerate(steps) if isinstance(step, Wild))
    wrapper = get(message, steps[: at + 1])
    wrapped = [(key, put(copy.deepcopy(wrapper), steps[at + 1 :], item)) for key, item in items]
    if steps[at] is Wild.VALUES:
        return put(message, steps[:at], dict(wrapped))
    return put(_single(message, steps[:at]), steps[:at], [item for _, item in wrapped])


def _single(message: Any, steps: Steps) -> Any:
    """The message with one element at each wildcard on the way."""
    for at, step in enumerate(steps):
        if step is Wild.ELEMENTS:
            message = put(message, steps[:at], get(message, steps[:at])[:1])
    return message
