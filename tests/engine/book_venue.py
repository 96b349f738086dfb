"""A venue that knows its true book, the lossy line to it, and a client that keeps the book by a rule."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.socket_plan import BookPlan, ChannelPlan
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.synced import Fetch, Renew, SyncedBook
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.hooks import CHECKSUMS
from cexspec.models import Book, Event
from cexspec.transport.backoff import Backoff

Side = dict[Decimal, Decimal]
State = tuple[Side, Side]
PLAN = BookPlan(sync="stream", rule=None, accepts=(), checksum_hook=None, checksum_depth=None, checksum_until=None, truncate=False)
FETCHED: Any = ("order_book", 1000)
TOPIC = Topic("order_book", {}, "book:A", {})
SETTINGS = BookSettings(Backoff(0.5, 8.0), patience=5.0)

STYLES: dict[str, BookPlan] = {
    "contiguous": replace(PLAN, rule="contiguous"),
    "contiguous after a fetched snapshot": replace(PLAN, rule="contiguous", sync=FETCHED),
    "previous": replace(PLAN, rule="previous", accepts=("equal", "reset")),
    "previous after a fetched snapshot": replace(PLAN, rule="previous", sync=FETCHED),
    "ranges": replace(PLAN, rule="overlap", sync=FETCHED),
    "linked ranges": replace(PLAN, rule="overlap", sync=FETCHED, accepts=("snapshot_is_previous",)),
    "monotonic": replace(PLAN, rule="monotonic", sync="replace"),
    "per connection": replace(PLAN, rule="per_connection"),
    "checksum": replace(PLAN, checksum_hook="bitfinex", checksum_depth=99),
    "checksum of a book that is cut": replace(PLAN, checksum_hook="bitfinex", checksum_depth=5, truncate=True),
}


@cache
def channel_of(plan: BookPlan) -> ChannelPlan:
    """A real channel with another rule."""
    return replace(compile_exchange("okx").channel("order_book"), name="order_book", book=plan, depth=5 if plan.truncate else None)


@dataclass(frozen=True)
class Sent:
    """A frame: its number on the connection, the message, and the book as the venue had it then."""

    frame: int
    message: Book
    state: State


@dataclass
class TrueVenue:
    """Makes messages as a style numbers them."""

    style: str
    random: Random
    bids: Side = field(default_factory=lambda: {Decimal(100 - at): Decimal(5) for at in range(6)})
    asks: Side = field(default_factory=lambda: {Decimal(101 + at): Decimal(5) for at in range(6)})
    number: int = 1000
    frames: int = 0
    line: deque[Sent] = field(default_factory=deque)
    history: dict[int, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.history[self.number] = self.state()

    def state(self) -> State:
        """The book as the channel shows it."""
        most = 5 if STYLES[self.style].truncate else None
        return dict(sorted(self.bids.items(), reverse=True)[:most]), dict(sorted(self.asks.items())[:most])

    def change(self) -> None:
        """One move of the market, told on the line."""
        before, at = self.state(), self.number
        middle = self.random.choice((-1, 0, 1)) + (max(self.bids) + min(self.asks)) // 2
        for side, sign in ((self.bids, -1), (self.asks, 1)):
            for price in [price for price in side if (price - middle) * sign <= 0]:
                del side[price]
            for _ in range(2):
                price, size = middle + sign * self.random.randint(1, 8), Decimal(self.random.randint(0, 9))
                side[price] = size
            for price in [price for price, size in side.items() if not size]:
                del side[price]
            side.setdefault(middle + sign, Decimal(1))
        first, self.number, previous = self._numbers(at)
        self.history[self.number] = self.state()
        if STYLES[self.style].sync == "replace":
            self.send(self.whole())
            return
        changes = [self._told(*sides) for sides in zip(before, self.state(), (self.bids, self.asks), strict=True)]
        self.send(self._message(*changes, is_snapshot=False, first_sequence=first, previous_sequence=previous))

    def nothing(self) -> None:
        """A message that says that nothing changed."""
        if self.style == "previous":
            self.send(self._message([], [], is_snapshot=False, previous_sequence=self.number))

    def whole(self) -> Book:
        """The book as a snapshot."""
        return self._message(*(list(side.items()) for side in self.state()), is_snapshot=True, previous_sequence=-1)

    def send(self, message: Book) -> None:
        """Put a message on the line."""
        self.frames += 1
        self.line.append(Sent(self.frames, message, self.state()))

    def drop(self) -> None:
        """The next frame is lost."""
        if self.line:
            self.line.popleft()

    def swap(self) -> None:
        """The second next frame overtakes the next."""
        if len(self.line) > 1:
            self.line[0], self.line[1] = self.line[1], self.line[0]

    def _numbers(self, at: int) -> tuple[int | None, int, int | None]:
        """First, last and previous number of the next message."""
        jump = self.random.randint
        match self.style.split()[0]:
            case "previous":
                if self.style == "previous" and self.random.random() < 0.1:
                    return None, min(self.history) - jump(1, 9), at
                return None, max(max(self.history), at) + jump(1, 5), at
            case "ranges":
                return at + 1, at + jump(1, 3), None
            case "linked":
                first = at + jump(1, 3)
                return first, first + jump(0, 3), at
            case _:
                return None, at + 1, None

    def _told(self, before: Side, now: Side, whole: Side) -> list[Any]:
        gone = [(price, Decimal(0)) for price in before if price not in now and not (STYLES[self.style].truncate and price in whole)]
        return gone + [(price, size) for price, size in now.items() if before.get(price) != size]

    def _message(self, bids: list[Any], asks: list[Any], **more: Any) -> Book:
        plan, numbered = STYLES[self.style], not self.style.startswith("checksum")
        checksum = None
        if plan.checksum_hook is not None:
            tops = [[*side.items()][: plan.checksum_depth] for side in self.state()]
            checksum = CHECKSUMS[plan.checksum_hook](tops[0], tops[1])
        return Book(
            exchange="x",
            symbol="A/B",
            bids=bids,
            asks=asks,
            sequence=self.number if numbered else None,
            checksum=checksum,
            timestamp=self.frames,
            **more,
        )


class Player:
    """The client's side: the book, its clock, and what it is told."""

    def __init__(self, style: str, seed: int) -> None:
        self.style, self.venue, self.now = style, TrueVenue(style, Random(seed)), 0.0
        plan = STYLES[style]
        checksums = Checksums(plan, 1, lambda: None, lambda message: Decimal(1))
        self.counters = Counters("x")
        self.book = SyncedBook("x", channel_of(plan), TOPIC, lambda: "A/B", checksums, SETTINGS, self.counters, Random(seed))
        self.frame: int | None = None
        self.last: State | None = None
        self.asked: deque[tuple[Fetch, Book]] = deque()
        self.events: list[Event] = []
        if plan.sync == "stream":
            self.venue.send(self.venue.whole())
        self.book.subscribed(self.now)

    def deliver(self, *, copy_at: int | None = None) -> None:
        """The next frame arrives, and maybe once more after some others."""
        if not self.venue.line:
            return
        sent = self.venue.line.popleft()
        if copy_at is not None:
            self.venue.line.insert(copy_at, sent)
        if self.style == "per connection" and not self._counted(sent.frame):
            return
        self.last = sent.state
        self._tell(self.book.apply(sent.message, self.now))

    def wait(self, seconds: float) -> None:
        """Time passes; what is due is done."""
        self.now += seconds
        if self.book.due <= self.now:
            wanted = self.book.settle(self.now)
            if isinstance(wanted, Renew):
                self.venue.send(self.venue.whole())
            elif isinstance(wanted, Fetch):
                self.asked.append((wanted, self.venue.whole()))
            else:
                self._tell(wanted)

    def answer(self, *, late: bool) -> None:
        """The snapshot that was asked for first arrives: as it was then, or as it is now."""
        if self.asked:
            asked, then = self.asked.popleft()
            self._tell(self.book.fetched(asked.ticket, then if late else self.venue.whole(), self.now))

    def check(self) -> None:
        """A book that can be read is a book that the venue had."""
        if self.book.trouble is None:
            held = tuple(dict(side.top()) for side in self.book.book._sides())
            numbered = self.book.sequence is not None and self.style != "per connection"
            assert held == (self.venue.history[self.book.sequence or 0] if numbered else self.last)

    def _counted(self, frame: int) -> bool:
        """What the session does with the numbers of frames."""
        before, self.frame = self.frame, frame
        if before == frame:
            return False
        if before is not None and frame != before + 1 and self.book.state == "in_sync":
            self._tell(self.book.lose("frames were lost", self.now))
        return True

    def _tell(self, events: list[Event]) -> None:
        self.events += events
