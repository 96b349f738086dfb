"""An account: its money, its orders, its positions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.models.execution import Balance, Fill, Liquidity
from cexspec.paper.exact import ZERO, plain
from cexspec.paper.holds import margin, spot_hold
from cexspec.paper.orders import PaperOrder
from cexspec.paper.positions import PaperPosition
from cexspec.paper.rules import Rules
from cexspec.paper.terms import Terms


class Account:
    """What one trader has. Money that open orders and positions need is in `used`, the rest of `total` is `free`."""

    def __init__(self, name: str, rules: Rules, balances: Mapping[str, Decimal] | None = None) -> None:
        self.name, self._rules = name, rules
        self.totals: dict[str, Decimal] = dict(balances or {})
        self.positions: dict[str, PaperPosition] = {}
        self.open: dict[str, PaperOrder] = {}
        self.ended: dict[str, PaperOrder] = {}
        self.by_client_id: dict[str, PaperOrder] = {}
        self.fills: deque[Fill] = deque(maxlen=rules.kept)

    def position(self, terms: Terms) -> PaperPosition:
        """The position in a derivative, flat where there is none yet."""
        if terms.symbol not in self.positions:
            self.positions[terms.symbol] = PaperPosition(terms, self._rules.leverage)
        return self.positions[terms.symbol]

    def orders_of(self, symbol: str) -> Iterator[PaperOrder]:
        """Open orders of one instrument, oldest first."""
        return (order for order in self.open.values() if order.terms.symbol == symbol)

    def enter(self, order: PaperOrder) -> None:
        """A new order. It counts from now on."""
        self.open[order.id] = order
        if not order.terms.spot:
            self.position(order.terms)
        if order.client_id is not None:
            self.by_client_id[order.client_id] = order

    def end(self, order: PaperOrder) -> None:
        """An order that ended; long ended ones are forgotten."""
        del self.open[order.id]
        self.ended[order.id] = order
        if len(self.ended) > self._rules.kept:
            oldest = self.ended.pop(next(iter(self.ended)))
            self.by_client_id.pop(oldest.client_id or "", None)

    def forget(self, order: PaperOrder) -> None:
        """An order that was refused: it was never there."""
        del self.open[order.id]
        self.by_client_id.pop(order.client_id or "", None)

    def total(self, currency: str) -> Decimal:
        """All there is of a currency."""
        return self.totals.get(currency, ZERO)

    def used(self, currency: str, without: PaperOrder | None = None) -> Decimal:
        """What open orders (all, or all but one) and positions set aside of a currency."""
        fee = max(ZERO, self._rules.taker) if self._rules.in_quote else ZERO
        holds = (spot_hold(order, fee) for order in self.open.values() if order.terms.spot and order is not without)
        spot = sum((amount for held, amount in holds if held == currency), ZERO)
        margins = (self.margin(position, without) for position in self.positions.values() if position.terms.money == currency)
        return spot + sum(margins, ZERO)

    def free(self, currency: str) -> Decimal:
        """What may be used; below 0 where losses took what stood behind positions."""
        return self.total(currency) - self.used(currency)

    def margin(self, position: PaperPosition, without: PaperOrder | None = None) -> Decimal:
        """What one position and the orders of its instrument set aside."""
        orders = (order for order in self.orders_of(position.terms.symbol) if order is not without)
        return margin(position, orders, max(ZERO, self._rules.taker))

    def behind(self, position: PaperPosition) -> Decimal:
        """The money that stands behind a position: its own margin, and with cross margin all that is free."""
        return position.margin + (max(ZERO, self.free(position.terms.money)) if position.mode == "cross" else ZERO)

    def add(self, currency: str, amount: Decimal) -> None:
        """Money comes, or goes (below 0)."""
        self.totals[currency] = self.total(currency) + amount

    def trade(self, terms: Terms, side: Side, units: Decimal, value: Decimal, liquidity: Liquidity | None) -> tuple[Decimal, str]:
        """Take part in a trade; gives the fee that was paid and its currency."""
        rate = self._rules.fee(liquidity) if liquidity is not None else ZERO
        if not terms.spot:
            fee = value * rate
            self.add(terms.money, self.position(terms).trade(side, units, value) - fee)
            return fee, terms.money
        received, amount = (terms.base, units) if side == "buy" else (terms.quote, value)
        paid, price = (terms.quote, value) if side == "buy" else (terms.base, units)
        self.add(paid, -price)
        self.add(received, amount)
        fee, currency = (value * rate, terms.quote) if self._rules.in_quote else (amount * rate, received)
        self.add(currency, -fee)
        return fee, currency

    def balance(self, exchange: str, currency: str, now: int) -> Balance:
        """The balance as it is told."""
        total = plain(self.total(currency))
        used = min(plain(self.used(currency)), total)
        return Balance(exchange=exchange, symbol=None, timestamp=now, currency=currency, total=total, used=used, free=total - used)
