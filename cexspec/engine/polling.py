"""Streams of what a venue tells over REST alone: asked for again and again, and delivered as if it had come by itself.

    Subscription (a stream's symbol) --many--> Poller (one request, one task) --> RestEngine --> limiter

Whoever asks for the same shares one poller; where an answer holds all symbols one poller serves them all. Pollers begin one
after the other, and keep the distances that they began with. Together they take at most half of a budget: where the spec's
interval would take more, all of them go slower. The next call waits for the answer to the last one, however long it takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple, Protocol

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan, Params
from cexspec.engine.buffer import Buffer
from cexspec.engine.dispatch import Interruption, Subscription
from cexspec.engine.frames import MarketLookup
from cexspec.engine.novelty import OCCURRENCES, Novelty
from cexspec.engine.poll_pace import Poll, PollPace
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Watcher
from cexspec.models import (
    AuthenticationError,
    CexspecError,
    Event,
    InvalidRequest,
    InvalidSymbol,
    Market,
    NotSupported,
    PermissionDenied,
)
from cexspec.models.log_events import LogEvent
from cexspec.transport.clock import Clock
from cexspec.transport.limiter import Priority

log = logging.getLogger("cexspec.stream")
REFUSALS = (InvalidSymbol, InvalidRequest, NotSupported, AuthenticationError, PermissionDenied)
"""What asking again won't change; everything else may be better the next time."""
PATIENCE = 3
"""Failures in a row that are no gap: how things stand comes a little late."""
OF_SYMBOL = ("id", "symbol", "base", "quote")
"""Parameters that differ from symbol to symbol."""
SOME = "-"
"""Stands for a value of which it only counts whether the request holds it."""


class RestCalls(Protocol):
    """What polling needs of REST (`RestEngine`)."""

    async def call(self, name: str, params: Params | None = None, *, priority: int = ...) -> list[Event]:
        """The events of an operation's answers."""

    def shares(self, operation: OperationPlan, params: Params) -> Mapping[Hashable, float]:
        """Budget -> the seconds for which one call uses all of it."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What pollers are told apart by; a stream whose consumer is waited for has its own (`lane`), so that nobody else waits."""

    operation: str
    request: HttpRequest
    lane: int


@dataclass(eq=False, slots=True)
class _Poller:
    """One request that is made again and again, and who wants its answers. `params` are those of the call."""

    key: _Key
    operation: OperationPlan
    params: Params
    poll: Poll
    users: dict[Subscription, Watcher] = field(default_factory=dict)
    latest: dict[str | None, Event] = field(default_factory=dict)
    """of how things stand, the last that is known of each symbol"""
    novelty: Novelty = field(default_factory=Novelty)
    answered: int | None = None
    """when the last answer came (wall-clock nanoseconds)"""
    failures: int = 0
    """calls in a row that brought none"""
    task: asyncio.Task[None] | None = None

    @property
    def of_occurrences(self) -> bool:
        """Whether its rows tell what happened, not how things stand."""
        return self.operation.reader is not None and issubclass(self.operation.reader.model, OCCURRENCES)


class _Told(NamedTuple):
    """What an answer says that is new: all rows, those of each symbol, and the symbols of which rows may be missing before them."""

    rows: Sequence[Event]
    of: Mapping[str | None, Sequence[Event]]
    broken: frozenset[str | None]


NOTHING = _Told((), {}, frozenset())


