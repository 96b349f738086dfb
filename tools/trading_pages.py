"""What an exchange's page says of trading: which orders it has words for, what it asks of them, what accounts tell.

Nothing of it is written by hand: each order is given to the compiled operations, which take it or refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cexspec.cli._capabilities import ACCOUNT_STREAMS
from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.sample import samples
from cexspec.engine.trading.trade_client import VERBS
from cexspec.models import ExchangeError, NotSupported

__all__ = ["ACCOUNT_STREAMS", "ORDERS", "VERBS", "kinds", "methods", "orders", "terms", "trades"]

_LIMIT = {"type": "limit", "price": Decimal("100.5"), "time_in_force": "gtc"}
_STOP = {"stop_price": Decimal("101.5"), "conditional": True}
ORDERS: Mapping[str, Mapping[str, Any]] = {
    "market": {"type": "market"},
    "market, for quote currency": {"type": "market", "quote_quantity": Decimal(100), "size": None, "quantity": None, "contracts": None},
    "limit, gtc": _LIMIT,
    "limit, ioc": {**_LIMIT, "time_in_force": "ioc"},
    "limit, fok": {**_LIMIT, "time_in_force": "fok"},
    "limit, gtd": {**_LIMIT, "time_in_force": "gtd", "expires": 1_900_000_000_000_000_000},
    "limit, post only": {**_LIMIT, "post_only": True},
    "limit, reduce only": {**_LIMIT, "reduce_only": True},
    "stop market": {"type": "stop_market", **_STOP},
    "stop limit": {**_LIMIT, "type": "stop_limit", **_STOP},
}
"""Orders by name, as the parameters that the client makes of them."""


def trades(exchange: Exchange) -> bool:
    """Whether orders can be placed."""
    return bool(exchange.serving("place_order"))


def methods(exchange: Exchange) -> Iterator[list[str]]:
    """Each method with the operations that serve it."""
    for method, verb in VERBS.items():
        plans = exchange.serving(verb)
        if plans:
            yield [f"`{method}`", ", ".join(f"`{plan.name}`" for plan in plans)]


def orders(exchange: Exchange) -> Iterator[list[str]]:
    """Each order with the kinds of markets that take it."""
    markets = _markets(exchange)
    for name, order in ORDERS.items():
        yield [name, *("yes" if _taken(exchange, {**market, **order}) else "" for market in markets.values())]


def kinds(exchange: Exchange) -> list[str]:
    """The kinds of markets that orders are shown for, in the order of their columns."""
    return list(_markets(exchange))


def terms(exchange: Exchange) -> Iterator[list[str]]:
    """What is needed to trade, and what is asked of orders."""
    secret = [f"`{name}`" for name, one in exchange.credentials.items() if not one.optional]
    optional = [f"`{name}`" for name, one in exchange.credentials.items() if one.optional]
    yield ["credentials", ", ".join(secret) + (f"; where wanted {', '.join(optional)}" if optional else "")]
    yield [
        "environments without real money",
        ", ".join(f"`{name}`" for name, one in exchange.environments.items() if not one.live) or "none",
    ]
    ids = exchange.orders.client_ids
    yield ["client order ids", ids.words if ids is not None else "none"]
    yield ["found at the latest after", f"{exchange.orders.visible_within:g} s"]


def _markets(exchange: Exchange) -> dict[str, Mapping[str, Any]]:
    """The first example of each kind of market as parameters of an order, kinds that no order is for left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for params in samples(exchange, None):
        size = {"size": Decimal(1), "quantity": Decimal(1), "contracts": Decimal(1), "code": 1, "client_order_id": "1"}
        order = {name: value for name, value in params.items() if value is not None} | size | {"side": "buy"}
        if params["kind"] not in found and any(_taken(exchange, {**order, **one}) for one in ORDERS.values()):
            found[params["kind"]] = order
    return found


def _taken(exchange: Exchange, order: Mapping[str, Any]) -> bool:
    """Whether the venue has words for an order, each part of which they tell."""
    given = {name: value for name, value in order.items() if value is not None}
    try:
        operation = exchange.operation_for("place_order", given)
        if operation.kinds is not None and given["kind"] not in operation.kinds:
            return False
        operation.build(given)
    except (ExchangeError, NotSupported, KeyError):
        return False
    told = operation.takes
    return all(part in told for part in ("quote_quantity", "reduce_only", "post_only", "expires", "stop_price", "price") if part in given)
