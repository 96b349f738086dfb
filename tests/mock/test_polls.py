"""What is polled of the shipped venues, end to end: it is a stream like others, and it moves."""

from __future__ import annotations

import pytest

from cexspec.models import MODELS
from cexspec.spec.load import shipped
from tests.mock.side import Scene, perform
from tests.mock.wire import venue_of
from tests.simulation.stage import Collector

POLLED = [(name, stream) for name in sorted(shipped()) for stream in venue_of(name).exchange.polls]


@pytest.mark.parametrize(("name", "stream"), POLLED)
async def test_what_is_polled_is_a_stream_that_moves(name: str, stream: str) -> None:
    async def play(scene: Scene) -> None:
        plan = scene.venue.exchange
        operation = plan.operation(plan.polls[stream])
        symbols = [str(one.symbol) for one in scene.venue.listing if operation.kinds is None or one.symbol.kind in operation.kinds][:2]
        events = scene.client.stream(stream, *symbols)
        await events.ready()
        collector = Collector(events)
        for _ in range(4):
            for symbol in symbols:
                scene.venue.market(symbol).advance(scene.clock.time_ns())
            await scene.clock.sleep(operation.poll or 0.0)
        assert {type(event) for event in collector.events} == {MODELS[str(plan.spec.rest[operation.name].returns)]}
        assert {event.symbol for event in collector.events} == set(symbols)
        assert len(collector.events) > 2 * len(symbols) and not collector.errors
        assert scene.client.stats.poll_failures == 0

    await perform(name, play)


def test_something_is_polled() -> None:
    assert ("binance_usdm", "open_interest") in POLLED
