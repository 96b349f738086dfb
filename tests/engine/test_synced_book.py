"""The state machine of one book, against a venue that knows the truth, on a line that loses, repeats and mixes up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.engine.books.view import BookView
from cexspec.models import BookState, Gap
from tests.engine.book_venue import STYLES, Player

STEPS = st.one_of(
    st.just(("change", 0)),
    st.just(("change", 0)),
    st.just(("deliver", 0)),
    st.just(("deliver", 0)),
    st.just(("nothing", 0)),
    st.just(("drop", 0)),
    st.tuples(st.just("twice"), st.integers(0, 3)),
    st.just(("swap", 0)),
    st.tuples(st.just("wait"), st.integers(1, 9)),
    st.tuples(st.just("answer"), st.booleans()),
)


def play(player: Player, step: str, number: int) -> None:
    done: dict[str, Callable[[], None]] = {
        "change": player.venue.change,
        "nothing": player.venue.nothing,
        "deliver": player.deliver,
        "twice": lambda: player.deliver(copy_at=number),
        "drop": player.venue.drop,
        "swap": player.venue.swap,
        "wait": lambda: player.wait(number),
        "answer": lambda: player.answer(late=bool(number)),
    }
    done[step]()


def heal(player: Player) -> None:
    """The line is good again, and the venue answers."""
    for _ in range(12):
        player.wait(10.0)
        player.answer(late=False)
        player.venue.change()
        while player.venue.line:
            player.deliver()
            player.check()


@pytest.mark.parametrize("style", STYLES)
@given(seed=st.integers(0, 1000), steps=st.lists(STEPS, max_size=60))
@settings(max_examples=40)
def test_a_book_that_can_be_read_is_true_whatever_happens_to_messages(style: str, seed: int, steps: list[tuple[str, int]]) -> None:
    player = Player(style, seed)
    for step in steps:
        play(player, *step)
        player.check()
    heal(player)
    assert player.book.trouble is None
    assert tuple(dict(side.top()) for side in player.book.book._sides()) == player.venue.state()


@pytest.mark.parametrize("style", STYLES)
@given(seed=st.integers(0, 1000), steps=st.lists(STEPS, max_size=60))
@settings(max_examples=15)
def test_consumers_are_told_of_every_end_and_every_beginning(style: str, seed: int, steps: list[tuple[str, int]]) -> None:
    player = Player(style, seed)
    for step in steps:
        play(player, *step)
    heal(player)
    believed = False
    for event in player.events:
        if isinstance(event, BookView):
            assert event.first is not believed
            believed = True
        elif isinstance(event, BookState):
            assert event.reason
            believed = False
        else:
            assert isinstance(event, Gap)
            assert not believed
            assert event.cause


@pytest.mark.parametrize("style", STYLES)
def test_a_good_line_never_loses_a_book(style: str) -> None:
    player = Player(style, 7)
    for _ in range(300):
        player.venue.change()
        player.venue.nothing()
        player.deliver()
        player.deliver()
        player.wait(0.1)
        player.answer(late=True)
        player.check()
    assert player.counters.resyncs == 0
    assert player.book.trouble is None
    assert [event.first for event in player.events if isinstance(event, BookView)][:2] == [True, False]
