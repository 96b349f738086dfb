"""Each type of order with each time in force: what becomes of it against one book."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cexspec.models.errors import DuplicateOrder, ExchangeError, InsufficientFunds, InvalidOrder, InvalidSymbol, OrderNotFound
from cexspec.models.execution import Fill, Order
from tests.paper.stage import INVERSE, LINEAR, SPOT, Stage

GTD = {"time_in_force": "gtd", "expires": 10**12}


def stage() -> Stage:
    """Bob sells 1 at 100 and 2 at 101, and buys 1 at 99."""
    stage = Stage()
    stage.place("bob", "sell", 1, 100)
    stage.place("bob", "sell", 2, 101)
    stage.place("bob", "buy", 1, 99)
    return stage


# fmt: off
CASES: list[tuple[str, dict[str, Any], str, str, str | None]] = [
    # what is asked (of ann), the state it comes to, how much is filled, why it ended
    ("a limit order below the market rests", {"price": 98}, "new", "0", None),
    ("a limit order takes its best price first", {"price": 101}, "filled", "2", None),
    ("what a limit order leaves rests", {"price": 100}, "partially_filled", "1", None),
    ("gtd rests as gtc does", {"price": 98, **GTD}, "new", "0", None),
    ("gtd takes as gtc does", {"price": 100, **GTD}, "partially_filled", "1", None),
    ("ioc rests never", {"price": 98, "time_in_force": "ioc"}, "canceled", "0", "immediate_or_cancel"),
    ("ioc takes what there is", {"price": 100, "time_in_force": "ioc"}, "canceled", "1", "immediate_or_cancel"),
    ("ioc may fill", {"price": 101, "time_in_force": "ioc"}, "filled", "2", None),
    ("fok takes nothing but all", {"price": 100, "time_in_force": "fok"}, "canceled", "0", "fill_or_kill"),
    ("fok takes all", {"price": 101, "time_in_force": "fok"}, "filled", "2", None),
    ("post-only rests", {"price": 99.5, "post_only": True}, "new", "0", None),
    ("a market order fills over levels", {}, "filled", "2", None),
    ("a market order ends where the book does", {"quantity": 4}, "canceled", "3", "no_liquidity"),
    ("a market order of fok takes all", {"time_in_force": "fok"}, "filled", "2", None),
    ("a market order of fok takes nothing but all", {"quantity": 4, "time_in_force": "fok"}, "canceled", "0", "fill_or_kill"),
    ("a market order for so much quote", {"quantity": None, "quote_quantity": 201}, "filled", "2", None),
    ("a stop waits", {"type": "stop_market", "stop_price": 105}, "pending", "0", None),
    ("a stop with a limit waits", {"type": "stop_limit", "stop_price": 105, "price": 106}, "pending", "0", None),
]
# fmt: on


@pytest.mark.parametrize(("asked", "status", "filled", "reason"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_becomes_of_an_order(asked: dict[str, Any], status: str, filled: str, reason: str | None) -> None:
    order = stage().place("ann", "buy", **{"quantity": 2, **asked})
    assert (order.status, order.filled, order.reason) == (status, Decimal(filled), reason)
    assert isinstance(order.filled, Decimal) and isinstance(order.remaining, Decimal)
    assert order.filled + order.remaining == order.quantity


# fmt: off
STOPS: list[tuple[str, dict[str, Any], str, str]] = [
    ("stop_market takes what there is", {"type": "stop_market"}, "filled", "1"),
    ("stop_limit rests at its limit", {"type": "stop_limit", "price": 100.5}, "new", "0"),
    ("stop_limit takes up to its limit", {"type": "stop_limit", "price": 101}, "filled", "1"),
    ("ioc of a stop counts once it is triggered", {"type": "stop_limit", "price": 100.5, "time_in_force": "ioc"}, "canceled", "0"),
    ("fok of a stop counts once it is triggered", {"type": "stop_limit", "price": 101, "time_in_force": "fok"}, "filled", "1"),
]
# fmt: on


@pytest.mark.parametrize(("asked", "status", "filled"), [row[1:] for row in STOPS], ids=[row[0] for row in STOPS])
def test_a_stop_is_triggered_by_the_price_of_a_trade(asked: dict[str, Any], status: str, filled: str) -> None:
    venue = stage()
    venue.place("ann", "buy", 0.2, 100)
    stop = venue.place("ann", "buy", 1, stop_price=101, **asked)
    assert (stop.status, stop.conditional) == ("pending", True)
    venue.place("cyd", "buy", 1, 101)
    after = venue.order("ann", stop)
    assert (after.status, after.filled, after.conditional) == (status, Decimal(filled), False)


# fmt: off
REFUSED: list[tuple[str, dict[str, Any], type[ExchangeError], str | None]] = [
    ("a price off the tick", {"price": "98.3"}, InvalidOrder, "tick_size"),
    ("a stop price off the tick", {"type": "stop_market", "stop_price": "120.3"}, InvalidOrder, "tick_size"),
    ("a quantity off the step", {"price": 98, "quantity": "1.05"}, InvalidOrder, "step_size"),
    ("too little", {"price": 98, "quantity": "0.1"}, InvalidOrder, "min_size"),
    ("too much", {"price": 98, "quantity": 2000}, InvalidOrder, "max_size"),
    ("worth too little", {"price": 4, "quantity": "0.2"}, InvalidOrder, "min_notional"),
    ("post-only that would trade", {"price": 100, "post_only": True}, InvalidOrder, "post_only"),
    ("reduce-only in spot", {"price": 98, "reduce_only": True}, InvalidOrder, "reduce_only"),
    ("reduce-only without a position", {"price": 98, "reduce_only": True, "symbol": LINEAR}, InvalidOrder, "reduce_only"),
    ("expired already", {"price": 98, "time_in_force": "gtd", "expires": 1}, InvalidOrder, "expires"),
    ("quote currency for less than the least", {"quantity": None, "quote_quantity": 10}, InvalidOrder, "min_size"),
    ("more than the funds, at its limit", {"price": 98, "quantity": 103}, InsufficientFunds, None),
    ("more than the funds, sold", {"side": "sell", "price": 120, "quantity": 101}, InsufficientFunds, None),
    ("more margin than the funds", {"price": 98, "quantity": 200_000, "symbol": LINEAR}, InsufficientFunds, None),
    ("a client id of an order before", {"price": 98, "client_order_id": "mine"}, DuplicateOrder, None),
    ("an instrument that isn't traded", {"price": 98, "symbol": "ETH/USDT"}, InvalidSymbol, None),
]
# fmt: on


@pytest.mark.parametrize(("asked", "error", "rule"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_leaves_no_trace(asked: dict[str, Any], error: type[ExchangeError], rule: str | None) -> None:
    venue = stage()
    venue.place("ann", "buy", 1, 97, client_order_id="mine")
    before = venue.balances("ann"), venue.venue.open_orders("ann"), len(venue.events)
    with pytest.raises(error) as refused:
        venue.place("ann", **{"side": "buy", "quantity": 2, **asked})
    assert refused.value.code == rule
    assert (venue.balances("ann"), venue.venue.open_orders("ann"), len(venue.events)) == before


def test_an_order_that_expires() -> None:
    venue = Stage()
    order = venue.place("ann", "buy", 1, 100, time_in_force="gtd", expires=5_000_000_000)
    venue.venue.advance(4_999_999_999)
    assert venue.order("ann", order).status == "new"
    venue.venue.advance(5_000_000_000)
    assert venue.order("ann", order).status == "expired"
    assert venue.free("ann", "USDT") == 10_000


def test_an_order_never_trades_with_ones_own() -> None:
    venue = stage()
    order = venue.place("bob", "buy", 1, 100)
    assert (order.status, order.reason) == ("canceled", "self_trade")


def test_reduce_only_closes_and_never_turns_a_position() -> None:
    venue = Stage()
    venue.place("bob", "sell", 5, 100, symbol=LINEAR)
    venue.place("ann", "buy", 5, 100, symbol=LINEAR)
    venue.place("bob", "buy", 10, 99, symbol=LINEAR)
    order = venue.place("ann", "sell", 10, symbol=LINEAR, reduce_only=True)
    assert (order.status, order.reason, order.filled) == ("canceled", "reduce_only", Decimal("0.05"))
    assert venue.venue.positions("ann") == ()


def test_resting_reduce_only_orders_end_with_the_position() -> None:
    venue = Stage()
    venue.place("bob", "sell", 5, 100, symbol=LINEAR)
    venue.place("ann", "buy", 5, 100, symbol=LINEAR)
    resting = venue.place("ann", "sell", 5, 110, symbol=LINEAR, reduce_only=True)
    venue.place("bob", "buy", 5, 99, symbol=LINEAR)
    venue.place("ann", "sell", 5, 99, symbol=LINEAR)
    assert venue.order("ann", resting).reason == "reduce_only"


def test_cancel_and_cancel_all_free_what_was_held() -> None:
    venue = Stage()
    first, *_ = (venue.place("ann", "buy", 1, price) for price in (90, 91, 92))
    venue.place("ann", "buy", 1, 100, symbol=LINEAR)
    assert venue.venue.cancel("ann", str(first.order_id), venue.tick()).status == "canceled"
    with pytest.raises(OrderNotFound, match="is canceled already"):
        venue.venue.cancel("ann", str(first.order_id), venue.tick())
    assert len(venue.venue.cancel_all("ann", venue.tick(), SPOT)) == 2
    assert len(venue.venue.cancel_all("ann", venue.tick())) == 1
    assert venue.free("ann", "USDT") == 10_000


@pytest.mark.parametrize("symbol", [SPOT, LINEAR, INVERSE])
def test_events_tell_the_whole_life_of_an_order(symbol: str) -> None:
    venue = Stage()
    maker = venue.place("ann", "buy", 10, 100, symbol=symbol, client_order_id="mine")
    venue.events.clear()
    venue.place("bob", "sell", 4, 100, symbol=symbol)
    venue.place("bob", "sell", 6, 100, symbol=symbol)
    told = [event for who, event in venue.events if who == "ann"]
    assert [event.status for event in told if isinstance(event, Order)] == ["partially_filled", "filled"]
    fills = [event for event in told if isinstance(event, Fill)]
    assert [(fill.client_order_id, fill.liquidity) for fill in fills] == [("mine", "maker")] * 2
    assert sum((Decimal(str(fill.quantity)) for fill in fills), Decimal(0)) == maker.quantity
    assert {type(event).__name__ for event in told} == {"Order", "Fill", "Balance"} | (set() if symbol == SPOT else {"Position"})
