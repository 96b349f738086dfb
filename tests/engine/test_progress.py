"""Subscribing many symbols in one call, and hearing how far it is."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from cexspec.compile.plan import Json
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.dispatch import Dispatcher, Subscription
from cexspec.engine.progress import Progress
from cexspec.engine.topics import Topic, repeats
from cexspec.models import AuthenticationError, InvalidSymbol
from tests.simulation.specs import BAZAAR
from tests.simulation.stage import Collector, Stage, perform

ROOMY = BAZAAR.replace("max_topics: 4", "max_topics: 5000").replace("topics_per_message: 3", "topics_per_message: 100")
ROOMY = ROOMY.replace("max_message_bytes: 260", "max_message_bytes: 26000")
SHARDED = BAZAAR.replace("max_topics: 4", "max_topics: 240").replace("topics_per_message: 3", "topics_per_message: 50")
SHARDED = SHARDED.replace("max_message_bytes: 260", "max_message_bytes: 26000")


def made_up(count: int) -> list[str]:
    return [f"A{number}/USDT" for number in range(count)]


async def test_1200_symbols_in_one_call_over_several_connections() -> None:
    async def play(scene: Stage) -> None:
        steps: list[Progress] = []
        symbols = made_up(1200)
        scene.bazaar.refused |= {f"A{number}-USDT": ("404", "no such market") for number in (7, 700)}
        before = time.process_time()
        stream = scene.client.stream_trades(*symbols, on_progress=steps.append)
        assert stream.progress == Progress(0, 1200, 0) and not stream.progress.complete
        with pytest.raises(InvalidSymbol, match="no such market"):
            await stream.ready()
        assert len(scene.network.lines) == 5, "240 topics on each connection"
        assert [step.done + step.refused for step in steps] == list(range(1, 1201)), "a step each"
        assert steps[-1] == stream.progress == Progress(1198, 1200, 2) and stream.progress.complete
        assert all(step.total == 1200 for step in steps)
        collector = Collector(stream)
        for symbol in symbols:
            scene.bazaar.trade(symbol.replace("/", "-"))
        await scene.wait(1)
        assert {event.symbol for event in collector.events} == set(symbols) - {"A7/USDT", "A700/USDT"}
        assert time.process_time() - before < 20, "it took far more than it needs"

    await perform(play, SHARDED)


async def test_what_is_asked_for_later_has_a_progress_of_its_own() -> None:
    async def play(scene: Stage) -> None:
        first: list[Progress] = []
        second: list[Progress] = []
        stream = scene.client.stream_trades("BTC/USDT", on_progress=first.append)
        await stream.subscribe("ETH/USDT", "SOL/USDT", "BTC/USDT", on_progress=second.append)
        assert first == [Progress(1, 1, 0)] and second == [Progress(1, 2, 0), Progress(2, 2, 0)], "one was there already"
        assert stream.progress == Progress(3, 3, 0)
        other: list[Progress] = []
        await scene.client.stream_trades("BTC/USDT", "SOL/USDT", on_progress=other.append).ready()
        assert other[-1] == Progress(2, 2, 0), "what the venue serves already is confirmed at once"
        scene.network.lines[0].cut()
        await scene.wait(10)
        assert (len(first), len(second)) == (1, 2), "a reconnect is no progress"

    await perform(play)


async def test_what_is_let_go_of_meanwhile_counts_no_longer() -> None:
    async def play(scene: Stage) -> None:
        steps: list[Progress] = []
        scene.network.down = True
        stream = scene.client.stream_trades("BTC/USDT", "ETH/USDT", on_progress=steps.append)
        await scene.wait(1)
        stream.unsubscribe("ETH/USDT")
        assert steps == [Progress(0, 1, 0)] and stream.progress == Progress(0, 1, 0)
        scene.network.down = False
        await stream.ready()
        assert steps[-1] == Progress(1, 1, 0) and steps[-1].complete

    await perform(play)


async def test_a_connection_given_up_is_told_as_the_streams_error() -> None:
    async def play(scene: Stage) -> None:
        scene.network.refusals.append(AuthenticationError("no"))
        steps: list[Progress] = []
        stream = scene.client.stream_trades("BTC/USDT", "ETH/USDT", on_progress=steps.append)
        with pytest.raises(AuthenticationError):
            await stream.ready()
        assert steps[-1] == Progress(0, 0, 0) and steps[-1].complete

    await perform(play)


async def test_a_progress_callback_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        def badly(step: Progress) -> None:
            raise ZeroDivisionError

        stream = scene.client.stream_trades("BTC/USDT", "ETH/USDT", on_progress=badly)
        await stream.ready()
        assert scene.client.stats.callback_errors == 2
        assert any("a progress callback of trades failed" in record.getMessage() for record in caplog.records)

    caplog.set_level(logging.ERROR)
    await perform(play)


async def test_a_refusal_is_told_where_nobody_waits_for_that_symbol() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.refused["BAD-USDT"] = ("404", "no such market")
        stream = scene.client.stream_trades("BTC/USDT")
        stream.subscribe("BAD/USDT")
        await stream.subscribe("ETH/USDT")
        await scene.wait(1)
        with pytest.raises(InvalidSymbol, match="no such market"):
            await anext(stream)

    await perform(play)


async def test_who_waits_for_a_symbol_that_is_let_go_of_waits_no_longer() -> None:
    async def play(scene: Stage) -> None:
        scene.network.down = True
        stream = scene.client.stream_trades("BTC/USDT")

        async def later() -> None:
            await scene.wait(1)
            stream.unsubscribe("BTC/USDT")

        await asyncio.gather(stream.ready(), later())
        assert scene.clock.monotonic() < 2

    await perform(play)


@pytest.mark.parametrize("count", [400, 1600])
async def test_no_step_of_subscribing_looks_at_all_others(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What grows with the square of the number would show in how often answers are compared and symbols looked up."""
    looks: list[None] = []
    look_up = Dispatcher.symbol_of

    def compare(channel: ChannelPlan, topic: Topic, payload: Json) -> bool:
        looks.append(None)
        return repeats(channel, topic, payload)

    def symbol_of(dispatcher: Dispatcher, subscription: Subscription) -> str | None:
        looks.append(None)
        return look_up(dispatcher, subscription)

    async def play(scene: Stage) -> None:
        symbols = made_up(count)
        stream = scene.client.stream_trades(*symbols)
        await stream.ready()
        collector = Collector(stream)
        for symbol in symbols:
            scene.bazaar.trade(symbol.replace("/", "-"))
        await scene.wait(1)
        assert len(collector.events) == count
        stream.unsubscribe(*symbols)
        await scene.wait(10)
        assert len(looks) < 10 * count

    monkeypatch.setattr("cexspec.engine.subscriptions.repeats", compare)
    monkeypatch.setattr(Dispatcher, "symbol_of", symbol_of)
    await perform(play, ROOMY)
