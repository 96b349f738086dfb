"""Orders that were sent and not answered: never sent twice, looked up, and told about for certain or as unknown."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from cexspec import (
    CexspecError,
    Client,
    ConnectionLost,
    DecodeError,
    ExchangeUnavailable,
    NetworkError,
    OrderNotFound,
    OrderUnknown,
    TimeoutError,
)
from cexspec.transport.clock import VirtualClock, settle
from cexspec.transport.http import HttpAnswer
from tests.engine.trading.scripted import Asked, Venue, bad, client_of, good, order, run

LIMIT: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "limit",
    "quantity": "0.5",
    "price": "50000",
    "client_order_id": "mine",
}
MISSING = bad("404", "no such order")

UNCERTAIN: list[tuple[str, Any, type[CexspecError]]] = [
    ("no answer in time", TimeoutError("too late"), TimeoutError),
    ("the connection broke", ConnectionLost("gone"), ConnectionLost),
    ("a network failure of an unknown kind", NetworkError("hm"), NetworkError),
    ("a gateway's page", HttpAnswer(502, {}, b"<html>bad gateway</html>"), ExchangeUnavailable),
    ("the venue broke down", HttpAnswer(500, {}, b'{"code": "77", "msg": "internal"}'), CexspecError),
    ("a code that leaves it open", bad("99", "timed out inside"), ExchangeUnavailable),
    ("an answer that doesn't fit", good("what?"), DecodeError),
]
IDS = [row[0] for row in UNCERTAIN]


@pytest.mark.parametrize(("why", "failure", "cls"), UNCERTAIN, ids=IDS)
async def test_an_order_that_was_placed_after_all_is_found(why: str, failure: Any, cls: type[CexspecError]) -> None:
    venue = Venue({"/place": [failure], "/order": [MISSING, good([order(state="partial", filled="0.2")])]})
    async with client_of(venue) as client:
        placed = await run(client, client.trade.place_order(**LIMIT))
    assert (placed.order_id, placed.client_order_id, placed.status) == ("1", "mine", "partially_filled")
    assert len(venue.sent("/place")) == 1
    assert venue.sent("/order") == [{"id": "BTC-USDT", "cid": "mine"}] * 2


@pytest.mark.parametrize(("why", "failure", "cls"), UNCERTAIN, ids=IDS)
async def test_an_order_that_never_shows_was_not_placed(why: str, failure: Any, cls: type[CexspecError]) -> None:
    venue = Venue({"/place": [failure], "/order": [MISSING]})
    clock = VirtualClock()
    async with client_of(venue, clock, recv_window=5) as client:
        with pytest.raises(cls) as told:
            await run(client, client.trade.place_order(**LIMIT))
        assert not told.value.outcome_unknown
        assert "had no effect" in " ".join(told.value.__notes__)
        assert client.trade.orders == []
    assert len(venue.sent("/place")) == 1
    assert venue.sent("/open") and venue.sent("/past")  # before it is given up it is looked for everywhere
    assert 6.0 <= clock.monotonic() < 9.0  # a request may be taken until the receive window has passed


@pytest.mark.parametrize("path", ["/open", "/past"])
async def test_an_order_in_a_list_is_found_where_asking_for_it_alone_finds_nothing(path: str) -> None:
    venue = Venue({"/place": [TimeoutError("")], "/order": [MISSING], path: [good([order(cid="other"), order()])]})
    async with client_of(venue) as client:
        placed = await run(client, client.trade.place_order(**LIMIT))
    assert placed.client_order_id == "mine"


async def test_an_order_that_nothing_tells_of_is_unknown() -> None:
    venue = Venue({"/place": [TimeoutError("too late")], "/order": [ConnectionLost("still gone")]})
    async with client_of(venue) as client:
        with pytest.raises(OrderUnknown, match=r"client_order_id mine.*Don't send it again: look for it with get_order") as told:
            await run(client, client.trade.place_order(**LIMIT))
    error = told.value
    assert (error.symbol, error.client_order_id, error.outcome_unknown) == ("BTC/USDT", "mine", True)
    assert error.request is not None and error.request.symbol == "BTC/USDT"
    assert isinstance(error.__cause__, TimeoutError)
    assert len(venue.sent("/place")) == 1


async def test_another_order_with_the_same_id_is_not_taken_for_it() -> None:
    venue = Venue({"/place": [TimeoutError("")], "/order": [good([order(side="sell")])]})
    async with client_of(venue) as client:
        with pytest.raises(OrderUnknown):
            await run(client, client.trade.place_order(**LIMIT))


SURE: list[tuple[str, Any]] = [("a refusal", bad("11")), ("throttled", HttpAnswer(429, {}, b"{}"))]


@pytest.mark.parametrize(("why", "answer"), SURE)
async def test_a_refusal_is_not_looked_up(why: str, answer: Any) -> None:
    venue = Venue({"/place": [answer]})
    async with client_of(venue) as client:
        with pytest.raises(CexspecError) as told:
            await run(client, client.trade.place_order(**LIMIT))
    assert not told.value.outcome_unknown
    assert venue.sent("/order") == []


async def test_what_never_left_is_not_looked_up() -> None:
    refused = NetworkError("connection refused")
    refused.unsent = True
    venue = Venue({"/place": [refused]})
    async with client_of(venue) as client:
        with pytest.raises(NetworkError):
            await run(client, client.trade.place_order(**LIMIT))
        market = [client.rest.call("ticker", symbol="BTC/USDT") for _ in range(9)]
        waiting = [asyncio.ensure_future(each) for each in market]
        await settle()
        with pytest.raises(TimeoutError):  # it waits for its budget, and the caller doesn't
            await run(client, client.trade.place_order(**LIMIT, timeout=0.001))
        for task in waiting:
            task.cancel()
    assert venue.sent("/order") == []
    assert len(venue.sent("/place")) == 1


class Slow:
    """An answer that comes when it is let through."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.arrived, self.let, self.body = asyncio.Event(), asyncio.Event(), body

    async def __call__(self, asked: Asked) -> dict[str, Any]:
        self.arrived.set()
        await self.let.wait()
        return self.body


