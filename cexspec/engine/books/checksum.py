"""The venue's checksum of a book, compared with ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, getcontext
from typing import cast

from cexspec.compile.socket_plan import BookPlan
from cexspec.engine.books.order_book import OrderBook
from cexspec.hooks import CHECKSUMS, Precision
from cexspec.models import Book, Level, Number

NANOSECONDS = 1_000_000_000


class Checksums:
    """Verifies the checksums of one book. `every`: one in so many is computed.

    What can't be verified is not: where the instrument's decimals are needed and not known, where floats have lost the digits,
    and where sizes were converted from contracts by more than a factor. `precision` gives the decimals, `factor` what the
    venue's sizes were multiplied by (1: nothing; None: they can't be had back).
    """

    def __init__(
        self, plan: BookPlan, every: int, precision: Callable[[], Precision | None], factor: Callable[[Book], Decimal | None]
    ) -> None:
        self._hook = CHECKSUMS[plan.checksum_hook] if plan.checksum_hook is not None else None
        self._plan, self._every, self._precision, self._factor = plan, every, precision, factor
        self._seen = 0

    def holds(self, book: OrderBook, message: Book) -> bool | None:
        """Whether the book, with the message in it, has the message's checksum; None: that isn't verified."""
        if self._hook is None or message.checksum is None or self._over(message):
            return None
        self._seen += 1
        factor = self._factor(message) if self._seen % self._every == 0 else None
        if factor is None:
            return None
        precision = self._precision() if self._plan.checksum_precise else None
        bids, asks = book.depth(self._plan.checksum_depth or 0)
        exact = all(type(part) is Decimal for level in (*bids[:1], *asks[:1]) for part in level)
        if (not exact and (precision is None or factor != 1)) or (precision is None and self._plan.checksum_precise):
            return None
        if factor != 1:
            if any(_rounded(level[1]) for level in (*bids, *asks)):
                return None
            bids, asks = _undone(bids, factor), _undone(asks, factor)
        return self._hook(bids, asks, precision) == message.checksum

    def _over(self, message: Book) -> bool:
        """Whether the venue sends none any more."""
        until = self._plan.checksum_until
        return until is not None and ((day := _day(message)) is None or day >= until)


def _rounded(size: Number) -> bool:
    """Whether a product has so many digits that some may have been cut off."""
    return len(cast(Decimal, size).as_tuple().digits) >= getcontext().prec


def _undone(levels: list[Level], factor: Decimal) -> list[Level]:
    """Levels with the sizes that the venue sent: what was multiplied exactly is divided exactly, to the same digits."""
    return [(price, cast(Decimal, size) / factor) for price, size in levels]


def _day(message: Book) -> date | None:
    """The day of a message, UTC."""
    time = message.timestamp if message.timestamp is not None else message.received
    return None if time is None else datetime.fromtimestamp(time // NANOSECONDS, UTC).date()
