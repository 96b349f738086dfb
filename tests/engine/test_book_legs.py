"""One book on several connections: which one consumers get, and that they never see it go back or end without a word."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from cexspec.compile.socket_plan import BookPlan
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.legs import Legs
from cexspec.engine.books.synced import SyncedBook
from cexspec.engine.books.view import BookView
from cexspec.engine.stats import Counters
from cexspec.models import Book, BookOutOfSync, BookState, Event, Gap, Level
from tests.engine.book_venue import PLAN, SETTINGS, STYLES, TOPIC, channel_of

D = Decimal
CONTIGUOUS = STYLES["contiguous"]
UNNUMBERED = replace(PLAN, rule="per_connection")
FALLING = replace(PLAN, rule="previous", accepts=("reset",))
"""numbers fall with each change, and times grow"""
PATIENCE = 2.0


@dataclass
class Consumer:
    """What a consumer is told, with the number that each view stood at when it came."""

    heard: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    views: list[BookView] = field(default_factory=list)
    at: int | None = None
    believes: bool = False

    def hear(self, events: list[Event]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, BookView):
                self._see(event)
            elif isinstance(event, BookState):
                self.heard.append("lost" if event.state == "out_of_sync" else event.state)
                self.believes = False
            else:
                assert isinstance(event, Gap) and not self.believes
                self.heard.append("gap")

    def _see(self, view: BookView) -> None:
        number = view.best_bid[1] if view.best_bid is not None else None
        assert view.first is not self.believes
        assert self.at is None or not self.believes or (number is not None and number >= self.at)
        self.at, self.believes = int(number or 0), True
        self.views.append(view)
        self.heard.append(f"first {self.at}" if view.first else str(self.at))


class Stage:
    """A market whose best bid's size is the number of its last change, some connections that tell it, and a consumer."""

    def __init__(self, count: int, plan: BookPlan = CONTIGUOUS) -> None:
        self.plan, self.now, self.number = plan, 0.0, 100
        self.legs, self.consumer = Legs(PATIENCE), Consumer()
        self.books = [self.join() for _ in range(count)]
        self.told = [0] * count

    def join(self) -> SyncedBook:
        checksums = Checksums(self.plan, 1, lambda: None, lambda message: D(1))
        book = SyncedBook("x", channel_of(self.plan), TOPIC, lambda: "A/B", checksums, SETTINGS, Counters("x"), Random(1))
        self.legs.join(book)
        return book

    def begin(self, leg: int, at: int | None = None) -> None:
        """A connection sends the whole book, maybe as it was some time ago."""
        self.told[leg] = self.number if at is None else at
        self._tell(leg, self._message(self.told[leg], is_snapshot=True))

    def follow(self, leg: int, to: int | None = None) -> None:
        """A connection tells the changes that it hasn't told yet."""
        while self.told[leg] < (self.number if to is None else to):
            self.told[leg] += 1
            self._tell(leg, self._message(self.told[leg]))

    def skip(self, leg: int) -> None:
        """A connection leaves out a change, and tells the next."""
        self.number = max(self.number, self.told[leg] + 2)
        self.told[leg] += 2
        self._tell(leg, self._message(self.told[leg]))

    def lose(self, leg: int) -> None:
        book = self.books[leg]
        if book.state == "in_sync":
            self._hear(leg, book.lose("frames were lost", self.now))

    def die(self, leg: int) -> None:
        self._hear(leg, self.books[leg].died("the connection is gone"))

    def promote(self, leg: int) -> None:
        self.consumer.hear(self.legs.promote(self.books[leg], self.now))

    def leave(self, leg: int) -> None:
        self.consumer.hear(self.legs.leave(self.books[leg], self.now))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.consumer.hear(self.legs.expire(self.now))

    def _message(self, number: int, *, is_snapshot: bool = False) -> Book:
        numbered, before = {CONTIGUOUS: (number, None), FALLING: (-number, 1 - number)}.get(self.plan, (None, None))
        time = number if self.plan is not UNNUMBERED else None
        bids: list[Level] = [(D(99), D(number))]
        asks: list[Level] = [(D(101), D(1))]
        book = Book(exchange="x", symbol="A/B", bids=bids, asks=asks, timestamp=time, is_snapshot=is_snapshot)
        return structs.replace(book, sequence=numbered, previous_sequence=before)

    def _tell(self, leg: int, message: Book) -> None:
        self._hear(leg, self.books[leg].apply(message, self.now))

    def _hear(self, leg: int, events: list[Event]) -> None:
        self.consumer.hear(self.legs.told(self.books[leg], events, self.now))


