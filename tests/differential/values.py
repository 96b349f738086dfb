"""Our events beside ccxt's structures: the values that are compared, field by field."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from cexspec.models import (
    Bbo,
    Book,
    Candle,
    Event,
    FundingRate,
    Instrument,
    InvalidSymbol,
    Liquidation,
    Market,
    MarkPrice,
    OpenInterest,
    ServerTime,
    Ticker,
    Trade,
)
from cexspec.models.symbol import Symbol
from tests.differential.ccxt_venue import KINDS, Unified

Pair = tuple[str, Any, Any]
"""Field, ours, theirs."""
MarketOf = Callable[[str], Market]
IdOf = Callable[[Unified], str]
MILLISECOND = 1_000_000


@dataclass(frozen=True)
class Value:
    """One value of a body, as we and as ccxt read it."""

    venue: str
    record: str
    model: str
    field: str
    row: str
    ours: Any
    theirs: Any

    @property
    def equal(self) -> bool:
        """Whether both say the same."""
        return same(self.ours, self.theirs)


def same(ours: Any, theirs: Any) -> bool:
    """Equal by value: whole numbers exactly, others to the last digits of a float, because one side may be computed."""
    match ours, theirs:
        case list(), list():
            return len(ours) == len(theirs) and all(map(same, ours, theirs))
        case Decimal(), (str() | int() | float() | Decimal()):
            return math.isclose(ours, Decimal(str(theirs)), rel_tol=1e-12)
    return bool(ours == theirs)


def notation(symbol: str | None) -> str | None:
    """A symbol of ours as ccxt writes it; one that is no symbol as it is."""
    try:
        return None if symbol is None else Symbol.parse(symbol).to_ccxt()
    except InvalidSymbol:
        return symbol


def milliseconds(timestamp: int | None) -> int | None:
    """ccxt's unit of time."""
    return None if timestamp is None else timestamp // MILLISECOND


