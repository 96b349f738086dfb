"""What a start costs and how long it takes, before it begins and while it is under way: connections, messages, snapshots.

    wanted -> connections with room -> messages at the venue's pace -> served -> a snapshot each, in line for the budgets -> ready

The same windows that hold the client back hold back the plan, so that both wait for the same reasons. No I/O: times are seconds
of a monotonic clock, of which `now` is given.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, TypeVar

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.plan import Params
from cexspec.compile.socket_plan import ConnectionPlan
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.waiting import levels_fetched
from cexspec.engine.channel_choice import channels_for, choose
from cexspec.engine.markets import Markets
from cexspec.engine.topics import Topic, topic_of
from cexspec.models import InvalidRequest, InvalidSymbol, NotSupported
from cexspec.transport.limiter import Draw
from cexspec.transport.window import SlidingWindow, Window

FORMS = ("C{}/USDT", "C{}/USD", "C{}/USDC", "C{}/USDT:PERP", "C{}/USDC:PERP", "C{}/USD:PERP")
"""Symbols made up, of the first form that a venue has the stream for."""
ROUND_TRIP = 0.25
"""Seconds taken for a request and its answer, or for a connection to open."""
T = TypeVar("T")
DrawsOf = Callable[[str, Params], Sequence[Draw]]
"""(operation, parameters) -> what a call of it draws on"""


class Snapshot(NamedTuple):
    """A call for the snapshot of a book."""

    operation: str
    params: Params


class Pending(NamedTuple):
    """What is not ready: when the venue serves it, and the snapshot that it needs then."""

    served: float
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One symbol of a stream: its topic, the connection of the spec where it lives, and the snapshot that it begins with."""

    symbol: str
    connection: str
    topic: Topic
    snapshot: Snapshot | None


@dataclass(slots=True)
class PlannedConnection:
    """A connection: what it carries, how many messages ask for that, when it is open and when all of it is served."""

    name: str
    kind: str
    opens: float
    topics: list[str] = field(default_factory=list)
    messages: int = 0
    served: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedSnapshot:
    """A snapshot over REST: what it costs, and when the book is ready."""

    symbol: str
    operation: str
    depth: int
    weight: int
    ready: float


@dataclass(frozen=True, slots=True)
class PlannedPoll:
    """A call that is made again and again: for which symbols, its weight, seconds between two, and when the first is answered."""

    operation: str
    symbols: list[str]
    weight: int
    every: float
    ready: float


@dataclass(frozen=True, slots=True)
class StartPlan:
    """A start, in the order in which it goes. `weights`: units spent of each budget; `seconds` until everything is ready."""

    connections: tuple[PlannedConnection, ...]
    snapshots: tuple[PlannedSnapshot, ...]
    weights: dict[str, int]
    seconds: float
    polls: tuple[PlannedPoll, ...] = ()

    @property
    def messages(self) -> int:
        """Messages that ask for the topics."""
        return sum(each.messages for each in self.connections)


@dataclass(slots=True)
class _Line:
    """A connection and its last message."""

    opens: float
    window: SlidingWindow | None
    at: float
    room: float = 0
    bytes: float = 0
    messages: int = 0


