"""Virtual time: order, determinism, bounds on waiting."""

from __future__ import annotations

import asyncio

import pytest

from cexspec.models import TimeoutError
from cexspec.transport.clock import SystemClock, VirtualClock, settle, within


async def test_sleepers_wake_in_order_of_their_due_times_and_first_come_first_served() -> None:
    clock, woken = VirtualClock(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("c", 3), ("a", 1), ("b", 1), ("d", 3))]
    await clock.advance(2)
    assert woken == [("a", 1.0), ("b", 1.0)]
    await clock.advance(5)
    assert woken == [("a", 1.0), ("b", 1.0), ("c", 3.0), ("d", 3.0)]
    assert clock.monotonic() == 7.0
    await asyncio.gather(*tasks)


async def test_what_a_sleeper_sets_off_runs_before_the_next_one_wakes() -> None:
    clock, seen = VirtualClock(), list[str]()

    async def first() -> None:
        await clock.sleep(1)
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append("first, five turns later")

    async def second() -> None:
        await clock.sleep(1)
        seen.append("second")

    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await clock.advance(1)
    assert seen == ["first, five turns later", "second"]
    await asyncio.gather(*tasks)


async def test_run_moves_time_until_the_work_is_done() -> None:
    clock = VirtualClock(start=1_000)

    async def work() -> str:
        for _ in range(24):
            await clock.sleep(3600)
        return "done"

    assert await clock.run(work()) == "done"
    assert clock.monotonic() == 86400.0
    assert clock.time_ns() == 1_000 + 86400 * 10**9


async def test_run_tells_when_nothing_will_ever_happen() -> None:
    with pytest.raises(RuntimeError, match="stuck"):
        await VirtualClock().run(asyncio.Event().wait())


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.advance(100)
    assert clock.monotonic() == 101.0


async def test_the_smallest_sleep_still_moves_time() -> None:
    clock = VirtualClock()
    await clock.run(clock.sleep(1e-30))
    assert clock.monotonic() > 0
    await clock.sleep(0)


async def test_the_system_clock_counts_nanoseconds_since_the_epoch() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(-1)
    assert clock.monotonic() >= before
    assert clock.time_ns() > 1_700_000_000 * 10**9


async def test_work_that_takes_too_long_is_cancelled() -> None:
    clock, cancelled = VirtualClock(), asyncio.Event()

    async def slow() -> None:
        try:
            await clock.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError, match=r"the call was not done within 5 s"):
        await clock.run(within(clock, 5, slow()))
    assert clock.monotonic() == 5.0
    assert cancelled.is_set()


async def test_work_in_time_gives_its_result_or_its_own_error() -> None:
    clock = VirtualClock()

    async def answer(value: int) -> int:
        await clock.sleep(1)
        if not value:
            raise LookupError("own error")
        return value

    assert await clock.run(within(clock, 5, answer(7))) == 7
    assert await clock.run(within(clock, None, answer(8))) == 8
    with pytest.raises(LookupError):
        await clock.run(within(clock, 5, answer(0)))


async def test_settling_needs_no_knowledge_of_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[int]()

    async def work() -> None:
        for turn in range(10):
            await asyncio.sleep(0)
            done.append(turn)

    task = asyncio.create_task(work())
    monkeypatch.setattr(asyncio, "get_running_loop", object)
    await settle()
    assert done == list(range(10))
    await task
