"""Connections that are being replaced, because the venue will end them before long.

Both deliver for a while. The old one may go when the new one serves all its topics, and nothing can be missing in between: it has
been heard since, nobody has yet to read what it brought, and what the new one tells of trades overlaps with what was told before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Interruption, Subscription
from cexspec.engine.gate import Identified
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use
from cexspec.models import Event

PATIENCE = 30
"""How often it is looked for what the venue may never say, before it is assumed."""
OVERLAPPING = 5
"""How often it is looked whether new trades overlap with those told before."""


class _Seen(NamedTuple):
    """How a stream of trades stood when the new connection began to serve its topic."""

    last: Event | None
    interruption: Interruption


@dataclass(slots=True)
class _Move:
    """A topic on its way to another connection."""

    target: Connection
    seen: dict[Subscription, _Seen] = field(default_factory=dict)


@dataclass(slots=True)
class _Rotation:
    """The topics of one connection on their way, how often was looked at them, and how often since all of them are served."""

    moves: dict[Use, _Move]
    looks: int = 0
    waits: int = 0


Unproven = list[tuple[Subscription, Interruption, int]]
"""Subscriptions that may have missed something, since when, and until when (nanoseconds)."""


class Rotations:
    """Which topics move from which connection to which."""

    def __init__(self) -> None:
        self._moving: dict[Connection, _Rotation] = {}

    def begun(self, connection: Connection) -> bool:
        """Whether others are taking over from it."""
        return connection in self._moving

    def begin(self, connection: Connection, moved: Mapping[Use, Connection]) -> None:
        """Each topic is asked for on another connection, too."""
        self._moving[connection] = _Rotation({use: _Move(target) for use, target in moved.items()})

    def over(self, connection: Connection, leads: Callable[[Connection, Topic], bool]) -> bool:
        """Whether the others have taken over; `leads` tells of a maintained book whether it is delivered from there already."""
        rotation = self._moving[connection]
        rotation.looks += 1
        moves = [(use, move) for use, move in rotation.moves.items() if use.users]
        served = [_serves(use, move, leads, trusted=rotation.looks > PATIENCE) for use, move in moves]
        if connection.session.held or not all(served):
            return False
        rotation.waits += 1
        proven = connection.proven_until
        heard = all(use.unproven(connection, proven, proven) is None for use, _ in moves) or rotation.waits > PATIENCE
        overlap = all(_proven(one, seen) for _, move in moves for one, seen in move.seen.items())
        return heard and (overlap or rotation.waits > OVERLAPPING)

    def end(self, connection: Connection, now: int) -> list[tuple[Use, Unproven]]:
        """It is replaced, or gone; its topics, with what may be missing of their trades until now (nanoseconds)."""
        rotation = self._moving.pop(connection, None)
        moves = rotation.moves if rotation is not None else {}
        live = ((use, move) for use, move in moves.items() if move.target in use.legs and use.legs[move.target].live)
        return [(use, _unproven(move, now)) for use, move in live]

    def clear(self) -> None:
        """Forget all."""
        self._moving.clear()


def _serves(use: Use, move: _Move, leads: Callable[[Connection, Topic], bool], *, trusted: bool) -> bool:
    """Whether a topic is served on its new connection; a venue that says nothing of subscriptions is trusted after a while."""
    leg = use.legs.get(move.target)
    if leg is None:  # refused there, or left
        return True
    if not leg.live and not (leg.accepted and trusted):
        return False
    for subscription in use.users:
        if subscription not in move.seen and isinstance(subscription.gate, Identified):
            subscription.gate.overlaps = False
            cause = "a connection near its end brought no trades while another took over"
            move.seen[subscription] = _Seen(subscription.last, subscription.until_now(cause))
    return not any(one.maintained for one in use.users) or leads(move.target, use.topic)


def _unproven(move: _Move, now: int) -> Unproven:
    return [(one, seen.interruption, now) for one, seen in move.seen.items() if one.live and not _proven(one, seen)]


def _proven(subscription: Subscription, seen: _Seen) -> bool:
    """Whether the trades told since overlap with those told before, if there are any."""
    gate = subscription.gate
    return subscription.last is seen.last or not isinstance(gate, Identified) or gate.overlaps
