"""What is kept of a topic's book: its legs, who asked for each, and how far its start is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from cexspec.compile.plan import Params
from cexspec.engine.books.legs import Legs
from cexspec.engine.books.sync import BookSync
from cexspec.engine.books.synced import SyncedBook
from cexspec.engine.books.waiting import levels_fetched
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Subscription
from cexspec.engine.planning import Pending, Snapshot

Key = tuple[str, str, str]
"""Name of the connection in the spec, channel, and topic."""


def key_of(subscription: Subscription) -> Key:
    """Which book a subscription is about."""
    return subscription.connection, subscription.channel, subscription.topic.text


@dataclass(slots=True)
class Leg:
    """A book on one connection and who asked for it there."""

    sync: BookSync
    book: SyncedBook
    users: set[Subscription] = field(default_factory=set)


@dataclass(slots=True)
class Kept:
    """A topic's book, on each of the connections that serve it.

    `number` is its place in the order asked for, `served` when the venue is expected to serve it, `begun` whether consumers
    have had a view of it.
    """

    legs: Legs
    number: int
    served: float
    begun: bool = False
    on: dict[Connection, Leg] = field(default_factory=dict)

    def expect(self, book: SyncedBook) -> None:
        """One of its books is behind another: its connection should bring something before long."""
        for connection, leg in self.on.items():
            if leg.book is book and book.topic is not None:
                connection.expect(book.topic)

    def pending(self, params_of: Callable[[SyncedBook], Params]) -> Pending:
        """What it waits for while it can't be read."""
        book = self.legs.primary
        served = {"waiting": self.served, "out_of_sync": book.due}.get(book.state, 0.0)
        if not isinstance(book.plan.sync, tuple):
            return Pending(served if served < inf else 0.0, None)
        operation, most = book.plan.sync
        return Pending(served, Snapshot(operation, {**params_of(book), "depth": levels_fetched(most, book.wanted)}))
