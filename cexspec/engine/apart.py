"""Topics of one symbol that frames don't tell apart, such as two depths of a book: the connection they come by tells.

No two of them share a connection, so that what comes there of a symbol belongs to the one topic that is asked for there.
"""

from __future__ import annotations

from collections.abc import Callable

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.engine.channel_choice import MARKET_HOLES
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Subscription
from cexspec.engine.outputs import Deliver
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use, Uses

TOLD = MARKET_HOLES | {"interval", "category"}
"""Holes of a topic that events tell."""
MAX_WAYS = 20_000
"""Ways kept; symbols come from the wire."""


class Apart:
    """Which topics may share a connection, and whose a frame is. Call `forget_ways` whenever topics come or go."""

    def __init__(self, plan: ExchangePlan, uses: Uses, symbol_of: Callable[[Subscription], str | None]) -> None:
        self._plan, self._uses, self._symbol_of = plan, uses, symbol_of
        self._blurred: dict[str, bool] = {}
        self._ways: dict[tuple[Connection, str, str | None], Topic | None] = {}

    def may_share(self, use: Use, connection: Connection) -> bool:
        """Whether a topic may be asked for on a connection, beside those that are there."""
        if not self._is_blurred(use):
            return True
        others = (other for other in self._uses.on(connection).values() if other.channel is use.channel and other is not use)
        return not any(_same_market(other.topic, use.topic) for other in others)

    def told(self, connection: Connection, deliver: Deliver) -> Deliver:
        """A frame's events, with the topic they belong to where only the connection tells."""
        name, events = deliver.parts[0]
        if deliver.topic is not None or not self._blurred.get(name) or not events:
            return deliver
        key = connection, name, events[0].symbol
        if key not in self._ways:
            if len(self._ways) >= MAX_WAYS:
                self._ways.clear()
            self._ways[key] = self._find(*key)
        return Deliver(deliver.parts, self._ways[key])

    def forget_ways(self) -> None:
        """Topics have come or gone."""
        self._ways.clear()

    def _is_blurred(self, use: Use) -> bool:
        name = use.channel.name
        if name not in self._blurred:
            self._blurred[name] = bool(use.topic.params.keys() - TOLD) and self._plan.connection(use.kind).learns is None
        return self._blurred[name]

    def _find(self, connection: Connection, channel: str, symbol: str | None) -> Topic | None:
        for use in self._uses.on(connection).values():
            if use.channel.name == channel and any(self._symbol_of(one) == symbol for one in use.users):
                return use.topic
        return None


def _same_market(one: Topic, other: Topic) -> bool:
    """Whether two topics of a channel are about the same instrument."""
    holes = one.params.keys() & MARKET_HOLES
    return all(one.params[hole] == other.params.get(hole) for hole in holes)
