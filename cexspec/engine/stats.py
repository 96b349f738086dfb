"""What the streams of a client have counted. Each count is named and described once, in `StreamCounts` or where it is kept."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct, field

from cexspec.engine.distribution import Distribution, joined
from cexspec.models import CexspecError, Event
from cexspec.models.log_events import LogEvent, worth_logging
from cexspec.models.measures import Group, Measure

log = logging.getLogger("cexspec.stream")
SAMPLES = 50
"""Problems kept, the latest."""
SAMPLE_EVERY = 32
"""Frames per latency sample."""


class Latency(Struct, frozen=True):
    """Seconds from the venue's timestamp to reception here, over sampled events (it holds the clocks' difference)."""

    samples: int = 0
    last: float | None = None
    least: float | None = None
    most: float | None = None
    mean: float | None = None


class ConnectionCounts(Struct, kw_only=True):
    """What is counted for the connections of one kind, which is their name in the spec."""

    messages: Annotated[int, Measure("counter", "Frames received", name="messages")] = 0
    bytes: Annotated[int, Measure("counter", "Bytes in the frames received", name="received_bytes")] = 0
    reconnects: Annotated[int, Measure("counter", "Times that an open connection was lost", name="reconnects")] = 0


class StreamCounts(Struct, kw_only=True):
    """What is counted for all streams together, since the client was made."""

    events: Annotated[int, Measure("counter", "Events made of the frames, before queues")] = 0
    decode_errors: Annotated[int, Measure("counter", "Records that don't fit the spec and were left out")] = 0
    unrouted: Annotated[int, Measure("counter", "Frames that fit nothing the spec knows", name="unrouted_messages")] = 0
    unclaimed: Annotated[int, Measure("counter", "Events no stream asked for (any more)", name="unclaimed_events")] = 0
    venue_errors: Annotated[int, Measure("counter", "Errors of the venue that no subscription can be blamed for")] = 0
    refused: Annotated[int, Measure("counter", "Subscriptions the venue refused", name="refused_subscriptions")] = 0
    gaps: Annotated[int, Measure("counter", "Gap events told to streams, but for those of slow consumers")] = 0
    filled: Annotated[int, Measure("counter", "Missed trades that were fetched and delivered", name="filled_trades")] = 0
    doubled: Annotated[int, Measure("counter", "Events that came twice and were delivered once", name="doubled_events")] = 0
    stale: Annotated[int, Measure("counter", "Subscriptions asked for anew because nothing came", name="stale_subscriptions")] = 0
    rotations: Annotated[int, Measure("counter", "Connections replaced before the venue ended them")] = 0
    polls: Annotated[int, Measure("counter", "REST calls made in place of a channel")] = 0
    poll_failures: Annotated[int, Measure("counter", "REST calls made in place of a channel that brought no answer")] = 0
    callback_errors: Annotated[int, Measure("counter", "Times that a callback or error handler raised something")] = 0
    resyncs: Annotated[int, Measure("counter", "Times that a maintained book was no longer right and begun anew", name="book_resyncs")] = 0
    checksums: Annotated[int, Measure("counter", "Checksums of maintained books verified", name="book_checksums")] = 0
    checksum_failures: Annotated[int, Measure("counter", "Checksums that were not the venue's", name="book_checksum_failures")] = 0


class QueueStats(Struct, frozen=True, kw_only=True):
    """The queues of all streams of one name. Events are measured one in a few (see `cexspec.engine.buffer`)."""

    streams: Annotated[int, Measure("gauge", "Streams open")] = 0
    depth: Annotated[int, Measure("gauge", "Events that wait for their consumers")] = 0
    taken: Annotated[int, Measure("counter", "Events consumers took")] = 0
    dropped: Annotated[int, Measure("counter", "Events lost, or conflated, because a consumer was too slow")] = 0
    wire_to_callback: Annotated[
        Distribution,
        Measure(
            "histogram",
            "Time from a frame's arrival to its consumer taking the event, of sampled events",
            name="wire_to_callback_seconds",
        ),
    ] = Distribution()


class ConnectionStats(ConnectionCounts, frozen=True, kw_only=True):  # type: ignore[misc]  # a copy, of counts that go on
    """A look at the connections of one kind."""

    states: Annotated[Mapping[str, int], Measure("gauge", "Connections that are in a state", by="state", name="connections")]
    transitions: Annotated[Mapping[str, int], Measure("counter", "Times that a connection came into a state", by="state")]


class StreamStats(StreamCounts, frozen=True, kw_only=True):  # type: ignore[misc]  # a copy, of counts that go on
    """A look at the streams of a client: counts since it was made, and how it is now.

    `latency` is from the venue's clock to ours; `problems` are the latest, each with a sample or position.
    """

    queues: Annotated[Mapping[str, QueueStats], Group("queue", by="stream")]
    connections: Annotated[Mapping[str, ConnectionStats], Group("connection", by="connection")]
    books: Annotated[Mapping[str, int], Measure("gauge", "Maintained books that are in a state", by="state")]
    latency: Latency
    problems: tuple[str, ...]

    @property
    def messages(self) -> int:
        """Frames received on all connections."""
        return sum(each.messages for each in self.connections.values())

    @property
    def bytes(self) -> int:
        """Bytes in the frames received on all connections."""
        return sum(each.bytes for each in self.connections.values())

    @property
    def reconnects(self) -> int:
        """Times that an open connection was lost, whichever it was."""
        return sum(each.reconnects for each in self.connections.values())

    @property
    def drops(self) -> int:
        """Events no consumer saw because it was too slow."""
        return sum(queue.dropped for queue in self.queues.values())

    @property
    def wire_to_callback(self) -> Distribution:
        """From the arrival of frames to consumers taking their events, of all streams."""
        return joined([queue.wire_to_callback for queue in self.queues.values()])


class Counters(StreamCounts):
    """The running counts behind `StreamStats`."""

    exchange: str
    connections: dict[str, ConnectionCounts] = field(default_factory=dict)
    latency: Latency = Latency()
    problems: deque[str] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def note(self, event: LogEvent, count: int, problem: str | CexspecError) -> None:
        """Keep a problem, the one of this number of its kind, and log it where that is `worth_logging`."""
        self.problems.append(f"{event}: {problem}")
        if worth_logging(count):
            log.warning("%s %s (%d so far): %s", self.exchange, event, count, problem, extra={"event": event})

    def sample(self, event: Event) -> None:
        """Measure one event's latency."""
        if event.timestamp is None or event.received is None:
            return
        seen, now = self.latency, (event.received - event.timestamp) / 1e9
        mean, least, most = (now if value is None else value for value in (seen.mean, seen.least, seen.most))
        count = seen.samples + 1
        self.latency = Latency(count, now, min(least, now), max(most, now), mean + (now - mean) / count)

    def snapshot(
        self, queues: Mapping[str, QueueStats], connections: Mapping[str, ConnectionStats], books: Mapping[str, int]
    ) -> StreamStats:
        """The counts now, beside how everything is."""
        return StreamStats(
            **{name: getattr(self, name) for name in StreamCounts.__struct_fields__},
            queues=queues,
            connections=connections,
            books=books,
            latency=self.latency,
            problems=tuple(self.problems),
        )
