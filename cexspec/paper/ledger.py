"""The ledger: trades booked on both sides, and everything that changed told to whom it concerns."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.models.execution import Fill, Liquidity, OrderStatus, Position, PrivateEvent
from cexspec.paper.account import Account
from cexspec.paper.exact import ZERO, plain
from cexspec.paper.orders import PaperOrder
from cexspec.paper.pit import Pit
from cexspec.paper.rules import Rules
from cexspec.paper.terms import Terms

HOUSE = "house"
"""The account that takes fees, and pays what losses left of nobody's."""
OUTSIDE = "outside"
"""The account of the outside market: whatever it owes, it pays."""


class Ledger:
    """Accounts and what happens to them. `now` is the time of what goes on; `events` wait to be told."""

    def __init__(self, exchange: str, rules: Rules, pits: dict[str, Pit]) -> None:
        self._exchange, self._rules, self._pits = exchange, rules, pits
        self.accounts = {name: Account(name, rules) for name in (HOUSE, OUTSIDE)}
        self.events: deque[tuple[str, PrivateEvent]] = deque()
        self.now = 0
        self._trades = 0
        self._touched: dict[str, dict[str, Terms]] = {}
        self._told: dict[tuple[str, str], object] = {}

    def reducible(self, order: PaperOrder) -> Decimal:
        """How many units an order would close of its account's position."""
        return self.accounts[order.account].position(order.terms).reduced_by(order.side)

    def traded(self, taker: PaperOrder | None, maker: PaperOrder | None, units: Decimal, price: Decimal) -> None:
        """Book a trade on both sides; None is the outside market."""
        first = taker or maker
        if first is None:
            return
        self._trades += 1
        terms, value, side = first.terms, first.terms.value(units, price), first.side
        self._pits[terms.symbol].last = price
        sides: tuple[tuple[PaperOrder | None, Liquidity], ...] = ((taker, "taker"), (maker, "maker"))
        for order, liquidity in sides:
            if order is not None:
                self._booked(order, units, price, value, liquidity)
        if taker is None or maker is None:
            other: Side = "sell" if side == "buy" else "buy"
            self.accounts[OUTSIDE].trade(terms, other, units, value, None)

    def ended(self, order: PaperOrder, reason: str) -> None:
        """An order can go no further: `reason` says why."""
        self.move(order, "canceled", reason)

    def move(self, order: PaperOrder, status: OrderStatus, reason: str | None = None) -> None:
        """An order goes to another state, and out of the book at the end."""
        order.become(status, self.now, reason)
        self._changed(order)

    def touch(self, account: str, terms: Terms) -> None:
        """What an account has of this may have changed."""
        self._touched.setdefault(account, {})[terms.symbol] = terms

    def settle(self) -> None:
        """Put right what losses have broken, and tell of positions and balances that changed."""
        for name in sorted(self._touched):
            self._relieve(self.accounts[name], tuple(self._touched[name].values()))
        for name, touched in sorted(self._touched.items()):
            for terms in touched.values():
                self._tell_position(self.accounts[name], terms)
            for currency in sorted({currency for terms in touched.values() for currency in _currencies(terms)}):
                self.tell_balance(name, currency)
        self._touched.clear()

    def tell_balance(self, name: str, currency: str) -> None:
        """Tell an account what it has of a currency, if that has changed."""
        account = self.accounts[name]
        state = (account.total(currency), account.used(currency))
        if self._told.get((name, currency), (ZERO, ZERO)) != state:
            self._told[name, currency] = state
            self.events.append((name, account.balance(self._exchange, currency, self.now)))

    def position_event(self, account: Account, terms: Terms) -> Position:
        """A position as it is told now."""
        position = account.position(terms)
        return position.event(self.now, self._pits[terms.symbol].price, account.behind(position), self._rules.maintenance)

    def _booked(self, order: PaperOrder, units: Decimal, price: Decimal, value: Decimal, liquidity: Liquidity) -> None:
        account = self.accounts[order.account]
        fee, currency = account.trade(order.terms, order.side, units, value, liquidity)
        self.accounts[HOUSE].add(currency, fee)
        order.fill(units, value, fee, currency, self.now)
        fill = Fill(
            exchange=self._exchange,
            symbol=order.terms.symbol,
            timestamp=self.now,
            id=str(self._trades),
            order_id=order.id,
            client_order_id=order.client_id,
            side=order.side,
            price=plain(price),
            quantity=plain(order.terms.in_base(units, price)),
            fee=plain(fee),
            fee_currency=currency,
            liquidity=liquidity,
        )
        account.fills.append(fill)
        self.events.append((account.name, fill))
        self._changed(order)

    def _changed(self, order: PaperOrder) -> None:
        if order.final:
            self._pits[order.terms.symbol].remove(order)
            self.accounts[order.account].end(order)
        self.events.append((order.account, order.event()))
        self.touch(order.account, order.terms)

    def _relieve(self, account: Account, touched: tuple[Terms, ...]) -> None:
        """Where losses took what orders need, the newest of those orders end; what is owed beyond everything, the house pays."""
        for terms in touched:
            for order in [
                order for order in account.orders_of(terms.symbol) if order.reduce_only and not (order.waiting or self.reducible(order))
            ]:
                self.ended(order, "reduce_only")
        for currency in {currency for terms in touched for currency in _currencies(terms)}:
            for order in list(reversed(account.open.values())):
                if account.free(currency) >= 0:
                    break
                if currency in _pays_with(order):
                    self.ended(order, "insufficient_funds")
            if (owed := -account.total(currency)) > ZERO:
                account.add(currency, owed)
                self.accounts[HOUSE].add(currency, -owed)

    def _tell_position(self, account: Account, terms: Terms) -> None:
        if terms.spot:
            return
        position = account.position(terms)
        state = (position.units, position.cost, position.leverage, position.mode)
        if self._told.get((account.name, terms.symbol), (ZERO, ZERO, self._rules.leverage, "cross")) != state:
            self._told[account.name, terms.symbol] = state
            self.events.append((account.name, self.position_event(account, terms)))


def _currencies(terms: Terms) -> tuple[str, ...]:
    return (terms.base, terms.quote) if terms.spot else (terms.money,)


def _pays_with(order: PaperOrder) -> tuple[str]:
    if not order.terms.spot:
        return (order.terms.money,)
    return (order.terms.quote if order.buys else order.terms.base,)
