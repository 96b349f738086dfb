"""Exact money: sums and products never round, quotients do at one place, far behind the point."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")

_CONTEXT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_SMALLEST = Decimal("1e-24")
ZERO = Decimal(0)


def exact(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The function with decimals of as many digits as money may need, whatever the caller's context."""

    @wraps(function)
    def inside(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with localcontext(_CONTEXT):
            return function(*args, **kwargs)

    return inside


def ratio(over: Decimal, under: Decimal) -> Decimal:
    """A quotient, rounded behind 24 decimals."""
    return (over / under).quantize(_SMALLEST)


def price_told(price: Decimal | None) -> Decimal | None:
    """A price that was reckoned, as it is told: at most 12 decimals, which hides what quotients have lost."""
    return None if price is None else plain(price.quantize(Decimal("1e-12")))


def plain(number: Decimal) -> Decimal:
    """The number as it is told: at most 18 decimals, no exponent, no trailing zeros."""
    rounded = number if number.as_tuple().exponent >= -18 else number.quantize(Decimal("1e-18"))  # type: ignore[operator]
    text = format(rounded, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) + ZERO
