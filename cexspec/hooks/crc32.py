"""CRC-32 over interleaved levels: `bid1:size:ask1:size:bid2:...` in the venue's own digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from zlib import crc32

from cexspec.hooks.protocol import Precision
from cexspec.models import Level, Number


def crc32_interleaved(bids: Sequence[Level], asks: Sequence[Level], precision: Precision | None = None) -> int:
    """OKX's old rule (in force until 2026-06-23): signed CRC-32 of price and size, bid and ask in turn.

    Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
    """
    return signed_crc32(interleaved(bids, asks))


def interleaved(bids: Sequence[Level], asks: Sequence[Level]) -> Iterator[str]:
    """Price and size texts, bid and ask in turn; a side that ends early is passed over."""
    for bid, ask in zip_longest(bids, asks):
        for level in (bid, ask):
            if level is not None:
                yield digits(level[0])
                yield digits(level[1])


def digits(number: Number) -> str:
    """A number as the venue wrote it, without an exponent."""
    return format(number, "f")


def signed_crc32(parts: Iterator[str]) -> int:
    """CRC-32 of the parts joined by colons, as a signed 32-bit integer."""
    value = crc32(":".join(parts).encode())
    return value - (1 << 32) if value >= 1 << 31 else value
