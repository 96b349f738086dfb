"""The budgets of a plan with the user's own rates: overrides, whom they belong to, stores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.compile.plan import WindowPlan
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.limits import limiter_of, owner_of, store_of
from cexspec.transport.clock import VirtualClock
from cexspec.transport.store import MemoryStore
from cexspec.transport.window import Window
from tests.engine.fake_venue import pool

POOLS = {"weight": pool("weight", 6000, 60.0), "calls": pool("calls", 20, 2.0, by="operation")}


@pytest.mark.parametrize(
    ("limits", "windows"),
    [
        ({}, {"weight": Window(6000, 60.0), "calls": Window(20, 2.0)}),
        ({"calls": {"rate": 3, "period": 60}}, {"weight": Window(6000, 60.0), "calls": Window(3, 60.0)}),
        (
            {"global": {"rate": 100.0, "period": 0.5}},
            {"weight": Window(6000, 60.0), "calls": Window(20, 2.0), "global": Window(100, 0.5)},
        ),
    ],
)
def test_rates_of_the_user_take_the_place_of_the_specs(limits: dict[str, Any], windows: dict[str, Window]) -> None:
    found = limiter_of(POOLS, VirtualClock(), rate_limits=limits).snapshot()
    assert {name: each.windows for name, each in found.items()} == {name: (window,) for name, window in windows.items()}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"calls_20": {"rate": 1, "period": 1}}, "no pool is called 'calls_20' (there are: weight, calls, global)"),
        ({"calls": {"rate": 1}}, "rate_limits['calls'] has the keys rate and period"),
        ({"calls": {"rate": 1, "period": 1, "per": 2}}, "rate_limits['calls'] has the keys rate and period"),
        ({"global": {"rate": 0.5, "period": 1}}, "rate_limits['global']: rate is a whole number from 1"),
        ({"global": {"rate": 0, "period": 1}}, "rate is a whole number from 1"),
        ({"global": {"rate": 1, "period": 0}}, "period a number of seconds above 0"),
        ({"global": {"rate": 1, "period": float("inf")}}, "period a number of seconds above 0"),
        ({"global": {"rate": 1, "period": float("nan")}}, "period a number of seconds above 0"),
    ],
)
def test_rates_of_another_form_are_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        limiter_of(POOLS, VirtualClock(), rate_limits=limits)
    assert message in str(caught.value)


async def test_every_request_counts_once_in_the_global_pool() -> None:
    clock = VirtualClock()
    limits = limiter_of(POOLS, clock, rate_limits={"global": {"rate": 2, "period": 60}})
    await limits.acquire(["weight"], 80)
    await limits.acquire([], operation="status")
    assert limits.view("global").remaining == 0
    await clock.run(limits.acquire(["calls"], operation="trades"))
    assert clock.monotonic() == 60.0


async def test_a_spec_may_have_a_pool_called_global_itself() -> None:
    limits = limiter_of({"global": pool("global", 10, 1.0)}, VirtualClock(), rate_limits={"global": {"rate": 50, "period": 1}})
    await limits.acquire(["global"], 20)
    assert limits.view("global").remaining == 30


async def test_what_the_venue_says_of_its_own_window_corrects_one_of_the_same_length_only() -> None:
    left = {}
    for period in (60, 1):
        limits = limiter_of(POOLS, VirtualClock(), rate_limits={"weight": {"rate": 100, "period": period}})
        limits.usage("weight", 70)
        left[period] = limits.view("weight").remaining
    assert left == {60: 30, 1: 100}


@pytest.mark.parametrize(
    ("rest", "owner"),
    [("https://api.example:8443/v1", "fake@api.example:8443"), (None, "fake@live")],
)
def test_budgets_belong_to_an_exchange_at_a_host(rest: str | None, owner: str) -> None:
    assert owner_of("fake", EnvironmentPlan("live", rest, {})) == owner


def test_a_store_is_given_or_made() -> None:
    mine = MemoryStore()
    assert store_of(mine) is mine
    assert isinstance(store_of(None), MemoryStore)
    with pytest.raises(ValueError, match="limits_store is the URL of a Redis server"):
        store_of("localhost:6379")


async def test_an_endpoint_scope_counts_each_operation_by_itself() -> None:
    limits = limiter_of({"p": replace(pool("p", 1, 60.0), by="operation", scope="endpoint")}, VirtualClock())
    for operation in ("trades", "book"):
        await limits.acquire(["p"], operation=operation)
    assert [each.operation for each in limits.snapshot()["p"].buckets] == ["trades", "book"]


async def test_connection_attempts_are_counted_by_host_over_all_clients_of_a_store() -> None:
    clock, store, window = VirtualClock(), MemoryStore(), WindowPlan(2, 10.0)
    one, other, alone = ConnectBudgets(clock, store), ConnectBudgets(clock, store), ConnectBudgets(clock)
    for budgets in (one, other, alone):
        await budgets.acquire("wss://a.example/public", window)
    await one.acquire("wss://a.example/public", None)
    await one.acquire("wss://b.example/public", window)
    assert clock.monotonic() == 0.0
    await clock.run(other.acquire("wss://a.example/private", window))
    assert clock.monotonic() == 10.0
    one.pause("wss://a.example/public", window, 30.0)
    one.pause("wss://a.example/public", None, 90.0)
    await clock.run(other.acquire("wss://a.example/private", window))
    assert clock.monotonic() == 40.0
