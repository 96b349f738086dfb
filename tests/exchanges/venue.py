"""One venue under test: its plan, its samples, and a feed that reads them as the client would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from cexspec.compile.exchange import Exchange
from cexspec.engine.frames import FrameReader, Reading
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.models import DecodeError, Event, Instrument, Market, Symbol
from cexspec.spec.load import load
from cexspec.transport.clock import NANOSECONDS, VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall

EXCHANGES = Path(__file__).parents[2] / "exchanges"
IDS = sorted(path.stem for path in EXCHANGES.glob("*.yaml"))
Case = dict[str, Any]
AMOUNTS = ("quantity", "size", "contracts", "price", "stop_price", "quote_quantity", "leverage")
"""The exact numbers of a call."""
LATER = 2_000_000_000 * NANOSECONDS
"""The present of the tests: after everything in the samples."""


class Text(yaml.CSafeLoader):
    """YAML with JSON's types only: dates and the like stay text."""


Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@cache
def samples(exchange: str, name: str) -> tuple[Case, ...]:
    """The cases of `requests`, `messages` or `errors`; none where the file is missing."""
    path = EXCHANGES / "samples" / exchange / f"{name}.yaml"
    return tuple(yaml.load(path.read_text(encoding="utf-8"), Loader=Text)) if path.is_file() else ()


@cache
def plan(exchange: str) -> Exchange:
    """The compiled spec."""
    return Exchange(load(EXCHANGES / f"{exchange}.yaml"))


@dataclass
class Answer:
    """The `Context` of a REST body. Records left out of a batch are kept."""

    markets: Markets
    request: Mapping[str, Any] | None
    received: int | None = None
    left_out: list[DecodeError] = field(default_factory=list)

    @property
    def category(self) -> str | None:
        return self.request.get("category") if self.request is not None else None

    def market(self, native_id: str) -> Market:
        return self.within(self.category)(native_id)

    def within(self, category: str | None) -> Callable[[str], Market]:
        return self.markets.within(category)

    def quarantine(self, error: DecodeError) -> None:
        self.left_out.append(error)

    def state(self, name: str) -> dict[str, Any]:
        return {}


class Feed:
    """Reads cases in the order they are given; what they teach (instruments, learned numbers) stays."""

    def __init__(self, exchange: str) -> None:
        self.plan = plan(exchange)
        self.markets = Markets(self.plan)
        self._readers: dict[str, FrameReader] = {}

    def params(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """A call's arguments as the engine has them: with the native id and all else that is known of the market.

        Amounts are exact numbers; `size` is what the case says that the venue counts, else the quantity.
        """
        symbol = call.get("symbol")
        amounts = {name: Decimal(str(call[name])) for name in AMOUNTS if name in call}
        params = {**call, **(self._of(symbol) if symbol is not None else {}), **amounts}
        if "orders" in call:
            params["orders"] = [self.params(order) for order in call["orders"]]
        return params if "quantity" not in amounts else {"size": amounts["quantity"], **params}

    def _of(self, symbol: str) -> dict[str, Any]:
        """What is known of a market."""
        market, params = self.markets.find(symbol), self.markets.params(symbol)
        if market.kind in (None, "spot"):
            return {**params, "kind": market.kind}
        return {**params, "kind": market.kind, "settle": Symbol.parse(str(market.symbol)).settle}

    def rest(self, case: Case) -> tuple[list[Event], list[DecodeError]]:
        """The events of a REST body, and the records left out."""
        reader = self.plan.operation(case["operation"]).reader
        if reader is None:
            return [], []
        answer = Answer(self.markets, self.params(case.get("params", {})))
        events = reader.read(case["raw"].encode(), answer)
        instruments = [event for event in events if isinstance(event, Instrument)]
        if instruments:
            self.markets.load(instruments)
        return events, answer.left_out

    def ws(self, case: Case) -> Reading:
        """What a frame is and says."""
        name = connection_of(self.plan, case)
        if name not in self._readers:
            channels = {channel: self.plan.channel(channel) for channel in self.plan.channel_names}
            self._readers[name] = FrameReader(self.plan.id, self.plan.connection(name), channels, self.markets)
        return self._readers[name].read(case["raw"])

    def feed(self, case: Case) -> None:
        """Read a case for what it teaches."""
        self.rest(case) if "operation" in case else self.ws(case)


def connection_of(exchange: Exchange, case: Case) -> str:
    """The connection a case came in on: its own word, else its channel's first."""
    return str(case.get("connection") or next(iter(exchange.channel(case["channel"]).connections.values())))


def prepared(exchange: str, case: Case) -> Feed:
    """A feed that has read what the case says was before it, in that order."""
    feed, by_id = Feed(exchange), {one["id"]: one for one in samples(exchange, "messages")}
    for name in case.get("given", ()):
        feed.feed(by_id[name])
    return feed


class Sent(Exception):
    """Stops an engine once it has sent something: no error, the end of what is looked at."""


class Recorder:
    """An HTTP transport that notes what is sent and answers nothing."""

    def __init__(self) -> None:
        self.calls: list[HttpCall] = []

    async def send(self, call: HttpCall) -> HttpAnswer:
        """Note the call."""
        self.calls.append(call)
        raise Sent

    async def close(self) -> None:
        """Nothing to close."""


def engine(feed: Feed, transport: Recorder) -> RestEngine:
    """The real REST engine on a transport and a clock of our own."""
    clock = VirtualClock(LATER)
    environment = next(iter(feed.plan.environments.values()))
    return RestEngine(feed.plan, environment, transport, clock, limiter_of(feed.plan.pools, clock), feed.markets, random=Random(1))