async def started(client: Client, slow: Slow, **fields: Any) -> asyncio.Task[Any]:
    await client.load_instruments()
    task = asyncio.ensure_future(client.trade.place_order(**{**LIMIT, **fields}))
    await slow.arrived.wait()
    return task


async def test_an_order_whose_caller_is_cancelled_is_followed_to_the_end(caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow(good({"oid": "7"}))
    venue = Venue({"/place": [slow]})
    async with client_of(venue) as client:
        task = await started(client, slow)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.trade.order(client_order_id="mine") is None
        slow.let.set()
        await client.trade.close()
        known = client.trade.order(client_order_id="mine")
    assert known is not None and known.order_id == "7"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "the order 7 is new" in caplog.text


async def test_an_order_cancelled_before_it_was_sent_never_is() -> None:
    venue = Venue()
    async with client_of(venue) as client:
        await client.load_instruments()
        waiting = [asyncio.ensure_future(client.rest.call("ticker", symbol="BTC/USDT")) for _ in range(3)]
        await settle()
        task = asyncio.ensure_future(client.trade.place_order(**LIMIT))
        await settle()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        await run(client, asyncio.sleep(0))
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert venue.sent("/place") == []


async def test_an_order_overtakes_the_market_data_that_waits() -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/ticker": [good({"last": "1"})]})
    async with client_of(venue) as client:
        await client.load_instruments()
        waiting = [asyncio.ensure_future(client.rest.call("ticker", symbol="BTC/USDT")) for _ in range(8)]
        await settle()
        await run(client, client.trade.place_order(**LIMIT))
        paths = [one.path for one in venue.asked]
        assert paths.index("/place") <= 3  # the instruments, one ticker that had its turn, perhaps another
        await run(client, asyncio.wait_for(asyncio.gather(*waiting), None))


CANCEL: dict[str, Any] = {"order_id": "1", "symbol": "BTC/USDT"}


async def test_a_cancel_without_an_answer_is_done_once_the_order_shows_it() -> None:
    venue = Venue({"/cancel": [TimeoutError("")], "/order": [good([order()]), good([order(state="gone")])]})
    async with client_of(venue) as client:
        canceled = await run(client, client.trade.cancel_order(**CANCEL))
    assert canceled.status == "canceled"
    assert len(venue.sent("/cancel")) == 1


async def test_a_cancel_that_had_no_effect_is_a_failure_for_certain() -> None:
    venue = Venue({"/cancel": [TimeoutError("")], "/order": [good([order()])]})
    async with client_of(venue) as client:
        with pytest.raises(TimeoutError) as told:
            await run(client, client.trade.cancel_order(**CANCEL))
    assert "had no effect" in " ".join(told.value.__notes__)


async def test_a_cancel_of_an_order_that_is_nowhere_is_unknown() -> None:
    venue = Venue({"/cancel": [TimeoutError("")], "/order": [MISSING]})
    async with client_of(venue) as client:
        with pytest.raises(OrderUnknown, match="cancel_order of order_id 1") as told:
            await run(client, client.trade.cancel_order(**CANCEL))
    assert told.value.order_id == "1"


async def test_an_order_that_is_not_there_is_not_found() -> None:
    venue = Venue({"/cancel": [MISSING], "/order": [MISSING]})
    async with client_of(venue) as client:
        for work in (client.trade.cancel_order(**CANCEL), client.trade.get_order(**CANCEL), client.trade.amend_order(**CANCEL, price=1)):
            with pytest.raises(OrderNotFound):
                await run(client, work)
    assert venue.sent("/amend") == []


AMENDED: list[tuple[dict[str, Any], type[CexspecError] | None]] = [
    (order(price="49000"), None),
    (order(), TimeoutError),
    (order(state="done", filled="0.5"), TimeoutError),
    (order(state="gone"), OrderUnknown),
]


@pytest.mark.parametrize(("then", "error"), AMENDED)
async def test_an_amend_without_an_answer_is_told_by_the_order(then: dict[str, Any], error: type[CexspecError] | None) -> None:
    venue = Venue({"/amend": [TimeoutError("")], "/order": [good([order()]), good([then])]})
    async with client_of(venue) as client:
        work = client.trade.amend_order("1", symbol="BTC/USDT", price="49000")
        if error is None:
            amended = await run(client, work)
            assert str(amended.price) == "49000"
        else:
            with pytest.raises(error):
                await run(client, work)
    assert len(venue.sent("/amend")) == 1
