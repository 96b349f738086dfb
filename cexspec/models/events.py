"""The unified market-data models: what every venue's messages become.

Timestamps are integer nanoseconds since the Unix epoch, UTC: `timestamp` is the exchange's time (None where
the message has none), `received` the local one. Numbers are `Decimal`, or `float` on a client made with
`number=float`. A missing value is None, never 0. Sizes are in base currency; `contracts` keeps the native count
where it differs. `side` is the taker's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Number = Decimal | float
Level = tuple[Number, Number]
Side = Literal["buy", "sell"]
Kind = Literal["spot", "perpetual", "future", "option"]


class Event(Struct, frozen=True, gc=False, tag_field="type"):
    """What every event carries. `symbol` is None only offline, where nothing in the input names it."""

    exchange: str
    symbol: str | None
    timestamp: int | None = None
    received: int | None = None

    @property
    def time(self) -> datetime | None:
        """`timestamp` as an aware datetime (microseconds: Python's datetime has no nanoseconds)."""
        if self.timestamp is None:
            return None
        seconds, rest = divmod(self.timestamp, 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


class Ticker(Event, frozen=True, gc=False, kw_only=True, tag="ticker"):
    """Rolling 24 hours and best quotes. `change_percent` is in percent (1.5 is 1.5 %)."""

    bid: Number | None = None
    bid_size: Number | None = None
    ask: Number | None = None
    ask_size: Number | None = None
    last: Number | None = None
    open: Number | None = None
    high: Number | None = None
    low: Number | None = None
    base_volume: Number | None = None
    quote_volume: Number | None = None
    change: Number | None = None
    change_percent: Number | None = None


class Bbo(Event, frozen=True, gc=False, kw_only=True, tag="bbo"):
    """Best bid and offer; a side is None while that side of the book is empty."""

    bid: Number | None
    bid_size: Number | None
    ask: Number | None
    ask_size: Number | None
    sequence: int | None = None


class Trade(Event, frozen=True, gc=False, kw_only=True, tag="trade"):
    """One public trade. `size` is None only where contracts can't be converted (contract size not loaded)."""

    id: str | None
    price: Number
    size: Number | None
    side: Side | None
    contracts: Number | None = None
    buyer_order_id: str | None = None
    seller_order_id: str | None = None


class Book(Event, frozen=True, gc=False, kw_only=True, tag="book"):
    """Levels of an order book, best first: all of them (`is_snapshot`), or changes (size 0 removes a level).

    `sequence` is the venue's last update id in the message, `first_sequence` its first, `previous_sequence` the last one of
    the message before, as far as the venue sends them. `size_unit` is `contracts` where the venue counts contracts and the
    contract size is not loaded.
    """

    bids: list[Level]
    asks: list[Level]
    sequence: int | None = None
    first_sequence: int | None = None
    previous_sequence: int | None = None
    is_snapshot: bool
    checksum: int | None = None
    size_unit: Literal["base", "contracts"] = "base"


class Candle(Event, frozen=True, gc=False, kw_only=True, tag="candle"):
    """One bar; `timestamp` is its open time. `closed` is None where the venue doesn't say."""

    interval: str | None
    open: Number
    high: Number
    low: Number
    close: Number
    base_volume: Number | None = None
    quote_volume: Number | None = None
    trades: int | None = None
    closed: bool | None = None
    contracts: Number | None = None


class FundingRate(Event, frozen=True, gc=False, kw_only=True, tag="funding_rate"):
    """A perpetual's funding: `rate` per interval as a fraction; `next_time` in nanoseconds."""

    rate: Number
    next_time: int | None = None
    interval_hours: Number | None = None
    mark_price: Number | None = None
    index_price: Number | None = None
    predicted_rate: Number | None = None


class OpenInterest(Event, frozen=True, gc=False, kw_only=True, tag="open_interest"):
    """Open interest in base currency, in contracts, and in quote value, as far as the venue says."""

    base_size: Number | None = None
    contracts: Number | None = None
    value: Number | None = None


class MarkPrice(Event, frozen=True, gc=False, kw_only=True, tag="mark_price"):
    """Mark and index price; one of them may be all a message holds."""

    mark_price: Number | None = None
    index_price: Number | None = None


class Liquidation(Event, frozen=True, gc=False, kw_only=True, tag="liquidation"):
    """A forced order; `side` is the liquidation order's own (a liquidated long sells)."""

    id: str | None = None
    price: Number | None
    size: Number | None
    side: Side
    contracts: Number | None = None


class ServerTime(Event, frozen=True, gc=False, kw_only=True, tag="server_time"):
    """The venue's clock, in `timestamp`."""


class Gap(Event, frozen=True, gc=False, kw_only=True, tag="gap"):
    """Data that was, or may have been, lost on a stream.

    Why, from when to when (nanoseconds), how many events where that is known, and whether it was filled (`closed`).
    """

    channel: str
    cause: str
    from_time: int | None = None
    to_time: int | None = None
    count: int | None = None
    closed: bool = False


class BookState(Event, frozen=True, gc=False, kw_only=True, tag="book_state"):
    """A maintained order book stopped being right, or was begun: `reason` says why. `timestamp` is that of its last message.

    `waiting`: for the stream's snapshot; `buffering`: changes are kept until a fetched snapshot is there.
    """

    channel: str
    state: Literal["waiting", "buffering", "in_sync", "out_of_sync"]
    reason: str | None = None


class Instrument(Event, frozen=True, gc=False, kw_only=True, tag="instrument"):
    """What can be traded. Steps, sizes and contract size are the venue's own figures.

    `contract_size` is what one contract stands for, in `contract_currency` (the base of a linear, the quote of an
    inverse contract); `min_size`, `max_size` and `step_size` are in base for spot, in contracts for derivatives
    that are counted so. `expiry` is in nanoseconds. `code` is what orders call it, where that isn't the `id`. A price that
    is no whole number has at most `price_digits` significant digits, besides being a multiple of `tick_size`.
    """

    id: str
    kind: Kind
    base: str
    quote: str
    settle: str | None = None
    contract_size: Number | None = None
    contract_currency: str | None = None
    tick_size: Number | None = None
    price_digits: int | None = None
    step_size: Number | None = None
    min_size: Number | None = None
    max_size: Number | None = None
    min_notional: Number | None = None
    expiry: int | None = None
    strike: Number | None = None
    right: Literal["C", "P"] | None = None
    active: bool | None = None
    code: str | None = None

    @property
    def price_precision(self) -> int | None:
        """Decimals of a price, derived from `tick_size`."""
        return _decimals(self.tick_size)

    @property
    def size_precision(self) -> int | None:
        """Decimals of a size, derived from `step_size`."""
        return _decimals(self.step_size)


def _decimals(step: Number | None) -> int | None:
    if step is None:
        return None
    exponent = Decimal(str(step)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None


MarketEvent = (
    Ticker | Bbo | Trade | Book | Candle | FundingRate | OpenInterest | MarkPrice | Liquidation | Instrument | ServerTime | Gap | BookState
)
