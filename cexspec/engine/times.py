"""Times and intervals as users write them, in nanoseconds as the engine counts them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cexspec.models import InvalidRequest

Time = int | datetime | str
"""Integer nanoseconds since the epoch, an aware datetime, or ISO 8601 text (without an offset: UTC)."""

SECOND = 1_000_000_000
UNITS = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}

# Months are counted at their longest: bounds made from them include too much, never too little.
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 31 * 86400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = 10**16
"""Smaller integers (April 1970, as nanoseconds) are milliseconds or seconds by mistake."""


def nanoseconds(value: Time, name: str) -> int:
    """A time as integer nanoseconds. Raises `InvalidRequest` naming the parameter."""
    if isinstance(value, str):
        value = _parse(value, name)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidRequest(f"{name} has no time zone: pass an aware datetime, such as datetime(2026, 8, 1, tzinfo=UTC)")
        return (value - _EPOCH) // timedelta(microseconds=1) * 1000
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(f"{name} is integer nanoseconds, an aware datetime or ISO text, not {type(value).__name__}")
    if value < _EARLIEST:
        raise InvalidRequest(f"{name} is counted in nanoseconds: {value} would be in early 1970")
    return value


def interval_span(interval: str) -> int:
    """The length of a unified candle interval (`1m`, `4h`, `1M`) in nanoseconds. Raises `InvalidRequest`."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})([smhdwM])", interval)
    if found is None:
        raise InvalidRequest(f"{interval!r} is no interval: write 1m, 4h, 1d, 1w, 1M")
    return int(found[1]) * _SPANS[found[2]] * SECOND


def _parse(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{name} is no ISO time: {text[:40]!r}; write 2026-08-01T00:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
