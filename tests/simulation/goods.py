"""Made-up markets: a book that walks, numbered as its style says, and the messages that tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from cexspec.hooks import CHECKSUMS
from tests.simulation.truth import Sent, Side, State, Truth, top

LEVELS = 12
CUT = 5
"""Levels of a side that a cut book shows."""
FETCHED = 10
"""Levels of a side in a fetched snapshot."""


@dataclass(frozen=True)
class BookStyle:
    """How a venue tells of its books. `spec` is the mapping's sequence rule and the like; `fetched`: the snapshot comes over REST."""

    spec: str
    fetched: bool = False
    whole: bool = False
    """each message is the whole book"""
    cut: bool = False
    numbered: bool = True
    """the book's own numbers tell its states apart"""
    checksum: bool = False


STYLES: dict[str, BookStyle] = {
    "contiguous": BookStyle("sequence: {rule: contiguous, last: $.u}"),
    "fetched contiguous": BookStyle("sequence: {rule: contiguous, last: $.u}", fetched=True),
    "previous": BookStyle("sequence: {rule: previous, last: $.u, previous: $.pu, accepts: [equal, reset]}", numbered=False),
    "fetched previous": BookStyle("sequence: {rule: previous, last: $.u, previous: $.pu}", fetched=True),
    "ranges": BookStyle("sequence: {rule: overlap, first: $.f, last: $.u}", fetched=True),
    "linked ranges": BookStyle(
        "sequence: {rule: overlap, first: $.f, last: $.u, previous: $.pu, accepts: [snapshot_is_previous]}", fetched=True
    ),
    "monotonic": BookStyle("sequence: {rule: monotonic, last: $.u}", whole=True),
    "by time": BookStyle("", whole=True, numbered=False),
    "per connection": BookStyle("sequence: {rule: per_connection, last: $.n, of: message}", numbered=False),
    "checksum": BookStyle("checksum: {hook: bitfinex, depth: 99, value: $.cs}", numbered=False, checksum=True),
    "cut checksum": BookStyle(
        "checksum: {hook: bitfinex, depth: 5, value: $.cs}\n      truncate: true", cut=True, numbered=False, checksum=True
    ),
}


@dataclass
class Good:
    """One market of a made-up venue. Times are nanoseconds."""

    style: BookStyle
    random: Random
    truth: Truth = field(default_factory=Truth)
    bids: Side = field(default_factory=lambda: {Decimal(1000 - at): Decimal(5) for at in range(LEVELS)})
    asks: Side = field(default_factory=lambda: {Decimal(1001 + at): Decimal(5) for at in range(LEVELS)})
    number: int = 1000
    price: str = "1000"
    before: State = ({}, {})
    change: dict[str, Any] = field(default_factory=dict)
    """the message of the last move"""

    def open(self, now: int) -> None:
        """It begins to be traded."""
        self.before = self.state()
        self.truth.was(self.number, now, self.before)

    def state(self) -> State:
        """The book as the channel shows it, best first."""
        whole = dict(sorted(self.bids.items(), reverse=True)), dict(sorted(self.asks.items()))
        return top(whole, CUT) if self.style.cut else whole

    def trade(self, now: int) -> Sent:
        """The next trade."""
        sent = Sent(len(self.truth.trades) + 1, now)
        self.truth.trades.append(sent)
        self.price = str(1000 + sent.number % 7)
        return sent

    def move(self, now: int) -> None:
        """The book changes; `change` tells it."""
        before, at = self.before, self.number
        middle = self.random.choice((-1, 0, 1)) + (max(self.bids) + min(self.asks)) // 2
        self._side(self.bids, middle, -1)
        self._side(self.asks, middle, 1)
        first, self.number, previous = self._numbers(at)
        self.before = self.state()
        self.truth.was(self.number, now, self.before)
        self.change = self.whole(now) if self.style.whole else self._message(now, *self._changes(before), f=first, pu=previous)

    def still(self, now: int) -> dict[str, Any] | None:
        """A message that says that nothing changed, where the style has one."""
        return self._message(now, [], [], f=self.number, pu=self.number) if "equal" in self.style.spec else None

    def whole(self, now: int) -> dict[str, Any]:
        """The book as a snapshot."""
        return self._message(now, *(list(side.items()) for side in self.before), f=self.number, pu=-1)

    def fetched(self, depth: int) -> dict[str, Any]:
        """The book as REST gives it."""
        bids, asks = (list(side.items())[:depth] for side in self.before)
        return self._message(None, bids, asks, f=self.number, pu=-1)

    def _side(self, side: Side, middle: Decimal, sign: int) -> None:
        for price in [price for price in side if (price - middle) * sign <= 0]:
            del side[price]
        for _ in range(2):
            side[middle + sign * self.random.randint(1, LEVELS)] = Decimal(self.random.randint(0, 9))
        for price in [price for price, size in side.items() if not size]:
            del side[price]
        side.setdefault(middle + sign, Decimal(1))
        for price in sorted(side, key=lambda price: price * sign)[2 * LEVELS :]:
            del side[price]

    def _numbers(self, at: int) -> tuple[int, int, int]:
        """First and last number of the next message, and the last of the one before."""
        jump = self.random.randint
        if "previous" in self.style.spec and "overlap" not in self.style.spec:
            falls = "reset" in self.style.spec and jump(1, 20) == 1
            return at, at - jump(100, 900) if falls else at + jump(1, 5), at
        if "snapshot_is_previous" in self.style.spec:
            first = at + jump(1, 3)
            return first, first + jump(0, 3), at
        return at + 1, at + (jump(1, 3) if "overlap" in self.style.spec else 1), at

    def _changes(self, before: State) -> tuple[list[Any], list[Any]]:
        told = []
        for was, now, whole in zip(before, self.before, (self.bids, self.asks), strict=True):
            gone = [(price, Decimal(0)) for price in was if price not in now and not (self.style.cut and price in whole)]
            told.append(gone + [(price, size) for price, size in now.items() if was.get(price) != size])
        return told[0], told[1]

    def _message(self, now: int | None, bids: list[Any], asks: list[Any], **numbers: int) -> dict[str, Any]:
        levels = {"b": [[str(price), str(size)] for price, size in bids], "a": [[str(price), str(size)] for price, size in asks]}
        message: dict[str, Any] = {**levels, "u": self.number, **numbers}
        if now is not None:
            message["t"] = now
        if self.style.checksum:
            tops = [list(side.items())[:99] for side in self.before]
            message["cs"] = CHECKSUMS["bitfinex"](tops[0], tops[1])
        return message
