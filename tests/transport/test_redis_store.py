"""Budgets shared through a real Redis server: exact between processes, fair, and careful when the server is gone."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.models import RateLimitExceeded
from cexspec.transport import redis_store
from cexspec.transport.clock import SystemClock, VirtualClock
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.redis_store import RedisStore
from cexspec.transport.store import StoreStatus
from cexspec.transport.window import Window
from tests.transport import hammer
from tests.transport.redis_server import RedisServer

MINUTE = Pool("p", (Window(10, 60.0),))
PATIENT = 20.0
"""Seconds; a busy machine is slow."""


@pytest.fixture
async def stores(server: RedisServer) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    """Two stores as two processes have them."""
    both = RedisStore(server.url, retry=0.0, timeout=PATIENT), RedisStore(server.url, retry=0.0, timeout=PATIENT)
    yield both
    for store in both:
        await store.close()


def limiter(store: RedisStore, *pools: Pool, clock: Any = None, **others: Any) -> Limiter:
    return Limiter(pools or [MINUTE], clock or SystemClock(), store=store, owner="fake@host", **others)


async def refusal(limits: Limiter, weight: int = 1, **others: Any) -> float:
    """The seconds after which a call may come back."""
    with pytest.raises(RateLimitExceeded) as caught:
        await limits.acquire(["p"], weight, **others)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def settled(store: RedisStore) -> None:
    """Until the server has heard everything."""
    while store._writer is not None and not store._writer.done():
        await store._writer


async def asked(store: RedisStore, call: asyncio.Task[None]) -> None:
    """Until the call stands in line at the server."""
    while not call.done() and not await store._client.keys("*:line"):
        await asyncio.sleep(0)


async def test_two_processes_hammer_one_budget_and_never_exceed_a_window(server: RedisServer) -> None:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, hammer.__file__, server.url]
    children = [await asyncio.create_subprocess_exec(*command, *calls, stdin=pipe, stdout=pipe) for calls in (("60", "1"), ("20", "3"))]
    for child in children:
        assert child.stdout is not None and await child.stdout.readline() == b"ready\n"
    outputs = [output.decode() for output, _ in await asyncio.gather(*(child.communicate(b"\n") for child in children))]
    assert [child.returncode for child in children] == [0, 0]
    light, heavy = ([(int(at), int(units)) for at, units in map(str.split, output.splitlines())] for output in outputs)
    assert (len(light), len(heavy)) == (60, 20)
    everything = sorted(light + heavy)
    for window in hammer.WINDOWS:
        for latest, _ in everything:
            within = sum(units for at, units in everything if latest - window.per * 1e9 < at <= latest)
            assert within <= window.rate
    assert light[-1][0] > heavy[0][0] and heavy[-1][0] > light[0][0], "they did not run side by side"


async def test_what_one_process_takes_another_does_not_get(stores: tuple[RedisStore, RedisStore]) -> None:
    one, other = (limiter(store, on_limit="raise") for store in stores)
    await one.acquire(["p"], 6)
    await other.acquire(["p"], 3)
    assert 40 < await refusal(other, 2) < 62
    await one.acquire(["p"], 1)
    assert (one.view("p").remaining, one.snapshot()["p"].remaining) == (0, 0)


async def test_budgets_by_symbol_and_of_other_owners_are_apart(stores: tuple[RedisStore, RedisStore]) -> None:
    pool = Pool("p", (Window(1, 60.0),), by="symbol")
    one, other = (limiter(store, pool, on_limit="raise") for store in stores)
    await one.acquire(["p"], operation="book", symbol="BTC")
    await other.acquire(["p"], operation="book", symbol="ETH")
    assert 40 < await refusal(other, operation="book", symbol="BTC") < 62
    await Limiter([pool], SystemClock(), store=stores[1], owner="fake@elsewhere").acquire(["p"], operation="book", symbol="BTC")


async def test_work_under_way_elsewhere_holds_its_units_and_its_end_is_waited_for(stores: tuple[RedisStore, RedisStore]) -> None:
    pool = Pool("p", (Window(1, 0.2),))
    one, other = (limiter(store, pool) for store in stores)
    ended = 0.0

    async def wait() -> float:
        await other.acquire(["p"])
        return time.monotonic()

    async with one.hold(["p"]):
        waiting = asyncio.create_task(wait())
        await asyncio.wait([waiting], timeout=0.5)
        assert not waiting.done()
        ended = time.monotonic()
    assert 0.2 <= await waiting - ended < PATIENT


async def test_units_of_a_process_that_died_come_back_after_their_lease(server: RedisServer) -> None:
    pool = Pool("p", (Window(1, 0.2),))
    dead, alive = RedisStore(server.url, lease=0.3, timeout=PATIENT), RedisStore(server.url, timeout=PATIENT)
    await limiter(dead, pool).hold(["p"]).__aenter__()
    started = time.monotonic()
    await limiter(alive, pool).acquire(["p"])
    assert 0.4 < time.monotonic() - started < PATIENT
    await dead.close()
    await alive.close()


async def test_who_asked_first_goes_first_between_processes_too(stores: tuple[RedisStore, RedisStore]) -> None:
    pool = Pool("p", (Window(10, 1.0),))
    one, other = (limiter(store, pool) for store in stores)
    order = list[str]()

    async def ask(limits: Limiter, name: str, weight: int) -> None:
        await limits.acquire(["p"], weight)
        order.append(name)

    await ask(one, "one", 6)
    heavy = asyncio.create_task(ask(one, "heavy", 10))
    await asked(stores[0], heavy)
    await asyncio.gather(heavy, ask(other, "light", 1))
    assert order == ["one", "heavy", "light"]


async def test_a_cancelled_call_gives_its_place_in_line_up(stores: tuple[RedisStore, RedisStore]) -> None:
    one, other = (limiter(store) for store in stores)
    await one.acquire(["p"], 6)
    heavy = asyncio.create_task(one.acquire(["p"], 10))
    await asked(stores[0], heavy)
    heavy.cancel()
    await asyncio.gather(heavy, return_exceptions=True)
    await settled(stores[0])
    await asyncio.wait_for(other.acquire(["p"], 4), PATIENT)
    assert heavy.cancelled() and other.view("p").remaining == 0


async def test_a_call_cancelled_while_the_server_answers_holds_nothing(stores: tuple[RedisStore, RedisStore]) -> None:
    one, other = (limiter(store, Pool("p", (Window(1, 0.2),))) for store in stores)
    for _ in range(20):
        call = asyncio.create_task(one.hold(["p"]).__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    await asyncio.wait_for(other.acquire(["p"]), PATIENT)
    assert other.view("p").remaining == 0


async def test_charges_corrections_and_pauses_reach_the_others(stores: tuple[RedisStore, RedisStore]) -> None:
    one, other = (limiter(store, on_limit="raise") for store in stores)
    one.charge(["p"], 3)
    one.usage("p", 8)
    one.usage("p", 5)
    await settled(stores[0])
    await other.acquire(["p"], 2)
    assert other.view("p").remaining == 0
    one.pause("p", 300, operation="")
    one.pause("p", 200)
    await settled(stores[0])
    assert 270 < await refusal(other) <= 300
    assert 270 < other.view("p").paused <= 300


async def test_a_correction_for_a_window_of_another_length_is_not_told(stores: tuple[RedisStore, RedisStore]) -> None:
    pool = Pool("p", (Window(10, 60.0),), told=Window(1000, 300.0))
    one, other = (limiter(store, pool, on_limit="raise") for store in stores)
    one.usage("p", 500)
    await settled(stores[0])
    await other.acquire(["p"], 10)
    assert other.view("p").remaining == 0


async def test_every_key_expires(server: RedisServer, stores: tuple[RedisStore, RedisStore]) -> None:
    one, other = (limiter(store) for store in stores)
    async with one.hold(["p"], 10):
        waiting = asyncio.create_task(other.acquire(["p"]))
        await asked(stores[0], waiting)
        one.pause("p", 5)
        await settled(stores[0])
        keys = await stores[0]._client.keys()
        assert {key.rpartition(b":")[2] for key in keys} == {b"60000000", b"line", b"living", b"pause"}
        assert all(key.startswith(b"cexspec:{fake@host}:p:") for key in keys)
        assert all([0 < await stores[0]._client.pttl(key) < 120_000 for key in keys])
        waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_without_the_server_a_process_goes_on_with_a_part_of_the_rate_and_comes_back(
    server: RedisServer, stores: tuple[RedisStore, RedisStore], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cexspec.limits")
    store, pool = stores[0], Pool("p", (Window(20, 60.0),))
    limits, other = (limiter(each, pool, on_limit="raise") for each in stores)
    await limits.acquire(["p"], 2)
    server.stop()
    await limits.acquire(["p"], 3)
    assert store.status() == StoreStatus("redis", reachable=False, outages=1, alone=1)
    with pytest.raises(RateLimitExceeded):
        await limits.acquire(["p"])
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "the limits store can't be reached (ConnectionError): going on alone, with 0.25 of each rate"
    ]
    server.start()
    await limits.acquire(["p"])
    assert store.status() == StoreStatus("redis", reachable=True, outages=1, alone=1)
    assert caplog.records[-1].message == "the limits store is back"
    await other.acquire(["p"], 14)  # what was taken meanwhile is known to the server
    await refusal(other)


async def test_alone_a_heavy_call_passes_one_at_a_time_and_pauses_hold(server: RedisServer) -> None:
    clock, store = VirtualClock(), RedisStore(server.url, retry=1e6)
    server.stop()
    limits = limiter(store, Pool("p", (Window(20, 60.0),)), clock=clock)
    await limits.acquire(["p"], 15)
    await clock.run(limits.acquire(["p"], 15))
    assert clock.monotonic() == 60.0
    limits.pause("p", 100)
    await clock.run(limits.acquire(["p"], 15))
    assert clock.monotonic() == 160.0
    await store.close()


async def test_the_server_is_not_asked_again_before_its_time(server: RedisServer) -> None:
    clock, store = VirtualClock(), RedisStore(server.url, retry=10.0)
    server.stop()
    limits = limiter(store, clock=clock)
    async with limits.hold(["p"]):
        assert not store.status().reachable
    server.start()
    await limits.acquire(["p"])
    assert not store.status().reachable
    await clock.advance(10)
    await limits.acquire(["p"])
    assert store.status() == StoreStatus("redis", reachable=True, outages=1, alone=2)
    await store.close()


async def test_what_the_server_did_not_hear_is_logged(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    store = RedisStore(server.url)
    limits = limiter(store)
    await limits.acquire(["p"])
    server.stop()
    limits.charge(["p"], 1)
    await settled(store)
    assert "the limits store did not hear of 1 notes (ConnectionError)" in caplog.messages
    await store.close()


async def test_clients_of_two_processes_share_the_budget_of_their_address_and_close_what_they_opened(server: RedisServer) -> None:
    async with MockVenue("okx") as venue:
        one, other = (
            Client("okx", environment=venue.environment, limits_store=f"{server.url}?socket_timeout={PATIENT}", on_limit="raise")
            for _ in range(2)
        )
        async with one, other:
            for _ in range(10):
                await one.rest.get_ticker("BTC/USDT")
                await other.rest.get_ticker("BTC/USDT")
            with pytest.raises(RateLimitExceeded):
                await one.rest.get_ticker("BTC/USDT")
            assert one.limits.store == StoreStatus("redis")
            assert one.limits["calls_20"].remaining == 0


@pytest.mark.parametrize("url", ["localhost", "http://localhost", ""])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the URL of a Redis server: redis://host:port/database"):
        RedisStore(url)


@pytest.mark.parametrize("fallback", [0, -1, 1.1])
def test_the_fallback_is_a_part_of_the_rate(fallback: float) -> None:
    with pytest.raises(ValueError, match="a part of the rate"):
        RedisStore("redis://127.0.0.1:1/0", fallback=fallback)


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(redis_store, "import_module", missing)
    with pytest.raises(ImportError, match=r"needs the package redis: pip install 'cexspec\[redis\]'"):
        RedisStore("redis://127.0.0.1:1/0")
