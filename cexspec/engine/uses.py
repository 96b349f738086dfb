"""Topics in use: who asked for each, and on which connections the venue serves it.

A topic has one leg, on one connection; several where connections are redundant, or while one connection replaces another.
As long as one leg is live nothing is missing. That a leg is live may be wrong: its connection is dead, or the venue has forgotten
the topic, and nobody knows yet. So legs are held against each other: one that doesn't bring what another one brings is behind. It is
expected to bring something before long, and when it is lost, or let go, it has proven nothing beyond what it brought last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.chronology import proves, when
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import SHARED, Subscription
from cexspec.engine.gate import has_standing_gate, overlapping_gate, standing_gate
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, Event


class Watcher:
    """Who is told of one subscription's fate; streams derive from it."""

    def confirmed(self, subscription: Subscription) -> None:
        """The venue serves it."""

    def refused(self, subscription: Subscription, error: CexspecError) -> None:
        """The venue does not serve it; it is detached already."""

    def failed(self, subscription: Subscription, error: CexspecError) -> None:
        """Its connection was given up; it is detached already."""


@dataclass(eq=False, slots=True)
class Leg:
    """A topic on one connection."""

    connection: Connection
    accepted: bool = False
    """the venue said yes, or was asked where it says nothing"""
    live: bool = False
    """it is certain that the venue serves it: nothing is missing from now on"""
    since: int = 0
    """when it went live (wall-clock nanoseconds)"""
    last: Event | None = None
    """the newest event that it brought"""
    behind: Event | None = None
    """what another leg brought, while this one brought neither it nor anything newer"""

    def went_live(self, now: int) -> None:
        """The venue serves it here from now on."""
        self.live, self.since, self.last, self.behind = True, now, None, None

    def proven(self, until: int, latest: Event | None) -> int:
        """Up to when it brought everything, if its connection was well until then; `latest` of its channel came last by that."""
        last = self.last
        if self.behind is not None:
            until = min(until, proves(last, until) if last is not None else self.since)
        elif latest is not None and latest.timestamp is not None and latest.timestamp >= self.since:
            until = min(until, until - ((latest.received or 0) - latest.timestamp))  # as late as it is
        return max(self.since, until)


SETTLING = 2_000_000_000
"""Nanoseconds after a leg went live in which what it brings may be how things stood before."""
SERVICES = 50
"""Times remembered in which a leg brought everything."""


@dataclass(frozen=True, slots=True)
class Service:
    """From when to when a leg is known to have brought everything, and when it ended (wall-clock nanoseconds).

    What it brought between `until` and `ended` need not be all that there was.
    """

    connection: Connection
    since: int
    until: int
    ended: int


