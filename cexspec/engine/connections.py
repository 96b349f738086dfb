"""All connections of a client: which topic lives on which, and who is told what happens there.

    Subscription (a stream's symbol) --many--> Topic (one subscription at the venue) --many--> Connection

A topic is subscribed once, however many streams ask for it, and left when the last of them goes. A connection that is
full (`max_topics`) gets a sibling; one on which nothing is wanted closes itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random
from typing import Protocol

from cexspec.compile.plan import ConnectionPlan, EnvironmentPlan, ExchangePlan
from cexspec.engine.books.bookkeeper import Bookkeeper, Consumers, FetchRows, MarketParams
from cexspec.engine.books.synced import BookSettings
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.buffer import Buffer
from cexspec.engine.connection import Connection, Reconnecting
from cexspec.engine.dispatch import Dispatcher, Subscription
from cexspec.engine.frames import MarketLookup
from cexspec.engine.outputs import Deliver, Idle, Missed, Output, Refused, Subscribed, Undecodable, Unrouted, VenueError
from cexspec.engine.session import Session, SessionOptions
from cexspec.engine.states import State, StateBoard, Transition
from cexspec.engine.stats import SAMPLE_EVERY, Counters, StreamStats
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, NotSupported, RateLimitExceeded
from cexspec.transport.clock import Clock
from cexspec.transport.websocket import Socket, SocketOptions, WebSocketTransport


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How connections behave."""

    session: SessionOptions = field(default_factory=SessionOptions)
    reconnecting: Reconnecting = field(default_factory=Reconnecting)
    socket: SocketOptions = field(default_factory=lambda: SocketOptions(close_timeout=0.5))
    books: BookSettings = field(default_factory=BookSettings)


class KnownMarkets(MarketLookup, MarketParams, Protocol):
    """What connections need of `Markets`."""


class Watcher:
    """Who is told of one subscription's fate; streams derive from it."""

    def confirmed(self, subscription: Subscription) -> None:
        """The venue serves it."""

    def refused(self, subscription: Subscription, error: CexspecError) -> None:
        """The venue does not serve it; it is detached already."""

    def failed(self, subscription: Subscription, error: CexspecError) -> None:
        """Its connection was given up; it is detached already."""


@dataclass(eq=False, slots=True)
class _Use:
    """A topic in use: on which connection (`kind` is its name in the spec), by whom."""

    kind: str
    topic: Topic
    connection: Connection
    users: dict[Subscription, Watcher] = field(default_factory=dict)
    accepted: bool = False
    """the venue said yes, or was asked where it says nothing"""
    live: bool = False
    """it is certain that the venue serves it: nothing is missing from now on"""


