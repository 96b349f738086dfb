"""What reading raises: where bytes are no JSON, and where a message doesn't hold what its spec says."""

from __future__ import annotations

from decimal import Decimal

import msgspec

NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises on bytes that are no JSON, or are nested too deeply."""

_LENGTH = 60
_BITS = 256


class Hole(ValueError):
    """A value is missing, or is not what the field can hold."""


def shown(value: object) -> str:
    """A JSON value for people: on one line, not too long, whatever a peer sent."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case int() if value.bit_length() > _BITS:
            return f"an integer of {value.bit_length()} bits"
        case int() | float() | Decimal():
            text = str(value)
        case str():
            text = repr(value[: _LENGTH + 1])
        case _:
            return "an array" if isinstance(value, list) else "an object"
    return shortened(text)


def shortened(text: str) -> str:
    """A text that is not too long."""
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."