def pairs(mine: Event, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    """Every field that both have a word for."""
    yield "symbol", notation(mine.symbol), theirs.get("symbol")
    if not isinstance(mine, Instrument):
        yield "timestamp", milliseconds(mine.timestamp), theirs.get("timestamp")
        yield from _PAIRS[type(mine)](mine, theirs, market_of)
    else:
        yield from _instrument(mine, theirs)


def _instrument(mine: Instrument, market: Unified) -> Iterator[Pair]:
    limits, precision = market.get("limits", {}), market.get("precision", {})
    amount = limits.get("amount", {})
    yield "kind", KINDS[mine.kind], market["type"]
    for name in ("base", "quote", "settle", "strike", "active"):
        yield name, getattr(mine, name), market[name]
    yield "contract_size", mine.contract_size, market["contractSize"]
    yield "tick_size", mine.tick_size, precision.get("price")
    yield "step_size", mine.step_size, precision.get("amount")
    yield "min_size", mine.min_size, amount.get("min")
    yield "max_size", mine.max_size, amount.get("max")
    yield "min_notional", mine.min_notional, limits.get("cost", {}).get("min")
    yield "expiry", milliseconds(mine.expiry), market["expiry"]
    yield "right", {"C": "call", "P": "put", None: None}[mine.right], market["optionType"]


def _ticker(mine: Ticker, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    for ours, other in _TICKER.items():
        yield ours, getattr(mine, ours), theirs.get(other)
    yield from _best_sizes(mine, theirs, market_of)


_TICKER = {
    "bid": "bid",
    "ask": "ask",
    "last": "last",
    "open": "open",
    "high": "high",
    "low": "low",
    "base_volume": "baseVolume",
    "quote_volume": "quoteVolume",
    "change": "change",
    "change_percent": "percentage",
}


def _bbo(mine: Bbo, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "bid", mine.bid, theirs.get("bid")
    yield "ask", mine.ask, theirs.get("ask")
    yield from _best_sizes(mine, theirs, market_of)


def _best_sizes(mine: Ticker | Bbo, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "bid_size", mine.bid_size, _base(mine, theirs.get("bidVolume"), mine.bid, market_of)
    yield "ask_size", mine.ask_size, _base(mine, theirs.get("askVolume"), mine.ask, market_of)


def _base(mine: Event, amount: Any, price: Any, market_of: MarketOf) -> Any:
    """ccxt leaves amounts of derivatives in contracts; ours are in base."""
    market = market_of(str(mine.symbol))
    known = amount is not None and market.counted and market.contract_size is not None
    return market.base_size(Decimal(str(amount)), price) if known else amount


def _trade(mine: Trade, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "id", mine.id, theirs.get("id")
    yield "price", mine.price, theirs.get("price")
    yield "size", mine.size if mine.contracts is None else mine.contracts, theirs.get("amount")
    yield "side", mine.side, theirs.get("side")


def _book(mine: Book, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "sequence", mine.sequence, theirs.get("nonce")
    for side in ("bids", "asks"):
        levels = theirs.get(side, [])
        yield side, [list(level) for level in getattr(mine, side)], [_level(mine, row[0], row[1], market_of) for row in levels]


def _level(mine: Book, price: Any, amount: Any, market_of: MarketOf) -> list[Any]:
    return [price, _base(mine, amount, Decimal(str(price)), market_of)]


def _candle(mine: Candle, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    for name in ("open", "high", "low", "close"):
        yield name, getattr(mine, name), theirs[name]
    yield "volume", mine.contracts if mine.base_volume is None else mine.base_volume, theirs["volume"]


def _funding(mine: FundingRate, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "rate", mine.rate, theirs.get("fundingRate")
    yield "predicted_rate", mine.predicted_rate, theirs.get("nextFundingRate")
    yield "next_time", milliseconds(mine.next_time), theirs.get("fundingTimestamp")
    yield "mark_price", mine.mark_price, theirs.get("markPrice")
    yield "index_price", mine.index_price, theirs.get("indexPrice")
    interval = theirs.get("interval")
    yield "interval_hours", mine.interval_hours, None if interval is None else Decimal(interval.removesuffix("h"))


def _open_interest(mine: OpenInterest, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "amount", mine.base_size if mine.contracts is None else mine.contracts, theirs.get("openInterestAmount")
    yield "value", mine.value, theirs.get("openInterestValue")


def _mark_price(mine: MarkPrice, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "mark_price", mine.mark_price, theirs.get("markPrice")
    yield "index_price", mine.index_price, theirs.get("indexPrice")


def _liquidation(mine: Liquidation, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    yield "price", mine.price, theirs.get("price")
    yield "size", mine.size if mine.contracts is None else mine.contracts, theirs.get("contracts")
    yield "side", mine.side, theirs.get("side")


def _server_time(mine: ServerTime, theirs: Unified, market_of: MarketOf) -> Iterator[Pair]:
    return iter(())


_PAIRS: Mapping[type[Event], Callable[[Any, Unified, MarketOf], Iterator[Pair]]] = {
    Ticker: _ticker,
    Bbo: _bbo,
    Trade: _trade,
    Book: _book,
    Candle: _candle,
    FundingRate: _funding,
    OpenInterest: _open_interest,
    MarkPrice: _mark_price,
    Liquidation: _liquidation,
    ServerTime: _server_time,
}

_CANDLE = ("timestamp", "open", "high", "low", "close", "volume")


def rows(answer: Any) -> list[Unified]:
    """What a method of ccxt returned, as a list of structures."""
    if isinstance(answer, list):
        return [dict(zip(_CANDLE, one, strict=True)) if isinstance(one, list) else one for one in answer]
    if isinstance(answer, int):
        return [{"timestamp": answer}]
    several = bool(answer) and all(isinstance(one, dict) and "symbol" in one for one in answer.values())
    return list(answer.values()) if several else [answer]


def matched(
    events: Iterable[Event], theirs: Iterable[Unified], native_id: Callable[[Unified], str]
) -> Iterator[tuple[str, Event | None, Unified | None]]:
    """Rows of one thing: by id where they have one, else by time and symbol, the first with the first."""
    mine, other = _by_key(events, _key_of_event), _by_key(theirs, partial(_key_of_row, native_id=native_id))
    if len(mine) == len(other) == 1:
        (key, event), (_, row) = *mine.items(), *other.items()
        yield key, event, row
        return
    for key in (*mine, *(key for key in other if key not in mine)):
        yield key, mine.get(key), other.get(key)


def _by_key(things: Iterable[Any], key_of: Callable[[Any], str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thing in things:
        key, number = key_of(thing), 2
        while key in found:
            key, number = f"{key_of(thing)} #{number}", number + 1
        found[key] = thing
    return found


def _key_of_event(event: Event) -> str:
    match event:
        case Instrument():
            return event.id
        case Trade(id=str(trade)):
            return trade
        case Ticker() | Bbo() | MarkPrice():
            return str(notation(event.symbol))
        case FundingRate():
            return f"{notation(event.symbol)} {milliseconds(event.timestamp)}"
    return str(milliseconds(event.timestamp))


def _key_of_row(row: Unified, native_id: IdOf) -> str:
    if "contractSize" in row and "precision" in row:
        return native_id(row)
    if "takerOrMaker" in row and row["id"] is not None:
        return str(row["id"])
    if "fundingRate" in row:
        return f"{row['symbol']} {row['timestamp']}"
    if "bidVolume" in row or "markPrice" in row:
        return str(row["symbol"])
    return str(row.get("timestamp"))
