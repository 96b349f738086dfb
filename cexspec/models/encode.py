"""Events as JSON: the one encoding that every command prints.

Decimals become text in plain notation, digit for digit as received; floats and integers JSON numbers; None null; book
levels `[price, size]` pairs.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from cexspec.models.events import Event

_ENCODER = msgspec.json.Encoder()


def to_json(event: Event) -> bytes:
    """One event as a JSON object, without a line end."""
    return _ENCODER.encode(to_dict(event))


def to_dict(event: Event) -> dict[str, object]:
    """`type` and every field of an event, as JSON's own types."""
    encoded: dict[str, object] = {"type": event.__struct_config__.tag}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        encoded[name] = value if type(value) is str or value is None else plain(value)
    return encoded


def plain(value: object) -> object:
    """A value as JSON's own types; a Decimal never in exponent notation."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
