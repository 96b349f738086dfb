"""What follows from the other fields of an order or a balance, where the venue doesn't say it."""

from __future__ import annotations

from cexspec.models import Number

Amount = Number | None

ORDER = ("status", "quantity", "filled", "remaining")
BALANCE = ("total", "free", "used")
"""The fields that are completed, as the functions take and return them."""


def whole_order(status: str | None, quantity: Amount, filled: Amount, remaining: Amount, zero: Number) -> tuple[object, ...]:
    """The state and amounts of an order, of which two give the third; nothing remains of one that is filled.

    An order that is open and has fills is partially filled, whatever the venue calls it.
    """
    if status == "filled":
        remaining = zero
    quantity, filled, remaining = whole(quantity, filled, remaining, zero)
    if status == "new" and filled:
        status = "partially_filled"
    return status, quantity, filled, remaining


def whole(total: Amount, one: Amount, other: Amount, zero: Number) -> tuple[Amount, Amount, Amount]:
    """A sum and its two parts, with the one that is missing."""
    if total is None:
        if one is not None and other is not None:
            total = one + other  # type: ignore[operator]  # both are of the client's number type
    elif other is None:
        if one is not None:
            other = _rest(total, one, zero)
    elif one is None:
        one = _rest(total, other, zero)
    return total, one, other


def _rest(total: Number, part: Number, zero: Number) -> Number:
    """What is left of a sum without a part; never less than nothing."""
    return total - part if total > part else zero  # type: ignore[operator]  # both are of the client's number type
