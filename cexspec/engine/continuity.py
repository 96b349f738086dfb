"""What streams are told of events that are, or may be, missing, and what is fetched to fill the hole.

Maintained books look after themselves (see `books`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Dispatcher, Interruption, Subscription
from cexspec.engine.gate import Relayed
from cexspec.engine.holes import Holes
from cexspec.engine.stats import Counters
from cexspec.engine.uses import Use
from cexspec.models import DecodeError
from cexspec.transport.clock import Clock

LATENESS = 1_000_000_000
"""Nanoseconds that the venue's time of an event may be before the time at which it came."""


class Continuity:
    """Follows the topics of a client through the fate of their legs."""

    def __init__(self, dispatcher: Dispatcher, holes: Holes, counters: Counters, clock: Clock) -> None:
        self._dispatcher, self._holes, self._counters, self._clock = dispatcher, holes, counters, clock

    def resumed(self, use: Use) -> None:
        """The venue serves a topic again that it served nowhere."""
        now = self._clock.time_ns()
        self._missed(use, [(one, ended) for one in use.users if (ended := one.resumed(now)) is not None])

    def lost(self, use: Use, connection: Connection, cause: str, proven: int) -> None:
        """A leg is not served any more; where no other is, events are missing from now on.

        It may have been dead since `proven`: where no other was live for a while since then, nobody told what happened.
        """
        was_live = use.legs[connection].live
        proven = use.went_down(connection, proven)
        if was_live:
            self._doubt(use, connection, cause, proven, _told(use))
        for subscription in use.users:
            if not use.live:
                self._holes.give_up(subscription, "the stream was interrupted again")
                subscription.interrupted(cause, proven if use.channel.private else None)
            elif isinstance(subscription.gate, Relayed) and subscription.gate.needs_another(connection):
                self._missed(use, [(subscription, subscription.until_now(cause))])
                next(other.connection for other in use.legs.values() if other.live).renew(use.topic)

    def replaced(self, use: Use, connection: Connection) -> None:
        """Another leg has taken over from this one, which may have brought less."""
        if use.legs[connection].live:
            cause = "a connection near its end brought nothing while another took over"
            self._doubt(use, connection, cause, use.proven(connection), _told(use))

    def left(self, use: Use, subscription: Subscription) -> None:
        """A subscription ends, and nobody will know whether a leg that is behind would have brought what is missing."""
        cause = "the subscription ended while a connection had yet to bring what another one brought"
        for leg in use.legs.values():
            if leg.live and leg.behind is not None and subscription in _told(use):
                self._doubt(use, leg.connection, cause, use.proven(leg.connection), [subscription])

    def frames_lost(self, uses: Iterable[Use], connection: Connection, number: int, since: int) -> None:
        """The connection's own numbers tell that frames were lost on the way since then (nanoseconds)."""
        cause = f"{number} frame(s) of the connection were lost on the way"
        for use in uses:
            if not self._is_told_elsewhere(use, connection, cause, since):
                self._missed(use, [(one, one.until_now(cause)) for one in _told(use)])

    def unread(self, uses: Iterable[Use], connection: Connection, error: DecodeError) -> None:
        """A frame, or a record in it, of these topics can't be read: what it told is missing.

        Nothing is fetched for it: REST would hold what can't be read, too, and bad frames may come without end.
        """
        cause, now = f"a message can't be read: {error}", self._clock.time_ns()
        for use in uses:
            if not self._is_told_elsewhere(use, connection, cause, now - LATENESS):
                for subscription in _told(use):
                    self._hole(subscription, subscription.until_now(cause), now)

    def _is_told_elsewhere(self, use: Use, connection: Connection, cause: str, since: int) -> bool:
        """Whether another connection tells what this one lost since then, for all that is known now."""
        if not any(leg.live for leg in use.legs.values() if leg.connection is not connection):
            return False
        self._doubt(use, connection, cause, use.blinked(connection, since, self._clock.time_ns()), _told(use))
        return True

    def _missed(self, use: Use, missed: Iterable[tuple[Subscription, Interruption]]) -> None:
        """Fill what can be filled; streams are told of the rest."""
        filled = []
        for subscription, interruption in missed:
            if self._holes.fills(use.channel, subscription):
                filled.append((subscription, interruption))
            else:
                self._hole(subscription, interruption, self._clock.time_ns())
        self._holes.begin(use.channel, filled)

    def _doubt(self, use: Use, connection: Connection, cause: str, proven: int, told: Sequence[Subscription]) -> None:
        """Tell these of the times in which neither this leg nor another is known to have brought everything.

        Where no leg is left, what comes after the last event is told once one is live again.
        """
        for start, end in use.unproven(connection, proven, self._clock.time_ns()):
            for subscription in told:
                until = end if use.live else min(end, subscription.until_now(cause).since)
                if until > start:
                    self._hole(subscription, Interruption(cause, start - LATENESS), until)

    def _hole(self, subscription: Subscription, interruption: Interruption, until: int) -> None:
        """A hole that stays one."""
        subscription.missed(interruption, until, self._dispatcher.symbol_of(subscription))
        self._counters.gaps += 1


def _told(use: Use) -> list[Subscription]:
    """Who is told of what is missing."""
    return [subscription for subscription in use.users if subscription.live and not subscription.maintained]
