"""Accounts at the mock venue: orders on paper, traded with each other and with its simulated markets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from cexspec.mock.answers import MarketOf
from cexspec.mock.listing import Listed, Listing
from cexspec.mock.market import Row
from cexspec.models import Event, Fill, Instrument, Order, Position
from cexspec.paper.rules import DEFAULT, Rules
from cexspec.paper.venue import PaperVenue
from cexspec.paper.verbs import PaperVerbs
from cexspec.spec.model import ExchangeSpec

USER = "user"
"""The account of whoever has the venue's credentials."""
BALANCES: Mapping[str, Decimal] = {
    currency: Decimal(amount)
    for currency, amount in {"USDT": 10**6, "USD": 10**6, "USDC": 10**6, "EUR": 10**6, "BTC": 10, "ETH": 100}.items()
}
"""What an account has to begin with."""
DEPTH = 20
"""Levels of a simulated book that orders can reach."""

_COUNTED = {Order: ("quantity", "filled", "remaining"), Fill: ("quantity",), Position: ("quantity",)}


def rules_of(spec: ExchangeSpec) -> Rules:
    """What holds for accounts of a venue: where its fills name no currency, fees are paid in the quote currency."""
    fills = spec.rest.get("fills")
    rule = fills.fields.get("fee_currency") if fills is not None and fills.fields is not None else None
    return replace(DEFAULT, in_quote=rule is not None and rule.market == "quote")


class Accounts:
    """What traders have here. `instruments` are read when the first one trades; `clock` is the venue's, in nanoseconds."""

    def __init__(
        self,
        exchange: str,
        listing: Listing,
        instruments: Callable[[], Iterable[Instrument]],
        market: MarketOf,
        clock: Callable[[], int],
        rules: Rules = DEFAULT,
    ) -> None:
        self._exchange, self._listing, self._instruments = exchange, listing, instruments
        self._market, self._clock, self._rules = market, clock, rules

    @cached_property
    def venue(self) -> PaperVenue:
        """The matching engine; other accounts may be opened in it, to trade with the user's."""
        venue = PaperVenue(self._exchange, self._traded_here, rules=self._rules)
        for currency, amount in BALANCES.items():
            venue.deposit(USER, currency, amount, self._clock())
        return venue

    def begin_again(self) -> None:
        """Nobody has traded yet: all accounts are as they were in the beginning."""
        for name in ("venue", "_verbs"):
            self.__dict__.pop(name, None)

    def run(self, verb: str, params: Mapping[str, Any]) -> list[Row]:
        """What comes of a request of the user, as `row_of` has it. Raises `ExchangeError`."""
        listed = self._listing.named(params)
        if listed is not None:
            self.refresh(str(listed.symbol))
        if params.get("orders") is not None:
            return [row for order in params["orders"] for row in self.run(verb.removesuffix("s"), {**params, **order, "orders": None})]
        if verb == "cancel_all_orders" and listed is None:
            return [self.row_of(event) for symbol in self._traded(params) for event in self._done(verb, {**params, "symbol": symbol})]
        asked = {**params, "symbol": str(listed.symbol) if listed is not None else None}
        return [self.row_of(event) for event in self._done(verb, asked) if self._is_asked_for(event, params)]

    def refresh(self, symbol: str) -> None:
        """Let orders meet the simulated market where it stands now."""
        market = self._market(symbol)
        bids, asks = market.top(DEPTH)
        self.venue.set_market(symbol, bids, asks, self._clock(), counted=True)

    def moved(self) -> None:
        """Let all open orders meet the markets where they stand now."""
        for symbol in sorted(self.venue.active if "venue" in self.__dict__ else ()):
            self.refresh(symbol)

    def told(self) -> Iterator[tuple[str, Row]]:
        """What has happened to the user since the last time: the model and the event as `row_of` has it."""
        for account, event in self.venue.drain() if "venue" in self.__dict__ else ():
            if account == USER:
                yield str(event.__struct_config__.tag), self.row_of(event)

    def listed(self, row: Row) -> Listed | None:
        """The instrument that a row is about."""
        return self._listing.about(row)

    def row_of(self, event: Event) -> Row:
        """An event's unified fields, its native id as the symbol, its product line, quantities as the venue counts them."""
        row = {name: getattr(event, name) for name in event.__struct_fields__ if name not in ("exchange", "received")}
        if event.symbol is not None:
            terms = self.venue.terms(event.symbol)
            price = _price(event)
            row |= {name: terms.counted(row[name], price) for name in _COUNTED.get(type(event), ()) if row[name] is not None}
            listed = self._listing[event.symbol]
            row |= {"symbol": listed.id, "key": listed.id, "category": listed.params.get("category")}
        return row

    @cached_property
    def _traded_here(self) -> list[Instrument]:
        return list(self._instruments())

    @cached_property
    def _verbs(self) -> PaperVerbs:
        return PaperVerbs(self.venue)

    def _done(self, verb: str, asked: Mapping[str, Any]) -> list[Event]:
        return self._verbs.run(USER, verb, asked, self._clock())

    def _traded(self, params: Mapping[str, Any]) -> list[str]:
        """The symbols of the user's open orders that a request without one is about."""
        orders = [order for order in self.venue.open_orders(USER) if self._is_asked_for(order, params)]
        return list(dict.fromkeys(str(order.symbol) for order in orders))

    def _is_asked_for(self, event: Event, params: Mapping[str, Any]) -> bool:
        category = params.get("category")
        return category is None or event.symbol is None or self._listing[event.symbol].params.get("category") == category


def _price(event: Event) -> Decimal | None:
    """The price by which an event's quantities of base were reckoned."""
    match event:
        case Order():
            return _decimal(event.price or event.average_price or event.stop_price)
        case Fill():
            return _decimal(event.price)
        case Position():
            return _decimal(event.entry_price)
    return None


def _decimal(number: Any) -> Decimal | None:
    return None if number is None else Decimal(str(number))
