"""What part of a history is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cexspec.compile.plan import Params
from cexspec.models import Event


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked for; times in nanoseconds, `end` excluded."""

    start: int | None = None
    end: int | None = None
    limit: int | None = None

    def holds(self, row: Event) -> bool:
        """Whether the row's time is in it."""
        time = row.timestamp
        return time is None or ((self.start is None or time >= self.start) and (self.end is None or time < self.end))

    def cut(self, rows: Sequence[Event]) -> list[Event]:
        """Of ascending rows those asked for."""
        held = [row for row in rows if self.holds(row)]
        if self.limit is None:
            return held
        return held[: self.limit] if self.start is not None else held[-self.limit :]


def span_of(params: Params) -> Span:
    """What a call's parameters ask for."""
    return Span(params.get("start"), params.get("end"), params.get("limit"))
