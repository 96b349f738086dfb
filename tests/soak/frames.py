"""Frames made ahead: a venue's own text once, then only number, price and time change."""

from __future__ import annotations

import re
from decimal import Decimal

NUMBER = 7_000_000_007
"""Stands for the number of a trade; the first one sent is the next, so that all have as many digits."""
PRICE = Decimal("8888888888.888888")
"""Stands for the price, which tells when the frame was made: seconds of the machine's monotonic clock."""
TIME = 1_888_888_888_888
"""Stands for the venue's time, in milliseconds."""
_MARKS = re.compile(rf"({NUMBER}|{PRICE}|{TIME})")
_SLOTS = {str(NUMBER): 0, str(PRICE): 1, str(TIME): 2}


class FrameMould:
    """One frame of one symbol, to be filled again and again. Raises `ValueError` for one that shows no number or price."""

    __slots__ = ("_holes", "_parts")

    def __init__(self, text: str) -> None:
        pieces = _MARKS.split(text)
        if not {str(NUMBER), str(PRICE)} <= set(pieces[1::2]):
            raise ValueError(f"no number or price in {text[:200]}")
        self._parts: list[bytes] = [piece.encode() for piece in pieces]
        self._parts.insert(0, head(sum(map(len, self._parts))))
        self._holes = [(at + 1, _SLOTS[piece]) for at, piece in enumerate(pieces) if at % 2]

    def fill(self, number: int, price: bytes, time: bytes) -> bytes:
        """The whole WebSocket frame."""
        values = (b"%d" % number, price, time)
        for at, slot in self._holes:
            self._parts[at] = values[slot]
        return b"".join(self._parts)


def head(size: int) -> bytes:
    """What stands before an unmasked text frame of so many bytes."""
    if size < 126:
        return bytes([0x81, size])
    return bytes([0x81, 126]) + size.to_bytes(2, "big") if size < 1 << 16 else bytes([0x81, 127]) + size.to_bytes(8, "big")


def stamp(seconds: float) -> bytes:
    """A time as a price of as many digits as `PRICE`."""
    return b"%017.6f" % (seconds + 1e9)
