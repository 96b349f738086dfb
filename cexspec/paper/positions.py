"""A position in a derivative: what it cost, what it is worth, when it would be liquidated."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.models.execution import MarginMode, Position
from cexspec.paper.exact import ZERO, plain, price_told, ratio
from cexspec.paper.terms import Terms


@dataclass(slots=True)
class PaperPosition:
    """One account's net position. `units` and `cost` (their value when they were opened) are below 0 for a short one."""

    terms: Terms
    leverage: Decimal
    mode: MarginMode = "cross"
    units: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO

    @property
    def margin(self) -> Decimal:
        """What is set aside for it, in the settlement currency."""
        return ratio(abs(self.cost), self.leverage)

    @property
    def entry(self) -> Decimal | None:
        """The average price at which it was opened."""
        return self.terms.price(abs(self.units), abs(self.cost)) if self.units else None

    def reduced_by(self, side: Side) -> Decimal:
        """How many units an order of this side would close."""
        return max(ZERO, self.units if side == "sell" else -self.units)

    def trade(self, side: Side, units: Decimal, value: Decimal) -> Decimal:
        """Take part in a trade; what is closed by it gives a profit, or a loss (below 0), in the settlement currency."""
        sign = 1 if side == "buy" else -1
        closed = min(units, self.reduced_by(side))
        profit = ZERO
        if closed:
            given = self.cost if closed == abs(self.units) else ratio(self.cost * closed, abs(self.units))
            taken = value if closed == units else ratio(value * closed, units)
            profit = -sign * (taken - abs(given)) * self._direction
            self.units += sign * closed
            self.cost -= given
            units, value = units - closed, value - taken
        self.units += sign * units
        self.cost += sign * value
        self.realised += profit
        return profit

    def unrealised(self, mark: Decimal) -> Decimal:
        """Profit or loss if it were closed at this price."""
        if not self.units:
            return ZERO
        sign = 1 if self.units > 0 else -1
        return sign * (self.terms.value(abs(self.units), mark) - abs(self.cost)) * self._direction

    def liquidation(self, margin: Decimal, maintenance: Decimal) -> Decimal | None:
        """The price at which so much margin is worn down to `maintenance` (a fraction of its value). None: it never is."""
        if not self.units:
            return None
        sign, cost, size = (1 if self.units > 0 else -1), abs(self.cost), abs(self.units) * self.terms.unit
        kept = cost - sign * self._direction * margin
        share = size * (1 - sign * self._direction * maintenance)
        if kept <= 0:
            return None
        return ratio(share, kept) if self.terms.inverse else ratio(kept, share)

    def event(self, now: int, mark: Decimal | None, margin: Decimal, maintenance: Decimal) -> Position:
        """The position as it is told; `margin` is what stands behind it."""
        entry, liquidation = self.entry, self.liquidation(margin, maintenance)
        return Position(
            exchange=self.terms.exchange,
            symbol=self.terms.symbol,
            timestamp=now,
            side=None if not self.units else "long" if self.units > 0 else "short",
            quantity=plain(self.terms.in_base(abs(self.units), entry)),
            contracts=plain(abs(self.units)),
            entry_price=price_told(entry),
            mark_price=mark,
            liquidation_price=price_told(liquidation),
            unrealized_pnl=None if mark is None else plain(self.unrealised(mark)),
            leverage=self.leverage,
            margin_mode=self.mode,
        )

    @property
    def _direction(self) -> int:
        """Inverse contracts are worth less of the base currency the higher the price is."""
        return -1 if self.terms.inverse else 1
