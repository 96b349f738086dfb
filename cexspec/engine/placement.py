"""Which connection a topic goes to, and how connections come to be.

Connections of one kind that are interchangeable form a lane: a topic goes to the first of its lane that has room
(`max_topics`), else to a new one. The legs of a redundant topic are on lanes of their own, never on one connection; so are the
topics of each stream whose consumer is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import inf
from typing import NamedTuple

from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import SHARED


class Lane(NamedTuple):
    """A kind of connection by its name in the spec, which of the redundant ones it is, and whose own (`Subscription.lane`)."""

    kind: str
    leg: int = 0
    own: int = SHARED


class Placement:
    """The connections of a client that take topics. `build` makes one of a lane, `used` counts the topics on it."""

    def __init__(
        self, build: Callable[[Lane, str], Connection], room: Callable[[str], int | None], used: Callable[[Connection], int]
    ) -> None:
        self._build, self._room, self._used = build, room, used
        self._lanes: dict[Lane, list[Connection]] = {}
        self._numbers = count(1)

    def place(self, lane: Lane, fits: Callable[[Connection], bool] = lambda connection: True) -> Connection:
        """A connection that fits, with room for one topic more; a new one has not begun to connect."""
        room = self._room(lane.kind) or inf
        connections = self._lanes.setdefault(lane, [])
        for connection in connections:
            if self._used(connection) < room and fits(connection):
                return connection
        connection = self._build(lane, f"{lane.kind}-{next(self._numbers)}")
        connections.append(connection)
        return connection

    def withdraw(self, connection: Connection) -> Lane | None:
        """Place nothing there any more; the lane it was on."""
        for lane, connections in self._lanes.items():
            if connection in connections:
                connections.remove(connection)
                if not connections:
                    del self._lanes[lane]
                return lane
        return None

    def clear(self) -> None:
        """Forget all."""
        self._lanes.clear()
