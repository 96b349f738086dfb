"""Maintained books of every shipped venue on several connections, and topics that fall silent."""

from __future__ import annotations

import json
from random import Random

import pytest

from cexspec.engine.books.view import BookView
from cexspec.engine.options import StreamOptions
from cexspec.models import Book, BookState, Event, Gap
from cexspec.spec.load import shipped
from tests.mock.side import Scene, perform
from tests.mock.test_books import agrees, consumers_were_told, started
from tests.simulation.stage import Collector

VENUES = sorted(shipped())
DOUBLED = StreamOptions(redundancy=2)
DAY = 86_400.0


def kinds(events: list[Event]) -> set[type[Event]]:
    return {type(event) for event in events}


def forward(events: list[Event]) -> bool:
    """Whether the numbers of the views only grow: those of the book, not of a connection's frames."""
    times = [event.timestamp for event in events if isinstance(event, BookView) and event.timestamp is not None]
    return times == sorted(times)


@pytest.mark.parametrize("name", VENUES)
async def test_of_two_connections_one_may_die_and_its_books_go_on(name: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        assert len(scene.network.lines) == 2
        await scene.move(3)
        for turn in range(4):
            scene.network.lines[0].cut()
            await scene.clock.sleep(0.001)
            assert agrees(scene, symbol) is not False
            for _ in range(4):
                await scene.move()
                assert agrees(scene, symbol), f"turn {turn}"
            await scene.clock.sleep(30)
            await scene.move(4)
            assert len(scene.network.lines) == 2
        assert kinds(collector.events) == {BookView}
        firsts = [event.first for event in collector.events if isinstance(event, BookView)]
        assert firsts == [True, *[False] * (len(firsts) - 1)]
        assert forward(collector.events)

    await perform(name, play, DOUBLED)


@pytest.mark.parametrize("name", VENUES)
async def test_whatever_happens_on_two_connections_the_book_is_the_venues_and_no_end_is_hidden(name: str) -> None:
    random = Random(name)

    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        for _ in range(25):
            scene.far.faults.extend(random.choices(("drop", "twice", "late"), k=random.randrange(3)))
            if random.random() < 0.3 and scene.network.lines:
                random.choice(scene.network.lines).cut()
            while scene.far.faults or scene.far.held:
                await scene.move()
            await scene.move(random.randrange(2, 5))
            assert agrees(scene, symbol) is not False
        await scene.clock.sleep(60)
        await scene.move(3)
        assert agrees(scene, symbol)
        consumers_were_told(collector.events)

    await perform(name, play, DOUBLED)


@pytest.mark.parametrize("name", ["binance", "binance_usdm"])
async def test_an_aging_connection_hands_its_books_over_unnoticed(name: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        for _ in range(300):
            await scene.move()
            assert agrees(scene, symbol)
        assert scene.client.stats.rotations >= 1
        assert kinds(collector.events) == {BookView}
        assert forward(collector.events)

    await perform(name, play, StreamOptions(lifetime=(60 / DAY, 60 / DAY)))


@pytest.mark.parametrize("name", ["okx", "binance"])
async def test_the_book_of_a_topic_that_falls_silent_is_right_no_longer_and_begins_anew(name: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        del collector.events[:]
        await scene.clock.sleep(31)
        assert agrees(scene, symbol)
        await scene.move()
        assert agrees(scene, symbol)
        told = [event for event in collector.events if not isinstance(event, BookView)]
        assert [type(event) for event in told[:2]] == [BookState, Gap]
        assert isinstance(told[0], BookState) and told[0].state == "out_of_sync" and "no data of" in str(told[0].reason)

    await perform(name, play, StreamOptions(expect_every={"order_book": 30.0}))


async def test_books_that_wait_for_the_instruments_are_asked_for_in_the_order_they_were_named() -> None:
    async def play(scene: Scene) -> None:
        symbols = [str(one.symbol) for one in scene.venue.listing if one.symbol.kind == "spot"]
        assert symbols != sorted(symbols)
        scene.client.stream_order_book(*symbols)
        await scene.clock.sleep(1)
        asked = [json.loads(frame) for frame in scene.network.lines[0].sent if '"subscribe"' in frame]
        assert [message["params"]["symbol"][0] for message in asked] == symbols

    await perform("kraken", play)


async def test_books_that_wait_for_the_instruments_are_among_those_that_begin() -> None:
    async def play(scene: Scene) -> None:
        symbols = ("BTC/USDT", "ETH/USDT")
        scene.client.stream_order_book(*symbols)
        progress = scene.client.books_progress
        assert (progress.in_sync, progress.waiting, progress.total) == (0, 2, 2) and progress.eta > 0.0
        await scene.clock.sleep(1)
        progress = scene.client.books_progress
        assert (progress.in_sync, progress.waiting, progress.total, progress.eta) == (2, 0, 2, 0.0)

    await perform("kraken", play)


@pytest.mark.parametrize("redundancy", [1, 2])
async def test_two_depths_of_a_symbol_that_frames_do_not_tell_apart_are_two_books(redundancy: int) -> None:
    async def play(scene: Scene) -> None:
        client, symbols = scene.client, ("BTC/USDT", "ETH/USDT")
        streams = {depth: client.stream_order_book(*symbols, depth=depth) for depth in (10, 25, 100)}
        messages = {depth: client.stream_order_book("BTC/USDT", depth=depth, raw=True) for depth in (10, 100)}
        heard = {depth: Collector(stream) for depth, stream in streams.items()}
        told = {depth: Collector(stream) for depth, stream in messages.items()}
        await scene.clock.sleep(1)
        await scene.move(5)
        assert len(scene.network.lines) == 3 * redundancy, "both symbols of a depth share a connection"
        market = scene.venue.market("BTC/USDT")
        for depth, collector in heard.items():
            views = [event for event in collector.events if isinstance(event, BookView) and event.symbol == "BTC/USDT"]
            assert views[-1].depth(200) == market.top(depth)
            assert {event.first for event in views} == {True, False}
        all_bids = len(market.top(100)[0])
        assert len(client.book("BTC/USDT").bids) == all_bids > 25
        for depth, collector in told.items():
            snapshots = [event for event in collector.events if isinstance(event, Book) and event.is_snapshot]
            assert {len(event.bids) for event in snapshots} == {min(depth, all_bids)}
        await streams[10].close()
        await scene.move()
        assert client.book("ETH/USDT").in_sync
        assert client.stats.resyncs == 0

    await perform("kraken", play, StreamOptions(redundancy=redundancy))
