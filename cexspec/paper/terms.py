"""The terms on which an instrument is traded here: what a unit of it is worth, and which prices and quantities it takes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import NoReturn

from cexspec.models.errors import InvalidOrder
from cexspec.models.events import Instrument, Kind, Number
from cexspec.paper.exact import ZERO, plain, ratio


@dataclass(frozen=True, slots=True)
class Terms:
    """An instrument as the engine needs it. Quantities are units: what the venue counts, contracts or base currency.

    `unit` is what one unit stands for, in base currency, of inverse contracts in quote currency. `money` is the currency in
    which it is paid and settled. `step`, `min_size` and `max_size` are in units.
    """

    exchange: str
    symbol: str
    kind: Kind
    base: str
    quote: str
    money: str
    unit: Decimal
    inverse: bool
    tick: Decimal | None = None
    step: Decimal | None = None
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None

    @classmethod
    def of(cls, instrument: Instrument) -> Terms:
        """Those of a listed instrument. Raises `ValueError` for options: they aren't traded here."""
        if instrument.kind == "option" or instrument.symbol is None:
            raise ValueError(f"no paper trading of {instrument.symbol or instrument.id} ({instrument.kind})")
        spot = instrument.kind == "spot"
        return cls(
            exchange=instrument.exchange,
            symbol=instrument.symbol,
            kind=instrument.kind,
            base=instrument.base,
            quote=instrument.quote,
            money=instrument.quote if spot else instrument.settle or instrument.quote,
            unit=Decimal(1) if spot else _decimal(instrument.contract_size) or Decimal(1),
            inverse=not spot and instrument.settle == instrument.base and instrument.contract_currency == instrument.quote,
            tick=_decimal(instrument.tick_size),
            step=_decimal(instrument.step_size),
            min_size=_decimal(instrument.min_size),
            max_size=_decimal(instrument.max_size),
            min_notional=_decimal(instrument.min_notional),
        )

    @property
    def spot(self) -> bool:
        """Whether the thing itself changes hands: no positions, no margin."""
        return self.kind == "spot"

    def value(self, units: Decimal, price: Decimal) -> Decimal:
        """What so many units are worth at a price, in `money`."""
        return ratio(units * self.unit, price) if self.inverse else units * self.unit * price

    def price(self, units: Decimal, value: Decimal) -> Decimal:
        """The price at which so many units are worth so much."""
        return ratio(units * self.unit, value) if self.inverse else ratio(value, units * self.unit)

    def notional(self, units: Decimal, price: Decimal) -> Decimal:
        """What so many units are worth in quote currency."""
        return units * self.unit if self.inverse else units * self.unit * price

    def in_base(self, units: Decimal, price: Decimal | None) -> Decimal:
        """Units in base currency; of inverse contracts without a price, units of quote."""
        return ratio(units * self.unit, price) if self.inverse and price else units * self.unit

    def in_units(self, quantity: Decimal, price: Decimal | None) -> Decimal:
        """Base currency in units, as exact as the numbers are."""
        worth = quantity * price if self.inverse and price else quantity
        return worth if self.unit == 1 else ratio(worth, self.unit).normalize()

    def floor(self, units: Decimal) -> Decimal:
        """So many units, or the next lower quantity that the step allows."""
        return units if self.step is None else (units / self.step).to_integral_value(ROUND_FLOOR) * self.step

    def counted(self, quantity: Decimal, price: Decimal | None) -> Decimal:
        """A told quantity of base currency as it was counted: rounded to the step where telling it has rounded."""
        return self.floor(self.in_units(quantity, price) + (self.step or ZERO) / 2) if self.inverse else self.in_units(quantity, price)

    def check_price(self, price: Decimal, what: str = "price") -> None:
        """Raise `InvalidOrder` (code `tick_size`) with the nearest valid price where the tick doesn't divide it."""
        if self.tick is not None and price % self.tick:
            nearest = max(self.tick, (price / self.tick).to_integral_value(ROUND_HALF_EVEN) * self.tick)
            self.refuse("tick_size", f"{what} {plain(price)} is no multiple of {plain(self.tick)}; nearest: {plain(nearest)}")

    def check_units(self, units: Decimal) -> None:
        """Raise `InvalidOrder` (code `step_size`, `min_size`, `max_size`) with the nearest valid quantity."""
        if self.step is not None and units % self.step:
            nearest = max(self.step, (units / self.step).to_integral_value(ROUND_HALF_EVEN) * self.step)
            self.refuse("step_size", f"quantity {plain(units)} is no multiple of {plain(self.step)}; nearest: {plain(nearest)}")
        least = self.min_size or ZERO
        if units <= 0 or units < least:
            self.refuse("min_size", f"quantity {plain(units)} is below the least, {plain(least)}")
        if self.max_size and units > self.max_size:
            self.refuse("max_size", f"quantity {plain(units)} is above the most, {plain(self.max_size)}")

    def check_notional(self, units: Decimal, price: Decimal | None) -> None:
        """Raise `InvalidOrder` (code `min_notional`) where the order is worth too little; None: its price isn't known."""
        if self.min_notional and price is not None and self.notional(units, price) < self.min_notional:
            worth = plain(self.notional(units, price))
            self.refuse("min_notional", f"it is worth {worth} {self.quote}, the least is {plain(self.min_notional)}")

    def refuse(self, rule: str, message: str) -> NoReturn:
        """Raise `InvalidOrder`; its `code` and `rule` are the rule."""
        error = InvalidOrder(f"{self.symbol}: {message}", exchange=self.exchange, code=rule)
        error.rule = rule
        raise error


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None or not number else Decimal(str(number))
