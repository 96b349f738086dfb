"""Orders at the mock venue, by the real engine with real signatures: placed, filled in parts, amended, canceled, refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.signing import Signer
from cexspec.mock import MockVenue
from cexspec.mock.accounts import USER
from cexspec.models import (
    AuthenticationError,
    Balance,
    Credentials,
    DuplicateOrder,
    ExchangeError,
    Fill,
    InsufficientFunds,
    InvalidOrder,
    InvalidSymbol,
    Order,
    OrderNotFound,
    PermissionDenied,
    Position,
    TimestampError,
)
from cexspec.models.order_request import OrderRequest
from cexspec.transport.clock import VirtualClock
from tests.mock.private.executions import executions
from tests.mock.wire import START, VenueClock, Wire, unlimited

SPEC = Path(__file__).parent / "venue" / "vault.yaml"
SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:PERP", "BTC/USD:PERP:BTC"
OTHER = "other"


class Desk:
    """A customer of the mock venue, and somebody else who trades there."""

    def __init__(self, *, credentials: Credentials | None = None, ahead: int = 0, **options: Any) -> None:
        self.venue = MockVenue(str(SPEC), clock=VenueClock(), **options)
        plan, clock = self.venue.exchange, VirtualClock(START + ahead)
        environment = EnvironmentPlan("mock", self.venue.environment["rest"], {})
        signer = Signer(plan, credentials or self.venue.credentials, clock)
        signer.measured(START + ahead, START + ahead, START + ahead)
        self.wire, limiter = Wire(self.venue), unlimited(self.venue, clock)
        self.engine = RestEngine(plan, environment, self.wire, clock, limiter, Markets(plan), random=Random(1), signer=signer)
        for currency in ("USDT", "BTC"):
            self.venue.accounts.venue.deposit(OTHER, currency, Decimal(10**9), START)

    async def call(self, verb: str, symbol: str | None = SPOT, **params: Any) -> list[Any]:
        await self.engine.ensure_instruments()
        named = self.engine.markets.params(symbol) if symbol is not None else {}
        return await self.engine.call(verb, {**named, **params})

    async def order(self, order_id: str, symbol: str = SPOT) -> Order:
        (order,) = await self.call("order", symbol, order_id=order_id)
        assert isinstance(order, Order)
        return order

    def price(self, symbol: str = SPOT) -> Decimal:
        """Between the best prices: an order there rests."""
        return self.venue.market(symbol).price

    def trade(self, side: str, quantity: str, price: Decimal, symbol: str = SPOT) -> None:
        """Somebody else's order, in the venue's counts."""
        request = OrderRequest(symbol=symbol, side=side, type="limit", quantity=Decimal(quantity), price=price)  # type: ignore[arg-type]
        self.venue.accounts.venue.place(OTHER, request, START, contracts=Decimal(quantity))


@pytest.mark.parametrize(("symbol", "size", "unit"), [(SPOT, "2", 1), (LINEAR, "200", Decimal("0.01")), (INVERSE, "2", None)])
async def test_an_order_is_filled_in_parts(symbol: str, size: str, unit: Decimal | None) -> None:
    desk = Desk()
    price = desk.price(symbol)
    base = Decimal(size) * unit if unit is not None else (Decimal(size) * 100 / price)
    given = {"side": "buy", "type": "limit", "size": Decimal(size), "price": price, "client_order_id": "mine"}
    (ack,) = await desk.call("place_order", symbol, **given)
    assert (ack.symbol, ack.client_order_id) == (symbol, "mine")
    placed = await desk.order(ack.order_id, symbol)
    assert (placed.status, placed.type, placed.side, placed.price, placed.filled) == ("new", "limit", "buy", price, 0)
    assert placed.average_price is None and placed.fee is None and placed.stop_price is None
    assert abs(placed.quantity - base) < Decimal("1e-18")  # type: ignore[operator]
    half = str(Decimal(size) / 2)
    desk.trade("sell", half, price, symbol)
    part = await desk.order(ack.order_id, symbol)
    assert (part.status, part.average_price) == ("partially_filled", price)
    assert (await desk.call("open_orders", symbol)) == [part]
    desk.trade("sell", half, price, symbol)
    assert (await desk.order(ack.order_id, symbol)).status == "filled"
    assert await desk.call("open_orders", symbol) == []
    fills = await desk.call("fills", symbol)
    assert [(type(fill), fill.order_id, fill.price, fill.liquidity) for fill in fills] == [(Fill, ack.order_id, price, "maker")] * 2
    assert fills[0].id > fills[1].id
    assert executions(fills) == executions(desk.venue.accounts.venue.fills(USER))
    assert abs(sum(fill.quantity for fill in fills) - base) < Decimal("1e-18")
    assert [order.status for order in await desk.call("order_history", symbol)] == ["filled"]
    positions = await desk.call("positions", None)
    assert [(type(one), one.symbol, one.side, one.entry_price) for one in positions] == (
        [] if symbol == SPOT else [(Position, symbol, "long", price)]
    )


async def test_an_order_is_amended_and_canceled() -> None:
    desk = Desk()
    price = desk.price()
    (ack,) = await desk.call("place_order", side="buy", type="limit", size=Decimal(2), price=price)
    await desk.call("amend_order", order_id=ack.order_id, size=Decimal(1), price=price - Decimal("0.5"))
    amended = await desk.order(ack.order_id)
    assert (amended.quantity, amended.price, amended.status) == (1, price - Decimal("0.5"), "new")
    held = {one.currency: one for one in await desk.call("balances", None)}
    assert isinstance(held["USDT"], Balance)
    assert held["USDT"].total - held["USDT"].free == amended.price  # type: ignore[operator]
    await desk.call("cancel_order", order_id=ack.order_id)
    assert (await desk.order(ack.order_id)).status == "canceled"
    with pytest.raises(OrderNotFound):
        await desk.call("cancel_order", order_id=ack.order_id)
    for _ in range(2):
        await desk.call("place_order", side="buy", type="limit", size=Decimal(1), price=price)
    assert [order.status for order in await desk.call("cancel_all_orders")] == ["canceled"] * 2


async def test_words_of_one_field_are_chosen_together() -> None:
    desk = Desk()
    given: dict[str, Any] = {"type": "limit", "size": Decimal(1), "price": desk.price() - 20}
    for time_in_force, status in (("gtc", "new"), ("ioc", "canceled")):
        (ack,) = await desk.call("place_order", side="buy", time_in_force=time_in_force, **given)
        order = await desk.order(ack.order_id)
        assert (order.type, order.time_in_force, order.status) == ("limit", time_in_force, status)
    (ack,) = await desk.call("place_order", side="buy", type="market", size=Decimal("0.01"))
    assert (await desk.order(ack.order_id)).type == "market"


async def test_what_moves_meets_orders() -> None:
    desk = Desk()
    price = desk.price()
    (ack,) = await desk.call("place_order", side="buy", type="limit", size=Decimal("0.01"), price=price)
    for _ in range(50):
        desk.venue.market(SPOT).advance(START)
        desk.venue.accounts.moved()
    assert (await desk.order(ack.order_id)).status == "filled"


# fmt: off
REFUSED: list[tuple[str, dict[str, Any], type[ExchangeError]]] = [
    ("a price off the tick", {"price": Decimal("100.3")}, InvalidOrder),
    ("a size off the step", {"size": Decimal("1.005")}, InvalidOrder),
    ("more than there is", {"size": Decimal(10**3)}, InsufficientFunds),
    ("a client id of before", {"client_order_id": "mine"}, DuplicateOrder),
    ("post-only that crosses", {"price": Decimal(10**6), "size": Decimal("0.01"), "post_only": True}, InvalidOrder),
    ("a sale of what isn't there", {"side": "sell", "size": Decimal(11)}, InsufficientFunds),
]
# fmt: on


@pytest.mark.parametrize(("changed", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_is_refused(changed: dict[str, Any], error: type[ExchangeError]) -> None:
    desk = Desk()
    given: dict[str, Any] = {"side": "buy", "type": "limit", "size": Decimal(1), "price": desk.price() - 20}
    await desk.call("place_order", **{**given, "client_order_id": "mine"})
    with pytest.raises(error):
        await desk.call("place_order", **{**given, **changed})
    assert len(await desk.call("open_orders")) == 1


async def test_who_may_trade_here() -> None:
    given: dict[str, Any] = {"symbol": SPOT, "side": "buy", "type": "limit", "size": Decimal(1), "price": Decimal(100)}
    with pytest.raises(AuthenticationError):
        await Desk(credentials=Credentials({"api_key": "a", "api_secret": "b"})).call("place_order", **given)
    with pytest.raises(PermissionDenied):
        await Desk(permissions=["read"]).call("place_order", **given)
    assert await Desk(permissions=["read"]).call("open_orders") == []
    with pytest.raises(TimestampError):
        await Desk(ahead=-60_000_000_000).call("balances", None)
    with pytest.raises(InvalidSymbol):
        await Desk().engine.call("place_order", {**given, "id": "NO-SUCH"})


async def test_leverage_is_set() -> None:
    desk = Desk()
    assert await desk.call("set_leverage", LINEAR, leverage=Decimal(5)) == []
    assert desk.venue.accounts.venue.accounts["user"].positions[LINEAR].leverage == 5
