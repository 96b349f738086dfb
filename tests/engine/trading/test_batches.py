"""Several orders at once, in the venue's batches."""

from __future__ import annotations

from typing import Any

import pytest

from cexspec import CexspecError, InsufficientFunds, Order, OrderRequest, TimeoutError
from tests.engine.trading.scripted import Asked, Venue, bad, client_of, good, order, run


def requests(*ids: str, symbol: str = "BTC/USDT:PERP") -> list[OrderRequest]:
    fields: dict[str, Any] = {"symbol": symbol, "side": "buy", "type": "limit", "quantity": "0.05", "price": "50000"}
    return [OrderRequest(**fields, client_order_id=each) for each in ids]


def taken(asked: Asked) -> dict[str, Any]:
    rows = [{"id": each["id"], "oid": f"o-{each['cid']}", "cid": each["cid"], "state": "open"} for each in asked.given["orders"]]
    return good(rows[::-1])


async def test_orders_go_out_in_batches_of_as_many_as_the_venue_takes_and_one_alone_alone() -> None:
    venue = Venue({"/batch": [taken], "/place": [good({"oid": "s"}), good({"oid": "left over"})]})
    async with client_of(venue) as client:
        asked = [*requests("a", "b"), *requests("s", symbol="BTC/USDT"), *requests("c")]
        placed = await run(client, client.trade.place_orders(asked))
    assert [one.order_id for one in placed if isinstance(one, Order)] == ["o-a", "o-b", "s", "left over"]
    assert [len(sent["orders"]) for sent in venue.sent("/batch")] == [2]
    assert venue.sent("/batch")[0]["orders"][0] == {"id": "BTC-USDT-SWAP", "side": "buy", "size": "5", "price": "50000", "cid": "a"}


@pytest.mark.parametrize("named", [{}, {"cid": "b"}], ids=["without ids", "with the ids of those that were taken"])
async def test_an_order_of_a_batch_may_be_refused_alone(named: dict[str, str]) -> None:
    refused = {"id": "BTC-USDT-SWAP", "state": "refused", "why": "too little"}
    rows = [refused, {"id": "BTC-USDT-SWAP", "oid": "2", "state": "open", **named}]
    venue = Venue({"/batch": [good(rows)]})
    async with client_of(venue) as client:
        first, second = await run(client, client.trade.place_orders(requests("a", "b")))
    assert isinstance(first, Order) and (first.status, first.reason, first.client_order_id) == ("rejected", "too little", "a")
    assert isinstance(second, Order) and (second.status, second.order_id) == ("new", "2")


async def test_a_batch_that_is_refused_is_the_error_of_each() -> None:
    venue = Venue({"/batch": [bad("11", "too little")]})
    async with client_of(venue) as client:
        outcomes = await run(client, client.trade.place_orders(requests("a", "b")))
    assert [type(each) for each in outcomes] == [InsufficientFunds] * 2
    assert venue.sent("/order") == []


FAILURES: list[tuple[Any, type[CexspecError]]] = [
    (TimeoutError("too late"), TimeoutError),
    (good([{"id": "BTC-USDT-SWAP", "oid": "9", "cid": "x", "state": "open"}]), CexspecError),
]


@pytest.mark.parametrize(("failure", "cls"), FAILURES)
async def test_orders_of_a_batch_without_an_answer_are_looked_up_one_by_one(failure: Any, cls: type[CexspecError]) -> None:
    def look(asked: Asked) -> dict[str, Any]:
        return good([order(id="BTC-USDT-SWAP", oid="1", cid="a")]) if asked.given["cid"] == "a" else bad("404")

    venue = Venue({"/batch": [failure], "/order": [look]})
    async with client_of(venue) as client:
        first, second = await run(client, client.trade.place_orders(requests("a", "b")))
    assert isinstance(first, Order) and first.order_id == "1"
    assert isinstance(second, cls) and not second.outcome_unknown
    assert len(venue.sent("/batch")) == 1


async def test_a_dry_run_of_a_batch_sends_nothing() -> None:
    venue = Venue()
    async with client_of(venue, dry_run=True) as client:
        placed = await run(client, client.trade.place_orders(requests("a", "b")))
        assert len(client.trade.dry_runs) == 1
    assert [one.status for one in placed if isinstance(one, Order)] == ["pending"] * 2
    assert venue.sent("/batch") == []


async def test_orders_of_a_batch_have_in_common_what_its_request_says_once() -> None:
    venue = Venue({"/batch": [taken]})
    modes = {"a": "cross", "b": "isolated", "c": "cross", "d": "isolated"}
    async with client_of(venue) as client:
        asked = [one.model_copy(update={"margin_mode": modes[str(one.client_order_id)]}) for one in requests(*modes)]
        placed = await run(client, client.trade.place_orders(asked))
    assert [one.order_id for one in placed if isinstance(one, Order)] == ["o-a", "o-b", "o-c", "o-d"]
    sent = [(each["mode"], [order["cid"] for order in each["orders"]]) for each in venue.sent("/batch")]
    assert sorted(sent) == [("cross", ["a", "c"]), ("isolated", ["b", "d"])]
