"""Orders that are placed: what goes out, what comes back, and what is refused before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from cexspec import Client, DuplicateOrder, InsufficientFunds, InvalidOrder, InvalidRequest, InvalidSymbol, Order, OrderRequest
from tests.engine.trading.scripted import LISTED, Venue, bad, client_of, good, instrument, run

LIMIT: dict[str, Any] = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "0.5", "price": "50000"}


def venue(**answers: Any) -> Venue:
    return Venue({f"/{path}": [answer] for path, answer in {"place": good({"oid": "7"}), **answers}.items()})


async def test_what_an_ack_leaves_out_is_as_it_was_asked_for() -> None:
    market = venue()
    async with client_of(market) as client:
        placed = await run(client, client.trade.place_order(OrderRequest(**LIMIT, client_order_id="mine-1")))
    assert (placed.order_id, placed.client_order_id, placed.status, placed.symbol) == ("7", "mine-1", "new", "BTC/USDT")
    assert (placed.side, placed.type, placed.quantity, placed.price, placed.filled) == ("buy", "limit", Decimal("0.5"), Decimal(50000), 0)
    assert placed.remaining == Decimal("0.5")
    assert market.sent("/place") == [
        {"id": "BTC-USDT", "side": "buy", "type": "limit", "size": "0.5", "price": "50000", "cid": "mine-1"}
    ]  # fmt: skip


async def test_a_request_may_be_given_by_its_fields_and_gets_a_client_id() -> None:
    market = venue()
    async with client_of(market) as client:
        placed = await run(client, client.trade.place_order(**LIMIT))
        assert client.trade.order(client_order_id=placed.client_order_id) == placed == client.trade.orders[0]
    (sent,) = market.sent("/place")
    assert sent["cid"] == placed.client_order_id
    assert len(sent["cid"]) == 24


async def test_of_two_positions_the_one_that_is_meant_is_said() -> None:
    market = venue()
    async with client_of(market) as client:
        await run(client, client.trade.place_order(**LIMIT, position_side="short"))
    assert market.sent("/place")[0]["position"] == "short"


async def test_a_stop_order_is_pending() -> None:
    async with client_of(venue()) as client:
        fields: dict[str, Any] = {**LIMIT, "type": "stop_limit", "stop_price": "51000"}
        placed = await run(client, client.trade.place_order(**fields))
    assert (placed.status, placed.conditional, placed.stop_price) == ("pending", True, Decimal(51000))


CONTRACTS = [
    ("BTC/USDT:PERP", {"quantity": "0.05", "price": "50000"}, "5"),
    ("BTC/USD:PERP:BTC", {"quantity": "0.02", "price": "50000"}, "10"),
    ("BTC/USD:PERP:BTC", {"quantity": "0.006234413965087281795511222", "price": "48120"}, "3"),
]


@pytest.mark.parametrize(("symbol", "numbers", "size"), CONTRACTS)
async def test_quantities_in_base_go_out_as_contracts(symbol: str, numbers: dict[str, Any], size: str) -> None:
    market = venue()
    async with client_of(market) as client:
        fields: dict[str, Any] = {**LIMIT, **numbers, "symbol": symbol}
        placed = await run(client, client.trade.place_order(**fields))
    assert Decimal(market.sent("/place")[0]["size"]) == Decimal(size)
    assert placed.quantity is not None
    assert abs(Decimal(placed.quantity) - Decimal(numbers["quantity"])) < Decimal("1e-15")


async def test_an_inverse_market_order_is_sized_by_its_quote_quantity() -> None:
    market = venue()
    async with client_of(market) as client:
        await run(client, client.trade.place_order(symbol="BTC/USD:PERP:BTC", side="buy", type="market", quote_quantity="500"))
    assert market.sent("/place")[0]["size"] == "5"


# fields that differ from LIMIT; rule; value; nearest
REFUSED: list[tuple[dict[str, Any], str, Any, tuple[str, ...]]] = [
    ({"price": "50000.05"}, "tick_size", "50000.05", ("50000.0", "50000.1")),
    ({"price": "0.01"}, "tick_size", "0.01", ("0.1",)),
    ({"type": "stop_limit", "stop_price": "50000.01"}, "tick_size", "50000.01", ("50000", "50000.1")),
    ({"quantity": "0.5004"}, "step_size", "0.5004", ("0.5", "0.501")),
    ({"quantity": "0.0004"}, "step_size", "0.0004", ("0.001",)),
    ({"quantity": "101"}, "max_size", "101", ("100",)),
    ({"quantity": "0.001", "price": "4000"}, "min_notional", "4", ("0.002",)),
    ({"type": "market", "price": None, "quantity": None, "quote_quantity": "4"}, "min_notional", "4", ("5",)),
    ({"symbol": "BTC/USDT:PERP", "quantity": "0.055"}, "step_size", "5.5", ("0.05", "0.06")),
    ({"symbol": "BTC/USDT:PERP", "quantity": "0.001"}, "step_size", "0.1", ("0.01",)),
    ({"symbol": "BTC/USDT:PERP", "quantity": "11"}, "max_size", "1100", ("10",)),
    ({"symbol": "BTC/USD:PERP:BTC", "quantity": "0.003"}, "step_size", "1.5", ("0.002", "0.004")),
    ({"symbol": "BTC/USD:PERP:BTC", "type": "market", "price": None}, "contract_size", "0.5", ()),
    ({"client_order_id": "not this_one"}, "client_order_id", "not this_one", ()),
    ({"client_order_id": "x" * 33}, "client_order_id", "x" * 33, ()),
]


@pytest.mark.parametrize(("fields", "rule", "value", "nearest"), REFUSED)
async def test_an_order_that_breaks_a_rule_is_not_sent(fields: dict[str, Any], rule: str, value: str, nearest: tuple[str, ...]) -> None:
    market = venue()
    given: dict[str, Any] = {name: each for name, each in {**LIMIT, **fields}.items() if each is not None}
    async with client_of(market) as client:
        with pytest.raises(InvalidOrder) as refused:
            await run(client, client.trade.place_order(**given))
    error = refused.value
    assert error.rule == rule
    assert error.value == (value if rule == "client_order_id" else Decimal(value))
    assert error.nearest == tuple(Decimal(each) for each in nearest)
    assert value in str(error)
    assert market.sent("/place") == []


STEPPED = [(fields, rule, nearest) for fields, rule, _, nearest in REFUSED if rule in ("tick_size", "step_size")]


@pytest.mark.parametrize(("fields", "rule", "nearest"), STEPPED)
async def test_the_nearest_values_are_taken(fields: dict[str, Any], rule: str, nearest: tuple[str, ...]) -> None:
    name = {"tick_size": "stop_price" if "stop_price" in fields else "price", "step_size": "quantity"}[rule]
    market = venue()
    async with client_of(market) as client:
        for each in nearest:
            given: dict[str, Any] = {**LIMIT, **fields, name: each}
            if rule == "tick_size" and Decimal(each) < 1:
                given["quantity"] = "100"
            await run(client, client.trade.place_order(**given))
    assert len(market.sent("/place")) == len(nearest)


ROUNDED = [
    ({"price": "50000.09"}, {"price": "50000.0"}),
    ({"price": "50000.01", "side": "sell"}, {"price": "50000.1"}),
    ({"quantity": "0.5009"}, {"size": "0.500"}),
    ({"symbol": "BTC/USDT:PERP", "quantity": "0.0599"}, {"size": "5"}),
    ({"symbol": "BTC/USD:PERP:BTC", "quantity": "0.0039"}, {"size": "1"}),
]


@pytest.mark.parametrize(("fields", "sent"), ROUNDED)
async def test_rounding_happens_when_asked_for(fields: dict[str, Any], sent: dict[str, str]) -> None:
    market = venue()
    async with client_of(market) as client:
        given: dict[str, Any] = {**LIMIT, **fields}
        placed = await run(client, client.trade.place_order(**given, round_to_instrument=True))
    (body,) = market.sent("/place")
    assert {name: Decimal(body[name]) for name in sent} == {name: Decimal(value) for name, value in sent.items()}
    assert placed.price == Decimal(body["price"])


async def test_rounding_never_makes_an_order_of_nothing() -> None:
    market = venue()
    async with client_of(market) as client:
        with pytest.raises(InvalidOrder, match="less than the least") as refused:
            await run(client, client.trade.place_order(**{**LIMIT, "quantity": "0.0004"}, round_to_instrument=True))
    assert refused.value.nearest == (Decimal("0.001"),)
    assert market.sent("/place") == []


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [("OLD/USDT", "not traded now"), ("NONE/USDT", "no symbol or native id"), ("BTC/EUR", "no symbol or native id")],
)
async def test_a_symbol_that_is_not_traded_is_refused(symbol: str, reason: str) -> None:
    market = venue()
    async with client_of(market) as client:
        with pytest.raises(InvalidSymbol, match=reason):
            await run(client, client.trade.place_order(**{**LIMIT, "symbol": symbol}))
    assert market.sent("/place") == []


async def test_an_instrument_that_has_become_inactive_is_refused() -> None:
    market = venue()
    async with client_of(market) as client:
        await run(client, client.trade.place_order(**LIMIT))
        market.answers["/instruments"] = [good([instrument(active=False), *LISTED[1:]])]
        await run(client, client.rest.get_instruments())
        with pytest.raises(InvalidSymbol, match="not traded now"):
            await run(client, client.trade.place_order(**LIMIT))
    assert len(market.sent("/place")) == 1


async def test_an_order_never_reaches_another_pair() -> None:
    market = venue(instruments=good([instrument("BTC-USDT", base="ETH"), *LISTED[1:]]))
    async with client_of(market) as client:
        for symbol in ("BTC/USDT", "BTC-USDT", "ETH/USDT", "ETH-USDT"):
            with pytest.raises(InvalidSymbol):
                await run(client, client.trade.place_order(**{**LIMIT, "symbol": symbol}))
    assert market.sent("/place") == []


async def test_a_client_id_that_this_client_knows_is_not_sent_again() -> None:
    market = venue()
    async with client_of(market) as client:
        await run(client, client.trade.place_order(**LIMIT, client_order_id="mine"))
        with pytest.raises(DuplicateOrder):
            await run(client, client.trade.place_order(**LIMIT, client_order_id="mine"))
    assert len(market.sent("/place")) == 1


async def test_a_refusal_of_the_venue_is_raised_as_it_is() -> None:
    market = venue(place=bad("11", "too little"))
    async with client_of(market) as client:
        with pytest.raises(InsufficientFunds, match="too little"):
            await run(client, client.trade.place_order(**LIMIT))
    assert len(market.asked) == 2  # the instruments, and the order once


async def test_parts_that_contradict_each_other_are_an_invalid_order() -> None:
    async with client_of(venue()) as client:
        with pytest.raises(InvalidOrder, match="a market order has no price"):
            await client.trade.place_order(**{**LIMIT, "type": "market"})


async def test_several_orders_are_all_checked_before_one_is_sent() -> None:
    market = venue()
    async with client_of(market) as client:
        with pytest.raises(InvalidOrder, match="tick size"):
            await run(client, client.trade.place_orders([OrderRequest(**LIMIT), OrderRequest(**{**LIMIT, "price": "0.05"})]))
        assert market.sent("/place") == []
        market.answers["/place"] = [good({"oid": "1"}), bad("11", "too little")]
        placed, refused = await run(client, client.trade.place_orders([OrderRequest(**LIMIT), OrderRequest(**LIMIT)]))
    assert isinstance(placed, Order) and placed.order_id == "1"
    assert isinstance(refused, InsufficientFunds)


async def test_an_instrument_that_has_expired_is_refused() -> None:
    market = venue()
    async with client_of(market) as client:
        await client.load_instruments()
        listed = client.markets.instrument("BTC/USDT:PERP")
        assert listed is not None
        client.markets.load([replace(listed, expiry=client._clock.time_ns() + 1_000_000_000)])
        await run(client, client.trade.place_order(**{**LIMIT, "symbol": "BTC/USDT:PERP"}))
        with pytest.raises(InvalidSymbol, match="has expired"):
            await run(client, late(client))
    assert len(market.sent("/place")) == 1


async def late(client: Client) -> Order:
    await client._clock.sleep(2)
    return await client.trade.place_order(**{**LIMIT, "symbol": "BTC/USDT:PERP"})


async def test_numbers_of_a_client_of_floats_are_floats() -> None:
    market = venue()
    async with client_of(market, number=float) as client:
        placed = await run(client, client.trade.place_order(**LIMIT))
    assert (placed.price, placed.filled, type(placed.quantity)) == (50000.0, 0.0, float)
    assert market.sent("/place")[0]["price"] == "50000"


async def test_a_request_and_fields_are_not_mixed() -> None:
    async with client_of(venue()) as client:
        with pytest.raises(InvalidRequest, match="a request, or its fields"):
            await client.trade.place_order(OrderRequest(**LIMIT), price="1")
