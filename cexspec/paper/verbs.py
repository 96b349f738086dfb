"""The unified verbs of trading, done on paper: parameters as requests have them in, events out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from cexspec.models.errors import InvalidOrder, InvalidRequest
from cexspec.models.events import Event
from cexspec.models.execution import Order
from cexspec.models.order_request import OrderRequest
from cexspec.paper.amending import Change
from cexspec.paper.venue import PaperVenue

Params = Mapping[str, Any]

_FLAGS = ("post_only", "reduce_only")
_FIELDS = ("symbol", "side", "type", "price", "stop_price", "time_in_force", "client_order_id", "quote_quantity", "expires")


class PaperVerbs:
    """What an account may ask of a venue on paper. Numbers are Decimals or texts, `start`, `end` and `now` are nanoseconds.

    `size` is a quantity as the venue counts it, `quantity` one in base currency.
    """

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue
        self._known: dict[str, Callable[[str, Params, int], Sequence[Event]]] = {
            "place_order": self._place_order,
            "amend_order": self._amend_order,
            "cancel_order": self._cancel_order,
            "cancel_all_orders": lambda account, params, now: venue.cancel_all(account, now, params.get("symbol")),
            "order": lambda account, params, now: [self._order(account, params)],
            "open_orders": lambda account, params, now: venue.open_orders(account, params.get("symbol")),
            "order_history": lambda account, params, now: _within(venue.order_history(account, params.get("symbol")), params),
            "fills": self._fills,
            "positions": lambda account, params, now: venue.positions(account, params.get("symbol")),
            "balances": self._balances,
            "set_leverage": self._set_leverage,
            "set_margin_mode": self._set_margin_mode,
        }

    @property
    def names(self) -> frozenset[str]:
        """The verbs that are known."""
        return frozenset(self._known)

    def run(self, account: str, verb: str, params: Params, now: int) -> list[Event]:
        """What comes of it, oldest first. Raises `InvalidRequest` for a verb or parameters that mean nothing, and what the venue raises."""
        if verb not in self._known:
            raise InvalidRequest(f"nothing on paper is called {verb}", exchange=self._venue.exchange)
        return list(self._known[verb](account, params, now))

    def _place_order(self, account: str, params: Params, now: int) -> Sequence[Event]:
        size = _number(params, "size", "contracts")
        fields = {name: params[name] for name in _FIELDS if params.get(name) is not None}
        fields |= {name: str(params.get(name)).lower() == "true" for name in _FLAGS}
        fields |= {"client_order_id": str(fields["client_order_id"])} if "client_order_id" in fields else {}
        if "quote_quantity" not in fields:
            fields["quantity"] = size if size is not None else params.get("quantity")
        return [self._venue.place(account, self._request(fields), now, contracts=None if "quote_quantity" in fields else size)]

    def _amend_order(self, account: str, params: Params, now: int) -> Sequence[Event]:
        order, size, remaining = self._order(account, params), _number(params, "size", "contracts"), _number(params, "remaining")
        if size is None and remaining is not None:
            filled, price = Decimal(str(order.filled or 0)), _number({"price": order.price}, "price")
            size = remaining + self._venue.terms(str(order.symbol)).counted(filled, price)
        quantity = _number(params, "quantity") if size is None else None
        change = Change(quantity, size, _number(params, "price"), _number(params, "stop_price"))
        return [self._venue.amend(account, str(order.order_id), change, now)]

    def _cancel_order(self, account: str, params: Params, now: int) -> Sequence[Event]:
        return [self._venue.cancel(account, str(self._order(account, params).order_id), now)]

    def _fills(self, account: str, params: Params, now: int) -> Sequence[Event]:
        order_id = params.get("order_id")
        fills = self._venue.fills(account, params.get("symbol"))
        return _within([fill for fill in fills if order_id in (None, fill.order_id)], params)

    def _balances(self, account: str, params: Params, now: int) -> Sequence[Event]:
        return [one for one in self._venue.balances(account) if params.get("currency") in (None, one.currency)]

    def _set_leverage(self, account: str, params: Params, now: int) -> Sequence[Event]:
        leverage = _number(params, "leverage")
        if leverage is None:
            raise InvalidRequest("say which 'leverage'", exchange=self._venue.exchange)
        return [self._venue.set_leverage(account, str(params.get("symbol")), leverage, now)]

    def _set_margin_mode(self, account: str, params: Params, now: int) -> Sequence[Event]:
        mode = params.get("margin_mode")
        if mode != "cross" and mode != "isolated":
            raise InvalidRequest(f"no margin_mode '{mode}'", exchange=self._venue.exchange)
        return [self._venue.set_margin_mode(account, str(params.get("symbol")), mode, now)]

    def _order(self, account: str, params: Params) -> Order:
        ids = [None if params.get(name) is None else str(params[name]) for name in ("order_id", "client_order_id")]
        return self._venue.order(account, *ids)

    def _request(self, fields: Params) -> OrderRequest:
        try:
            return OrderRequest(**fields)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise InvalidOrder(f"{where}: {first['msg']}" if where else first["msg"], exchange=self._venue.exchange) from None


def _number(params: Params, *names: str) -> Decimal | None:
    found = next((params[name] for name in names if params.get(name) is not None), None)
    if found is None:
        return None
    try:
        return Decimal(str(found))
    except ArithmeticError:
        raise InvalidRequest(f"{names[0]} is no number: {str(found)[:40]!r}") from None


def _within(events: Sequence[Event], params: Params) -> Sequence[Event]:
    """The events of a span of time, the newest of them where there is a limit."""
    start, end, limit = params.get("start") or 0, params.get("end"), params.get("limit")
    found = [event for event in events if (event.timestamp or 0) >= start and (end is None or (event.timestamp or 0) <= end)]
    return found if limit is None else found[-int(limit) :]
