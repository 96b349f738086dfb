"""Everybody of a play: the venue at the far side, the network and its weather, and the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Protocol, get_args

from cexspec.compile.exchange import Exchange, compile_exchange
from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.options import StreamOptions
from cexspec.engine.rest import INSTRUMENTS, RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.spec.load import shipped
from cexspec.transport.clock import VirtualClock
from tests.simulation.agora import Agora, Manner, spec_of
from tests.simulation.goods import STYLES
from tests.simulation.network import Line, Network, Venue
from tests.simulation.readers import Judge
from tests.simulation.rest import SimulatedHttp
from tests.simulation.shipped import Shipped
from tests.simulation.specs import exchange
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather

MANNERS: tuple[Manner, ...] = get_args(Manner)
MADE_UP = tuple(f"{style}, {manner}" for style in STYLES for manner in MANNERS)
VENUES = tuple(sorted(shipped())) + MADE_UP
"""By name: the shipped ones, and the made-up ones by how they tell of books and how they answer."""

ANYTHING = frozenset({"message lost", "message twice", "message overtaken"})
ACKS = frozenset({"ack lost", "ack late"})
COUNTED = frozenset({"message lost", "message again"})
"""Fair for trades where the connection numbers its frames."""
DELAYS = (0.001, 0.06)
IDLE = 60.0
"""Seconds after which a venue gives up a client that says nothing, where clients have something to say all the time."""


class FarSide(Venue, Protocol):
    """A venue whose markets move when they are told to."""

    truths: Mapping[str, Truth]

    def trade(self, symbol: str) -> None: ...

    def move(self, symbol: str) -> None: ...

    def step(self) -> None: ...

    def forget(self, random: Random) -> str: ...

    def restart(self, line: Line) -> None: ...


@dataclass
class Cast:
    """Everybody. `depths`: of books, to choose from; `messages`: somebody takes a book's messages as they are sent;
    `acknowledges`: the venue says when it serves a topic; `ends_idle`: it ends lines on which clients say nothing any more;
    `overlapping`: several connections serve a topic, always or while one replaces another."""

    far: Agora | Shipped
    network: Network
    weather: Weather
    client: StreamClient
    judge: Judge
    symbols: tuple[str, ...]
    depths: tuple[int | None, ...]
    tickers: bool
    messages: bool
    acknowledges: bool
    budgets: Mapping[str, tuple[int, float]]
    ends_idle: bool
    overlapping: bool

    @property
    def truths(self) -> Mapping[str, Truth]:
        """By unified symbol."""
        return self.far.truths

    def happen(self) -> None:
        """What goes wrong within one step."""
        self.weather.happen(self.network, self.restart)
        if self.weather.forgets("topic forgotten"):
            self.network.note("forgotten", self.far.forget(self.weather.random))

    def heal(self) -> None:
        """The weather clears."""
        self.weather.heal(self.network)
        self.far.aging = False

    def drop_idle(self) -> None:
        """The venue's end of lines that are dead towards it."""
        if self.ends_idle:
            self.network.drop_idle(IDLE)

    def restart(self, line: Line) -> None:
        """A server goes away: most say so before."""
        self.far.restart(line)
        if self.weather.random.random() < 0.5:
            line.cut(1012)


@cache
def _exchange(name: str, aging: bool) -> Exchange:
    style, _, manner = name.partition(", ")
    if not manner:
        return compile_exchange(name)
    return exchange(spec_of(style, _manner(manner), aging=aging))


def _manner(text: str) -> Manner:
    return next(one for one in MANNERS if one == text)


def cast(name: str, seed: int, random: Random, clock: VirtualClock, trace: Trace, options: StreamOptions) -> Cast:
    """Put everybody in place."""
    made_up = name in MADE_UP
    aging = made_up and options.policy != "block" and random.random() < 0.4
    plan = _exchange(name, aging)
    overlapping = aging or options.redundancy > 1
    style, _, manner = name.partition(", ")
    far: Agora | Shipped
    if made_up:
        far = Agora(clock, style, _manner(manner), Random(f"{seed} market"), aging=aging)
        counted = manner == "learned" or "per_connection" in STYLES[style].spec
    else:
        far = Shipped(clock, name, seed)
        counted = any(plan.connection(one).sequence is not None for one in plan.connection_names)
    fair = {"book": ANYTHING, "ack": ACKS, "trades": COUNTED if counted else frozenset[str]()}
    expecting = bool(options.expect_every)
    weather = Weather(random, fair, trace.note, expecting)
    if isinstance(far, Agora):
        far.ignores = lambda line, topic: weather.forgets("topic ignored", f"{line.name} {topic}")
    network = Network(clock, far, Random(f"{seed} network"), DELAYS)
    network.fate, network.trace = weather.fate, trace
    usual = network.delay
    network.delay = lambda: weather.delay(usual())  # type: ignore[method-assign]
    network.control_pings = not _pings(plan) or random.random() < 0.5
    environment = _environment(plan, made_up)
    markets = Markets(plan)
    rest = SimulatedHttp(network, weather, far.answer)
    engine = RestEngine(plan, environment, rest, clock, limiter_of(plan.pools, clock), markets, random=Random(f"{seed} rest"))
    client = StreamClient(
        plan,
        environment,
        markets,
        transport=network,
        clock=clock,
        random=Random(f"{seed} client"),
        options=options,
        prepare=engine.ensure_instruments if INSTRUMENTS in plan.operation_names else None,
        fetch=engine.call,
    )
    client.on_state(lambda one: trace.note("state", one.connection, f"{one.before} -> {one.after}: {one.reason}"))
    book = plan.channel("order_book").book
    assert book is not None
    numbered = STYLES[style].numbered if made_up else book.rule not in (None, "per_connection")
    judge = Judge(far.truths, numbered, singly=book.single_levels)
    verbs = plan.connection(plan.connection_names[0]).subscribe
    symbols = tuple(far.truths)
    depths: tuple[int | None, ...] = {"okx": (None, None, 5), "binance": (None, None, 20)}.get(name, (None,))
    budgets = _budgets(plan, environment)
    messages = made_up and Random(f"{seed} messages").random() < 0.5
    answered = verbs.answered
    return Cast(far, network, weather, client, judge, symbols, depths, made_up, messages, answered, budgets, _speaks(plan), overlapping)


def _environment(plan: Exchange, made_up: bool) -> EnvironmentPlan:
    if made_up:
        return plan.environments["live"]
    return EnvironmentPlan("mock", "http://rest.mock", {name: f"ws://{name}.mock/{name}" for name in plan.connection_names})


def _pings(plan: Exchange) -> bool:
    """Whether the venue's own pings tell that a line is dead."""
    lives = [plan.connection(name).keepalive for name in plan.connection_names]
    return all((one.send is not None and one.expects) or one.silence is not None for one in lives)


def _speaks(plan: Exchange) -> bool:
    """Whether clients have something to say all the time."""
    lives = [plan.connection(name).keepalive for name in plan.connection_names]
    return all(one.send is not None or one.answer is not None for one in lives)


def _budgets(plan: Exchange, environment: EnvironmentPlan) -> dict[str, tuple[int, float]]:
    """Host -> attempts to connect in so many seconds."""
    budgets = {}
    for name in plan.connection_names:
        window = plan.connection(name).connects_per
        if window is not None:
            budgets[environment.ws[name].split("/")[2]] = (window.rate, window.per)
    return budgets
