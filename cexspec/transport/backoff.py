"""How long to wait before trying again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Capped exponential delays with full jitter; `base` and `cap` in seconds.

    Full jitter (uniform from 0 to the ceiling) keeps clients that failed together from returning together.
    """

    base: float = 0.5
    cap: float = 30.0
    factor: float = 2.0

    def ceiling(self, attempt: int) -> float:
        """The longest delay before retry number `attempt` (from 0)."""
        try:
            return min(self.cap, self.base * self.factor**attempt)
        except OverflowError:
            return self.cap

    def delay(self, attempt: int, random: Random) -> float:
        """The delay before retry number `attempt` (from 0), in seconds."""
        return random.uniform(0.0, self.ceiling(attempt))