# What happens to two connections, and what the consumer hears. m: the market moves; b, f, s, l, d, p, x: a connection begins,
# follows, skips a change, loses its book, dies, is promoted, is left; B: begins one change ago; t: time passes.
CASES: list[tuple[str, str, list[str]]] = [
    ("one of two is heard", "b0 b1 m f0 f1", ["first 100", "101"]),
    ("the first that is right is heard", "b1 b0 m f0 f1", ["first 100", "101"]),
    ("another takes the place of a dead one", "b0 b1 m f0 f1 d0 m f1", ["first 100", "101", "101", "102"]),
    ("and of one that lost its book", "b0 b1 m f0 f1 l0 m f1", ["first 100", "101", "101", "102"]),
    ("and of one that missed a change", "b0 b1 m f1 m f1 s0", ["first 100", "102"]),
    ("and of one that is left", "b0 b1 x0 m f1", ["first 100", "100", "101"]),
    ("what is ahead goes on from there", "b0 b1 m f1 d0", ["first 100", "101"]),
    ("what is behind catches up first", "b0 b1 m m f0 d0 m f1", ["first 100", "101", "102", "102", "103"]),
    ("what is behind for too long is told", "b0 b1 m f0 d0 t", ["first 100", "101", "lost", "gap", "first 100"]),
    ("what dies while it catches up is told", "b0 b1 m f0 d0 d1 m b1", ["first 100", "101", "lost", "gap", "first 102"]),
    ("a lost one that comes back in time is not told", "b0 b1 m f0 l0 b0", ["first 100", "101", "101"]),
    ("nothing is right any more", "b0 l0 m b1", ["first 100", "lost", "gap", "first 101"]),
    ("nor is the other one", "b0 d0 m b1 b0", ["first 100", "lost", "gap", "first 101"]),
    ("the lost one comes back before the other", "b0 l0 m b0 b1", ["first 100", "lost", "gap", "first 101"]),
    ("the dead one comes back before the other", "b0 d0 m b0 b1", ["first 100", "lost", "gap", "first 101"]),
    ("the end of another is nobody's business", "b0 b1 l1 b1 d1 m f0 x1", ["first 100", "101"]),
    ("a promoted one takes over at once", "b0 b1 p1 m f0 f1", ["first 100", "100", "101"]),
    ("as soon as it is right", "b0 p1 m f0 b1 m f0 f1", ["first 100", "101", "101", "102"]),
    ("and not behind", "b0 m f0 B1 p1 m f0 f1", ["first 100", "101", "102", "102"]),
    ("promoting the primary keeps it", "b0 b1 p1 m f1 f0 p1 m f0 f1", ["first 100", "100", "101", "102"]),
    ("what was promoted and is left takes over nothing", "b0 p1 x1 m f0", ["first 100", "101"]),
    ("a dead one that waits for a promotion", "b0 p1 d0 m b1", ["first 100", "lost", "gap", "first 101"]),
]


def play(stage: Stage, steps: str) -> None:
    for step in steps.split():
        match step[0], int(step[1:] or 0):
            case "m", _:
                stage.number += 1
            case "t", _:
                stage.wait(PATIENCE)
            case "B", leg:
                stage.begin(leg, stage.number - 1)
            case letter, leg:
                named = {"b": stage.begin, "f": stage.follow, "s": stage.skip, "l": stage.lose}
                {**named, "d": stage.die, "p": stage.promote, "x": stage.leave}[letter](leg)


