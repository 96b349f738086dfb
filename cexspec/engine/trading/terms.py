"""What an instrument asks of an order, in exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cexspec.engine.markets import Markets
from cexspec.engine.trading.exact import EXACT, plain
from cexspec.models import Instrument, InvalidOrder, InvalidSymbol, Market, Number, Symbol

CLOSE = Decimal("1e-9")
"""A count of contracts so near to a whole step is that step: an inverse contract's quantity in base is a rounded quotient."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one instrument. Sizes are what the venue counts (`counted`: contracts, else base currency)."""

    market: Market
    symbol: str
    base: str
    quote: str
    settle: str | None
    tick: Decimal | None
    digits: int | None
    """significant digits of a price that is no whole number"""
    step: Decimal | None
    least: Decimal | None
    most: Decimal | None
    least_notional: Decimal | None
    params: dict[str, Any]
    """the holes that the instrument fills"""

    @property
    def counted(self) -> bool:
        """Whether the venue counts contracts that aren't units of base."""
        return self.market.counted

    @property
    def inverse(self) -> bool:
        """Whether a contract is an amount of quote currency."""
        return self.market.kind != "spot" and self.market.contract_in_quote

    def tick_at(self, price: Decimal) -> Decimal | None:
        """The step of prices that are about this large; None: there is none."""
        if self.digits is None or not price:
            return self.tick
        step = Decimal(1).scaleb(min(price.adjusted() - self.digits + 1, 0))
        return step if self.tick is None else max(self.tick, step)

    def size(self, quantity: Decimal, price: Decimal | None) -> Decimal:
        """A quantity of base as the venue counts it. Raises `InvalidOrder` where that takes a price, or isn't known."""
        if not self.counted:
            return quantity
        contract = self._contract()
        if not self.inverse:
            return EXACT.divide(quantity, contract)
        if price is None:
            needs = f"a quantity of {plain(quantity)} {self.base} needs a price: give quote_quantity instead"
            raise self.refusal(
                "contract_size", quantity, f"contracts of {self.symbol} are {plain(contract)} {self.quote} each, so that {needs}"
            )
        size = EXACT.divide(EXACT.multiply(quantity, price), contract)
        return _settled(size, self.step) if self.step is not None else size

    def size_of_quote(self, amount: Decimal) -> Decimal | None:
        """An amount of quote currency as the venue counts it; None where that depends on the price it is filled at."""
        return EXACT.divide(amount, self._contract()) if self.counted and self.inverse else None

    def quantity(self, size: Decimal, price: Decimal | None) -> Decimal | None:
        """The reverse of `size`; None where it takes a price."""
        if not self.counted:
            return size
        contract = self._contract()
        if not self.inverse:
            return EXACT.multiply(size, contract)
        return EXACT.divide(EXACT.multiply(size, contract), price) if price is not None else None

    def notional(self, size: Decimal, price: Decimal | None) -> Decimal | None:
        """What so much is worth in quote currency at a price; None where it takes one."""
        if self.inverse:
            return EXACT.multiply(size, self._contract())
        quantity = self.quantity(size, price)
        return EXACT.multiply(quantity, price) if quantity is not None and price is not None else None

    def refusal(self, rule: str, value: Decimal | str, reason: str, nearest: tuple[Decimal, ...] = ()) -> InvalidOrder:
        """The error that says which rule an order breaks."""
        error = InvalidOrder(reason, exchange=str(self.params["exchange"]))
        error.rule, error.value, error.nearest = rule, value, nearest
        return error

    def _contract(self) -> Decimal:
        if self.market.contract_size is None:
            raise self.refusal(
                "contract_size", self.symbol, f"the contract size of {self.symbol} isn't known, so that nothing can be sized"
            )
        return self.market.contract_size


class TermsBook:
    """The terms of every instrument, made once for each edition of the loaded instruments."""

    def __init__(self, markets: Markets, exchange: str, now: Callable[[], int]) -> None:
        self._markets, self._exchange, self._now = markets, exchange, now
        self._known: dict[str, Terms] = {}
        self._edition = -1

    def of(self, symbol: str) -> Terms:
        """The terms of a symbol or native id.

        Raises `InvalidSymbol` where no loaded instrument has it, or its id isn't that of it alone, or it isn't traded now.
        """
        if self._edition != self._markets.edition:
            self._known.clear()
            self._edition = self._markets.edition
        found = self._known.get(symbol)
        if found is None:
            found = self._known[symbol] = self._made(symbol)
        expiry = found.params["expiry"]
        if expiry is not None and expiry <= self._now():
            raise self._refused(symbol, f"{found.symbol} has expired")
        return found

    def _made(self, symbol: str) -> Terms:
        listed = self._markets.instrument(symbol)
        if listed is None:
            raise self._refused(symbol, f"no instrument {symbol[:80]!r} is listed now: an order needs one")
        params = self._markets.params(symbol)
        self._check_identity(symbol, listed, params)
        if listed.active is False:
            raise self._refused(symbol, f"{listed.symbol} is not traded now")
        market = self._markets.find(symbol)
        return Terms(
            market=market,
            symbol=str(market.symbol),
            base=listed.base,
            quote=listed.quote,
            settle=listed.settle,
            tick=_step(listed.tick_size),
            digits=listed.price_digits,
            step=_step(listed.step_size),
            least=_exact(listed.min_size),
            most=_exact(listed.max_size),
            least_notional=_exact(listed.min_notional),
            params={**params, "settle": listed.settle, "kind": listed.kind, "exchange": self._exchange, "expiry": listed.expiry},
        )

    def _check_identity(self, symbol: str, listed: Instrument, params: dict[str, Any]) -> None:
        """The id that will be sent is that of this instrument, and of no other."""
        market = self._markets.find(symbol)
        back = self._markets.within(market.category)(str(params["id"]))
        same = back.id == listed.id == params["id"] and back.symbol == market.symbol == (listed.symbol or listed.id)
        if any(market.symbol == conflict.symbol or listed.id == conflict.id for conflict in self._markets.conflicts):
            raise self._refused(symbol, f"the venue lists several instruments that are {market.symbol}: nothing is sent")
        named = Symbol.parse(market.symbol) if market.symbol and "/" in market.symbol else None
        if not same or (named is not None and (named.base, named.quote, named.kind) != (listed.base, listed.quote, listed.kind)):
            raise self._refused(symbol, f"{symbol[:80]!r} and the id {params['id']!r} aren't one and the same instrument: nothing is sent")

    def _refused(self, symbol: str, reason: str) -> InvalidSymbol:
        error = InvalidSymbol(reason, exchange=self._exchange)
        error.symbol = symbol
        return error


def _exact(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _step(number: Number | None) -> Decimal | None:
    """A step of 0 is none."""
    return _exact(number) or None


def _settled(size: Decimal, step: Decimal) -> Decimal:
    steps = EXACT.divide(size, step)
    whole = EXACT.to_integral_value(steps)
    return EXACT.multiply(whole, step) if abs(steps - whole) <= CLOSE * max(abs(whole), Decimal(1)) else size
