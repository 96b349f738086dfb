"""The account that private cassettes are about: on paper, at a mock venue, with orders to ask about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from cexspec.mock import MockVenue
from cexspec.mock.accounts import BALANCES, USER
from cexspec.models.order_request import OrderRequest
from cexspec.transport.clock import Clock

Params = Mapping[str, Any]
OTHER = "other"
"""Somebody else, who trades with the user."""
WORTH = Decimal(2000)
"""What an order is worth, about, in quote currency."""
TIMES = ("start", "end", "expires", "limit")
"""What the calls of the samples say of their own days."""
DIGITS = Context(prec=3)
"""Prices are round: some venues take no more than so many digits."""
AWAY = {"buy": Decimal("0.9"), "sell": Decimal("1.1")}
"""Where orders rest, of the market's price; those that wait for a stop are on the other side."""


@dataclass
class Account:
    """The user's account at a venue: of each symbol one order was filled, one rests and one waits for its stop price."""

    venue: MockVenue
    clock: Clock
    ids: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    """order ids by symbol and whether they wait for a stop price, those not named yet"""

    filled: dict[str, str] = field(default_factory=dict)
    """ids of orders that were filled, by symbol"""

    @classmethod
    def begun(cls, venue: MockVenue, clock: Clock) -> Account:
        """The account as it is in the beginning, with somebody else beside it who has all there is."""
        venue.begin_again()
        for currency in BALANCES:
            venue.accounts.venue.deposit(OTHER, currency, Decimal(10**9), clock.time_ns())
        list(venue.accounts.told())
        return cls(venue, clock)

    def prepare(self, verb: str | None, symbols: Sequence[str], params: Params) -> dict[str, Any]:
        """Trade these symbols; the parameters of a call as they fit the account: its ids, prices of its markets."""
        for symbol in symbols:
            self._trade(symbol, [one for one in orders_of(params) if one.get("symbol", symbols[0]) == symbol])
        if verb == "fills" and "order_id" in params:
            return {"symbol": symbols[0], "order_id": self.filled[symbols[0]]}
        fitted = [self._fitted(one, symbols[0]) for one in orders_of(params)]
        return {**params, "orders": fitted} if "orders" in params else fitted[0]

    def live(self, symbols: Sequence[str], step: int, *, stops: bool) -> None:
        """What happens next while somebody listens: orders are placed, then filled by halves, and `stops` wait and are canceled."""
        for symbol in symbols:
            price = self.venue.market(symbol).price
            if step == 0:
                self.venue.accounts.refresh(symbol)
                self._place(USER, symbol, type="limit", side="buy", price=price)
                self.ids[symbol, True] = [self._wait(symbol, {})] if stops else []
            else:
                self._place(OTHER, symbol, share=Decimal("0.5"), type="limit", side="sell", price=price)
                for order_id in self.ids.pop((symbol, True), []):
                    self.venue.accounts.venue.cancel(USER, order_id, self.clock.time_ns())

    def price(self, symbol: str, side: str) -> Decimal:
        """Where an order of this side rests."""
        return self._terms_price(symbol, AWAY[side])

    def _trade(self, symbol: str, asked: Sequence[Params]) -> None:
        self.venue.accounts.refresh(symbol)
        self.filled[symbol] = self._place(USER, symbol, type="market", side="buy")
        for waits in (False, True):
            known = [one for one in asked if is_known(one) and bool(one.get("conditional")) == waits]
            place = self._wait if waits else self._rest
            self.ids[symbol, waits] = [place(symbol, one) for one in known or [{}]]

    def _rest(self, symbol: str, asked: Params) -> str:
        price = self.price(symbol, "buy")
        return self._place(USER, symbol, type="limit", side="buy", price=price, client_order_id=asked.get("client_order_id"))

    def _wait(self, symbol: str, asked: Params) -> str:
        stop = self.price(symbol, "buy")
        kind, limit = ("stop_limit", stop) if "price" in asked else ("stop_market", None)
        named = asked.get("client_order_id")
        return self._place(USER, symbol, type=kind, side="sell", stop_price=stop, price=limit, client_order_id=named)

    def _place(self, account: str, symbol: str, *, share: Decimal = Decimal(1), **fields: Any) -> str:
        terms, price = self.venue.accounts.venue.terms(symbol), self.venue.market(symbol).price
        units = max(terms.floor(terms.in_units(WORTH * share / price, price)), terms.min_size or terms.step or Decimal(0))
        given = {name: value for name, value in fields.items() if value is not None}
        request = OrderRequest(symbol=symbol, quantity=units, **given)
        order = self.venue.accounts.venue.place(account, request, self.clock.time_ns(), contracts=units)
        return str(order.order_id)

    def _terms_price(self, symbol: str, share: Decimal) -> Decimal:
        price, tick = self.venue.market(symbol).price, self.venue.accounts.venue.terms(symbol).tick or Decimal(1)
        return (DIGITS.create_decimal(price * share) / tick).to_integral_value() * tick

    def _fitted(self, order: Params, usual: str) -> dict[str, Any]:
        symbol, given = order.get("symbol", usual), {name: value for name, value in order.items() if name not in TIMES}
        waits = bool(given.get("conditional"))
        if is_known(order):
            known = self.ids[symbol, waits].pop(0)
            given |= {"order_id": known} if "order_id" in given else {}
        side = given.get("side", "sell" if waits else "buy")
        if "stop_price" in given:
            side = {"buy": "sell", "sell": "buy"}[side]
        return given | {name: format(self.price(symbol, side), "f") for name in ("stop_price", "price") if name in given}


def orders_of(params: Params) -> list[Params]:
    """What a call is about: its orders, or itself."""
    return list(params.get("orders") or [params])


def is_known(order: Params) -> bool:
    """Whether a call names an order that is there already."""
    return "order_id" in order or ("client_order_id" in order and "side" not in order)
