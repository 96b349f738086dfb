"""Signatures: everything that conditions could tell of a value, as a small hashable."""

from __future__ import annotations

from collections.abc import Hashable

from cexspec.compile.paths import Step, Steps
from cexspec.spec.model import Condition


class Interest:
    """What some conditions want to know of a value and of places inside it.

    Two values with one signature meet the same of those conditions, so a verdict on one is a verdict on the other.
    """

    def __init__(self) -> None:
        self._exact = False
        self._cap = 0
        self._inside: dict[Step, Interest] = {}
        self._whole = False

    def add(self, steps: Steps, condition: Condition) -> None:
        """Take one more condition on the place `steps` into account."""
        if steps and not isinstance(steps[0], str | int):
            self._whole = True
        elif steps:
            if isinstance(steps[0], int):
                self._cap = max(self._cap, steps[0] + 1)
            self._inside.setdefault(steps[0], Interest()).add(steps[1:], condition)
        else:
            words = condition.model_fields_set & {"value", "any_of", "not_", "prefix", "suffix"}
            self._exact |= bool(words)
            self._cap = max(self._cap, condition.min_length or 0, (condition.max_length or 0) + 1)

    def signature(self, value: object) -> Hashable:
        """The signature of a value; None where there is none."""
        if self._whole:
            return repr(value)
        match value:
            case str():
                return ("text", value if self._exact else None)
            case list():
                inside = [one.signature(value[step]) if isinstance(step, int) and step < len(value) else None for step, one in self._inside.items()]
                return ("array", min(len(value), self._cap), *inside)
            case dict():
                return ("object", *[one.signature(value.get(step)) for step, one in self._inside.items()])
            case None:
                return None
            case bool():
                return ("boolean", value)
            case _:
                return ("number", str(value) if self._exact else None)
