"""The live market, put before the orders on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from cexspec.engine.books.view import BookView
from cexspec.engine.stream_client import StreamClient
from cexspec.models import BookOutOfSync, BookState, CexspecError, MarkPrice, NotSupported
from cexspec.models.events import Level
from cexspec.paper.venue import PaperVenue
from cexspec.transport.clock import Clock, within

DEPTH = 50
"""Levels of each side that orders can reach."""
PATIENCE = 15.0
"""Seconds in which the book of a symbol must be there, once an order asks for it."""


class Feed:
    """The order book of one symbol, and where there is one the mark price, as long as the client lives.

    What it shows meets the orders at every change while there are any, and whenever one comes. `told` is called when that may
    have filled some.
    """

    def __init__(self, symbol: str, venue: PaperVenue, clock: Clock, told: Callable[[], None]) -> None:
        self._symbol, self._venue, self._clock, self._told = symbol, venue, clock, told
        self._view: BookView | None = None
        self._is_news = False
        self._ready = asyncio.Event()
        self._trouble: CexspecError | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing comes of it any more."""
        return self._trouble is not None

    def open(self, streams: StreamClient) -> None:
        """Subscribe. Raises `NotSupported` where the venue shows no book of it, `InvalidSymbol`."""
        streams.stream_order_book(self._symbol).on(self._book, self._failed)
        if self._venue.terms(self._symbol).kind != "spot":
            with suppress(NotSupported):
                streams.stream_mark_price(self._symbol).on(self._mark, _without_mark)

    async def ready(self) -> None:
        """Wait until the book can be read, and let the orders meet it. Raises why it can't."""
        await within(self._clock, PATIENCE, self._ready.wait(), f"waiting for the order book of {self._symbol}, before an order on paper,")
        if self._trouble is not None:
            raise self._trouble
        self._meet()

    def _book(self, event: Any) -> None:
        if isinstance(event, BookView):
            self._view, self._is_news = event, True
            self._ready.set()
            if self._symbol in self._venue.active:
                self._meet()
        elif isinstance(event, BookState):
            self._lose()

    def _mark(self, event: Any) -> None:
        if isinstance(event, MarkPrice) and event.mark_price is not None:
            self._venue.set_price(self._symbol, Decimal(str(event.mark_price)), self._clock.time_ns())
            self._told()

    def _meet(self) -> None:
        """Show the orders the book as it is; once for each change, as what they take of it is gone until the next."""
        if self._view is None or not self._is_news:
            return
        try:
            bids, asks = self._view.depth(DEPTH)
        except BookOutOfSync:
            self._lose()
            return
        self._is_news = False
        self._venue.set_market(self._symbol, _exact(bids), _exact(asks), self._clock.time_ns())
        self._told()

    def _lose(self) -> None:
        """Nothing is known of the market: nothing is filled until it is known again."""
        self._ready.clear()
        self._venue.set_market(self._symbol, (), (), self._clock.time_ns())
        self._told()

    def _failed(self, error: CexspecError) -> None:
        self._trouble = error
        self._ready.set()


class Feeds:
    """The feeds of all symbols that have been traded."""

    def __init__(self, streams: StreamClient, venue: PaperVenue, clock: Clock, told: Callable[[], None]) -> None:
        self._streams, self._venue, self._clock, self._told = streams, venue, clock, told
        self._feeds: dict[str, Feed] = {}

    async def ready(self, symbol: str) -> None:
        """See to it that the market of a symbol is there, and that the orders have met it as it is now. Raises why it isn't."""
        feed = self._feeds.get(symbol)
        if feed is None or feed.failed:
            feed = Feed(symbol, self._venue, self._clock, self._told)
            feed.open(self._streams)
            self._feeds[symbol] = feed
        await feed.ready()


def _exact(levels: Iterable[Level]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(str(price)), Decimal(str(size))) for price, size in levels]


def _without_mark(_error: CexspecError) -> None:
    """The middle of the book counts in place of the mark price."""