@dataclass(eq=False, slots=True)
class Use:
    """A topic in use; `kind` is its connections' name in the spec."""

    kind: str
    topic: Topic
    channel: ChannelPlan
    lane: int = SHARED
    """whose own it is (see `Subscription.lane`)"""
    legs: dict[Connection, Leg] = field(default_factory=dict)
    users: dict[Subscription, Watcher] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    """those that are over; a leg that is live serves from its `since` on"""

    @property
    def accepted(self) -> bool:
        """Whether the venue serves it somewhere, for all that is known."""
        return any(leg.accepted for leg in self.legs.values())

    @property
    def live(self) -> bool:
        """Whether it is certain that the venue serves it somewhere."""
        return any(leg.live for leg in self.legs.values())

    def admit(self, subscription: Subscription, watcher: Watcher) -> None:
        """One more asks for it."""
        self.users[subscription] = watcher
        if not subscription.maintained:
            subscription.gate = standing_gate(self.channel, subscription.native_id is None)
        self._guard()

    def join(self, connection: Connection) -> None:
        """It is asked for on this connection, too."""
        if len(self.legs) == 1:
            self._note_last(next(iter(self.legs.values())))
        self.legs[connection] = Leg(connection)
        self._guard()

    def leave(self, connection: Connection) -> None:
        """It is not asked for on this connection any more. Gates stay: what the other one brings may be behind.

        What is known of its service stays, too: another leg may turn out to have been deaf in that time.
        """
        leg = self.legs.pop(connection, None)
        if leg is not None and leg.live:
            proven = connection.proven(self.topic)
            self._remember(leg, self._proven(leg, proven), proven)
        self._guard()

    def saw(self, event: Event, origin: Connection, *, news: bool) -> None:
        """See `Witness.saw`."""
        leg = self.legs.get(origin)
        if leg is None:
            return
        origin.latest[self.channel.name] = event
        time = when(event)
        if leg.last is None or time >= when(leg.last):
            leg.last = event
        if leg.behind is not None and time >= when(leg.behind):
            leg.behind = None
        if news and (getattr(event, "id", None) is not None or (event.received or 0) - leg.since > SETTLING):
            self._compare(leg, event)

    def _compare(self, leg: Leg, event: Event) -> None:
        """Others have yet to bring this event."""
        for other in self.legs.values():
            if other is leg or not other.live or (other.last is not None and when(other.last) >= when(event)):
                continue
            other.behind = other.behind or event
            other.connection.expect(self.topic)

    def is_behind(self, connection: Connection) -> bool:
        """Whether another connection brought what this one didn't."""
        return connection in self.legs and self.legs[connection].behind is not None

    def went_live(self, connection: Connection, now: int) -> None:
        """The venue serves it on this connection from now on."""
        self.legs[connection].went_live(now)
        if len(self.legs) == 1:
            self.services = []  # whatever is in doubt later lies after this

    def went_down(self, connection: Connection, proven: int) -> int:
        """This leg is not served any more, and its connection was well until then; up to when it brought everything."""
        leg = self.legs[connection]
        until = self._proven(leg, proven)
        if leg.live:
            self._remember(leg, until, proven)
        leg.live, leg.accepted, leg.last = False, False, None
        return until

    def blinked(self, connection: Connection, proven: int, now: int) -> int:
        """Something got lost on this leg, whose connection was well until then, and it goes on; up to when it brought everything."""
        leg = self.legs[connection]
        until = self._proven(leg, min(proven, connection.proven(self.topic)))
        if leg.live:
            self._remember(leg, until, now)
            leg.since = now
        return until

    def proven(self, connection: Connection) -> int:
        """Up to when this leg, which goes on, is known to have brought everything."""
        return self._proven(self.legs[connection], connection.proven(self.topic))

    def unproven(self, connection: Connection, proven: int, now: int) -> list[tuple[int, int]]:
        """The times in which no leg is known to have brought everything, if this one did until `proven` only.

        None where nothing has come by another one since, served for certain or not.
        """
        behind = self.is_behind(connection)
        others = [leg for leg in self.legs.values() if leg.connection is not connection]
        past = [one for one in self.services if one.connection is not connection and (behind or one.ended > proven)]
        if not past and not any(leg.live or leg.last is not None for leg in others):
            return []
        served = [(one.since, one.until) for one in past] + [(leg.since, now) for leg in others if leg.live]
        return list(_left(proven, now, served))

    def heard_since(self, connection: Connection, other: Connection) -> bool:
        """Whether something came by a connection after another one had begun to serve it."""
        return self.legs[other].since <= connection.proven(self.topic)

    def _proven(self, leg: Leg, until: int) -> int:
        return leg.proven(until, leg.connection.latest.get(self.channel.name))

    def _note_last(self, leg: Leg) -> None:
        """What was delivered last came by this leg, which was alone, unless it has yet to bring what another one brought before."""
        lasts = [one.last for one in self.users if one.last is not None and not one.maintained]
        if leg.live and leg.behind is None and lasts:
            leg.last = max(lasts, key=when)

    def _remember(self, leg: Leg, until: int, ended: int) -> None:
        self.services = [*self.services[1 - SERVICES :], Service(leg.connection, leg.since, until, ended)]

    def _guard(self) -> None:
        """Where several connections tell the same, each event is delivered once, and they are compared.

        One that was behind as the others left still is until it brings something.
        """
        several = len(self.legs) > 1
        compared = several or any(leg.behind is not None for leg in self.legs.values())
        for subscription in self.users:
            subscription.witness = self if compared and not subscription.maintained else None
        if several:
            for subscription in self._unguarded():
                subscription.gate = subscription.gate or overlapping_gate(self.channel, subscription.last)

    def _unguarded(self) -> Iterator[Subscription]:
        """Those without a gate of their own that always stands. Of maintained books only one connection's is delivered."""
        standing = has_standing_gate(self.channel)
        return (one for one in self.users if not (standing or one.maintained))


def _left(start: int, end: int, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of a time lies in none of these spans."""
    for since, until in sorted(spans):
        if start < since:
            yield start, min(since, end)
        start = max(start, until)
    if start < end:
        yield start, end


class Uses:
    """All topics in use."""

    def __init__(self) -> None:
        self._by_topic: dict[tuple[str, str, int], Use] = {}
        self._by_connection: dict[Connection, dict[str, Use]] = {}

    def of(self, subscription: Subscription) -> Use | None:
        """The use of the topic that a subscription asks for."""
        return self._by_topic.get((subscription.connection, subscription.topic.text, subscription.lane))

    def on(self, connection: Connection) -> dict[str, Use]:
        """Topic -> use, of those with a leg on a connection."""
        return self._by_connection.get(connection, {})

    def add(self, use: Use) -> None:
        """A new use."""
        self._by_topic[use.kind, use.topic.text, use.lane] = use

    def join(self, use: Use, connection: Connection) -> None:
        """Ask for it on this connection."""
        use.join(connection)
        self._by_connection.setdefault(connection, {})[use.topic.text] = use

    def leave(self, use: Use, connection: Connection) -> None:
        """Ask for it there no longer."""
        use.leave(connection)
        self._by_connection.get(connection, {}).pop(use.topic.text, None)

    def forget(self, use: Use) -> None:
        """Nobody asks for it any more."""
        self._by_topic.pop((use.kind, use.topic.text, use.lane), None)
        for connection in use.legs:
            self._by_connection.get(connection, {}).pop(use.topic.text, None)

    def forget_connection(self, connection: Connection) -> None:
        """It won't come back."""
        for use in tuple(self._by_connection.pop(connection, {}).values()):
            use.leave(connection)

    def clear(self) -> None:
        """Forget everything."""
        self._by_topic.clear()
        self._by_connection.clear()
