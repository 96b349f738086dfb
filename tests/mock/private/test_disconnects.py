"""A connection breaks in the middle of an order's life: afterwards streams and tracker agree with the venue, nothing is doubled."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.models import ExchangeError, InsufficientFunds, InvalidOrder, NetworkError, Order, OrderNotFound
from tests.mock.private.executions import executions
from tests.mock.private.test_orders import SPOT
from tests.mock.private.trading_venues import VENUES, customer_of, others_come, short, spec_of
from tests.mock.private.unreliable import Customer, HastyClock, LossyTransport, summary

FOLLOWED = VENUES if "CEXSPEC_EVERY_VENUE" in os.environ else VENUES[:1]
"""The gate follows the made-up venue only; `make test-faults` all of them, with CEXSPEC_EVERY_VENUE=1."""


@pytest.fixture(params=FOLLOWED, ids=short)
async def customer(request: pytest.FixtureRequest) -> AsyncIterator[Customer]:
    async with MockVenue(request.param, interval=3600) as venue:
        http = LossyTransport(venue)
        others_come(venue)
        async with Client(spec_of(venue), **customer_of(venue), http=http, clock=HastyClock()) as client:
            one = Customer(venue, client, http)
            await client.load_instruments()
            await one.follow()
            yield one
            await one.close()
        await http.close()


async def placed(one: Customer) -> Callable[[], Awaitable[Any]]:
    return one.place


async def partly_filled(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    return lambda: one.sold("0.05", order.price)


async def filled(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    await one.sold("0.05", order.price)
    return lambda: one.sold("0.15", order.price)


async def canceled(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    await one.sold("0.05", order.price)
    return lambda: one.client.trade.cancel_order(order.order_id)


async def amended(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    return lambda: one.client.trade.amend_order(order.order_id, quantity="0.1")


async def placed_and_filled(one: Customer) -> Callable[[], Awaitable[Any]]:
    async def both() -> None:
        order = await one.place()
        await one.sold("0.2", order.price)

    return both


async def refused(one: Customer) -> Callable[[], Awaitable[Any]]:
    await one.place()
    return partial(one.place, price=one.price * 2, post_only=True)


MORE_THAN_THERE_IS = {True: 80, False: 1000}
"""Spot, or contracts with their leverage -> more bitcoin than the customer has money for, and no more than may be asked for."""


async def amend_refused(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    quantity = MORE_THAN_THERE_IS[order.symbol == SPOT]
    return lambda: one.client.trade.amend_order(order.order_id, quantity=quantity)


async def canceled_too_late(one: Customer) -> Callable[[], Awaitable[Any]]:
    order = await one.place()
    await one.sold("0.2", order.price)
    return lambda: one.client.trade.cancel_order(order.order_id)


EVENTS = [placed, partly_filled, filled, canceled, amended, placed_and_filled]
"""What is set up, and what happens in the middle of the break."""
ASKED = [placed, canceled, amended]
"""Those that the customer asks for."""
REFUSED: list[tuple[Any, type[ExchangeError]]] = [
    (refused, InvalidOrder),
    (amend_refused, InsufficientFunds),
    (canceled_too_late, OrderNotFound),
]
"""What is set up, and how the venue refuses what is asked then."""


def check(one: Customer) -> None:
    """Everything agrees with the venue, and nothing was told twice."""
    tracker = one.client.trade._desk.tracker
    assert one.agrees()
    assert {order.order_id for order in tracker.open} == {order.order_id for order in one.orders if order.status != "filled"} - {
        order.order_id for order in one.orders if order.status == "canceled"
    }
    assert executions(one.told) == executions(one.fills)
    states = Counter(summary(order) for order in one.told if isinstance(order, Order))
    assert [state for state, count in states.items() if count > 1] == []
    assert tracker.illegal_transitions == 0
    assert len(one.orders) == 1, "a second order was placed"


@pytest.mark.parametrize("event", EVENTS)
async def test_it_happens_while_the_private_connection_is_away(customer: Customer, event: Any) -> None:
    happen = await event(customer)
    await customer.until(customer.agrees)
    await customer.away()
    await happen()
    await customer.back()
    await customer.until(customer.agrees)
    check(customer)


@pytest.mark.parametrize("event", EVENTS)
async def test_the_private_connection_breaks_right_after_it(customer: Customer, event: Any) -> None:
    happen = await event(customer)
    await happen()
    await customer.away()
    await customer.back()
    await customer.until(customer.agrees)
    check(customer)


@pytest.mark.parametrize("streams", ["there", "away"])
@pytest.mark.parametrize("event", ASKED)
async def test_the_answer_is_lost(customer: Customer, event: Any, streams: str) -> None:
    """The request was done: its outcome is found out, nothing is sent again."""
    happen = await event(customer)
    if streams == "away":
        await customer.away()
    customer.http.lose = "answer"
    order = await happen()
    assert customer.http.lost == 1
    (truth,) = customer.orders
    assert summary(order) == summary(truth)
    if streams == "away":
        await customer.back()
    await customer.until(customer.agrees)
    check(customer)


@pytest.mark.parametrize("event", ASKED)
async def test_the_request_is_lost(customer: Customer, event: Any) -> None:
    """Nothing was done: the caller is told so, once it is certain."""
    happen = await event(customer)
    before = [summary(order) for order in customer.orders]
    customer.http.lose = "request"
    with pytest.raises(NetworkError) as raised:
        await happen()
    assert not raised.value.outcome_unknown
    assert [summary(order) for order in customer.orders] == before
    await happen()
    await customer.until(customer.agrees)
    check(customer)


@pytest.mark.parametrize("streams", ["there", "away"])
@pytest.mark.parametrize(("event", "error"), REFUSED)
async def test_a_refusal(customer: Customer, event: Any, error: type[ExchangeError], streams: str) -> None:
    """It is told to the caller, and changes nothing, whether or not the streams are there."""
    happen = await event(customer)
    if streams == "away":
        await customer.away()
    before = [summary(order) for order in customer.orders]
    with pytest.raises(error):
        await happen()
    if streams == "there":
        await customer.away()
    await customer.back()
    await customer.until(customer.agrees)
    assert [summary(order) for order in customer.orders] == before
    check(customer)


@pytest.mark.parametrize("event", [refused, amend_refused])
async def test_a_refusal_is_lost(customer: Customer, event: Any) -> None:
    """That nothing was done is found out."""
    happen = await event(customer)
    before = [summary(order) for order in customer.orders]
    customer.http.lose = "answer"
    with pytest.raises(NetworkError) as raised:
        await happen()
    assert customer.http.lost == 1
    assert not raised.value.outcome_unknown
    assert [summary(order) for order in customer.orders] == before
    await customer.until(customer.agrees)
    check(customer)


async def test_the_refusal_of_a_cancel_is_lost(customer: Customer) -> None:
    """The order has ended, and how is told: it was filled."""
    cancel = await canceled_too_late(customer)
    customer.http.lose = "answer"
    order = await cancel()
    assert customer.http.lost == 1
    (truth,) = customer.orders
    assert (order.status, summary(order)) == ("filled", summary(truth))
    await customer.until(customer.agrees)
    check(customer)
