"""Trades missed while a stream was interrupted: fetched over REST and delivered in their place.

When the venue serves the topic again, live trades are held back until the answer is there. Where its rows reach back to a trade
that was delivered before, the hole is closed: a `Gap` (`closed`) says so, the missing trades follow, then what was held. Where they
don't, or no answer comes in time, the `Gap` tells what is, or may be, missing still. Nothing is delivered twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.plan import Params
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.chronology import chronological, rank, when
from cexspec.engine.dispatch import Interruption, Subscription
from cexspec.engine.gate import Identified
from cexspec.engine.options import Backfill
from cexspec.engine.stats import Counters
from cexspec.models import CexspecError, Event, Gap, Trade
from cexspec.models.log_events import LogEvent
from cexspec.transport.clock import Clock, within

log = logging.getLogger("cexspec.stream")
FetchRows = Callable[[str, Params], Awaitable[list[Event]]]
"""Calls an operation (`RestEngine.call`)."""
MOST = 1000
"""Trades asked for."""
COARSE = 1_000_000_000
"""Nanoseconds: times over REST may be told in whole seconds."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a hole: the missing trades, and the time up to which (nanoseconds) each side of them is known.

    `reaches_back`: nothing is missing before them. `until`: the newest time the answer told of.
    """

    trades: tuple[Trade, ...]
    reaches_back: bool
    until: int


def filling(rows: Sequence[Trade], knows: Callable[[Trade], bool], seen: int) -> Filling:
    """What of an answer was not delivered before; `seen` is the time (nanoseconds) up to which everything was."""
    rows = chronological(rows)
    known = max((place for place, row in enumerate(rows) if knows(row)), default=None)
    if known is None or when(rows[-1]) < seen - COARSE:  # the latter is an old answer: it ends before what was delivered
        newer = tuple(row for row in rows if when(row) >= seen)
        return Filling(newer, reaches_back=False, until=when(rows[-1]) if rows else seen)
    return Filling(tuple(rows[known + 1 :]), reaches_back=True, until=when(rows[-1]))


@dataclass(eq=False, slots=True)
class _Held:
    """The gate of a subscription whose hole is being filled: it keeps what comes."""

    gate: Identified
    most: int
    interruption: Interruption
    events: list[tuple[Trade, object]] = field(default_factory=list)
    dropped: int = 0

    def passes(self, event: Trade, origin: object) -> bool:
        """See `Gate.passes`."""
        if len(self.events) < self.most:
            self.events.append((event, origin))
        else:
            self.dropped += 1
        return False


@dataclass(frozen=True, slots=True)
class _Told:
    """What a gap says: times in nanoseconds."""

    cause: str
    since: int
    until: int
    count: int | None = None
    closed: bool = False


class Holes:
    """Fills the holes of a client's trade streams. `fetch` is None where there is no REST."""

    def __init__(
        self,
        plan: ExchangePlan,
        clock: Clock,
        counters: Counters,
        params_of: Callable[[str], dict[str, Any]],
        symbol_of: Callable[[Subscription], str | None],
        fetch: FetchRows | None,
        settings: Backfill,
    ) -> None:
        self._plan, self._clock, self._counters, self._settings = plan, clock, counters, settings
        self._params_of, self._symbol_of, self._fetch = params_of, symbol_of, fetch
        self._tasks: set[asyncio.Task[None]] = set()

    def fills(self, channel: ChannelPlan, subscription: Subscription) -> bool:
        """Whether a hole of this subscription can be filled."""
        fetched = self._fetch is not None and channel.backfill is not None and subscription.native_id is not None
        return fetched and isinstance(subscription.last, Trade) and isinstance(subscription.gate, Identified)

    def begin(self, channel: ChannelPlan, interrupted: Iterable[tuple[Subscription, Interruption]]) -> None:
        """Hold the live trades of these subscriptions of one topic back, and fill their holes."""
        held: dict[Subscription, _Held] = {}
        for subscription, interruption in interrupted:
            assert isinstance(subscription.gate, Identified)
            subscription.gate = held[subscription] = _Held(subscription.gate, self._settings.most, interruption)
        if held:
            task = asyncio.get_running_loop().create_task(self._run(channel, held), name=f"cexspec backfill of {self._plan.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def give_up(self, subscription: Subscription, cause: str) -> None:
        """The stream is interrupted again, or ends, before the answer is there: deliver what is held, behind a gap."""
        held = subscription.gate
        if isinstance(held, _Held):
            self._deliver(subscription, held, None, cause)

    async def close(self) -> None:
        """Stop; returns when nothing is left running."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, channel: ChannelPlan, held: dict[Subscription, _Held]) -> None:
        first = next(iter(held))
        cause: str | None = None
        rows: list[Trade] = []
        try:
            rows = await within(self._clock, self._settings.within, self._rows(channel, first, held[first]), "filling a hole")
        except CexspecError as error:
            cause = str(error)
        except Exception as failure:
            log.exception("filling a hole of %s failed", channel.name, extra={"event": LogEvent.INTERNAL_ERROR})
            cause = repr(failure)
        for subscription, one in held.items():
            if subscription.gate is one:
                self._deliver(subscription, one, rows if cause is None else None, cause)

    async def _rows(self, channel: ChannelPlan, subscription: Subscription, held: _Held) -> list[Trade]:
        """The newest trades, not older than the first one held."""
        assert self._fetch is not None and channel.backfill is not None
        params = {**self._params_of(str(subscription.native_id)), **_most(self._plan, channel.backfill)}
        quiet = self._clock.monotonic() + self._settings.quiet
        while True:
            asked = self._clock.monotonic()
            rows = [row for row in await self._fetch(channel.backfill, params) if isinstance(row, Trade)]
            while not held.events and self._clock.monotonic() < quiet:
                await self._clock.sleep(self._settings.again)
            first = held.events[0][0] if held.events else None
            if first is None and asked < quiet:
                continue  # an answer may be a little old, and without a live trade nothing shows whether this one was
            if first is None or any(row.id == first.id or when(row) > when(first) for row in rows):
                return rows
            await self._clock.sleep(self._settings.again)

    def _deliver(self, subscription: Subscription, held: _Held, rows: list[Trade] | None, trouble: str | None) -> None:
        """Tell of the hole, then deliver what was missing, then what was held."""
        gate = subscription.gate = held.gate
        cause, since = held.interruption
        found = filling(rows, gate.knows, since) if rows is not None else Filling((), reaches_back=False, until=since)
        held.events.sort(key=lambda one: rank(one[0]))  # what a venue repeats may come newest first
        following = [*found.trades, *(event for event, _ in held.events)]
        if found.reaches_back:
            self._tell(subscription, _Told(cause, since, found.until, len(found.trades), closed=True))
        else:
            until = min((when(event) for event in following), default=self._clock.time_ns())
            self._tell(subscription, _Told(cause if trouble is None else f"{cause}; not filled: {trouble}", since, until))
        for event, origin in [*((event, self) for event in found.trades), *held.events]:
            if gate.passes(event, origin):
                subscription.last = event
                subscription.buffer.put(event)
        self._counters.filled += len(found.trades)
        if held.dropped:
            now, cause = self._clock.time_ns(), f"{held.dropped} trades came while a hole was filled, more than are held back"
            self._tell(subscription, _Told(cause, when(following[-1]), now, held.dropped))

    def _tell(self, subscription: Subscription, told: _Told) -> None:
        self._counters.gaps += not told.closed
        now = self._clock.time_ns()
        gap = Gap(
            exchange=subscription.exchange,
            symbol=self._symbol_of(subscription),
            timestamp=now,
            received=now,
            channel=subscription.channel,
            cause=told.cause,
            from_time=told.since,
            to_time=max(told.since, told.until),
            count=told.count,
            closed=told.closed,
        )
        subscription.buffer.put_gap(gap)


def _most(plan: ExchangePlan, operation: str) -> dict[str, int]:
    """As many rows as one answer may have, within reason."""
    bounds = plan.operation(operation).params.get("limit")
    if bounds is None:
        return {}
    return {"limit": min(MOST, bounds.max or MOST)}
