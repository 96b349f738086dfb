"""What a unified field wants: its type decides how a venue's value is read, never the value's look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from cexspec.models import MODELS, Number


class Target(Enum):
    """The kinds of unified fields."""

    NUMBER = "a number"
    TEXT = "a text"
    INTEGER = "an integer"
    TIME = "a time"
    BOOLEAN = "a boolean"
    WORD = "a word of a closed list"
    INTERVAL = "a candle interval"
    SYMBOL = "a symbol"
    LEVELS = "book levels"


@dataclass(frozen=True)
class FieldTarget:
    """One unified field: `required` must have a rule; `nullable` may be None; `words` of a closed list."""

    name: str
    target: Target
    required: bool
    nullable: bool
    words: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it says how much there is of something, which is never less than nothing."""
        return self.name in _COUNTS


_TIMES = {"timestamp", "next_time", "expiry", "updated"}
_ENGINE = {"exchange", "received", "is_snapshot", "size_unit"}
_DERIVED = {"instrument": ("kind", "base", "quote")}
"""Fields that follow from others where no rule gives them."""
_UNNAMED = {"instrument", "server_time", "balance"}
"""Models whose symbol no message tells: derived, or there is none."""
_STRICT = {"side", "kind", "right", "status", "margin_mode"}
"""Words that decide meaning: `unknown:` is refused on them."""

PRICES_OF_SIZES: dict[str, tuple[str, ...]] = {
    "size": ("price",),
    "bid_size": ("bid",),
    "ask_size": ("ask",),
    "base_volume": ("last", "close"),
    "base_size": (),
    "quantity": ("price", "average_price", "stop_price", "entry_price", "mark_price"),
    "filled": ("price", "average_price", "stop_price"),
    "remaining": ("price", "average_price", "stop_price"),
}
"""Fields that may be counted in contracts, and the prices (the first that there is) that convert inverse ones."""

CURRENCIES = frozenset({"currency", "fee_currency"})
"""Fields that hold asset codes, which are the common ones."""

PARTS_OF_SIZES = frozenset({"filled", "remaining"})
"""Those that are parts of another one, whose count is the one kept in `contracts`."""

_COUNTS = {"contracts", "quote_volume", "value", "contract_size", "tick_size", "step_size", "min_size", "max_size", *PRICES_OF_SIZES}


@lru_cache(maxsize=64)
def targets(model: str) -> dict[str, FieldTarget]:
    """The fields a mapping to `model` may give."""
    hints = get_type_hints(MODELS[model])
    fields = [info for info in msgspec.structs.fields(MODELS[model]) if info.name not in _ENGINE]
    found = {info.name: _target(info, hints[info.name]) for info in fields}
    found |= {name: replace(found[name], required=False, nullable=True) for name in _DERIVED.get(model, ())}
    if model in _UNNAMED:
        del found["symbol"]
    if model == "server_time":
        found["timestamp"] = replace(found["timestamp"], required=True, nullable=False)
    return found


def strict(field: str) -> bool:
    """Whether a field's words may never degrade to `unknown`."""
    return field in _STRICT


def _target(info: msgspec.structs.FieldInfo, hint: Any) -> FieldTarget:
    parts = set(get_args(hint)) or {hint}
    nullable = type(None) in parts
    literal = next((part for part in (hint, *parts) if get_origin(part) is Literal), None)
    words = get_args(literal) if literal else ()
    return FieldTarget(info.name, _kind(info.name, parts, bool(words)), info.required, nullable, words)


def _kind(name: str, parts: set[Any], words: bool) -> Target:
    by_name = {"symbol": Target.SYMBOL, "interval": Target.INTERVAL, "bids": Target.LEVELS, "asks": Target.LEVELS}
    if name in by_name:
        return by_name[name]
    if name in _TIMES:
        return Target.TIME
    if words:
        return Target.WORD
    if parts & set(get_args(Number)):
        return Target.NUMBER
    return Target.BOOLEAN if bool in parts else Target.INTEGER if int in parts else Target.TEXT
