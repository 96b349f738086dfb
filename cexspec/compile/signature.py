"""Signatures: everything that conditions could tell of a value, as a small hashable."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b

import msgspec

from cexspec.compile.conditions import ABOUT_TEXT
from cexspec.compile.paths import Steps
from cexspec.spec.model import Condition

Place = str | int


class Interest:
    """What some conditions want to know of a value and of places inside it.

    Two values with one signature meet the same of those conditions, so a verdict on one is a verdict on the other.
    """

    def __init__(self) -> None:
        self._exact = False
        self._cap = 0
        self._inside: dict[Place, Interest] = {}
        self._whole = False

    def add(self, steps: Steps, condition: Condition, *, whole: bool = False) -> None:
        """Take one more condition on the place `steps` into account; `whole`: on anything in there."""
        if not steps:
            self._whole |= whole
            self._exact |= bool(condition.model_fields_set & ABOUT_TEXT)
            self._cap = max(self._cap, condition.min_length or 0, (condition.max_length or 0) + 1)
        elif isinstance(step := steps[0], str | int):
            if isinstance(step, int):
                self._cap = max(self._cap, step + 1, -step)
            self._inside.setdefault(step, Interest()).add(steps[1:], condition, whole=whole)
        else:
            self._whole = True

    def signature(self, value: object) -> Hashable:
        """The signature of a value; None where there is none."""
        if self._whole:
            return blake2b(msgspec.json.encode(value), digest_size=16).digest()
        match value:
            case None:
                return None
            case list():
                inside = [one.signature(_element(value, step)) for step, one in self._inside.items()]
                return ("array", min(len(value), self._cap), *inside)
            case dict():
                return ("object", *[one.signature(value.get(step)) for step, one in self._inside.items()])
            case _:
                return scalar_signature(value) if self._exact else type(value).__name__


def scalar_signature(value: object) -> Hashable:
    """What conditions could tell of a scalar: its text, and whether it is one (`1`, `true` and `"1"` differ)."""
    return value if value is None or isinstance(value, str) else (type(value).__name__, str(value))


def _element(values: list[object], step: Place) -> object:
    return values[step] if isinstance(step, int) and -len(values) <= step < len(values) else None
