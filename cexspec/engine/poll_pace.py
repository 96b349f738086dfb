"""How often what is polled is asked for: pollers begin one after the other and together leave half of every budget to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

SHARE = 0.5
"""Of a budget, what all pollers together take of it."""
APART = 0.1
"""Seconds between the first calls of two pollers at most."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One request that is made again and again: every `often` seconds by the spec.

    `shares`: budget -> the seconds for which one call uses all of it.
    """

    operation: str
    often: float
    shares: Mapping[Hashable, float]


class PollPace:
    """The pace of all pollers of a client. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._alike: Counter[str] = Counter()
        self._used: Counter[Hashable] = Counter()
        """budget -> the part of it that all pollers would take by the spec's intervals"""
        self._begin: dict[str, float] = {}

    def join(self, poll: Poll) -> None:
        """One more is polled."""
        self._used.update({budget: seconds / poll.often for budget, seconds in poll.shares.items()})
        self._alike[poll.operation] += 1

    def leave(self, poll: Poll) -> None:
        """It is polled no longer."""
        self._used.subtract({budget: seconds / poll.often for budget, seconds in poll.shares.items()})
        self._alike[poll.operation] -= 1

    def clear(self) -> None:
        """Nothing is polled any more."""
        self._used.clear()
        self._alike.clear()

    def interval(self, poll: Poll) -> float:
        """Seconds between two calls: the spec's, longer where all together would take too much of a budget."""
        stretch = max((self._used[budget] / SHARE for budget in poll.shares), default=0.0)
        return poll.often * max(1.0, stretch)

    def turn(self, poll: Poll, now: float) -> float:
        """When a new one makes its first call."""
        turn = max(now, self._begin.get(poll.operation, 0.0))
        self._begin[poll.operation] = turn + min(APART, self.interval(poll) / max(1, self._alike[poll.operation]))
        return turn
