"""Where the maintained order book will sit: between the reading of a frame and the queues of its consumers."""

from __future__ import annotations

from typing import Protocol

from cexspec.compile.plan import ChannelPlan
from cexspec.models import Book, Event


class BookSync(Protocol):
    """Sees every book message of a connection in its order, before any consumer does; one for each connection.

    `Connections` calls `apply` with what a frame holds and delivers what it returns in place of it, so that it may keep
    messages back until a book is in sync, add events of its own, or ask for a resync. It dies with its connection.
    """

    def apply(self, channel: ChannelPlan, books: list[Book]) -> list[Event]:
        """The events to deliver for these book messages of a channel."""
