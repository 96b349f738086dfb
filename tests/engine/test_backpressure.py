"""Slow consumers, and callbacks that fail: they concern nobody but themselves."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from cexspec.engine.buffer import Policy
from cexspec.engine.options import StreamOptions
from cexspec.models import CexspecError, Event, Gap, Ticker, Trade
from tests.simulation.stage import Collector, Stage, perform

BTC, ETH = "BTC-USDT", "ETH-USDT"


def subscribed(scene: Stage) -> list[list[str]]:
    """The ids that each connection asked for."""
    messages = [[json.loads(frame) for frame in line.sent if frame.startswith("{")] for line in scene.network.opened]
    return [[arg["id"] for one in asked if one.get("op") == "subscribe" for arg in one["args"]] for asked in messages]


async def trade(scene: Stage, count: int, *native_ids: str) -> None:
    for _ in range(count):
        for native_id in native_ids:
            scene.bazaar.trade(native_id)
        await scene.wait(0.1)


async def test_a_stream_that_waits_for_its_consumer_stalls_no_other() -> None:
    async def play(scene: Stage) -> None:
        slow = scene.client.stream_trades("BTC/USDT", queue=2, policy="block")
        same, other = Collector(scene.client.stream_trades("BTC/USDT")), Collector(scene.client.stream_trades("ETH/USDT"))
        for stream in (slow, same.stream, other.stream):
            await stream.ready()
        assert subscribed(scene) == [["BTC-USDT"], ["BTC-USDT", "ETH-USDT"]], "a connection of its own"
        await trade(scene, 50, BTC, ETH)
        assert slow.pending == 2 and same.numbers("BTC/USDT") == other.numbers("ETH/USDT") == list(range(1, 51))
        late = Collector(slow)
        await scene.wait(5)
        assert late.numbers("BTC/USDT") == list(range(1, 51)) and not late.gaps, "and it has lost nothing itself"
        assert scene.client.stats.drops == 0 == slow.dropped

    await perform(play)


async def test_two_streams_that_wait_do_not_wait_for_each_other() -> None:
    async def play(scene: Stage) -> None:
        asleep = scene.client.stream_trades("BTC/USDT", queue=1, policy="block")
        awake = scene.client.stream_trades("BTC/USDT", "ETH/USDT", queue=1, policy="block")
        await asleep.ready()
        await awake.ready()
        collector = Collector(awake)
        await trade(scene, 20, BTC, ETH)
        assert asleep.pending == 1 and collector.numbers("BTC/USDT") == collector.numbers("ETH/USDT") == list(range(1, 21))
        assert sorted(map(len, subscribed(scene))) == [1, 2]

    await perform(play)


async def test_the_connections_of_a_stream_that_waited_end_with_it() -> None:
    async def play(scene: Stage) -> None:
        async with scene.client.stream_trades("BTC/USDT", queue=1, policy="block") as blocked, scene.client.stream_trades("BTC/USDT"):
            await trade(scene, 5, BTC)
            assert blocked.pending == 1 and len(scene.network.lines) == 2
            await blocked.close()
            await scene.wait(20)
            assert len(scene.network.lines) == 1

    await perform(play)


async def test_the_clients_policy_gives_each_stream_a_lane_of_its_own() -> None:
    async def play(scene: Stage) -> None:
        first, second = scene.client.stream_trades("BTC/USDT"), scene.client.stream_trades("BTC/USDT")
        await first.ready()
        await second.ready()
        collector = Collector(second)
        await trade(scene, 9, BTC)
        assert first.pending == 3 and collector.numbers("BTC/USDT") == list(range(1, 10))

    await perform(play, options=StreamOptions(queue=3, policy="block"))


async def test_what_waits_too_long_for_the_venue_is_reconnected_with_a_gap() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT", queue=1, policy="block")
        await stream.ready()
        await trade(scene, 3, BTC)
        scene.network.lines[0].cut(1008)  # the venue doesn't send for ever to somebody who doesn't read
        await trade(scene, 3, BTC)
        collector = Collector(stream)
        await scene.wait(10)
        await trade(scene, 1, BTC)
        await scene.wait(1)
        (gap,) = collector.gaps
        assert "1008" in gap.cause and collector.numbers("BTC/USDT") == [1, 2, 3, 7]

    await perform(play)


async def test_answers_that_nobody_reads_yet_are_not_overdue() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT", queue=1, policy="block")
        await stream.ready()
        await trade(scene, 3, BTC)
        stream.subscribe("ETH/USDT")
        await scene.wait(120)
        assert stream.pending == 1 and stream.progress.done == 1, "the venue has answered, and the answer waits behind trades"
        collector = Collector(stream)
        await stream.ready()
        await trade(scene, 1, BTC, ETH)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [1, 2, 3, 4] and collector.numbers("ETH/USDT") == [1]
        assert not collector.errors and not collector.gaps and len(scene.network.opened) == 1

    await perform(play)


@pytest.mark.parametrize("policy", ["block", "drop_oldest"])
async def test_a_slow_callback_holds_up_nobody_else(policy: Policy) -> None:
    async def play(scene: Stage) -> None:
        slow: list[Event] = []
        quick: list[Event] = []

        async def slowly(event: Event) -> None:
            await scene.wait(10)
            slow.append(event)

        one = scene.client.stream_trades("BTC/USDT", queue=2, policy=policy).on(slowly)
        two = scene.client.stream_trades("BTC/USDT").on(quick.append)
        await one.ready()
        await two.ready()
        await trade(scene, 20, BTC)
        await scene.wait(3)
        assert len(quick) == 20 and not slow, "ten seconds have not passed"
        await scene.wait(300)
        ids = [event.id for event in slow if isinstance(event, Trade)]
        lost = [event.count for event in slow if isinstance(event, Gap)]
        if policy == "block":
            assert ids == [str(number) for number in range(1, 21)] and not lost and not one.dropped
        else:
            assert ids == ["1", "19", "20"] and lost == [17] and one.dropped == 17 == scene.client.stats.drops

    await perform(play)


async def test_drops_are_counted_for_each_stream_and_stay_counted_when_it_is_closed() -> None:
    async def play(scene: Stage) -> None:
        trades = scene.client.stream_trades("BTC/USDT", queue=3)
        states = scene.client.stream_ticker("BTC/USDT", queue=3, policy="conflate")
        await trades.ready()
        await states.ready()
        for number in range(10):
            scene.bazaar.trade(BTC)
            scene.bazaar.say({"ch": "ticker", "id": BTC}, {"l": str(number), "t": number})
        await scene.wait(1)
        assert (trades.pending, trades.dropped, states.pending, states.dropped) == (3, 7, 1, 9)
        assert scene.client.stats.drops == 16
        first, ticker = await anext(trades), await anext(states)
        assert isinstance(first, Gap) and first.count == 7 and isinstance(ticker, Ticker) and ticker.last == 9
        await trades.close()
        assert scene.client.stats.drops == 16

    await perform(play)


async def test_callbacks_that_raise_are_logged_with_what_they_were_given_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        got: list[Event] = []

        def badly(event: Event) -> None:
            raise KeyError("a mistake")

        async def worse(event: Event) -> None:
            await asyncio.sleep(0)
            raise RuntimeError("another")

        async def cancelled(event: Event) -> None:
            raise asyncio.CancelledError

        stream = scene.client.stream_trades("BTC/USDT")
        for callback in (badly, worse, cancelled, got.append):
            stream.on(callback)
        await stream.ready()
        await trade(scene, 3, BTC)
        await scene.wait(1)
        assert [event.id for event in got if isinstance(event, Trade)] == ["1", "2", "3"]
        assert scene.client.stats.callback_errors == 9
        records = [record for record in caplog.records if getattr(record, "event", None) == "callback_error"]
        assert len(records) == 6, "the 1st and 2nd time of each"
        assert all("trades failed on Trade BTC/USDT" in record.getMessage() for record in records)
        kinds = [record.exc_info[0] for record in records if record.exc_info]
        assert kinds[:3] == [KeyError, RuntimeError, asyncio.CancelledError]

    caplog.set_level(logging.ERROR)
    await perform(play)


async def test_error_handlers_may_be_async_too_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        told: list[CexspecError] = []
        got: list[Event] = []

        async def tell(error: CexspecError) -> None:
            await scene.wait(0.01)
            told.append(error)

        async def badly(error: CexspecError) -> None:
            raise ZeroDivisionError

        scene.bazaar.refused["BAD-USDT"] = ("404", "no such market")
        stream = scene.client.stream_trades("BTC/USDT").on(got.append, badly).on(lambda event: None, tell)
        await stream.ready()
        stream.subscribe("BAD/USDT")
        await scene.wait(1)
        await trade(scene, 1, BTC)
        await scene.wait(1)
        assert [type(error).__name__ for error in told] == ["InvalidSymbol"] and len(got) == 1
        assert scene.client.stats.callback_errors == 1
        assert any("an error handler of trades failed" in record.getMessage() for record in caplog.records)

    caplog.set_level(logging.ERROR)
    await perform(play)


async def test_a_callback_that_is_under_way_ends_with_its_stream() -> None:
    async def play(scene: Stage) -> None:
        begun: list[Event] = []

        async def for_ever(event: Event) -> None:
            begun.append(event)
            await asyncio.Event().wait()

        stream = scene.client.stream_trades("BTC/USDT").on(for_ever)
        await stream.ready()
        await trade(scene, 2, BTC)
        await stream.close()
        assert len(begun) == 1 and scene.client.stats.callback_errors == 0

    await perform(play)
