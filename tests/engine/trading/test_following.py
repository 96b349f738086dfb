"""Streams of orders and fills: told once, and looked up after a reconnect."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import pytest
from msgspec.structs import replace

from cexspec import Client, Fill, Gap, NetworkError, Order
from cexspec.engine.buffer import Buffer
from cexspec.engine.private import Recovered
from cexspec.engine.stream import Stream
from cexspec.models import Event
from cexspec.transport.clock import VirtualClock, settle
from tests.engine.trading.scripted import Asked, Venue, bad, client_of, good, order, run

BEFORE = 1_700_000_000_000_000_000


@dataclass
class Told:
    """A stream as `Following` knows it."""

    name: str
    _buffer: Buffer = field(init=False)

    def __post_init__(self) -> None:
        self._buffer = Buffer(self.name, 100, "drop_oldest")

    async def all(self) -> list[Event]:
        return [await self._buffer.get() for _ in range(len(self._buffer))]


def followed(client: Client, name: str, *symbols: str) -> Told:
    told = Told(name)
    client.trade._following.follow(name, cast("Stream[Any]", told), symbols)
    return told


async def back(client: Client, *streams: str, proven: int | None = BEFORE, seconds: float = 60) -> None:
    client.trade._following.recovered(Recovered("private", frozenset(streams), proven, client._clock.time_ns()))
    await settle()
    assert isinstance(client._clock, VirtualClock)
    await client._clock.advance(seconds)


def known(**fields: Any) -> Order:
    given: dict[str, Any] = {"symbol": "BTC/USDT", "order_id": "1", "status": "new", "quantity": Decimal("0.5"), **fields}
    return Order(exchange="venue", **given)


def fill(id: str, at: int = 1) -> dict[str, Any]:
    return {"id": "BTC-USDT", "fid": id, "oid": "1", "side": "buy", "price": "1", "size": "1", "at": str(1_700_000_000_000 + at)}


async def test_what_is_no_news_is_not_told_again() -> None:
    async with client_of(Venue()) as client:
        stream, later = followed(client, "orders"), followed(client, "orders")
        for event in (known(), known(), known(status="filled"), known(status="new")):
            stream._buffer.put(event)
            later._buffer.put(event)
        for told in (stream, later):
            assert [cast(Order, event).status for event in await told.all()] == ["new", "filled"]
        found = client.trade.order("1")
        assert found is not None and found.status == "filled"


async def test_orders_that_changed_unseen_are_told_after_a_reconnect() -> None:
    venue = Venue({"/open": [good([order(oid="2", cid=None)])], "/order": [good([order(state="done", filled="0.5")])]})
    async with client_of(venue) as client:
        stream, others = followed(client, "orders"), followed(client, "orders", "ETH/USDT")
        stream._buffer.put(known())
        await stream.all()
        await back(client, "orders")
        first, second, gap = await stream.all()
        (only,) = await others.all()
    assert isinstance(first, Order) and (first.order_id, first.status) == ("2", "new")
    assert isinstance(second, Order) and (second.order_id, second.status, second.filled) == ("1", "filled", Decimal("0.5"))
    assert isinstance(gap, Gap) and isinstance(only, Gap)
    assert (gap.closed, gap.count, gap.from_time, gap.channel) == (True, 2, BEFORE, "orders")
    assert (only.closed, only.count) == (True, 0)


async def test_a_list_that_says_more_of_a_state_does_not_tell_it_again() -> None:
    """Streams leave out what lists say, such as the time of placing or what it cost, and the other way round."""
    venue = Venue({"/open": [good([order()])]})
    async with client_of(venue) as client:
        (listed,) = await run(client, client.trade.get_open_orders())
        stream = followed(client, "orders")
        stream._buffer.put(replace(listed, type=None, time_in_force="gtc", updated=BEFORE))
        await stream.all()
        await back(client, "orders")
        (gap,) = await stream.all()
        stream._buffer.put(replace(listed, updated=BEFORE + 1, fee=Decimal("0.1")))
        assert await stream.all() == []
        found = client.trade.order("1")
    assert isinstance(gap, Gap) and (gap.closed, gap.count) == (True, 0)
    assert found is not None and (found.type, found.fee, found.time_in_force) == ("limit", Decimal("0.1"), "gtc")


async def test_a_list_does_not_set_back_what_was_changed_while_it_was_on_its_way() -> None:
    """Neither for who asked for it, nor for the streams that it is looked up for after a reconnect."""
    venue, listed = Venue(), order()

    async def open_orders(asked: Asked) -> dict[str, Any]:
        stream._buffer.put(known(price=Decimal(51000), quantity=Decimal("0.5")))
        return good([listed])

    async with client_of(venue) as client:
        stream = followed(client, "orders")
        stream._buffer.put(known(price=Decimal(50000), quantity=Decimal("0.5")))
        venue.answers["/open"] = [open_orders]
        await run(client, client.trade.get_open_orders())
        found = client.trade.order("1")
        assert found is not None and found.price == Decimal(51000)
        stream._buffer.put(known(price=Decimal(50000), quantity=Decimal("0.5")))
        await stream.all()
        await back(client, "orders")
        (news, gap) = await stream.all()
        found = client.trade.order("1")
    assert isinstance(news, Order) and isinstance(gap, Gap) and gap.count == 0
    assert found is not None and found.price == news.price == Decimal(51000)


async def test_orders_of_which_only_answers_told_meanwhile_are_told_after_a_reconnect() -> None:
    """The client knows by its own calls how they have ended; its streams don't."""
    ended = {"1": good([order(state="gone")]), "2": good([order(oid="2", cid=None, state="done", filled="0.5")])}
    venue = Venue({"/order": [lambda asked: ended[asked.given["oid"]]]})
    async with client_of(venue) as client:
        stream = followed(client, "orders")
        stream._buffer.put(known())
        await stream.all()
        await back(client, "orders", proven=None)
        for order_id in ended:
            await run(client, client.trade.get_order(order_id, symbol="BTC/USDT"))
        assert client.trade.orders == []
        for news in (2, 0):
            await back(client, "orders")
            *orders, gap = await stream.all()
            assert [(cast(Order, one).order_id, cast(Order, one).status) for one in orders] == [("1", "canceled"), ("2", "filled")][:news]
            assert isinstance(gap, Gap) and gap.count == news


