"""All unified models that a mapping may return, by name."""

from __future__ import annotations

from cexspec.models.events import (
    Bbo,
    Book,
    Candle,
    Event,
    FundingRate,
    Instrument,
    Liquidation,
    MarkPrice,
    OpenInterest,
    ServerTime,
    Ticker,
    Trade,
)
from cexspec.models.execution import Balance, Fill, Order, Position

MODELS: dict[str, type[Event]] = {
    "ticker": Ticker,
    "bbo": Bbo,
    "trade": Trade,
    "book": Book,
    "candle": Candle,
    "funding_rate": FundingRate,
    "open_interest": OpenInterest,
    "mark_price": MarkPrice,
    "liquidation": Liquidation,
    "instrument": Instrument,
    "server_time": ServerTime,
    "order": Order,
    "fill": Fill,
    "position": Position,
    "balance": Balance,
}
"""The models a mapping may return, by their `type`."""

PRIVATE: frozenset[str] = frozenset({"order", "fill", "position", "balance"})
"""Those that tell of one's own account."""
