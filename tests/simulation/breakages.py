"""The engine, broken on purpose in small ways: if no seed tells, the simulation would not tell a real bug either."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Any
from unittest.mock import patch

from msgspec import structs

from cexspec.engine.books import synced
from cexspec.engine.books.bookkeeper import Bookkeeper
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.order_book import BookSide
from cexspec.engine.books.rules import NEXT
from cexspec.engine.books.synced import SyncedBook
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.buffer import Buffer
from cexspec.engine.connection import Connection
from cexspec.engine.dispatch import Dispatcher, Subscription
from cexspec.engine.frame_numbers import FrameNumbers
from cexspec.engine.gate import Identified
from cexspec.engine.keepalive import Liveness
from cexspec.engine.subscriptions import Ledger
from cexspec.engine.uses import Leg
from tests.simulation.scenario import Report, simulate

SEEDS = range(80)
"""Played until one tells."""
CRASHES = ("AttributeError", "NameError", "TypeError")

Broken = Callable[..., Any]


def _reversed(whole: Broken) -> Broken:
    return lambda self, parts, *more: whole(self, [(name, events[::-1]) for name, events in parts], *more)


def _nothing_is_old(whole: Broken) -> Broken:
    def judge(*arguments: Any) -> Any:
        verdict = whole(*arguments)
        return NEXT if verdict.kind == "old" else verdict

    return judge


def _never_removes(whole: Broken) -> Broken:
    return lambda self, levels: whole(self, [level for level in levels if level[1]])


def _forgets_the_rest(whole: Broken) -> Broken:
    def start_over(self: Any) -> None:
        whole(self)
        self._due.clear()

    return start_over


async def _at_once(self: Any, url: str, window: Any) -> None:
    return None


def _silently(self: Any, event: Any) -> None:
    self.dropped += 1


def _unmoved(whole: Broken) -> Broken:
    """A snapshot begins the book, and what was kept for it counts as being in it."""

    def fetched(self: Any, ticket: int, snapshot: Any, now: float) -> Any:
        newest = max((message.sequence for message in self.waiting.kept), default=snapshot.sequence)
        self.waiting.kept.clear()
        return whole(self, ticket, structs.replace(snapshot, sequence=max(newest, snapshot.sequence)), now)

    return fetched


BREAKAGES: Mapping[str, tuple[object, str, Callable[[Broken], Broken]]] = {
    "book messages are never out of sequence": (synced, "judge", lambda _: lambda *_: NEXT),
    "no gap is told after a reconnect": (Subscription, "interrupted", lambda _: lambda self, cause, seen=None: None),
    "a connection that is behind proves as much as others": (Leg, "proven", lambda _: lambda self, until, latest: until),
    "holes in the numbers of frames are not told": (FrameNumbers, "missed", lambda _: lambda self, frame: 0),
    "trades that come twice are delivered twice": (Identified, "passes", lambda _: lambda self, event, origin: True),
    "trades of one message are turned round": (Dispatcher, "deliver", _reversed),
    "dropped events are not told": (Buffer, "_drop", lambda _: _silently),
    "levels are never removed from a book": (BookSide, "change", _never_removes),
    "checksums always hold": (Checksums, "holds", lambda _: lambda self, *_: True),
    "a book outlives its connection": (Bookkeeper, "died", lambda _: lambda self, *_: None),
    "old messages are applied to a book": (synced, "judge", _nothing_is_old),
    "changes kept for a snapshot count as being in it": (SyncedBook, "fetched", _unmoved),
    "a dead line is never found out": (Liveness, "_next_death", lambda _: lambda self: inf),
    "a new connection is not asked for everything": (Ledger, "start_over", _forgets_the_rest),
    "the budget of connects is not kept": (ConnectBudgets, "acquire", lambda _: _at_once),
    "a connection that ended stays so": (Connection, "_needed", lambda whole: lambda self: self.state != "reconnecting" and whole(self)),
}
"""What is broken -> where, and how it is done there."""


@contextmanager
def broken(name: str) -> Iterator[None]:
    """The engine, with this breakage."""
    where, what, how = BREAKAGES[name]
    with patch.object(where, what, how(getattr(where, what))):
        yield


def caught_by(name: str) -> Report | None:
    """The first seed that tells of a breakage, and how it went. A breakage that fits its place no longer just crashes: nobody tells."""
    for seed in SEEDS:
        with broken(name):
            report = simulate(seed)
        if report.lies and not report.lies[0].startswith(CRASHES) and not simulate(seed).lies:
            return report
    return None
