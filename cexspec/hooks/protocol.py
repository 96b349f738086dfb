"""The few doors for quirks that data can't say. Hooks are pure: time, nonces and randomness are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cexspec.models import Level


class BookChecksum(Protocol):
    """A venue's checksum over the top of a book.

    `bids` and `asks` are best first, at most the depth the spec names, with prices and sizes as `Decimal`s that keep
    the venue's digits. Returns the integer the venue sends.
    """

    def __call__(self, bids: Sequence[Level], asks: Sequence[Level]) -> int:
        """The checksum."""
