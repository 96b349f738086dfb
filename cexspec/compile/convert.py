"""The functions generated extractors call: conversions of venue values, each total or raising a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import chain
from math import isfinite

from cexspec.models import Market, Number
from cexspec.models.events import Level

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_MAX_DIGITS = 64

type_of_number = type[Decimal] | type[float]


class Hole(ValueError):
    """A value is missing, or is not what the field can hold."""


def number_reader(number: type_of_number) -> Callable[[object], Number]:
    """Text or JSON number -> `Decimal` or float; refuses NaN, infinities and booleans."""

    def to_decimal(value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise Hole(f"{value!r} is not a number")
        try:
            result = Decimal(value if isinstance(value, str | Decimal) else str(value))
        except InvalidOperation:
            raise Hole(f"{_short(value)} is not a number") from None
        if not result.is_finite():
            raise Hole(f"{_short(value)} is not a number")
        return result

    def to_float(value: object) -> float:
        result = float(to_decimal(value))
        if not isfinite(result):
            raise Hole(f"{_short(value)} is out of range")
        return result

    return to_decimal if number is Decimal else to_float


def integer(value: object) -> int:
    """Text or JSON number -> int; a fraction is refused."""
    if isinstance(value, str) and len(value) > _MAX_DIGITS:
        raise Hole(f"{_short(value)} is not an integer")
    try:
        result = Decimal(value) if isinstance(value, str) else value
        if not isinstance(result, bool) and isinstance(result, int | float | Decimal) and int(result) == result:
            return int(result)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise Hole(f"{_short(value)} is not an integer")


def text(value: object) -> str:
    """A JSON scalar as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise Hole(f"{_short(value)} is not a text")


def boolean(value: object) -> bool:
    """true, false, or their usual texts."""
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False, "1": True, "0": False}
    if text(value) not in known:
        raise Hole(f"{_short(value)} is not true or false")
    return known[text(value)]


def nanoseconds(unit: str) -> Callable[[object], int]:
    """Text or JSON number in a unit -> integer nanoseconds, exact for fractions in text."""
    factor = NANOSECONDS[unit]

    def convert(value: object) -> int:
        if isinstance(value, int):
            return value * factor
        if isinstance(value, bool) or not isinstance(value, str | float | Decimal) or len(str(value)) > _MAX_DIGITS:
            raise Hole(f"{_short(value)} is not a time")
        try:
            return int(Decimal(str(value)) * factor)
        except (InvalidOperation, ValueError, OverflowError):
            raise Hole(f"{_short(value)} is not a time") from None

    return convert


def iso_nanoseconds(value: object) -> int:
    """ISO 8601 text -> nanoseconds; digits beyond the microseconds are kept."""
    if not isinstance(value, str):
        raise Hole(f"{_short(value)} is not an ISO 8601 time")
    whole, point, fraction = value.rstrip("Z").partition(".")
    digits = "".join(letter for letter in fraction[:9] if letter.isdigit())
    zone = fraction[len(digits) :].lstrip("0123456789")
    try:
        moment = datetime.fromisoformat(whole + zone if point else whole)
    except ValueError:
        raise Hole(f"{_short(value)} is not an ISO 8601 time") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + int(digits.ljust(9, "0") or 0)


def part(value: object, by: str, index: int) -> str:
    """One part of a joined text."""
    parts = text(value).split(by)
    if not -len(parts) <= index < len(parts):
        raise Hole(f"{_short(value)} has no part {index} between {by!r}")
    return parts[index]


class Words(dict[object, object]):
    """Venue words and what they mean; a word that isn't listed is a `Hole`."""

    def __missing__(self, word: object) -> object:
        known = ", ".join(sorted({str(one) for one in self}))
        raise Hole(f"{_short(word)} is none of {known}")


def finite(value: Number) -> Number:
    """The number itself; NaN and infinities are refused."""
    if value - value != 0:  # type: ignore[operator]
        raise Hole(f"{value} is not a number")
    return value


def required(value: object, what: str) -> object:
    """The value itself; None is refused."""
    if value is None:
        raise Hole(f"nothing at {what}")
    return value


def levels_of(rows: list[Level]) -> list[Level]:
    """Price and size pairs, all of them finite."""
    for number in chain.from_iterable(rows):
        if number - number != 0:  # type: ignore[operator]
            raise Hole(f"{number} is not a number")
    return rows


def finite_decimals(rows: list[Level]) -> list[Level]:
    """As `levels_of`, for Decimals, where one C call a number does it."""
    if not all(map(Decimal.is_finite, chain.from_iterable(rows))):  # type: ignore[arg-type]
        raise Hole("a level holds NaN or Infinity")
    return rows


def scaled(rows: list[Level], market: Market) -> tuple[list[Level], str]:
    """Levels in contracts -> levels in base, where the contract size is known; and the unit they are in."""
    if market.kind == "spot":
        return rows, "base"
    if market.contract_size is None:
        return rows, "contracts"
    return [(price, market.base_size(size, price) or size) for price, size in rows], "base"


def best_first(rows: Iterable[Level], *, descending: bool) -> list[Level]:
    """Levels sorted by price."""
    return sorted(rows, key=lambda level: level[0], reverse=descending)


def zipped(lists: list[object]) -> Iterator[list[object]]:
    """The n-th elements of several lists, as lists; the lists must be equally long."""
    if not all(isinstance(one, list) for one in lists) or len({len(one) for one in lists if isinstance(one, list)}) > 1:
        raise Hole("the lists to pair are missing or differ in length")
    return (list(row) for row in zip(*lists, strict=True))  # type: ignore[call-overload]


def columns(lists: dict[str, object]) -> Iterator[dict[str, object]]:
    """Columnar arrays as one object a row."""
    return (dict(zip(lists, row, strict=True)) for row in zipped(list(lists.values())))


def keyed(value: object, skip: frozenset[str]) -> list[tuple[str | None, object]]:
    """Key and value of an object's members (or no key and the elements of a list)."""
    if isinstance(value, dict):
        return [(name, inner) for name, inner in value.items() if name not in skip]
    if isinstance(value, list):
        return [(None, inner) for inner in value]
    raise Hole("neither an object nor a list to go through")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
