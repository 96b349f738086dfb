"""The promise, on a seeded network in virtual time: every event is delivered in order, or lies inside a Gap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

import pytest

from cexspec.engine.options import Reconnecting, StreamOptions
from cexspec.models import Event, Gap, Trade
from cexspec.transport.backoff import Backoff
from tests.simulation.stage import BAZAAR, HARBOR, Collector, Stage, perform
from tests.simulation.venues import Bazaar, Harbor, Sent

MARKETS = {"BTC/USDT": "BTC-USDT", "ETH/USDT": "ETH-USDT", "SOL/USDT": "SOL-USDT"}
OPTIONS = StreamOptions(reconnecting=Reconnecting(Backoff(base=0.2, cap=2.0)))


def check(symbol: str, events: Sequence[Event], known: Sequence[Sent]) -> tuple[int, int]:
    """Hold one symbol's events against what the venue knows; how many were delivered and missed."""
    mine = [event for event in events if event.symbol == symbol]
    numbers = [int(event.id or 0) for event in mine if isinstance(event, Trade)]
    assert numbers == sorted(set(numbers)), f"{symbol}: out of order or twice"
    gaps = [event for event in mine if isinstance(event, Gap)]
    assert all(gap.from_time is not None and gap.to_time is not None and gap.from_time <= gap.to_time for gap in gaps)
    missed = [sent for sent in known if sent.number not in set(numbers) and numbers and numbers[0] < sent.number < numbers[-1]]
    for sent in missed:
        inside = [gap for gap in gaps if (gap.from_time or 0) <= sent.at <= (gap.to_time or 0)]
        assert inside, f"{symbol}: trade {sent.number} is missing and no gap tells"
    return len(numbers), len(missed)


def check_place_of_gaps(symbol: str, events: Sequence[Event]) -> None:
    """A gap stands between what came before it and what comes after it."""
    mine = [event for event in events if event.symbol == symbol]
    for before, gap, after in zip(mine, mine[1:], mine[2:], strict=False):
        if isinstance(gap, Gap) and isinstance(before, Trade) and isinstance(after, Trade):
            assert int(before.id or 0) < int(after.id or 0) and (gap.from_time or 0) >= (before.timestamp or 0)


def weather(scene: Stage, random: Random) -> None:
    """What happens to the network."""
    happens, lines = random.random(), scene.network.lines
    if happens < 0.03 and lines:
        random.choice(lines).cut()
    elif happens < 0.04 and lines:
        random.choice(lines).fall_silent()
    elif happens > 0.99:
        scene.bazaar.mute = random.randrange(1, 3)
    scene.network.down = 0.05 < happens < 0.1


def trade(scene: Stage, random: Random, likely: float) -> None:
    """Some trades of each market."""
    for native_id in MARKETS.values():
        if random.random() < likely:
            venue_of(scene).trade(native_id)


def venue_of(scene: Stage) -> Bazaar | Harbor:
    return scene.bazaar if scene.network.venue is scene.bazaar else scene.harbor


async def storm(scene: Stage, seed: int) -> tuple[Collector, dict[str, list[Sent]]]:
    """Trades of three markets, while connections break, fall silent and are refused."""
    random = Random(seed)
    stream = scene.client.stream_trades("BTC/USDT", "ETH/USDT")
    collector = Collector(stream)
    for step in range(220):
        trade(scene, random, 0.6)
        weather(scene, random)
        if step == 60:
            stream.subscribe("SOL/USDT")
        await scene.wait(random.uniform(0.01, 0.8))
    scene.network.down = False
    for _ in range(100):  # calm: every line that is dead is found out
        trade(scene, random, 1.1)
        await scene.wait(1.0)
    return collector, venue_of(scene).trades


