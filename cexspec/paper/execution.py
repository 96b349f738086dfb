"""The life of an order: admitted, waiting for its stop, matched, resting, ended."""

from __future__ import annotations

from decimal import Decimal

from cexspec.models.errors import InsufficientFunds
from cexspec.paper.account import Account
from cexspec.paper.amending import Change, amended, keeps_place, take_over
from cexspec.paper.exact import plain
from cexspec.paper.ledger import Ledger
from cexspec.paper.matching import fillable, match, match_outside, reach
from cexspec.paper.orders import PaperOrder
from cexspec.paper.pit import Pit


class Execution:
    """Takes orders through their lives, with a ledger that books what happens."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def admit(self, order: PaperOrder, pit: Pit, owner: Account) -> None:
        """Let an order in. Raises `InvalidOrder` or `InsufficientFunds`; it leaves no trace then."""
        self._check_post_only(order, pit)
        if order.reduce_only and not order.waiting and not self._ledger.reducible(order):
            order.terms.refuse("reduce_only", "there is no position that it would reduce")
        owner.enter(order)
        try:
            self.check_funds(order, pit, owner)
        except InsufficientFunds:
            owner.forget(order)
            raise

    def check_funds(self, order: PaperOrder, pit: Pit, owner: Account) -> None:
        """Set aside what an open order needs. Raises `InsufficientFunds` where there is less."""
        currency = order.terms.base if order.terms.spot and not order.buys else order.terms.money
        order.held_at = self._worst(order, pit)
        before, used = owner.used(currency, without=order), owner.used(currency)
        if used > before and owner.total(currency) < used:
            need, free = plain(used - before), plain(max(Decimal(0), owner.total(currency) - before))
            message = f"{order.terms.symbol}: it needs {need} {currency}, {free} {currency} is free"
            raise InsufficientFunds(message, exchange=order.terms.exchange)

    def begin(self, order: PaperOrder, pit: Pit) -> None:
        """Begin an order's life: it waits, or is matched."""
        if order.waiting:
            pit.wait(order)
            self._ledger.move(order, "pending")
        else:
            self._ledger.move(order, "new")
            self._execute(order, pit)
            self.trigger(pit)

    def amend(self, order: PaperOrder, change: Change, pit: Pit, owner: Account) -> None:
        """Change an order, and go on with it; one that gives up its place is matched anew. Raises as `admit` does."""
        copy = amended(order, change, pit)
        self._check_post_only(copy, pit)
        owner.open[order.id] = copy
        try:
            self.check_funds(copy, pit, owner)
        finally:
            owner.open[order.id] = order
        matched = not keeps_place(order, copy) and not order.waiting
        if matched:
            pit.book.remove(order)
        take_over(order, copy)
        self._ledger.move(order, order.status)
        if matched:
            self._execute(order, pit)
        self.trigger(pit)

    def moved(self, pit: Pit) -> None:
        """The outside market has moved."""
        pit.last = pit.book.mid() or pit.last
        match_outside(pit.book, self._ledger.reducible, self._ledger)
        self.trigger(pit)

    def trigger(self, pit: Pit) -> None:
        """Let orders begin whose stop was reached; what they do may reach those of others."""
        while (order := pit.triggered()) is not None:
            order.waiting = False
            self._ledger.move(order, "new")
            try:
                self.check_funds(order, pit, self._ledger.accounts[order.account])
            except InsufficientFunds:
                self._ledger.ended(order, "insufficient_funds")
            else:
                self._execute(order, pit)

    def _execute(self, order: PaperOrder, pit: Pit) -> None:
        if order.post_only and self._crosses(order, pit):
            self._ledger.ended(order, "post_only")
        elif order.time_in_force == "fok" and fillable(reach(pit.book, order, self._ledger.reducible)) < order.remaining:
            self._ledger.ended(order, "fill_or_kill")
        else:
            match(pit.book, order, self._ledger.reducible, self._ledger)
            self._rest(order, pit)

    def _rest(self, order: PaperOrder, pit: Pit) -> None:
        if order.final:
            return
        if order.price is None or order.time_in_force in ("ioc", "fok"):
            self._ledger.ended(order, "no_liquidity" if order.price is None else "immediate_or_cancel")
        else:
            order.held_at = order.price
            pit.book.rest(order)

    def _check_post_only(self, order: PaperOrder, pit: Pit) -> None:
        if order.post_only and not order.waiting and self._crosses(order, pit):
            order.terms.refuse("post_only", "it would trade at once, and is post-only")

    def _crosses(self, order: PaperOrder, pit: Pit) -> bool:
        best = pit.book.best("sell" if order.buys else "buy")
        return best is not None and order.accepts(best.price)

    def _worst(self, order: PaperOrder, pit: Pit) -> Decimal:
        """The price at which an order needs the most: its own, or that of what it could take now."""
        if order.waiting:
            return order.price or order.stop_price or Decimal(0)
        offers = reach(pit.book, order, self._ledger.reducible)
        units = fillable(offers)
        taken = (
            order.terms.price(units, sum((order.terms.value(offer.units, offer.price) for offer in offers), Decimal(0))) if units else None
        )
        prices = [price for price in (order.price, taken) if price is not None]
        if not prices:
            return pit.price or Decimal(0)
        if order.terms.spot and order.price is not None:
            return order.price
        return min(prices) if order.terms.inverse else max(prices)
