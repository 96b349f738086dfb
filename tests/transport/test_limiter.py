"""Budgets: never exceeded, fair, and waited for exactly as long as needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.models import InvalidRequest, RateLimitExceeded, TimeoutError
from cexspec.transport.clock import VirtualClock, within
from cexspec.transport.limiter import IDLE_BUCKETS, BucketBudget, Budget, Limiter, LimiterStats, Pool, PoolBudget
from cexspec.transport.pools import LEFT_BEHIND, OVERTAKEN
from cexspec.transport.store import MemoryStore
from cexspec.transport.window import SlidingWindow, Window

Log = list[tuple[str, float]]


def limiter(clock: VirtualClock, *windows: tuple[int, float], by: Literal["pool", "operation", "symbol"] = "pool") -> Limiter:
    return Limiter([Pool("p", tuple(Window(rate, per) for rate, per in windows), by)], clock)


async def _all(calls: Sequence[Awaitable[None]]) -> None:
    await asyncio.gather(*calls)


async def spend(limits: Limiter, clock: VirtualClock, log: Log, name: str, weight: int = 1, priority: int = 0) -> None:
    await limits.acquire(["p"], weight, priority=priority)
    log.append((name, clock.monotonic()))


async def test_a_burst_passes_at_once_and_the_rest_as_the_window_moves_on() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (2, 1.0))
    await clock.run(_all([spend(limits, clock, log, str(n)) for n in range(5)]))
    assert log == [("0", 0.0), ("1", 0.0), ("2", 1.0), ("3", 1.0), ("4", 2.0)]


async def test_what_is_waited_for_is_counted() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (2, 1.0))

    async def look() -> None:
        assert limits.stats.waiting == 3
        await clock.sleep(1.5)
        assert (limits.stats.waiting, limits.stats.wait_seconds) == (1, 2.0)

    before = limits.stats
    await clock.run(_all([*(spend(limits, clock, log, str(n)) for n in range(5)), look()]))
    assert limits.stats == LimiterStats(waits=3, wait_seconds=4.0) and before == LimiterStats()


async def test_who_gives_up_has_waited_too() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (1, 60.0))
    await clock.run(limits.acquire(["p"]))
    with pytest.raises(TimeoutError):
        await clock.run(within(clock, 5.0, limits.acquire(["p"])))
    assert limits.stats == LimiterStats(waits=1, wait_seconds=5.0)


async def test_every_window_of_a_pool_holds() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (2, 1.0), (3, 10.0))
    await clock.run(_all([spend(limits, clock, log, str(n)) for n in range(5)]))
    assert [at for _, at in log] == [0.0, 0.0, 1.0, 10.0, 10.0]


async def test_nobody_is_overtaken_by_a_lighter_call() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (10, 1.0))
    await clock.run(_all([spend(limits, clock, log, name, weight) for name, weight in (("a", 6), ("heavy", 6), ("light", 1))]))
    assert log == [("a", 0.0), ("heavy", 1.0), ("light", 1.0)]


async def test_a_lower_priority_number_goes_first() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (1, 1.0))
    calls = [spend(limits, clock, log, name, priority=priority) for name, priority in (("0", 1), ("1", 1), ("2", 1), ("order", 0))]
    await clock.run(_all(calls))
    assert [name for name, _ in log] == ["0", "order", "1", "2"]


async def test_the_urgent_overtake_whoever_waits_longest_only_so_often() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (1, 1.0))
    waiting = [spend(limits, clock, log, name, priority=2) for name in ("now", "data 1", "data 2")]
    orders = [spend(limits, clock, log, f"order {n}") for n in range(3 * OVERTAKEN)]
    await clock.run(_all([*waiting, *orders]))
    names = [name for name, _ in log]
    assert names.index("data 1") == 1 + OVERTAKEN
    assert names.index("data 2") == 2 + 2 * OVERTAKEN
    assert [name for name in names if name.startswith("order")] == [f"order {n}" for n in range(3 * OVERTAKEN)]


async def test_who_was_overtaken_is_first_in_all_its_lines() -> None:
    clock, log = VirtualClock(), Log()
    limits = Limiter([Pool(name, (Window(1, 1.0),)) for name in "ab"], clock)

    async def call(name: str, pools: str, priority: int) -> None:
        await limits.acquire(list(pools), priority=priority)
        log.append((name, clock.monotonic()))

    calls = [call("now", "ab", 0), call("both", "ab", 2)]
    calls += [call(f"{pool}{n}", pool, 1) for n in range(2 * OVERTAKEN) for pool in "ab"]
    await clock.run(_all(calls))
    assert dict(log)["both"] == OVERTAKEN + 1
    assert len(log) == len(calls)


async def test_those_who_left_the_line_are_forgotten() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (1, 1.0))
    limits.pause("p", 60)
    keeps = asyncio.create_task(limits.acquire(["p"]))
    gone = [asyncio.create_task(limits.acquire(["p"])) for _ in range(20 * LEFT_BEHIND)]
    await clock.advance(1)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    bucket = limits._pools["p"].bucket("", "", clock.monotonic())
    assert (bucket.waiting, len(bucket.line) < 3 * LEFT_BEHIND) == (1, True)
    await clock.advance(60)
    await keeps


async def test_a_pool_of_every_call_counts_calls_whatever_they_weigh() -> None:
    clock, log = VirtualClock(), Log()
    limits = Limiter([Pool("p", (Window(100, 1.0),)), Pool("global", (Window(2, 60.0),), every=True)], clock)
    await clock.run(_all([spend(limits, clock, log, name, 30) for name in "abc"]))
    await limits.acquire([])
    assert log == [("a", 0.0), ("b", 0.0), ("c", 60.0)]
    assert (limits.view("p").remaining, limits.view("global").remaining) == (70, 0)


async def test_limiters_share_the_pools_of_their_address_and_of_their_account() -> None:
    clock, store = VirtualClock(), MemoryStore()
    pools = [Pool("address", (Window(5, 1.0),)), Pool("account", (Window(5, 1.0),), scope="account")]

    def of(owner: str, account: str) -> Limiter:
        return Limiter(pools, clock, store=store, owner=owner, account=account)

    one, same, other_account, elsewhere = of("x@a", "me"), of("x@a", "me"), of("x@a", "you"), of("x@b", "me")
    await one.acquire(["address", "account"], 4)
    left = [[each.view(name).remaining for name in ("address", "account")] for each in (one, same, other_account, elsewhere)]
    assert left == [[1, 1], [1, 1], [1, 5], [5, 5]]
    log = list[str]()

    async def ask(limits: Limiter, name: str, priority: int) -> None:
        await limits.acquire(["address"], 5, priority=priority)
        log.append(name)

    await clock.run(_all([ask(one, "first", 1), ask(same, "second", 1), ask(other_account, "urgent", 0)]))
    assert log == ["urgent", "first", "second"]


async def test_a_shared_pool_has_the_same_windows_for_everybody() -> None:
    clock, store = VirtualClock(), MemoryStore()
    Limiter([Pool("p", (Window(5, 1.0),))], clock, store=store, owner="x@a")
    with pytest.raises(ValueError, match="the pool 'p' of x@a is shared with a client that has other rate limits"):
        Limiter([Pool("p", (Window(6, 1.0),))], clock, store=store, owner="x@a")


async def test_a_ban_shuts_what_counts_by_address_and_nothing_else() -> None:
    clock = VirtualClock()
    scopes: tuple[Literal["ip", "endpoint", "account"], ...] = ("ip", "endpoint", "account")
    limits = Limiter([Pool(scope, (Window(5, 1.0),), scope=scope) for scope in scopes], clock)
    limits.ban(120)
    assert {name: pool.paused for name, pool in limits.snapshot().items()} == {"ip": 120.0, "endpoint": 120.0, "account": 0.0}


async def test_a_snapshot_tells_of_every_pool_and_its_budgets() -> None:
    clock = VirtualClock()
    one, each = (Window(10, 1.0), Window(15, 60.0)), (Window(4, 1.0),)
    limits = Limiter([Pool("one", one), Pool("each", each, by="operation"), Pool("untouched", each, by="symbol")], clock)
    await limits.acquire(["one", "each"], 4, operation="trades", symbol="BTC")
    limits.pause("each", 9, operation="book")
    waiting = asyncio.create_task(limits.acquire(["each"], 1, operation="trades"))
    await clock.advance(0)
    assert limits.snapshot() == {
        "one": PoolBudget("one", one, "ip", 6, 0, 0.0, (BucketBudget("", "", 6, 0, 0.0),)),
        "each": PoolBudget("each", each, "ip", 0, 1, 9.0, (BucketBudget("trades", "", 0, 1, 0.0), BucketBudget("book", "", 4, 0, 9.0))),
        "untouched": PoolBudget("untouched", each, "ip", 4, 0, 0.0, ()),
    }
    await clock.advance(1)
    await waiting


async def test_usage_corrects_the_window_that_the_venue_speaks_of_and_no_other() -> None:
    clock, minute = VirtualClock(), Window(100, 60.0)
    second = Pool("second", (Window(10, 1.0),), told=minute)
    both = Pool("both", (Window(10, 1.0), Window(50, 60.0)), told=minute)
    limits = Limiter([second, both], clock)
    limits.usage("second", 70)
    limits.usage("both", 45)
    await clock.advance(2)
    assert (limits.view("second").remaining, limits.view("both").remaining) == (10, 5)


async def test_a_cancelled_call_leaves_the_line_and_spends_nothing() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (1, 1.0))
    await spend(limits, clock, log, "first")
    waiting = [asyncio.create_task(spend(limits, clock, log, name)) for name in ("a", "b", "c")]
    await clock.advance(0.5)
    assert limits.view("p") == Budget(remaining=0, waiting=3, paused=0.0)
    waiting[0].cancel()
    waiting[1].cancel()
    await clock.advance(0.5)
    assert log == [("first", 0.0), ("c", 1.0)]
    assert limits.view("p") == Budget(remaining=0, waiting=0, paused=0.0)
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_pause_holds_everybody_and_ends() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (10, 1.0))
    limits.pause("p", 30)
    limits.pause("p", 5)
    assert limits.view("p") == Budget(10, 0, 30.0)
    await clock.run(_all([spend(limits, clock, log, name) for name in "ab"]))
    assert log == [("a", 30.0), ("b", 30.0)]


@pytest.mark.parametrize(("by", "waits"), [("pool", [0, 1, 1]), ("operation", [0, 1, 0]), ("symbol", [0, 0, 0])])
async def test_budgets_are_kept_by_pool_operation_or_symbol(by: Literal["pool", "operation", "symbol"], waits: list[float]) -> None:
    clock, waited = VirtualClock(), list[float]()
    limits = limiter(clock, (1, 1.0), by=by)
    for operation, symbol in (("trades", "BTC"), ("trades", "ETH"), ("book", "BTC")):
        asked = clock.monotonic()
        await clock.run(limits.acquire(["p"], operation=operation, symbol=symbol))
        waited.append(clock.monotonic() - asked)
    assert waited == waits


async def test_a_pause_of_one_operation_leaves_others_alone_and_one_of_the_pool_does_not() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (1, 1.0), by="operation")
    limits.pause("p", 9, operation="trades")
    assert [limits.view("p", operation=name).paused for name in ("trades", "book")] == [9.0, 0.0]
    limits.pause("p", 20)
    assert [limits.view("p", operation=name).paused for name in ("trades", "book", "never asked before")] == [20.0, 20.0, 20.0]


async def test_a_call_draws_on_all_its_pools_at_once_or_waits() -> None:
    clock = VirtualClock()
    limits = Limiter([Pool("weight", (Window(10, 1.0),)), Pool("count", (Window(1, 5.0),))], clock)
    await limits.acquire(["weight", "count"], 1)
    waiting = asyncio.create_task(limits.acquire(["weight", "count"], 1))
    await clock.advance(4)
    assert limits.view("weight") == Budget(10, 1, 0.0)
    await clock.advance(1)
    assert (limits.view("weight").remaining, limits.view("count").remaining) == (9, 0)
    await waiting


async def test_work_under_way_keeps_its_units_until_a_window_after_its_end() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (1, 2.0))

    async def request(name: str, seconds: float) -> None:
        async with limits.hold(["p"]):
            log.append((name, clock.monotonic()))
            await clock.sleep(seconds)

    await clock.run(_all([request("slow", 5.0), request("next", 0.1), request("last", 0.1)]))
    assert log == [("slow", 0.0), ("next", 7.0), ("last", pytest.approx(9.1))]


async def test_a_failed_request_still_counts() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (1, 2.0))
    with pytest.raises(LookupError):
        async with limits.hold(["p"]):
            raise LookupError
    assert limits.view("p").remaining == 0
    await clock.advance(2)
    assert limits.view("p").remaining == 1


async def test_what_is_charged_later_is_waited_for_by_the_next() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (10, 1.0), (100, 60.0))

    async def calls() -> None:
        await spend(limits, clock, log, "one", 5)
        limits.charge(["p"], 12)
        assert limits.view("p").remaining == 0
        await spend(limits, clock, log, "two", 5)

    await clock.run(calls())
    assert log == [("one", 0.0), ("two", 1.0)]
    assert limits.view("p").remaining == 5


async def test_usage_told_by_the_venue_corrects_the_count_upwards_only() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (100, 60.0))
    await limits.acquire(["p"], 10)
    limits.usage("p", 70)
    assert limits.view("p").remaining == 30
    limits.usage("p", 5)
    assert limits.view("p").remaining == 30
    limits.usage("p", 300)
    assert limits.view("p").remaining == 0
    await clock.advance(60)
    assert limits.view("p").remaining == 100


async def test_without_waiting_a_full_budget_is_an_error_with_the_time_to_wait() -> None:
    clock = VirtualClock()
    limits = Limiter([Pool("p", (Window(1, 2.0),))], clock, on_limit="raise", exchange="venue")
    await limits.acquire(["p"])
    await clock.advance(0.5)
    with pytest.raises(RateLimitExceeded, match=r"^venue trades: the local budget is used up") as caught:
        await limits.acquire(["p"], operation="trades")
    assert caught.value.retry_after == 1.5
    await clock.advance(1.5)
    async with limits.hold(["p"]):
        with pytest.raises(RateLimitExceeded) as unknown:
            await limits.acquire(["p"])
    assert unknown.value.retry_after is None


async def test_a_weight_that_never_fits_is_an_error_at_once() -> None:
    limits = limiter(VirtualClock(), (5, 1.0), (20, 60.0))
    with pytest.raises(InvalidRequest, match=r"costs 6 units, and the pool 'p' never holds more than 5"):
        await limits.acquire(["p"], 6)


async def test_idle_budgets_are_dropped() -> None:
    clock = VirtualClock()
    limits = limiter(clock, (1, 1.0), by="symbol")
    for n in range(IDLE_BUCKETS):
        await limits.acquire(["p"], symbol=str(n))
    limits.pause("p", 5, operation="", symbol="0")
    await clock.advance(2)
    await limits.acquire(["p"], symbol="one more")
    assert len(limits._pools["p"].buckets) == 2


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 50)), max_size=200), st.sampled_from([50, 2000]))
def test_coarse_accounting_of_large_windows_never_lets_more_through(spends: list[tuple[float, int]], rate: int) -> None:
    window, now, exact = SlidingWindow(Window(rate, 10.0)), 0.0, list[tuple[float, int]]()
    for pause, weight in spends:
        now += pause
        used = sum(units for at, units in exact if at + 10.0 > now)
        assert window.used(now) >= used
        if window.wait(weight, now) == 0.0:
            assert used + weight <= rate
            window.spend(weight, now)
            exact.append((now, weight))


def test_the_wait_ends_exactly_when_enough_units_are_free() -> None:
    window = SlidingWindow(Window(10, 60.0))
    for at in range(10):
        window.spend(1, float(at))
    assert [window.wait(weight, 10.0) for weight in (1, 2, 10)] == [50.0, 51.0, 59.0]
    window.hold(1)
    assert window.wait(10, 10.0) == float("inf")
    window.release(1, 20.0)
    assert window.wait(10, 20.0) == 60.0


async def test_a_priority_displaces_the_first_in_line_only_while_it_waits() -> None:
    clock, log = VirtualClock(), Log()
    limits = limiter(clock, (1, 1.0))
    await limits.acquire(["p"])
    first = asyncio.create_task(spend(limits, clock, log, "first", priority=1))
    await clock.advance(0.5)
    urgent = asyncio.create_task(spend(limits, clock, log, "urgent"))
    await clock.advance(10)
    await asyncio.gather(first, urgent)
    assert log == [("urgent", 1.0), ("first", 2.0)]
