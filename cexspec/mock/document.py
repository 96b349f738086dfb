"""Decoded JSON taken by plain steps: read, and written in the form of what stands there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cexspec.compile.paths import MISSING, Step, Steps, Wild, walk


def get(document: Any, steps: Steps) -> Any:
    """The first value at plain steps, or MISSING."""
    return next(walk(document, steps), MISSING)


def put(document: Any, steps: Steps, value: Any) -> Any:
    """Set the value at plain steps and give the document back (the value itself where there are no steps).

    A wildcard stands for the first element; lists are padded with null, missing containers are made.
    """
    if not steps:
        return value
    step = 0 if steps[0] is Wild.ELEMENTS else steps[0]
    if document in (MISSING, None):
        document = [] if isinstance(step, int) else {}
    if isinstance(document, list) and isinstance(step, int):
        document.extend([None] * (step + 1 - len(document)))
    document[_key(document, step)] = put(get(document, (step,)), steps[1:], value)
    return document


def _key(document: Any, step: Step) -> Any:
    return next(iter(document), "") if step is Wild.VALUES else step


def like(current: Any, value: Any) -> Any:
    """A value in the JSON form of another: text for text, a number for a number, trailing zeros where it has some."""
    match current:
        case bool():
            return value in (True, "true")
        case str():
            return _text(current, value)
        case int() | float() | Decimal() if isinstance(value, str):
            return Decimal(value)
    return value


def _text(current: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower() if current in ("true", "false") else str(int(value))
    if not isinstance(value, Decimal):
        return str(value)
    text, point, places = format(value, "f"), *current.partition(".")[1:]
    if point and places.endswith("0"):
        whole, _, digits = text.partition(".")
        return f"{whole}.{digits.ljust(len(places), '0')}"
    return text
