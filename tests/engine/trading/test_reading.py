"""What is asked of an account, and orders that are changed."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cexspec import InsufficientFunds, InvalidOrder, InvalidRequest, OrderNotFound
from tests.engine.trading.scripted import SPEC, Venue, bad, client_of, good, order, run

LIMIT: dict[str, Any] = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "0.5", "price": "50000"}


async def test_orders_are_read_and_known_from_then_on() -> None:
    venue = Venue({"/open": [good([order(), order(oid="2", cid="c2", id="ETH-USDT")])], "/past": [good([order(oid="3", state="done")])]})
    async with client_of(venue) as client:
        both = await run(client, client.trade.get_open_orders())
        one = await run(client, client.trade.get_open_orders("BTC/USDT"))
        past = await run(client, client.trade.get_order_history("BTC/USDT", start=1_700_000_000_000_000_000, limit=5))
        assert client.trade.order("2") is not None and client.trade.order("3") == past[0]
    assert [each.symbol for each in both] == ["BTC/USDT", "ETH/USDT"]
    assert [each.order_id for each in one] == ["1"]
    assert venue.sent("/past") == [{"id": "BTC-USDT", "from": "1700000000000"}]


async def test_one_order_by_either_id() -> None:
    venue = Venue({"/order": [good([order(state="partial", filled="0.2")])]})
    async with client_of(venue) as client:
        by_client = await run(client, client.trade.get_order(client_order_id="mine", symbol="BTC/USDT"))
        again = await run(client, client.trade.get_order("1"))
        with pytest.raises(InvalidRequest, match="'order_id' or 'client_order_id'"):
            await client.trade.get_order()
    assert by_client.filled == again.filled == Decimal("0.2")
    assert venue.sent("/order") == [{"id": "BTC-USDT", "cid": "mine"}, {"id": "BTC-USDT", "oid": "1"}]


async def test_fills_positions_balances() -> None:
    fills = [
        {"id": "BTC-USDT", "fid": "9", "oid": oid, "side": "buy", "price": "1", "size": "1", "at": "1700000000000"} for oid in ("1", "2")
    ]
    positions = [{"id": "BTC-USDT-SWAP", "side": "long", "size": "0.5"}, {"id": "BTC-USD-SWAP", "side": "short", "size": "0"}]
    balances = [{"ccy": "USDT", "total": "5", "free": "3"}, {"ccy": "BTC", "total": "1", "free": "1"}]
    venue = Venue({"/fills": [good(fills)], "/positions": [good(positions)], "/balances": [good(balances)]})
    async with client_of(venue) as client:
        assert [fill.order_id for fill in await run(client, client.trade.get_fills(order_id="2"))] == ["2"]
        assert len(await run(client, client.trade.get_fills("BTC/USDT"))) == 2
        assert [each.symbol for each in await run(client, client.trade.get_positions())] == ["BTC/USDT:PERP"]
        assert [each.currency for each in await run(client, client.trade.get_balances())] == ["USDT", "BTC"]
        (one,) = await run(client, client.trade.get_balances("USDT"))
    assert (one.total, one.free) == (Decimal(5), Decimal(3))
    assert venue.sent("/balances")[-1] == {"ccy": "USDT"}


async def test_a_cancel_says_what_the_venue_says() -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/cancel": [good({"oid": "7"})]})
    async with client_of(venue) as client:
        placed = await run(client, client.trade.place_order(**LIMIT, client_order_id="mine"))
        canceled = await run(client, client.trade.cancel_order(client_order_id="mine"))
        assert client.trade.order("7") == placed
    assert (canceled.order_id, canceled.status, canceled.quantity) == ("7", None, Decimal("0.5"))
    assert venue.sent("/cancel") == [{"id": "BTC-USDT", "oid": "7", "cid": "mine"}]


async def test_an_amend_sends_the_whole_order_as_it_shall_be() -> None:
    venue = Venue({"/place": [good({"oid": "7"})], "/amend": [good({"oid": "7"})]})
    async with client_of(venue) as client:
        await run(client, client.trade.place_order(**LIMIT))
        amended = await run(client, client.trade.amend_order("7", price="49000.04", round_to_instrument=True))
        with pytest.raises(InvalidOrder, match="tick size"):
            await run(client, client.trade.amend_order("7", price="49000.04"))
        with pytest.raises(InvalidRequest, match="say what shall change"):
            await client.trade.amend_order("7")
        with pytest.raises(InvalidRequest, match="price is a number above 0"):
            await run(client, client.trade.amend_order("7", price="much"))
    (sent,) = venue.sent("/amend")
    assert (sent["size"], sent["price"]) == ("0.5", "49000.0")
    assert (amended.price, amended.quantity) == (Decimal("49000.0"), Decimal("0.5"))


async def test_an_amend_looks_an_unknown_order_up_first() -> None:
    venue = Venue({"/order": [good([order()])], "/amend": [good({"oid": "1"})]})
    async with client_of(venue) as client:
        await run(client, client.trade.amend_order("1", symbol="BTC/USDT", quantity="0.4"))
    assert venue.sent("/amend") == [{"id": "BTC-USDT", "oid": "1", "size": "0.4", "price": "50000"}]


async def test_all_orders_are_canceled() -> None:
    venue = Venue({"/cancel_all": [good([order(state="gone")])]})
    async with client_of(venue) as client:
        (canceled,) = await run(client, client.trade.cancel_all_orders("BTC/USDT"))
    assert canceled.status == "canceled"


async def test_leverage_is_set() -> None:
    venue = Venue({"/leverage": [good()]})
    async with client_of(venue) as client:
        await run(client, client.trade.set_leverage("BTC/USDT:PERP", 2.5))
        with pytest.raises(InvalidRequest, match="leverage"):
            await client.trade.set_leverage("BTC/USDT:PERP", -1)
    assert venue.sent("/leverage") == [{"id": "BTC-USDT-SWAP", "leverage": "2.5"}]


async def test_what_the_venue_does_not_know_is_not_found() -> None:
    venue = Venue({"/order": [bad("404")]})
    async with client_of(venue) as client:
        with pytest.raises(OrderNotFound):
            await run(client, client.trade.get_order("1", symbol="BTC/USDT"))


ALL = re.compile(r"  cancel_all_orders:\n(?:    .*\n)+")


@pytest.mark.parametrize(
    "request_for_it", ["", "  cancel_all_orders: {post: /cancel_all, when: {base: {is: absent}}, ignored: how many}\n"]
)
async def test_where_there_is_no_request_for_it_each_open_order_is_canceled(tmp_path: Path, request_for_it: str) -> None:
    spec = tmp_path / "venue.yaml"
    spec.write_text(ALL.sub(request_for_it, SPEC.read_text(encoding="utf-8")), encoding="utf-8")
    market = Venue({"/open": [good([order(oid="1"), order(oid="2", cid="other"), order(oid="3", cid="third")])]})
    market.answers["/cancel"] = [lambda asked: bad("404", "gone") if asked.given["oid"] == "2" else good({"oid": asked.given["oid"]})]
    async with client_of(market, spec=spec) as client:
        assert client.trade.supports("cancel_all_orders")
        canceled = await run(client, client.trade.cancel_all_orders("BTC/USDT"))
        assert [one.order_id for one in canceled] == ["1", "3"]
        assert [given["oid"] for given in market.sent("/cancel")] == ["1", "2", "3"]
        market.answers["/cancel"] = [bad("11", "no funds")]
        with pytest.raises(InsufficientFunds):
            await run(client, client.trade.cancel_all_orders("BTC/USDT"))
