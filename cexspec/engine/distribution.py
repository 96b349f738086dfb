"""How long something takes: counts in fixed, log-spaced buckets, which can be added up and read as quantiles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct

NANOSECONDS = tuple(step * 10**power for power in range(4, 11) for step in (1, 2, 5))
BOUNDS = tuple(bound / 1e9 for bound in NANOSECONDS)
"""Upper bounds of the buckets in seconds, from 10 us to 50 s; what is longer goes into a last one without a bound."""


class Distribution(Struct, frozen=True, kw_only=True):
    """A look at durations, in seconds. `p50` and `p99` are read off the buckets, so exact to within one (`BOUNDS`); None: nothing yet."""

    count: int = 0
    sum: float = 0.0
    p50: float | None = None
    p99: float | None = None
    most: float | None = None
    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)

    def quantile(self, share: float) -> float | None:
        """The duration that this share of all (0 to 1) does not exceed; None while there are none."""
        return _quantile(self.buckets, self.most, share)


class Durations:
    """Durations as they come in."""

    __slots__ = ("_buckets", "_most", "_sum")

    def __init__(self) -> None:
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._sum = self._most = 0

    def add(self, nanoseconds: int) -> None:
        """Count one; a clock that was set back makes it 0."""
        taken = max(0, nanoseconds)
        self._buckets[bisect_left(NANOSECONDS, taken)] += 1
        self._sum += taken
        self._most = max(self._most, taken)

    def snapshot(self) -> Distribution:
        """All of them so far."""
        return _distribution(tuple(self._buckets), self._sum / 1e9, self._most / 1e9)


def joined(distributions: Sequence[Distribution]) -> Distribution:
    """One of them all."""
    buckets = tuple(map(sum, zip(*(each.buckets for each in distributions), strict=True))) or Distribution().buckets
    return _distribution(buckets, sum(each.sum for each in distributions), max((each.most or 0.0 for each in distributions), default=0.0))


def _distribution(buckets: tuple[int, ...], total: float, most: float) -> Distribution:
    count = sum(buckets)
    if not count:
        return Distribution()
    p50, p99 = (_quantile(buckets, most, share) for share in (0.5, 0.99))
    return Distribution(count=count, sum=total, p50=p50, p99=p99, most=most, buckets=buckets)


def _quantile(buckets: Sequence[int], most: float | None, share: float) -> float | None:
    """Between the bounds of its bucket, as if they were spread evenly there; never more than the longest."""
    if most is None:
        return None
    rank, below = share * sum(buckets), 0
    for number, count in enumerate(buckets):
        if count and below + count >= rank:
            low = BOUNDS[number - 1] if number else 0.0
            high = BOUNDS[number] if number < len(BOUNDS) else most
            return min(most, low + (high - low) * (rank - below) / count)
        below += count
    return most
