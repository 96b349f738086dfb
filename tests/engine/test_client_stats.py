"""The snapshot of a client, and the list of everything in it from which metrics and documents are made."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import Any, get_args, get_type_hints

import pytest

from cexspec import Client, RateLimitExceeded
from cexspec.engine.client_stats import ClientStats, series
from cexspec.engine.rest import RestStats
from cexspec.engine.stats import ConnectionCounts, ConnectionStats, Latency, QueueStats, StreamCounts, StreamStats
from cexspec.mock import MockVenue
from cexspec.models.measures import Group, Kind, Measure
from cexspec.transport.limiter import LimiterStats

NOT_MEASURED = {"exchange", "at", "latency", "problems"}
"""What tells whose snapshot it is, and what is no number to sum up."""
MODELS = (ClientStats, StreamStats, QueueStats, ConnectionStats, RestStats, LimiterStats)


def notes(model: type[Any]) -> dict[str, list[object]]:
    hints = get_type_hints(model, include_extras=True)
    return {name: [note for note in get_args(hint) if isinstance(note, Measure | Group)] for name, hint in hints.items()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_of_a_snapshot_is_described_once(model: type[Any]) -> None:
    assert {name for name, found in notes(model).items() if len(found) != 1} <= NOT_MEASURED


def test_every_measure_has_a_name_of_its_own_that_metrics_may_have() -> None:
    names = [each.name for each in series()]
    assert len(set(names)) == len(names) > 25
    assert [name for name in names if not re.fullmatch(r"cexspec(_[a-z]+)+", name) or name.endswith("_total")] == []
    assert {each.measure.kind for each in series()} == set(get_args(Kind))
    assert [each.name for each in series() if not each.measure.meaning or each.measure.meaning.endswith(".")] == []


def test_the_list_leads_to_the_values_of_a_snapshot() -> None:
    rest = RestStats(calls={"ok": 3, "TimeoutError": 1}, requests=5, retries=1, quarantined=0)
    streams = StreamStats(
        gaps=2,
        queues={"trades": QueueStats(depth=7)},
        connections={"public": ConnectionStats(messages=8, states={"connected": 2}, transitions={"connected": 3, "connecting": 2})},
        books={"in_sync": 4},
        latency=Latency(),
        problems=(),
    )
    stats = ClientStats(exchange="x", at=1, streams=streams, rest=rest, limiter=LimiterStats(waits=9))
    values = {each.name: dict(each.values(stats)) for each in series()}
    assert values["cexspec_messages"] == {("public",): 8} and streams.messages == 8
    assert values["cexspec_gaps"] == {(): 2}
    assert values["cexspec_queue_depth"] == {("trades",): 7}
    assert values["cexspec_connection_transitions"] == {("public", "connected"): 3, ("public", "connecting"): 2}
    assert values["cexspec_books"] == {("in_sync",): 4}
    assert values["cexspec_rest_calls"] == {("ok",): 3, ("TimeoutError",): 1}
    assert values["cexspec_limiter_waits"] == {(): 9}


async def test_a_client_counts_what_it_does_and_the_snapshot_stays_as_it_was() -> None:
    async with MockVenue("okx", interval=0.01) as venue, Client("okx", environment=venue.environment) as client:
        before = client.stats
        await client.rest.get_ticker("BTC/USDT")
        async with client.ws.stream_trades("BTC/USDT") as stream, client.ws.stream_order_book("BTC/USDT") as books:
            for _ in range(20):
                await anext(stream)
            await anext(books)
            during = client.stats
        after = client.stats
    assert during.streams.connections["public"].messages == during.streams.messages > 20 and during.streams.bytes > 1000
    assert (before.streams.messages, before.streams.queues, before.rest.calls) == (0, {}, {})
    trades = during.streams.queues["trades"]
    assert (trades.streams, trades.taken, trades.dropped) == (1, 20, 0)
    assert trades.wire_to_callback.count == 2 and 0 < (trades.wire_to_callback.p99 or 0) < 5
    assert during.streams.wire_to_callback.count >= 3
    assert during.streams.connections["public"].states == {"connected": 1}
    assert during.streams.connections["public"].transitions == {"connecting": 1, "connected": 1}
    assert during.streams.books == {"in_sync": 1}
    assert during.rest.calls["ok"] >= 1 and during.rest.requests >= 1 and during.at > before.at
    assert (after.streams.queues["trades"].streams, after.streams.queues["trades"].taken) == (0, 20), "closed streams stay counted"
    text = json.loads(json.dumps(during.as_dict()))
    assert text["streams"]["queues"]["trades"]["wire_to_callback"]["p50"] == trades.wire_to_callback.p50
    with pytest.raises(AttributeError, match="immutable"):
        during.streams.gaps = 9  # type: ignore[misc]


async def test_calls_are_counted_by_their_outcome() -> None:
    limits = {"global": {"rate": 1, "period": 60}}
    async with MockVenue("okx") as venue:
        async with Client("okx", environment=venue.environment, rate_limits=limits, on_limit="raise") as client:
            await client.rest.get_ticker("BTC/USDT")
            with pytest.raises(RateLimitExceeded):
                await client.rest.get_ticker("BTC/USDT")
        stats = client.stats
    assert stats.rest.calls["RateLimitExceeded"] == 1 and stats.rest.calls["ok"] >= 1
    assert (stats.limiter.refusals, stats.limiter.waits, stats.rest.retries) == (1, 0, 0)


def test_the_running_counts_and_the_snapshot_have_one_list_of_names() -> None:
    assert set(StreamCounts.__struct_fields__) < set(StreamStats.__struct_fields__)
    assert set(ConnectionCounts.__struct_fields__) < set(ConnectionStats.__struct_fields__)


async def test_a_snapshot_can_be_taken_in_another_thread_while_streams_come_and_go() -> None:
    ended = threading.Event()
    taken: list[ClientStats] = []

    def look(client: Client) -> None:
        while not ended.is_set():
            taken.append(client.stats)

    async with MockVenue("okx", interval=0.005) as venue, Client("okx", environment=venue.environment) as client:
        looking = asyncio.create_task(asyncio.to_thread(look, client))
        for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
            async with client.ws.stream_trades(symbol) as trades, client.ws.stream_order_book(symbol) as books:
                await asyncio.gather(anext(trades), anext(books), client.rest.get_ticker(symbol))
        ended.set()
        await looking
    messages = [stats.streams.messages for stats in taken]
    assert len(taken) > 10 and messages == sorted(messages) and messages[-1] > 0
