"""What the streams of a client have counted."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field

from cexspec.models import CexspecError, Event

log = logging.getLogger("cexspec.stream")
SAMPLES = 50
"""Problems kept, the latest."""
SAMPLE_EVERY = 32
"""Frames per latency sample."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the venue's timestamp to reception here, over sampled events (it holds the clocks' difference)."""

    samples: int = 0
    last: float | None = None
    least: float | None = None
    most: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class StreamStats:
    """Counts since the client was made.

    `filled`: missed trades that were fetched; `doubled`: events that came twice and were delivered once; `stale`: subscriptions asked
    for anew because nothing came; `rotations`: connections replaced before the venue ended them.
    `unclaimed`: events no stream asked for (any more). `resyncs`: times that a maintained book stopped being right;
    `checksums`: those of books that were verified, `checksum_failures`: that were others than the venue's; `poll_failures`: calls of
    polled streams that brought no answer. `problems`: the
    latest, each with a sample or position.
    """

    messages: int
    bytes: int
    events: int
    decode_errors: int
    unrouted: int
    unclaimed: int
    venue_errors: int
    refused: int
    reconnects: int
    gaps: int
    filled: int
    doubled: int
    stale: int
    rotations: int
    drops: int
    callback_errors: int
    resyncs: int
    checksums: int
    checksum_failures: int
    poll_failures: int
    latency: Latency
    problems: tuple[str, ...]


@dataclass(slots=True)
class Counters:
    """The running counts behind `StreamStats`."""

    exchange: str
    messages: int = 0
    bytes: int = 0
    events: int = 0
    decode_errors: int = 0
    unrouted: int = 0
    unclaimed: int = 0
    venue_errors: int = 0
    refused: int = 0
    reconnects: int = 0
    gaps: int = 0
    filled: int = 0
    doubled: int = 0
    stale: int = 0
    rotations: int = 0
    drops: int = 0
    callback_errors: int = 0
    resyncs: int = 0
    checksums: int = 0
    checksum_failures: int = 0
    poll_failures: int = 0
    problems: deque[str] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _samples: int = 0
    _sum: float = 0.0
    _last: float | None = None
    _least: float | None = None
    _most: float | None = None

    def note(self, event: str, count: int, problem: str | CexspecError) -> None:
        """Keep a problem; the log gets the 1st, 2nd, 4th, 8th... of a kind, so that a broken peer can't flood it."""
        self.problems.append(f"{event}: {problem}")
        if count & (count - 1) == 0:
            log.warning("%s %s (%d so far): %s", self.exchange, event, count, problem, extra={"event": event})

    def sample(self, event: Event) -> None:
        """Measure one event's latency."""
        if event.timestamp is None or event.received is None:
            return
        latency = (event.received - event.timestamp) / 1e9
        self._samples += 1
        self._sum += latency
        self._last = latency
        self._least = latency if self._least is None else min(self._least, latency)
        self._most = latency if self._most is None else max(self._most, latency)

    def snapshot(self, drops: int) -> StreamStats:
        """The counts now; `drops` are those of the streams still open."""
        mean = self._sum / self._samples if self._samples else None
        return StreamStats(
            messages=self.messages,
            bytes=self.bytes,
            events=self.events,
            decode_errors=self.decode_errors,
            unrouted=self.unrouted,
            unclaimed=self.unclaimed,
            venue_errors=self.venue_errors,
            refused=self.refused,
            reconnects=self.reconnects,
            gaps=self.gaps,
            filled=self.filled,
            doubled=self.doubled,
            stale=self.stale,
            rotations=self.rotations,
            drops=self.drops + drops,
            callback_errors=self.callback_errors,
            resyncs=self.resyncs,
            checksums=self.checksums,
            checksum_failures=self.checksum_failures,
            poll_failures=self.poll_failures,
            latency=Latency(self._samples, self._last, self._least, self._most, mean),
            problems=tuple(self.problems),
        )
