"""Orders as values: which states may follow which, what a request may hold, and credentials that never show."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from cexspec.models import Credentials
from cexspec.models.execution import NEXT, OrderStatus, follows
from cexspec.models.order_request import OrderRequest

LIMIT: dict[str, Any] = {"symbol": "BTC/USDT", "side": "buy", "type": "limit", "quantity": "0.10", "price": "9.0"}
MARKET: dict[str, Any] = {"symbol": "BTC/USDT", "side": "sell", "type": "market", "quantity": "1"}

WRONG = [
    (LIMIT | {"quantity": None}, "give 'quantity'"),
    (LIMIT | {"quote_quantity": "5"}, "give 'quantity'"),
    (LIMIT | {"quantity": None, "quote_quantity": "5"}, "'quote_quantity' is for market orders"),
    (LIMIT | {"price": None}, "a limit order has a price"),
    (MARKET | {"price": "5"}, "a market order has no price"),
    (LIMIT | {"type": "stop_limit"}, "a stop_limit order has a stop_price"),
    (LIMIT | {"stop_price": "5"}, "a limit order has no stop_price"),
    (MARKET | {"post_only": True}, "'post_only' is for limit orders"),
    (LIMIT | {"post_only": True, "time_in_force": "fok"}, "'post_only' is for limit orders"),
    (LIMIT | {"time_in_force": "gtd"}, "'expires' goes with"),
    (LIMIT | {"expires": 5}, "'expires' goes with"),
    (LIMIT | {"quantity": "0"}, "greater than 0"),
    (LIMIT | {"price": "NaN"}, "finite number"),
    (LIMIT | {"colour": "red"}, "Extra inputs"),
]


@pytest.mark.parametrize(("given", "why"), WRONG)
def test_an_order_whose_parts_contradict_each_other_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OrderRequest(**given)


def test_digits_stay_as_given_and_a_float_means_what_it_prints_as() -> None:
    assert str(OrderRequest(**LIMIT).quantity) == "0.10"
    assert OrderRequest(**LIMIT | {"price": 0.1}).price == Decimal("0.1")


@pytest.mark.parametrize("kind", ["market", "limit", "stop_market", "stop_limit"])
def test_a_type_tells_whether_there_is_a_limit_and_a_trigger(kind: str) -> None:
    given = MARKET | {"type": kind, "price": "9" if "limit" in kind else None, "stop_price": "8" if "stop" in kind else None}
    request = OrderRequest(**given)
    assert (request.limited, request.conditional) == ("limit" in kind, "stop" in kind)


def test_a_limit_order_rests_if_nothing_else_is_said() -> None:
    assert OrderRequest(**LIMIT).time_in_force == "gtc"
    assert OrderRequest(**LIMIT | {"time_in_force": "ioc"}).time_in_force == "ioc"
    assert OrderRequest(**MARKET).time_in_force is None


TRANSITIONS: list[tuple[OrderStatus | None, OrderStatus | None, bool]] = [
    ("pending", "new", True),
    ("new", "partially_filled", True),
    ("partially_filled", "partially_filled", True),
    ("partially_filled", "canceled", True),
    ("partially_filled", "new", False),
    ("new", "pending", False),
    ("filled", "canceled", False),
    ("canceled", "canceled", True),
    ("rejected", "new", False),
    (None, "new", True),
    ("filled", None, True),
]


@pytest.mark.parametrize(("before", "after", "legal"), TRANSITIONS)
def test_only_some_states_follow_others(before: OrderStatus | None, after: OrderStatus | None, legal: bool) -> None:
    assert follows(before, after) is legal


def test_nothing_but_itself_follows_a_final_state() -> None:
    assert {state: NEXT[state] for state in ("filled", "canceled", "rejected", "expired")} == {
        state: frozenset({state}) for state in ("filled", "canceled", "rejected", "expired")
    }


def test_credentials_give_values_by_name_and_show_none() -> None:
    credentials = Credentials({"api_key": "k-123", "api_secret": "s-456", "passphrase": ""})
    assert dict(credentials) == {"api_key": "k-123", "api_secret": "s-456"}
    assert repr(credentials) == "Credentials(api_key=***, api_secret=***)"
    assert "123" not in f"{credentials} {credentials!r}"
    assert credentials.masked("key=k-123&sig=s-456") == "key=***&sig=***"
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(credentials)
