"""Changes to open orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from cexspec.paper.intake import check, check_trigger, units_of
from cexspec.paper.orders import PaperOrder
from cexspec.paper.pit import Pit


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different; None stays. `quantity` is the whole one, with what is filled, in base currency or `contracts`."""

    quantity: Decimal | None = None
    contracts: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None


def amended(order: PaperOrder, change: Change, pit: Pit) -> PaperOrder:
    """A copy of the order as it would be. Raises `InvalidOrder`; its `code` is the rule, `amend` where it has no such price."""
    price, stop_price = change.price or order.price, change.stop_price or order.stop_price
    if (order.price is None) != (price is None) or (order.stop_price is None) != (stop_price is None):
        order.terms.refuse("amend", f"a {order.type} order has no such price")
    if change.stop_price is not None and not order.waiting:
        order.terms.refuse("amend", "its stop was triggered already")
    units = units_of(order.terms, change.quantity, price or stop_price, change.contracts) or order.units
    copy = replace(order, units=units, price=price, stop_price=stop_price)
    for changed, what in ((change.price, "price"), (change.stop_price, "stop_price")):
        if changed is not None:
            order.terms.check_price(changed, what)
    check(copy, pit)
    if copy.remaining <= 0:
        order.terms.refuse("amend", "so much of it is filled already")
    if order.waiting:
        check_trigger(copy.terms, copy.side, copy.stop_price, pit)
    return copy


def keeps_place(order: PaperOrder, copy: PaperOrder) -> bool:
    """Whether the changed order keeps its priority: only for less."""
    return copy.units <= order.units and copy.price == order.price


def take_over(order: PaperOrder, copy: PaperOrder) -> None:
    """Make the order what its changed copy is."""
    order.units, order.price, order.stop_price, order.held_at = copy.units, copy.price, copy.stop_price, copy.held_at
