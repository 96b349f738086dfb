"""The fuzz targets in short, always the same inputs; and that the oracle sees what it is there for. At length: `make fuzz`."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from cexspec.models import Book, Event, Trade
from tests.exchanges.venue import IDS
from tests.fuzz import oracle
from tests.fuzz.flood import flooded, oversized
from tests.fuzz.oracle import Slow, in_time, largest, wrong
from tests.fuzz.run import Target, fuzz
from tests.fuzz.targets import TARGETS
from tools.fuzz import line, main

INPUTS = {
    "frames": 60, "sessions": 12, "bodies": 30, "answers": 25, "specs": 5, "spellings": 5, "requests": 40, "topics": 40, "symbols": 60,
    "lines": 20, "samples": 10, "mock streams": 5, "mock answers": 15,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_few_inputs_of_every_target(target: Target) -> None:
    outcome = fuzz(target, seed=1, examples=INPUTS[target.name])
    assert outcome.failure is None, outcome.failure
    assert outcome.examples >= INPUTS[target.name]


def _raises(error: Exception) -> Any:
    def check(value: int) -> None:
        if value > 100:
            raise error

    return check


@pytest.mark.parametrize("error", [KeyError("price"), RecursionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), Slow("3 s")])
def test_what_is_raised_is_told_with_the_least_input_that_does_it(error: Exception) -> None:
    target = Target("made up", st.integers(0, 10**6), _raises(error))
    outcome = fuzz(target, seed=3, examples=200)
    assert outcome.failure is not None
    assert type(error).__name__ in outcome.failure and "value=101" in outcome.failure
    assert fuzz(target, seed=outcome.seed, examples=200).failure == outcome.failure
    assert line(outcome).endswith("FAILED")


def test_an_input_that_takes_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(seconds: float) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    with pytest.raises(Slow, match="CPU"), in_time(0.01):
        work(0.05)
    monkeypatch.setattr(oracle, "STUCK", 0.05)
    with pytest.raises(Slow, match="not done"), in_time():
        work(5)


TRADE: dict[str, Any] = {
    "id": "1",
    "exchange": "x",
    "symbol": "BTC/USDT",
    "timestamp": 1,
    "price": Decimal(1),
    "size": Decimal(1),
    "side": "buy",
}
BOOK: dict[str, Any] = {"exchange": "x", "symbol": "BTC/USDT", "timestamp": 1, "is_snapshot": True}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Trade(**TRADE), None),
        (Trade(**{**TRADE, "size": Decimal(-1)}), "size: -1"),
        (Trade(**{**TRADE, "price": Decimal("NaN")}), "price: NaN"),
        (Trade(**{**TRADE, "price": float("inf")}), "price: inf"),
        (Trade(**{**TRADE, "timestamp": 2**63}), "timestamp: 9223372036854775808"),
        (Book(**BOOK, bids=[(Decimal(1), Decimal(0))], asks=[]), None),
        (Book(**BOOK, bids=[], asks=[(Decimal(1), Decimal(-1))]), "asks: 1 -1"),
        (Book(**BOOK, bids=[(Decimal("Infinity"), Decimal(1))], asks=[]), "bids: Infinity 1"),
    ],
)
def test_the_oracle_sees_values_that_can_not_be(event: Event, expected: str | None) -> None:
    assert wrong(event) == expected


def test_collections_are_found_however_deep() -> None:
    kept = {"a": [{"b": {"c": list(range(500))}}]}
    assert largest(kept)["list of '0'"] == 500
    assert oversized(kept, 499) == {"list of '0'": 500}


BOUNDS = {
    "cexspec.engine.markets.MAX_GUESSES": 20,
    "cexspec.engine.frames.MAX_GUESSES": 20,
    "cexspec.engine.frames.MAX_LEARNED": 20,
    "cexspec.engine.books.sync.MAX_BOOKS": 20,
    "cexspec.engine.books.sync.MAX_WAYS": 20,
    "cexspec.compile.route.MAX_KEYS": 20,
    "cexspec.compile.merging.MAX_KNOWN": 20,
}
"""What is kept of names, made small so that a short flood goes beyond."""


@pytest.mark.parametrize("exchange", IDS)
def test_no_flood_of_names_fills_anything_without_bound(exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bound in BOUNDS.items():
        monkeypatch.setattr(name, bound)
    said_by_the_spec = max(largest(flooded(exchange, 0)).values())
    assert oversized(flooded(exchange, 8), max(said_by_the_spec, 50)) == {}


def test_the_command_reports_each_target_and_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0", "--seed", "1", "--target", "symbols"]) == 0
    assert "symbols" in capsys.readouterr().out
    assert main(["--target", "nothing"]) == 1
    assert "no target 'nothing'" in capsys.readouterr().err