class Polls:
    """All pollers of a client. `events` counts what was delivered. `rest` is None where there is no REST to ask."""

    def __init__(self, plan: ExchangePlan, markets: MarketLookup, rest: RestCalls | None, clock: Clock, counters: Counters) -> None:
        self._exchange, self._markets, self._rest, self._clock, self._counters = plan.id, markets, rest, clock, counters
        self._pollers: dict[_Key, _Poller] = {}
        self._of: dict[Subscription, _Poller] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pace = PollPace()
        self.events = 0

    def is_shared(self, operation: OperationPlan) -> bool:
        """Whether one call answers for all symbols."""
        some = dict.fromkeys(OF_SYMBOL, SOME)
        return request_of(operation, some) == request_of(operation, {})

    def subscription(
        self, operation: OperationPlan, buffer: Buffer, market: Market | None, params: Mapping[str, Any], since: int
    ) -> Subscription:
        """One of a market, or of all (None). Raises `NotSupported`, `InvalidRequest`."""
        kinds = operation.kinds
        if market is not None and market.kind is not None and kinds is not None and market.kind not in kinds:
            listed = " and ".join(sorted(kinds))
            raise NotSupported(f"{self._exchange} has {operation.name} for {listed} only; {market.symbol} is {market.kind}")
        try:
            request = operation.build({**_filled(operation), **params})
        except KeyError as hole:
            error = InvalidRequest(f"{operation.name} needs {hole.args[0]!r}", exchange=self._exchange, endpoint=operation.name)
            raise error from None
        topic = Topic(operation.name, request.target, repr((request.method, request.target, request.payload)), dict(params))
        native_id, category = (market.id, market.category) if market is not None else (None, None)
        interval = str(params["interval"]) if params.get("interval") is not None else None
        return Subscription(self._exchange, operation.name, "", topic, buffer, since, native_id, category, interval)

    def attach(self, operation: OperationPlan, subscriptions: Iterable[Subscription], watcher: Watcher) -> None:
        """Serve these. Raises `NotSupported` where there is no REST."""
        if self._rest is None:
            raise NotSupported(f"{operation.name} is polled over REST, and there is none")
        for subscription in subscriptions:
            poller = self._poller(operation, subscription, self._rest)
            poller.users[subscription] = watcher
            self._of[subscription] = poller
            if poller.answered is not None and not poller.failures:
                self._tell(poller, subscription, watcher, poller.answered, NOTHING)

    def detach(self, subscriptions: Iterable[Subscription]) -> None:
        """Serve these no longer."""
        for subscription in subscriptions:
            poller = self._of.pop(subscription, None)
            if poller is not None:
                del poller.users[subscription]
                if not poller.users:
                    self._end(poller)

    async def close(self) -> None:
        """Stop; returns when nothing is left running."""
        tasks = tuple(self._tasks)
        for found in (self._pollers, self._of, self._pace):
            found.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _poller(self, operation: OperationPlan, subscription: Subscription, rest: RestCalls) -> _Poller:
        params = common_params(operation, subscription.topic.params)
        request = operation.build({**_filled(operation), **params})
        key = _Key(operation.name, request, subscription.lane)
        poller = self._pollers.get(key)
        if poller is None:
            poll = Poll(operation.name, operation.poll or 1.0, rest.shares(operation, params))
            poller = self._pollers[key] = _Poller(key, operation, params, poll)
            self._pace.join(poll)
            name = f"cexspec polling of {self._exchange} {operation.name}"
            poller.task = asyncio.get_running_loop().create_task(self._run(poller, rest), name=name)
            self._tasks.add(poller.task)
            poller.task.add_done_callback(self._tasks.discard)
        return poller

    async def _run(self, poller: _Poller, rest: RestCalls) -> None:
        due = self._pace.turn(poller.poll, self._clock.monotonic())
        try:
            while poller.users:
                await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
                await self._poll(poller, rest, due)
                interval = self._pace.interval(poller.poll)
                due += interval * max(1, ceil((self._clock.monotonic() - due) / interval))  # what is late keeps its turn
        except Exception as failure:
            log.exception("polling of %s: an internal error", poller.operation.name, extra={"event": LogEvent.INTERNAL_ERROR})
            self._give_up(poller, CexspecError(f"{poller.operation.name}: internal error: {failure!r}"))

    async def _poll(self, poller: _Poller, rest: RestCalls, due: float) -> None:
        try:
            self._counters.polls += 1
            rows = await rest.call(poller.operation.name, poller.params, priority=Priority.POLL)
        except REFUSALS as error:
            self._refuse(poller, tuple(poller.users), error)
        except CexspecError as error:
            self._failed(poller, error)
        else:
            self._look_at_delay(poller, self._clock.monotonic() - due)
            for buffer in self._answered(poller, rows):
                await buffer.room()

    def _failed(self, poller: _Poller, error: CexspecError) -> None:
        poller.failures += 1
        self._counters.poll_failures += 1
        self._counters.note(LogEvent.POLL_FAILED, self._counters.poll_failures, error)
        if poller.failures > PATIENCE:
            for subscription in poller.users:
                subscription.interrupted(f"{poller.failures} polls in a row failed, the last one: {error}", poller.answered)

    def _look_at_delay(self, poller: _Poller, seconds: float) -> None:
        """An answer that took as long as several polls, maybe because the venue had the client wait, leaves a gap as failures do."""
        if seconds > PATIENCE * self._pace.interval(poller.poll):
            for subscription in poller.users:
                subscription.interrupted(f"an answer came after {seconds:.1f} s", poller.answered)

    def _answered(self, poller: _Poller, rows: Sequence[Event]) -> list[Buffer]:
        """Tell everybody what an answer says; the queues that are full now, whose consumer is to be waited for."""
        news, before = poller.novelty.of(rows), poller.answered
        poller.answered, poller.failures = self._clock.time_ns(), 0
        if not poller.of_occurrences:
            poller.latest.update({row.symbol: row for row in rows})
        mine: dict[str | None, list[Event]] = {}
        for row in news.rows:
            mine.setdefault(row.symbol, []).append(row)
        told = _Told(news.rows, mine, news.broken)
        full = (one.buffer for one, watcher in tuple(poller.users.items()) if self._tell(poller, one, watcher, before, told))
        return list(full)

    def _tell(self, poller: _Poller, subscription: Subscription, watcher: Watcher, before: int | None, told: _Told) -> bool:
        """Tell one subscription what is new since `before`, and one that has had nothing yet how things stand; whether it is full."""
        symbol, all_of_them = self._symbol_of(subscription), subscription.native_id is None
        rows: Sequence[Event] = told.rows if all_of_them else told.of.get(symbol, ())
        if subscription.last is None and not poller.of_occurrences:
            rows = [row for name, row in poller.latest.items() if all_of_them or name == symbol]
            if not rows and not all_of_them:
                self._refuse_unknown(poller, subscription, symbol)
                return False
        now = self._clock.time_ns()
        if not subscription.live:
            if (ended := subscription.resumed(now)) is not None:
                self._miss(subscription, ended, [symbol])
            watcher.confirmed(subscription)
        if before is not None:
            lost = Interruption("between two polls there was more than one answer holds", before)
            self._miss(subscription, lost, told.broken if all_of_them else told.broken & {symbol})
        full = False
        for row in rows:
            subscription.last = row
            full |= subscription.buffer.put(row)
        self.events += len(rows)
        return full

    def _miss(self, subscription: Subscription, interruption: Interruption, symbols: Iterable[str | None]) -> None:
        """Tell that events of these symbols may be missing."""
        for symbol in symbols:
            self._counters.gaps += 1
            subscription.missed(interruption, self._clock.time_ns(), symbol)

    def _refuse_unknown(self, poller: _Poller, subscription: Subscription, symbol: str | None) -> None:
        """An answer without a symbol that was asked for: the venue doesn't know it."""
        error = InvalidSymbol(f"the answer holds nothing about {symbol}", exchange=self._exchange, endpoint=poller.operation.name)
        error.symbol = symbol
        self._refuse(poller, [subscription], error)

    def _refuse(self, poller: _Poller, subscriptions: Sequence[Subscription], error: CexspecError) -> None:
        watchers = [(subscription, poller.users[subscription]) for subscription in subscriptions]
        self.detach(subscriptions)
        for subscription, watcher in watchers:
            self._counters.refused += 1
            self._counters.note(LogEvent.SUBSCRIPTION_REFUSED, self._counters.refused, error)
            watcher.refused(subscription, error)

    def _give_up(self, poller: _Poller, error: CexspecError) -> None:
        watchers = tuple(poller.users.items())
        self.detach(tuple(poller.users))
        for subscription, watcher in watchers:
            watcher.failed(subscription, error)

    def _end(self, poller: _Poller) -> None:
        self._pollers.pop(poller.key, None)
        self._pace.leave(poller.poll)
        if poller.task is not None and poller.task is not asyncio.current_task():
            poller.task.cancel()

    def _symbol_of(self, subscription: Subscription) -> str | None:
        """The unified symbol, as it is known now; None for all."""
        if subscription.native_id is None:
            return None
        return self._markets.within(subscription.category)(subscription.native_id).symbol


def request_of(operation: OperationPlan, params: Params) -> HttpRequest | None:
    """The request for these parameters; None where they are not enough."""
    try:
        return operation.build({**_filled(operation), **params})
    except KeyError:
        return None


def common_params(operation: OperationPlan, params: Params) -> Params:
    """The parameters without those of the symbol, where they change nothing in the request: one call then answers for all."""
    asked = request_of(operation, params)
    for left_out in ((*OF_SYMBOL, "category"), OF_SYMBOL):
        fewer = {name: value for name, value in params.items() if name not in left_out}
        if request_of(operation, fewer) == asked:
            return fewer
    return params


def _filled(operation: OperationPlan) -> dict[str, Any]:
    """What every call is given, and the keys of the parameter sets that it makes one call for each of."""
    return {"now": 0, "uuid": SOME, **{key: SOME for keys in operation.each for key in keys}}
