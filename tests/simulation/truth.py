"""What a venue knows of one market: every trade there was, and every state its book was in."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

Side = dict[Decimal, Decimal]
State = tuple[Side, Side]
"""Bids and asks, best first."""


@dataclass(frozen=True)
class Sent:
    """A trade the venue made known, or would have: its number, and when it was (nanoseconds)."""

    number: int
    at: int


@dataclass
class Truth:
    """The tape and the books of one market. Books are found by the venue's number, or by their time."""

    trades: list[Sent] = field(default_factory=list)
    first: int = 1
    """the number of the first trade that is known here"""
    by_number: dict[int, State] = field(default_factory=dict)
    by_time: dict[int, State] = field(default_factory=dict)
    last: State = ({}, {})
    newest: int | None = None
    """the frame with which a client knows all of `last`, where a frame tells of one level only"""

    def was(self, number: int | None, time: int, state: State) -> None:
        """The book is in this state now."""
        self.last = self.by_time[time] = state
        if number is not None:
            self.by_number[number] = state


def top(state: State, count: int) -> State:
    """The best levels of each side."""
    bids, asks = state
    return dict(list(bids.items())[:count]), dict(list(asks.items())[:count])
