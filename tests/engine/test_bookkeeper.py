"""The books of a client: kept by subscription and connection, delivered from one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from math import inf
from random import Random
from typing import Any, cast

import pytest

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.plan import Params
from cexspec.compile.socket_plan import BookPlan
from cexspec.engine.books.bookkeeper import Bookkeeper, Consumers
from cexspec.engine.books.progress import BooksProgress
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.view import BookView
from cexspec.engine.buffer import Buffer
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Subscription
from cexspec.engine.frames import Part
from cexspec.engine.markets import Markets
from cexspec.engine.outputs import Deliver
from cexspec.engine.planning import ROUND_TRIP, Forecast, full_budgets
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.models import Book, BookOutOfSync, BookState, Event, InvalidRequest
from cexspec.transport.clock import VirtualClock
from cexspec.transport.limiter import Draw

D = Decimal
OKX = compile_exchange("okx")
CHANNEL = OKX.channel("order_book")
TOPIC = Topic("order_book", {}, "books:BTC-USDT", {})


class Socket:
    """What the keeper of books needs of a connection."""

    def __init__(self) -> None:
        self.renewed: list[Topic] = []

    def renew(self, topic: Topic) -> None:
        self.renewed.append(topic)

    def expect(self, topic: Topic) -> None:
        """One of two is behind."""


class Desk:
    """A keeper of books, two connections, one subscription, and what its consumer is told."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.told: list[tuple[str, str | None]] = []
        consumers = Consumers(lambda feed: False, self.tell, lambda subscription: "BTC/USDT")
        settings = BookSettings(catch_up=2.0)
        forecast = Forecast(OKX, full_budgets(OKX), settings.at_once)
        self.keeper = Bookkeeper("okx", Markets(OKX), clock, Random(1), Counters("okx"), consumers, None, settings, forecast)
        self.one, self.two = (cast(Connection, Socket()) for _ in range(2))

    def tell(self, parts: Sequence[Part], topic: Topic | None) -> None:
        for _, events in parts:
            for event in events:
                word = event.state if isinstance(event, BookState) else type(event).__name__
                if isinstance(event, BookView):
                    word = f"{'first ' if event.first else ''}{event.sequence}"
                self.told.append((word, topic.text if topic is not None else None))

    def frame(self, connection: Connection, number: int, *, snapshot: bool = False) -> None:
        message = Book(
            exchange="okx",
            symbol="BTC/USDT",
            bids=[(D(99), D(number))],
            asks=[(D(101), D(1))],
            sequence=number,
            timestamp=number,
            previous_sequence=-1 if snapshot else number - 1,
            is_snapshot=snapshot,
        )
        self.tell(self.keeper.parts(connection, Deliver(((CHANNEL.name, [message]),), TOPIC)), TOPIC)

    def open(self, subscription: Subscription, *connections: Connection) -> None:
        for connection in connections:
            self.keeper.open(subscription, CHANNEL, connection, live=False)

    @property
    def words(self) -> list[str]:
        return [word for word, _ in self.told]


def asked(kind: str = "public") -> Subscription:
    buffer = Buffer("order_book", 10, "conflate")
    return Subscription("okx", "order_book", kind, TOPIC, buffer, 0, "BTC-USDT", "spot", None, maintained=True)


async def perform(play: Callable[[Desk], Awaitable[None]]) -> None:
    clock = VirtualClock()

    async def work() -> None:
        desk = Desk(clock)
        await play(desk)
        await desk.keeper.close_all()

    await clock.run(work(), limit=1e4)


async def test_another_connection_goes_on_where_one_died() -> None:
    async def play(desk: Desk) -> None:
        mine = asked()
        desk.open(mine, desk.one, desk.two)
        desk.frame(desk.one, 5, snapshot=True)
        desk.frame(desk.two, 5, snapshot=True)
        desk.frame(desk.one, 6)
        desk.frame(desk.two, 6)
        assert desk.words == ["first 5", "6"]
        assert desk.keeper.leads(desk.one, TOPIC) and not desk.keeper.leads(desk.two, TOPIC)
        desk.keeper.died(desk.one, "the connection was lost")
        desk.frame(desk.two, 7)
        assert desk.told[2:] == [("6", TOPIC.text), ("7", TOPIC.text)]
        assert not desk.keeper.in_step(desk.one, TOPIC)
        assert desk.keeper.in_step(desk.two, TOPIC) and desk.keeper.leads(desk.two, TOPIC)
        assert desk.keeper.view("BTC/USDT").best_bid == (D(99), D(7))
        desk.keeper.subscribed(desk.one, TOPIC)
        desk.frame(desk.one, 7, snapshot=True)
        desk.frame(desk.two, 8)
        assert desk.words[4:] == ["8"]
        assert desk.keeper.states == {"BTC/USDT": "in_sync"}

    await perform(play)


async def test_a_connection_that_has_to_catch_up_and_does_not_is_told_in_time() -> None:
    async def play(desk: Desk) -> None:
        desk.open(asked(), desk.one, desk.two)
        desk.frame(desk.one, 5, snapshot=True)
        desk.frame(desk.two, 4, snapshot=True)
        desk.keeper.died(desk.one, "the connection was lost")
        await desk.clock.sleep(1.9)
        assert desk.words == ["first 5"]
        with pytest.raises(BookOutOfSync, match="has yet to get where this one was"):
            desk.keeper.view("BTC/USDT")
        await desk.clock.sleep(0.2)
        assert desk.words == ["first 5", "out_of_sync", "Gap", "first 4"]

    await perform(play)


