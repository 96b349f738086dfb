"""The simulated market holds what a market promises, however long it runs."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.mock.history import DAY, Span, candle, opening_of, rows
from cexspec.mock.market import LEVELS, Grid, Market

START = 1_790_000_000_000_000_000
prices = st.sampled_from(["0.00000002", "0.5", "3", "150", "60000", "123456789"])


def market_of(price: str, seed: int = 0) -> Market:
    return Market("X/Y", Decimal(price), Grid.around(Decimal(price)), random.Random(seed), START)


@given(price=prices, seed=st.integers(0, 99), moves=st.integers(0, 30))
@settings(max_examples=60)
def test_books_are_ordered_full_and_never_crossed(price: str, seed: int, moves: int) -> None:
    market = market_of(price, seed)
    for move in range(moves):
        before = market.sequence
        market.advance(START + move * 100_000_000)
        assert market.sequence > before
    bids, asks = market.top(LEVELS)
    assert len(bids) == len(asks) == LEVELS
    assert asks[0][0] > market.price > bids[0][0] > 0
    assert [level[0] for level in bids] == sorted((level[0] for level in bids), reverse=True)
    assert all(size > 0 and level % market.grid.tick == 0 for level, size in bids + asks)
    assert all(trade["price"] in (bids[0][0], asks[0][0]) or moves for trade in market.trades)


@given(seed=st.integers(0, 99), moves=st.integers(1, 40))
@settings(max_examples=30)
def test_live_candles_hold_the_trades_of_their_time(seed: int, moves: int) -> None:
    market = market_of("60000", seed)
    for move in range(moves):
        market.advance(START + (move + 1) * 700_000_000)
    for interval in ("1s", "1m", "1h"):
        bar = candle(market, interval, opening_of(interval, market.time))
        assert bar["close"] == market.trades[-1]["price"]
        assert bar["low"] <= min(bar["open"], bar["close"]) <= max(bar["open"], bar["close"]) <= bar["high"]
        assert not bar["closed"]


def test_history_runs_both_ways_alike() -> None:
    market = market_of("60000")
    for move in range(20):
        market.advance(START + (move + 1) * 100_000_000)
    span = Span(START - 60_000_000_000, START + 10_000_000_000)
    for model, interval in (("trade", None), ("candle", "1s"), ("open_interest", "5m"), ("funding_rate", None)):
        newest, oldest = (list(rows(market, model, interval, span, newest_first=way)) for way in (True, False))
        assert newest == oldest[::-1]
    trades = [int(row["id"]) for row in rows(market, "trade", None, span, newest_first=False)]
    assert trades == sorted(set(trades))
    assert len(trades) == 60 + len(market.tape)


@pytest.mark.parametrize(
    ("interval", "openings"),
    [
        ("1M", ["2026-07-01", "2026-08-01", "2026-09-01"]),
        ("3M", ["2026-04-01", "2026-07-01"]),
        ("1w", ["2026-08-31", "2026-09-07", "2026-09-14"]),
        ("1d", ["2026-09-20", "2026-09-21"]),
    ],
)
def test_bars_open_where_the_calendar_says(interval: str, openings: list[str]) -> None:
    market = market_of("60000")  # of 21 September 2026, a Monday, at 14:13
    market.began = market.time = START - DAY if interval == "1w" else START
    first, *_ = times = [int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) * 1_000_000_000 for day in openings]
    for way in (True, False):
        found = [row["timestamp"] for row in rows(market, "candle", interval, Span(first, START), newest_first=way)]
        assert sorted(found) == times
    assert [candle(market, interval, time)["closed"] for time in times] == [True] * (len(times) - 1) + [False]


def test_time_never_stands_still_or_runs_back() -> None:
    market = market_of("60000")
    for now in (START, START, START - 5):
        before = market.time
        market.advance(now)
        assert market.time > before
