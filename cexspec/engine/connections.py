"""All connections of a client: which topic lives on which, and who is told what happens there.

    Subscription (a stream's symbol) --many--> Topic (one subscription at the venue) --legs--> Connection

A topic is subscribed once, however many streams ask for it, and left when the last of them goes; with `redundancy` it is
subscribed on as many connections, and each event is delivered once. A connection that is full gets a sibling; one on which nothing
is wanted closes itself; one that the venue will end before long is replaced by another while it still delivers. A stream whose
consumer is waited for has connections that serve nobody else, so that nobody else waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Protocol

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.engine.apart import Apart
from cexspec.engine.books.bookkeeper import Bookkeeper, Consumers, MarketParams
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.buffer import Buffer
from cexspec.engine.connection import Connection
from cexspec.engine.continuity import Continuity
from cexspec.engine.dialing import Dialer
from cexspec.engine.dispatch import Dispatcher, KnownSymbols, Subscription
from cexspec.engine.freshness import Mark
from cexspec.engine.holes import FetchRows, Holes
from cexspec.engine.options import Backfill, StreamOptions
from cexspec.engine.outputs import (
    Deliver,
    Expiring,
    Idle,
    Missed,
    Output,
    Refused,
    Stale,
    Subscribed,
    Undecodable,
    Unrouted,
    VenueError,
)
from cexspec.engine.placement import Lane, Placement
from cexspec.engine.planning import DrawsOf, Forecast, full_budgets
from cexspec.engine.private import Access, Recovered, Recoveries
from cexspec.engine.rotation import Rotations
from cexspec.engine.states import State, StateBoard, Transition
from cexspec.engine.stats import SAMPLE_EVERY, Counters, QueueStats, StreamStats
from cexspec.engine.topics import Topic
from cexspec.engine.uses import Use, Uses, Watcher
from cexspec.models import CexspecError
from cexspec.models.log_events import LogEvent
from cexspec.transport.clock import Clock
from cexspec.transport.websocket import WebSocketTransport


class KnownMarkets(KnownSymbols, MarketParams, Protocol):
    """What connections need of `Markets`."""


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
        options: StreamOptions,
        budgets: ConnectBudgets | None = None,
        fetch: FetchRows | None = None,
        draws_of: DrawsOf | None = None,
        access: Access | None = None,
    ) -> None:
        self._plan, self._clock, self._options, self.counters = plan, clock, options, Counters(plan.id)
        budgets = budgets or ConnectBudgets(clock)
        self._dialer = Dialer(plan, environment, markets, transport, clock, random, options, budgets, self.counters, access)
        self._dispatcher = Dispatcher(markets, self._awake)
        self._uses = Uses()
        self._placement = Placement(self._connection, lambda kind: plan.connection(kind).max_topics, lambda one: len(self._uses.on(one)))
        self._apart = Apart(plan, self._uses, self._dispatcher.symbol_of)
        self._rotations = Rotations()
        self._all: dict[Connection, None] = {}
        self._settled: set[Connection] = set()
        self.states, self.recoveries = StateBoard(), Recoveries()
        consumers = Consumers(self._dispatcher.wants, self._dispatcher.deliver, self._dispatcher.symbol_of)
        forecast = Forecast(plan, draws_of or full_budgets(plan), options.books.at_once)
        self.books = Bookkeeper(plan.id, markets, clock, random, self.counters, consumers, fetch, options.books, forecast)
        fill = fetch if options.backfill is not None else None
        settings = options.backfill or Backfill()
        self._holes = Holes(plan, clock, self.counters, markets.params, self._dispatcher.symbol_of, fill, settings)
        self._continuity = Continuity(self._dispatcher, self._holes, self.counters, clock)

    def snapshot(self, queues: Mapping[str, QueueStats], polled: int) -> StreamStats:
        """What has been counted, beside the queues of the streams; `polled` events came from elsewhere."""
        counters, dispatcher = self.counters, self._dispatcher
        counters.events, counters.unclaimed, counters.doubled = dispatcher.events + polled, dispatcher.unclaimed, dispatcher.doubled
        return counters.snapshot(queues, self.states.stats(counters.connections), self.books.stats)

    def attach(self, subscriptions: Iterable[Subscription], watcher: Watcher) -> None:
        """Serve these subscriptions. Raises `NotSupported` where the environment has no such connection, `AuthenticationError`."""
        asked: dict[Connection, list[Topic]] = {}
        for subscription in subscriptions:
            use = self._use_of(subscription, asked)
            use.admit(subscription, watcher)
            self._dispatcher.add(subscription)
            if subscription.maintained:
                for leg in use.legs.values():
                    self.books.open(subscription, use.channel, leg.connection, live=leg.live)
            if use.live:
                subscription.resumed(self._clock.time_ns())
            if use.accepted:
                watcher.confirmed(subscription)
        self._ask(asked)

    def detach(self, subscriptions: Iterable[Subscription]) -> None:
        """Serve these no longer."""
        left: dict[Connection, list[Topic]] = {}
        for subscription in subscriptions:
            use = self._uses.of(subscription)
            if use is not None:
                self._continuity.left(use, subscription)
            self._remove(subscription)
            if use is None or use.users.pop(subscription, None) is None or use.users:
                continue
            self._uses.forget(use)
            for connection in use.legs:
                left.setdefault(connection, []).append(use.topic)
        for connection, topics in left.items():
            connection.unsubscribe(topics)

    async def close(self) -> None:
        """Close every connection; returns when all their tasks have ended."""
        await self.books.close_all()
        await asyncio.gather(*(connection.close() for connection in tuple(self._all)))
        await self._holes.close()  # after the connections: as long as one lives, it may find another hole
        for found in (self._placement, self._uses, self._rotations, self._all):
            found.clear()

    def delivered(self, connection: Connection, deliver: Deliver) -> Sequence[Buffer]:
        """See `Listener.delivered`. Maintained books see the messages before anybody else does."""
        if connection.counts.messages % SAMPLE_EVERY == 0 and deliver.parts[0][1]:
            self.counters.sample(deliver.parts[0][1][-1])
        deliver = self._apart.told(connection, deliver)
        return self._dispatcher.deliver(self.books.parts(connection, deliver), deliver.topic, connection, connection.lane)

    def happened(self, connection: Connection, output: Output) -> None:
        """See `Listener.happened`."""
        match output:
            case Subscribed(topic, certain):
                self._subscribed(connection, topic, certain=certain)
            case Refused(topic, error):
                self._refused(connection, topic, error)
            case Missed(number, silence):
                self.books.missed(connection, number)
                since = self._clock.time_ns() - round(silence * 1e9)
                self._continuity.frames_lost(self._uses.on(connection).values(), connection, number, since)
            case Stale(topic, reason, silence):
                self._stale(connection, topic, reason, self._clock.time_ns() - round(silence * 1e9))
            case Expiring():
                self._rotate(connection)
            case Idle():
                self._retire(connection)
            case Unrouted() | Undecodable() | VenueError():
                self._count(connection, output)

    def interrupted(self, connection: Connection, cause: str) -> None:
        """See `Listener.interrupted`."""
        connection.counts.reconnects += 1
        self._settled.discard(connection)
        self.books.died(connection, f"the connection was lost: {cause}")
        self._dispatcher.forget_ways()
        for use in tuple(self._uses.on(connection).values()):
            self._continuity.lost(use, connection, cause, connection.proven(use.topic))
        if self._rotations.begun(connection):  # it needn't come back: others are taking over already
            self._end(connection)

    def moved(self, connection: Connection, before: State, reason: str, error: CexspecError | None) -> None:
        """See `Listener.moved`."""
        at = self._clock.time_ns()
        self.states.announce(Transition(self._plan.id, connection.name, before, connection.state, reason, at, error))
        if error is not None:
            self._fail(connection, error)
        if connection.state in ("failed", "closed"):
            self._retire(connection)
            self._all.pop(connection, None)

    def _use_of(self, subscription: Subscription, asked: dict[Connection, list[Topic]]) -> Use:
        use = self._uses.of(subscription)
        if use is None:
            use = Use(subscription.connection, subscription.topic, self._plan.channel(subscription.channel), subscription.lane)
            for leg in range(1 if use.channel.private else self._options.redundancy):
                self._join(use, Lane(use.kind, leg, use.lane), asked)
            self._uses.add(use)
        return use

    def _join(self, use: Use, lane: Lane, asked: dict[Connection, list[Topic]]) -> Connection:
        """Give a topic a leg on a connection of this lane; it is to be asked for there."""
        connection = self._placement.place(lane, partial(self._apart.may_share, use))
        self._uses.join(use, connection)
        self._apart.forget_ways()
        asked.setdefault(connection, []).append(use.topic)
        return connection

    def _ask(self, asked: dict[Connection, list[Topic]]) -> None:
        for connection, topics in asked.items():
            connection.subscribe(topics)
            connection.start()

    def _connection(self, lane: Lane, name: str) -> Connection:
        self.states.forget_failed()
        connection = self._dialer.connection(lane, name, self, self._mark_of)
        self._all[connection] = None
        return connection

    def _mark_of(self, connection: Connection, topic: Topic) -> Mark:
        use = self._uses.on(connection).get(topic.text)
        subscription = next(iter(use.users), None) if use is not None else None
        if subscription is None:
            return None
        symbol = self._dispatcher.symbol_of(subscription)
        return symbol if subscription.interval is None else (symbol, subscription.interval)

    def _subscribed(self, connection: Connection, topic: Topic, *, certain: bool) -> None:
        use = self._uses.on(connection).get(topic.text)
        if use is None:
            return
        accepted, leg = use.accepted, use.legs[connection]
        leg.accepted = True
        if not certain:  # what comes first tells
            self._dispatcher.forget_ways()
        if (certain or use.channel.private) and not leg.live:
            self._go_live(use, connection)
        if not accepted:
            for subscription, watcher in tuple(use.users.items()):
                watcher.confirmed(subscription)

    def _go_live(self, use: Use, connection: Connection) -> None:
        live = use.live
        use.went_live(connection, self._clock.time_ns())
        self.books.subscribed(connection, use.topic)
        if not live:
            self._continuity.resumed(use)
        if use.channel.private and connection not in self._settled:
            self._recovered(connection)

    def _recovered(self, connection: Connection) -> None:
        """Tell when all that is private on a connection is served."""
        uses = [use for use in self._uses.on(connection).values() if use.channel.private]
        if all(use.legs[connection].live for use in uses):
            self._settled.add(connection)
            streams = frozenset(self._plan.channel(one.channel).stream for use in uses for one in use.users)
            self.recoveries.announce(Recovered(connection.name, streams, connection.heard or None, self._clock.time_ns()))

    def _awake(self, subscription: Subscription, origin: object) -> bool:
        """An event of a subscription that may not be live, maybe before its ack; whether it need not be asked about again."""
        use = self._uses.of(subscription)
        if use is None:
            return True
        leg = next((leg for leg in use.legs.values() if leg.connection is origin and not leg.live), None)
        if leg is not None and leg.connection.session.proves(use.topic):
            self._go_live(use, leg.connection)
            leg.connection.confirm(use.topic)
        return use.live and all(leg.live or not leg.accepted for leg in use.legs.values())

    def _stale(self, connection: Connection, topic: Topic, reason: str, proven: int) -> None:
        self.counters.stale += 1
        self.counters.note(LogEvent.SUBSCRIPTION_STALE, self.counters.stale, f"{connection.name}: {reason}")
        use = self._uses.on(connection).get(topic.text)
        if use is not None:
            self.books.stale(connection, topic, reason)
            self._dispatcher.forget_ways()
            self._continuity.lost(use, connection, reason, proven)

    def _refused(self, connection: Connection, topic: Topic, error: CexspecError) -> None:
        use = self._uses.on(connection).get(topic.text)
        self.counters.refused += 1
        self.counters.note(LogEvent.SUBSCRIPTION_REFUSED, self.counters.refused, error)
        if use is None:
            return
        if any(leg.accepted for leg in use.legs.values() if leg.connection is not connection):
            self._uses.leave(use, connection)
            for subscription in use.users:
                self.books.leave(subscription, connection)
            return
        self._uses.forget(use)
        for other in use.legs:
            if other is not connection:
                other.unsubscribe([use.topic])
        for subscription, watcher in use.users.items():
            self._remove(subscription)
            watcher.refused(subscription, error)

    def _rotate(self, connection: Connection) -> None:
        """The venue will end a connection before long: its topics get legs on others, and it goes when these are live."""
        if not self._rotations.begun(connection):
            lane = self._placement.withdraw(connection)
            asked: dict[Connection, list[Topic]] = {}
            moved = {}
            for use in tuple(self._uses.on(connection).values()) if lane is not None else ():
                moved[use] = self._join(use, lane, asked) if lane is not None else connection
                for subscription in use.users:
                    if subscription.maintained:
                        self.books.open(subscription, use.channel, moved[use], live=False)
                self.books.promote(moved[use], use.topic)
            self._rotations.begin(connection, moved)
            self._ask(asked)
            self.counters.rotations += 1
        elif self._rotations.over(connection, self.books.leads):
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Others have taken over what a connection served."""
        for use in self._rotations.end(connection):
            self._continuity.replaced(use, connection)
        self._retire(connection)
        connection.stop()

    def _fail(self, connection: Connection, error: CexspecError) -> None:
        for use in tuple(self._uses.on(connection).values()):
            if len(use.legs) > 1:
                self._uses.leave(use, connection)
                continue
            self._uses.forget(use)
            for subscription, watcher in use.users.items():
                self._remove(subscription)
                watcher.failed(subscription, error)

    def _retire(self, connection: Connection) -> None:
        """Place nothing there any more; its task ends by itself."""
        self._uses.forget_connection(connection)
        self._settled.discard(connection)
        self._rotations.end(connection)
        self._placement.withdraw(connection)
        self.books.forget(connection)

    def _remove(self, subscription: Subscription) -> None:
        """Deliver to a subscription no longer."""
        self._holes.give_up(subscription, "the subscription ended")
        self._dispatcher.remove(subscription)
        if subscription.maintained:
            self.books.close(subscription)

    def _count(self, connection: Connection, output: Unrouted | Undecodable | VenueError) -> None:
        counters = self.counters
        match output:
            case Unrouted(sample, reason):
                counters.unrouted += 1
                counters.note(LogEvent.UNROUTED, counters.unrouted, f"{reason}: {sample.decode('utf-8', 'replace')}")
            case Undecodable(error):
                counters.decode_errors += 1
                counters.note(LogEvent.DECODE_ERROR, counters.decode_errors, error)
                known = error.channel in self._plan.channel_names
                touched = [use for use in self._uses.on(connection).values() if not known or use.channel.name == error.channel]
                self._continuity.unread(touched, connection, error)
            case VenueError(error):
                counters.venue_errors += 1
                counters.note(LogEvent.VENUE_ERROR, counters.venue_errors, error)
