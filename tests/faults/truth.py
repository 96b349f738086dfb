"""The oracle: what the mock venue knows to be true, held against what a client was given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from cexspec.engine.books.view import BookView
from cexspec.mock import MockVenue
from cexspec.mock.market import Market
from cexspec.models import BookOutOfSync, BookState, Event, Gap, Trade

TOP = 5
"""Levels of each side that every single view is held against."""
Tops = tuple[tuple[tuple[Decimal, Decimal], ...], ...]


class Witnessed(MockVenue):
    """A mock venue whose books are remembered as they stood after each move."""

    stood: defaultdict[str, set[Tops]]

    async def start(self) -> None:
        self.stood = defaultdict(set)
        await super().start()

    def market(self, name: str) -> Market:
        market = super().market(name)
        if market.symbol not in self.stood:
            self.stood[market.symbol].add(top_of(market, TOP))
        return market

    def move(self) -> None:
        super().move()
        for symbol, market in self._markets.items():
            self.stood[symbol].add(top_of(market, TOP))

    def truth(self, symbol: str) -> Market:
        """The market of a symbol as it stands, unmoved by being looked at."""
        return self._markets[symbol]


def top_of(market: Market, depth: int) -> Tops:
    return tuple(map(tuple, market.top(depth)))


@dataclass
class Received:
    """What one client was given, by symbol, in order."""

    trades: dict[str, list[Trade]] = field(default_factory=lambda: defaultdict(list))
    gaps: list[Gap] = field(default_factory=list)
    states: list[BookState] = field(default_factory=list)
    views: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong_views: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def take(self, event: Event, venue: Witnessed, *, whole: bool) -> None:
        """`whole`: each message of a book leaves it as it stood at the venue at some time."""
        symbol = str(event.symbol)
        match event:
            case Gap():
                self.gaps.append(event)
            case BookState():
                self.states.append(event)
            case Trade():
                self.trades[symbol].append(event)
            case BookView():
                self.views[symbol] += 1
                if whole:
                    self._look(event, symbol, venue)

    def _look(self, view: BookView, symbol: str, venue: Witnessed) -> None:
        try:
            top: Tops = tuple(tuple((Decimal(price), Decimal(size)) for price, size in side) for side in view.depth(TOP))
        except BookOutOfSync:
            return
        if top not in venue.stood[symbol]:
            self.wrong_views.append(f"a view of {symbol} shows what never was: {top}")


@dataclass(frozen=True)
class Losses:
    """What became of the trades of one symbol: how many are missing within reported gaps and without, doubled, out of order."""

    reported: int = 0
    silent: int = 0
    doubled: int = 0
    disordered: int = 0

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            self.reported + other.reported,
            self.silent + other.silent,
            self.doubled + other.doubled,
            self.disordered + other.disordered,
        )


def judge_trades(venue: Witnessed, symbol: str, since: int, received: Received) -> Losses:
    """Every trade since a time has come once and in order, or lies inside a gap."""
    tape = [trade for trade in venue.truth(symbol).tape if trade["timestamp"] > since]
    place = {str(trade["id"]): number for number, trade in enumerate(venue.truth(symbol).tape)}
    got = [str(trade.id) for trade in received.trades[symbol]]
    missing = [trade for trade in tape if str(trade["id"]) not in set(got)]
    gaps = [gap for gap in received.gaps if gap.symbol in (None, symbol)]
    reported = sum(inside(trade["timestamp"], gaps) for trade in missing)
    places = [place.get(one, -1) for one in dict.fromkeys(got)]
    return Losses(
        reported=reported,
        silent=len(missing) - reported,
        doubled=len(got) - len(set(got)),
        disordered=sum(later < earlier for earlier, later in pairwise(places)),
    )


def inside(time: int, gaps: Iterable[Gap]) -> bool:
    """Whether a gap covers a time; a gap that doesn't say from when, or until when, is open there."""
    return any((gap.from_time or 0) <= time and (gap.to_time is None or time <= gap.to_time) for gap in gaps)


def difference(venue: Witnessed, symbol: str, view: BookView) -> str | None:
    """Where a book differs from the true one, level by level, as far as it is known; None: nowhere."""
    depth = view.verified_depth
    true = venue.truth(symbol).top(depth)
    if depth < TOP:
        return f"only {depth} levels of {symbol} are known"
    for name, mine, theirs in zip(("bid", "ask"), view.depth(depth), true, strict=True):
        for level, (own, other) in enumerate(zip(mine, theirs, strict=False)):
            if tuple(own) != other:
                return f"{symbol}: {name} {level} is {tuple(own)}, the true one is {other}"
    return None
