"""Seeds of bad weather: whatever the network does, streams tell the truth, and the same seed is the same play (`tests/simulation`)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.breakages import BREAKAGES, caught_by
from tests.simulation.cast import VENUES
from tests.simulation.scenario import simulate
from tools.simulate import main

ROOT = Path(__file__).parents[2]

FOUND: list[tuple[int, str, str]] = [
    (2, "bitfinex", "trades that a venue repeats after a subscription, newest first, were delivered as they came"),
    (27, "monotonic, silent", "a slow consumer saw no view marked as the first when a newer one had taken its place"),
    (66, "monotonic, learned", "a frame was lost among those kept for a late acknowledgement, and no gap told"),
    (71, "per connection, echo", "a line that was dead towards the venue only made its topics refused"),
    (85, "kraken", "a REST answer older than the hole closed it"),
    (112, "per connection, learned", "a book was believed in which a frame kept for a late acknowledgement was missing"),
    (129, "contiguous, silent", "a closed gap that a full queue dropped was counted as events lost"),
    (196, "checksum, silent", "a book waited for ever for a lost snapshot where nothing acknowledges subscriptions"),
    (855, "previous, silent", "a connection that was deaf for a topic hid that the other one lost trades"),
    (863, "linked ranges, learned", "a connection that was replaced had been deaf for a while, and no gap told"),
    (30106, "monotonic, learned", "frames lost on a connection that was let go were forgotten before the other one turned out to be deaf"),
    (10135, "previous, silent", "a book whose number had fallen further than the other connection's was held to be behind it"),
    (30351, "per connection, echo", "a slow reader that left had yet to come to the gap which it had been told of"),
    (210315, "checksum, learned", "a first view that came while another connection had yet to take over was not taken for the first"),
    (201400, "binance", "who left while one of two connections was dead, and nobody knew yet, was not told what it may have missed"),
    (201411, "fetched contiguous, learned", "a connection that had been deaf for a topic was replaced before its silence told"),
    (261354, "checksum, echo", "what came by a connection that had yet to be acknowledged hid what the one before it had lost"),
    (500372, "fetched contiguous, silent", "the judge looked while a connection that had been given up was coming back"),
    (
        241537,
        "fetched previous, learned",
        "what was lost on a line that was late was taken for as new as what had come of its market before",
    ),
]
"""Seeds that broke a promise once. What a seed plays changes with the simulation; what it found has a test of its own, too."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The log would hold every break of every line."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(len(VENUES)))
def test_streams_tell_the_truth_in_any_weather(seed: int) -> None:
    assert simulate(seed).lies == (), f"python -m tools.simulate --seed {seed} --trace"


@pytest.mark.parametrize(("seed", "venue"), [found[:2] for found in FOUND], ids=[found[2] for found in FOUND])
def test_what_was_found_stays_found(seed: int, venue: str) -> None:
    assert simulate(seed, venue).lies == (), f"python -m tools.simulate --seed {seed} --venue '{venue}' --trace"


@pytest.mark.parametrize("venue", ["okx", "binance", "per connection, learned"])
def test_the_same_seed_is_the_same_play_in_every_process(venue: str) -> None:
    here = [simulate(7, venue, trace=True) for _ in range(2)]
    assert here[0].lines == here[1].lines and len(here[0].lines) > 100
    program = f"from tests.simulation.scenario import simulate; print(simulate(7, {venue!r}).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    there = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here[0].digest


@pytest.mark.parametrize("name", BREAKAGES)
def test_an_engine_that_is_broken_is_found_out(name: str) -> None:
    report = caught_by(name)
    assert report is not None and report.lies, "no seed tells"


def test_seeds_are_explored_and_one_is_shown_step_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "40", "--venue", "okx", "--jobs", "1"]) == 0
    assert "2 seeds in" in capsys.readouterr().out
    assert main(["--seed", "40", "--venue", "okx", "--trace"]) == 0
    shown = capsys.readouterr().out
    assert "connect    ws://public.mock/public" in shown and "seed 40, okx: digest " in shown
