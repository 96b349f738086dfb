"""The unified verbs on paper: texts in, as requests have them, events out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cexspec.models import Balance, ExchangeError, Fill, InvalidOrder, InvalidRequest, Order, OrderNotFound, Position
from cexspec.paper.verbs import PaperVerbs
from tests.paper.stage import LINEAR, SPOT, Stage

LIMIT = {"symbol": SPOT, "side": "buy", "type": "limit", "size": "2", "price": "100", "client_order_id": "mine"}


def verbs() -> tuple[Stage, PaperVerbs]:
    stage = Stage()
    return stage, PaperVerbs(stage.venue)


def test_the_life_of_an_order() -> None:
    stage, paper = verbs()
    (order,) = paper.run("ann", "place_order", LIMIT, stage.tick())
    assert isinstance(order, Order)
    assert (order.status, order.quantity, order.price) == ("new", 2, 100)
    (order,) = paper.run("ann", "amend_order", {"client_order_id": "mine", "price": "101", "size": "3"}, stage.tick())
    assert isinstance(order, Order)
    assert (order.quantity, order.price) == (3, 101)
    assert paper.run("ann", "open_orders", {}, stage.tick()) == [order]
    stage.place("bob", "sell", 1, 101)
    (found,) = paper.run("ann", "order", {"order_id": order.order_id}, stage.tick())
    assert isinstance(found, Order)
    assert (found.status, found.filled) == ("partially_filled", 1)
    (order,) = paper.run("ann", "amend_order", {"client_order_id": "mine", "remaining": "3"}, stage.tick())
    assert isinstance(order, Order)
    assert (order.quantity, order.remaining, order.price) == (4, 3, 101)
    (fill,) = paper.run("ann", "fills", {"order_id": order.order_id}, stage.tick())
    assert isinstance(fill, Fill)
    assert (fill.price, fill.quantity) == (101, 1)
    assert paper.run("ann", "fills", {"start": stage.now}, stage.tick()) == []
    (order,) = paper.run("ann", "cancel_order", {"order_id": order.order_id}, stage.tick())
    assert paper.run("ann", "order_history", {"symbol": SPOT, "limit": "5"}, stage.tick()) == [order]
    assert paper.run("ann", "cancel_all_orders", {}, stage.tick()) == []


def test_accounts() -> None:
    stage, paper = verbs()
    (position,) = paper.run("ann", "set_leverage", {"symbol": LINEAR, "leverage": "3"}, stage.tick())
    assert isinstance(position, Position)
    assert position.leverage == 3
    (position,) = paper.run("ann", "set_margin_mode", {"symbol": LINEAR, "margin_mode": "isolated"}, stage.tick())
    stage.place("bob", "sell", 10, 100, symbol=LINEAR)
    paper.run("ann", "place_order", {"symbol": LINEAR, "side": "buy", "type": "market", "quantity": "0.1"}, stage.tick())
    (position,) = paper.run("ann", "positions", {"symbol": LINEAR}, stage.tick())
    assert isinstance(position, Position)
    assert (position.side, position.quantity, position.margin_mode) == ("long", Decimal("0.1"), "isolated")
    (balance,) = paper.run("ann", "balances", {"currency": "USDT"}, stage.tick())
    assert isinstance(balance, Balance)
    assert balance.used == Decimal("3.333333333333333333")


# fmt: off
REFUSED: list[tuple[str, dict[str, Any], type[ExchangeError], str]] = [
    ("transfer", {}, InvalidRequest, "nothing on paper is called transfer"),
    ("place_order", {**LIMIT, "price": None}, InvalidOrder, "a limit order has a price"),
    ("place_order", {**LIMIT, "side": "hold"}, InvalidOrder, "side: "),
    ("place_order", {**LIMIT, "size": "much"}, InvalidRequest, "size is no number: 'much'"),
    ("amend_order", {"order_id": "7", "price": "1"}, OrderNotFound, "no order '7'"),
    ("set_leverage", {"symbol": LINEAR}, InvalidRequest, "say which 'leverage'"),
    ("set_margin_mode", {"symbol": LINEAR, "margin_mode": "both"}, InvalidRequest, "no margin_mode 'both'"),
]
# fmt: on


@pytest.mark.parametrize(("verb", "params", "error", "words"), REFUSED)
def test_what_is_refused(verb: str, params: dict[str, Any], error: type[ExchangeError], words: str) -> None:
    stage, paper = verbs()
    with pytest.raises(error, match=words):
        paper.run("ann", verb, params, stage.tick())
