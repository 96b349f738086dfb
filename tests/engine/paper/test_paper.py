"""Orders on paper: the market is that of the (mock) venue, over sockets; nothing private is ever asked of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from cexspec import Client, InsufficientFunds, InvalidOrder, NotSupported
from cexspec.engine.stream import Stream
from cexspec.models import Balance, DuplicateOrder, Event, Fill, InvalidRequest, InvalidSymbol, Order, OrderNotFound, Position
from cexspec.spec.load import shipped
from tests.engine.paper.conftest import Start

SPOT, SWAP = "BTC/USDT", "BTC/USDT:PERP"
KINDS = ("spot", "perpetual")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exchange", shipped())
async def test_every_shipped_venue_trades_on_paper(paper: Start, exchange: str, kind: str) -> None:
    """A limit order rests, and is filled as the market crosses it; a market order is filled at once."""
    there = await paper(exchange)
    trade, symbol = there.client.trade, await there.symbol(kind)
    assert there.client.supports("place_order") and there.client.supports("stream_orders")
    if symbol is None:
        pytest.skip(f"{exchange} lists no {kind} that is sized, in a currency that an account on paper begins with")
    quantity = await there.quantity(symbol)
    price = there.price(symbol) * Decimal("0.99")
    resting = await trade.place_order(symbol=symbol, side="buy", type="limit", quantity=quantity, price=price, round_to_instrument=True)
    assert resting.status == "new" and [order.order_id for order in await trade.get_open_orders()] == [resting.order_id]
    await there.until(resting.order_id, "filled", symbol, "0.97")
    bought = await trade.get_fills(symbol)
    assert sum(fill.quantity or 0 for fill in bought) == resting.quantity
    assert {fill.liquidity for fill in bought} == {"maker"}
    sold = await trade.place_order(symbol=symbol, side="sell", type="market", quantity=(await there.quantity(symbol, 100)))
    assert sold.status == "filled" and sold.average_price is not None


async def test_an_order_is_amended_and_canceled(paper: Start) -> None:
    there = await paper()
    trade, price = there.client.trade, there.price(SPOT)
    order = await trade.place_order(
        symbol=SPOT, side="buy", type="limit", quantity="0.2", price=price * Decimal("0.9"), round_to_instrument=True
    )
    changed = await trade.amend_order(order.order_id, quantity="0.1")
    assert (changed.quantity, changed.price) == (Decimal("0.1"), order.price)
    assert (await trade.cancel_order(order.order_id)).status == "canceled"
    assert await trade.get_open_orders() == [] and [one.status for one in await trade.get_order_history()] == ["canceled"]
    with pytest.raises(OrderNotFound):
        await trade.cancel_order(order.order_id)


@pytest.mark.parametrize("symbol", [SPOT, SWAP])
async def test_a_stop_waits_for_its_price(paper: Start, symbol: str) -> None:
    there = await paper()
    trade, price = there.client.trade, there.price(symbol)
    given: dict[str, Any] = {"symbol": symbol, "side": "buy", "type": "stop_market", "quantity": "0.01", "round_to_instrument": True}
    stop = await trade.place_order(**given, stop_price=price * Decimal("1.01"))
    assert (stop.status, stop.conditional) == ("pending", True)
    await there.until(stop.order_id, "filled", symbol, "1.02")


async def test_a_perpetual_makes_a_position(paper: Start) -> None:
    there = await paper()
    trade = there.client.trade
    await trade.set_leverage(SWAP, 5)
    await trade.place_order(symbol=SWAP, side="sell", type="market", quantity="0.02")
    (held,) = await trade.get_positions()
    assert (held.side, held.quantity, held.leverage) == ("short", Decimal("0.02"), 5)
    with pytest.raises(InvalidOrder, match="reduce"):
        await trade.place_order(symbol=SWAP, side="sell", type="market", quantity="0.02", reduce_only=True)

    async def gained() -> bool:
        (now,) = await trade.get_positions(SWAP)
        return now.unrealized_pnl is not None and now.unrealized_pnl > 0

    await there.move(SWAP, "0.98", gained)
    await trade.place_order(symbol=SWAP, side="buy", type="market", quantity="0.02", reduce_only=True)
    assert await trade.get_positions() == []
    (money,) = await trade.get_balances("USDT")
    assert money.total is not None and money.total > 100_000


async def test_an_order_may_say_its_leverage_and_margin_mode(paper: Start) -> None:
    trade = (await paper()).client.trade
    await trade.place_order(symbol=SWAP, side="buy", type="market", quantity="0.01", leverage=3, margin_mode="isolated")
    (held,) = await trade.get_positions()
    assert (held.leverage, held.margin_mode) == (3, "isolated")
    await trade.place_order(symbol=SWAP, side="sell", type="market", quantity="0.01")
    await trade.set_leverage(SWAP, 4, margin_mode="cross")
    await trade.place_order(symbol=SWAP, side="buy", type="market", quantity="0.01")
    (held,) = await trade.get_positions()
    assert (held.leverage, held.margin_mode) == (4, "cross")


async def test_what_is_refused(paper: Start) -> None:
    there = await paper(paper_balances={"USDT": "10000"})
    trade, price = there.client.trade, there.price(SPOT)
    assert [(one.currency, one.free) for one in await trade.get_balances()] == [("USDT", 10_000)]
    given: dict[str, Any] = {"symbol": SPOT, "side": "buy", "type": "limit", "quantity": "0.01", "price": price}
    await trade.place_order(**given, client_order_id="mine1")
    cases: list[tuple[type[Exception], dict[str, Any]]] = [
        (DuplicateOrder, {"client_order_id": "mine1"}),
        (InsufficientFunds, {"quantity": "100"}),
        (InsufficientFunds, {"side": "sell"}),
        (InvalidOrder, {"price": price + Decimal("0.001")}),
        (InvalidOrder, {"price": price * 2, "post_only": True}),
        (InvalidOrder, {"client_order_id": "not what okx takes!"}),
        (InvalidSymbol, {"symbol": "NONE/USDT"}),
        (InvalidRequest, {"position_side": "long"}),
    ]
    for error, others in cases:
        with pytest.raises(error):
            await trade.place_order(**{**given, **others})
    assert len(await trade.get_open_orders()) == 1


@pytest.mark.parametrize(
    ("time_in_force", "outcome"), [("ioc", ("canceled", True)), ("fok", ("canceled", False))], ids=lambda value: str(value)
)
async def test_what_the_book_does_not_hold_is_not_filled(paper: Start, time_in_force: Any, outcome: tuple[str, bool]) -> None:
    there = await paper(paper_balances={"USDT": 10**12})
    price = there.venue.market(SPOT).top(1)[1][0][0]
    order = await there.client.trade.place_order(
        symbol=SPOT, side="buy", type="limit", quantity=1000, price=price, time_in_force=time_in_force
    )
    assert (order.status, bool(order.filled)) == outcome


async def test_streams_tell_each_thing_once(paper: Start) -> None:
    there = await paper()
    trade = there.client.trade
    streams: list[Stream[Any]] = [trade.stream_orders(), trade.stream_fills(SWAP), trade.stream_positions(), trade.stream_balances()]
    others = trade.stream_orders("ETH/USDT:PERP")
    order = await trade.place_order(symbol=SWAP, side="buy", type="market", quantity="0.01")
    await trade.get_order(order.order_id)
    await trade.get_fills()
    told: list[list[Event]] = [[await anext(stream) for _ in range(stream.pending)] for stream in streams]
    orders, fills, positions, balances = told
    assert [one.status for one in orders if isinstance(one, Order)][-1] == "filled"
    assert len({(one.status, one.filled) for one in orders if isinstance(one, Order)}) == len(orders)
    assert [one.id for one in fills if isinstance(one, Fill)] == [one.id for one in await trade.get_fills()]
    assert isinstance(positions[-1], Position) and positions[-1].quantity == Decimal("0.01")
    assert {one.currency for one in balances if isinstance(one, Balance)} == {"USDT"}
    assert others.pending == 0
    assert trade.orders == [] and trade.order(order.order_id) == (await trade.get_order(order.order_id))
    await there.client.close()
    assert all(stream.closed for stream in (*streams, others))


async def test_a_stream_is_of_what_it_is_asked_for(paper: Start) -> None:
    trade = (await paper()).client.trade
    with pytest.raises(InvalidRequest, match="conflated"):
        trade.stream_orders(policy="conflate")
    stream = trade.stream_orders(SPOT)
    await stream.subscribe("ETH/USDT")
    stream.unsubscribe(SPOT)
    for symbol in (SPOT, "ETH/USDT"):
        await trade.place_order(symbol=symbol, side="buy", type="market", quantity="0.01")
    told = [await anext(stream) for _ in range(stream.pending)]
    assert {event.symbol for event in told} == {"ETH/USDT"}


async def test_numbers_are_those_of_the_client(paper: Start) -> None:
    trade = (await paper(number=float)).client.trade
    order = await trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")
    (fill, *_) = await trade.get_fills()
    assert [type(value) for value in (order.filled, order.average_price, fill.price, fill.fee)] == [float] * 4


async def test_nothing_is_filled_while_the_book_is_not_known(paper: Start) -> None:
    there = await paper()
    trade, price = there.client.trade, there.price(SPOT)
    order = await trade.place_order(
        symbol=SPOT, side="buy", type="limit", quantity="0.01", price=price * Decimal("0.99"), round_to_instrument=True
    )
    there.client.trade._desk.verbs._feeds._feeds[SPOT]._lose()  # type: ignore[attr-defined]
    later = asyncio.create_task(trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01"))
    await asyncio.sleep(0)
    assert not later.done()

    async def bought() -> bool:
        return later.done()

    await there.move(SPOT, "1", bought)
    assert (await later).status == "filled"
    assert (await trade.get_order(order.order_id)).status == "new"


async def test_credentials_are_not_used(paper: Start) -> None:
    there = await paper(credentials={"api_key": "a", "api_secret": "b", "passphrase": "c"})
    assert there.client._engine.signer is None
    await there.client.trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")


def test_the_environment_is_called_paper() -> None:
    client = Client("okx", environment="paper")
    assert (client.environment.name, client.environment.paper, client.environment.live) == ("paper", True, False)
    assert client.environment.rest == Client("okx").environment.rest


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"dry_run": True}, NotSupported),
        ({"paper_balances": {"USDT": -1}}, ValueError),
        ({"paper_balances": {"USDT": "much"}}, ValueError),
    ],
    ids=lambda value: str(value),
)
def test_what_makes_no_sense_on_paper(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Client("okx", environment="paper", **arguments)