async def test_fills_that_came_unseen_are_told_once_oldest_first() -> None:
    venue = Venue({"/fills": [good([fill("3", 3), fill("2", 2), fill("1", 1)])]})
    async with client_of(venue) as client:
        stream = followed(client, "fills")
        stream._buffer.put(
            Fill(exchange="venue", symbol="BTC/USDT", id="1", order_id="1", side="buy", price=Decimal(1), quantity=Decimal(1))
        )
        await stream.all()
        await back(client, "fills")
        *fills, gap = await stream.all()
    assert [cast(Fill, event).id for event in fills] == ["2", "3"]
    assert isinstance(gap, Gap) and gap.count == 2
    assert venue.sent("/fills") == [{"from": "1699999999000"}]
    assert venue.sent("/open") == []


async def test_nothing_is_looked_up_where_no_connection_was_lost() -> None:
    venue = Venue()
    async with client_of(venue) as client:
        followed(client, "orders")
        await back(client, "orders", proven=None)
        await back(client, "positions")
    assert venue.asked == []


async def test_the_look_up_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    venue = Venue({"/open": [NetworkError("no way"), bad("99"), good([order()])]})
    async with client_of(venue) as client:
        stream = followed(client, "orders")
        await back(client, "orders")
        assert [type(event) for event in await stream.all()] == [Order, Gap]
        venue.answers["/open"] = [bad("1", "never")]
        await back(client, "orders")
        assert await stream.all() == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert vars(record)["event"] == "reconciliation_failed"


async def test_a_stream_that_has_ended_is_told_nothing() -> None:
    venue = Venue({"/open": [good([order()])]})
    async with client_of(venue) as client:
        stream = followed(client, "orders")
        stream._buffer.end()
        await back(client, "orders")
        assert len(stream._buffer) == 0
        await run(client, client.trade.close())
