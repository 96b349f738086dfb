"""Whether data keeps coming for each topic that a connection serves: an ack is not data, and neither is a pong.

Where the venue beats for each subscription that has nothing to say, that counts: it is served.

A topic that is overdue is asked for anew; if that brings nothing, the connection is given up for another one, once. A topic
that stays silent there is asked for again and again, more and more seldom, while the others are left in peace. Topics of
channels without an expectation (sparse ones) are overdue only where another connection brought some.
Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Literal

from cexspec.engine.frames import Part
from cexspec.engine.topics import Topic
from cexspec.models import Candle, Event

Action = Literal["resubscribe", "reconnect"]
LONGEST = 16
"""A topic that stays silent is asked for at least every so many of its periods."""
NEARLY = 0.9
"""Topics that have been silent for this share of their period are silent together with one that is overdue."""
FOLLOWING = 10_000
"""Symbols of a channel that are remembered: they come from the wire."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Nothing came for a topic in `silence` seconds; what to do about it."""

    topic: Topic
    silence: float
    every: float
    awaited: bool
    """another connection brought some"""
    action: Action


@dataclass(slots=True)
class _Followed:
    topic: Topic
    every: float
    began: float
    strikes: int = 0
    awaited: float | None = None
    """since when another connection has brought what is due here"""
    within: float = inf
    turn: int = 0
    """tells its own entry among the waiting ones from those that are out of date"""


Mark = str | None | tuple[str | None, str | None]
"""What events of a topic have in common within their channel: the symbol, and of candles the interval; None: nothing."""


def mark(event: Event) -> Mark:
    """How an event is marked."""
    return (event.symbol, event.interval) if isinstance(event, Candle) else event.symbol


class Freshness:
    """The topics of one connection. `mark_of` says how the events of a topic are marked."""

    def __init__(self, mark_of: Callable[[Topic], Mark]) -> None:
        self._mark_of = mark_of
        self._followed: dict[str, _Followed] = {}
        self._strikes: dict[str, int] = {}
        self._due: list[tuple[float, int, str]] = []
        self._turns = count(1)
        self._heard: dict[str, dict[Mark, float]] = {}

    def began(self, topic: Topic, every: float, now: float) -> None:
        """The venue serves this topic from now on: its first data is due within `every` seconds."""
        followed = _Followed(topic, every, now, self._strikes.get(topic.text, 0))
        self._followed[topic.text] = followed
        self._heard.setdefault(topic.channel, {})
        self._wait(followed, now + every * _times(followed))

    def expect(self, topic: Topic, within: float, now: float) -> bool:
        """Another connection brought data: here it is due within so many seconds. Whether the deadline may have moved."""
        followed = self._followed.get(topic.text)
        if followed is None:
            followed = self._followed[topic.text] = _Followed(topic, inf, now, self._strikes.get(topic.text, 0))
            self._heard.setdefault(topic.channel, {})
        waits = followed.awaited is not None
        if followed.awaited is not None and self._last(followed) <= followed.awaited:
            return False
        followed.awaited, followed.within = now, within * _times(followed)
        if waits:  # what it waits for is looked at earlier
            return False
        self._wait(followed, self._due_of(followed))
        return True

    def ended(self, topic: Topic) -> None:
        """The topic is not served for the time being."""
        self._followed.pop(topic.text, None)

    def forget(self, topic: Topic) -> None:
        """The topic is not wanted any more."""
        self._followed.pop(topic.text, None)
        self._strikes.pop(topic.text, None)

    def start_over(self) -> None:
        """The connection is gone; how often each topic was overdue is remembered."""
        self._followed.clear()
        self._due.clear()
        self._heard.clear()

    def heard(self, parts: Sequence[Part], topic: Topic | None, now: float) -> None:
        """Data arrived."""
        for name, events in parts:
            heard = self._heard.get(name)
            if heard is None:
                continue
            if topic is not None:
                heard[topic.text] = now
                continue
            for event in events:
                heard[mark(event)] = now
            if len(heard) > FOLLOWING:
                heard.clear()

    def alive(self, topic: Topic, now: float) -> None:
        """The venue says that it serves this topic, though it has no data."""
        heard = self._heard.get(topic.channel)
        if heard is not None:
            heard[topic.text] = now

    def proven(self, topic: Topic) -> float:
        """When the last data came of a topic of which some is expected, or its subscription began; `inf` of another one."""
        followed = self._followed.get(topic.text)
        return self._last(followed) if followed is not None and followed.every < inf else inf

    def excuse(self, now: float) -> None:
        """Nobody could hear for a while: every expectation begins anew."""
        for followed in self._followed.values():
            followed.began = now

    def deadline(self) -> float | None:
        """When a topic may be overdue."""
        return self._due[0][0] if self._due else None

    def overdue(self, now: float) -> Iterator[Overdue]:
        """The topics that are overdue now, each with what to do; it is judged anew from when it `began` again."""
        silent: list[_Followed] = []
        while self._due and self._due[0][0] <= now:
            _, turn, text = heapq.heappop(self._due)
            followed = self._followed.get(text)
            if followed is None or followed.turn != turn:
                continue
            due = self._due_of(followed)
            if due > now:
                self._strikes.pop(text, None)
                followed.strikes = 0
                self._wait(followed, due)
            else:
                silent.append(followed)
        everything = bool(silent) and self._all_silent(now)
        for followed in silent:
            yield self._judge(followed, now, everything=everything)

    def _all_silent(self, now: float) -> bool:
        """Whether it isn't this topic or that one, but the connection."""
        followed = self._followed.values()
        return len(followed) > 1 and all(now - self._last(one) >= NEARLY * min(one.every, one.within) for one in followed)

    def _judge(self, followed: _Followed, now: float, *, everything: bool) -> Overdue:
        followed.strikes += 1
        if everything and followed.strikes == 1:
            followed.strikes = 2
        self._strikes[followed.topic.text] = followed.strikes
        action: Action = "reconnect" if followed.strikes == 2 else "resubscribe"
        silence, awaited = now - self._last(followed), followed.awaited is not None
        followed.awaited = None
        self._wait(followed, now + followed.every)
        return Overdue(followed.topic, silence, followed.every, awaited and silence < followed.every, action)

    def _due_of(self, followed: _Followed) -> float:
        """When it is overdue, for all that has come."""
        last = self._last(followed)
        if followed.awaited is not None and last > followed.awaited:
            followed.awaited = None
        awaited = inf if followed.awaited is None else followed.awaited + followed.within
        return min(last + followed.every, awaited)

    def _last(self, followed: _Followed) -> float:
        heard = self._heard.get(followed.topic.channel, {})
        shared = self._mark_of(followed.topic)
        lasts = list(heard.values()) if shared is None else [heard[key] for key in (followed.topic.text, shared) if key in heard]
        return max([followed.began, *lasts])

    def _wait(self, followed: _Followed, due: float) -> None:
        followed.turn = next(self._turns)
        heapq.heappush(self._due, (due, followed.turn, followed.topic.text))


def _times(followed: _Followed) -> float:
    """How many of its periods it has: more and more, the longer it stays silent."""
    return min(float(LONGEST), 2.0 ** max(0, followed.strikes - 2))