class Forecast:
    """When topics are served and books are ready. It goes along with a client: tell it of every topic asked for."""

    def __init__(self, plan: ExchangePlan, draws_of: DrawsOf, at_once: int, round_trip: float = ROUND_TRIP) -> None:
        self._plan, self._draws_of, self._at_once, self._round_trip = plan, draws_of, at_once, round_trip
        self._connects: dict[Window, SlidingWindow] = {}
        self._lines: dict[Hashable, _Line] = {}

    def served(self, connection: Hashable, kind: str, topic: Topic, now: float) -> float:
        """When the venue serves a topic that is asked for now on this connection, of this name in the spec."""
        plan = self._plan.connection(kind)
        line = self._lines.get(connection)
        if line is None:
            line = self._lines[connection] = self._opened(plan, now)
        size = len(plan.subscribe.send([topic.payload], "1", {})) if plan.max_message_bytes is not None else 0
        if line.room < 1 or line.at < now or line.bytes + size > (plan.max_message_bytes or inf):
            self._say(line, now)
            line.room = 1 if plan.subscribe.per_topic else plan.topics_per_message or inf
            line.bytes, line.messages = 0, line.messages + 1
        line.room, line.bytes = line.room - 1, line.bytes + size
        return line.at + self._round_trip

    def line(self, connection: Hashable) -> tuple[float, int]:
        """When a connection is open, and the messages sent on it."""
        return self._lines[connection].opens, self._lines[connection].messages

    def forget(self, connection: Hashable) -> None:
        """The connection is gone."""
        self._lines.pop(connection, None)

    def ready(self, pending: Sequence[Pending], now: float) -> list[float]:
        """When each of these, in the order in which they shall go, is ready."""
        windows: dict[int, SlidingWindow] = {}
        ready = [max(now, each.served) for each in pending]
        calls = [(at, each.snapshot) for at, each in enumerate(pending) if each.snapshot is not None]
        asks = []
        for at, snapshot in calls:
            draws = []
            for window, weight, closed_until in self._draws_of(*snapshot):
                copy = windows.setdefault(id(window), window.settled(now + self._round_trip))
                draws.append(Draw(copy, weight, closed_until))
            asks.append((ready[at], draws))
        for (at, _), answered in zip(calls, answers(asks, self._at_once, self._round_trip, now), strict=True):
            ready[at] = answered
        return ready

    def _opened(self, plan: ConnectionPlan, now: float) -> _Line:
        at = now
        if plan.connects_per is not None:
            budget = Window(plan.connects_per.rate, plan.connects_per.per)
            window = self._connects.setdefault(budget, SlidingWindow(budget))
            at += window.wait(1, now)
            window.spend(1, at)
        pace = plan.messages_per
        line = _Line(at + self._round_trip, SlidingWindow(Window(pace.rate, pace.per)) if pace is not None else None, -inf)
        if plan.greet is not None:
            self._say(line, now)
        return line

    def _say(self, line: _Line, now: float) -> None:
        """One message more, as soon as it may go."""
        line.at = max(now, line.opens, line.at)
        if line.window is not None:
            line.at += line.window.wait(1, line.at)
            line.window.spend(1, line.at)


def answers(asks: Sequence[tuple[float, Sequence[Draw]]], at_once: int, round_trip: float, now: float) -> list[float]:
    """When calls are answered that may begin at these times, first come by their order: `at_once` under way, within their windows."""
    ended = [inf] * len(asks)
    later = sorted(range(len(asks)), key=lambda at: asks[at][0], reverse=True)
    line: list[int] = []
    under_way: list[tuple[float, int]] = []
    while later or line:
        while later and asks[later[-1]][0] <= now:
            heapq.heappush(line, later.pop())
        if not line:
            now = asks[later[-1]][0]
        elif len(under_way) >= at_once:
            now = max(now, _end_first(under_way, asks))
        else:
            at = heapq.heappop(line)
            now = _let_in(asks[at][1], under_way, asks, now)
            ended[at] = now + round_trip
            heapq.heappush(under_way, (ended[at], at))
    return ended


def _let_in(draws: Sequence[Draw], under_way: list[tuple[float, int]], asks: Sequence[tuple[float, Sequence[Draw]]], now: float) -> float:
    """When a call may go; its units are taken."""
    while under_way and under_way[0][0] <= now:
        _end_first(under_way, asks)
    while (wait := max((max(window.wait(weight, now), closed - now) for window, weight, closed in draws), default=0.0)) > 0.0:
        if under_way and under_way[0][0] <= now + wait:
            now = max(now, _end_first(under_way, asks))
        elif wait == inf:
            raise InvalidRequest("a snapshot costs more than its budget ever holds")
        else:
            now += wait
    for window, weight, _ in draws:
        window.hold(weight)
    return now


def _end_first(under_way: list[tuple[float, int]], asks: Sequence[tuple[float, Sequence[Draw]]]) -> float:
    """The first call under way ends, and its units begin to age; when that is."""
    end, at = heapq.heappop(under_way)
    for window, weight, _ in asks[at][1]:
        window.release(weight, end)
    return end


