"""Delays between attempts."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cexspec.transport.backoff import Backoff


@given(
    attempt=st.integers(0, 10**6),
    base=st.floats(0.001, 10),
    cap=st.floats(0.001, 1000),
    seed=st.integers(),
)
def test_a_delay_lies_between_nothing_and_the_cap(attempt: int, base: float, cap: float, seed: int) -> None:
    backoff = Backoff(base, cap)
    assert 0 <= backoff.delay(attempt, Random(seed)) <= backoff.ceiling(attempt) <= cap


def test_ceilings_double_up_to_the_cap() -> None:
    backoff = Backoff(base=1.0, cap=30.0)
    assert [backoff.ceiling(attempt) for attempt in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_the_same_seed_gives_the_same_delays() -> None:
    assert [Backoff().delay(n, Random(7)) for n in range(5)] == [Backoff().delay(n, Random(7)) for n in range(5)]
