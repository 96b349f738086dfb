"""Topics in use: who asked for each, and on which connections the venue serves it.

A topic has one leg, on one connection; several where connections are redundant, or while one connection replaces another.
As long as one leg is live nothing is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cexspec.compile.plan import ChannelPlan
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import SHARED, Subscription
from cexspec.engine.gate import has_standing_gate, overlapping_gate, standing_gate
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError


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


OUTAGES = 50
"""Times remembered for which a leg was not live."""


@dataclass(slots=True)
class Outage:
    """From when to when a leg was not live (wall-clock nanoseconds; None: it isn't yet)."""

    connection: Connection
    since: int
    until: int | None = None


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
    outages: list[Outage] = field(default_factory=list)

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
        self.legs[connection] = Leg(connection)
        self.outages.append(Outage(connection, 0))
        self._guard()

    def leave(self, connection: Connection) -> None:
        """It is not asked for on this connection any more. Gates stay: what the other one brings may be behind."""
        self.legs.pop(connection, None)
        self.outages = [one for one in self.outages if one.connection is not connection]

    def went_live(self, connection: Connection, now: int) -> None:
        """The venue serves it on this connection from now on."""
        self.legs[connection].live = True
        for outage in self.outages:
            if outage.connection is connection and outage.until is None:
                outage.until = now

    def went_down(self, connection: Connection, proven: int) -> None:
        """This leg is not served any more; it brought everything until then."""
        leg = self.legs[connection]
        if leg.live:
            others = self.outages[1 - OUTAGES :] if len(self.legs) > 1 else []  # alone, it hides nobody's
            self.outages = [*others, Outage(connection, proven)]
        leg.live = leg.accepted = False

    def unproven(self, connection: Connection, proven: int, now: int) -> tuple[int, int] | None:
        """From when to when no leg is known to have brought everything, if this one did until `proven` only."""
        others = [one for one in self.outages if one.connection is not connection and (one.until or now) > proven]
        if not others:
            return None
        return max(proven, min(one.since for one in others)), max(one.until or now for one in others)

    def _guard(self) -> None:
        """Where several connections tell the same, each event is delivered once."""
        if len(self.legs) > 1:
            for subscription in self._unguarded():
                subscription.gate = subscription.gate or overlapping_gate(self.channel, subscription.last)

    def _unguarded(self) -> Iterator[Subscription]:
        """Those without a gate of their own that always stands. Of maintained books only one connection's is delivered."""
        standing = has_standing_gate(self.channel)
        return (one for one in self.users if not (standing or one.maintained))


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