def wanted_of(plan: ExchangePlan, markets: Markets, stream: str, symbol: str, params: Params) -> Wanted:
    """What a symbol of a unified stream asks for. Raises `NotSupported`, `InvalidSymbol`, `InvalidRequest` as the stream does."""
    market, depth = markets.find(symbol), params.get("depth")
    channel = choose(plan, channels_for(plan, stream), market, depth)
    known = {**params, **markets.params(symbol)}
    try:
        topic = topic_of(channel, known)
    except KeyError as hole:
        raise InvalidRequest(f"{channel.name} needs {hole.args[0]!r}", exchange=plan.id, endpoint=channel.name) from None
    connection = channel.connection_of(market.category) or next(iter(channel.connections.values()))
    snapshot = None
    if channel.book is not None and isinstance(channel.book.sync, tuple):
        operation, most = channel.book.sync
        snapshot = Snapshot(operation, {**markets.params(symbol), "depth": levels_fetched(most, depth)})
    return Wanted(market.symbol or symbol, connection, topic, snapshot)


def made_up(count: int, want: Callable[[str], T]) -> list[T]:
    """What is wanted of so many symbols. Raises what speaks against the last form of them that was tried."""
    for form in FORMS:
        try:
            return [want(form.format(at)) for at in range(1, count + 1)]
        except (InvalidSymbol, NotSupported) as error:
            trouble = error
    raise trouble


def plan_start(plan: ExchangePlan, wanted: Iterable[Wanted], settings: BookSettings, round_trip: float = ROUND_TRIP) -> StartPlan:
    """The start of these from nothing, with all budgets full."""
    wanted = list(wanted)
    forecast = Forecast(plan, full_budgets(plan), settings.at_once, round_trip)
    connections, pending = _placed(plan, wanted, forecast)
    ready = forecast.ready(pending, 0.0)
    weights: dict[str, int] = {}
    snapshots = []
    for each, at in zip(wanted, ready, strict=True):
        if each.snapshot is not None:
            operation = plan.operation(each.snapshot.operation)
            weight = operation.weight(each.snapshot.params)
            snapshots.append(PlannedSnapshot(each.symbol, operation.name, each.snapshot.params["depth"], weight, at))
            for pool in operation.pools:
                weights[pool] = weights.get(pool, 0) + weight
    return StartPlan(tuple(connections), tuple(snapshots), weights, max(ready, default=0.0))


def full_budgets(plan: ExchangePlan) -> DrawsOf:
    """What calls draw on where nothing has been spent."""
    windows: dict[tuple[str, ...], list[SlidingWindow]] = {}

    def draws_of(name: str, params: Params) -> list[Draw]:
        operation = plan.operation(name)
        found = []
        for pool in (plan.pools[each] for each in operation.pools):
            key = {"pool": (pool.name,), "operation": (pool.name, name)}.get(pool.by, (pool.name, name, str(params.get("id") or "")))
            fresh = [SlidingWindow(Window(each.rate, each.per)) for each in pool.windows]
            found += [Draw(window, operation.weight(params), -inf) for window in windows.setdefault(key, fresh)]
        return found

    return draws_of


def _placed(plan: ExchangePlan, wanted: Sequence[Wanted], forecast: Forecast) -> tuple[list[PlannedConnection], list[Pending]]:
    """Topics on connections with room, as the client places them; a topic that several want is asked for once."""
    connections: list[PlannedConnection] = []
    last: dict[str, PlannedConnection] = {}
    served: dict[tuple[str, str], float] = {}
    for each in wanted:
        key = each.connection, each.topic.text
        if key not in served:
            room = plan.connection(each.connection).max_topics or inf
            found = last.get(each.connection)
            if found is None or len(found.topics) >= room:
                found = last[each.connection] = PlannedConnection(f"{each.connection}-{len(connections) + 1}", each.connection, 0.0)
                connections.append(found)
            served[key] = found.served = forecast.served(found.name, each.connection, each.topic, 0.0)
            found.topics.append(each.topic.text)
            found.opens, found.messages = forecast.line(found.name)
    return connections, [Pending(served[each.connection, each.topic.text], each.snapshot) for each in wanted]
