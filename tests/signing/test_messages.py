"""What proves on a WebSocket who one is: the values of our recipes are those in the messages that ccxt sends."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro
import pytest

from tests.signing import keys
from tests.signing.cases import VENUES, Venue
from tests.signing.rivals import MOMENT, credentials, ours, rival

NAMED = {(venue.ours, kind): venue for venue in VENUES for kind in venue.secrets}


class Client:
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, Any] = {}
        self.futures: dict[str, Any] = {}

    def reusable_future(self, name: str) -> Awaitable[Any]:
        return asyncio.sleep(0)

    reusableFuture = reusable_future  # noqa: N815 - ccxt's name

    def future(self, name: str) -> Awaitable[Any]:
        return asyncio.sleep(0)


class Sent(Exception):
    """The message was about to be sent."""


def message(venue: Venue, secret: str, ask: Callable[[Any], Any]) -> Any:
    """The message that ccxt sends, or what it makes of one."""
    sent: list[Any] = []

    async def run() -> Any:
        exchange = rival(venue, secret, ccxt.pro)
        exchange.client = lambda url: Client()

        def watch(url: str, name: str, message: Any = None, *more: Any) -> Any:
            sent.append(message)
            raise Sent

        exchange.watch = watch
        with contextlib.suppress(Sent):
            found = ask(exchange)
            return await found if asyncio.iscoroutine(found) else found
        return None

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what ccxt began to await, and never will
        returned = asyncio.run(run())
    return sent[0] if sent else returned


async def _gate(exchange: Any) -> Any:
    return await exchange.subscribe_private("wss://x", "orders", ["!all"], "spot.orders", {})


async def _htx(exchange: Any) -> Any:
    return await exchange.authenticate({"url": "wss://api.huobi.pro/ws/v2", "hostname": "api.huobi.pro", "type": "spot"})


async def _bitget(exchange: Any) -> Any:
    return await exchange.authenticate({"url": "wss://x"})


ROWS: list[tuple[str, str, str, dict[str, Any], Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("okx", "text", "login", {}, lambda one: one.authenticate(), lambda sent: sent["args"][0]["sign"]),
    ("bybit", "text", "login", {}, lambda one: one.authenticate("wss://x"), lambda sent: sent["args"][2]),
    ("bitfinex", "text", "login", {}, lambda one: one.authenticate(), lambda sent: sent["authSig"]),
    ("bitget", "text", "login", {}, _bitget, lambda sent: sent["args"][0]["sign"]),
    ("htx", "text", "login", {}, _htx, lambda sent: sent["params"]["signature"]),
    ("gate", "text", "subscribe", {"channel": "spot.orders"}, _gate, lambda sent: sent["auth"]["SIGN"]),
    ("coinbase_exchange", "base64", "subscribe", {}, lambda one: one.authenticate(), lambda sent: sent["signature"]),
    ("binance", "text", "user_stream", {}, lambda one: one.sign_params({}), lambda sent: sent["signature"]),
    ("binance", "rsa", "user_stream", {}, lambda one: one.sign_params({}), lambda sent: sent["signature"]),
    ("binance", "ed25519", "user_stream", {}, lambda one: one.sign_params({}), lambda sent: sent["signature"]),
]


@pytest.mark.parametrize(
    ("exchange", "kind", "recipe", "given", "ask", "found"), ROWS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_login_is_ccxts(
    exchange: str, kind: str, recipe: str, given: dict[str, Any], ask: Callable[[Any], Any], found: Callable[[Any], Any]
) -> None:
    venue = NAMED[exchange, kind]
    secret = venue.secrets[kind]
    sent = message(venue, secret, ask)
    assert ours(exchange).recipe(recipe).values(credentials(secret), MOMENT, given)["signature"] == found(sent)


def test_the_token_of_a_subscription_is_ccxts() -> None:
    venue = NAMED["coinbase_advanced", "ec"]
    sent = message(venue, keys.EC, lambda one: one.create_ws_auth("user", ["BTC-USD"]))
    values = ours("coinbase_advanced").recipe("subscribe_as_ccxt").values(credentials(keys.EC, venue.key), MOMENT, {})
    assert f"{values['head']}.{values['claims']}.{values['signature']}" == sent["jwt"]
