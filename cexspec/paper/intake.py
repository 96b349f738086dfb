"""Orders as they come in: an `OrderRequest` made into an order of the engine, or refused by the rule that it breaks."""

from __future__ import annotations

from decimal import Decimal

from cexspec.models.events import Side
from cexspec.models.execution import TimeInForce
from cexspec.models.order_request import OrderRequest
from cexspec.paper.exact import ZERO, plain
from cexspec.paper.orders import PaperOrder
from cexspec.paper.pit import Pit
from cexspec.paper.terms import Terms


def order_of(request: OrderRequest, pit: Pit, account: str, order_id: str, now: int, contracts: Decimal | None) -> PaperOrder:
    """The order that is asked for. `contracts`: its quantity as the venue counts it, where that is known.

    Raises `InvalidOrder`; its `code` is the rule: `tick_size step_size min_size max_size min_notional expires reduce_only trigger
    quote_quantity`.
    """
    terms = pit.terms
    for price, what in ((request.price, "price"), (request.stop_price, "stop_price")):
        if price is not None:
            terms.check_price(price, what)
    _check_circumstances(request, pit, now)
    order = PaperOrder(
        id=order_id,
        account=account,
        terms=terms,
        side=request.side,
        type=request.type,
        units=units_of(terms, request.quantity, request.price or request.stop_price, contracts) or _spendable(request, pit),
        time_in_force=request.time_in_force or _usual(request),
        placed=now,
        price=request.price,
        stop_price=request.stop_price,
        client_id=request.client_order_id,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        expires=request.expires,
        held_at=request.price or request.stop_price or ZERO,
        waiting=request.conditional,
    )
    check(order, pit)
    return order


def check(order: PaperOrder, pit: Pit) -> None:
    """Raise `InvalidOrder` where the quantity, or what it is worth, breaks a rule of the instrument."""
    order.terms.check_units(order.units)
    order.terms.check_notional(order.units, order.price or order.stop_price or _best(order.buys, pit) or pit.price)


def check_trigger(terms: Terms, side: Side, stop: Decimal | None, pit: Pit) -> None:
    """Raise `InvalidOrder` (code `trigger`) where the price has reached a stop already."""
    price = pit.price
    if stop is not None and price is not None and (price >= stop if side == "buy" else price <= stop):
        terms.refuse("trigger", f"the price is {plain(price)}: stop_price {plain(stop)} would trigger at once")


def units_of(terms: Terms, quantity: Decimal | None, price: Decimal | None, contracts: Decimal | None) -> Decimal | None:
    """A quantity as it is counted here. Base currency of inverse contracts is rounded to the step: contracts divide no coins."""
    if contracts is not None or quantity is None:
        return contracts
    return terms.counted(quantity, price)


def _usual(request: OrderRequest) -> TimeInForce:
    return "gtc" if request.limited else "ioc"


def _best(buys: bool, pit: Pit) -> Decimal | None:
    offer = pit.book.best("sell" if buys else "buy")
    return offer.price if offer is not None else None


def _check_circumstances(request: OrderRequest, pit: Pit, now: int) -> None:
    terms = pit.terms
    if terms.spot and request.reduce_only:
        terms.refuse("reduce_only", "there are no positions in spot, nothing to reduce")
    if request.expires is not None and request.expires <= now:
        terms.refuse("expires", "it would have expired already")
    if request.quote_quantity is not None and not terms.spot:
        terms.refuse("quote_quantity", "quote_quantity is for spot")
    check_trigger(terms, request.side, request.stop_price, pit)


def _spendable(request: OrderRequest, pit: Pit) -> Decimal:
    """How much base currency so much quote currency buys, or has to be sold for it, now."""
    left, units = request.quote_quantity or ZERO, ZERO
    for offer in pit.book.offers("sell" if request.side == "buy" else "buy"):
        taken = min(offer.units, left / offer.price)
        units, left = units + taken, left - taken * offer.price
        if left <= 0 or taken < offer.units:
            break
    return pit.terms.floor(units)