@pytest.mark.parametrize("seed", range(24))
async def test_every_trade_is_delivered_in_order_or_lies_in_a_gap(seed: int) -> None:
    async def play(scene: Stage) -> None:
        collector, known = await storm(scene, seed)
        delivered = missed = 0
        for symbol, native_id in MARKETS.items():
            check_place_of_gaps(symbol, collector.events)
            some, others = check(symbol, collector.events, known[native_id])
            delivered, missed = delivered + some, missed + others
            assert int(collector.numbers(symbol)[-1]) >= known[native_id][-1].number - 1, "the calm brings everything"
        assert delivered > 300 and not collector.errors
        stats = scene.client.stats
        assert stats.reconnects == len(scene.network.opened) - 1
        assert (missed > 0) <= (stats.gaps > 0) and stats.decode_errors == stats.unrouted == stats.drops == 0
        _everything_that_arrived_was_delivered(scene, collector)

    await perform(play, BAZAAR, seed=seed, options=OPTIONS)


def _everything_that_arrived_was_delivered(scene: Stage, collector: Collector) -> None:
    arrived = set()
    for line in scene.network.opened:
        for frame in line.arrived:
            if frame.startswith(b"{") and (message := json.loads(frame)).get("data"):
                arrived |= {(message["arg"]["id"], row["i"]) for row in message["data"]}
    got = {(MARKETS[event.symbol or ""], event.id) for event in collector.events if isinstance(event, Trade)}
    # Nothing that was in the socket when it broke is thrown away; the newest may still be on the way.
    assert got == arrived


@pytest.mark.parametrize("seed", range(12))
async def test_the_same_where_numbers_are_learned_and_data_comes_before_its_ack(seed: int) -> None:
    async def play(scene: Stage) -> None:
        scene.harbor.hasty = seed % 2 == 0
        collector, known = await storm(scene, seed)
        for symbol, native_id in MARKETS.items():
            check(symbol, collector.events, known[native_id])
        assert scene.client.stats.unrouted == 0
        got = [(MARKETS[event.symbol or ""], int(event.id or 0)) for event in collector.events if isinstance(event, Trade)]
        assert sorted(got) == sorted(_announced(scene)), "what came before its ack is delivered, too"

    await perform(play, HARBOR, seed=seed, options=OPTIONS)


def _announced(scene: Stage) -> list[tuple[str, int]]:
    """The trades that reached the client under a number whose ack did, too."""
    trades = []
    for line in scene.network.opened:
        messages = [json.loads(frame) for frame in line.arrived]
        acks = {one["chanId"]: one["symbol"] for one in messages if isinstance(one, dict) and "chanId" in one}
        trades += [(acks[one[0]], one[3][0]) for one in messages if isinstance(one, list) and one[0] in acks]
    return trades


async def test_the_same_seed_plays_the_same() -> None:
    results = []
    for _ in range(2):

        async def play(scene: Stage) -> None:
            collector, _ = await storm(scene, 7)
            results.append(collector.events)

        await perform(play, BAZAAR, seed=7, options=OPTIONS)
    assert results[0] == results[1]


async def test_subscribe_disconnect_resubscribe() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        for _ in range(3):
            scene.bazaar.trade("BTC-USDT")
            await scene.wait(0.1)
        lost_at = scene.clock.time_ns()
        scene.network.lines[0].cut(1001)
        for _ in range(20):
            scene.bazaar.trade("BTC-USDT")
            await scene.wait(0.1)
        (gap,) = collector.gaps
        assert (gap.exchange, gap.symbol, gap.channel, gap.closed) == ("bazaar", "BTC/USDT", "trades", False)
        assert "1001" in gap.cause and (gap.from_time or 0) <= lost_at < (gap.to_time or 0)
        assert check("BTC/USDT", collector.events, scene.bazaar.trades["BTC-USDT"])[1] > 0
        asked = [json.loads(frame) for line in scene.network.opened for frame in line.sent]
        assert [message["args"] for message in asked] == [[{"ch": "trades", "id": "BTC-USDT"}]] * 2

    await perform(play, options=OPTIONS)
