"""What a unified field wants: its type decides how a venue's value is read, never the value's look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from cexspec.models import MODELS, Event, Number


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


_TIMES = {"timestamp", "next_time", "expiry"}
_ENGINE = {"exchange", "received", "is_snapshot", "size_unit", "type"}
_STRICT = {"side", "kind", "right"}
"""Words that decide meaning: `unknown:` is refused on them."""


@lru_cache(maxsize=64)
def targets(model: str) -> dict[str, FieldTarget]:
    """The fields a mapping to `model` may give. `symbol` of an instrument is derived by the engine."""
    cls = MODELS[model]
    hints = get_type_hints(cls)
    found = {info.name: _target(info, hints[info.name]) for info in msgspec.structs.fields(cls) if info.name not in _ENGINE}
    if model in ("instrument", "server_time"):
        del found["symbol"]
    if model == "server_time":
        found["timestamp"] = FieldTarget("timestamp", Target.TIME, True, False)
    return found


def model_class(model: str) -> type[Event]:
    """The class of a model name."""
    return MODELS[model]


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
