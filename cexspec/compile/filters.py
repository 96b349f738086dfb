"""Filters of template holes: a closed list, plain functions from value to value.

Times are integer nanoseconds; a unit filter writes them as the venue counts. `text` and joining write a value the one
way all venues read it: no exponents, `true`/`false`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote

import msgspec

from cexspec.models import InvalidRequest

TIMES = frozenset({"start", "end", "now", "expires"})
"""Holes that hold a time: their first filter says the unit."""

_LARGE = 10**19
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,63})(\.[0-9]{1,64})?")


def as_text(value: object) -> str:
    """A scalar as venues read it. Raises `InvalidRequest` for anything else."""
    if isinstance(value, str) and (value.isascii() or _encodable(value)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return format(Decimal(repr(value)), "f")
        case msgspec.Raw():
            return bytes(value).decode()
    raise InvalidRequest(f"a {type(value).__name__} can't be written as text")


def _encodable(text: str) -> bool:
    """Whether it is UTF-8: a lone surrogate is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _time(value: object) -> int:
    if not isinstance(value, int):
        raise InvalidRequest(f"a time is integer nanoseconds, not {type(value).__name__}")
    return value


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidRequest(f"{seconds} seconds is no time of this era") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


_THOUSANDTHS = tuple(f".{number:03}Z" for number in range(1_000))


def _iso(value: object) -> str:
    seconds, thousandths = divmod(_time(value) // 1_000_000, 1_000)
    return _second(seconds) + _THOUSANDTHS[thousandths]


def _integer(value: object) -> int:
    if value.__class__ is int and -_LARGE < value < _LARGE:
        return value
    text = as_text(value)
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20):
        raise InvalidRequest(f"not a whole number: {text[:40]!r}")
    return int(text)


def _number(value: object) -> msgspec.Raw:
    text = as_text(value)
    if not _JSON_NUMBER.fullmatch(text):
        raise InvalidRequest(f"not a number: {text[:40]!r}")
    return msgspec.Raw(text.encode())


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter. `unit`: only on times; `inverse`: text back to what it was written from, where that is possible; `gives`: what
    it makes of any value (`sure`: neither text nor an integer).
    """

    apply: Callable[[object], object]
    does: str
    unit: bool = False
    inverse: Callable[[str], str] | None = None
    gives: Literal["text", "integer", "sure"] = "text"
    divisor: int | None = None
    """of an integer it makes the whole quotient by this"""


def _unit(nanoseconds: int, does: str) -> Filter:
    return Filter(lambda value: _time(value) // nanoseconds, does, unit=True, gives="integer", divisor=nanoseconds)


FILTERS = {
    "s": _unit(1_000_000_000, "a time in whole seconds"),
    "ms": _unit(1_000_000, "a time in whole milliseconds"),
    "us": _unit(1_000, "a time in whole microseconds"),
    "ns": _unit(1, "a time in nanoseconds"),
    "iso": Filter(_iso, "a time as 2026-08-01T00:00:00.000Z", unit=True),
    "datetime": Filter(lambda value: _iso(value)[:19].replace("T", " "), "a time as 2026-08-01 00:00:00", unit=True),
    "iso_seconds": Filter(lambda value: _iso(value)[:19], "a time as 2026-08-01T00:00:00", unit=True),
    "lower": Filter(lambda value: as_text(value).lower(), "lower case", inverse=str.upper),
    "upper": Filter(lambda value: as_text(value).upper(), "upper case", inverse=str.lower),
    "text": Filter(as_text, "a number as text", inverse=str),
    "int": Filter(_integer, "text of digits as a JSON integer", inverse=str, gives="integer"),
    "number": Filter(_number, "an exact number as a JSON number, with its digits", inverse=str, gives="sure"),
    "url": Filter(lambda value: quote(as_text(value), safe=""), "percent-encoded, as in a query", inverse=unquote),
    "json": Filter(_json, "the value as JSON text"),
}
"""Name -> filter; `join` is apart, because it has an argument."""

JOIN = "join"


def joined(separator: str) -> Filter:
    """The filter `join("separator")`: a list as one text; a single value stays alone."""

    def apply(value: object) -> str:
        return separator.join(as_text(element) for element in (value if isinstance(value, list | tuple) else (value,)))

    return Filter(apply, "a list as one text")
