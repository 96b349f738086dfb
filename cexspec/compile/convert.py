"""The functions generated extractors call: each gives what a field holds, or raises a `Hole` that says why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache

from cexspec.compile.hole import Hole, shown
from cexspec.compile.numbers import MAX_DIGITS, MAX_INTEGER, to_decimal
from cexspec.models import InvalidSymbol, Level, Market, Number, Symbol

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}

_ONE = Decimal(1)
_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
_UNROUNDED = Context(prec=4 * MAX_DIGITS)
MICROSECOND = "2026-08-01T08:00:00.708706Z"
"""The finest time that Python's `datetime` holds."""
_ISO = re.compile(r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def time_reader(unit: str) -> Callable[[object], int]:
    """Text or JSON number in a unit -> integer nanoseconds, exact for fractions, cut below the nanosecond."""
    factor = NANOSECONDS[unit]

    def nanoseconds(value: object) -> int:
        if value.__class__ is int:
            result: int = value * factor
        else:
            result = int(_UNROUNDED.multiply(to_decimal(value), factor))
        if not -MAX_INTEGER <= result <= MAX_INTEGER:
            raise Hole(f"{shown(value)} is out of range")
        return result

    return nanoseconds


def iso_nanoseconds(value: object) -> int:
    """ISO 8601 text -> nanoseconds, to the last digit; without a zone it is UTC."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is not None:
            moment, fraction, zone = found.groups()
            return _whole_seconds(moment, zone) + (int(fraction.ljust(9, "0")) if fraction else 0)
    except ValueError:
        pass
    raise Hole(f"{shown(value)} is not an ISO 8601 time")


class LatestSecond:
    """The second of the time that was read last, because messages come many to the second.

    `known` are the texts between which all its times are, from `2026-08-01T08:00:00.0` to what follows the nine, and its
    nanoseconds; they are exchanged together, so that threads may share it.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known = ("", "", 0)

    def turn(self, text: str, moment: datetime) -> int:
        """The nanoseconds of the second in which a time is, which is UTC and was read already. Raises `Hole`."""
        first, after = f"{text[:20]}0", f"{text[:20]}:"  # Python takes a point that no digit follows, too
        if text[4:20:3] not in ("--T::.", "-- ::.") or not first <= text < after:
            raise Hole(f"{shown(text)} is written otherwise")
        since = (moment - _EPOCH) // _SECOND * NANOSECONDS["s"]
        self.known = (first, after, since)
        return since


def _whole_seconds(moment: str, zone: str | None) -> int:
    """A moment without its fraction, in nanoseconds."""
    seconds = datetime.fromisoformat(moment + ("" if zone in (None, "Z") else zone))
    aware = seconds if seconds.tzinfo else seconds.replace(tzinfo=UTC)
    return int(aware.timestamp()) * NANOSECONDS["s"]


def step(places: Number) -> Decimal:
    """A number of decimal places -> the step it stands for: 2 -> 0.01, 0 -> 1, -1 -> 10."""
    whole = int(places)
    if whole != places or abs(whole) > MAX_DIGITS:
        raise Hole(f"{shown(places)} is no number of decimal places")
    return Decimal(10) ** -whole


def added(text: str, number: int) -> str:
    """An id that is a whole number, and a number more."""
    if not (text.isascii() and text.isdigit()):
        raise Hole(f"{shown(text)} is no whole number")
    return str(int(text) + number)


def negated(value: Number) -> Number:
    """A number with the other sign, and all its digits; 0 has none."""
    if isinstance(value, Decimal):
        return value.copy_negate() if value else value.copy_abs()
    return -value if value else 0.0


def ratio(value: Number, divisor: Number | None) -> Number | None:
    """A number divided by another; none where that is 0, or not there."""
    if not divisor:
        return None
    found: Number = value / divisor  # type: ignore[operator]  # both are of the client's number type
    return found.quantize(_ONE) if isinstance(found, Decimal) and found.adjusted() + 1 > len(found.as_tuple().digits) else found


def part(text: str, by: tuple[str, ...], index: int) -> str:
    """One part of a text joined by one or several separators."""
    parts = parted(text, by)
    if not -len(parts) <= index < len(parts):
        raise Hole(f"{shown(text)} has no part {index} between {', '.join(map(repr, by))}")
    return parts[index]


def parted(text: str, by: Sequence[str]) -> list[str]:
    """The parts of a text between separators."""
    first, *others = by
    parts = text.split(first)
    for separator in others:
        parts = [piece for part in parts for piece in part.split(separator)]
    return parts


class Words(dict[object, object]):
    """Venue words and what they mean; a word that isn't listed is a `Hole`."""

    def __missing__(self, word: object) -> object:
        known = ", ".join(dict.fromkeys(str(one) for one in self))
        raise Hole(f"{shown(word)} is none of {known}")


class Table(dict[str | None, object]):
    """A list of a message by the keys of its elements; a key that isn't there is a `Hole`."""

    def __init__(self, place: str, pairs: list[tuple[str | None, object]]) -> None:
        super().__init__(pairs)
        self.place = place

    def __missing__(self, key: str | None) -> object:
        raise Hole(f"nothing in {self.place} has the key {shown(key)}")


def scaled(rows: list[Level], market: Market) -> tuple[list[Level], str]:
    """Levels in contracts -> levels in base where the contract size is known; and the unit they are in."""
    if not market.counted:
        return rows, "base"
    if market.contract_size is None:
        return rows, "contracts"
    converted = [(price, market.base_size(size, price) if size else size) for price, size in rows]
    known = [(price, size) for price, size in converted if size is not None]
    if len(known) < len(rows):
        raise Hole("a level without a price: its contracts can't be converted")
    return known, "base"


def zipped(lists: list[object]) -> Iterator[list[object]]:
    """The n-th elements of several lists, as lists; the lists must be equally long."""
    found = [one for one in lists if isinstance(one, list)]
    if len(found) < len(lists) or len({len(one) for one in found}) > 1:
        raise Hole("the lists to pair are missing or differ in length")
    return (list(row) for row in zip(*found, strict=True))


def columns(lists: dict[str, object]) -> Iterator[dict[str, object]]:
    """Columnar arrays as one object a row."""
    return (dict(zip(lists, row, strict=True)) for row in zipped(list(lists.values())))


def ends_before(value: object, length: int) -> bool:
    """Whether a value is an array of fewer elements."""
    return isinstance(value, list) and len(value) < length


def keyed(value: object, skip: frozenset[str]) -> list[tuple[str | None, object]]:
    """Key and value of an object's members (or no key and the elements of a list)."""
    if isinstance(value, dict):
        return [(name, inner) for name, inner in value.items() if name not in skip]
    if isinstance(value, list):
        return [(None, inner) for inner in value]
    raise Hole(f"{shown(value)} is neither an object nor a list to go through")


@lru_cache(maxsize=4096)
def currency_of(symbol: str | None, which: str) -> str | None:
    """The `base`, `quote` or `settle` currency in a unified symbol; None for what is none, such as a native id."""
    try:
        parsed = Symbol.parse(symbol or "")
    except InvalidSymbol:
        return None
    found: str = getattr(parsed, which) or parsed.quote
    return found
