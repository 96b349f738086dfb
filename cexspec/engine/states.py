"""The states of a connection, and how others learn of them: callbacks, iterators, the log, counts.

disconnected -> connecting -> connected <-> reconnecting
                    `-------------'------------'------> failed (an error that trying again can't heal), closed
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import asdict

from cexspec.engine.stats import ConnectionCounts, ConnectionStats
from cexspec.models import CexspecError
from cexspec.models.log_events import LogEvent, worth_logging

State = Literal["disconnected", "connecting", "connected", "reconnecting", "failed", "closed"]
log = logging.getLogger("cexspec.stream")
MAX_WAITING = 1000
"""Transitions kept for an iterator that doesn't take them; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A connection changed its state. `at` is wall-clock nanoseconds; `error` says why it failed."""

    exchange: str
    connection: str
    before: State
    after: State
    reason: str
    at: int
    error: CexspecError | None = None


Observer = Callable[[Transition], None]


class StateBoard:
    """The states of all connections of a client."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._moves: Counter[tuple[str, State]] = Counter()
        self._failures = 0
        self._observers: list[Observer] = []
        self._iterators: set[_Transitions] = set()

    @property
    def states(self) -> dict[str, State]:
        """Connection -> state, of those that are not closed."""
        return dict(self._states)

    def stats(self, counts: Mapping[str, ConnectionCounts]) -> dict[str, ConnectionStats]:
        """By kind of connection: what was counted, how many are in which state now, and how often one came into it."""
        now, moves = Counter((_kind(name), state) for name, state in self.states.items()), self._moves.copy()
        return {
            kind: ConnectionStats(**asdict(counted), states=_of(kind, now), transitions=_of(kind, moves))
            for kind, counted in tuple(counts.items())
        }

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call this at every transition; what is returned stops it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    async def transitions(self) -> AsyncIterator[Transition]:
        """Every transition from now on."""
        mine = _Transitions()
        self._iterators.add(mine)
        try:
            while True:
                yield await mine.next()
        finally:
            self._iterators.discard(mine)

    def forget_failed(self) -> None:
        """Failed connections are shown until another one is opened."""
        self._states = {name: state for name, state in self._states.items() if state != "failed"}

    def announce(self, transition: Transition) -> None:
        """Note a transition and tell everybody."""
        if transition.after == "closed":
            self._states.pop(transition.connection, None)
        else:
            self._states[transition.connection] = transition.after
        self._moves[_kind(transition.connection), transition.after] += 1
        level = logging.ERROR if transition.after == "failed" else logging.WARNING if transition.after == "reconnecting" else logging.INFO
        text = "%s %s: %s -> %s (%s)"
        log.log(
            level,
            text,
            transition.exchange,
            transition.connection,
            transition.before,
            transition.after,
            transition.reason,
            extra={"event": LogEvent.CONNECTION_STATE, "transition": transition},
        )
        for iterator in self._iterators:
            iterator.add(transition)
        for observer in tuple(self._observers):
            try:
                observer(transition)
            except Exception:
                self._failures += 1
                if worth_logging(self._failures):
                    log.exception("an observer of states failed (%d so far)", self._failures, extra={"event": LogEvent.CALLBACK_ERROR})


def _kind(connection: str) -> str:
    """The connection's name in the spec: `public` of `public-3`."""
    return connection.rpartition("-")[0] or connection


def _of(kind: str, counts: Mapping[tuple[str, State], int]) -> dict[str, int]:
    return {state: count for (of, state), count in counts.items() if of == kind}


class _Transitions:
    def __init__(self) -> None:
        self._waiting: deque[Transition] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()

    def add(self, transition: Transition) -> None:
        self._waiting.append(transition)
        self._news.set()

    async def next(self) -> Transition:
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()
