"""Sessions of the shipped specs, frame by frame as the venues' documentation has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.engine.markets import Markets
from cexspec.engine.outputs import Deliver, Output, Send
from cexspec.engine.session import Session
from cexspec.engine.topics import topic_of
from cexspec.spec.load import find, load


@dataclass(frozen=True)
class Case:
    """What is wanted; then what the venue sends, with what comes of it (names of outputs, and what is sent)."""

    exchange: str
    connection: str
    wanted: list[tuple[str, str, dict[str, Any]]]
    greeting: list[Any]
    sent: list[Any]
    frames: list[tuple[Any, list[Any]]]


OKX_TRADES = {"channel": "trades", "instId": "BTC-USDT"}
OKX_LIQUIDATIONS = {"channel": "liquidation-orders", "instType": "SWAP"}
OKX_TRADE = {"instId": "BTC-USDT", "tradeId": "7", "px": "2", "sz": "3", "side": "buy", "ts": "1790000000000", "count": "1"}
BINANCE_TRADE = {"e": "trade", "E": 1790000000001, "s": "BTCUSDT", "t": 5, "p": "1.50", "q": "2", "T": 1790000000000, "m": True, "M": True}
BITFINEX_BOOK = {"channel": "book", "symbol": "tBTCUSD", "prec": "P0", "freq": "F0", "len": "25"}
BITFINEX_STATUS = {"channel": "status", "key": "deriv:tBTCF0:USTF0"}

CASES = [
    Case(
        exchange="okx",
        connection="public",
        wanted=[("trades", "BTC/USDT", {}), ("liquidations", "BTC/USDT:PERP", {})],
        greeting=[],
        sent=[{"id": "1", "op": "subscribe", "args": [OKX_TRADES, OKX_LIQUIDATIONS]}],
        frames=[
            ({"id": "1", "event": "subscribe", "arg": OKX_TRADES, "connId": "a1"}, ["Subscribed"]),
            ({"arg": OKX_TRADES, "data": [OKX_TRADE]}, ["trades BTC/USDT"]),
            ({"id": "1", "event": "error", "code": "60018", "msg": "doesn't exist", "connId": "a1"}, ["Refused"]),
            ("pong", []),
            ({"event": "notice", "code": "64008", "msg": "upgrade", "connId": "a1"}, ["Reconnect"]),
        ],
    ),
    Case(
        exchange="binance",
        connection="stream",
        wanted=[("trades", "BTC/USDT", {}), ("candles", "BTC/USDT", {"interval": "1m"})],
        greeting=[],
        sent=[{"method": "SUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@kline_1m"], "id": 1}],
        frames=[
            ({"stream": "btcusdt@trade", "data": BINANCE_TRADE}, ["trades BTC/USDT"]),
            ({"result": None, "id": 1}, ["Subscribed", "Subscribed"]),
            ({"error": {"code": 2, "msg": "Invalid request"}, "id": 9}, ["VenueError"]),
            ({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1790000000000}}, ["Reconnect"]),
        ],
    ),
    Case(
        exchange="bitfinex",
        connection="public",
        wanted=[("trades", "BTC/USD", {}), ("order_book", "BTC/USD", {}), ("mark_price", "BTC/USDT:PERP", {})],
        greeting=[{"event": "info", "version": 2, "platform": {"status": 1}}, {"event": "conf", "status": "OK", "flags": 229376}],
        sent=[
            {"event": "conf", "flags": 229376},
            {"event": "subscribe", "channel": "trades", "symbol": "tBTCUSD"},
            {"event": "subscribe", **BITFINEX_BOOK},
            {"event": "subscribe", **BITFINEX_STATUS},
        ],
        frames=[
            ([17, "te", [1, 1790000000000, -0.5, 100.5], 1, 1790000000001], []),
            ({"event": "subscribed", "channel": "trades", "chanId": 17, "symbol": "tBTCUSD"}, ["Subscribed", "trades BTC/USD"]),
            ({"event": "subscribed", **BITFINEX_BOOK, "chanId": 18, "pair": "BTCUSD"}, ["Subscribed"]),
            ([18, [[100, 1, 2], [101, 1, -2]], 2, 1790000000002], ["order_book BTC/USD"]),
            ([18, "hb", 3, 1790000000003], []),
            ([17, "te", [2, 1790000000000, 0.5, 100.5], 6, 1790000000004], ["Missed", "trades BTC/USD"]),
            ({"event": "error", "msg": "symbol: invalid", "code": 10300, **BITFINEX_STATUS}, ["Refused"]),
            ({"event": "info", "code": 20051, "msg": "Stopping"}, ["Reconnect"]),
        ],
    ),
]


def told(outputs: list[Output]) -> list[str]:
    names = []
    for output in outputs:
        if isinstance(output, Deliver):
            names += [f"{channel} {event.symbol}" for channel, events in output.parts for event in events]
        elif not isinstance(output, Send):
            names.append(type(output).__name__)
    return names


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.exchange)
def test_a_session_speaks_as_the_venue_documents(case: Case) -> None:
    plan = Exchange(load(find(case.exchange)))
    markets = Markets(plan)
    channels = {name: plan.channel(name) for name in plan.channel_names}
    session = Session(plan.id, plan.connection(case.connection), channels, markets)
    wanted = [topic_of(plan.channel(name), {**markets.params(symbol), **more}) for name, symbol, more in case.wanted]
    session.subscribe(wanted, 0.0)
    session.connected(0.0)
    outputs = session.drain()
    for frame in case.greeting:
        session.received(json.dumps(frame), 0.0, 1)
        outputs += session.drain()
    assert [json.loads(output.frame) for output in outputs if isinstance(output, Send)] == case.sent
    for frame, expected in case.frames:
        session.received(frame if isinstance(frame, str) else json.dumps(frame), 0.0, 1)
        found = session.drain()
        assert told(found) == expected, frame


@pytest.mark.parametrize("exchange", ["okx", "bitfinex"])
def test_a_venues_ping_can_be_made_and_its_pong_is_known(exchange: str) -> None:
    plan = Exchange(load(find(exchange)))
    for name in [name for name in plan.connection_names if not plan.connection(name).recipes]:
        channels = {channel: plan.channel(channel) for channel in plan.channel_names}
        session = Session(plan.id, plan.connection(name), channels, Markets(plan))
        session.connected(0.0)
        session.drain()
        session._idle_since = 1e9
        session.received('{"event":"conf","status":"OK"}', 0.0)
        session.drain()
        session.tick(25.0)
        assert [type(output) for output in session.drain()] == [Send]
        session.received("pong" if exchange == "okx" else '{"event":"pong","ts":1790000000000,"cid":1}', 26.0)
        assert not session.drain()
