"""What must agree of one's own executions, wherever they are told."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cexspec.models import Event, Fill

EXACT = Decimal("1e-18")
"""What the matching engine reckons to where a quantity is none of the venue's numbers: of contracts that are amounts of quote currency."""
NAMES = ("id", "order_id", "symbol", "side", "price", "fee", "fee_currency", "liquidity")


def executions(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The fills among events, as each was, in the order of their ids; one that is told twice is there twice."""
    fills = [event for event in events if isinstance(event, Fill)]
    return [_execution(fill) for fill in sorted(fills, key=lambda fill: str(fill.id))]


def _execution(fill: Fill) -> dict[str, Any]:
    quantity = None if fill.quantity is None else Decimal(str(fill.quantity)).quantize(EXACT)
    return {name: getattr(fill, name) for name in NAMES} | {"quantity": quantity}
