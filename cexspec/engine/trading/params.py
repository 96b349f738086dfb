"""Orders as the parameters of an operation: what fills the holes of its request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cexspec.engine.trading.acks import Draft

PLAIN = (
    "time_in_force", "post_only", "reduce_only", "quote_quantity", "leverage", "margin_mode", "position_side", "expires",
)  # fmt: skip


def order_params(draft: Draft, native_client_id: str | int | None) -> dict[str, Any]:
    """The holes of an order: those of its instrument, the fields of its request, and `size` as the venue counts it.

    What the request doesn't say is not there, and a flag that isn't set.
    """
    request, measured, terms = draft.request, draft.measured, draft.terms
    found: dict[str, Any] = {
        **terms.params,
        "side": request.side,
        "type": request.type,
    }
    fields = vars(request)
    for name in PLAIN:
        value = fields[name]
        if value is not None and value is not False:
            found[name] = value
    if request.conditional:
        found["conditional"] = True
    numbers: tuple[tuple[str, Decimal | str | int | None], ...] = (
        ("price", measured.price),
        ("stop_price", measured.stop_price),
        ("worst_price", draft.worst_price),
        ("size", measured.size),
        ("quantity", measured.quantity),
        ("contracts", measured.size if terms.market.kind != "spot" else None),
        ("client_order_id", native_client_id),
    )
    for name, number in numbers:
        if number is not None:
            found[name] = number
    return found
