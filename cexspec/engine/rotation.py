"""Connections that are being replaced, because the venue will end them before long.

Both deliver for a while. The old one may go when the new one serves all its topics, and nothing can be missing in between: it has
been heard since, nobody has yet to read what it brought, and neither has yet to bring what the other one brought.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cexspec.engine.connection import Connection
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use

PATIENCE = 30
"""How often it is looked for what the venue may never say, before it is assumed."""
OVERLAPPING = 5
"""How often it is looked whether the old connection brings what the new one brought."""


@dataclass(slots=True)
class _Rotation:
    """Where the topics of one connection go, how often was looked at them, and how often since all of them are served."""

    moves: dict[Use, Connection]
    looks: int = 0
    waits: int = 0


class Rotations:
    """Which topics move from which connection to which."""

    def __init__(self) -> None:
        self._moving: dict[Connection, _Rotation] = {}

    def begun(self, connection: Connection) -> bool:
        """Whether others are taking over from it."""
        return connection in self._moving

    def begin(self, connection: Connection, moved: Mapping[Use, Connection]) -> None:
        """Each topic is asked for on another connection, too."""
        self._moving[connection] = _Rotation(dict(moved))

    def over(self, connection: Connection, leads: Callable[[Connection, Topic], bool]) -> bool:
        """Whether the others have taken over; `leads` tells of a maintained book whether it is delivered from there already."""
        rotation = self._moving[connection]
        rotation.looks += 1
        moves = [(use, target) for use, target in rotation.moves.items() if use.users and target in use.legs]
        served = [_serves(use, target, leads, trusted=rotation.looks > PATIENCE) for use, target in moves]
        if connection.session.held or not all(served):
            return False
        rotation.waits += 1
        heard = all(use.heard_since(connection, target) for use, target in moves) or rotation.waits > PATIENCE
        level = not any(use.is_behind(connection) for use, _ in moves)
        return heard and (level or rotation.waits > OVERLAPPING)

    def end(self, connection: Connection) -> list[Use]:
        """It is replaced, or gone; its topics that are live elsewhere."""
        rotation = self._moving.pop(connection, None)
        moves = rotation.moves if rotation is not None else {}
        return [use for use, target in moves.items() if target in use.legs and use.legs[target].live]

    def clear(self) -> None:
        """Forget all."""
        self._moving.clear()


def _serves(use: Use, target: Connection, leads: Callable[[Connection, Topic], bool], *, trusted: bool) -> bool:
    """Whether a topic is served on its new connection; a venue that says nothing of subscriptions is trusted after a while."""
    leg = use.legs[target]
    if not leg.live and not (leg.accepted and trusted):
        return False
    return not use.is_behind(target) and (not any(one.maintained for one in use.users) or leads(target, use.topic))
