"""From events to the streams that asked for them.

The way is found once for each channel and symbol and kept, until subscriptions or connections change; the first event
of each takes the slow way, which is also where a gap that a reconnect left is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, Self

from cexspec.engine.buffer import Buffer
from cexspec.engine.chronology import proves
from cexspec.engine.frames import MarketLookup, Part
from cexspec.engine.gate import Gate
from cexspec.engine.topics import Topic
from cexspec.models import Event, Gap

SHARED = 0
"""The lane of all streams for which nobody waits; one that is waited for has its own, with connections of its own."""
MAX_WAYS = 20_000
"""Ways kept for one channel; symbols come from the wire."""


def feed_of(channel: str) -> str:
    """The name under which the maintained books of a channel are delivered; messages go by the channel's own."""
    return f"{channel} (maintained)"


Key = str | None | tuple[str | None, str | None, str | None]


class Interruption(NamedTuple):
    """Why events are missing, and since when (nanoseconds)."""

    cause: str
    since: int


class Witness(Protocol):
    """Compares what several connections bring of one topic."""

    def saw(self, event: Event, origin: Any, *, news: bool) -> None:
        """A connection brought an event; `news`: none had brought it before."""


class Subscription:
    """One symbol (or all) of one channel, asked for by one stream; `connection` is where it lives, `category` the product line.

    A `maintained` one gets views of the book that the channel's messages build. `since` is when it was asked for and when it
    last became live (wall-clock nanoseconds); `last` the event delivered last; `depth` the levels wanted of a maintained book
    (None: all that the channel has). While it isn't `known` what to ask the venue for,
    `native_id` is the symbol as the stream named it.
    """

    __slots__ = (
        "_gap",
        "buffer",
        "category",
        "channel",
        "connection",
        "depth",
        "exchange",
        "gate",
        "interval",
        "known",
        "lane",
        "last",
        "live",
        "maintained",
        "native_id",
        "since",
        "topic",
        "witness",
    )

    def __init__(
        self,
        exchange: str,
        channel: str,
        connection: str,
        topic: Topic,
        buffer: Buffer,
        since: int,
        native_id: str | None,
        category: str | None,
        interval: str | None,
        *,
        maintained: bool = False,
        depth: int | None = None,
    ) -> None:
        self.depth = depth
        self.exchange, self.channel, self.connection, self.topic, self.buffer = exchange, channel, connection, topic, buffer
        self.native_id, self.category, self.interval, self.since = native_id, category, interval, since
        self.last: Event | None = None
        self.gate: Gate | None = None
        """what keeps events from it that it has got already"""
        self.witness: Witness | None = None
        """who looks on where several connections bring its events"""
        self.known, self.live, self.maintained = True, False, maintained
        self.lane = id(buffer) if buffer.waits else SHARED
        self._gap: Interruption | None = None

    @classmethod
    def unknown(cls, exchange: str, channel: str, buffer: Buffer, since: int, symbol: str, *, maintained: bool = False) -> Self:
        """One of a symbol that only the instruments can tell; `become` says what it is once they are loaded."""
        made = cls(exchange, channel, "", Topic(channel, symbol, symbol, {}), buffer, since, symbol, None, None, maintained=maintained)
        made.known = False
        return made

    def become(self, known: Subscription) -> None:
        """Ask for what that one asks for."""
        self.channel, self.connection, self.topic, self.native_id = known.channel, known.connection, known.topic, known.native_id
        self.category, self.interval, self.depth, self.known = known.category, known.interval, known.depth, True

    @property
    def feed(self) -> str:
        """Under which name its events are delivered."""
        return feed_of(self.channel) if self.maintained else self.channel

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """What is asked for."""
        return self.channel, self.connection, self.topic.text, self.native_id

    def interrupted(self, cause: str, seen: int | None = None) -> None:
        """The connection is gone; events are missed until `resumed`. `seen`: up to when none is, if not to the last event."""
        if self._gap is None and self.live:
            self._gap = self.until_now(cause) if seen is None else Interruption(cause, seen)
        self.live = False

    def resumed(self, now: int) -> Interruption | None:
        """The venue serves it (again); what ends by that, if anything: the stream is to be told."""
        self.live, self.since = True, now
        ended, self._gap = self._gap, None
        return ended

    def until_now(self, cause: str) -> Interruption:
        """What was, or may have been, missed since the last event."""
        return Interruption(cause, self._seen())

    def missed(self, interruption: Interruption, now: int, symbol: str | None) -> None:
        """Tell the stream that events up to now may be missing."""
        cause, start = interruption
        gap = Gap(
            exchange=self.exchange,
            symbol=symbol,
            timestamp=now,
            received=now,
            channel=self.channel,
            cause=cause,
            from_time=min(start, now),
            to_time=now + self._ahead(),
        )
        self.buffer.put_gap(gap)

    def _ahead(self) -> int:
        """Nanoseconds that the venue's clock is ahead of ours, as far as the last event shows: gaps are told by both."""
        if self.last is None or self.last.timestamp is None or self.last.received is None:
            return 0
        return max(0, self.last.timestamp - self.last.received)

    def _seen(self) -> int:
        """Up to when nothing is missing: the venue's time of the last event, else when it became live."""
        return self.since if self.last is None else proves(self.last, self.since)


class KnownSymbols(MarketLookup, Protocol):
    """What native ids stand for."""

    @property
    def edition(self) -> int:
        """Grows when that may have changed."""


