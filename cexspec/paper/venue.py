"""A venue on paper: accounts place orders, which trade with each other and with what the outside market offers."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from cexspec.models.errors import AuthenticationError, DuplicateOrder, InsufficientFunds, InvalidRequest, InvalidSymbol, OrderNotFound
from cexspec.models.events import Instrument
from cexspec.models.execution import Balance, Fill, MarginMode, Order, Position, PrivateEvent
from cexspec.models.order_request import OrderRequest
from cexspec.paper.account import Account
from cexspec.paper.amending import Change
from cexspec.paper.exact import exact
from cexspec.paper.execution import Execution
from cexspec.paper.intake import order_of
from cexspec.paper.ledger import Ledger
from cexspec.paper.orders import PaperOrder
from cexspec.paper.pit import Pit
from cexspec.paper.rules import DEFAULT, Rules
from cexspec.paper.terms import Terms

Levels = Iterable[tuple[Decimal, Decimal]]


class PaperVenue:
    """Times are nanoseconds and given; they don't go back. What changed for whom is told by `drain`.

    `instruments` are what is traded (options are left out). `identify` makes order ids of their numbers. Every method that
    is about an account raises `AuthenticationError` where there is none of that name, about a symbol `InvalidSymbol`.
    """

    def __init__(
        self, exchange: str, instruments: Iterable[Instrument], *, rules: Rules = DEFAULT, identify: Callable[[int], str] = str
    ) -> None:
        self.exchange, self._rules, self._identify = exchange, rules, identify
        self._pits: dict[str, Pit] = {}
        self._ledger = Ledger(exchange, rules, self._pits)
        self._execution = Execution(self._ledger)
        self._orders = 0
        self._expiries: list[tuple[int, int, PaperOrder]] = []
        for instrument in instruments:
            self.list(instrument)

    def list(self, instrument: Instrument) -> None:
        """Trade an instrument, if it is none that is traded already, and no option."""
        if instrument.kind != "option" and instrument.symbol is not None and instrument.symbol not in self._pits:
            self._pits[instrument.symbol] = Pit(Terms.of(instrument))

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Everybody's accounts by name: with the house's and the outside market's, nothing is lost among them."""
        return self._ledger.accounts

    @exact
    def deposit(self, account: str, currency: str, amount: Decimal, now: int) -> None:
        """Give money to an account (which is opened with it)."""
        self._ledger.accounts.setdefault(account, Account(account, self._rules)).add(currency, amount)
        self._ledger.now = now
        self._ledger.tell_balance(account, currency)

    @exact
    def place(self, account: str, request: OrderRequest, now: int, *, contracts: Decimal | None = None) -> Order:
        """Place an order; the state it has come to is given back. `contracts`: its quantity as the venue counts it.

        Raises `InvalidOrder` (its `code` is the rule), `InsufficientFunds`, `DuplicateOrder`.
        """
        owner, pit = self._enter(account, now), self._pit(request.symbol)
        if request.client_order_id is not None and request.client_order_id in owner.by_client_id:
            raise DuplicateOrder(f"client_order_id '{request.client_order_id}' was used before", exchange=self.exchange)
        order = order_of(request, pit, account, self._identify(self._orders + 1), now, contracts)
        self._execution.admit(order, pit, owner)
        self._orders += 1
        if order.expires is not None:
            heapq.heappush(self._expiries, (order.expires, self._orders, order))
        self._execution.begin(order, pit)
        self._ledger.settle()
        return order.event()

    @exact
    def amend(self, account: str, order_id: str, change: Change, now: int) -> Order:
        """Change an open order. Less quantity alone keeps its priority; it gives up its place for anything else.

        Raises `OrderNotFound`, and what `place` raises; it stays as it was then.
        """
        owner = self._enter(account, now)
        order = self._open(owner, order_id)
        self._execution.amend(order, change, self._pits[order.terms.symbol], owner)
        self._ledger.settle()
        return order.event()

    @exact
    def cancel(self, account: str, order_id: str, now: int) -> Order:
        """Cancel an open order. Raises `OrderNotFound` where there is none."""
        order = self._open(self._enter(account, now), order_id)
        self._ledger.move(order, "canceled")
        self._ledger.settle()
        return order.event()

    @exact
    def cancel_all(self, account: str, now: int, symbol: str | None = None) -> tuple[Order, ...]:
        """Cancel all open orders, of one instrument or of all."""
        owner = self._enter(account, now)
        orders = [order for order in owner.open.values() if symbol in (None, order.terms.symbol)]
        for order in orders:
            self._ledger.move(order, "canceled")
        self._ledger.settle()
        return tuple(order.event() for order in orders)

    @exact
    def order(self, account: str, order_id: str | None = None, client_order_id: str | None = None) -> Order:
        """An order, open or ended, by one of its ids. Raises `OrderNotFound`."""
        return self._known(self._account(account), order_id, client_order_id).event()

    @exact
    def open_orders(self, account: str, symbol: str | None = None) -> tuple[Order, ...]:
        """Open orders, oldest first."""
        return tuple(order.event() for order in self._account(account).open.values() if symbol in (None, order.terms.symbol))

    @exact
    def order_history(self, account: str, symbol: str | None = None) -> tuple[Order, ...]:
        """Orders that ended, in the order in which they did."""
        return tuple(order.event() for order in self._account(account).ended.values() if symbol in (None, order.terms.symbol))

    def fills(self, account: str, symbol: str | None = None, since: int = 0) -> tuple[Fill, ...]:
        """Executions from a time on, oldest first."""
        return tuple(fill for fill in self._account(account).fills if symbol in (None, fill.symbol) and (fill.timestamp or 0) >= since)

    @exact
    def positions(self, account: str, symbol: str | None = None) -> tuple[Position, ...]:
        """Open positions, at the price of now."""
        owner = self._account(account)
        held = [position for position in owner.positions.values() if position.units and symbol in (None, position.terms.symbol)]
        return tuple(self._ledger.position_event(owner, position.terms) for position in held)

    @exact
    def balances(self, account: str) -> tuple[Balance, ...]:
        """Balances by currency."""
        owner = self._account(account)
        return tuple(owner.balance(self.exchange, currency, self._ledger.now) for currency in sorted(owner.totals))

    @exact
    def set_leverage(self, account: str, symbol: str, leverage: Decimal, now: int) -> Position:
        """Set the leverage of an instrument. Raises `InvalidRequest`, and `InsufficientFunds` where the margin doesn't suffice."""
        owner, terms = self._enter(account, now), self._pit(symbol).terms
        if terms.spot or not 1 <= leverage <= self._rules.most_leverage:
            raise InvalidRequest(f"{symbol}: leverage is from 1 to {self._rules.most_leverage}, for derivatives", exchange=self.exchange)
        position = owner.position(terms)
        before, position.leverage = position.leverage, leverage
        if leverage < before and owner.free(terms.money) < 0:
            position.leverage = before
            raise InsufficientFunds(f"{symbol}: leverage {leverage} needs more margin than there is", exchange=self.exchange)
        self._ledger.touch(account, terms)
        self._ledger.settle()
        return self._ledger.position_event(owner, terms)

    @exact
    def set_margin_mode(self, account: str, symbol: str, mode: MarginMode, now: int) -> Position:
        """Set the margin mode of an instrument. Raises `InvalidRequest` while there is a position or an order."""
        owner, terms = self._enter(account, now), self._pit(symbol).terms
        if terms.spot:
            raise InvalidRequest(f"{symbol}: spot has no margin mode", exchange=self.exchange)
        position = owner.position(terms)
        if position.mode != mode and (position.units or any(owner.orders_of(symbol))):
            raise InvalidRequest(f"{symbol}: the margin mode stays while there is a position or an order", exchange=self.exchange)
        position.mode = mode
        self._ledger.touch(account, terms)
        self._ledger.settle()
        return self._ledger.position_event(owner, terms)

    @exact
    def set_market(self, symbol: str, bids: Levels, asks: Levels, now: int, *, counted: bool = False) -> None:
        """What the outside market offers from now on (price and size, best first); orders that it crosses are filled.

        Sizes are base currency, or `counted` as the venue counts them.
        """
        pit = self._pit(symbol)
        self.advance(now)
        sides = (list(side) if counted else [(price, pit.terms.in_units(size, price)) for price, size in side] for side in (bids, asks))
        pit.book.set_outside(*([(price, pit.terms.floor(units)) for price, units in side] for side in sides))
        self._execution.moved(pit)
        self._ledger.settle()

    @property
    def active(self) -> frozenset[str]:
        """Symbols in which somebody has an open order or a position."""
        owners = self._ledger.accounts.values()
        orders = {order.terms.symbol for owner in owners for order in owner.open.values()}
        return frozenset(orders | {symbol for owner in owners for symbol, position in owner.positions.items() if position.units})

    def terms(self, symbol: str) -> Terms:
        """The terms of an instrument."""
        return self._pit(symbol).terms

    @exact
    def set_price(self, symbol: str, price: Decimal, now: int) -> None:
        """The mark price from now on: it values positions and triggers stops."""
        pit = self._pit(symbol)
        self.advance(now)
        pit.mark = price
        self._execution.trigger(pit)
        self._ledger.settle()

    @exact
    def advance(self, now: int) -> None:
        """Time goes on: orders whose time is over expire."""
        self._ledger.now = max(now, self._ledger.now)
        while self._expiries and self._expiries[0][0] <= now:
            order = heapq.heappop(self._expiries)[2]
            if not order.final:
                self._ledger.move(order, "expired")
        self._ledger.settle()

    def drain(self) -> Iterator[tuple[str, PrivateEvent]]:
        """What has happened since the last time: account and event, in order."""
        while self._ledger.events:
            yield self._ledger.events.popleft()

    def _enter(self, account: str, now: int) -> Account:
        owner = self._account(account)
        self.advance(now)
        return owner

    def _account(self, name: str) -> Account:
        if name not in self._ledger.accounts:
            raise AuthenticationError(f"there is no account '{name}'", exchange=self.exchange)
        return self._ledger.accounts[name]

    def _pit(self, symbol: str) -> Pit:
        if symbol not in self._pits:
            raise InvalidSymbol(f"{symbol} is not traded here", exchange=self.exchange)
        return self._pits[symbol]

    def _known(self, owner: Account, order_id: str | None, client_order_id: str | None) -> PaperOrder:
        order = owner.open.get(order_id or "") or owner.ended.get(order_id or "") or owner.by_client_id.get(client_order_id or "")
        if order is None:
            raise OrderNotFound(f"there is no order '{order_id or client_order_id}'", exchange=self.exchange)
        return order

    def _open(self, owner: Account, order_id: str) -> PaperOrder:
        order = self._known(owner, order_id, None)
        if order.final:
            raise OrderNotFound(f"order '{order_id}' is {order.status} already", exchange=self.exchange)
        return order
