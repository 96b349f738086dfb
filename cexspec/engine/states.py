"""The states of a connection, and how others learn of them: callbacks, iterators, the log.

disconnected -> connecting -> connected <-> reconnecting
                    `-------------'------------'------> failed (an error that trying again can't heal), closed
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from cexspec.models import CexspecError

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
    """The states of all connections of a client. Log records carry the stable name `connection_state` as `event`."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._observers: list[Observer] = []
        self._iterators: set[_Transitions] = set()

    @property
    def states(self) -> dict[str, State]:
        """Connection -> state, of those that are not closed."""
        return dict(self._states)

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
            extra={"event": "connection_state", "transition": transition},
        )
        for iterator in self._iterators:
            iterator.add(transition)
        for observer in tuple(self._observers):
            try:
                observer(transition)
            except Exception:
                log.exception("an observer of states failed", extra={"event": "callback_error"})


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
