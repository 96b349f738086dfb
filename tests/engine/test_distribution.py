"""Durations in buckets: what quantiles of them are worth, and that they can be added up."""

from __future__ import annotations

from itertools import pairwise
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.engine.distribution import BOUNDS, Distribution, Durations, joined

DURATIONS = st.lists(st.integers(0, 10**11), min_size=2, max_size=200)


def filled(nanoseconds: list[int]) -> Durations:
    durations = Durations()
    for each in nanoseconds:
        durations.add(each)
    return durations


def bucket(seconds: float) -> int:
    return sum(bound < seconds for bound in BOUNDS)


def test_bounds_are_log_spaced_and_begin_and_end_where_documented() -> None:
    assert (BOUNDS[0], BOUNDS[-1]) == (10e-6, 50.0)
    assert all(1.9 < high / low < 2.6 for low, high in pairwise(BOUNDS))


@given(DURATIONS, st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(nanoseconds: list[int], share: float) -> None:
    look = filled(nanoseconds).snapshot()
    found = look.quantile(share)
    ordered = sorted(nanoseconds)
    true = next(each for number, each in enumerate(ordered, 1) if number >= share * len(ordered)) / 1e9
    assert found is not None and look.most is not None and 0 <= found <= look.most
    low = BOUNDS[bucket(true) - 1] if bucket(true) else 0.0
    assert low <= found <= (BOUNDS[bucket(true)] if bucket(true) < len(BOUNDS) else look.most)


@given(DURATIONS, DURATIONS)
def test_joined_is_as_if_all_had_been_counted_together(left: list[int], right: list[int]) -> None:
    both, one = joined([filled(left).snapshot(), filled(right).snapshot()]), filled(left + right).snapshot()
    assert (both.count, both.buckets, both.most, both.p50, both.p99) == (one.count, one.buckets, one.most, one.p50, one.p99)
    assert both.sum == pytest.approx(one.sum)


def test_evenly_spread_durations_have_the_quantiles_statistics_has() -> None:
    spread = [each * 1000 for each in range(1, 100_001)]
    look = filled(spread).snapshot()
    cuts = quantiles(spread, n=100)
    assert look.p50 == pytest.approx(cuts[49] / 1e9, rel=0.01)
    assert look.p99 == pytest.approx(cuts[98] / 1e9, rel=0.01)
    assert (look.count, look.most) == (100_000, 0.1)


@pytest.mark.parametrize("none", [Durations().snapshot(), joined([]), joined([Distribution()])])
def test_nothing_measured_has_no_quantiles(none: Distribution) -> None:
    assert none == Distribution()
    assert none.p50 is none.p99 is none.most is none.quantile(0.9) is None


def test_a_clock_set_back_counts_as_no_time() -> None:
    look = filled([-5]).snapshot()
    assert (look.count, look.buckets[0], look.sum, look.p99) == (1, 1, 0.0, 0.0)
