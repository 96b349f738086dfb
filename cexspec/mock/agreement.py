"""Fields that share one word of the venue: the word is chosen for all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cexspec.compile.paths import MISSING, parse
from cexspec.compile.targets import strict
from cexspec.mock.document import get, put
from cexspec.spec.model import FieldRule


def agreed(item: Any, fields: Mapping[str, FieldRule], event: Mapping[str, Any]) -> tuple[Any, frozenset[str]]:
    """The item with the words that say the most of an event, and the fields that are written with them."""
    shared: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, rule in fields.items():
        if rule.path is not None and rule.map is not None and rule.of == "item" and event.get(name) is not None:
            shared.setdefault(rule.path, {})[name] = rule.map
    written: set[str] = set()
    for path, maps in shared.items():
        steps = parse(path).steps
        if len(maps) > 1 and get(item, steps) is not MISSING:
            item = put(item, steps, _word(maps, event))
            written |= maps.keys()
    return item, frozenset(written)


def _word(maps: Mapping[str, Mapping[str, str]], event: Mapping[str, Any]) -> str:
    """The word that means the most of an event's values, first of all of those that carry state."""
    words = dict.fromkeys(word for one in maps.values() for word in one)

    def says(word: str) -> tuple[int, int]:
        told = [name for name, one in maps.items() if one.get(word) == _text(event[name])]
        return sum(strict(name) for name in told), len(told)

    return max(words, key=says)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
