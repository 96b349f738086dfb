"""The outside market: what trades with it, in which order, at which price; and changes of resting orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cexspec.models.errors import DuplicateOrder, InsufficientFunds, InvalidOrder, OrderNotFound
from cexspec.models.execution import Fill
from cexspec.paper.amending import Change
from tests.paper.stage import INVERSE, LINEAR, SPOT, Stage


def fills(stage: Stage, who: str = "ann") -> list[tuple[object, object, str | None]]:
    return [(fill.price, fill.quantity, fill.liquidity) for fill in stage.venue.fills(who)]


def test_an_order_takes_levels_of_the_outside_market_until_they_are_gone() -> None:
    stage = Stage()
    stage.market([(99, 1)], [(100, 1), (101, 2)])
    assert stage.place("ann", "buy", 2).average_price == Decimal("100.5")
    assert stage.place("ann", "buy", 2).status == "canceled"
    assert fills(stage) == [(100, 1, "taker"), (101, 1, "taker"), (101, 1, "taker")]


def test_a_resting_order_fills_at_its_price_when_the_market_comes() -> None:
    stage = Stage()
    order = stage.place("ann", "buy", 3, 100)
    stage.market([(98, 1)], [(100, 1)])
    assert stage.order("ann", order).status == "partially_filled"
    stage.market([(97, 1)], [(99, 5)])
    assert stage.order("ann", order).status == "filled"
    assert fills(stage) == [(100, 1, "maker"), (100, 2, "maker")]


def test_accounts_come_before_the_outside_market_at_one_price_and_after_a_better_one() -> None:
    stage = Stage()
    stage.place("bob", "sell", 1, 100)
    stage.market([], [(99.5, 1), (100, 1)])
    stage.place("ann", "buy", 3, 100)
    assert fills(stage) == [(Decimal("99.5"), 1, "taker"), (100, 1, "taker"), (100, 1, "taker")]
    assert fills(stage, "bob") == [(100, 1, "maker")]
    assert [event.price for who, event in stage.events if who == "bob" and isinstance(event, Fill)] == [100]


def test_the_outside_market_counts_base_currency_and_offers_whole_contracts() -> None:
    stage = Stage()
    stage.market([], [(100, "0.025")], LINEAR)
    assert stage.place("ann", "buy", 10, symbol=LINEAR).filled == Decimal("0.02")
    stage.market([], [(100, "2.5")], INVERSE)
    assert stage.place("ann", "buy", 10, symbol=INVERSE).filled == Decimal(2)


def test_a_mark_price_triggers_stops_before_trades_do() -> None:
    stage = Stage()
    stage.market([(99, 5)], [(100, 5)])
    stop = stage.place("ann", "sell", 1, type="stop_market", stop_price=95)
    stage.market([(89, 5)], [(90, 5)])
    assert stage.order("ann", stop).average_price == 89
    stage.venue.set_price(SPOT, Decimal(92), stage.tick())
    stop = stage.place("ann", "sell", 1, type="stop_market", stop_price=91)
    stage.market([(79, 5)], [(80, 5)])
    assert stage.order("ann", stop).status == "pending"
    stage.venue.set_price(SPOT, Decimal(91), stage.tick())
    assert stage.order("ann", stop).status == "filled"


def test_a_stop_that_would_trigger_at_once_is_refused() -> None:
    stage = Stage()
    stage.market([(99, 5)], [(101, 5)])
    for side, price in (("buy", 100), ("sell", 100)):
        with pytest.raises(InvalidOrder, match="would trigger at once"):
            stage.place("ann", side, 1, type="stop_market", stop_price=price)


def test_a_triggered_stop_without_funds_is_canceled() -> None:
    stage = Stage()
    stop = stage.place("ann", "buy", 99, type="stop_market", stop_price=100)
    stage.market([(119, 500)], [(120, 500)])
    assert (stage.order("ann", stop).status, stage.order("ann", stop).reason) == ("canceled", "insufficient_funds")
    assert stage.free("ann", "USDT") == 10_000


def test_one_stop_may_trigger_another() -> None:
    stage = Stage()
    stage.place("bob", "sell", 1, 100)
    stage.place("bob", "sell", 1, 105)
    stage.place("bob", "sell", 1, 110)
    first = stage.place("ann", "buy", 1, type="stop_market", stop_price=100)
    second = stage.place("cyd", "buy", 1, type="stop_market", stop_price=105)
    stage.place("cyd", "buy", 1, 100)
    assert [stage.order("ann", first).average_price, stage.order("cyd", second).average_price] == [105, 110]


# fmt: off
AMENDS = [
    # what is changed of ann's order (2 at 100, before cyd's at the same price), who is filled first then
    ("less keeps its place", Change(quantity=Decimal(1)), "ann"),
    ("more loses it", Change(quantity=Decimal(3)), "cyd"),
    ("another price loses it", Change(price=Decimal("99.5")), "cyd"),
    ("the same price keeps it", Change(price=Decimal(100)), "ann"),
]
# fmt: on


@pytest.mark.parametrize(("change", "first"), [row[1:] for row in AMENDS], ids=[row[0] for row in AMENDS])
def test_what_a_change_does_to_priority(change: Change, first: str) -> None:
    stage = Stage()
    order = stage.place("ann", "buy", 2, 100)
    stage.place("cyd", "buy", 2, 100)
    stage.venue.amend("ann", str(order.order_id), change, stage.tick())
    stage.place("bob", "sell", 1, 99)
    assert next(who for who, event in stage.events if isinstance(event, Fill) and who != "bob") == first


def test_a_changed_price_may_trade_at_once() -> None:
    stage = Stage()
    stage.place("bob", "sell", 1, 101)
    order = stage.place("ann", "buy", 2, 100)
    after = stage.venue.amend("ann", str(order.order_id), Change(price=Decimal(101)), stage.tick())
    assert (after.status, after.filled, after.price) == ("partially_filled", 1, 101)
    assert stage.total("ann", "USDT") == Decimal(10_000 - 101)


# fmt: off
REFUSED = [
    ("beyond the funds", Change(quantity=Decimal(101)), InsufficientFunds, None),
    ("off the tick", Change(price=Decimal("99.7")), InvalidOrder, "tick_size"),
    ("off the step", Change(quantity=Decimal("1.55")), InvalidOrder, "step_size"),
    ("less than is filled", Change(quantity=Decimal(1)), InvalidOrder, "amend"),
    ("a stop price of an order without", Change(stop_price=Decimal(110)), InvalidOrder, "amend"),
    ("across the book, post-only", Change(price=Decimal(102)), InvalidOrder, "post_only"),
]
# fmt: on


@pytest.mark.parametrize(("change", "error", "rule"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refused_change_changes_nothing(change: Change, error: type[InvalidOrder], rule: str | None) -> None:
    stage = Stage()
    order = stage.place("ann", "buy", 3, 100, post_only=True)
    stage.place("bob", "sell", 1, 100)
    stage.place("bob", "sell", 1, 102)
    before, balances = stage.order("ann", order), stage.balances("ann")
    with pytest.raises(error) as refused:
        stage.venue.amend("ann", str(order.order_id), change, stage.tick())
    assert refused.value.code == rule
    assert (stage.order("ann", order), stage.balances("ann")) == (before, balances)
    stage.place("cyd", "sell", 2, 100)
    assert stage.order("ann", order).status == "filled"


def test_a_stop_may_be_moved_while_it_waits() -> None:
    stage = Stage()
    stage.market([(99, 5)], [(101, 5)])
    stop = stage.place("ann", "buy", 1, 120, type="stop_limit", stop_price=110)
    with pytest.raises(InvalidOrder, match="would trigger at once"):
        stage.venue.amend("ann", str(stop.order_id), Change(stop_price=Decimal(99)), stage.tick())
    stage.venue.amend("ann", str(stop.order_id), Change(stop_price=Decimal(105)), stage.tick())
    stage.market([(104, 5)], [(106, 5)])
    assert stage.order("ann", stop).status == "filled"
    with pytest.raises(OrderNotFound, match="is filled already"):
        stage.venue.amend("ann", str(stop.order_id), Change(stop_price=Decimal(105)), stage.tick())


def test_orders_are_found_by_either_id() -> None:
    stage = Stage()
    order = stage.place("ann", "buy", 1, 100, client_order_id="mine")
    assert stage.venue.order("ann", client_order_id="mine") == stage.venue.order("ann", order.order_id) == order
    with pytest.raises(OrderNotFound):
        stage.venue.order("bob", order.order_id)
    with pytest.raises(DuplicateOrder):
        stage.place("ann", "buy", 1, 100, client_order_id="mine")
    assert stage.place("bob", "buy", 1, 100, client_order_id="mine").status == "new"
