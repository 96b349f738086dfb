"""Where a record holds another library's reading, the values agree, or the table says why ours is right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from cexspec.engine.normalize import Normalizer
from cexspec.models import Bbo, Book, Event, FundingRate, Liquidation, MarkPrice, OpenInterest, Ticker, Trade
from tests.conformance.corpus import Record, needs_corpus, payloads
from tests.conformance.test_payloads import VENUES, read

EXPLAINED: dict[str, str] = {
    "td:map bybit messages#51": "a change of a book's level 1, which by itself tells no best bid and offer",
    "td:map bybit spot messages#8": "a change of a book's level 1; their ask is of a message before it, which is no record",
    "td:map bybit-options messages#4": "greeks and volatilities of an option: no unified model",
}
"""Record -> why our values differ and are right."""


def near(mine: Any, theirs: Any) -> bool:
    """Equal as floats; theirs may be unset where ours is not."""
    return theirs is None or (mine is not None and abs(float(mine) - float(theirs)) <= 1e-9 * max(1.0, abs(float(theirs))))


def levels(rows: list[Any]) -> dict[float, float]:
    """Price -> size."""
    return {float(row[0]): float(row[1]) for row in rows}


def agrees(mine: Event, theirs: dict[str, Any]) -> bool:
    """Whether an event says what the entry says, as far as both speak of the same thing."""
    match theirs["type"], mine:
        case "trade", Trade():
            return same_trade(mine, theirs)
        case "book_change", Book():
            sides = [(levels(getattr(mine, side)), {one["price"]: one["amount"] for one in theirs[side]}) for side in ("bids", "asks")]
            return all(a == b for a, b in sides) and mine.is_snapshot == theirs["isSnapshot"]
        case "book_ticker", Bbo() | Ticker():
            return near(mine.bid, theirs["bidPrice"]) and near(mine.ask, theirs["askPrice"])
        case "liquidation", Liquidation():
            return near(mine.price, theirs["price"]) and mine.side == theirs["side"] and mine.id == theirs["id"]
        case "derivative_ticker", FundingRate() | MarkPrice() | OpenInterest() | Ticker():
            return same_derivative(mine, theirs)
    return False


def same_trade(mine: Trade, theirs: dict[str, Any]) -> bool:
    """Price, size (or contracts), side and time."""
    size = mine.contracts if mine.contracts is not None else mine.size
    moment = datetime.fromisoformat(theirs["timestamp"])
    same = near(mine.price, theirs["price"]) and near(size, theirs["amount"]) and mine.side == theirs["side"]
    return same and mine.time is not None and abs((mine.time - moment).total_seconds()) < 0.001


def same_derivative(mine: FundingRate | MarkPrice | OpenInterest | Ticker, theirs: dict[str, Any]) -> bool:
    """Their ticker of derivatives is cumulative: the one value that our event carries."""
    match mine:
        case FundingRate():
            return near(mine.rate, theirs["fundingRate"])
        case MarkPrice():
            return mine.mark_price is not None and near(mine.mark_price, theirs["markPrice"])
        case OpenInterest():
            return near(mine.contracts if mine.contracts is not None else mine.base_size, theirs["openInterest"])
    return near(mine.last, theirs["lastPrice"])


def with_expectations(venue: str) -> list[Record]:
    """The records with another library's reading that says something."""
    return [record for record in payloads(venue) if (record.get("expected") or {}).get("normalized")]


@needs_corpus
@pytest.mark.parametrize("venue", VENUES)
def test_values_agree_with_the_other_reading(venue: str) -> None:
    normalizer = Normalizer(venue)
    differing = {}
    compared = 0
    for record in with_expectations(venue):
        events = read(normalizer, record).events
        for theirs in record["expected"]["normalized"]:
            compared += 1
            if record["id"] not in EXPLAINED and not any(agrees(event, theirs) for event in events):
                differing[record["id"]] = (theirs, events)
    assert not differing
    assert compared >= min(3, len(with_expectations(venue)))
