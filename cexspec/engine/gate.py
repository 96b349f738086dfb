"""What keeps events from being delivered twice: venues repeat trades after a subscription, and two connections may serve one topic.

A gate stands before one subscription's queue. `origin` is the connection an event came by.

Identified   each id once (trades, always)
Counted      without ids: as often as the connection that tells it most often
Ordered      states: nothing older than what was delivered, nothing equal twice
Numbered     messages of a book that are numbered, or whole books: each number (or time) once, in their order
Relayed      changes of a book that are not numbered: those of one connection, until another one begins the book anew
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from msgspec.structs import replace

from cexspec.compile.socket_plan import BookPlan, ChannelPlan
from cexspec.engine.books.rules import RULES, Position, position
from cexspec.engine.freshness import Mark, mark
from cexspec.models import Book, Event, Liquidation, Trade

IDS = 256
"""Ids of one subscription that are remembered: more than any venue repeats."""
ALIKE = 100
"""Different events of one symbol and one time that are remembered."""
EVENTS = 10_000
"""Events that are remembered where several connections tell them."""


class Gate(Protocol):
    """Decides what a subscription gets."""

    def passes(self, event: Any, origin: object) -> bool:
        """Whether the event is delivered."""


class Identified:
    """Each id once. `shared`: the subscription is for many symbols, each with ids of its own."""

    __slots__ = ("_counted", "_order", "_seen", "_shared")

    def __init__(self, shared: bool) -> None:
        self._shared, self._counted = shared, Counted()
        self._seen: dict[object, None] = {}  # a set of as many, whose oldest go, takes nearly three times the memory
        self._order: deque[object] = deque()

    def passes(self, event: Trade, origin: object) -> bool:
        """See `Gate.passes`."""
        if event.id is None:
            return self._counted.passes(event, origin)
        key = (event.symbol, event.id) if self._shared else event.id
        if key in self._seen:
            return False
        self._seen[key] = None
        self._order.append(key)
        if len(self._order) > IDS * (1 + 99 * self._shared):
            del self._seen[self._order.popleft()]
        return True

    def knows(self, event: Trade) -> bool:
        """Whether the event was delivered, not long ago."""
        return event.id is not None and ((event.symbol, event.id) if self._shared else event.id) in self._seen


class Counted:
    """As often as the connection that tells it most often."""

    def __init__(self) -> None:
        self._told: dict[Event, dict[object, int]] = {}

    def passes(self, event: Event, origin: object) -> bool:
        """See `Gate.passes`."""
        content = replace(event, received=None)
        told = self._told.get(content)
        if told is None:
            if len(self._told) >= EVENTS:
                del self._told[next(iter(self._told))]
            told = self._told[content] = {}
        most = max(told.values(), default=0)
        told[origin] = told.get(origin, 0) + 1
        return told[origin] > most


class Ordered:
    """Nothing older than what was delivered of the same symbol, and nothing equal twice."""

    def __init__(self, last: Event | None) -> None:
        self._latest: dict[Mark, tuple[int | None, list[Event]]] = {}
        if last is not None:
            self.passes(last, None)

    def passes(self, event: Event, origin: object) -> bool:
        """See `Gate.passes`."""
        at: int | None = getattr(event, "sequence", None)
        at = event.timestamp if at is None else at
        known = mark(event)
        latest, events = self._latest.get(known, (None, None))
        if events is not None and at == latest:
            content = replace(event, received=None)
            if any(replace(one, received=None) == content for one in events):
                return False
            events.append(event)
            del events[:-ALIKE]
        elif latest is not None and at is not None and at < latest:
            return False
        else:
            self._latest[known] = at, [event]
        return True


class Numbered:
    """Each number of a book's messages once, where they have their own and it only grows; else each time."""

    def __init__(self, plan: BookPlan, last: Event | None) -> None:
        self._rule, self._accepts = plan.rule, plan.accepts
        self._last: dict[str | None, Position] = {}
        if isinstance(last, Book):
            self.passes(last, None)

    def passes(self, event: Book, origin: object) -> bool:
        """See `Gate.passes`."""
        last = self._last.get(event.symbol)
        at = position(self._rule, self._accepts, event.sequence, event.timestamp)
        if at is None:
            return True
        if last is not None and at <= last:
            return False
        self._last[event.symbol] = at
        return True


class Relayed:
    """The messages of one connection, until another one begins the book anew."""

    def __init__(self) -> None:
        self._source: dict[str | None, object] = {}

    def passes(self, event: Book, origin: object) -> bool:
        """See `Gate.passes`."""
        if event.is_snapshot:
            self._source[event.symbol] = origin
        return self._source.setdefault(event.symbol, origin) is origin

    def needs_another(self, origin: object) -> bool:
        """Whether the connection that is gone was the one: the others can't go on without a snapshot."""
        return origin in self._source.values()


def has_standing_gate(channel: ChannelPlan) -> bool:
    """Whether subscriptions of a channel always have a gate: those of trades, each of which is told once."""
    return _only(channel, Trade)


def standing_gate(channel: ChannelPlan, shared: bool) -> Gate | None:
    """What a subscription always has."""
    return Identified(shared) if has_standing_gate(channel) else None


def overlapping_gate(channel: ChannelPlan, last: Event | None) -> Gate:
    """What a subscription has while several connections tell its events; `last` is the one delivered last."""
    if channel.private:
        return Counted()
    if channel.book is not None:
        numbered = channel.book.rule in RULES or channel.book.sync == "replace"
        return Numbered(channel.book, last) if numbered else Relayed()
    return Counted() if _only(channel, Liquidation) else Ordered(last)


def _only(channel: ChannelPlan, model: type[Event]) -> bool:
    return all(issubclass(reader.model, model) for reader in channel.readers)
