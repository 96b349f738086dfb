"""What happens to an account is told on private connections, and is what REST says of it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from cexspec.compile.recipe import Moment
from cexspec.engine.normalize import Normalizer
from cexspec.mock.dialogue import Dialogue
from cexspec.models import Balance, Credentials, Event, Fill, Order, Position
from tests.mock.private.test_orders import LINEAR, SPEC, SPOT, Desk
from tests.mock.wire import START


class Listener:
    """A connection of the customer: logged in, subscribed to all there is; it reads frames as the client does."""

    def __init__(self, desk: Desk, credentials: Credentials | None = None) -> None:
        self.desk, self.reader = desk, Normalizer(str(SPEC))
        venue = desk.venue
        self.dialogue: Dialogue = venue.dialogue("private")
        moment = Moment(START, 1, venue.exchange.recv_window)
        values = venue.exchange.recipe("login").values(credentials or venue.credentials, moment, {})
        login = {"op": "login", "key": values["api_key"], "at": START // 10**6, "sign": values["signature"]}
        self.said = list(self.dialogue.receive(json.dumps(login)))
        channels = ["orders", "fills", "positions", "balances"]
        self.said += self.dialogue.receive(json.dumps({"op": "subscribe", "args": channels}))
        self.reader.rest("instruments", venue.answer("GET", "/instruments", {})[1])
        self.heard()

    def heard(self) -> list[Event]:
        """What has been told since the last time."""
        frames = list(self.dialogue.news(self.desk.venue.accounts.told()))
        return [event for frame in frames for event in self.reader.ws(frame, "private")]


@pytest.mark.parametrize("symbol", [SPOT, LINEAR])
async def test_the_life_of_an_order_is_told(symbol: str) -> None:
    desk = Desk()
    listener, price = Listener(desk), desk.price(symbol)
    (ack,) = await desk.call("place_order", symbol, side="buy", type="limit", size=Decimal(2), price=price, client_order_id="mine")
    order, balance = listener.heard()
    assert isinstance(order, Order) and isinstance(balance, Balance)
    assert (order.order_id, order.client_order_id, order.status) == (ack.order_id, "mine", "new")
    assert order == replace(await desk.order(str(ack.order_id), symbol), received=None)
    assert balance.currency == "USDT" and balance.total > balance.free  # type: ignore[operator]
    for status in ("partially_filled", "filled"):
        desk.trade("sell", "1", price, symbol)
        fill, order, *others = listener.heard()
        assert isinstance(fill, Fill) and isinstance(order, Order)
        assert (fill.order_id, fill.price, fill.liquidity, order.status) == (ack.order_id, price, "maker", status)
        assert {type(event) for event in others} == ({Balance} if symbol == SPOT else {Balance, Position})
        assert order == replace(await desk.order(str(ack.order_id), symbol), received=None)
        assert fill == replace((await desk.call("fills", symbol))[0], received=None)
    (position,) = await desk.call("positions", None) or [None]
    told = [event for event in others if isinstance(event, Position)]
    assert [one.quantity for one in told] == ([] if position is None else [position.quantity])


async def test_a_cancel_is_told() -> None:
    desk = Desk()
    listener = Listener(desk)
    (ack,) = await desk.call("place_order", side="buy", type="limit", size=Decimal(2), price=desk.price())
    await desk.call("cancel_order", order_id=ack.order_id)
    orders = [event.status for event in listener.heard() if isinstance(event, Order)]
    assert orders == ["new", "canceled"]


async def test_who_does_not_sign_hears_nothing() -> None:
    desk = Desk()
    stranger = Listener(desk, Credentials({"api_key": "a", "api_secret": "b"}))
    assert json.loads(stranger.said[0])["code"] == "6"
    await desk.call("place_order", side="buy", type="limit", size=Decimal(2), price=desk.price())
    assert stranger.heard() == []
