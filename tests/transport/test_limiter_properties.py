"""Whatever comes: no window is ever exceeded, everybody gets through, and nobody waits while others go past without end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.transport.clock import VirtualClock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.pools import OVERTAKEN
from cexspec.transport.store import MemoryStore
from cexspec.transport.window import Window

TINY = 1e-6


class Call(NamedTuple):
    start: float
    pools: tuple[str, ...]
    weight: int
    priority: int
    lasts: float
    cancelled: float | None
    """seconds after its start"""
    client: int


class Told(NamedTuple):
    """The venue speaks at a moment: so much is used, or stay away for so long."""

    at: float
    pool: str
    used: int
    pause: float


@dataclass
class Record:
    """What the venue saw, and what went on in the line."""

    sent: list[tuple[float, float, Call]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    let_through: list[int] = field(default_factory=list)
    waiting_before: dict[int, int] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)


tenths = st.integers(0, 80).map(lambda tenths: tenths / 10)
windows = st.lists(st.builds(Window, st.integers(5, 12), st.sampled_from([0.3, 1.0, 2.5])), min_size=1, max_size=3).map(tuple)


def calls(*pools: tuple[str, ...], most: int) -> st.SearchStrategy[list[Call]]:
    priority = st.sampled_from([0, 0, 0, 1, 2])
    lasts, cancelled = st.floats(0, 3), st.one_of(st.none(), st.none(), tenths)
    call = st.builds(Call, tenths, st.sampled_from(pools), st.integers(1, 5), priority, lasts, cancelled, st.integers(0, 1))
    return st.lists(call, min_size=1, max_size=most)


told = st.lists(st.builds(Told, tenths, st.sampled_from("ab"), st.integers(0, 15), st.sampled_from([0.0, 0.0, 0.7, 4.0])), max_size=6)


async def simulate(calls: list[Call], pools: list[Pool], told: list[Told]) -> Record:
    """Two clients of one store make the calls, in virtual time."""
    clock, store, record = VirtualClock(), MemoryStore(), Record()
    clients = [Limiter(pools, clock, store=store, owner="venue") for _ in range(2)]

    async def request(number: int, call: Call) -> None:
        await clock.sleep(call.start)
        record.asked.append(number)
        record.waiting_before[number] = len(record.waiting)
        record.waiting.add(number)
        try:
            async with clients[call.client].hold(call.pools, call.weight, priority=call.priority):
                record.waiting.discard(number)
                record.let_through.append(number)
                began = clock.monotonic()
                try:
                    await clock.sleep(call.lasts)
                finally:
                    record.sent.append((began, clock.monotonic(), call))
        finally:
            record.waiting.discard(number)

    async def speak(word: Told) -> None:
        await clock.sleep(word.at)
        clients[0].usage(word.pool, word.used)
        clients[1].pause(word.pool, word.pause)

    async def cancel(task: asyncio.Task[None], at: float) -> None:
        await clock.sleep(at)
        task.cancel()

    async def all_of_it() -> None:
        requests = [asyncio.create_task(request(number, call)) for number, call in enumerate(calls)]
        others = [
            cancel(task, call.start + call.cancelled) for task, call in zip(requests, calls, strict=True) if call.cancelled is not None
        ]
        await asyncio.gather(*requests, *others, *map(speak, told), return_exceptions=True)

    await clock.run(all_of_it())
    assert {name: (pool.waiting, pool.paused > 1e6) for name, pool in clients[0].snapshot().items()} == {
        pool.name: (0, False) for pool in pools
    }
    return record


def check_windows(record: Record, pools: list[Pool]) -> None:
    """Wherever between its start and its end a request reaches the venue, no span of time sees more than the rate."""
    for pool in pools:
        sent = [(began, ended, call.weight) for began, ended, call in record.sent if pool.name in call.pools]
        for window in pool.windows:
            for latest, _, _ in sent:
                within = sum(weight for began, ended, weight in sent if began <= latest and ended > latest - window.per + TINY)
                assert within <= window.rate


def check_nobody_starves(record: Record, calls: list[Call]) -> None:
    """Who is let through went before as many as may overtake the one that waits longest, for each who waited before it."""
    arrival = {number: place for place, number in enumerate(record.asked)}
    for place, number in enumerate(record.let_through):
        later = sum(arrival[other] > arrival[number] for other in record.let_through[:place])
        assert later <= OVERTAKEN * (record.waiting_before[number] + 1)
    for priority in range(3):
        same = [arrival[number] for number in record.let_through if calls[number].priority == priority]
        assert same == sorted(same)


@settings(max_examples=80)
@given(calls=calls(("a",), ("b",), ("a", "b"), ("b", "a"), most=40), one=windows, other=windows, told=told)
def test_no_window_is_ever_exceeded_and_everybody_gets_through(
    calls: list[Call], one: tuple[Window, ...], other: tuple[Window, ...], told: list[Told]
) -> None:
    pools = [Pool("a", one), Pool("b", other)]
    record = asyncio.run(simulate(calls, pools, told))
    check_windows(record, pools)
    assert {number for number, call in enumerate(calls) if call.cancelled is None} <= set(record.let_through)
    for word in told:
        assert not any(word.at + TINY < began < word.at + word.pause - TINY for began, _, call in record.sent if word.pool in call.pools)


@settings(max_examples=80)
@given(calls=calls(("a",), most=70), one=windows)
def test_the_same_priority_is_first_come_first_served_and_no_priority_starves(calls: list[Call], one: tuple[Window, ...]) -> None:
    pools = [Pool("a", one)]
    record = asyncio.run(simulate(calls, pools, []))
    check_windows(record, pools)
    check_nobody_starves(record, calls)


@settings(max_examples=80)
@given(calls=st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0, 0, 0, 2])), min_size=30, max_size=80))
def test_a_backlog_of_urgent_calls_lets_the_others_through(calls: list[tuple[int, int]]) -> None:
    backlog = [Call(0.0, ("a",), weight, priority, 0.0, None, 0) for weight, priority in calls]
    check_nobody_starves(asyncio.run(simulate(backlog, [Pool("a", (Window(3, 1.0),))], [])), backlog)
