"""Exact accounting of one rate-limit window: what was spent in the last `per` seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Window:
    """`rate` units in any span of `per` seconds."""

    rate: int
    per: float


class SlidingWindow:
    """What is used of one `Window`.

    A unit counts from the moment it is taken until `per` seconds after it was spent. Work that is still under way is
    *held*: its unit starts to age when the work ends, so that the budget also holds at the far end of the line, where
    a request arrives some time between its start and its answer.
    """

    __slots__ = ("_grain", "_held", "_log", "_spent", "per", "rate")

    def __init__(self, window: Window) -> None:
        self.rate, self.per = window.rate, window.per
        # Large budgets are logged in grains counted to their end: bounded memory, and never a unit too early.
        self._grain = window.per / 1000 if window.rate > 1000 else 0.0
        self._log: deque[tuple[float, float, int]] = deque()
        self._spent = self._held = 0

    def settled(self, at: float) -> SlidingWindow:
        """A copy in which what is held now was spent at this time."""
        copy = SlidingWindow(Window(self.rate, self.per))
        copy._log, copy._spent = self._log.copy(), self._spent
        if self._held:
            copy.spend(self._held, at)
        return copy

    def used(self, now: float) -> int:
        """Units in the window that ends now."""
        log, per = self._log, self.per
        while log and log[0][1] + per <= now:
            self._spent -= log.popleft()[2]
        return self._spent + self._held

    def wait(self, weight: int, now: float) -> float:
        """Seconds until `weight` units fit; `inf` while that depends on work under way."""
        excess = self.used(now) + weight - self.rate
        if excess <= 0:
            return 0.0
        for _, last, units in self._log:
            excess -= units
            if excess <= 0:
                return max(0.0, last + self.per - now)
        return inf

    def hold(self, weight: int) -> None:
        """Take units for work that begins now."""
        self._held += weight

    def release(self, weight: int, now: float) -> None:
        """The work ended: its units count as spent now."""
        self._held -= weight
        self.spend(weight, now)

    def spend(self, weight: int, now: float) -> None:
        """Take units at once."""
        self._spent += weight
        log = self._log
        if log and now - log[-1][0] <= self._grain:
            first, _, units = log[-1]
            log[-1] = (first, now, units + weight)
        else:
            log.append((now, now, weight))
