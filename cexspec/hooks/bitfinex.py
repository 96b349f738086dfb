"""Bitfinex's book checksum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

from cexspec.hooks.crc32 import signed_crc32
from cexspec.hooks.protocol import Precision
from cexspec.models import Level, Number

_SMALL = Decimal("1e-6")


def bitfinex_checksum(bids: Sequence[Level], asks: Sequence[Level], precision: Precision | None = None) -> int:
    """Signed CRC-32 of price and amount, bid and ask in turn; asks count negative, numbers as JavaScript writes them.

    Source: https://docs.bitfinex.com/docs/ws-websocket-checksum
    """
    return signed_crc32(_parts(bids, asks))


def _parts(bids: Sequence[Level], asks: Sequence[Level]) -> Iterator[str]:
    for bid, ask in zip_longest(bids, asks):
        if bid is not None:
            yield from (javascript(bid[0]), javascript(bid[1]))
        if ask is not None:
            yield from (javascript(ask[0]), "-" + javascript(ask[1]))


def javascript(number: Number) -> str:
    """A positive number as JavaScript prints it: no trailing zeros, an exponent below 1e-6 (`1e-7`)."""
    value = Decimal(str(number)).normalize()
    if not value or value >= _SMALL:
        return format(value, "f")
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{mantissa}e{int(exponent)}"
