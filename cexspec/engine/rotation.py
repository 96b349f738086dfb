"""Connections that are being replaced, because the venue will end them before long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cexspec.engine.connection import Connection
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use

PATIENCE = 30
"""How often it is looked whether a topic is live on its new connection, where the venue doesn't say so, before that is assumed."""


class Rotations:
    """Which topics move from which connection to which. While they do, both deliver."""

    def __init__(self) -> None:
        self._moving: dict[Connection, dict[Use, Connection]] = {}
        self._looks: dict[Connection, int] = {}

    def begun(self, connection: Connection) -> bool:
        """Whether others are taking over from it."""
        return connection in self._moving

    def begin(self, connection: Connection, moved: Mapping[Use, Connection]) -> None:
        """Each topic is asked for on another connection, too."""
        self._moving[connection] = dict(moved)
        self._looks[connection] = 0

    def over(self, connection: Connection, leads: Callable[[Connection, Topic], bool]) -> bool:
        """Whether the others serve all that it does; `leads` tells of a maintained book whether it is delivered
        from there already.

        A venue that says nothing of subscriptions is trusted after a while.
        """
        self._looks[connection] += 1
        trusted = self._looks[connection] > PATIENCE
        return all(_serves(use, target, leads, trusted) for use, target in self._moving[connection].items() if use.users)

    def replaces(self, connection: Connection) -> bool:
        """Whether a connection that is gone needn't come back: others are taking over already."""
        return connection in self._moving

    def end(self, connection: Connection) -> None:
        """It is replaced, or gone."""
        self._moving.pop(connection, None)
        self._looks.pop(connection, None)

    def clear(self) -> None:
        """Forget all."""
        self._moving.clear()
        self._looks.clear()


def _serves(use: Use, target: Connection, leads: Callable[[Connection, Topic], bool], trusted: bool) -> bool:
    leg = use.legs.get(target)
    if leg is None:  # refused there, or left
        return True
    if not leg.live and not (leg.accepted and trusted):
        return False
    return not any(one.maintained for one in use.users) or leads(target, use.topic)
