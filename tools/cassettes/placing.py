"""Orders placed as users do it: what the samples' calls say of one, through `client.trade`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cexspec.client import Client
from cexspec.models import CexspecError, Event
from cexspec.models.order_request import OrderRequest

PLACING = ("place_order", "place_orders")
"""Verbs that are recorded so: only there the engine knows what else the venue wants of the order's instrument."""


async def place(client: Client, params: Mapping[str, Any]) -> list[Event]:
    """Place one order, or those of a batch. Raises the first error."""
    if "orders" not in params:
        return [await client.trade.place_order(request_of(params))]
    found = await client.trade.place_orders([request_of(order) for order in params["orders"]])
    for one in found:
        if isinstance(one, CexspecError):
            raise one
    return [one for one in found if not isinstance(one, CexspecError)]


def request_of(order: Mapping[str, Any]) -> OrderRequest:
    """An order as a user writes it."""
    given = {"quantity": order.get("size"), **order}
    return OrderRequest(**{name: _text(value) for name, value in given.items() if name in OrderRequest.model_fields and value is not None})


def _text(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)
