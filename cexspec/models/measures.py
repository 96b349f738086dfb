"""How what is counted is described, where it is counted: snapshots, metrics and documents read it from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Measure:
    """Annotates a field that holds a measured value, or one for each value of the label `by`.

    `name` is what it is called outside, where that is not the field's name after its group's.
    """

    kind: Kind
    meaning: str
    by: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Annotates a field that holds other measures, or a mapping of them by the label `by`; `name` goes before theirs."""

    name: str = ""
    by: str | None = None
