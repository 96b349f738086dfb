"""Frames that came before the ack that explains them: kept until it comes, or until it is clear that it won't."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from math import inf

MAX_EARLY = 1000
"""Frames kept."""


@dataclass(frozen=True, slots=True)
class Early:
    """A frame whose number (`value`) no ack has announced yet; `until` is when to give it up."""

    value: str
    frame: bytes | str
    received: int | None
    until: float


class EarlyFrames:
    """The early frames of one connection, in the order of their arrival."""

    def __init__(self) -> None:
        self._frames: deque[Early] = deque()

    def keep(self, early: Early) -> bool:
        """Whether there was room for it."""
        if len(self._frames) >= MAX_EARLY:
            return False
        self._frames.append(early)
        return True

    def explained(self, values: Collection[str]) -> list[Early]:
        """Take those whose numbers are known now."""
        mine = [early for early in self._frames if early.value in values]
        for early in mine:
            self._frames.remove(early)
        return mine

    def given_up(self, now: float) -> list[Early]:
        """Take those that have waited long enough."""
        gone: list[Early] = []
        while self._frames and self._frames[0].until <= now:
            gone.append(self._frames.popleft())
        return gone

    def due(self) -> float:
        """When the first is to be given up."""
        return self._frames[0].until if self._frames else inf

    def clear(self) -> None:
        """The connection is gone."""
        self._frames.clear()