class _Channel:
    """The subscriptions of one channel and the ways found to them.

    `by_topic` and `by_symbol` tell whom an event may be for: none of a large channel is looked at for an event of another.
    """

    __slots__ = ("_by_symbol", "_edition", "by_interval", "by_topic", "subscriptions", "ways")

    def __init__(self, by_interval: bool) -> None:
        self.by_interval = by_interval
        self.subscriptions: dict[Subscription, None] = {}
        self.by_topic: dict[str, dict[Subscription, None]] = {}
        self.ways: dict[Key, tuple[Subscription, ...]] = {}
        self._by_symbol: dict[str | None, list[Subscription]] = {}
        self._edition: int | None = None

    def add(self, subscription: Subscription) -> None:
        """Deliver to this one, too."""
        self.subscriptions[subscription] = None
        self.by_topic.setdefault(subscription.topic.text, {})[subscription] = None
        self._edition = None
        self.ways.clear()

    def remove(self, subscription: Subscription) -> None:
        """Deliver to it no longer."""
        del self.subscriptions[subscription]
        alike = self.by_topic[subscription.topic.text]
        del alike[subscription]
        if not alike:
            del self.by_topic[subscription.topic.text]
        self._edition = None
        self.ways.clear()

    def of_symbol(self, symbol: str | None, edition: int, symbol_of: Callable[[Subscription], str | None]) -> list[Subscription]:
        """The subscriptions of a symbol, then those of all."""
        if self._edition != edition:
            self._edition, self._by_symbol = edition, {}
            for subscription in self.subscriptions:
                name = symbol_of(subscription) if subscription.native_id is not None else None
                self._by_symbol.setdefault(name, []).append(subscription)
        return [*self._by_symbol.get(symbol, ()), *(self._by_symbol.get(None, ()) if symbol is not None else ())]


class Dispatcher:
    """Delivers events. `awake` is told of a subscription's first event after each change, and by what connection it came.

    `unclaimed` counts events that nobody asked for, `doubled` those that were delivered before.
    """

    def __init__(self, markets: KnownSymbols, awake: Callable[[Subscription, object], bool]) -> None:
        self._markets, self._awake = markets, awake
        self._channels: dict[tuple[str, int], _Channel] = {}
        self.events = self.unclaimed = self.doubled = 0

    def add(self, subscription: Subscription) -> None:
        """Deliver to this subscription, too."""
        key = subscription.feed, subscription.lane
        self._channels.setdefault(key, _Channel(subscription.interval is not None)).add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to it no longer."""
        key = subscription.feed, subscription.lane
        channel = self._channels.get(key)
        if channel is None or subscription not in channel.subscriptions:
            return
        channel.remove(subscription)
        if not channel.subscriptions:
            del self._channels[key]

    def wants(self, feed: str) -> bool:
        """Whether anybody takes what is delivered under this name."""
        return (feed, SHARED) in self._channels

    def forget_ways(self) -> None:
        """A connection changed: the next event of each symbol takes the slow way."""
        for channel in self._channels.values():
            channel.ways.clear()

    def deliver(self, parts: Sequence[Part], topic: Topic | None, origin: object = None, lane: int = SHARED) -> list[Buffer]:
        """Put events into the queues of those who asked; returns the queues that are full and whose reader shall wait.

        `origin` is the connection they came by, `lane` its lane.
        """
        full: list[Buffer] = []
        for name, events in parts:
            self.events += len(events)
            channel = self._channels.get((name, lane))
            if channel is None:
                self.unclaimed += len(events)
                continue
            ways, plain = channel.ways, topic is None and not channel.by_interval
            for event in events:
                key = event.symbol if plain else (event.symbol, getattr(event, "interval", None), topic.text if topic else None)
                targets = ways.get(key)
                if targets is None:
                    targets = self._find(channel, key, event, topic, origin)
                if targets:
                    full += self._put(event, targets, origin)
                else:
                    self.unclaimed += 1
        return full

    def _put(self, event: Event, targets: tuple[Subscription, ...], origin: object) -> Iterable[Buffer]:
        """The queues that are full now."""
        full: list[Buffer] | None = None
        for target in targets:
            news = target.gate is None or target.gate.passes(event, origin)
            if target.witness is not None:
                target.witness.saw(event, origin, news=news)
            if not news:
                self.doubled += 1
                continue
            target.last = event
            if target.buffer.put(event):
                full = full or []
                full.append(target.buffer)
        return full or ()

    def symbol_of(self, subscription: Subscription) -> str | None:
        """The unified symbol, as it is known now; None for all of a channel."""
        if subscription.native_id is None:
            return None
        return self._markets.within(subscription.category)(subscription.native_id).symbol

    def _find(self, channel: _Channel, key: Key, event: Event, topic: Topic | None, origin: object) -> tuple[Subscription, ...]:
        # One for each queue: a stream that asked for several topics in full can't tell them apart by their events.
        if topic is not None:
            maybe: Iterable[Subscription] = channel.by_topic.get(topic.text, ())
        else:
            maybe = channel.of_symbol(event.symbol, self._markets.edition, self.symbol_of)
        asked: dict[int, Subscription] = {}
        for each in maybe:
            if self._asked(each, event):
                asked.setdefault(id(each.buffer), each)
        found = tuple(asked.values())
        settled = [self._awake(each, origin) for each in found]
        if len(channel.ways) >= MAX_WAYS:
            channel.ways.clear()
        if all(settled):
            channel.ways[key] = found
        return found

    def _asked(self, subscription: Subscription, event: Event) -> bool:
        if subscription.native_id is not None and self.symbol_of(subscription) != event.symbol:
            return False
        return subscription.interval is None or subscription.interval == getattr(event, "interval", None)
