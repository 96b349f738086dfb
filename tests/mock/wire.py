"""The real REST engine and the real sessions, joined to a mock venue without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from urllib.parse import parse_qsl, urlsplit

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.markets import Markets
from cexspec.engine.outputs import Deliver, Output, Send
from cexspec.engine.rest import RestEngine
from cexspec.engine.rest_client import RestClient
from cexspec.engine.session import Session
from cexspec.engine.topics import Topic
from cexspec.engine.topics import topic_of as make_topic
from cexspec.mock import MockVenue
from cexspec.models import Event
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from cexspec.transport.limiter import Limiter, Pool
from cexspec.transport.window import Window

START = 1_790_000_000_000_000_000
VENUES = ("okx", "binance", "bitfinex", "kraken", "bybit")
ALL_VENUES = (*VENUES, "hyperliquid")
"""Also those that have no BTC/USDT."""


@dataclass
class Wire:
    """An `HttpTransport` that is the venue; keeps what was asked and why something was refused."""

    venue: MockVenue
    calls: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpAnswer:
        parts = urlsplit(call.url)
        self.calls.append(call.url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        status, body, reason = self.venue.answer(call.method, parts.path, query, call.body or b"", dict(call.headers))
        if reason:
            self.reasons.append(reason)
        return HttpAnswer(status, {}, body)


class VenueClock:
    """The venue's time, moved by hand."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def venue_of(name: str, **options: object) -> MockVenue:
    """A mock venue whose time stands still."""
    return MockVenue(name, clock=VenueClock(), **options)  # type: ignore[arg-type]


def rest_of(venue: MockVenue) -> tuple[RestClient, Wire]:
    """The real REST client of a mock venue, without limits."""
    plan, wire, clock = venue.exchange, Wire(venue), VirtualClock(START)
    environment = EnvironmentPlan("mock", "http://mock", {})
    engine = RestEngine(plan, environment, wire, clock, unlimited(venue, clock), Markets(plan), random=Random(1))
    return RestClient(engine), wire


def unlimited(venue: MockVenue, clock: VirtualClock) -> Limiter:
    """The venue's pools without their limits."""
    return Limiter((Pool(name, (Window(10**9, 1.0),), "pool") for name in venue.exchange.pools), clock)


@dataclass
class Talk:
    """A real session on one connection, joined to the venue's side of it; `say` everything both have to say."""

    venue: MockVenue
    connection: str
    markets: Markets
    now: float = 0.0
    outputs: list[Output] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        exchange = self.venue.exchange
        assert exchange.spec.ws is not None
        channels = {
            name: exchange.channel(name) for name, spec in exchange.spec.ws.channels.items() if self.connection in spec.connections.values()
        }
        self.session = Session(exchange.id, exchange.connection(self.connection), channels, self.markets)
        self.dialogue = self.venue.dialogue(self.connection)
        self.session.connected(self.now)
        self._hear(self.dialogue.opened())

    def subscribe(self, *topics: Topic) -> None:
        self.session.subscribe(topics, self.now)
        self.settle()

    def unsubscribe(self, *topics: Topic) -> None:
        self.session.unsubscribe(topics, self.now)
        self.settle()

    def move(self, times: int = 1) -> None:
        """Let the subscribed markets move (they do when asked for later), and hear what the venue says of it."""
        clock = self.venue._clock
        assert isinstance(clock, VenueClock)
        for _ in range(times):
            clock.now += 100_000_000
            self.now += 0.1
            for native in sorted(self.dialogue.instruments()):
                self.venue.market(native)
                self._hear(self.dialogue.tick(self.venue.listing[native]))
            self.settle()

    def settle(self) -> None:
        """Until nobody has anything to say."""
        while outputs := self.session.drain():
            self.outputs += outputs
            for output in outputs:
                if isinstance(output, Send):
                    self._hear(self.dialogue.receive(output.frame.decode()))

    def _hear(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.frames.append(text)
            self.session.received(text, self.now, START)

    def events(self) -> list[Event]:
        return [event for output in self.outputs if isinstance(output, Deliver) for _, events in output.parts for event in events]

    def of(self, kind: type[Output]) -> list[Output]:
        return [output for output in self.outputs if isinstance(output, kind)]


def topic_of(venue: MockVenue, channel: str, symbol: str | None, params: Mapping[str, object] | None = None) -> Topic:
    """What subscribes a channel for a symbol."""
    plan = venue.exchange.channel(channel)
    of_kind = (one for one in venue.listing if plan.kinds is None or one.symbol.kind in plan.kinds)
    listed = venue.listing.find(symbol) if symbol is not None else next(of_kind)
    return make_topic(plan, {**listed.params, "interval": "1m", **(params or {})})


def exact(value: object) -> Decimal:
    return Decimal(str(value))
