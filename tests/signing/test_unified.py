"""What a user asks for becomes the request that ccxt's unified methods send: to the byte, with its signature."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from cexspec.cli._signing import Signing
from tests.exchanges.venue import samples
from tests.signing import keys
from tests.signing.cases import VENUES
from tests.signing.rivals import MOMENT, credentials, ours, rival
from tests.signing.test_against_ccxt import DIFFERENCES, headers


class Ask(NamedTuple):
    """One thing to ask: of ours by name and parameters, of ccxt by a call; `unlike` are the keys of our body by ccxt's other names."""

    name: str
    verb: str
    params: dict[str, Any]
    call: Callable[[Any], Any]
    unlike: dict[str, str] = {}  # noqa: RUF012 - never changed


def _order(name: str, symbol: str, theirs: tuple[Any, ...], params: dict[str, Any], more: dict[str, Any], **unlike: str) -> Ask:
    """An order: `theirs` are type, side, amount and price of ccxt's."""
    given = {"symbol": symbol, "type": theirs[0], "side": theirs[1], "client_order_id": "a1", **params}
    unified = symbol.replace(":PERP", ":USDT")
    return Ask(name, "place_order", given, lambda one: one.create_order(unified, *theirs, {"clientOrderId": "a1", **more}), unlike)


SPOT, PERPETUAL = "BTC/USDT", "BTC/USDT:PERP"
OKX = (
    _order("limit", SPOT, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5"}, {}),
    _order("ioc", SPOT, ("limit", "sell", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "time_in_force": "ioc"},
           {"timeInForce": "IOC"}),
    _order("post only", SPOT, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "post_only": True},
           {"postOnly": True}),
    _order("market", SPOT, ("market", "buy", 0.1, None), {"quantity": "0.1"}, {}),
    _order("market by value", SPOT, ("market", "buy", 590.5, None), {"quote_quantity": "590.5"}, {"tgtCcy": "quote_ccy"}),
    _order("market of contracts", PERPETUAL, ("market", "sell", 3, None), {"contracts": "3", "reduce_only": True}, {"reduceOnly": True}),
    _order("isolated", PERPETUAL, ("limit", "buy", 3, 118000.1), {"contracts": "3", "price": "118000.1", "margin_mode": "isolated",
           "position_side": "long"}, {"marginMode": "isolated", "positionSide": "long"}),
    _order("stop", SPOT, ("market", "sell", 0.1, None), {"type": "stop_market", "quantity": "0.1", "stop_price": "49000"},
           {"triggerPrice": 49000}, algoClOrdId="clOrdId"),
    _order("stop limit", PERPETUAL, ("limit", "sell", 3, 48900), {"type": "stop_limit", "contracts": "3", "stop_price": "49000",
           "price": "48900"}, {"triggerPrice": 49000}, algoClOrdId="clOrdId"),
    Ask("amend", "amend_order", {"symbol": SPOT, "order_id": "12", "size": "0.2", "price": "50001"},
        lambda one: one.edit_order("12", SPOT, "limit", "buy", 0.2, 50001)),
    Ask("cancel", "cancel_order", {"symbol": SPOT, "order_id": "12"}, lambda one: one.cancel_order("12", SPOT)),
    Ask("cancel a stop order", "cancel_order", {"symbol": SPOT, "order_id": "12", "conditional": True},
        lambda one: one.cancel_order("12", SPOT, {"trigger": True})),
    Ask("one order", "order", {"symbol": SPOT, "order_id": "12"}, lambda one: one.fetch_order("12", SPOT)),
    Ask("open orders", "open_orders", {"symbol": SPOT}, lambda one: one.fetch_open_orders(SPOT)),
    Ask("balances", "balances", {}, lambda one: one.fetch_balance()),
    Ask("positions", "positions", {}, lambda one: one.fetch_positions()),
    Ask("positions of one", "positions", {"symbol": PERPETUAL}, lambda one: one.fetch_positions(["BTC/USDT:USDT"])),
)  # fmt: skip

