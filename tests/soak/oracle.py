"""What the client was told, held against what was sent: every trade of a symbol has the next number, or a `Gap` before it."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass
from operator import add

from cexspec.models import BookState, Event, Gap, Trade
from tests.soak.frames import NUMBER

BUCKET = 50e-6
"""Seconds that latencies are told apart by."""
BUCKETS = 200_000
DISTURBED = 2.0
"""Seconds after a fault, or after a gap was told, in which latencies are counted apart."""
SLACK = 10**7
"""Nanoseconds that a time of the venue, in milliseconds, and ours may differ."""


class Latencies:
    """Counts by bucket: as large after a day as after a second."""

    def __init__(self) -> None:
        self._counts = array("Q", [0]) * BUCKETS
        self.count, self.most = 0, 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[min(int(seconds / BUCKET), BUCKETS - 1) if seconds > 0 else 0] += 1
        self.count += 1
        if seconds > self.most:
            self.most = seconds

    def at(self, share: float) -> float:
        """The seconds that so many of them don't exceed; 0 where there are none."""
        wanted, seen = share * self.count, 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= wanted and seen:
                return (bucket + 1) * BUCKET
        return 0.0

    def clear(self) -> None:
        """Begin anew."""
        self._counts = array("Q", [0]) * BUCKETS
        self.count, self.most = 0, 0.0

    def __add__(self, other: Latencies) -> Latencies:
        """Those of both."""
        both = Latencies()
        both._counts = array("Q", map(add, self._counts, other._counts))
        both.count, both.most = self.count + other.count, max(self.most, other.most)
        return both


@dataclass(slots=True)
class _Seen:
    """The last trade of a symbol, and the time for which a gap was told since."""

    number: int
    timestamp: int
    gap_from: int | None = None
    gap_to: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """Trades that are missing, and the gap that was told before the next one; only the server can tell when they were made."""

    symbol: str
    first: int
    last: int
    gap_from: int
    gap_to: int


class TradeOracle:
    """Takes every event of the trades."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self.doubtful: list[Hole] = []
        self.calm, self.disturbed = Latencies(), Latencies()
        self._disturbed_until = 0.0
        self.trades = self.gaps = self.reported = self.silent = self.doubled = 0
        self.examples: list[str] = []

    def take(self, event: Event) -> None:
        """The callback."""
        if isinstance(event, Trade):
            now = time.monotonic()
            (self.calm if now > self._disturbed_until else self.disturbed).add(now + 1e9 - float(event.price))
            self.trades += 1
            seen, number = self._seen.get(str(event.symbol)), int(str(event.id))
            if seen is None:
                self._seen[str(event.symbol)] = _Seen(number, event.timestamp or 0)
                return
            if number != seen.number + 1:
                self._judge(event, seen, number)
            seen.number, seen.timestamp, seen.gap_from = max(number, seen.number), event.timestamp or 0, None
        elif isinstance(event, Gap):
            self._gap(event)

    def disturb(self) -> None:
        """Something breaks."""
        self._disturbed_until = time.monotonic() + DISTURBED

    def _gap(self, gap: Gap) -> None:
        self.gaps += 1
        self.disturb()
        for seen in self._seen.values() if gap.symbol is None else filter(None, [self._seen.get(gap.symbol)]):
            start, end = gap.from_time or 0, gap.to_time if gap.to_time is not None else 2**63
            seen.gap_from = start if seen.gap_from is None else min(start, seen.gap_from)
            seen.gap_to = max(end, seen.gap_to)

    def _judge(self, trade: Trade, seen: _Seen, number: int) -> None:
        """A trade that is not the next one."""
        if number <= seen.number:
            self.doubled += 1
            self._example(f"{trade.symbol} {number} after {seen.number}")
            return
        missing = number - seen.number - 1
        if seen.gap_from is None:
            self.silent += missing
            self._example(f"{trade.symbol}: {missing} before {number}, and no gap")
        elif seen.gap_from <= seen.timestamp + SLACK and seen.gap_to >= (trade.timestamp or 0) - SLACK:
            self.reported += missing
        else:
            self.doubtful.append(Hole(str(trade.symbol), seen.number + 1, number - 1, seen.gap_from, seen.gap_to))

    def settle(self, holes: list[Hole], times: list[tuple[int, int]]) -> None:
        """Judge the doubtful holes by the times (nanoseconds) at which their first and last trade were made."""
        for hole, (first, last) in zip(holes, times, strict=True):
            missing = hole.last - hole.first + 1
            if hole.gap_from <= first + SLACK and hole.gap_to >= last - SLACK:
                self.reported += missing
            else:
                self.silent += missing
                self._example(f"{hole}: of {first} to {last}")

    def unseen(self, last: dict[str, int]) -> int:
        """Trades that were sent and neither came nor are told of, at the very end."""
        return sum(
            max(0, number - self._seen[symbol].number if symbol in self._seen else number - NUMBER) for symbol, number in last.items()
        )

    def _example(self, text: str) -> None:
        if len(self.examples) < 10:
            self.examples.append(text)


class BookOracle:
    """Takes every event of the books."""

    def __init__(self) -> None:
        self.views = self.lost = self.gaps = self.crossed = 0

    def take(self, event: Event) -> None:
        """The callback."""
        if isinstance(event, Gap):
            self.gaps += 1
        elif isinstance(event, BookState):
            self.lost += event.state == "out_of_sync"
        else:
            self.views += 1
