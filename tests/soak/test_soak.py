"""The soak in short: its checks hold for the client as it is, and fail for what is planted. At length: `make soak`."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from cexspec.models import Event, Gap, Trade
from tests.soak.frames import NUMBER, PRICE, TIME, FrameMould, stamp
from tests.soak.measure import PAGE, Pauses, Sample, Samples, Trend, second_half, trend
from tests.soak.oracle import BUCKET, BookOracle, Latencies, TradeOracle
from tests.soak.plan import Plan
from tests.soak.report import MIB, Bounds, memory_trend, text, verdicts
from tests.soak.run import Seen, soak
from tools.soak import report

SHORT = Plan(
    seconds=8.0,
    rate=400,
    trades=20,
    depths=3,
    fault_every=1.0,
    faults=("close", "lost book messages", "reset", "garbage", "refused connects"),
    warm_up=1.0,
    quiet=3.0,
    sample_every=0.25,
    refuse_for=0.5,
)
LAX = Bounds(memory=50_000, latency=5.0, rate=0.1)
"""Bounds that say something on a machine that runs other tests at the same time."""


async def test_a_short_soak_holds(capsys: pytest.CaptureFixture[str]) -> None:
    seen = await soak(SHORT)
    assert [str(one) for one in verdicts(seen, LAX) if not one.passed] == [], seen.faults
    assert len(seen.faults) >= 4 and seen.trades.reported > 0 and seen.trades.gaps > 0
    assert seen.books.lost > 0 and seen.books.views > 0
    report(seen, as_json=True)
    assert len(json.loads(capsys.readouterr().out)["verdicts"]) == 8
    report(seen, as_json=False)
    assert "trades lost silently" in capsys.readouterr().out


async def test_leaks_and_a_hidden_trade_fail() -> None:
    plan = replace(SHORT, seconds=4.0, quiet=1.5, faults=("hidden trade",), plant=True, freeze=True)
    seen = await soak(plan)
    failed = [one.what for one in verdicts(seen, LAX) if not one.passed]
    assert failed == ["memory of the client", "trades lost silently", "tasks"]
    assert "is frozen" in text(seen, LAX) and gc.get_freeze_count() == 0
    for task in [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]:
        task.cancel()


def trade(number: int, timestamp: int) -> Trade:
    price = Decimal("1000000000.5")
    return Trade(exchange="x", symbol="A/B", id=str(number), price=price, size=None, side=None, timestamp=timestamp * 10**9)


def gap(start: int, end: int, symbol: str | None = "A/B") -> Gap:
    return Gap(exchange="x", symbol=symbol, channel="trades", cause="x", from_time=start * 10**9, to_time=end * 10**9)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([trade(1, 1), trade(2, 2), trade(3, 3)], (0, 0, 0)),
        ([trade(1, 1), trade(3, 3)], (0, 1, 0)),
        ([trade(1, 1), gap(1, 9), trade(5, 9)], (3, 0, 0)),
        ([trade(1, 1), gap(1, 9, None), trade(5, 9)], (3, 0, 0)),
        ([trade(1, 1), gap(1, 2), gap(2, 9), trade(5, 9)], (3, 0, 0)),
        ([trade(1, 1), gap(1, 9), trade(5, 9), trade(7, 11)], (3, 1, 0)),
        ([trade(1, 1), gap(2, 4), trade(5, 5)], (3, 0, 0)),
        ([trade(1, 1), gap(3, 4), trade(5, 5)], (0, 3, 0)),
        ([trade(1, 1), gap(1, 3), trade(5, 5)], (0, 3, 0)),
        ([trade(1, 1), gap(1, 9, "C/D"), trade(5, 9)], (0, 3, 0)),
        ([trade(1, 1), trade(2, 2), trade(2, 2), trade(3, 3)], (0, 0, 1)),
        ([trade(1, 1), trade(3, 3), trade(2, 2), trade(4, 4)], (0, 1, 1)),
    ],
)
def test_each_missing_trade_is_reported_or_lost_silently(events: list[Event], expected: tuple[int, int, int]) -> None:
    oracle = TradeOracle()
    for event in events:
        oracle.take(event)
    oracle.settle(oracle.doubtful, [(hole.first * 10**9, hole.last * 10**9) for hole in oracle.doubtful])
    assert (oracle.reported, oracle.silent, oracle.doubled) == expected


def test_what_never_came_is_counted_at_the_end() -> None:
    oracle = TradeOracle()
    oracle.take(trade(NUMBER + 1, 1))
    assert oracle.unseen({"A/B": NUMBER + 3, "C/D": NUMBER + 2}) == 4


def test_a_frame_is_filled_with_number_price_and_time_and_says_its_size() -> None:
    mould = FrameMould(f'{{"id":"{NUMBER}","px":"{PRICE}","ts":{TIME},"x":"{"y" * 100}"}}')
    frame = mould.fill(NUMBER + 1, stamp(12.5), b"1790000000000")
    assert frame[:2] == b"\x81\x7e" and int.from_bytes(frame[2:4], "big") == len(frame) - 4
    assert json.loads(frame[4:]) | {"x": ""} == {"id": str(NUMBER + 1), "px": "1000000012.500000", "ts": 1790000000000, "x": ""}
    assert FrameMould(f"{NUMBER} {PRICE}").fill(NUMBER, stamp(0), b"")[:2] == bytes([0x81, 28])
    with pytest.raises(ValueError, match="no number or price"):
        FrameMould(f'{{"px":"{PRICE}"}}')


def test_latencies_are_told_by_their_share() -> None:
    latencies = Latencies()
    for number in range(100):
        latencies.add(number / 1000)
    assert latencies.at(0.5) == pytest.approx(0.049, abs=2 * BUCKET)
    assert latencies.at(0.99) == pytest.approx(0.098, abs=2 * BUCKET)
    assert (latencies.most, latencies.count) == (0.099, 100)
    latencies.clear()
    assert (latencies.at(0.99), latencies.count) == (0.0, 0)


def test_latencies_add_up() -> None:
    few, many = Latencies(), Latencies()
    few.add(1.0)
    for _ in range(99):
        many.add(0.002)
    both = few + many
    assert (both.count, both.most) == (100, 1.0)
    assert both.at(0.99) == pytest.approx(0.002, abs=2 * BUCKET) and both.at(1.0) == pytest.approx(1.0, abs=2 * BUCKET)


def test_latencies_after_a_gap_are_counted_apart() -> None:
    oracle = TradeOracle()
    for event in (trade(1, 1), trade(2, 2), gap(2, 3), trade(3, 3)):
        oracle.take(event)
    assert (oracle.calm.count, oracle.disturbed.count) == (2, 1)


def test_collections_of_everything_are_counted() -> None:
    with Pauses() as pauses:
        gc.collect(0)
        assert (pauses.count, pauses.longest) == (0, 0.0)
        gc.collect()
        assert pauses.count == 1 and pauses.longest > 0
        pauses.clear()
    gc.collect()
    assert pauses.count == 0


def risen(at: int, memory: float) -> Sample:
    return Sample(at=float(at), memory=int(memory), blocks=0, files=1, tasks=1, cpu=0.0)


def test_samples_are_kept_as_they_are() -> None:
    kept, given = Samples(), [risen(at, 100 * MIB + at * PAGE) for at in range(3)]
    for one in given:
        kept.append(one)
    assert list(kept) == given


def test_growth_is_that_of_the_second_half() -> None:
    samples = [risen(at, 0) for at in range(101)]
    assert [one.at for one in second_half(samples, 20, 80)] == list(range(50, 81))
    assert trend([]) == trend([(1, 2)]) == trend([(1, 2), (1, 3)]) == Trend()


@pytest.mark.parametrize(
    ("name", "memory", "passes"),
    [
        ("flat", lambda at: 0.0, True),
        ("a step of the heap, early", lambda at: (at > 30) * 132 * 1024, True),
        ("a peak", lambda at: (140 < at < 150) * MIB, True),
        ("half a MiB an hour", lambda at: at * MIB / 7200, True),
        ("1.1 MiB an hour", lambda at: at * MIB * 1.1 / 3600, False),
        ("1.1 MiB an hour, in steps at faults", lambda at: at // 20 * 20 * MIB * 1.1 / 3600, False),
        ("steps of the heap, again and again", lambda at: at // 60 * 132 * 1024, False),
        ("noise of two MiB", lambda at: (at * 7919 % 101) * MIB / 50, False),
    ],
)
def test_a_rise_is_told_from_a_step_and_noise_fails(name: str, memory: Callable[[int], float], passes: bool) -> None:
    seen = Seen(SHORT, TradeOracle(), BookOracle(), ended=570.0)
    seen.samples = [risen(at, 100 * MIB + memory(at - 285) // PAGE * PAGE) for at in range(285, 571, 2)]
    assert (memory_trend(seen).most < Bounds().memory) is passes, memory_trend(seen)
