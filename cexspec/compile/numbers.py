"""Numbers as venues write them, in text or as JSON numbers, read exactly and within bounds.

A price never passes through a float on its way to a `Decimal`, and nobody's frame makes one of ten thousand digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow, Rounded
from itertools import chain
from math import isfinite

from cexspec.compile.hole import Hole, shown
from cexspec.models import Level, Number

NumberType = type[Decimal] | type[float]

MAX_DIGITS = 64
MAX_EXPONENT = 300
"""Beyond these a number is a mistake, and a float couldn't hold it."""
MAX_INTEGER = 9_223_372_036_854_775_807
"""The largest integer: what 64 bits hold, signed."""

_NUMERIC = (int, float)

exact: Callable[[str], Decimal] = Context(
    prec=MAX_DIGITS, Emin=-MAX_EXPONENT, Emax=MAX_EXPONENT, traps=[InvalidOperation, Overflow, Rounded]
).create_decimal
"""The text of a number -> `Decimal` with all its digits.

Raises `DecimalException` where the form is wrong (underscores and blanks, which `Decimal` itself would take, are) or the
number is out of bounds. NaN and infinities pass: see `finite`; so do the digits of other scripts: ask `isascii` of the text.
"""


def number_reader(number: NumberType) -> Callable[[object], Number]:
    """Text or JSON number -> `Decimal` or float; raises `Hole` for anything else, and for NaN, infinities and what is out of bounds."""
    return to_decimal if number is Decimal else to_float


def to_decimal(value: object) -> Decimal:
    """Text or JSON number -> `Decimal`."""
    try:  # text and fractions of JSON (which `exact` has read) first: they are what is there a thousand times
        number = value if isinstance(value, Decimal) else exact(_ascii(value) if isinstance(value, str) else _digits(value))
    except InvalidOperation:
        raise Hole(f"{shown(value)} is not a number") from None
    except DecimalException:
        raise Hole(f"{shown(value)} is out of range") from None
    return number if number.is_finite() else finite(number)


def _ascii(text: str) -> str:
    """The text itself, unless it has other digits than 0 to 9, which `exact` would take."""
    if not text.isascii():
        raise Hole(f"{shown(text)} is not a number")
    return text


def _digits(value: object) -> str:
    """A JSON number as text."""
    if value is None:
        raise Hole("Expected `number`, got `null`")
    if isinstance(value, bool) or not isinstance(value, _NUMERIC):
        raise Hole(f"{shown(value)} is not a number")
    try:
        return repr(value)
    except ValueError:  # Python writes no integer of thousands of digits
        raise Hole(f"{shown(value)} is out of range") from None


def to_float(value: object) -> float:
    """Text or JSON number -> float."""
    if isinstance(value, float) and isfinite(value):
        return value
    return float(to_decimal(value))


def finite(value: Decimal) -> Decimal:
    """The number itself; NaN and infinities are refused."""
    if not value.is_finite():
        raise Hole(f"'{value}' is not a number")
    return value


def unsigned(value: Number) -> Number:
    """The number itself; one below zero is refused."""
    if value < 0:
        raise Hole(f"'{value}' is less than nothing")
    return value


def float_levels(rows: list[tuple[float, float]]) -> list[Level]:
    """Levels of floats; sizes below zero are refused."""
    for _, size in rows:
        if size < 0:
            unsigned(size)
    return rows  # type: ignore[return-value]  # floats are numbers


def decimal_levels(rows: list[tuple[str, str]]) -> list[Level]:
    """Levels of numbers as text -> levels of `Decimal`s.

    NaN and infinities, in all their spellings, have an "n", and what is less than nothing a "-": one look at all the texts together
    finds them, and other digits than 0 to 9. Which text it is matters only then.
    """
    texts = "".join(chain.from_iterable(rows))
    if not texts.isascii() or "n" in texts or "N" in texts or "-" in texts:
        return [(to_decimal(price), unsigned(to_decimal(size))) for price, size in rows]
    return [(exact(price), exact(size)) for price, size in rows]


def best_first(rows: Iterable[Level], *, descending: bool) -> list[Level]:
    """Levels sorted by price."""
    return sorted(rows, key=lambda level: level[0], reverse=descending)
