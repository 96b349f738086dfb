"""One look at everything a client counts, and how to walk through it: what metrics and documents are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from cexspec.engine.distribution import Distribution
from cexspec.engine.rest import RestStats
from cexspec.engine.stats import StreamStats
from cexspec.models.measures import Group, Measure
from cexspec.transport.limiter import LimiterStats

PREFIX = "cexspec"


class ClientStats(Struct, frozen=True, kw_only=True):
    """What a client has counted since it was made, and how it is at the time `at` (wall-clock nanoseconds)."""

    exchange: str
    at: int
    streams: Annotated[StreamStats, Group()]
    rest: Annotated[RestStats, Group("rest")]
    limiter: Annotated[LimiterStats, Group("limiter")]

    def as_dict(self) -> dict[str, Any]:
        """All of it in dicts, lists, texts and numbers, as JSON has them."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


Labels = tuple[str, ...]
Value = int | float | Distribution


@dataclass(frozen=True, slots=True)
class _Step:
    """From a struct to one of its fields, and on to all values where that is a mapping."""

    field: str
    keyed: bool

    def take(self, owner: Any) -> Iterator[tuple[Labels, Any]]:
        value = getattr(owner, self.field)
        yield from (((key,), each) for key, each in value.items()) if self.keyed else [((), value)]


@dataclass(frozen=True, slots=True)
class Series:
    """What is measured under one name, told apart by labels."""

    name: str
    measure: Measure
    labels: Labels
    place: str
    """where it is in the snapshot"""
    steps: tuple[_Step, ...]

    def values(self, stats: ClientStats) -> Iterator[tuple[Labels, Value]]:
        """The values of all labels in a snapshot."""
        found: list[tuple[Labels, Any]] = [((), stats)]
        for step in self.steps:
            found = [(labels + more, value) for labels, owner in found for more, value in step.take(owner)]
        yield from found


@cache
def series() -> tuple[Series, ...]:
    """Everything that is measured, in the order of the snapshot."""
    return tuple(_series(ClientStats, PREFIX, (), ()))


def _series(model: type[Any], prefix: str, labels: Labels, steps: tuple[_Step, ...]) -> Iterator[Series]:
    for field, hint in get_type_hints(model, include_extras=True).items():
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        for note in notes:
            here = (*steps, _Step(field, note.by is not None))
            marked = labels if note.by is None else (*labels, note.by)
            if isinstance(note, Group):
                inner = get_args(kind)[-1] if note.by is not None else kind
                yield from _series(inner, "_".join(filter(None, (prefix, note.name))), marked, here)
            elif isinstance(note, Measure):
                name = f"{PREFIX}_{note.name}" if note.name is not None else f"{prefix}_{field}"
                yield Series(name, note, marked, _place(here, marked), here)


def _place(steps: tuple[_Step, ...], labels: Labels) -> str:
    names = iter(labels)
    return ".".join(f"{step.field}[{next(names)}]" if step.keyed else step.field for step in steps)
