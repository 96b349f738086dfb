"""Places orders: checked first, sent once, and not given up before the outcome is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from cexspec.engine.sent import Mark
from cexspec.engine.trading.acks import Draft, completed
from cexspec.engine.trading.desk import Desk
from cexspec.engine.trading.outcome import Question, Ruling, unsettled
from cexspec.engine.trading.params import order_params
from cexspec.engine.trading.rules import measure
from cexspec.models import CexspecError, DecodeError, DuplicateOrder, Order, OrderUnknown
from cexspec.models.order_request import OrderRequest


@dataclass(frozen=True, slots=True)
class Placing:
    """The way of an order from a request to what the venue makes of it."""

    desk: Desk

    async def draft(self, request: OrderRequest, *, rounded: bool) -> Draft:
        """A request that passed all checks. Raises `InvalidOrder`, `InvalidSymbol`, `DuplicateOrder`."""
        desk = self.desk
        client_order_id = desk.client_ids.of(request.client_order_id)
        if request.client_order_id is not None and desk.tracker.find(None, client_order_id) is not None:
            text = f"client_order_id {client_order_id!r} was used before: nothing was sent"
            raise DuplicateOrder(text, exchange=desk.exchange, endpoint="place_order")
        terms = await desk.terms(request.symbol)
        measured = measure(request, terms, rounded=rounded)
        if not desk.guard.off:
            at = measured.price if measured.price is not None else measured.stop_price
            await desk.guard.check(request.side, measured.size, at, request.quote_quantity, terms)
        worst = None if request.limited else await desk.worst.of(request.side, measured.stop_price, terms)
        return Draft(request, terms, measured, client_order_id, worst)

    async def place(self, draft: Draft, timeout: float | None) -> Order:
        """The order as the venue took it. Raises its refusal, or `OrderUnknown`."""
        what = f"the order {draft.client_order_id} of {draft.terms.symbol}"
        return await self.desk.errands.run(what, partial(self._send, draft, timeout))

    async def _send(self, draft: Draft, timeout: float | None, mark: Mark) -> Order:
        desk = self.desk
        params = order_params(draft, desk.client_ids.native(draft.client_order_id))
        operation = desk.writes.operation("place_order", params)
        try:
            rows = await desk.writes.run(operation, params, timeout=timeout)
        except CexspecError as failure:
            if not (mark.sent and unsettled(failure)):
                raise
            return await self.looked_up(draft, failure)
        ack = next((row for row in rows if isinstance(row, Order)), None)
        if ack is None and operation.reader is not None and not desk.dry:
            unread = DecodeError("the answer tells of no order", exchange=desk.exchange, channel=operation.name)
            return await self.looked_up(draft, unread)
        return self.taken(ack, draft)

    async def looked_up(self, draft: Draft, failure: CexspecError) -> Order:
        """What was sent, as the venue has it. Raises the failure where it surely isn't there, else `OrderUnknown`."""
        desk = self.desk
        if draft.client_order_id is None:
            raise self._unknown(draft, failure, "it has no client_order_id to look it up by") from failure
        params = {**draft.terms.params, "client_order_id": desk.client_ids.native(draft.client_order_id)}
        if draft.request.conditional:
            params["conditional"] = True
        found = await desk.outcomes.settle(Question(params, partial(_placed, draft)), failure)
        if found is None:
            raise self._unknown(draft, failure, "looking it up brought no answer") from failure
        return self.taken(found, draft)

    def taken(self, ack: Order | None, draft: Draft) -> Order:
        """The order by its acknowledgement and by what was asked for; known from now on, unless in a dry run."""
        known = draft.order(self.desk.exchange, self.desk.number)
        if self.desk.dry:
            return replace(known, status="pending")
        order = known if ack is None else completed(ack, known)
        return self.desk.tracker.update(order)[0]

    def _unknown(self, draft: Draft, failure: CexspecError, why: str) -> OrderUnknown:
        request, name = draft.request, draft.client_order_id
        text = (
            f"{self.desk.exchange}: the {request.side} order of {draft.terms.symbol} (client_order_id {name}) was sent, and whether it was"
            f" placed is unknown: {failure}; {why}. Don't send it again: look for it with get_order(client_order_id=...),"
            " get_open_orders() and get_fills(), and act on what they say"
        )
        return OrderUnknown(text, symbol=draft.terms.symbol, client_order_id=name, request=request)


def _placed(draft: Draft, found: Order | None) -> Ruling:
    """Whether the order that has the id of a draft is it."""
    if found is None:
        return "not yet"
    told = (found.symbol in (None, draft.terms.symbol), found.side in (None, draft.request.side))
    return "done" if all(told) else "can't tell"
