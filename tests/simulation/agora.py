"""Made-up venues: each way to tell of books, with each manner of answering subscriptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from cexspec.transport.clock import VirtualClock
from tests.simulation.goods import FETCHED, STYLES, Good
from tests.simulation.network import Line
from tests.simulation.specs import COMMON
from tests.simulation.truth import Truth

Manner = Literal["echo", "learned", "silent"]
MARKETS = {"BTC/USDT": "BTC-USDT", "ETH/USDT": "ETH-USDT", "SOL/USDT": "SOL-USDT"}
PING_EVERY = 10.0
"""Seconds between the pings of a venue that sends them."""

_CONNECTION: dict[Manner, str] = {
    # repeats the topic and the id of the request
    "echo": """
      keepalive: {send: ping, every: 15s, expect: pong, within: 5s, silence: 45s}
      messages_per: {rate: 5, per: 1s}
      topics_per_message: 2
      subscribe: {send: {op: subscribe, id: "{{ request_id }}", args: "{{ topics }}"},
        ack: {$.event: subscribe}, failed: {$.event: error}, topic: $.arg, id: $.id}
      unsubscribe: {send: {op: unsubscribe, id: "{{ request_id }}", args: "{{ topics }}"},
        ack: {$.event: unsubscribe}, topic: $.arg, id: $.id}
""",
    # announces a number for each subscription, and counts the frames of the connection
    "learned": """
      greet: {send: {op: hello}, expect: {$.event: hello}}
      keepalive: {send: {op: ping}, every: 15s, expect: {$.event: pong}, within: 5s}
      sequence: $.n
      topics_per_message: 1
      subscribe: {send: {op: subscribe, "*": "{{ topic }}"},
        ack: {$.event: subscribe}, failed: {$.event: error}, topic: $, learn: {channel: $.c}}
      unsubscribe: {send: {op: unsubscribe, c: "{{ channel }}"}, ack: {$.event: unsubscribe}, id: $.c}
      route: {by: $.c, learned: channel}
""",
    # says nothing about subscriptions, and pings by itself
    "silent": """
      keepalive: {silence: 25s, answer: {match: {$.ping: {is: present}}, send: {pong: "{{ message.ping }}"}}}
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}}
""",
}


LIFETIME = 30.0
"""Seconds after which an aging venue ends a connection."""
TRADES = 100
"""Trades that REST tells at most."""


def spec_of(style: str, manner: Manner, *, aging: bool = False) -> str:
    """The YAML of a made-up venue; an `aging` one ends its connections after `LIFETIME`."""
    book, learned = STYLES[style], manner == "learned"
    symbol = "{of: request}" if learned else "{path: $.arg.id, of: message}"
    sync = "{rest: order_book, depth: 10}" if book.fetched else "replace" if book.whole else "stream"
    when = "always" if book.whole else "never" if book.fetched else "{$.action: snapshot}"
    match = {name: f"{{$.k: {name}}}" if learned else f"{{$.arg.ch: {name}}}" for name in ("trades", "ticker", "book")}
    numbered = "" if learned or "per_connection" not in book.spec else "\n      sequence: $.n"
    depth = "depth: 5" if book.cut else "depth: 24"
    lifetime = f"\n      lifetime: {LIFETIME:g}s" if aging else ""
    return f"""cexspec: 1
id: agora
name: Agora
{COMMON}
environments: {{live: {{rest: "https://agora.test", ws: {{public: "wss://agora.test/ws"}}}}}}
limits: {{market_data: {{rate: 20, per: 1s}}}}
rest:
  order_book:
    get: /book
    query: {{id: "{{{{ id }}}}", depth: "{{{{ depth }}}}"}}
    params: {{depth: {{default: 10}}}}
    limit: market_data
    returns: book
    item: $.data
    snapshot_when: always
    fields: {{symbol: $.id, bids: $.b, asks: $.a}}
    sequence: {{rule: contiguous, last: $.u}}
  trades:
    get: /trades
    query: {{id: "{{{{ id }}}}", limit: "{{{{ limit }}}}"}}
    params: {{limit: {{default: 50, max: {TRADES}}}}}
    limit: market_data
    returns: trade
    items: $.data[*]
    fields: {{symbol: $.id, id: $.i, price: $.p, size: $.s, side: $.d, timestamp: {{path: $.t, unit: ns}}}}