async def test_a_planned_change_of_connections_is_not_noticed() -> None:
    async def play(desk: Desk) -> None:
        mine = asked()
        desk.open(mine, desk.one)
        desk.frame(desk.one, 5, snapshot=True)
        desk.open(mine, desk.two)
        desk.keeper.promote(desk.two, TOPIC)
        desk.frame(desk.one, 6)
        assert not desk.keeper.in_step(desk.two, TOPIC)
        desk.frame(desk.two, 6, snapshot=True)
        assert desk.keeper.in_step(desk.two, TOPIC) and desk.keeper.leads(desk.two, TOPIC)
        desk.keeper.leave(mine, desk.one)
        desk.frame(desk.one, 7)
        desk.frame(desk.two, 7)
        desk.keeper.forget(desk.one)
        desk.frame(desk.two, 8)
        assert desk.words == ["first 5", "6", "6", "7", "8"]
        desk.keeper.close(mine)
        desk.frame(desk.two, 9)
        assert len(desk.words) == 5 and desk.keeper.states == {}
        assert desk.keeper.in_step(desk.two, TOPIC) and desk.keeper.leads(desk.two, TOPIC), "there is no book to wait for"

    await perform(play)


async def test_who_comes_later_gets_one_first_view_and_books_end_with_their_last_user() -> None:
    async def play(desk: Desk) -> None:
        mine, later = asked(), asked()
        desk.open(mine, desk.one, desk.two)
        desk.frame(desk.one, 5, snapshot=True)
        desk.open(later, desk.one, desk.two)
        view: Any = await later.buffer.get()
        assert (view.first, view.sequence, len(later.buffer), len(mine.buffer)) == (True, 5, 0, 0)
        desk.keeper.leave(mine, desk.one)
        desk.frame(desk.one, 6)
        desk.keeper.leave(later, desk.one)
        assert desk.words == ["first 5", "6", "out_of_sync"], "nobody needs it on the first connection; the second has no book yet"
        desk.frame(desk.two, 7, snapshot=True)
        assert desk.words[3:] == ["Gap", "first 7"]
        desk.keeper.close(mine)
        desk.keeper.close(mine)
        desk.frame(desk.two, 8)
        assert desk.words[5:] == ["8"]

    await perform(play)


async def test_readers_never_see_half_an_update() -> None:
    async def play(desk: Desk) -> None:
        seen = []

        def tell(parts: Sequence[Part], topic: Topic | None) -> None:
            seen.extend([(view.best_bid, view.best_ask) for _, views in parts for view in views if isinstance(view, BookView)])

        def message(number: int, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], *, snapshot: bool = False) -> Book:
            sides: Any = [[(D(price), D(size)) for price, size in side] for side in (bids, asks)]
            before = -1 if snapshot else number - 1
            told: dict[str, Any] = {"sequence": number, "previous_sequence": before, "is_snapshot": snapshot}
            return Book(exchange="okx", symbol="BTC/USDT", bids=sides[0], asks=sides[1], **told)

        desk.open(asked(), desk.one)
        began = message(1, [(99, 1), (98, 1)], [(101, 1), (102, 1)], snapshot=True)
        up = message(2, [(101, 5)], [(101, 0)])
        further = message(3, [(102, 5), (101, 0)], [(102, 0), (103, 2)])
        frames: list[list[Event]] = [[began], [up, further]]
        for messages in frames:
            tell(desk.keeper.parts(desk.one, Deliver(((CHANNEL.name, messages),), TOPIC)), TOPIC)
        assert seen == [((D(99), D(1)), (D(101), D(1))), *[((D(102), D(5)), (D(103), D(2)))] * 2]

    await perform(play)


async def test_a_book_whose_snapshot_cannot_be_asked_for_is_no_failure_of_the_others_progress() -> None:
    def refused(operation: str, params: Params) -> list[Draw]:
        raise InvalidRequest("costs more than the budget ever holds")

    async def play(desk: Desk) -> None:
        desk.open(asked(), desk.one)
        assert desk.keeper.progress == BooksProgress(0, 1, 1, 2 * ROUND_TRIP)
        fetched = replace(CHANNEL, book=replace(cast(BookPlan, CHANNEL.book), sync=("order_book", 400)))
        desk.keeper._forecast = Forecast(OKX, refused, 4)
        desk.keeper.open(asked("business"), fetched, desk.two, live=False)
        desk.frame(desk.one, 5, snapshot=True)
        assert desk.keeper.progress == BooksProgress(1, 1, 2, inf)

    await perform(play)


async def test_topics_of_the_same_name_on_other_kinds_of_connections_are_other_books() -> None:
    async def play(desk: Desk) -> None:
        desk.open(asked("public"), desk.one)
        desk.open(asked("business"), desk.two)
        desk.frame(desk.one, 5, snapshot=True)
        desk.frame(desk.two, 3, snapshot=True)
        assert desk.words == ["first 5", "first 3"]
        desk.keeper.forget(desk.one)
        assert desk.keeper.view("BTC/USDT").sequence == 3

    await perform(play)
