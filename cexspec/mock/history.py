"""What a simulated market has behind it: candles, trades, funding and the like, the same whenever asked.

Rows older than the market itself stand on a grid of time and are made from a seed of their own; trades and candles since
then are what really happened.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

from cexspec.mock.market import ID_TIME, SECOND, Market, Row, next_payment

INTERVAL_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000}
HOUR = 3600 * SECOND
FEED = 300 * SECOND
DAY = 86_400 * SECOND
MONDAY = 4 * DAY
"""The first one after the epoch."""


@dataclass(frozen=True)
class Span:
    """Times from `start` up to `end` (nanoseconds, excluded)."""

    start: int
    end: int

    def holds(self, row: Row) -> bool:
        """Whether the row's time is in it."""
        return bool(self.start <= row["timestamp"] < self.end)


def rows(market: Market, model: str, interval: str | None, span: Span, *, newest_first: bool, hours: int = 8) -> Iterator[Row]:
    """The rows of a model in a span of time, in the order asked for; endless ones are made as they are read.

    `hours` lie between payments of funding.
    """
    span = Span(max(span.start, 0), min(span.end, market.time + 1))
    if model == "trade":
        return _trades(market, span, newest_first=newest_first)
    if model == "candle":
        bars = _openings(interval or "1m", span, newest_first=newest_first)
        return (candle(market, interval or "1m", opening) for opening in bars)
    step = hours * HOUR if model == "funding_rate" else seconds(interval) * SECOND if interval else FEED
    return (_state_at(market, time, hours) for time in _times(span, step, newest_first=newest_first))


def candle(market: Market, interval: str, opening: int) -> Row:
    """The bar that opens at a time: made up before the market began, traded since."""
    end = _following(interval, opening)
    traded = [row for row in market.tape if opening <= row["timestamp"] < end]
    bar = _made_up(market, opening, end - opening) if opening < market.began or not traded else _opened_by(traded[0])
    prices = [row["price"] for row in traded]
    volume = bar["base_volume"] + sum(row["size"] for row in traded)
    close = prices[-1] if prices else bar["close"]
    return {
        "interval": interval, "timestamp": opening, "open": bar["open"], "high": max([bar["high"], *prices]),
        "low": min([bar["low"], *prices]), "close": close, "base_volume": volume, "quote_volume": volume * close, "contracts": volume,
        "trades": len(traded) + 100, "closed": end <= market.time, "end": end,
    }  # fmt: skip


def opening_of(interval: str, time: int) -> int:
    """When the bar of a time opened (UTC): months on their first day, weeks on a Monday."""
    if interval.endswith("M"):
        day, count = datetime.fromtimestamp(time // SECOND, UTC), int(interval[:-1])
        month = day.replace(month=(day.month - 1) // count * count + 1, day=1, hour=0, minute=0, second=0)
        return int(month.timestamp()) * SECOND
    began = MONDAY if interval.endswith("w") else 0
    return time - (time - began) % (seconds(interval) * SECOND)


def seconds(interval: str) -> int:
    """The length of a unified interval; a month counts 30 days."""
    return int(interval[:-1]) * INTERVAL_SECONDS[interval[-1]]


def _openings(interval: str, span: Span, *, newest_first: bool) -> Iterator[int]:
    """When the bars of a span opened."""
    if newest_first:
        opening = opening_of(interval, span.end - 1)
        while opening >= span.start:
            yield opening
            opening = opening_of(interval, opening - 1)
        return
    opening = opening_of(interval, span.start)
    while opening < span.end:
        if opening >= span.start:
            yield opening
        opening = _following(interval, opening)


def _following(interval: str, opening: int) -> int:
    """When the next bar opens."""
    longest = DAY * 31 * int(interval[:-1]) if interval.endswith("M") else seconds(interval) * SECOND
    return opening_of(interval, opening + longest)


def _times(span: Span, step: int, *, newest_first: bool) -> Iterator[int]:
    numbers = range(-(-span.start // step), -(-span.end // step))
    return (number * step for number in (reversed(numbers) if newest_first else numbers))


def _trades(market: Market, span: Span, *, newest_first: bool) -> Iterator[Row]:
    """One trade a second before the market began, then the tape."""
    before = Span(span.start, min(span.end, market.began - market.began % SECOND))
    made_up = (_past_trade(market, time) for time in _times(before, SECOND, newest_first=newest_first))
    tape = [row for row in market.tape if span.holds(row)]
    return chain(reversed(tape), made_up) if newest_first else chain(made_up, tape)


def _made_up(market: Market, opening: int, length: int) -> Row:
    noise = random.Random(f"{market.symbol}{opening}{length}")
    first, last = (_near(market, noise) for _ in range(2))
    spread = market.grid.tick * noise.randint(0, 9)
    volume = market.grid.step * noise.randint(1, 99_999)
    return {"open": first, "close": last, "high": max(first, last) + spread, "low": min(first, last) - spread, "base_volume": volume}


def _opened_by(trade: Row) -> Row:
    return {**dict.fromkeys(("open", "close", "high", "low"), trade["price"]), "base_volume": Decimal(0)}


def _past_trade(market: Market, time: int) -> Row:
    noise = random.Random(f"{market.symbol}{time}")
    size, side = market.grid.step * noise.randint(1, 999), noise.choice(("buy", "sell"))
    return {"id": str(time // ID_TIME), "price": _near(market, noise), "size": size, "side": side, "timestamp": time}


def _state_at(market: Market, time: int, hours: int) -> Row:
    return {**market.state(hours), "timestamp": time, "next_time": next_payment(time, hours), "id": str(time // ID_TIME)}


def _near(market: Market, noise: random.Random) -> Decimal:
    return market.opened + market.grid.tick * noise.randint(-20, 20)
