"""Reads the bodies of a venue twice, by cexspec and by ccxt, and lays the values side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cexspec.models import Event, Instrument, InvalidSymbol, Market
from tests.differential.bodies import Body, Source, bodies
from tests.differential.ccxt_venue import Canned, Unified, exchange, hand_made, with_markets
from tests.differential.values import Value, matched, notation, pairs, rows
from tests.differential.venues import VENUES, Call
from tests.exchanges.venue import Feed, plan


@dataclass
class Comparison:
    """All values of one venue's bodies of one source. `skipped`: operation -> why ccxt can't read its bodies."""

    values: list[Value] = field(default_factory=list)
    bodies: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


def ours(body: Body) -> list[Event]:
    """Our reading of a body, with the instruments of all bodies of its source loaded."""
    feed, case = Feed(body.venue), {"operation": body.operation, "raw": body.raw, "params": body.params}
    if body.model != "instrument":
        feed.markets.load(instruments(body.venue, body.source))
    try:
        return feed.rest(case)[0]
    except InvalidSymbol:  # asked for by an id that no list has
        return Feed(body.venue).rest(case)[0]


@cache
def instruments(venue: str, source: Source) -> tuple[Instrument, ...]:
    """Every instrument that the bodies list, once: as the first body has it."""
    listed = [event for body in bodies(venue, source) if body.model == "instrument" for event in ours(body)]
    return tuple({(event.id, event.symbol): event for event in reversed(listed) if isinstance(event, Instrument)}.values())


@cache
def listed_markets(body: Body) -> tuple[Unified, ...]:
    """ccxt's markets of an instruments body."""
    call = VENUES[body.venue].call(body.operation, body.raw)
    return tuple(answered(body, call, [])) if call is not None else ()


@cache
def markets(venue: str, source: Source) -> tuple[Unified, ...]:
    """ccxt's markets of all instruments bodies, once: as the first body has it."""
    listed = [market for body in bodies(venue, source) if body.model == "instrument" for market in listed_markets(body)]
    return tuple({(market["id"], market["symbol"]): market for market in reversed(listed)}.values())


def answered(body: Body, call: Call, known: list[Unified], symbols: tuple[str, ...] = ()) -> list[Unified]:
    """What ccxt's method makes of a body, asked for these symbols."""
    venue, operation = VENUES[body.venue], plan(body.venue).operation(body.operation)

    def asked_for(path: str, asked: Mapping[str, Any]) -> bool:
        here = call.at in path if call.at is not None else operation.path_params(path) is not None
        return here and all(str(asked.get(key, "")) == value for key, value in call.asks.items())

    made = with_markets(exchange(venue.ccxt, venue.options), known)
    made.canned = Canned(body.raw if call.reshaped is None else call.reshaped(body.raw), asked_for, venue.nothing)
    words = {"interval": body.params.get("interval", call.interval), "symbol": symbols[0] if symbols else None, "symbols": list(symbols)}
    return rows(getattr(made, call.method)(*[words[name] for name in call.arguments], params=dict(call.params)))


def asked_by_kind(body: Body, call: Call, events: list[Event]) -> list[Unified]:
    """Likewise of what our reading names: for each kind of symbols apart where ccxt wants a list of them."""
    known = known_to_ccxt(body, events)
    named = list(dict.fromkeys(event.symbol for event in events if event.symbol is not None))
    groups = [named]
    if "symbols" in call.arguments:
        kinds = {symbol: market_of(body.venue, body.source)(symbol).kind for symbol in named}
        groups = [[one for one in named if kinds[one] == kind] for kind in dict.fromkeys(kinds.values())]
    return [row for group in groups for row in answered(body, call, known, tuple(str(notation(one)) for one in group))]


def compared(body: Body, call: Call) -> Iterator[Value]:
    """Every value of a body."""
    events = ours(body)
    try:
        theirs = list(listed_markets(body)) if body.model == "instrument" else asked_by_kind(body, call, events)
    except Exception as error:
        if type(error).__module__ != "ccxt.base.errors":
            raise
        yield Value(body.venue, body.id, body.model, "error", "all", events, error)
        return
    for row, mine, other in matched(events, theirs, VENUES[body.venue].native_id):
        if mine is None or other is None:
            yield Value(body.venue, body.id, body.model, "row", row, mine, other)
            continue
        for name, left, right in pairs(mine, other, market_of(body.venue, body.source)):
            if right is not None:
                yield Value(body.venue, body.id, body.model, name, row, left, right)


def known_to_ccxt(body: Body, events: list[Event]) -> list[Unified]:
    """The markets of all instruments bodies, and the least there is of those that only this body names."""
    known = {market["symbol"]: market for market in markets(body.venue, body.source)}
    named = sorted({event.symbol for event in events if event.symbol is not None and notation(event.symbol) not in known})
    market = market_of(body.venue, body.source)
    return [*known.values(), *(hand_made(market(symbol).id, symbol) for symbol in named)]


@cache
def market_of(venue: str, source: Source) -> Callable[[str], Market]:
    """Our market of a symbol: as listed, else by the rules, else its own."""
    loaded, offline = Feed(venue).markets, Feed(venue).markets
    loaded.load(instruments(venue, source))

    def find(symbol: str) -> Market:
        for markets in (loaded, offline):
            with suppress(InvalidSymbol):
                return markets.find(symbol)
        return offline.market(symbol)

    return find


@cache
def comparison(venue: str, source: Source) -> Comparison:
    """The values of all bodies that both can read."""
    result = Comparison()
    for body in bodies(venue, source):
        call = VENUES[venue].call(body.operation, body.raw)
        if call is None:
            result.skipped[body.operation] = VENUES[venue].without.get(body.operation, "no method is named for it")
            continue
        result.bodies += 1
        result.values += compared(body, call)
    return result
