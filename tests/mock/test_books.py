"""Maintained books of every shipped venue, end to end: the client's book is the venue's, or it says that it isn't."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from weakref import ref

import pytest

from cexspec.compile.plan import Params
from cexspec.engine.books.view import BookView
from cexspec.engine.stream import Stream
from cexspec.mock import MockVenue
from cexspec.mock.listing import Listed
from cexspec.models import (
    Book,
    BookOutOfSync,
    BookState,
    Event,
    ExchangeUnavailable,
    Gap,
    InvalidRequest,
    InvalidSymbol,
    NotSupported,
    PermissionDenied,
)
from cexspec.spec.load import shipped
from tests.mock.side import Fault, Scene, perform
from tests.simulation.stage import Collector

VENUES = sorted(shipped())
FAULTS: dict[str, list[Fault]] = {
    "a lost message": ["drop"],
    "three lost messages": ["drop", "drop", "drop"],
    "a message twice": ["twice"],
    "a message that comes late": ["late"],
    "everything": ["drop", "twice", "late", "twice", "drop", "late"],
}


def listed(venue: MockVenue) -> Listed:
    """A spot pair where there is one: its sizes are told as they are."""
    return min(venue.listing, key=lambda one: one.symbol.kind != "spot")


def true_book(scene: Scene, symbol: str, depth: int) -> tuple[object, object]:
    return scene.venue.market(symbol).top(depth)


def agrees(scene: Scene, symbol: str) -> bool | None:
    """Whether the client's book is the venue's; None: it can't be read."""
    try:
        view = scene.client.book(symbol)
        return view.depth(100) == true_book(scene, symbol, view.verified_depth)
    except BookOutOfSync:
        return None


async def started(scene: Scene, depth: int | None = None) -> tuple[str, Stream[BookView], Collector]:
    """A stream of maintained books that has begun."""
    symbol = str(listed(scene.venue).symbol)
    stream = scene.client.stream_order_book(symbol, depth=depth)
    collector = Collector(stream)
    await scene.clock.sleep(1)
    await scene.move(2)
    return symbol, stream, collector


