"""What an acknowledgement of an order doesn't say is known from the request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cexspec.engine.trading.rules import Measured
from cexspec.engine.trading.terms import Terms
from cexspec.models import Order
from cexspec.models.order_request import OrderRequest

FILLED_FROM_REQUEST = (
    "symbol", "client_order_id", "side", "type", "status", "quantity", "filled", "remaining",
    "price", "stop_price", "time_in_force", "post_only", "reduce_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that passed all checks: what was asked, its numbers as they go out, and the id it has."""

    request: OrderRequest
    terms: Terms
    measured: Measured
    client_order_id: str | None
    worst_price: Decimal | None = None
    """the limit of an order that has none, where the venue wants one"""

    def order(self, exchange: str, number: type[Decimal] | type[float]) -> Order:
        """The order as it is once the venue has taken it, and before anything else has happened."""
        request, measured = self.request, self.measured
        quantity = _number(measured.quantity, number)
        return Order(
            exchange=exchange,
            symbol=self.terms.symbol,
            client_order_id=self.client_order_id,
            side=request.side,
            type=request.type,
            status="pending" if request.conditional else "new",
            quantity=quantity,
            filled=number(0),
            remaining=quantity,
            price=_number(measured.price, number),
            stop_price=_number(measured.stop_price, number),
            time_in_force=request.time_in_force,
            post_only=request.post_only,
            reduce_only=request.reduce_only,
            conditional=request.conditional,
        )


def completed(ack: Order, known: Order) -> Order:
    """An acknowledgement with what it leaves out taken from what is known of the order."""
    missing: dict[str, Any] = {
        name: value for name in FILLED_FROM_REQUEST if getattr(ack, name) is None and (value := getattr(known, name)) is not None
    }
    if known.conditional and ack.status in (None, "pending"):
        missing["conditional"] = True
    if ack.filled is not None and ack.remaining is None and known.quantity is not None:
        missing["remaining"] = known.quantity - ack.filled  # type: ignore[operator]
        if ack.status is None and ack.filled > 0:
            missing["status"] = "partially_filled" if missing["remaining"] else "filled"
    if ack.status in ("filled", "canceled", "rejected", "expired") and ack.filled is None:
        missing = {name: value for name, value in missing.items() if name not in ("filled", "remaining")}
    return replace(ack, **missing) if missing else ack


def _number(value: Decimal | None, number: type[Decimal] | type[float]) -> Decimal | float | None:
    return None if value is None else value if number is Decimal else number(value)