ws:
  connections:
    public:
      max_topics: 3
      connects_per: {{rate: 6, per: 10s}}{lifetime}{numbered}{_CONNECTION[manner]}
      roles:
        restart: {{match: {{$.event: restart}}, role: notice, reason: the venue restarts, reconnect: true}}
        note: {{match: {{$.event: note}}, role: notice}}
  channels:
    trades:
      on: public
      topic: {{ch: trades, id: "{{{{ id }}}}"}}
      match: {match["trades"]}
      backfill: trades
      returns: trade
      items: $.data[*]
      fields: {{symbol: {symbol}, id: $.i, price: $.p, size: $.s, side: $.d, timestamp: {{path: $.t, unit: ns}}}}
    ticker:
      on: public
      topic: {{ch: ticker, id: "{{{{ id }}}}"}}
      match: {match["ticker"]}
      returns: ticker
      item: $.data
      fields: {{symbol: {symbol}, last: $.l, timestamp: {{path: $.t, unit: ns}}}}
    order_book:
      on: public
      topic: {{ch: book, id: "{{{{ id }}}}"}}
      match: {match["book"]}
      {depth}
      sync: {sync}
      returns: book
      item: $.data
      snapshot_when: {when}
      fields: {{symbol: {symbol}, bids: $.b, asks: $.a, timestamp: {{path: $.t, unit: ns}}}}
      {book.spec}
