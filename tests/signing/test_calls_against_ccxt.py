"""What users ask of both libraries, from the call to the signed request: URL, body and signature are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import ccxt
import pytest

from tests.exchanges.venue import Feed
from tests.signing import keys
from tests.signing.rivals import MOMENT, credentials, stopped

SYMBOL = "BTC/USD"
LIMIT = {"symbol": SYMBOL, "side": "buy", "type": "limit", "quantity": "1.25", "price": "37500", "time_in_force": "gtc"}
MARKET = {"symbol": SYMBOL, "side": "sell", "type": "market", "quantity": "1.25"}
STOP = {"symbol": SYMBOL, "side": "sell", "type": "stop_market", "quantity": "0.5", "stop_price": "36000.5"}
STOP_LIMIT = {**STOP, "type": "stop_limit", "price": "35900", "time_in_force": "gtc"}
SINCE = 1_700_000_000_000


class Call(NamedTuple):
    """One wish: as ccxt's method and arguments, and as our operation and unified parameters."""

    method: str
    arguments: tuple[Any, ...]
    operation: str
    params: dict[str, Any]


def _orders(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"symbol": SYMBOL, "orders": list(rows)}


CALLS = {
    "limit": Call("create_order", (SYMBOL, "limit", "buy", 1.25, 37500), "place_order", LIMIT),
    "own id": Call(
        "create_order", (SYMBOL, "limit", "buy", 1.25, 37500, {"clientOrderId": "c-1"}), "place_order", {**LIMIT, "client_order_id": "c-1"}
    ),
    "post only": Call(
        "create_order", (SYMBOL, "limit", "buy", 1.25, 37500, {"postOnly": True}), "place_order", {**LIMIT, "post_only": True}
    ),
    "ioc": Call(
        "create_order", (SYMBOL, "limit", "buy", 1.25, 37500, {"timeInForce": "IOC"}), "place_order", {**LIMIT, "time_in_force": "ioc"}
    ),
    "market": Call("create_order", (SYMBOL, "market", "sell", 1.25), "place_order", MARKET),
    "quote quantity": Call(
        "create_market_order_with_cost",
        (SYMBOL, "buy", 250),
        "place_order",
        {"symbol": SYMBOL, "side": "buy", "type": "market", "quote_quantity": "250"},
    ),
    "stop": Call("create_order", (SYMBOL, "market", "sell", 0.5, None, {"stopLossPrice": 36000.5}), "place_order", STOP),
    "stop limit on margin": Call(
        "create_order",
        (SYMBOL, "limit", "sell", 0.5, 35900, {"stopLossPrice": 36000.5, "reduceOnly": True, "leverage": "3"}),
        "place_order",
        {**STOP_LIMIT, "reduce_only": True, "leverage": "3"},
    ),
    "batch": Call(
        "create_orders",
        (
            [
                {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 1.25, "price": 37500},
                {"symbol": SYMBOL, "type": "market", "side": "sell", "amount": 1.25},
            ],
        ),
        "place_orders",
        _orders(LIMIT, MARKET),
    ),
    "amend": Call("edit_order", ("OA", SYMBOL, "limit", "buy", 1.25, 37500), "amend_order", {**LIMIT, "order_id": "OA"}),
    "cancel": Call("cancel_order", ("OA", SYMBOL), "cancel_order", {"symbol": SYMBOL, "order_id": "OA"}),
    "cancel by own id": Call(
        "cancel_order", (None, SYMBOL, {"clientOrderId": "c-1"}), "cancel_order", {"symbol": SYMBOL, "client_order_id": "c-1"}
    ),
    "cancel several": Call("cancel_orders", (["OA", "OB"],), "cancel_orders", _orders({"order_id": "OA"}, {"order_id": "OB"})),
    "cancel all": Call("cancel_all_orders", (), "cancel_all_orders", {}),
    "open orders": Call("fetch_open_orders", (), "open_orders", {}),
    "past orders": Call("fetch_closed_orders", (None, SINCE), "order_history", {"start": SINCE * 1_000_000}),
    "fills": Call("fetch_my_trades", (None, SINCE), "fills", {"start": SINCE * 1_000_000}),
    "balances": Call("fetch_balance", (), "balances", {}),
    "positions": Call("fetch_positions", (), "positions", {}),
    "token": Call("privatePostGetWebSocketsToken", (), "ws_token", {}),
}
"""Of Kraken. Only `order` differs on purpose: ccxt asks for the ids of an order's trades too."""


class Sent(Exception):
    """Stops ccxt once it has signed something."""


def theirs(call: Call) -> dict[str, Any]:
    """What ccxt would send."""
    rival: Any = stopped(ccxt.kraken({"apiKey": keys.KEY, "secret": keys.BASE64}))
    precision = {"amount": 1e-8, "price": 0.1}
    market = {"id": "XBTUSD", "altname": "XBTUSD", "symbol": SYMBOL, "base": "BTC", "quote": "USD", "spot": True, "type": "spot"}
    rival.set_markets([rival.safe_market_structure({**market, "baseId": "XXBT", "quoteId": "ZUSD", "precision": precision})])
    requests: list[dict[str, Any]] = []

    def sign(path: str, api: Any = "public", method: str = "GET", params: Any = None, *_: Any, **__: Any) -> None:
        requests.append(rival.sign(path, api if isinstance(api, list) else [api], method, params or {}))
        raise Sent

    rival.fetch2 = sign
    method: Callable[..., Any] = getattr(rival, call.method)
    with pytest.raises(Sent):
        method(*call.arguments)
    return requests[0]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_becomes_the_request_that_ccxt_sends(name: str) -> None:
    call, feed = CALLS[name], Feed("kraken")
    request, base = feed.plan.operation(call.operation).build(feed.params(call.params)), feed.plan.environments["live"].rest or ""
    recipe = feed.plan.recipe(str(feed.plan.spec.rest[call.operation].auth))
    signed = recipe.sign(request, base, credentials(keys.BASE64), MOMENT).request
    expected = theirs(call)
    assert base + signed.target == expected["url"]
    assert (signed.payload or b"").decode() == expected["body"]
    assert dict(signed.headers) == expected["headers"]
