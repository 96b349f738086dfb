"""A made-up venue with a private connection of every style, and its far side on the simulated network."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import Params
from cexspec.engine.markets import Markets
from cexspec.engine.options import Reconnecting, StreamOptions
from cexspec.engine.private import Access
from cexspec.engine.signing import Signer
from cexspec.engine.stream_client import StreamClient
from cexspec.models import AuthenticationError, Credentials
from cexspec.spec.load import load_text
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import VirtualClock
from tests.simulation.network import Line, Network

START = 1_790_000_000 * 10**9
KEY, SECRET, ADDRESS = "key-of-a-customer", "what-nobody-may-know", "0xabc"
ACCOUNT = Credentials({"api_key": KEY, "api_secret": SECRET, "address": ADDRESS})

ORDER = """
      returns: order
      items: $.data[*]
      fields: {symbol: $.id, order_id: $.o, status: {path: $.st, map: {live: new, done: filled}}, updated: {path: $.t, unit: ms}}
"""
VAULT = """
cexspec: 1
id: vault
name: Vault
kind: cex
docs: https://docs.test/
environments:
  live:
    rest: https://vault.test
    ws:
      login: wss://vault.test/login
      token: wss://vault.test/token
      listen: "wss://vault.test/listen?listenKey={{ listen_key }}"
      signed: wss://vault.test/signed
      open: wss://vault.test/open
symbols:
  formats: {spot: "{base}-{quote}"}
  examples: {BTC/USDT: BTC-USDT}
errors:
  failed: {$.event: error}
  code: $.code
  message: $.msg
  codes: {"401": AuthenticationError, "408": TimestampError}
auth:
  credentials: {api_key: {}, api_secret: {}, address: {public: true}}
  recipes:
    rest: {headers: {X-KEY: "{{ api_key }}"}}
    message:
      signature: {of: "{{ now | ms }}", digest: hmac-sha256, key: api_secret, encode: hex}
rest:
  ws_token: {post: /token, auth: rest, ignored: a token}
  listen_key: {post: /listen, auth: rest, ignored: a listen key}
  keep_listen_key: {put: /listen, auth: rest, ignored: nothing}
ws:
  connections:
    login:
      greet:
        recipe: message
        send: {op: login, key: "{{ api_key }}", at: "{{ now | ms }}", sign: "{{ signature }}"}
        expect: {$.event: login}
        failed: {$.event: error}
        errors: {code: $.code, message: $.msg, codes: {"408": TimestampError, "503": ExchangeUnavailable}}
      subscribe:
        send: {op: subscribe, args: "{{ topics }}"}
        ack: {$.event: subscribe}
        failed: {$.event: error}
        topic: $.arg
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}, ack: {$.event: unsubscribe}, topic: $.arg}
    token:
      bootstrap: {operation: ws_token, take: {token: $.result.token}}
      subscribe:
        send: {op: subscribe, args: ["{{ topic }}"], token: "{{ token }}"}
        ack: {$.event: subscribe}
        failed: {$.event: error}
        topic: $.arg
      unsubscribe:
        send: {op: unsubscribe, args: ["{{ topic }}"], token: "{{ token }}"}
        ack: {$.event: unsubscribe}
        topic: $.arg
    listen:
      bootstrap: {operation: listen_key, take: {listen_key: $.listenKey}, keep: {operation: keep_listen_key, every: 30m}}
      subscribe: implied
      unsubscribe: implied
      roles: {expired: {match: {$.event: expired}, role: notice, reconnect: true}}
    signed:
      payload: $.event
      subscribe:
        recipe: message
        send:
          id: "{{ request_id }}"
          method: subscribe
          params: {key: "{{ api_key }}", at: "{{ now | ms }}", sign: "{{ signature }}"}
        ack: {$.status: "200"}
        failed: {$.status: {not: "200"}}
        id: $.id
        learn: {number: $.result.number}
        errors: {code: $.error.code, message: $.error.msg, codes: {"401": AuthenticationError}}
      unsubscribe:
        send: {id: "{{ request_id }}", method: unsubscribe, params: {number: "{{ number }}"}}
        ack: {$.status: "200"}
        id: $.id
    open:
      subscribe: {send: {op: subscribe, args: ["{{ topic }}"]}, ack: {$.event: subscribe}, topic: $.arg}
      unsubscribe: {send: {op: unsubscribe, args: ["{{ topic }}"]}, ack: {$.event: unsubscribe}, topic: $.arg}
  channels:
    orders:
      on: login
      topic: {ch: orders}
      match: {$.arg.ch: orders}  # ORDER
    algo_orders:
      on: login
      stream: orders
      topic: {ch: algo}
      match: {$.arg.ch: algo}  # ORDER
    token_orders:
      on: token
      topic: {ch: orders}
      match: {$.arg.ch: orders}  # ORDER
    listened_orders:
      on: listen
      topic: {ch: orders}
      match: {$.arg.ch: orders}  # ORDER
    reports:
      on: signed
      topic: account
      match: {$.e: report}
      returns: order
      fields: {symbol: $.id, order_id: $.o}
    executions:
      on: signed
      topic: account
      match: {$.e: report}
      only: {$.x: TRADE}
      returns: fill
      fields: {symbol: $.id, order_id: $.o, side: $.d, price: $.p, quantity: $.q}
    wallet:
      on: signed
      topic: account
      match: {$.e: wallet}
      returns: balance
      items: $.b[*]
      fields: {currency: $.a, free: $.f}
    addressed_orders:
      on: open
      topic: {ch: orders, user: "{{ address }}"}
      match: {$.arg.ch: orders}  # ORDER