GTC = {"timeInForce": "GTC"}
INVERSE = "BTC/USD:PERP:BTC"
BYBIT = (
    _order("limit", SPOT, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "time_in_force": "gtc"}, GTC),
    _order("ioc", SPOT, ("limit", "sell", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "time_in_force": "ioc"},
           {"timeInForce": "IOC"}),
    _order("post only", PERPETUAL, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "post_only": True},
           {"postOnly": True}),
    _order("market", SPOT, ("market", "buy", 0.1, None), {"quantity": "0.1"}, {}),
    _order("market of a perpetual", PERPETUAL, ("market", "sell", 0.1, None), {"quantity": "0.1", "reduce_only": True},
           {"reduceOnly": True}),
    _order("hedge mode", PERPETUAL, ("market", "sell", 0.1, None), {"quantity": "0.1", "position_side": "short"}, {"positionIdx": 2}),
    _order("stop", SPOT, ("market", "sell", 0.1, None), {"type": "stop_market", "quantity": "0.1", "stop_price": "49000"},
           {"triggerPrice": 49000}),
    _order("stop of a perpetual", PERPETUAL, ("market", "sell", 0.1, None), {"type": "stop_market", "quantity": "0.1",
           "stop_price": "49000"}, {"triggerPrice": 49000, "triggerDirection": "descending"}),
    _order("stop limit", PERPETUAL, ("limit", "buy", 0.1, 51010), {"type": "stop_limit", "quantity": "0.1", "stop_price": "51000",
           "price": "51010", "time_in_force": "fok"}, {"triggerPrice": 51000, "triggerDirection": "ascending", "timeInForce": "FOK"}),
    Ask("inverse", "place_order", {"symbol": INVERSE, "type": "limit", "side": "sell", "size": "100", "price": "50000",
        "time_in_force": "gtc"}, lambda one: one.create_order("BTC/USD:BTC", "limit", "sell", 100, 50000, GTC)),
    Ask("amend", "amend_order", {"symbol": PERPETUAL, "order_id": "12", "size": "0.2", "price": "50001"},
        lambda one: one.edit_order("12", "BTC/USDT:USDT", "limit", "buy", 0.2, 50001)),
    Ask("cancel", "cancel_order", {"symbol": SPOT, "order_id": "12"}, lambda one: one.cancel_order("12", SPOT)),
    Ask("cancel of a perpetual", "cancel_order", {"symbol": PERPETUAL, "order_id": "12"},
        lambda one: one.cancel_order("12", "BTC/USDT:USDT")),
    Ask("cancel a stop order", "cancel_order", {"symbol": SPOT, "order_id": "12", "conditional": True},
        lambda one: one.cancel_order("12", SPOT, {"trigger": True})),
    Ask("cancel all", "cancel_all_orders", {"symbol": PERPETUAL}, lambda one: one.cancel_all_orders("BTC/USDT:USDT")),
    Ask("open orders", "open_orders", {"symbol": SPOT}, lambda one: one.fetch_open_orders(SPOT, None, None, {"limit": 50})),
    Ask("past orders", "order_history", {"symbol": SPOT},
        lambda one: one.fetch_canceled_and_closed_orders(SPOT, None, None, {"limit": 50})),
    Ask("fills", "fills", {"symbol": PERPETUAL}, lambda one: one.fetch_my_trades("BTC/USDT:USDT", None, None, {"limit": 100})),
    Ask("balances", "balances", {}, lambda one: one.fetch_balance()),
    Ask("positions", "positions", {"symbol": PERPETUAL}, lambda one: one.fetch_positions(["BTC/USDT:USDT"])),
    Ask("leverage", "set_leverage", {"symbol": PERPETUAL, "leverage": "12.5"}, lambda one: one.set_leverage(12.5, "BTC/USDT:USDT")),
)  # fmt: skip

