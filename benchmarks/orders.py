"""What an order costs without a network: the request built and signed, beside ccxt, and the whole of `place_order`."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from cexspec import Client, Instrument
from cexspec.compile.exchange import compile_exchange
from cexspec.engine.signing import Signer
from cexspec.models import Credentials
from cexspec.models.symbol import Symbol
from cexspec.transport.clock import SystemClock
from cexspec.transport.http import HttpAnswer, HttpCall

REPETITIONS, ORDERS = 15, 200
SECRETS = {
    "api_key": "key",
    "api_secret": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "passphrase": "phrase",
    "private_key": "0x" + "01" * 32,
    "address": "0x" + "02" * 20,
}
"""For venues whose credentials are texts; all of them are made up."""


@dataclass(frozen=True)
class Place:
    """One venue: what is ordered, the answer it would give, and ccxt's class with what it needs to know of the market."""

    symbol: str
    native: str
    ack: bytes
    rival: str
    market: Mapping[str, Any]


PLACES: Mapping[str, Place] = {
    "okx": Place("BTC/USDT", "BTC-USDT", b'{"code":"0","data":[{"ordId":"1","clOrdId":"","sCode":"0","sMsg":"","ts":"1"}]}', "okx", {}),
    "binance": Place("BTC/USDT", "BTCUSDT", b'{"symbol":"BTCUSDT","orderId":1,"transactTime":1,"status":"NEW"}', "binance", {}),
    "bybit": Place("BTC/USDT", "BTCUSDT", b'{"retCode":0,"result":{"orderId":"1","orderLinkId":""}}', "bybit", {}),
    "kraken": Place("BTC/USDT", "XBTUSDT", b'{"error":[],"result":{"txid":["1"],"descr":{"order":""}}}', "kraken", {}),
    "bitfinex": Place("BTC/USDT", "tBTCUST", b"[]", "bitfinex", {}),
    "hyperliquid": Place("BTC/USDC:PERP", "BTC", b"{}", "hyperliquid", {"baseId": "0"}),
}
ORDER: dict[str, Any] = {"side": "buy", "type": "limit", "quantity": Decimal("0.5"), "price": Decimal("50000.1")}


class Stopped(Exception):
    """ccxt has built and signed its request."""


class Answering:
    """An `HttpTransport` whose answer is there at once."""

    def __init__(self, ack: bytes) -> None:
        self._answer = HttpAnswer(200, {}, ack)

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer."""
        return self._answer


def offered() -> list[str]:
    """The venues that orders can be placed on."""
    return [venue for venue in PLACES if compile_exchange(venue).serving("place_order")]


def signing(venue: str) -> float:
    """Microseconds from Decimals to the signed request."""
    client = _client(venue)
    plan = client.exchange
    params = {**client.markets.params(PLACES[venue].symbol), **ORDER, "time_in_force": "gtc", "kind": _kind(venue)}
    params |= {"size": ORDER["quantity"], "client_order_id": "abcdefghij234567"}
    operation = plan.operation_for("place_order", params)
    signer = Signer(plan, Credentials(SECRETS), SystemClock())
    base, recipe = str(client.environment.rest), str(operation.auth)
    return _median(lambda: signer.sign(recipe, operation.build(params), base))


def rival(venue: str) -> float:
    """The same of ccxt."""
    exchange = _rival(PLACES[venue])
    symbol = Symbol.parse(PLACES[venue].symbol).to_ccxt()

    def place() -> None:
        try:
            exchange.create_order(symbol, "limit", "buy", 0.5, 50000.1, {"clientOrderId": "abcdefghij234567"})
        except Stopped:
            return

    return _median(place)


def placing(venue: str) -> float:
    """Microseconds of a whole `place_order` whose answer is there at once: checks, limiter, request, answer, tracker."""
    return asyncio.run(_placing(venue))


async def _placing(venue: str) -> float:
    client, symbol = _client(venue), PLACES[venue].symbol
    times = []
    for _ in range(REPETITIONS):
        gc.collect()
        start = time.perf_counter_ns()
        for _ in range(ORDERS):
            await client.trade.place_order(symbol=symbol, **ORDER)
        times.append((time.perf_counter_ns() - start) / ORDERS / 1000)
    await client.close()
    return median(times)


def _kind(venue: str) -> str:
    return Symbol.parse(PLACES[venue].symbol).kind


def _client(venue: str) -> Client:
    place = PLACES[venue]
    pools = compile_exchange(venue).pools
    client = Client(
        venue,
        credentials=SECRETS,
        allow_trading=True,
        http=Answering(place.ack),
        rate_limits={name: {"rate": 10**9, "period": 1} for name in pools},
    )
    parsed = Symbol.parse(place.symbol)
    listed: dict[str, Any] = {"base": parsed.base, "quote": parsed.quote, "kind": parsed.kind, "settle": parsed.settle}
    numbers: dict[str, Any] = {"tick_size": Decimal("0.1"), "step_size": Decimal("0.001"), "min_size": Decimal("0.001")}
    if parsed.kind != "spot":
        numbers |= {"contract_size": Decimal(1), "contract_currency": parsed.base}
    client.markets.load([Instrument(exchange=venue, symbol=place.symbol, id=place.native, **listed, **numbers)])
    if client._engine.signer is not None:
        client._engine.signer.offset = 0
    return client


def _rival(place: Place) -> Any:
    import ccxt

    def stop(*_: Any, **__: Any) -> None:
        raise Stopped

    parsed = Symbol.parse(place.symbol)
    exchange = getattr(ccxt, place.rival)({"enableRateLimit": False})
    exchange.apiKey, exchange.secret, exchange.password = "key", SECRETS["api_secret"], "phrase"
    exchange.privateKey, exchange.walletAddress = SECRETS["private_key"], SECRETS["address"]
    spot = parsed.kind == "spot"
    market = {
        "id": place.native,
        "symbol": parsed.to_ccxt(),
        **{name: getattr(parsed, name) for name in ("base", "quote", "settle")},
        **{f"{name}Id": getattr(parsed, name) for name in ("base", "quote", "settle")},
        "type": "spot" if spot else "swap",
        **{"spot": spot, "swap": not spot, "contract": not spot, "linear": None if spot else True, "contractSize": None if spot else 1},
        "precision": {"price": 0.1, "amount": 0.001},
        "limits": {"amount": {}, "price": {}, "cost": {}},
        **place.market,
    }
    exchange.set_markets([market])
    exchange.fetch = stop
    return exchange


def _median(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(REPETITIONS):
        gc.collect()
        start = time.perf_counter_ns()
        for _ in range(ORDERS):
            work()
        times.append((time.perf_counter_ns() - start) / ORDERS / 1000)
    return median(times)