@pytest.mark.parametrize("name", VENUES)
async def test_the_first_view_comes_with_the_first_consistent_book(name: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        views = [event for event in collector.events if isinstance(event, BookView)]
        assert [view.first for view in views][:2] == [True, False]
        assert agrees(scene, symbol)
        assert views[0].symbol == symbol
        assert scene.client.books == {symbol: "in_sync"}
        assert scene.client.stats.resyncs == scene.client.stats.unclaimed == 0

    await perform(name, play)


async def test_nothing_stays_of_a_closed_client() -> None:
    """Consumers keep views, which lead to the book, which leads to everything."""
    books: list[ref[object]] = []

    async def play(scene: Scene) -> None:
        _, _, collector = await started(scene)
        books.extend(ref(event.source) for event in collector.events if isinstance(event, BookView))

    await perform(VENUES[0], play)
    await asyncio.sleep(0)
    gc.collect()
    assert books
    assert {book() for book in books} == {None}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", VENUES)
async def test_after_faults_heal_the_book_is_the_venues_and_never_another(name: str, fault: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        for _ in range(3):
            scene.far.faults = deque(FAULTS[fault])
            while scene.far.faults or scene.far.held:
                await scene.move()
            await scene.move(2)
            for _ in range(80):
                assert agrees(scene, symbol) is not False
                await scene.move()
        assert agrees(scene, symbol)
        consumers_were_told(collector.events)

    await perform(name, play)


def consumers_were_told(events: list[Event]) -> None:
    """Between a book that is right no longer and the next first view there is no view."""
    believed = False
    for event in events:
        if isinstance(event, BookView):
            assert event.first is not believed
        believed = isinstance(event, BookView) or (believed and not isinstance(event, BookState))


@pytest.mark.parametrize("name", VENUES)
async def test_books_die_with_their_connection_and_come_back(name: str) -> None:
    async def play(scene: Scene) -> None:
        symbol, _, collector = await started(scene)
        del collector.events[:]
        scene.network.lines[0].cut()
        await asyncio.sleep(0)
        await scene.clock.sleep(0.001)
        assert agrees(scene, symbol) is None
        await scene.clock.sleep(60)
        await scene.move(3)
        assert agrees(scene, symbol)
        told = [type(event) for event in collector.events][:3]
        assert told == [BookState, Gap, BookView]
        assert isinstance(view := collector.events[2], BookView) and view.first

    await perform(name, play)


async def test_a_resync_touches_one_symbol() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream_order_book("BTC/USDT", "ETH/USDT")
        collector = Collector(stream)
        await scene.clock.sleep(1)
        await scene.move(2)
        scene.far.faults = deque(["drop"])  # symbols are told in their order
        await scene.move(2)
        states = [event for event in collector.events if isinstance(event, BookState)]
        assert [(event.symbol, event.state) for event in states] == [("BTC/USDT", "out_of_sync")]
        assert agrees(scene, "ETH/USDT")
        await scene.move(20)
        assert agrees(scene, "BTC/USDT")

    await perform("okx", play)


async def test_snapshots_go_through_the_rest_engine_and_are_few() -> None:
    async def play(scene: Scene) -> None:
        symbol, _, _ = await started(scene)
        await scene.move(50)
        assert agrees(scene, symbol)
        assert sum("/depth?" in call for call in scene.wire.calls) == 1

    await perform("binance", play)


async def test_messages_and_books_of_one_subscription() -> None:
    async def play(scene: Scene) -> None:
        raw = Collector(scene.client.stream_order_book("BTC/USDT", raw=True))
        await scene.clock.sleep(1)
        await scene.move(2)
        kept, channel = Collector(scene.client.stream_order_book("BTC/USDT")), Collector(scene.client.stream("order_book", "BTC/USDT"))
        await scene.clock.sleep(1)
        assert agrees(scene, "BTC/USDT"), "the subscription was made anew for its snapshot"
        await scene.move(2)
        assert {type(event).__name__ for event in raw.events} == {type(event).__name__ for event in channel.events} == {"Book"}
        assert {type(event) for event in kept.events} == {BookView}
        second = Collector(scene.client.stream_order_book("BTC/USDT"))
        await scene.clock.sleep(1)
        assert [view.first for view in second.events if isinstance(view, BookView)] == [True], "at once: the book is there"
        await kept.stream.close()
        await scene.move()
        assert agrees(scene, "BTC/USDT")
        view = scene.client.book("BTC/USDT")
        await second.stream.close()
        with pytest.raises(InvalidRequest, match="no book of BTC/USDT is kept"):
            scene.client.book("BTC/USDT")
        with pytest.raises(BookOutOfSync, match="subscribed no longer"):
            _ = view.best_bid

    await perform("okx", play)


async def test_what_cannot_be_maintained_is_refused_at_once() -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(InvalidRequest, match="raw=True"):
            scene.client.stream_order_book("BTC/USDT", raw=False, policy="block")
        with pytest.raises(InvalidRequest, match="name at least one symbol"):
            scene.client.stream_order_book()
        scene.client._connections.books._fetching.fetch = None
        with pytest.raises(NotSupported, match="snapshot over REST"):
            scene.client.stream_order_book("BTC/USDT")

    await perform("binance", play)


async def test_snapshots_that_fail_are_fetched_again_and_no_failure_ends_a_book() -> None:
    async def play(scene: Scene) -> None:
        fetching = scene.client._connections.books._fetching
        fetch, failures = fetching.fetch, deque[Exception]([ExchangeUnavailable("closed"), ValueError("a bug")])
        assert fetch is not None

        async def fails(operation: str, params: Params) -> list[Event]:
            if failures:
                raise failures.popleft()
            rows = await fetch(operation, params)
            return rows if len(scene.wire.calls) > 1 else []

        fetching.fetch = fails
        symbol, _, collector = await started(scene)
        await scene.move(10)
        assert agrees(scene, symbol)
        told = [str(event.reason) for event in collector.events if isinstance(event, BookState)]
        words = ("closed", "a bug", "holds no book")
        assert [word for reason in told for word in words if word in reason] == [*words]

    await perform("binance", play)


async def test_a_book_of_a_refused_symbol_and_one_of_a_connection_given_up_are_gone() -> None:
    async def play(scene: Scene) -> None:
        stream = scene.client.stream_order_book("BTC/USDT", "NOP/USDT")
        collector = Collector(stream)
        await scene.clock.sleep(1)
        assert [type(error) for error in collector.errors] == [InvalidSymbol]
        assert agrees(scene, "BTC/USDT")
        scene.network.refusals.append(PermissionDenied("no"))
        scene.network.lines[0].cut()
        await scene.clock.sleep(60)
        assert isinstance(collector.errors[-1], PermissionDenied) and collector.ended
        with pytest.raises(InvalidRequest, match="no book"):
            scene.client.book("BTC/USDT")

    await perform("okx", play)


async def test_callbacks_get_maintained_books_by_the_streams_name_and_messages_by_a_channels() -> None:
    async def play(scene: Scene) -> None:
        got: dict[str, list[Event]] = {"order_book": [], "order_book_5": [], "raw": []}
        scene.client.subscribe("order_book", "BTC/USDT", callback=got["order_book"].append)
        scene.client.subscribe("order_book_5", "BTC/USDT", callback=got["order_book_5"].append)
        scene.client.subscribe("order_book", "BTC/USDT", callback=got["raw"].append, raw=True)
        await scene.clock.sleep(1)
        await scene.move(3)
        assert {name: {type(event) for event in events} for name, events in got.items()} == {
            "order_book": {BookView},
            "order_book_5": {Book},
            "raw": {Book},
        }

    await perform("okx", play)
