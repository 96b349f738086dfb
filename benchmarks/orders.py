"""What an order costs without a network: the request built and signed, beside ccxt, and the whole of `place_order`.

"Built and signed" is from Decimals to what an HTTP library takes: method, URL, headers and the bytes of the body.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from benchmarks.places import PLACES, SECRETS, Place
from cexspec import Client, Instrument
from cexspec.compile.exchange import compile_exchange
from cexspec.compile.plan import OperationPlan
from cexspec.engine.trading.params import order_params
from cexspec.engine.trading.placing import Placing
from cexspec.models.order_request import OrderRequest
from cexspec.models.symbol import Symbol
from cexspec.transport.http import HttpAnswer, HttpCall

REPETITIONS, ORDERS = 100, 25
"""Many short turns: of some nothing else has taken the processor."""
ORDER: dict[str, Any] = {"side": "buy", "type": "limit", "quantity": Decimal("0.5"), "price": Decimal("50000.1")}


class Stopped(Exception):
    """ccxt has built and signed its request."""


class Answering:
    """An `HttpTransport` whose answer is there at once: to each order one of its own."""

    def __init__(self, ack: str) -> None:
        self._ack, self._number = ack, 7_000_000

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The answer."""
        self._number += 1
        return HttpAnswer(200, {}, (self._ack % (self._number, self._number)).encode())


def offered() -> list[str]:
    """The venues that orders can be placed on."""
    return [venue for venue in PLACES if compile_exchange(venue).serving("place_order")]


@dataclass(frozen=True)
class Signing:
    """Microseconds up to the signed request: ours from the Decimals that fill it, and from an order that passed all checks; ccxt's
    from `create_order`.
    """

    filled: float
    ordered: float
    rival: float


def signing(venue: str) -> Signing:
    """Of one venue. The three take turns, and each one's best turn counts."""
    works = (*_ours(venue), _theirs(PLACES[venue]))
    for work in works:
        work()
    gc.collect()
    turns = [[_timed(work) for work in works] for _ in range(REPETITIONS)]
    return Signing(*(min(times) for times in zip(*turns, strict=True)))


def placing(venue: str) -> float:
    """Microseconds of a whole `place_order` whose answer is there at once: checks, limiter, request, answer, tracker."""
    return asyncio.run(_placing(venue))


def _ours(venue: str) -> tuple[Callable[[], object], Callable[[], object]]:
    client, place = client_of(venue, Answering(PLACES[venue].ack)), PLACES[venue]
    desk = client.trade._desk
    request = OrderRequest(symbol=place.symbol, client_order_id=place.client_id, **ORDER)
    draft = asyncio.run(Placing(desk).draft(request, rounded=False))
    number, writes, sender = desk.client_ids.native(place.client_id), desk.writes, client._engine._sender
    holes = {"now": time.time_ns(), "uuid": "", **order_params(draft, number)}
    operation = client.exchange.operation_for("place_order", holes)

    def ordered() -> HttpCall:
        params = order_params(draft, number)
        chosen = writes.operation("place_order", params)
        assert isinstance(chosen, OperationPlan)
        return sender.call(chosen, chosen.build(params))

    return lambda: sender.call(operation, operation.build(holes)), ordered


def _theirs(place: Place) -> Callable[[], object]:
    exchange, symbol = _rival(place), Symbol.parse(place.symbol).to_ccxt()
    client_id: Any = int(place.client_id) if place.client_id.isdecimal() else place.client_id

    def order() -> None:
        try:
            exchange.create_order(symbol, "limit", "buy", 0.5, 50000.1, {"clientOrderId": client_id})
        except Stopped:
            return
        raise AssertionError(f"ccxt's {place.rival} sent nothing")

    return order


async def _placing(venue: str) -> float:
    client, symbol = client_of(venue, Answering(PLACES[venue].ack)), PLACES[venue].symbol
    times = []
    gc.collect()
    for _ in range(REPETITIONS):
        start = time.thread_time_ns()
        for _ in range(ORDERS):
            await client.trade.place_order(symbol=symbol, **ORDER)
        times.append((time.thread_time_ns() - start) / ORDERS / 1000)
    await client.close()
    return min(times)


def client_of(venue: str, http: Any = None, **more: Any) -> Client:
    """A client that may trade, knows the instrument and the venue's time, and is never held up by a budget."""
    place, exchange = PLACES[venue], compile_exchange(venue)
    client = Client(
        venue,
        credentials={name: SECRETS[name] for name, one in exchange.credentials.items() if not one.optional},
        allow_trading=True,
        http=http,
        rate_limits={name: {"rate": 10**9, "period": 1} for name in exchange.pools},
        **more,
    )
    parsed = Symbol.parse(place.symbol)
    listed: dict[str, Any] = {"base": parsed.base, "quote": parsed.quote, "kind": parsed.kind, "settle": parsed.settle}
    numbers: dict[str, Any] = {"tick_size": Decimal("0.1"), "step_size": Decimal("0.001"), "min_size": Decimal("0.001")}
    if parsed.kind != "spot":
        numbers |= {"contract_size": Decimal(1), "contract_currency": parsed.base}
    client.markets.load([Instrument(exchange=venue, symbol=place.symbol, id=place.native, **listed, **numbers, **place.listed)])
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
    exchange.privateKey, exchange.walletAddress = SECRETS["private_key"], "0x" + "02" * 20
    exchange.options.update(place.options)
    spot = parsed.kind == "spot"
    market = {
        "id": place.native,
        "symbol": parsed.to_ccxt(),
        **{name: getattr(parsed, name) for name in ("base", "quote", "settle")},
        **{f"{name}Id": getattr(parsed, name) for name in ("base", "quote", "settle")},
        "type": "spot" if spot else "swap",
        **{"spot": spot, "swap": not spot, "contract": not spot, "option": False, "future": False},
        **{"linear": None if spot else True, "inverse": None if spot else False, "contractSize": None if spot else 1},
        "precision": {"price": 0.1, "amount": 0.001},
        "limits": {"amount": {}, "price": {}, "cost": {}},
        "info": {},
        **place.market,
    }
    exchange.set_markets([market])
    exchange.fetch = stop
    return exchange


def _timed(work: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    for _ in range(ORDERS):
        work()
    return (time.thread_time_ns() - start) / ORDERS / 1000