""".replace("  # ORDER", ORDER)


def digest(at: int, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), str(at).encode(), hashlib.sha256).hexdigest()


@cache
def exchange() -> Exchange:
    return Exchange(load_text(VAULT, "vault.yaml"))


@dataclass
class Vault:
    """Believes who signs right. `refusing` is the code of the next logins; `keys` are the listen keys it knows."""

    clock: VirtualClock
    refusing: list[str] = field(default_factory=list)
    given: int = 0
    keys: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    measured: list[bool] = field(default_factory=list)
    topics: dict[Line, list[Any]] = field(default_factory=dict)

    async def measure_clock(self, *, again: bool = False) -> None:
        """See `Rest.measure_clock`."""
        self.measured.append(again)

    async def body(self, name: str, params: Params) -> bytes:
        """See `Rest.body`."""
        self.calls.append(name)
        await self.clock.sleep(0.01)
        if self.failing:
            raise self.failing.pop(0)
        if name == "keep_listen_key":
            if params["listen_key"] not in self.keys:
                raise AuthenticationError(f"there is no listen key {params['listen_key']}")
            return b"{}"
        self.given += 1
        value = f"given-{self.given}-by-rest"
        self.keys.add(value)
        return json.dumps({"result": {"token": value}, "listenKey": value}).encode()

    def opened(self, line: Line) -> None:
        self.topics[line] = []
        if "listen?" in line.url:
            known = dict(parse_qsl(urlsplit(line.url).query)).get("listenKey") in self.keys
            self.topics[line] = [{"ch": "orders"}] if known else []

    def lost(self, line: Line) -> None:
        self.topics.pop(line, None)

    def received(self, line: Line, frame: str) -> None:
        message = json.loads(frame)
        match message.get("op") or message.get("method"):
            case "login":
                self._login(line, message)
            case "subscribe" if "params" in message:
                self._signed(line, message)
            case "unsubscribe" if "params" in message:
                line.push({"id": message["id"], "status": 200})
            case verb:
                self._listed(line, verb, message)

    def say(self, topic: Any, frame: Any) -> int:
        """Tell everybody who subscribed."""
        told = [line for line, topics in self.topics.items() if topic in topics]
        for line in told:
            line.push(frame)
        return len(told)

    def order(self, number: str, ch: str = "orders", native_id: str = "BTC-USDT", **more: str) -> int:
        topic = {"ch": ch, **more}
        rows = [{"id": native_id, "o": number, "st": "live", "t": self.clock.time_ns() // 1_000_000}]
        return self.say(topic, {"arg": topic, "data": rows})

    def _login(self, line: Line, message: dict[str, Any]) -> None:
        if self.refusing:
            line.push({"event": "error", "code": self.refusing.pop(0), "msg": f"no login for {message['key']}"})
        elif message["sign"] != digest(int(message["at"])) or int(message["at"]) < self.clock.time_ns() // 1_000_000 - 5_000:
            line.push({"event": "error", "code": "401", "msg": "bad signature"})
        else:
            self.topics[line].append("login")
            line.push({"event": "login"})

    def _signed(self, line: Line, message: dict[str, Any]) -> None:
        params = message["params"]
        if params["sign"] != digest(int(params["at"])) or self.refusing:
            line.push({"id": message["id"], "status": 401, "error": {"code": "401", "msg": f"invalid {params['key']}"}})
            return
        self.topics[line].append("account")
        line.push({"id": message["id"], "status": 200, "result": {"number": 7}})

    def _listed(self, line: Line, verb: str, message: dict[str, Any]) -> None:
        for arg in message["args"]:
            if "token" in line.url and message.get("token") not in self.keys:
                line.push({"event": "error", "code": "401", "msg": "no such token", "arg": arg})
                continue
            if verb == "subscribe":
                self.topics[line].append(arg)
            line.push({"event": verb, "arg": arg})


@dataclass
class Scene:
    """Everything of one play."""

    clock: VirtualClock
    network: Network
    client: StreamClient
    vault: Vault

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    def sent(self, line: int) -> list[Any]:
        """What reached the venue on a connection."""
        return [json.loads(frame) for frame in self.network.opened[line].sent]


OPTIONS = StreamOptions(reconnecting=Reconnecting(Backoff(0.5, 2.0)))


@asynccontextmanager
async def scene(clock: VirtualClock, credentials: Credentials | None, options: StreamOptions) -> AsyncIterator[Scene]:
    plan, vault = exchange(), Vault(clock)
    network = Network(clock, vault, Random(1), (0.001, 0.01))
    signer = Signer(plan, credentials, clock) if credentials is not None else None
    access = Access(signer, vault, plan.recipe)
    markets = Markets(plan)
    client = StreamClient(
        plan, plan.environments["live"], markets, transport=network, clock=clock, random=Random(1), options=options, access=access
    )
    try:
        yield Scene(clock, network, client, vault)
    finally:
        await client.close()


async def perform(
    play: Callable[[Scene], Awaitable[None]], credentials: Credentials | None = ACCOUNT, options: StreamOptions = OPTIONS
) -> None:
    """Play to the end in virtual time; nothing may be left running."""
    clock = VirtualClock(START)

    async def work() -> None:
        async with scene(clock, credentials, options) as one:
            await play(one)

    before = asyncio.all_tasks()
    await clock.run(work(), limit=1e5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "tasks are left running"
