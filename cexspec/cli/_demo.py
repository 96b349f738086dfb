"""One venue of the demo: a mock venue, the real client connected to it, and what has been counted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cexspec.cli._output import as_model
from cexspec.client import Client
from cexspec.mock import MockVenue
from cexspec.models import Book, CexspecError, Event, Number, Ticker, Trade

STREAMS = ("ticker", "trades", "order_book")
EVENTS = ("ticker", "trade", "book")
"""What comes on them."""
WANTED = ("BTC/USDT", "ETH/USDT")
LATENCIES = 200_000
"""Latencies kept, the first of them."""

Show = Callable[[Event], None]


@dataclass
class Watched:
    """What came from one venue. `latest` holds the last event by symbol and model."""

    client: Client
    symbols: tuple[str, ...]
    show: Show
    began: float = field(default_factory=time.monotonic)
    rest_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    latest: dict[tuple[str | None, type[Event]], Event] = field(default_factory=dict)
    latencies: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    over: bool = False
    """the client closes: what still waits in its queues isn't taken, for its books are out of sync by then"""

    def take(self, event: Event) -> None:
        """The callback of every stream."""
        if self.over:
            return
        event = as_model(event)
        if event.received is not None and len(self.latencies) < LATENCIES:
            self.latencies.append(time.time_ns() - event.received)
        self.counts[str(type(event).__struct_config__.tag)] += 1
        self.latest[event.symbol, type(event)] = event
        self.show(event)

    def refused(self, error: CexspecError) -> None:
        """What the streams complain of."""
        self.errors.append(str(error))

    @property
    def complete(self) -> bool:
        """Something of everything came."""
        return all(self.counts[name] for name in EVENTS)

    def summary(self) -> dict[str, Any]:
        """What the demo says of the venue in the end."""
        seconds, stats = time.monotonic() - self.began, self.client.ws.stats
        counts = {name: self.counts[name] for name in EVENTS}
        return {
            "exchange": self.client.id,
            "symbols": list(self.symbols),
            "messages": stats.messages,
            "events": sum(self.counts.values()),
            **{f"{name}s": count for name, count in counts.items()},
            "messages_per_second": round(stats.messages / seconds, 1),
            "events_per_second": round(sum(self.counts.values()) / seconds, 1),
            "latency_p50_us": _percentile(self.latencies, 50),
            "latency_p99_us": _percentile(self.latencies, 99),
            "rest_ms": round(self.rest_seconds * 1000, 1),
            "gaps": stats.gaps,
            "reconnects": stats.reconnects,
            "decode_errors": stats.decode_errors,
            "unrouted": stats.unrouted,
            "problems": [*self.errors, *stats.problems],
            "ok": self.complete and not (stats.decode_errors or stats.unrouted or self.errors),
        }


@contextlib.asynccontextmanager
async def watched(exchange: str, *, seed: int, interval: float, show: Show) -> AsyncIterator[Watched]:
    """A mock venue and the client that streams from it, until the end of the block."""
    async with MockVenue(exchange, seed=seed, interval=interval) as venue:
        symbols = _symbols(venue)
        async with Client(exchange, environment=venue.environment) as client:
            watching = Watched(client, symbols, show)
            await _begin(watching)
            try:
                yield watching
            finally:
                watching.over = True


async def _begin(watching: Watched) -> None:
    """One REST call, then every stream that the exchange has."""
    before = time.perf_counter()
    await watching.client.rest.get_ticker(watching.symbols[0])
    watching.rest_seconds = time.perf_counter() - before
    await watching.client.load_instruments()  # so that every stream begins at once
    watching.began = time.monotonic()
    for name in STREAMS:
        if watching.client.exchange.offers(name):
            watching.client.ws.subscribe(name, *watching.symbols, callback=watching.take, on_error=watching.refused)
    await asyncio.sleep(0)


def _symbols(venue: MockVenue) -> tuple[str, ...]:
    """What most people trade, else the first two of the venue."""
    listed = [str(one.symbol) for one in venue.listing]
    return tuple(symbol for symbol in WANTED if symbol in listed) or tuple(listed[:2])


def _percentile(nanoseconds: list[int], percent: int) -> float | None:
    """In microseconds."""
    if not nanoseconds:
        return None
    ordered = sorted(nanoseconds)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1000, 1)


def row(watching: Watched, symbol: str) -> tuple[object, ...]:
    """How one symbol stands: quotes, the last trade, how many levels of the book are shown."""
    ticker, trade, book = (watching.latest.get((symbol, kind)) for kind in (Ticker, Trade, Book))
    quote = (_short(ticker.bid), _short(ticker.ask)) if isinstance(ticker, Ticker) else (None, None)
    last = (trade.side, _short(trade.price), _short(trade.size)) if isinstance(trade, Trade) else (None, None, None)
    levels = len(book.bids) + len(book.asks) if isinstance(book, Book) else None
    return (watching.client.id, symbol, *quote, *last, levels)


ROW = ("exchange", "symbol", "bid", "ask", "trade", "price", "size", "levels")
"""The columns of `row`."""


def _short(value: Number | None) -> Number | None:
    """Without trailing zeros."""
    return value.normalize() if isinstance(value, Decimal) else value