"""


@dataclass
class Agora:
    """The far side. `ignores(line, topic)`: whether a subscription is acknowledged and then not served."""

    clock: VirtualClock
    style: str
    manner: Manner
    random: Random
    ignores: Callable[[Line, str], bool] = lambda line, topic: False
    aging: bool = False
    goods: dict[str, Good] = field(default_factory=dict)
    subscriptions: dict[Line, dict[str, dict[str, Any]]] = field(default_factory=dict)
    channels: dict[Line, dict[str, int]] = field(default_factory=dict)
    frames: dict[Line, int] = field(default_factory=dict)
    pinged: dict[Line, float] = field(default_factory=dict)
    born: dict[Line, float] = field(default_factory=dict)
    numbers: int = 100

    def __post_init__(self) -> None:
        for native in MARKETS.values():
            self.goods[native] = Good(STYLES[self.style], self.random)
            self.goods[native].open(self.clock.time_ns())

    @property
    def truths(self) -> dict[str, Truth]:
        """By unified symbol."""
        return {symbol: self.goods[native].truth for symbol, native in MARKETS.items()}

    def opened(self, line: Line) -> None:
        self.subscriptions[line], self.channels[line], self.frames[line] = {}, {}, 0
        self.pinged[line] = self.born[line] = self.clock.monotonic()
        line.push({"event": "note"})

    def lost(self, line: Line) -> None:
        for known in (self.subscriptions, self.channels, self.frames, self.pinged, self.born):
            known.pop(line, None)

    def received(self, line: Line, frame: str) -> None:
        message: dict[str, Any] = {"op": frame} if frame == "ping" else json.loads(frame)
        match message.get("op"):
            case "ping":
                line.push({"event": "pong"} if self.manner == "learned" else "pong", "pong")
            case "hello":
                line.push({"event": "hello"}, "greeting")
            case "subscribe":
                for arg in message.get("args") or [{"ch": message["ch"], "id": message["id"]}]:
                    self._subscribe(line, arg, message.get("id"))
            case "unsubscribe":
                self._unsubscribe(line, message)

    def step(self) -> None:
        """What the venue does by itself as time passes."""
        now = self.clock.monotonic()
        for line, before in tuple(self.pinged.items()):
            if self.manner == "silent" and now - before >= PING_EVERY:
                self.pinged[line] = now
                line.push({"ping": round(now * 1000)}, "ping")
        for line in [line for line, born in self.born.items() if self.aging and now - born >= LIFETIME]:
            line.cut(1001)

    def forget(self, random: Random) -> str:
        """Lose a subscription and say nothing; which."""
        known = [(line, key) for line, topics in self.subscriptions.items() for key in topics]
        if not known:
            return ""
        line, key = random.choice(known)
        del self.subscriptions[line][key]
        return f"{line.name} {key}"

    def trade(self, symbol: str) -> None:
        """A trade or two of a market, whether anybody listens or not."""
        native, now = MARKETS[symbol], self.clock.time_ns()
        good = self.goods[native]
        sent = [good.trade(now) for _ in range(self.random.randint(1, 2))]
        self._say("trades", native, [{"i": str(one.number), "p": good.price, "s": "2", "d": "buy", "t": one.at} for one in sent])
        self._say("ticker", native, {"l": good.price, "t": now})

    def move(self, symbol: str) -> None:
        """A change of a book."""
        native, now = MARKETS[symbol], self.clock.time_ns()
        good = self.goods[native]
        if self.random.random() < 0.1 and (still := good.still(now)) is not None:
            good.truth.was(good.number, now, good.before)
            self._say("book", native, still, action="update")
            return
        good.move(now)
        self._say("book", native, good.change, action="update")

    def restart(self, line: Line) -> None:
        """Say that the server goes away."""
        line.push({"event": "restart"}, "notice")

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer to a request."""
        good = self.goods[query["id"]]
        if path == "/trades":
            newest = good.truth.trades[-int(query["limit"]) :]
            data: Any = [{"id": query["id"], "p": "1", "s": "2", "d": "buy", "i": str(one.number), "t": one.at} for one in newest]
        else:
            data = {"id": query["id"], **good.fetched(int(query.get("depth") or FETCHED))}
        return 200, json.dumps({"data": data}).encode()

    def _subscribe(self, line: Line, arg: dict[str, Any], request: str | None) -> None:
        key = f"{arg['ch']}:{arg['id']}"
        self.subscriptions[line][key] = arg
        if self.manner == "learned":
            self.numbers += 7
            number = self.channels[line].setdefault(key, self.numbers)  # who asks twice has one subscription
            line.push({"event": "subscribe", "c": number, **arg}, "ack")
        elif self.manner == "echo":
            line.push({"event": "subscribe", "id": request, "arg": arg}, "ack")
        if self.ignores(line, key):
            del self.subscriptions[line][key]
        elif arg["ch"] == "book" and not STYLES[self.style].fetched:
            self._push(line, key, arg, self.goods[arg["id"]].whole(self.clock.time_ns()), action="snapshot")
            self.goods[arg["id"]].truth.was(None, self.clock.time_ns(), self.goods[arg["id"]].before)

    def _unsubscribe(self, line: Line, message: dict[str, Any]) -> None:
        if self.manner == "learned":
            left: dict[str, dict[str, Any]] = {key: {} for key, number in self.channels[line].items() if number == message["c"]}
            line.push({"event": "unsubscribe", "c": message["c"]}, "ack")
        else:
            left = {f"{arg['ch']}:{arg['id']}": arg for arg in message["args"]}
        for key, arg in left.items():
            self.subscriptions[line].pop(key, None)
            self.channels[line].pop(key, None)
            if self.manner == "echo":
                line.push({"event": "unsubscribe", "id": message["id"], "arg": arg}, "ack")

    def _say(self, channel: str, native: str, data: Any, **more: Any) -> None:
        key = f"{channel}:{native}"
        for line, topics in tuple(self.subscriptions.items()):
            if key in topics:
                self._push(line, key, topics[key], data, **more)

    def _push(self, line: Line, key: str, arg: dict[str, Any], data: Any, **more: Any) -> None:
        message: dict[str, Any] = {"arg": arg, **more, "data": data}
        if self.manner == "learned":
            message = {"c": self.channels[line][key], "k": arg["ch"], **more, "data": data}
        if self.manner == "learned" or "per_connection" in STYLES[self.style].spec:
            self.frames[line] += 1
            message["n"] = self.frames[line]
        # Nobody can tell that the first number of a line is missing.
        line.push(message, arg["ch"] if self.frames[line] != 1 else "first")
