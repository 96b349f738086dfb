"""Orders and accounts of an exchange, as users ask for them (`client.trade`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, TypedDict, TypeVar, Unpack

from pydantic import ValidationError

from cexspec.engine.stream import Stream
from cexspec.engine.stream_client import AnySymbol, How
from cexspec.engine.times import Time, nanoseconds
from cexspec.engine.trading.batch import Batches
from cexspec.engine.trading.changing import Change, Changing
from cexspec.engine.trading.desk import Desk
from cexspec.engine.trading.dry_run import DryVerbs
from cexspec.engine.trading.following import Following
from cexspec.engine.trading.placing import Placing
from cexspec.engine.trading.side import PrivateStreams
from cexspec.models import (
    Balance,
    CexspecError,
    Event,
    Fill,
    InvalidOrder,
    InvalidRequest,
    NotSupported,
    Order,
    OrderNotFound,
    Position,
)
from cexspec.models.order_request import OrderRequest

M = TypeVar("M", bound=Event)
Amount = Decimal | int | str | float

VERBS = {
    "place_order": "place_order",
    "place_orders": "place_orders",
    "amend_order": "amend_order",
    "cancel_order": "cancel_order",
    "cancel_all_orders": "cancel_all_orders",
    "get_order": "order",
    "get_open_orders": "open_orders",
    "get_order_history": "order_history",
    "get_fills": "fills",
    "get_positions": "positions",
    "get_balances": "balances",
    "set_leverage": "set_leverage",
    "set_margin_mode": "set_margin_mode",
}
"""Method -> the unified verb that it calls."""

CHANGING = frozenset({"cancel_all_orders", "set_leverage", "set_margin_mode"})


class OrderFields(TypedDict, total=False):
    """The fields of an `OrderRequest`, in place of one."""

    symbol: str
    side: Literal["buy", "sell"]
    type: Literal["market", "limit", "stop_market", "stop_limit"]
    quantity: Amount
    price: Amount
    stop_price: Amount
    time_in_force: Literal["gtc", "ioc", "fok", "gtd"]
    post_only: bool
    reduce_only: bool
    client_order_id: str
    quote_quantity: Amount
    leverage: Amount
    margin_mode: Literal["cross", "isolated"]
    position_side: Literal["long", "short"]
    expires: int
    strategy_id: str
    metadata: dict[str, Any]


class TradeClient:
    """Orders and accounts of one exchange.

    Quantities are in base currency and prices in quote currency, whatever the venue counts. Every order is checked against the
    rules of its instrument before it is sent, and sent once: where the answer is missing the order is looked up by its client
    id. A call that is cancelled after the order has left goes on by itself; its outcome is logged, and `order` knows it.

    Every method raises `NotSupported` where the spec declares no such operation, `TradingDisabled` where this client may not
    trade, `InvalidSymbol`, `InvalidRequest`, the venue's `ExchangeError`, `TransportError`, `DecodeError`.
    """

    def __init__(self, desk: Desk, streams: PrivateStreams, following: Following, closing: Callable[[], Awaitable[None]]) -> None:
        self._desk, self._streams, self._following, self._closing = desk, streams, following, closing
        streams.on_private_ready(following.recovered)
        self._placing, self._changing = Placing(desk), Changing(desk)

    def supports(self, name: str) -> bool:
        """Whether there is what a method of this name calls, here or (on paper) in this process."""
        if name.startswith("stream_"):
            return self._streams.offers(name.removeprefix("stream_"))
        needed = ("open_orders", "cancel_order") if name == "cancel_all_orders" else ()
        serving = self._desk.verbs.serving
        return name in VERBS and (bool(serving(VERBS[name])) or (bool(needed) and all(map(serving, needed))))

    @property
    def orders(self) -> list[Order]:
        """The orders known to this client that have not ended, as far as it knows."""
        return self._desk.tracker.open

    def order(self, order_id: str | None = None, *, client_order_id: str | None = None) -> Order | None:
        """An order as this client knows it, without asking; None: it doesn't."""
        return self._desk.tracker.find(order_id, client_order_id)

    @property
    def dry_runs(self) -> list[str]:
        """The requests that a dry run would have sent, the latest last, with secrets masked."""
        return list(self._desk.writes.requests) if isinstance(self._desk.writes, DryVerbs) else []

    async def place_order(
        self,
        request: OrderRequest | None = None,
        *,
        round_to_instrument: bool = False,
        timeout: float | None = None,
        **fields: Unpack[OrderFields],
    ) -> Order:
        """Place an order: an `OrderRequest`, or its fields.

        What the venue's answer leaves out is as it was asked for. `round_to_instrument`: prices go to the tick (of a buy down,
        of a sell up) and quantities down to the step, where they would be refused. `timeout` bounds the sending, in seconds.

        Raises `InvalidOrder` that says which rule is broken, the value, and the `nearest` valid ones; `OrderUnknown` where
        the order was sent and nothing tells what became of it; any other error means that it was not placed.
        """
        self._permit("place_order")
        draft = await self._placing.draft(self._request(request, fields), rounded=round_to_instrument)
        return await self._placing.place(draft, timeout)

    async def place_orders(
        self, requests: Sequence[OrderRequest], *, round_to_instrument: bool = False, timeout: float | None = None
    ) -> list[Order | CexspecError]:
        """Place several orders at once, in batches where the venue has them; for each, in their order, the order or the error.

        All are checked before any is sent: one that is wrong raises `InvalidOrder`, and none is placed.
        """
        self._permit("place_order")
        drafts = [await self._placing.draft(request, rounded=round_to_instrument) for request in requests]
        return await Batches(self._placing).place(drafts, timeout)

    async def amend_order(
        self,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        symbol: str | None = None,
        price: Amount | None = None,
        quantity: Amount | None = None,
        stop_price: Amount | None = None,
        round_to_instrument: bool = False,
        timeout: float | None = None,
    ) -> Order:
        """Change price, quantity (all of it, what is filled included) or stop price of an open order; what isn't given stays.

        An order that this client doesn't know is looked up first. Raises `InvalidOrder`, `OrderNotFound`, `OrderUnknown`.
        """
        self._permit("amend_order")
        if price is None and quantity is None and stop_price is None:
            raise InvalidRequest("say what shall change: 'price', 'quantity', 'stop_price'", exchange=self._desk.exchange)
        params = await self._desk.named(order_id, client_order_id, symbol)
        change = Change(_amount(price, "price"), _amount(quantity, "quantity"), _amount(stop_price, "stop_price"))
        return await self._changing.amend(params, change, timeout, rounded=round_to_instrument)

    async def cancel_order(
        self,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        symbol: str | None = None,
        timeout: float | None = None,
    ) -> Order:
        """Cancel an order. `symbol` is needed where the venue wants it and this client doesn't know the order.

        The order's `status` is what the venue answers, None where it answers without one. Raises `OrderNotFound` for one that
        isn't there or has ended, `OrderUnknown`.
        """
        self._permit("cancel_order")
        params = await self._desk.named(order_id, client_order_id, symbol)
        return await self._changing.cancel(params, timeout)

    async def cancel_all_orders(self, symbol: str | None = None, *, timeout: float | None = None) -> list[Order]:
        """Cancel all open orders, of one symbol or of all; those that the venue tells of.

        Where the venue has no such request, or none for one symbol, each open order is canceled; one that has ended meanwhile is passed
        over, and what else is refused is raised once all have been tried.
        """
        self._permit("cancel_all_orders" if self._desk.verbs.serving("cancel_all_orders") else "cancel_order")
        params = {} if symbol is None else dict((await self._desk.terms(symbol)).params)
        if self._desk.verbs.finder("cancel_all_orders", params) is None:
            return await self._cancel_each(symbol, timeout)
        return await self._list("cancel_all_orders", Order, symbol, timeout)

    async def get_order(
        self,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order:
        """One order as it is now. Raises `OrderNotFound`."""
        params = await self._desk.named(order_id, client_order_id, symbol)
        found = await self._desk.look_up(params)
        if found is None:
            name = order_id or client_order_id
            raise OrderNotFound(f"no order {name!r}", exchange=self._desk.exchange, endpoint="order")
        return found

    async def get_open_orders(self, symbol: str | None = None, *, timeout: float | None = None) -> list[Order]:
        """The open orders, of one symbol or of all."""
        return await self._list("open_orders", Order, symbol, timeout)

    async def get_order_history(
        self,
        symbol: str | None = None,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[Order]:
        """Past orders (of some venues the open ones too), of one symbol or of all."""
        return await self._list("order_history", Order, symbol, timeout, **_span(start, end, limit))

    async def get_fills(
        self,
        symbol: str | None = None,
        *,
        order_id: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[Fill]:
        """Executions of one's own orders, of one order, one symbol or all."""
        given = _span(start, end, limit) | ({"order_id": order_id} if order_id is not None else {})
        rows = await self._list("fills", Fill, symbol, timeout, **given)
        return [row for row in rows if order_id is None or row.order_id in (None, order_id)]

    async def get_positions(self, symbol: str | None = None, *, timeout: float | None = None) -> list[Position]:
        """The positions that are open, of one symbol or of all."""
        return [row for row in await self._list("positions", Position, symbol, timeout) if row.quantity]

    async def get_balances(self, currency: str | None = None, *, timeout: float | None = None) -> list[Balance]:
        """What the account holds, of one currency or of all."""
        rows = await self._list("balances", Balance, None, timeout, **({"currency": currency} if currency is not None else {}))
        return [row for row in rows if currency is None or row.currency == currency]

    async def set_leverage(
        self,
        symbol: str,
        leverage: Amount,
        *,
        margin_mode: Literal["cross", "isolated"] | None = None,
        position_side: Literal["long", "short"] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Set the leverage of a derivative. Setting it again changes nothing, so that it may be repeated.

        `position_side`: of one position alone, where the account holds both sides and the venue has a leverage for each.
        """
        self._permit("set_leverage")
        params = {"leverage": _amount(leverage, "leverage"), "margin_mode": margin_mode, "position_side": position_side}
        await self._list("set_leverage", Event, symbol, timeout, **{name: value for name, value in params.items() if value is not None})

    async def set_margin_mode(self, symbol: str, margin_mode: Literal["cross", "isolated"], *, timeout: float | None = None) -> None:
        """Set whether a derivative's margin is shared (`cross`) or its own (`isolated`). It may be repeated."""
        self._permit("set_margin_mode")
        await self._list("set_margin_mode", Event, symbol, timeout, margin_mode=margin_mode)

    def stream_orders(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Order]:
        """One's own orders, each time one changes, of these symbols or of all.

        After a reconnect the orders are looked up: those that have changed are told, then a closed `Gap` says so.
        """
        return self._followed("orders", symbols, how)

    def stream_fills(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Fill]:
        """Executions of one's own orders, each once, of these symbols or of all; after a reconnect as `stream_orders`."""
        return self._followed("fills", symbols, how)

    def stream_positions(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Position]:
        """Positions, each time one changes, of these symbols or of all."""
        return self._streams.private("positions", symbols, **how)

    def stream_balances(self, **how: Unpack[How]) -> Stream[Balance]:
        """What the account holds of a currency, each time that changes."""
        return self._streams.private("balances", (), **how)

    def _followed(self, name: Literal["orders", "fills"], symbols: Sequence[AnySymbol], how: How) -> Stream[Any]:
        stream = self._streams.private(name, symbols, **how)
        self._following.follow(name, stream, symbols)
        return stream

    async def close(self) -> None:
        """Wait until the outcome of everything that was sent is known."""
        await self._following.close()
        await self._desk.errands.finish()
        await self._closing()

    async def _cancel_each(self, symbol: str | None, timeout: float | None) -> list[Order]:
        self._permit("cancel_order")
        found = await self.get_open_orders(symbol, timeout=timeout)
        work = (self.cancel_order(one.order_id, symbol=one.symbol, timeout=timeout) for one in found)
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, OrderNotFound):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Order)]

    def _permit(self, method: str) -> None:
        verb = VERBS[method]
        if not self._desk.verbs.serving(verb):
            raise NotSupported(f"{self._desk.exchange} declares nothing that serves {verb}")
        self._desk.permission.check(verb)

    def _request(self, request: OrderRequest | None, fields: OrderFields) -> OrderRequest:
        if request is not None:
            if fields:
                raise InvalidRequest("give a request, or its fields", exchange=self._desk.exchange)
            return request
        try:
            return OrderRequest(**fields)  # type: ignore[arg-type]
        except ValidationError as refused:
            first = refused.errors()[0]
            reason = ".".join(str(part) for part in first["loc"]) + ": " if first["loc"] else ""
        raise InvalidOrder(f"{reason}{first['msg']}", exchange=self._desk.exchange, endpoint="place_order")

    async def _list(self, verb: str, model: type[M], symbol: str | None, timeout: float | None, **given: Any) -> list[M]:
        params: dict[str, Any] = {} if symbol is None else dict((await self._desk.terms(symbol)).params)
        desk, changes = self._desk, verb in CHANGING
        asked = None if changes else desk.tracker.mark
        rows = await (desk.writes if changes else desk.verbs).call(verb, {**params, **given}, timeout=timeout)
        found = [row for row in rows if isinstance(row, model)]
        wanted = [row for row in found if symbol is None or row.symbol in (None, params["symbol"])]
        for row in wanted:
            if isinstance(row, Order):
                desk.tracker.update(row, asked)
        return wanted


def _span(start: Time | None, end: Time | None, limit: int | None) -> dict[str, Any]:
    given = {
        "start": None if start is None else nanoseconds(start, "start"),
        "end": None if end is None else nanoseconds(end, "end"),
        "limit": limit,
    }
    return {name: value for name, value in given.items() if value is not None}


def _amount(value: Amount | None, name: str) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise InvalidRequest(f"{name} is a number above 0, not {value!r}")
    return amount
