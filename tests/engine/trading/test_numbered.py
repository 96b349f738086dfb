"""A venue that knows orders by their number alone, and is told what shall be left of one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cexspec.models import InvalidOrder, OrderNotFound
from tests.engine.trading.scripted import Venue, client_of, good, order, run

SPEC = Path(__file__).with_name("numbered.yaml")
PART = order(state="partial", filled="0.2")


async def test_an_order_is_canceled_by_the_clients_id_once_its_number_is_known() -> None:
    venue = Venue({"/order": [good([order()])], "/cancel": [good({"oid": "1"})]})
    async with client_of(venue, spec=SPEC) as client:
        canceled = await run(client, client.trade.cancel_order(client_order_id="mine", symbol="BTC/USDT"))
        again = await run(client, client.trade.cancel_order(client_order_id="mine"))
    assert (canceled.order_id, again.order_id) == ("1", "1")
    assert venue.sent("/cancel") == [{"oid": "1"}, {"oid": "1"}]
    assert len(venue.sent("/order")) == 1


async def test_what_nobody_knows_is_not_canceled() -> None:
    venue = Venue({"/order": [good([])]})
    async with client_of(venue, spec=SPEC) as client:
        with pytest.raises(OrderNotFound) as error:
            await run(client, client.trade.cancel_order(client_order_id="mine", symbol="BTC/USDT"))
    assert error.value.endpoint == "cancel_order"
    assert venue.sent("/cancel") == []


async def test_a_new_quantity_is_told_by_what_is_left_of_it_now() -> None:
    venue = Venue({"/order": [good([order()]), good([PART])], "/amend": [good({"oid": "1"})]})
    async with client_of(venue, spec=SPEC) as client:
        await run(client, client.trade.get_order("1", symbol="BTC/USDT"))
        amended = await run(client, client.trade.amend_order("1", quantity="0.9"))
        with pytest.raises(InvalidOrder, match=r"0\.2 of the order is filled already") as error:
            await run(client, client.trade.amend_order("1", quantity="0.2"))
    assert (amended.quantity, amended.filled, amended.remaining) == (Decimal("0.9"), Decimal("0.2"), Decimal("0.7"))
    assert error.value.rule == "filled"
    assert venue.sent("/amend") == [{"oid": "1", "left": "0.7", "price": "50000"}]


async def test_of_a_new_price_nothing_is_said_about_the_quantity() -> None:
    venue = Venue({"/order": [good([PART])], "/amend": [good({"oid": "1"})]})
    async with client_of(venue, spec=SPEC) as client:
        await run(client, client.trade.amend_order("1", symbol="BTC/USDT", price="49000"))
    assert venue.sent("/amend") == [{"oid": "1", "price": "49000"}]


async def test_signed_requests_have_a_host_of_their_own() -> None:
    venue = Venue({"/order": [good([order()])], "/cancel": [good({"oid": "1"})]})
    async with client_of(venue, spec=SPEC) as client:
        await run(client, client.trade.cancel_order("1", symbol="BTC/USDT"))
    own = {"rest": "https://own.example", "rest_private": "https://own-signed.example"}
    async with client_of(venue, spec=SPEC, environment=own, allow_trading=True) as client:
        await run(client, client.trade.cancel_order("1", symbol="BTC/USDT"))
    hosts = [(one.path, one.call.url.split("/")[2]) for one in venue.asked]
    assert ("/instruments", "demo.venue.example") in hosts and ("/instruments", "own.example") in hosts
    assert [host for path, host in hosts if path == "/cancel"] == ["signed.venue.example", "own-signed.example"]
