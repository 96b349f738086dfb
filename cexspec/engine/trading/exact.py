"""Exact arithmetic on prices and sizes."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

EXACT = Context(prec=60)
"""More digits than any price or size has, so that products are exact and quotients as good as."""


def down(value: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of a step that is not above a value."""
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_FLOOR), step)


def up(value: Decimal, step: Decimal) -> Decimal:
    """The least multiple of a step that is not below a value."""
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_CEILING), step)


def whole(value: Decimal, step: Decimal) -> bool:
    """Whether a value is a multiple of a step."""
    return not EXACT.remainder(value, step)


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no zeros behind."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
