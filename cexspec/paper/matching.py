"""The matching of one instrument: who trades with whom, how much, at which price."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from cexspec.paper.book import OPPOSITE, Offer, PaperBook
from cexspec.paper.exact import ZERO
from cexspec.paper.orders import PaperOrder

Reducible = Callable[[PaperOrder], Decimal]
"""How many units an order of that account and side would close of its position."""


class Settlement(Protocol):
    """What follows from a match; a side that is None is the outside market."""

    def traded(self, taker: PaperOrder | None, maker: PaperOrder | None, units: Decimal, price: Decimal) -> None:
        """Both sides of a trade are settled, and counted in their orders."""

    def ended(self, order: PaperOrder, reason: str) -> None:
        """An order can go no further."""


def match(book: PaperBook, taker: PaperOrder, reducible: Reducible, settlement: Settlement) -> None:
    """Let an order take what there is at its price. It ends where its next counterpart would be the same account."""
    while (wanted := _allowed(taker, reducible)) and (offer := book.best(OPPOSITE[taker.side])) and taker.accepts(offer.price):
        maker = offer.order
        if maker is None:
            units = min(wanted, offer.units)
            book.take_outside(OPPOSITE[taker.side], units)
            settlement.traded(taker, None, units, offer.price)
        elif maker.account == taker.account:
            settlement.ended(taker, "self_trade")
        elif units := min(wanted, _allowed(maker, reducible)):
            settlement.traded(taker, maker, units, offer.price)
        else:
            settlement.ended(maker, "reduce_only")
    if not taker.final and not wanted:
        settlement.ended(taker, "reduce_only")


def match_outside(book: PaperBook, reducible: Reducible, settlement: Settlement) -> None:
    """Let resting orders trade with an outside market that has come to their prices, at their prices."""
    for side in OPPOSITE:
        while (maker := next(book.resting(side), None)) and (level := book.outside(OPPOSITE[side])) and maker.accepts(level[0]):
            if units := min(level[1], _allowed(maker, reducible)):
                book.take_outside(OPPOSITE[side], units)
                settlement.traded(None, maker, units, maker.price or level[0])
            else:
                settlement.ended(maker, "reduce_only")


def reach(book: PaperBook, taker: PaperOrder, reducible: Reducible) -> list[Offer]:
    """What an order could take now, in the order in which it would: up to its limit, its quantity, its own account's orders."""
    found: list[Offer] = []
    wanted, given = _allowed(taker, reducible), dict[str, Decimal]()
    for offer in book.offers(OPPOSITE[taker.side]):
        if not wanted or not taker.accepts(offer.price) or (offer.order is not None and offer.order.account == taker.account):
            break
        units = min(wanted, offer.units)
        if (maker := offer.order) is not None:
            before = given.get(maker.account, ZERO)
            units = min(units, max(ZERO, reducible(maker) - before)) if maker.reduce_only else units
            given[maker.account] = before + units
        if units:
            found.append(Offer(offer.price, units, offer.order))
            wanted -= units
    return found


def fillable(offers: list[Offer]) -> Decimal:
    """Units in some offers."""
    return sum((offer.units for offer in offers), ZERO)


def _allowed(order: PaperOrder, reducible: Reducible) -> Decimal:
    """How many units of an order may trade now: what remains of it, of a reduce-only order no more than it would close."""
    if order.final:
        return ZERO
    return min(order.remaining, reducible(order)) if order.reduce_only else order.remaining
