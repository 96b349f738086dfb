"""One symbol's maintained book: a state machine that no message can leave wrong and believed.

    waiting ----------snapshot in the stream---------> in_sync --rule, checksum, crossed, exhausted--> out_of_sync
      |                                                   ^                                               |
      `-- subscribed --> buffering --fetched snapshot-----+<------ asked for anew, after a backoff -------'

No I/O and no clock: `now` is seconds of a monotonic clock; what it wants done it returns from `resync`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random
from typing import Literal

from msgspec import Struct

from cexspec.compile.socket_plan import BookPlan, ChannelPlan
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.levels import Levels
from cexspec.engine.books.rules import OLD, Place, Position, Verdict, judge, position
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.view import BookView, Maintained, gap_before
from cexspec.engine.books.waiting import Waiting, levels_fetched
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.models import Book, BookState, Event

State = Literal["waiting", "buffering", "in_sync", "out_of_sync"]
MAX_OLD = 20
"""Messages in a row that are older than the book: more mean that the venue has begun to count anew."""


class Renew(Struct, frozen=True):
    """Subscribe this topic anew: its snapshot begins the book."""

    topic: Topic


class Fetch(Struct, frozen=True):
    """Call this operation for a snapshot and hand it to `fetched`, or why there is none to `failed`, with the ticket."""

    book: SyncedBook
    operation: str
    depth: int
    ticket: int
    again: bool = False
    """one was asked for before"""


class SyncedBook:
    """The book of one symbol of a subscription, with at least the levels that are `wanted` of each side (None: all that there are).

    `symbol` tells its symbol as it is known now.
    """

    def __init__(
        self,
        exchange: str,
        channel: ChannelPlan,
        topic: Topic | None,
        symbol: Callable[[], str | None],
        checksums: Checksums,
        settings: BookSettings,
        counters: Counters,
        random: Random,
        wanted: int | None = None,
    ) -> None:
        assert channel.book is not None
        self.channel, self.topic, self.symbol = channel, topic, symbol
        self.plan: BookPlan = channel.book
        self.state: State = "waiting"
        self.reason = "no snapshot has arrived yet"
        self._levels = Levels(channel.book, settings.max_levels)
        self._levels.want(wanted)
        self.book = self._levels.book
        self.waiting = Waiting()
        self.source: Maintained = self
        """what its views read; several books of one topic are read through one (see `Legs`)"""
        self.due = inf
        """when `settle` is due"""
        self.checksum: bool | None = None
        """whether the last message had the book's checksum; None: it had none that could be verified"""
        self._exchange, self._checksums, self._settings, self._counters, self._random = exchange, checksums, settings, counters, random
        self._place = Place()
        self._last: Book | None = None
        self._reached: Position | None = None
        self._lost: tuple[str, int | None] | None = None
        self._since = inf
        self._held = False
        """a checksum was verified since the book was begun"""
        self._fresh = True
        """no view has been given since the book was begun"""
        self._attempts = self._olds = 0

    @property
    def trouble(self) -> str | None:
        """See `Maintained.trouble`."""
        return None if self.state == "in_sync" else f"the book is {self.state.replace('_', ' ')}: {self.reason}"

    @property
    def again(self) -> bool:
        """Whether a snapshot was asked for before: what comes now is a resync."""
        return self._attempts > 0 or self._lost is not None

    @property
    def proven(self) -> int | None:
        """Levels of each side that are proven to be complete; None: all. Where only checksums prove, those of the last that held."""
        if self.plan.rule is not None or self.plan.sync == "replace" or self.plan.checksum_depth is None:
            return None
        return self.plan.checksum_depth if self._held else 0

    @property
    def depth(self) -> int | None:
        """Levels of each side that the topic has, as far as that is declared."""
        asked = self.topic.params.get("depth") if self.topic is not None else None
        return int(asked) if asked is not None else self.channel.depth

    @property
    def wanted(self) -> int | None:
        """Levels that consumers want of each side; None: all that there are."""
        return self._levels.wanted

    @property
    def sequence(self) -> int | None:
        """The venue's number up to which the book is told."""
        return self._place.sequence

    @property
    def reached(self) -> Position | None:
        """Where the book stands, or stood when it was last right, as the same book on another connection tells it, too."""
        return self._position() if self.state == "in_sync" else self._reached

    def view(self, *, first: bool) -> BookView:
        """A window on the book."""
        last = self._last
        assert last is not None
        stamps = {"timestamp": last.timestamp, "received": last.received}
        return BookView(exchange=self._exchange, symbol=last.symbol, source=self.source, first=first, **stamps)

    def subscribed(self, now: float, *, late: bool = False) -> None:
        """The venue serves the topic. `late`: it did before this book was asked for, so that its snapshot has gone by."""
        if self.state == "waiting" and self.plan.sync != "replace":
            soon = late or self.plan.sync != "stream"
            self.due = min(self.due, now if soon else now + self._settings.patience)

    def apply(self, message: Book, now: float) -> list[Event]:
        """The next message of the stream: the events to deliver for it."""
        if message.is_snapshot:
            return self._replaced(message, now)
        if self.state == "in_sync":
            return self._changed(message, now)
        if isinstance(self.plan.sync, tuple):
            self.waiting.keep(message)
        self.subscribed(now)
        return []

    def want(self, depth: int | None, now: float) -> list[Event]:
        """A consumer wants so many levels of each side (None: all): a book that was fetched with fewer is begun anew."""
        self._levels.want(None if depth is None or self.wanted is None else max(depth, self.wanted))
        if not isinstance(self.plan.sync, tuple) or levels_fetched(self.plan.sync[1], self.wanted) <= self.waiting.levels:
            return []
        if self.state == "in_sync":
            return self.lose(f"more levels of it are wanted than the {self.waiting.levels} that were fetched", now)
        if self.state == "buffering":
            self.waiting.refuse()
            self.due = now
        return []

    def awaits(self, ticket: int) -> bool:
        """Whether the snapshot asked for with this ticket is still of use."""
        return ticket == self.waiting.ticket and self.state == "buffering"

    def fetched(self, ticket: int, snapshot: Book, now: float) -> list[Event]:
        """The snapshot that was asked for: what was kept and follows it is applied."""
        if not self.awaits(ticket):
            return []
        self._begin(snapshot, Place(snapshot.sequence, fetched=True), self.waiting.levels)
        kept = self.waiting.kept
        while kept:
            verdict = judge(self.plan.rule, self.plan.accepts, self._place, kept[0])
            if verdict.kind == "gap":
                return self._again(verdict.reason, now)
            message = kept.popleft()
            if message.size_unit != snapshot.size_unit:
                return self._again(f"sizes are counted in {message.size_unit} now", now)
            if verdict.kind == "next":
                self._advance(message)
        assert self._last is not None
        return self._entered(self._last, now)

    def failed(self, ticket: int, reason: str, now: float) -> list[Event]:
        """There is no snapshot: another one will be asked for."""
        return self._again(reason, now) if self.awaits(ticket) else []

    def lose(self, reason: str, now: float) -> list[Event]:
        """The book is no longer known to be right."""
        if self.state == "in_sync" and now - self._since >= self._settings.steady:
            self._attempts = 0
        self._lost = self._lost or (reason, None if self._last is None else self._last.timestamp)
        self._counters.resyncs += 1
        self._forget("out_of_sync", reason)
        self.due = inf if self.plan.sync == "replace" else now + self._settings.backoff.delay(self._attempts, self._random)
        return [self._told()]

    def died(self, cause: str) -> list[Event]:
        """The connection is gone: what was known of the book went with it."""
        believed = self.state == "in_sync"
        self._forget("out_of_sync", cause)
        told = self._told()
        self.state, self.due, self._lost = "waiting", inf, None
        if believed:
            self._attempts = 0
        return [told] if believed else []

    def ended(self) -> None:
        """Nobody wants it any more."""
        self._forget("waiting", "it is subscribed no longer")
        self.due = inf

    def settle(self, now: float) -> list[Event] | Renew | Fetch:
        """What is due: ask for another snapshot, or give up waiting for the other half of an update."""
        if self.state == "in_sync":
            return self.lose("a level crosses the book, and the levels it meets stay", now)
        again, self._attempts = self.again, self._attempts + 1
        if isinstance(self.plan.sync, tuple):
            self.state, self.due = "buffering", inf
            operation, most = self.plan.sync
            self.waiting.ask(levels_fetched(most, self.wanted))
            return Fetch(self, operation, self.waiting.levels, self.waiting.ticket, again)
        assert self.topic is not None
        self.state, self.due = "waiting", now + self._settings.patience
        return Renew(self.topic)

    def _replaced(self, message: Book, now: float) -> list[Event]:
        """A snapshot in the stream. Where every message is one, its number must not be an old one."""
        believed = self.state == "in_sync"
        if believed and self.plan.sync == "replace":
            verdict = self._judged(message)
            if verdict.kind != "next":
                return self.lose(verdict.reason, now) if verdict.kind == "gap" else self._old(now)
        self._begin(message, Place(message.sequence, message.previous_sequence), None)
        self.waiting.kept.clear()
        return self._checked(message, now) if believed else self._entered(message, now)

    def _changed(self, message: Book, now: float) -> list[Event]:
        verdict = judge(self.plan.rule, self.plan.accepts, self._place, message)
        if verdict.kind == "old":
            return self._old(now)
        if verdict.kind == "gap":
            return self._gap(message, verdict.reason, now)
        if message.size_unit != (self._last or message).size_unit and (message.bids or message.asks):
            return self.lose(f"sizes are counted in {message.size_unit} now", now)
        self._advance(message)
        told = self._checked(message, now)
        return told if message.bids or message.asks or self.state != "in_sync" else []

    def _judged(self, message: Book) -> Verdict:
        """The verdict on a snapshot where every message is one; without numbers the time tells which is older."""
        before = None if self._last is None else self._last.timestamp
        if self.plan.rule is None and None not in (before, message.timestamp) and (message.timestamp or 0) < (before or 0):
            return OLD
        return judge(self.plan.rule, self.plan.accepts, self._place, message)

    def _old(self, now: float) -> list[Event]:
        """A message that is in the book already; too many of them are no accident."""
        self._olds += 1
        return self.lose(f"{MAX_OLD} messages in a row are older than the book", now) if self._olds >= MAX_OLD else []

    def _gap(self, message: Book, reason: str, now: float) -> list[Event]:
        told = self.lose(reason, now)
        if isinstance(self.plan.sync, tuple):
            self.waiting.keep(message)
        return told

    def _begin(self, snapshot: Book, place: Place, fetched: int | None) -> None:
        self._levels.begin(snapshot, self.depth, fetched)
        self._place, self._last, self._olds, self._held = place, snapshot, 0, False

    def _advance(self, message: Book) -> None:
        self._levels.change(message)
        sequence = message.sequence if message.sequence is not None else self._place.sequence
        self._place, self._last, self._olds = Place(sequence, message.previous_sequence), message, 0

    def _entered(self, message: Book, now: float) -> list[Event]:
        """The book has been begun; it is believed if nothing speaks against it."""
        told = self._checked(message, now)
        view = told[-1]
        if self._lost is not None and isinstance(view, BookView):
            told.insert(0, gap_before(view, self.channel.name, *self._lost))
            self._lost = None
        return told

    def _checked(self, message: Book, now: float) -> list[Event]:
        """The view after a message, unless the book is wrong, or half an update."""
        trouble = self._trouble(message, now)
        if trouble is not None:
            return self.lose(trouble, now)
        if self.state != "in_sync":
            self.state, self.reason, self._since, self._fresh = "in_sync", "", now, True
        first, self._fresh = self._fresh, False
        return [self.view(first=first)]

    def _trouble(self, message: Book, now: float) -> str | None:
        """What is wrong with the book after a message."""
        holds = self.checksum = self._checksums.holds(self.book, message)
        if holds is not None:
            self._held = holds
            self._counters.checksums += 1
            if not holds:
                self._counters.checksum_failures += 1
                return "the checksum of the venue is another one"
        self.due = inf if not self._levels.half else min(self.due, now + self._settings.half)
        return self._levels.trouble()

    def _again(self, reason: str, now: float) -> list[Event]:
        """The snapshot is of no use: another one is asked for, and changes are kept all the while."""
        self._levels.clear()
        self.reason, self._place = reason, Place()
        self.due = now + self._settings.backoff.delay(self._attempts, self._random)
        return [self._told()]

    def _position(self) -> Position | None:
        return position(self.plan.rule, self.plan.accepts, self._place.sequence, None if self._last is None else self._last.timestamp)

    def _forget(self, state: State, reason: str) -> None:
        self._reached = self.reached
        self.state, self.reason = state, reason
        self._levels.clear()
        self.waiting.clear()
        self._place, self._olds = Place(), 0

    def _told(self) -> BookState:
        stamps = (None, None) if self._last is None else (self._last.timestamp, self._last.received)
        return BookState(
            exchange=self._exchange,
            symbol=self.symbol(),
            timestamp=stamps[0],
            received=stamps[1],
            channel=self.channel.name,
            state=self.state,
            reason=self.reason,
        )
