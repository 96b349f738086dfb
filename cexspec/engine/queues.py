"""The queues of a client's streams, counted by the streams' names: what closed ones counted stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cexspec.engine.buffer import Buffer, Policy
from cexspec.engine.distribution import Durations
from cexspec.engine.stats import QueueStats
from cexspec.engine.stream import Stream
from cexspec.transport.clock import Clock


@dataclass(slots=True)
class _Named:
    """What the closed streams of a name have counted, and the delays of all of them."""

    taken: int = 0
    dropped: int = 0
    delays: Durations = field(default_factory=Durations)


class Queues:
    """Makes the buffers of streams and sums up what they count."""

    def __init__(self) -> None:
        self._named: dict[str, _Named] = {}

    def buffer(self, name: str, limit: int, policy: Policy, clock: Clock) -> Buffer:
        """The queue of a new stream."""
        return Buffer(name, limit, policy, self._named.setdefault(name, _Named()).delays, clock.time_ns)

    def closed(self, stream: Stream[Any]) -> None:
        """Keep what a stream counted that is no more."""
        named = self._named[stream.name]
        named.taken += stream.taken
        named.dropped += stream.dropped

    def snapshot(self, streams: Sequence[Stream[Any]]) -> dict[str, QueueStats]:
        """By name; `streams` are those still open."""
        found = {}
        for name, named in tuple(self._named.items()):
            mine = [stream for stream in streams if stream.name == name]
            found[name] = QueueStats(
                streams=len(mine),
                depth=sum(stream.pending for stream in mine),
                taken=named.taken + sum(stream.taken for stream in mine),
                dropped=named.dropped + sum(stream.dropped for stream in mine),
                wire_to_callback=named.delays.snapshot(),
            )
        return found
