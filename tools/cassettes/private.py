"""Makes the cassettes of what is somebody's own: a client with a mock venue's credentials asks about its account on paper there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from cexspec.client import Client
from cexspec.engine.trading.client_ids import ClientIds
from cexspec.mock import MockVenue
from cexspec.transport.clock import Clock, VirtualClock
from cexspec.transport.frame_log import FrameLog, RecordingTransport
from tools.cassettes.account import Account, orders_of
from tools.cassettes.calls import Call, StillClock, requests, symbols
from tools.cassettes.folder import private_channels, private_operations
from tools.cassettes.masking import masking, secret
from tools.cassettes.placing import PLACING
from tools.cassettes.sessions import watched
from tools.cassettes.taking import Taker
from tools.cassettes.venue import DirectTransport, DirectWebSockets, LoopbackTransport

STILL = 3600.0
"""Seconds in which no market moves."""
MOODS = ("post_only", "leverage", "margin_mode")
"""What orders may say besides; here they are plain."""
BATCH = 2
"""Orders of a batch, at most."""


@dataclass
class PrivateRecorder:
    """The private cassettes of one exchange; see `Recorder`."""

    exchange: str
    folder: Path
    failures: list[str]
    origin: str
    now: int

    def __post_init__(self) -> None:
        self._offers, self._told = Client(self.exchange), requests(self.exchange)
        self._clock: Clock = StillClock(self.now)
        plan, placed = self._offers.exchange, [case["call"] for case in self._told if case.get("operation") == "place_order"]
        named = [str(call["symbol"]) for call in placed]
        derivative = next((symbol for symbol in named if ":PERP" in symbol), None)
        self._usual = list(dict.fromkeys([*named[:1], *([derivative] if derivative else [])]))
        self._ids = ClientIds(plan.orders.client_ids, plan.id, _Countable().take)

    async def author(self) -> None:
        """Every call and every session begins at the same time with the same account."""
        async with MockVenue(self.exchange, symbols=symbols(self._told), interval=STILL, clock=lambda: self._clock.time_ns()) as venue:
            for name in private_operations(self._offers.exchange):
                http = LoopbackTransport(self._offers.environment, venue.environment["rest"])
                await self._call(name, Account.begun(venue, self._clock), http)
            for name in private_channels(self._offers.exchange):
                self._clock = clock = VirtualClock(self.now)
                await self._session(name, Account.begun(venue, clock), clock)

    async def _call(self, name: str, account: Account, http: LoopbackTransport) -> None:
        plan, venue = self._offers.exchange, account.venue
        call, taker = self._fitted(name, account), Taker(plan.id, self.folder, self.failures, masking(plan, venue.credentials))
        async with Client(self.exchange, http=http, clock=self._clock, credentials=venue.credentials, allow_trading=True) as client:
            await taker.call(client, call, self.origin, self.now, http.name)

    async def _session(self, name: str, account: Account, clock: VirtualClock) -> None:
        venue, environment, steps = account.venue, self._offers.environment, count()
        names, call = self._offers.exchange.channel(name).connections.values(), Call(name, {})
        sockets, frames = DirectWebSockets(venue, environment, names), io.StringIO()
        recorded = RecordingTransport(
            sockets, FrameLog(frames, clock.time_ns, credentials=secret(self._offers.exchange, venue.credentials))
        )

        def move() -> None:
            account.live(self._usual, next(steps), stops="stop" in name)
            sockets.tell()

        http, taker = DirectTransport(venue, environment), Taker(self._offers.id, self.folder, self.failures)
        async with Client(self.exchange, http=http, websocket=recorded, clock=clock, credentials=venue.credentials) as client:
            events = await taker.tried(call, lambda: watched(client, call, clock, move))
            taker.check(client, call)
        if events == []:
            self.failures.append(f"{self._offers.id} {name}: nothing was told")
        taker.session(call, self.origin, self.now, events, frames)

    def _fitted(self, name: str, account: Account) -> Call:
        """The first of the samples' calls of an operation, about this account."""
        verb = self._offers.exchange.operation(name).verb
        given: dict[str, Any] = next((case["call"] for case in self._told if case.get("operation") == name), {})
        params = {**given, "orders": self._batch(given["orders"])} if "orders" in given else given
        if verb in PLACING and "orders" in params:
            first, *others = params["orders"]
            others = others or [{name: value for name, value in first.items() if name != "client_order_id"}]
            params = {**params, "orders": [self._named(one) for one in (first, *others)]}
        elif verb in PLACING:
            params = self._named(params)
        own = [str(one["symbol"]) for one in orders_of(params) if "symbol" in one]
        return Call(name, account.prepare(verb, list(dict.fromkeys([*own, *self._usual])), params))

    def _batch(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Some that rest, where it is known which do; else the first ones."""
        resting = [one for one in orders if one.get("type") == "limit" and one.get("time_in_force", "gtc") == "gtc"]
        return ([one for one in resting if not one.get("reduce_only")] or orders)[:BATCH]

    def _named(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """An order with an id of the client's: one that is made up would be another one each time."""
        made = self._ids.of(None) if "client_order_id" not in order else None
        kept = {name: value for name, value in order.items() if name not in MOODS}
        return {**kept, "client_order_id": made} if made is not None else kept


class _Countable:
    """Bytes that are no chance: the same every time, and others at each call."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        return next(self._numbers).to_bytes(size)
