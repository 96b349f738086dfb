"""A compiled spec, the REST client and aiohttp against a server on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cexspec.compile.exchange import Exchange
from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.rest_client import RestClient
from cexspec.engine.sender import Retry
from cexspec.models import InvalidSymbol, RateLimitExceeded
from cexspec.spec.load import load_text
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import SystemClock
from cexspec.transport.http import AiohttpTransport

SPEC = """
cexspec: 1
id: acme
name: Acme
kind: cex
docs: https://acme.example/docs
environments:
  live: {rest: "https://acme.example"}
symbols:
  formats: {spot: "{base}-{quote}", perpetual: "{base}-{quote}-PERP"}
  examples: {BTC/USDT: BTC-USDT, BTC/USDT:PERP: BTC-USDT-PERP}
intervals: {1m: "60"}
limits:
  public: {rate: 1000, per: 1s, usage: {header: X-Used}}
errors:
  failed: {$.error: {is: present}}
  code: [$.error.code]
  message: [$.error.text]
  codes: {"404": InvalidSymbol}
rest:
  instruments:
    get: /instruments
    limit: public
    returns: instrument
    items: $[*]
    fields: {id: $.id, contract_size: {path: $.size, optional: true}, contract_currency: {path: $.currency, optional: true}}
  candles:
    get: /candles/{{ id }}
    query: {step: "{{ interval }}", from: "{{ start | s }}", to: "{{ end | s }}", count: "{{ limit }}"}
    params: {limit: {max: 50}}
    page: {direction: backward, param: to, by: timestamp, unit: s}
    limit: public
    returns: candle
    items: $[*]
    fields:
      symbol: {of: request}
      interval: {of: request}
      timestamp: {path: "$[0]", unit: s}
      open: $[1]
      high: $[1]
      low: $[1]
      close: $[1]
  trades:
    get: /trades
    query: {id: "{{ id }}"}
    limit: public
    returns: trade
    items: $[*]
    fields:
      symbol: $.id
      id: $.no
      price: $.price
      size: {path: $.size, scale: contract_size}
      side: $.side
      timestamp: {path: $.at, unit: s}
"""
MINUTE, START = 60, 1_700_000_040


class Acme:
    """The venue: 500 candles, one derivative, and a bad day now and then."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.peers: set[Any] = set()
        self.bad_answers: list[web.Response] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.targets.append(request.raw_path)
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        if self.bad_answers:
            return self.bad_answers.pop()
        return web.Response(body=json.dumps(self._body(request)).encode(), headers={"X-Used": str(len(self.targets))})

    def _body(self, request: web.Request) -> object:
        match request.path.split("/")[1:]:
            case ["candles", "BTC-USDT"]:
                until = int(request.query.get("to", 10**12))
                rows = [[START + n * MINUTE, f"{n}.10"] for n in range(500) if START + n * MINUTE < until]
                return rows[-int(request.query["count"]) :][::-1]
            case ["instruments"]:
                return [{"id": "BTC-USDT"}, {"id": "BTC-USDT-PERP", "size": "0.001", "currency": "BTC"}]
            case ["trades"]:
                return [{"id": request.query["id"], "no": "7", "price": "1.50", "size": "20", "side": "sell", "at": START}]
        return {"error": {"code": "404", "text": "no such market"}}


@pytest.fixture
def acme() -> Acme:
    return Acme()


@pytest.fixture
async def rest(acme: Acme) -> AsyncIterator[RestClient]:
    app = web.Application()
    app.router.add_get("/{rest:.*}", acme.answer)
    plan, clock, http = Exchange(load_text(SPEC)), SystemClock(), AiohttpTransport()
    async with TestServer(app) as server:
        environment = EnvironmentPlan("here", str(server.make_url("")), {})
        limits = limiter_of(plan.pools, clock, exchange=plan.id)
        retry = Retry(backoff=Backoff(0.001, 0.001), total=1.0)
        yield RestClient(RestEngine(plan, environment, http, clock, limits, Markets(plan), retry=retry))
        await http.close()


async def test_candles_are_fetched_page_by_page_over_one_connection(acme: Acme, rest: RestClient) -> None:
    rows = await rest.get_candles("BTC/USDT", "1m", limit=120)
    assert [row.timestamp for row in rows] == [(START + n * MINUTE) * 10**9 for n in range(380, 500)]
    assert (rows[0].symbol, rows[0].interval, str(rows[0].open)) == ("BTC/USDT", "1m", "380.10")
    assert acme.targets == [
        "/candles/BTC-USDT?step=60&count=50",
        f"/candles/BTC-USDT?step=60&count=50&to={START + 450 * MINUTE}",
        f"/candles/BTC-USDT?step=60&count=50&to={START + 400 * MINUTE}",
    ]
    assert len(acme.peers) == 1


async def test_the_first_candles_of_a_span_are_fetched_without_walking_back_from_now(acme: Acme, rest: RestClient) -> None:
    rows = await rest.get_candles("BTC/USDT", "1m", start=(START + 10 * MINUTE) * 10**9, limit=60)
    assert [row.timestamp for row in rows] == [(START + n * MINUTE) * 10**9 for n in range(10, 70)]
    assert len(acme.targets) <= 3


async def test_contracts_are_converted_once_the_instruments_are_known(acme: Acme, rest: RestClient) -> None:
    (trade,) = await rest.get_trades("BTC/USDT:PERP")
    assert (trade.symbol, trade.size, trade.contracts, trade.side) == ("BTC/USDT:PERP", Decimal("0.020"), 20, "sell")
    assert acme.targets == ["/trades?id=BTC-USDT-PERP", "/instruments"]


async def test_an_error_of_the_venue_is_mapped_with_its_code_and_message(rest: RestClient) -> None:
    with pytest.raises(InvalidSymbol, match=r"^acme candles: \[404\] no such market"):
        await rest.get_candles("NO/SUCH", "1m")


async def test_a_bad_moment_is_retried_and_a_rate_limit_respected(acme: Acme, rest: RestClient) -> None:
    acme.bad_answers = [web.Response(status=503, text="<html>maintenance</html>")]
    assert len(await rest.get_trades("BTC/USDT")) == 1
    acme.bad_answers = [web.Response(status=429, headers={"Retry-After": "600"})]
    with pytest.raises(RateLimitExceeded) as caught:
        await rest.get_trades("BTC/USDT")
    assert caught.value.retry_after == 600.0
