"""When a bar ends: venues often say so beside its opening, in a field that no mapping needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cexspec.compile.convert import NANOSECONDS
from cexspec.compile.paths import MISSING, Steps
from cexspec.mock.document import get, put
from cexspec.mock.words import Inverse, nanoseconds, written

SECOND = NANOSECONDS["s"]
_LENGTHS = {seconds * SECOND for minutes in (1, 3, 5, 15, 30) for seconds in (minutes, minutes * 60)} | {
    hours * 3600 * SECOND for hours in (1, 2, 3, 4, 6, 8, 12, 24, 72, 168, 15 * 24, 28 * 24, 30 * 24, 31 * 24)
}
"""What bars last, in nanoseconds."""


@dataclass(frozen=True)
class BarEnd:
    """Where an end stands beside its opening, and by how much it comes before the next opening."""

    rule: Inverse
    steps: Steps
    early: int

    def write(self, base: Any, end: int) -> Any:
        """`base` with the bar's end; `end` is when the next one opens, in nanoseconds."""
        return put(base, self.steps, written(self.rule, end - self.early, get(base, self.steps)))


def bar_ends(opening: Inverse, base: Any) -> Iterator[BarEnd]:
    """The ends that stand beside an opening in a sample."""
    steps = opening.paths[0].steps
    began = nanoseconds(opening, get(base, steps))
    around = get(base, steps[:-1])
    if began is None or around is MISSING:
        return
    for key, value in around.items() if isinstance(around, dict) else enumerate(around):
        time = nanoseconds(opening, value)
        unit = NANOSECONDS.get(opening.unit or "", 0)
        for early in {0, unit}:
            if time is not None and time > began and time + early - began in _LENGTHS:
                yield BarEnd(opening, (*steps[:-1], key), early)