@pytest.mark.parametrize(("steps", "heard"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_consumers_hear_of_one_book(steps: str, heard: list[str]) -> None:
    stage = Stage(2)
    play(stage, steps)
    assert [word for at, word in enumerate(stage.consumer.heard) if at == 0 or word != stage.consumer.heard[at - 1]] == [
        word for at, word in enumerate(heard) if at == 0 or word != heard[at - 1]
    ]


def test_where_books_have_no_numbers_their_times_tell_which_is_behind() -> None:
    stage = Stage(2, replace(PLAN, rule=None))
    play(stage, "b0 b1 m f0 d0")
    assert stage.consumer.heard == ["first 100", "101"]
    play(stage, "f1")
    assert stage.consumer.heard == ["first 100", "101", "101"]


def test_where_numbers_may_fall_times_tell_which_is_behind() -> None:
    stage = Stage(2, FALLING)
    play(stage, "b0 b1 m f1 d0")
    assert stage.consumer.heard == ["first 100", "101"], "the lower number is ahead"
    play(stage, "b0 m f1 d1")
    assert stage.consumer.heard == ["first 100", "101", "102"], "the higher number is behind"
    play(stage, "f0")
    assert stage.consumer.heard == ["first 100", "101", "102", "102"]


def test_where_they_have_neither_another_takes_over_at_once() -> None:
    stage = Stage(2, UNNUMBERED)
    stage.begin(0)
    stage.begin(1)
    assert [book.reached for book in stage.books] == [None, None]
    stage.lose(0)
    assert stage.consumer.heard == ["first 100", "100"]


def test_a_view_reads_whichever_connection_is_delivered() -> None:
    stage = Stage(2)
    play(stage, "b0 b1 m f1 d0")
    first = stage.consumer.views[0]
    assert (first.sequence, first.best_bid, first.verified_depth) == (101, (D(99), D(101)), 1)
    play(stage, "m f1")
    assert first.best_bid == (D(99), D(102))


def test_a_book_can_not_be_read_while_another_connection_catches_up() -> None:
    stage = Stage(2)
    play(stage, "b0 b1 m f0 x0")
    with pytest.raises(BookOutOfSync, match="has yet to get where this one was"):
        _ = stage.consumer.views[0].best_bid
    assert stage.legs.due == PATIENCE
    play(stage, "f1")
    assert stage.consumer.views[0].best_bid == (D(99), D(101))
    assert stage.legs.due == float("inf")


def test_the_gap_of_a_book_lost_on_one_connection_and_found_on_another_has_its_bounds() -> None:
    stage = Stage(2)
    play(stage, "b0 m f0 d0 m m b1")
    (gap,) = (event for event in stage.consumer.events if isinstance(event, Gap))
    assert (gap.from_time, gap.to_time, gap.cause) == (101, 103, "the connection is gone")


def test_the_gap_of_a_connection_alone_is_told_by_whoever_owns_it() -> None:
    stage = Stage(1)
    play(stage, "b0 d0 m b0")
    assert stage.consumer.heard == ["first 100", "lost", "first 101"]


def test_nobody_is_told_when_the_last_leg_goes() -> None:
    stage = Stage(2)
    play(stage, "b0 b1 x1 x0")
    assert stage.consumer.heard == ["first 100"]
    assert not stage.legs


STEPS = st.lists(st.tuples(st.sampled_from("mmmbBffffsldpxjt"), st.integers(0, 2)), max_size=80)


@given(STEPS)
@settings(max_examples=400)
def test_views_never_go_back_and_no_end_is_hidden(steps: list[tuple[str, int]]) -> None:
    stage = Stage(3)
    left: set[int] = set()
    for letter, leg in steps:
        if letter == "j" and leg in left:
            stage.books[leg] = stage.join()
            left.discard(leg)
        elif letter == "x" and leg not in left and len(left) < 2:
            stage.leave(leg)
            left.add(leg)
        elif letter in "mt" or (leg not in left and letter not in "jx" and (letter not in "bB" or stage.books[leg].trouble is not None)):
            play(stage, f"{letter}{leg}")
        truth = stage.legs.trouble is None
        assert truth is (stage.consumer.believes and not stage.legs._kept_back)
        if truth:
            assert stage.legs.sequence == stage.consumer.at
            assert stage.legs.book.best_bid == (D(99), D(stage.consumer.at or 0))
    stage.wait(PATIENCE)
    stage.number += 1
    for leg in {0, 1, 2} - left:
        stage.begin(leg)
    assert stage.consumer.believes and stage.legs.sequence == stage.number
