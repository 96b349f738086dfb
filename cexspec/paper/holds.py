"""What open orders and positions set aside. It follows from them, so it can't go wrong by itself."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.paper.exact import ZERO, ratio
from cexspec.paper.orders import PaperOrder
from cexspec.paper.positions import PaperPosition


def spot_hold(order: PaperOrder, fee: Decimal) -> tuple[str, Decimal]:
    """The currency a spot order pays with, and how much of it is set aside; `fee` is the rate of one that is paid on top."""
    if order.buys:
        value = order.terms.value(order.remaining, order.held_at)
        return order.terms.quote, value + value * fee
    return order.terms.base, order.remaining


def margin(position: PaperPosition, orders: Iterable[PaperOrder], fee: Decimal) -> Decimal:
    """What a position and the open orders of its instrument set aside, in the settlement currency.

    Only one side of the orders can add to a position, so the greater of both counts.
    """
    open_orders = list(orders)
    return position.margin + max(_added(position, open_orders, side, fee) for side in ("buy", "sell"))


def _added(position: PaperPosition, orders: list[PaperOrder], side: Side, fee: Decimal) -> Decimal:
    closing, total = position.reduced_by(side), ZERO
    for order in orders:
        if order.side != side or not order.held_at:
            continue
        opening = ZERO if order.reduce_only else max(ZERO, order.remaining - closing)
        if not order.reduce_only:
            closing = max(ZERO, closing - order.remaining)
        total += ratio(order.terms.value(opening, order.held_at), position.leverage)
        total += order.terms.value(order.remaining, order.held_at) * fee
    return total
