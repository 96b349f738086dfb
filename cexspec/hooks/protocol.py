"""The few doors for quirks that data can't say. Hooks are pure: time, nonces and randomness are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from cexspec.models import Level, Number


@dataclass(frozen=True, slots=True)
class Precision:
    """The decimals in which an instrument's prices and sizes are written."""

    price: int
    size: int

    @classmethod
    def of(cls, tick: Number, step: Number) -> Precision:
        """As many as the instrument's price and size steps have: 0.10 has one."""
        return cls(_decimals(tick), _decimals(step))


def _decimals(step: Number) -> int:
    exponent = Decimal(str(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class BookChecksum(Protocol):
    """A venue's checksum over the top of a book.

    `bids` and `asks` are best first, at most the depth the spec names, with prices and sizes as `Decimal`s that keep
    the venue's digits. `precision` is the instrument's where the spec says `precision: instrument` and it is known.
    Returns the integer the venue sends.
    """

    def __call__(self, bids: Sequence[Level], asks: Sequence[Level], precision: Precision | None = None) -> int:
        """The checksum."""