AMENDED = {"symbol": SPOT, "order_id": "12", "side": "buy", "type": "limit", "quantity": "0.2", "price": "50001", "time_in_force": "gtc"}
BINANCE = (
    _order("limit", SPOT, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5"}, {}),
    _order("ioc", SPOT, ("limit", "sell", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "time_in_force": "ioc"},
           {"timeInForce": "IOC"}),
    _order("post only", SPOT, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "post_only": True},
           {"postOnly": True}),
    _order("market", SPOT, ("market", "sell", 0.1, None), {"quantity": "0.1"}, {}),
    _order("market by value", SPOT, ("market", "buy", 0.1, None), {"quote_quantity": "590.5"}, {"quoteOrderQty": 590.5}),
    _order("stop", SPOT, ("market", "sell", 0.1, None), {"type": "stop_market", "quantity": "0.1", "stop_price": "49000"},
           {"triggerPrice": 49000}),
    _order("stop limit", SPOT, ("limit", "sell", 0.1, 48900), {"type": "stop_limit", "quantity": "0.1", "stop_price": "49000",
           "price": "48900"}, {"triggerPrice": 49000}),
    Ask("amend", "amend_order", {**AMENDED, "client_order_id": "a1"}, lambda one: one.edit_order("12", SPOT, "limit", "buy", 0.2, 50001,
        {"clientOrderId": "a1", "cancelOrderId": "12", "cancelOrigClientOrderId": "a1", "cancelRestrictions": "ONLY_NEW"})),
    Ask("cancel", "cancel_order", {"symbol": SPOT, "order_id": "12"}, lambda one: one.cancel_order("12", SPOT)),
    Ask("cancel by the id of one's own", "cancel_order", {"symbol": SPOT, "client_order_id": "a1"},
        lambda one: one.cancel_order("", SPOT, {"clientOrderId": "a1"})),
    Ask("cancel all", "cancel_all_orders", {"symbol": SPOT}, lambda one: one.cancel_all_orders(SPOT)),
    Ask("one order", "order", {"symbol": SPOT, "order_id": "12"}, lambda one: one.fetch_order("12", SPOT)),
    Ask("open orders", "open_orders", {"symbol": SPOT}, lambda one: one.fetch_open_orders(SPOT)),
    Ask("past orders", "order_history", {"symbol": SPOT}, lambda one: one.fetch_orders(SPOT, None, 500)),
    Ask("fills", "fills", {"symbol": SPOT}, lambda one: one.fetch_my_trades(SPOT, None, 500)),
    Ask("balances", "balances", {}, lambda one: one.fetch_balance({"omitZeroBalances": "true"})),
)  # fmt: skip
BINANCE_USDM = (
    _order("limit", PERPETUAL, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5"}, {}),
    _order("post only", PERPETUAL, ("limit", "buy", 0.1, 50000.5), {"quantity": "0.1", "price": "50000.5", "post_only": True},
           {"postOnly": True}),
    _order("market", PERPETUAL, ("market", "sell", 0.1, None), {"quantity": "0.1", "reduce_only": True}, {"reduceOnly": True}),
    _order("hedge mode", PERPETUAL, ("market", "buy", 0.1, None), {"quantity": "0.1", "position_side": "long"}, {"hedged": True}),
    _order("stop", PERPETUAL, ("market", "sell", 0.1, None), {"type": "stop_market", "quantity": "0.1", "stop_price": "49000"},
           {"triggerPrice": 49000}),
    _order("stop limit", PERPETUAL, ("limit", "sell", 0.1, 48900), {"type": "stop_limit", "quantity": "0.1", "stop_price": "49000",
           "price": "48900", "reduce_only": True}, {"triggerPrice": 49000, "timeInForce": "GTC", "reduceOnly": True}),
    Ask("amend", "amend_order", {**AMENDED, "symbol": PERPETUAL},  # in the order in which ours are: the venue takes any
        lambda one: one.fapiPrivatePutOrder({"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.2", "price": "50001", "orderId": "12"})),
    Ask("cancel", "cancel_order", {"symbol": PERPETUAL, "order_id": "12"}, lambda one: one.cancel_order("12", "BTC/USDT:USDT")),
    Ask("cancel a stop order", "cancel_order", {"symbol": PERPETUAL, "order_id": "12", "conditional": True},
        lambda one: one.fapiPrivateDeleteAlgoOrder({"algoId": "12"})),
    Ask("cancel all", "cancel_all_orders", {"symbol": PERPETUAL}, lambda one: one.cancel_all_orders("BTC/USDT:USDT")),
    Ask("one order", "order", {"symbol": PERPETUAL, "order_id": "12"}, lambda one: one.fetch_order("12", "BTC/USDT:USDT")),
    Ask("open orders", "open_orders", {"symbol": PERPETUAL}, lambda one: one.fetch_open_orders("BTC/USDT:USDT")),
    Ask("balances", "balances", {}, lambda one: one.fapiPrivateV3GetBalance()),
    Ask("positions", "positions", {}, lambda one: one.fapiPrivateV3GetPositionRisk()),
    Ask("leverage", "set_leverage", {"symbol": PERPETUAL, "leverage": "10"}, lambda one: one.set_leverage(10, "BTC/USDT:USDT")),
    Ask("kind of margin", "set_margin_mode", {"symbol": PERPETUAL, "margin_mode": "isolated"},
        lambda one: one.set_margin_mode("isolated", "BTC/USDT:USDT")),
)  # fmt: skip

DERIVATIVE = "BTC/USDT:USDT"
_LIMIT = {"symbol": "BTC/USD", "side": "buy", "type": "limit", "size": "0.1", "price": "50000", "time_in_force": "gtc"}
_STOP = {"symbol": PERPETUAL, "side": "sell", "type": "stop_market", "size": "3", "stop_price": "49000"}
BITFINEX = (
    Ask("limit", "place_order", {**_LIMIT, "client_order_id": "7"},
        lambda one: one.create_order("BTC/USD", "limit", "buy", 0.1, 50000, {"clientOrderId": 7})),
    Ask("ioc", "place_order", {**_LIMIT, "side": "sell", "time_in_force": "ioc"},
        lambda one: one.create_order("BTC/USD", "limit", "sell", 0.1, 50000, {"timeInForce": "IOC"})),
    Ask("fok on margin", "place_order", {**_LIMIT, "time_in_force": "fok", "margin_mode": "cross"},
        lambda one: one.create_order("BTC/USD", "limit", "buy", 0.1, 50000, {"timeInForce": "FOK", "marginMode": "cross"})),
    Ask("post only", "place_order", {**_LIMIT, "post_only": True},
        lambda one: one.create_order("BTC/USD", "limit", "buy", 0.1, 50000, {"postOnly": True})),
    Ask("market", "place_order", {"symbol": PERPETUAL, "side": "sell", "type": "market", "size": "3"},
        lambda one: one.create_order(DERIVATIVE, "market", "sell", 3)),
    Ask("post only and reduce only", "place_order", {**_LIMIT, "symbol": PERPETUAL, "post_only": True, "reduce_only": True},
        lambda one: one.create_order(DERIVATIVE, "limit", "buy", 0.1, 50000, {"postOnly": True, "reduceOnly": True})),
    Ask("stop", "place_order", {**_STOP, "reduce_only": True},
        lambda one: one.create_order(DERIVATIVE, "market", "sell", 3, None, {"triggerPrice": 49000, "reduceOnly": True})),
    Ask("stop limit", "place_order", {**_STOP, "type": "stop_limit", "price": "48900", "time_in_force": "gtc"},
        lambda one: one.create_order(DERIVATIVE, "limit", "sell", 3, 48900, {"triggerPrice": 49000})),
    Ask("amend", "amend_order", {**_LIMIT, "side": "sell", "order_id": "12", "remaining": "0.2"},
        lambda one: one.edit_order("12", "BTC/USD", "limit", "sell", 0.2, 50000)),
    Ask("amend a stop order", "amend_order", {**_STOP, "order_id": "12", "remaining": "2"},
        lambda one: one.edit_order("12", DERIVATIVE, "market", "sell", 2, None, {"triggerPrice": 49000})),
    Ask("cancel", "cancel_order", {"order_id": "12"}, lambda one: one.cancel_order("12")),
    Ask("cancel several", "cancel_orders", {"orders": [{"order_id": "12"}, {"order_id": "13"}]},
        lambda one: one.cancel_orders(["12", "13"])),
    Ask("cancel all", "cancel_all_orders", {}, lambda one: one.cancel_all_orders()),
    Ask("batch", "place_orders", {"orders": [_LIMIT, {**_LIMIT, "side": "sell"}]},
        lambda one: one.create_orders([{"symbol": "BTC/USD", "type": "limit", "side": side, "amount": 0.1, "price": 50000}
                                       for side in ("buy", "sell")])),
    Ask("one order", "order", {"order_id": "12"}, lambda one: one.fetch_open_order("12")),
    Ask("open orders", "open_orders", {"symbol": "BTC/USD"}, lambda one: one.fetch_open_orders("BTC/USD")),
    Ask("all open orders", "open_orders", {}, lambda one: one.fetch_open_orders()),
    Ask("balances", "balances", {}, lambda one: one.fetch_balance()),
    Ask("positions", "positions", {}, lambda one: one.fetch_positions()),
)  # fmt: skip

OPTIONS = {
    "binance": {"crossMarginPairsData": [], "isolatedMarginPairsData": []},
    "okx": {"createOrder": "privatePostTradeOrder", "createMarketBuyOrderRequiresPrice": False},
    "bybit": {"enableUnifiedMargin": False, "enableUnifiedAccount": True, "fetchMarkets": {"types": ["spot", "linear", "inverse"]}},
}
ASKED = {
    "okx": OKX, "bybit": BYBIT, "binance": BINANCE, "binance_usdm": BINANCE_USDM, "bitfinex": BITFINEX,
}  # fmt: skip
ROWS = [pytest.param(exchange, ask, id=f"{exchange}-{ask.name}".replace(" ", "_")) for exchange, asks in ASKED.items() for ask in asks]


class Sent(Exception):
    """The request was about to be sent."""


@cache
def theirs(exchange: str) -> Any:
    """ccxt's instance, with the instruments of our samples."""
    venue = next(one for one in VENUES if one.ours == exchange)
    found = rival(venue, keys.TEXT)
    found.options.update(OPTIONS.get(exchange, {}))
    listed = [json.loads(case["raw"]) for case in samples(exchange, "messages") if case.get("operation") == "instruments"]
    found.set_markets(LISTS[exchange](found, listed))
    return found


def _lists_of_bybit(rival: Any, listed: list[Any]) -> Any:
    """ccxt reads the list of each product line where it asks for it."""
    answers = {one["result"]["category"]: {**one, "result": {**one["result"], "nextPageCursor": ""}} for one in listed}
    rival.publicGetV5MarketInstrumentsInfo = lambda params: answers[params["category"]]
    return rival.fetch_markets()


def _list_of_binance(rival: Any, listed: Any, further: list[str]) -> Any:
    """ccxt looks into the list for the types that an order may have."""
    return rival.parse_markets([{**listed, "orderTypes": ["LIMIT", "MARKET", *further]}])


def _lists_of_bitfinex(rival: Any, listed: list[Any]) -> Any:
    """ccxt makes its markets of several lists, and what it takes of them is the id and how long numbers may be."""
    precision = {"amount": 8, "price": 5}
    rows: list[dict[str, Any]] = [
        {"id": "tBTCUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "type": "spot", "spot": True, "precision": precision},
        {"id": "tBTCF0:USTF0", "symbol": DERIVATIVE, "base": "BTC", "quote": "USDT", "type": "swap", "swap": True, "precision": precision},
    ]
    return [rival.safe_market_structure(row) for row in rows]


LISTS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "okx": lambda rival, listed: rival.parse_markets(listed[0]["data"]),
    "bybit": _lists_of_bybit,
    "binance": lambda rival, listed: _list_of_binance(rival, listed[0]["symbols"][0], ["STOP_LOSS", "STOP_LOSS_LIMIT", "LIMIT_MAKER"]),
    "binance_usdm": lambda rival, listed: _list_of_binance(rival, listed[0]["symbols"][0], ["STOP", "STOP_MARKET"]),
    "bitfinex": _lists_of_bitfinex,
}


def sent(exchange: str, ask: Ask) -> dict[str, Any]:
    """What ccxt sends."""
    found: list[dict[str, Any]] = []

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        found.append({"url": url, "method": method, "headers": headers, "body": body})
        raise Sent

    rival = theirs(exchange)
    rival.fetch = fetch
    with pytest.raises(Sent):
        ask.call(rival)
    return found[0]


@pytest.mark.parametrize(("exchange", "ask"), ROWS)
def test_what_is_asked_for_is_sent_as_ccxt_sends_it(exchange: str, ask: Ask) -> None:
    expected = sent(exchange, ask)
    plan = ours(exchange)
    signing = Signing(plan, plan.environments["live"], credentials(keys.TEXT), MOMENT)
    shown = signing.request(ask.verb, ask.params)
    body = shown["body"]
    for own, other in ask.unlike.items():
        body = body.replace(f'"{own}"', f'"{other}"')
    assert (shown["method"], _target(shown["url"]), body) == (expected["method"], _target(expected["url"]), expected["body"] or "")
    signature, aside = {"ok-access-sign"} if ask.unlike else set(), {name.lower() for name in DIFFERENCES.get(exchange, {})}
    assert headers(shown["headers"], aside | signature) == headers(expected["headers"], aside | signature)


def _target(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="").geturl()
