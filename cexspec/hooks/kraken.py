"""Kraken's book checksum (WebSocket v2)."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from cexspec.hooks.protocol import Precision
from cexspec.models import Level, Number


def kraken_checksum(bids: Sequence[Level], asks: Sequence[Level], precision: Precision | None = None) -> int:
    """CRC-32 of asks and then bids: of each level price and size, in the instrument's decimals, without points and leading zeros.

    Without `precision` the digits are the venue's own, which JSON numbers have lost where they end with zeros.
    Source: https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
    """
    places = (None, None) if precision is None else (precision.price, precision.size)
    texts = (compact(number, decimals) for side in (asks, bids) for level in side for number, decimals in zip(level, places, strict=True))
    return crc32("".join(texts).encode())


def compact(number: Number, decimals: int | None) -> str:
    """The digits of a number with so many decimals (None: as it is), from the first that isn't 0."""
    text = format(number, "f") if decimals is None else format(number, f".{decimals}f")
    return text.replace(".", "").lstrip("0")
