"""Makes connections: where they lead, within which budget of attempts, and for how long their sockets are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.compile.socket_plan import ConnectionPlan
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.connection import Connection, Listener
from cexspec.engine.frames import MarketLookup
from cexspec.engine.freshness import Mark
from cexspec.engine.options import StreamOptions
from cexspec.engine.placement import Lane
from cexspec.engine.private import Access, Identity
from cexspec.engine.session import Session
from cexspec.engine.stats import ConnectionCounts, Counters
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, NotSupported, RateLimitExceeded
from cexspec.transport.clock import Clock
from cexspec.transport.websocket import Socket, WebSocketTransport


class Dialer:
    """Knows an exchange's endpoints in one environment."""

    def __init__(
        self,
        plan: ExchangePlan,
        environment: EnvironmentPlan,
        markets: MarketLookup,
        transport: WebSocketTransport,
        clock: Clock,
        random: Random,
        options: StreamOptions,
        budgets: ConnectBudgets,
        counters: Counters,
        access: Access | None = None,
    ) -> None:
        self._access = access or Access()
        self._plan, self._environment, self._markets, self._transport = plan, environment, markets, transport
        self._clock, self._random, self._options, self._budgets, self._counters = clock, random, options, budgets, counters

    def connection(self, lane: Lane, name: str, listener: Listener, mark_of: Callable[[Connection, Topic], Mark]) -> Connection:
        """A connection of a lane that has not begun to connect.

        Raises `NotSupported` where the environment has none such, `AuthenticationError` where it needs credentials that are missing.
        """
        plan, url = self._plan.connection(lane.kind), self._environment.ws.get(lane.kind)
        if url is None:
            where = f"the connection {lane.kind!r} in its environment {self._environment.name!r}"
            raise NotSupported(f"{self._plan.id} has no URL for {where}")
        self._access.check(self._plan.id, plan)
        identity = Identity(self._plan.id, plan, self._access)
        every = {channel: self._plan.channel(channel) for channel in self._plan.channel_names}
        channels = {key: channel for key, channel in every.items() if lane.kind in channel.connections.values()}
        session = Session(self._plan.id, plan, channels, self._markets, self._options, lambda topic: mark_of(connection, topic), identity)
        connection = Connection(
            name,
            session,
            partial(self._open, url, plan, identity),
            self._clock,
            listener,
            self._counters.connections.setdefault(plan.name, ConnectionCounts()),
            self._random,
            self._options.reconnecting,
            partial(self._lifetime, plan),
            lane.own,
            identity,
        )
        return connection

    async def _open(self, url: str, plan: ConnectionPlan, identity: Identity) -> Socket:
        await self._budgets.acquire(url, plan.connects_per)
        try:
            await identity.prepare()
            return await self._connect(url, plan, identity)
        except CexspecError as error:
            raise identity.hide(error) from None

    async def _connect(self, url: str, plan: ConnectionPlan, identity: Identity) -> Socket:
        try:
            return await self._transport.connect(identity.url(url), self._environment.headers, self._options.socket)
        except RateLimitExceeded as refusal:
            self._budgets.pause(url, plan.connects_per, refusal.retry_after or 0.0)
            raise

    def _lifetime(self, plan: ConnectionPlan) -> float | None:
        """Seconds after which a socket is to be replaced; each its own, so that many don't go at once."""
        return None if plan.lifetime is None else plan.lifetime * self._random.uniform(*self._options.lifetime)