class Connections:
    """The `Listener` of every connection. `states` and `counters` tell how they are."""

    def __init__(
        self,
        plan: ExchangePlan,
        environment: EnvironmentPlan,
        markets: KnownMarkets,
        transport: WebSocketTransport,
        clock: Clock,
        random: Random,
        options: ConnectionOptions,
        budgets: ConnectBudgets | None = None,
        fetch: FetchRows | None = None,
    ) -> None:
        self._plan, self._environment, self._markets = plan, environment, markets
        self._transport, self._clock, self._random, self._options = transport, clock, random, options
        self._budgets = budgets or ConnectBudgets(clock)
        self._dispatcher = Dispatcher(markets, self._awake)
        self._shards: dict[str, list[Connection]] = {}
        self._uses: dict[tuple[str, str], _Use] = {}
        self._used: dict[Connection, dict[str, _Use]] = {}
        self._ending: set[Connection] = set()
        self._numbers = count(1)
        self.states = StateBoard()
        self.counters = Counters(plan.id)
        consumers = Consumers(self._dispatcher.wants, self._dispatcher.deliver, self._dispatcher.symbol_of)
        self.books = Bookkeeper(plan.id, markets, clock, random, self.counters, consumers, fetch, options.books)

    def snapshot(self, drops: int) -> StreamStats:
        """What has been counted; `drops` are those of open streams."""
        self.counters.events, self.counters.unclaimed = self._dispatcher.events, self._dispatcher.unclaimed
        return self.counters.snapshot(drops)

    def attach(self, subscriptions: Iterable[Subscription], watcher: Watcher) -> None:
        """Serve these subscriptions. Raises `NotSupported` where the environment has no such connection."""
        asked: dict[Connection, list[Topic]] = {}
        for subscription in subscriptions:
            use = self._use_of(subscription, asked)
            use.users[subscription] = watcher
            self._dispatcher.add(subscription)
            if subscription.maintained:
                self.books.open(subscription, self._plan.channel(subscription.channel), use.connection, live=use.live)
            if use.live:
                self._resume(subscription)
            if use.accepted:
                watcher.confirmed(subscription)
        for connection, topics in asked.items():
            connection.subscribe(topics)

    def detach(self, subscriptions: Iterable[Subscription]) -> None:
        """Serve these no longer."""
        left: dict[Connection, list[Topic]] = {}
        for subscription in subscriptions:
            self._remove(subscription)
            use = self._uses.get(self._key(subscription))
            if use is None or use.users.pop(subscription, None) is None or use.users:
                continue
            self._forget(use)
            left.setdefault(use.connection, []).append(use.topic)
        for connection, topics in left.items():
            connection.unsubscribe(topics)

    async def close(self) -> None:
        """Close every connection; returns when all their tasks have ended."""
        everyone = [*self._used, *self._ending]
        await self.books.close_all()
        await asyncio.gather(*(connection.close() for connection in everyone))
        for found in (self._shards, self._uses, self._used):
            found.clear()
        self._ending.clear()

    def delivered(self, connection: Connection, deliver: Deliver) -> Sequence[Buffer]:
        """See `Listener.delivered`. Maintained books see the messages before anybody else does."""
        if self.counters.messages % SAMPLE_EVERY == 0 and deliver.parts[0][1]:
            self.counters.sample(deliver.parts[0][1][-1])
        return self._dispatcher.deliver(self.books.parts(connection, deliver), deliver.topic)

    def happened(self, connection: Connection, output: Output) -> None:
        """See `Listener.happened`."""
        match output:
            case Subscribed(topic, certain):
                self._subscribed(connection, topic, certain=certain)
            case Refused(topic, error):
                self._refused(connection, topic, error)
            case Missed(number):
                self._missed(connection, number)
            case Idle():
                self._retire(connection)
            case Unrouted() | Undecodable() | VenueError():
                self._count(output)

    def interrupted(self, connection: Connection, cause: str) -> None:
        """See `Listener.interrupted`."""
        self.counters.reconnects += 1
        self.books.died(connection, f"the connection was lost: {cause}")
        self._dispatcher.forget_ways()
        for use in self._used.get(connection, {}).values():
            use.live = use.accepted = False
            for subscription in use.users:
                subscription.interrupted(cause)

    def moved(self, connection: Connection, before: State, reason: str, error: CexspecError | None) -> None:
        """See `Listener.moved`."""
        at = self._clock.time_ns()
        self.states.announce(Transition(self._plan.id, connection.name, before, connection.state, reason, at, error))
        if error is not None:
            self._fail(connection, error)
        if connection.state in ("failed", "closed"):
            self._retire(connection)
            self._ending.discard(connection)

    def _use_of(self, subscription: Subscription, asked: dict[Connection, list[Topic]]) -> _Use:
        key = self._key(subscription)
        use = self._uses.get(key)
        if use is None:
            connection = self._place(key[0])
            use = self._uses[key] = self._used[connection][subscription.topic.text] = _Use(key[0], subscription.topic, connection)
            asked.setdefault(connection, []).append(subscription.topic)
        return use

    def _key(self, subscription: Subscription) -> tuple[str, str]:
        return subscription.connection, subscription.topic.text

    def _place(self, name: str) -> Connection:
        """A connection of this kind with room for a topic more."""
        plan = self._plan.connection(name)
        room = plan.max_topics or inf
        for connection in self._shards.setdefault(name, []):
            if len(self._used[connection]) < room:
                return connection
        self.states.forget_failed()
        connection = self._connection(plan)
        self._shards[name].append(connection)
        self._used[connection] = {}
        connection.start()
        return connection

    def _connection(self, plan: ConnectionPlan) -> Connection:
        url = self._environment.ws.get(plan.name)
        if url is None:
            raise NotSupported(f"{self._plan.id} has no URL for the connection {plan.name!r} in its environment {self._environment.name!r}")
        every = {name: self._plan.channel(name) for name in self._plan.channel_names}
        channels = {name: channel for name, channel in every.items() if plan.name in channel.connections.values()}
        session = Session(self._plan.id, plan, channels, self._markets, self._options.session)

        async def open_socket() -> Socket:
            await self._budgets.acquire(url, plan.connects_per)
            try:
                return await self._transport.connect(url, self._environment.headers, self._options.socket)
            except RateLimitExceeded as refusal:
                self._budgets.pause(url, plan.connects_per, refusal.retry_after or 0.0)
                raise

        name = f"{plan.name}-{next(self._numbers)}"
        return Connection(name, session, open_socket, self._clock, self, self.counters, self._random, self._options.reconnecting)

    def _subscribed(self, connection: Connection, topic: Topic, *, certain: bool) -> None:
        use = self._used.get(connection, {}).get(topic.text)
        if use is None:
            return
        if certain and not use.live:
            self._go_live(use)
        if not use.accepted:
            use.accepted = True
            for subscription, watcher in tuple(use.users.items()):
                watcher.confirmed(subscription)

    def _go_live(self, use: _Use) -> None:
        use.live = True
        self.books.subscribed(use.connection, use.topic)
        for subscription in use.users:
            self._resume(subscription)

    def _awake(self, subscription: Subscription) -> None:
        """The first event of a subscription, maybe before its ack."""
        use = self._uses.get(self._key(subscription))
        if use is not None and not use.live:
            self._go_live(use)
            use.connection.confirm(use.topic)

    def _resume(self, subscription: Subscription) -> None:
        if subscription.resumed(self._clock.time_ns(), self._dispatcher.symbol_of(subscription)):
            self.counters.gaps += 1

    def _refused(self, connection: Connection, topic: Topic, error: CexspecError) -> None:
        use = self._used.get(connection, {}).get(topic.text)
        self.counters.refused += 1
        self.counters.note("subscription_refused", self.counters.refused, error)
        if use is None:
            return
        self._forget(use)
        for subscription, watcher in use.users.items():
            self._remove(subscription)
            watcher.refused(subscription, error)

    def _missed(self, connection: Connection, number: int) -> None:
        now = self._clock.time_ns()
        self.books.missed(connection, number)
        for use in self._used.get(connection, {}).values():
            for subscription in use.users:
                if subscription.live and not subscription.maintained:
                    cause = f"{number} frame(s) of the connection were lost on the way"
                    subscription.missed(cause, now, self._dispatcher.symbol_of(subscription))
                    self.counters.gaps += 1

    def _fail(self, connection: Connection, error: CexspecError) -> None:
        for use in tuple(self._used.get(connection, {}).values()):
            self._forget(use)
            for subscription, watcher in use.users.items():
                self._remove(subscription)
                watcher.failed(subscription, error)

    def _retire(self, connection: Connection) -> None:
        """Place nothing there any more; its task ends by itself."""
        self._used.pop(connection, None)
        self.books.forget(connection)
        for shard in self._shards.values():
            if connection in shard:
                shard.remove(connection)
        self._ending.add(connection)

    def _remove(self, subscription: Subscription) -> None:
        """Deliver to a subscription no longer."""
        self._dispatcher.remove(subscription)
        if subscription.maintained:
            self.books.close(subscription)

    def _forget(self, use: _Use) -> None:
        self._uses.pop((use.kind, use.topic.text), None)
        self._used.get(use.connection, {}).pop(use.topic.text, None)

    def _count(self, output: Unrouted | Undecodable | VenueError) -> None:
        counters = self.counters
        match output:
            case Unrouted(sample, reason):
                counters.unrouted += 1
                counters.note("unrouted", counters.unrouted, f"{reason}: {sample.decode('utf-8', 'replace')}")
            case Undecodable(error):
                counters.decode_errors += 1
                counters.note("decode_error", counters.decode_errors, error)
            case VenueError(error):
                counters.venue_errors += 1
                counters.note("venue_error", counters.venue_errors, error)
