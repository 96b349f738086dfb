"""Amends and cancels orders. Where the answer is missing the state of the order tells what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace

from cexspec.engine.sent import Mark
from cexspec.engine.trading.desk import Desk
from cexspec.engine.trading.outcome import Question, Ruling, unsettled
from cexspec.engine.trading.rules import on_tick, sized
from cexspec.engine.trading.terms import Terms
from cexspec.engine.trading.tracker import merged
from cexspec.models import CexspecError, InvalidOrder, Number, Order, OrderNotFound, OrderUnknown, Side
from cexspec.models.execution import FINAL


@dataclass(frozen=True, slots=True)
class Change:
    """What of an order shall be otherwise; None: as it is."""

    price: Decimal | None = None
    quantity: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Sending:
    """What is sent, how the order shows that it took effect, and the fields that it makes."""

    verb: str
    params: dict[str, Any]
    rule: Callable[[Order | None], Ruling]
    changed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changing:
    """Changes orders that are at the venue."""

    desk: Desk

    async def cancel(self, params: dict[str, Any], timeout: float | None) -> Order:
        """What the venue says of the order now; `status` is None where the answer doesn't say.

        Raises the refusal, or `OrderUnknown`.
        """
        if "order_id" not in params and self.desk.verbs.finder("cancel_order", params) is None:
            params = {**params, "order_id": (await self._known(params, "cancel_order")).order_id}
        sending = _Sending("cancel_order", params, _canceled, {})
        return await self.desk.errands.run(f"the cancel of {_name(params)}", partial(self._send, sending, timeout))

    async def amend(self, params: dict[str, Any], change: Change, timeout: float | None, *, rounded: bool) -> Order:
        """The order as it is to be. Raises `InvalidOrder`, `OrderNotFound`, the venue's refusal, or `OrderUnknown`."""
        resizing = change.quantity is not None and self.desk.verbs.takes("amend_order", "remaining")
        known = await self._known(params, "amend_order", fresh=resizing)
        terms = await self.desk.terms(str(known.symbol))
        wanted = await self._wanted(known, change, terms, rounded=rounded)
        params = {**params, **terms.params, **wanted}
        sending = _Sending("amend_order", params, partial(_amended, wanted), self._numbers(known, wanted))
        return await self.desk.errands.run(f"the change of {_name(params)}", partial(self._send, sending, timeout))

    def _numbers(self, known: Order, wanted: dict[str, Any]) -> dict[str, Any]:
        """The fields of the order that the change makes."""
        fields: dict[str, Any] = {name: self.desk.number(wanted[name]) for name in ("price", "stop_price", "quantity") if name in wanted}
        if known.filled is not None and "quantity" in fields:
            fields["remaining"] = fields["quantity"] - known.filled
        return fields

    async def _known(self, params: dict[str, Any], verb: str, *, fresh: bool = False) -> Order:
        """The order that shall change, as it is known here, else (or where it must be `fresh`) at the venue."""
        known = self.desk.tracker.find(params.get("order_id"), _client_id(params))
        if known is None or fresh or None in (known.symbol, known.side, known.type, known.quantity):
            known = await self.desk.look_up(params)
            if known is None:
                raise OrderNotFound(f"no order {_name(params)}", exchange=self.desk.exchange, endpoint=verb)
        return known

    async def _wanted(self, known: Order, change: Change, terms: Terms, *, rounded: bool) -> dict[str, Any]:
        """All numbers of the order as it shall be."""
        side: Side = known.side or "buy"
        price = on_tick("price", _first(change.price, known.price), side, terms, rounded=rounded)
        stop_price = on_tick("stop_price", _first(change.stop_price, known.stop_price), side, terms, rounded=rounded)
        quantity = _first(change.quantity, known.quantity)
        if quantity is None:
            raise InvalidOrder("the order's quantity isn't known: say which it shall be", exchange=self.desk.exchange)
        at = price if price is not None else stop_price
        size = sized(terms.size(quantity, at), at, terms, rounded=rounded)
        await self.desk.guard.check(side, size, at, None, terms)
        wanted = {
            "side": known.side,
            "type": known.type,
            "time_in_force": known.time_in_force,
            "post_only": known.post_only or None,
            "reduce_only": known.reduce_only or None,
            "price": price,
            "stop_price": stop_price,
            "worst_price": await self.desk.worst.of(side, stop_price, terms) if price is None else None,
            "size": size,
            "quantity": terms.quantity(size, at),
            "contracts": size if terms.market.kind != "spot" else None,
            "remaining": self._left(known, size, at, terms) if change.quantity is not None else None,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def _left(self, known: Order, size: Decimal, price: Decimal | None, terms: Terms) -> Decimal:
        """What of a size is not filled yet: some venues are told that instead of the whole."""
        left = size - terms.size(_first(None, known.filled) or Decimal(0), price)
        if left <= 0:
            raise terms.refusal("filled", size, f"{known.filled} of the order is filled already: it can't be made {size}")
        return left

    async def _send(self, sending: _Sending, timeout: float | None, mark: Mark) -> Order:
        desk = self.desk
        try:
            rows = await desk.writes.call(sending.verb, sending.params, timeout=timeout)
        except CexspecError as failure:
            if not (mark.sent and unsettled(failure)):
                raise
            found = await desk.outcomes.settle(Question(sending.params, sending.rule), failure)
            if found is None:
                raise self._unknown(sending, failure) from failure
            return desk.tracker.update(found)[0]
        return self._told(next((row for row in rows if isinstance(row, Order)), None), sending)

    def _told(self, ack: Order | None, sending: _Sending) -> Order:
        """The order by the venue's answer, by what was changed, and by what is known of it.

        Where it was to be canceled, the answer alone tells whether it is.
        """
        desk, params, changed = self.desk, sending.params, sending.changed
        told = Order(exchange=desk.exchange, symbol=params.get("symbol"))
        order = merged(ack or told, replace(told, order_id=params.get("order_id"), client_order_id=_client_id(params), **changed))
        before = desk.tracker.find(order.order_id, order.client_order_id)
        if desk.dry or (before is None and order.status is None):
            return order if before is None else merged(order, replace(before, status=None))
        known = desk.tracker.update(order)[0]
        return known if changed else replace(known, status=order.status)

    def _unknown(self, sending: _Sending, failure: CexspecError) -> OrderUnknown:
        params = sending.params
        text = (
            f"{self.desk.exchange}: {sending.verb} of {_name(params)} was sent, and whether it took effect is unknown: {failure};"
            " looking the order up brought no answer. Look at it with get_order() before anything else"
        )
        return OrderUnknown(text, symbol=params.get("symbol"), order_id=params.get("order_id"), client_order_id=_client_id(params))


def _canceled(found: Order | None) -> Ruling:
    """Whether an order is no longer open."""
    if found is None:
        return "can't tell"
    return "done" if found.status in FINAL else "not yet"


def _amended(wanted: dict[str, Any], found: Order | None) -> Ruling:
    """Whether an order has these numbers."""
    if found is None:
        return "can't tell"
    same = all(_same(wanted.get(name), getattr(found, name)) for name in ("price", "stop_price", "quantity"))
    if same:
        return "done"
    return "can't tell" if found.status in ("canceled", "expired") else "never" if found.status in FINAL else "not yet"


def _same(wanted: Decimal | None, found: Number | None) -> bool:
    return wanted is None or (found is not None and wanted == Decimal(str(found)))


def _first(wanted: Decimal | None, known: Number | None) -> Decimal | None:
    return wanted if wanted is not None else None if known is None else Decimal(str(known))


def _client_id(params: dict[str, Any]) -> str | None:
    """The client's own id as users know it: text, also where requests hold a number."""
    native = params.get("client_order_id")
    return None if native is None else str(native)


def _name(params: dict[str, Any]) -> str:
    return " ".join(f"{name} {params[name]}" for name in ("order_id", "client_order_id") if params.get(name) is not None)
