"""What must hold whatever came in: no foreign errors, no impossible numbers, no hanging, no memory without bound."""

from __future__ import annotations

import gc
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import isfinite
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from cexspec.models import Event

SECONDS = 8.0
"""CPU time that one input may take."""
STUCK = 30
"""Seconds after which an input that is still worked on is given up."""
SIZES = frozenset(
    {"size", "bid_size", "ask_size", "base_size", "base_volume", "quote_volume", "contracts", "value", "trades"}
    | {"contract_size", "tick_size", "step_size", "min_size", "max_size"}
)
"""Fields that count something: none of them is ever negative."""


class Slow(AssertionError):
    """An input took too long."""


@contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raises `Slow` where the work takes more CPU time, and where it doesn't end at all."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise Slow(f"not done after {STUCK} s")

    before, start = signal.signal(signal.SIGALRM, give_up), time.process_time()
    signal.setitimer(signal.ITIMER_REAL, STUCK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if (taken := time.process_time() - start) > seconds:
        raise Slow(f"{taken:.1f} s of CPU time")


def wrong(event: Event) -> str | None:
    """What no event may say, whatever it was read from."""
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in ("bids", "asks"):
            for price, size in value:
                if not (finite(price) and finite(size)) or size < 0:
                    return f"{name}: {price} {size}"
        elif not _possible(name, value):
            return f"{name}: {value}"
    return None


def _possible(name: str, value: Any) -> bool:
    if isinstance(value, Decimal | float):
        return finite(value) and not (name in SIZES and value < 0)
    return not isinstance(value, int) or abs(value) < 2**63


def check(events: list[Event]) -> None:
    """Raises AssertionError where an event is wrong."""
    for event in events:
        if (what := wrong(event)) is not None:
            raise AssertionError(f"a value that can't be: {type(event).__name__} {what}")


def finite(value: Any) -> bool:
    """Neither NaN nor infinite."""
    return value.is_finite() if isinstance(value, Decimal) else isfinite(value)


def largest(root: object) -> dict[str, int]:
    """The sizes of the largest collections that can be reached from an object, by a name of their kind and content."""
    seen: set[int] = set()
    sizes: dict[str, int] = {}
    waiting = deque([root])
    while waiting:
        found = waiting.popleft()
        if id(found) in seen or isinstance(found, type | ModuleType | FunctionType | MethodType | str | bytes | int | float | Decimal):
            continue
        seen.add(id(found))
        if isinstance(found, dict | list | set | deque):
            first = next(iter(found), None)
            name = f"{type(found).__name__} of {str(first)[:40]!r}"
            sizes[name] = max(len(found), sizes.get(name, 0))
        waiting.extend(gc.get_referents(found))
    return dict(sorted(sizes.items(), key=lambda one: -one[1])[:20])


def numbers(events: list[Event]) -> Iterator[Any]:
    """Every decimal and float of events, those of levels too, in order."""
    for event in events:
        for name in event.__struct_fields__:
            value = getattr(event, name)
            if name in ("bids", "asks"):
                yield from (number for level in value for number in level)
            elif isinstance(value, Decimal | float):
                yield value
