"""The shipped venues, spoken for by their mock: the real specs, with the mock's market as the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import msgspec

from cexspec.compile.conditions import predicate
from cexspec.mock import MockVenue
from cexspec.mock.dialogue import Dialogue
from cexspec.mock.market import ID_TIME, Market
from cexspec.models import Book, Event, Trade
from cexspec.transport.clock import VirtualClock
from tests.simulation.network import Line
from tests.simulation.truth import Sent, Truth

SYMBOLS = {"hyperliquid": ("BTC/USDC:PERP", "ETH/USDC:PERP"), "binance_usdm": ("BTC/USDT:PERP", "ETH/USDT:PERP")}
USUAL = ("BTC/USDT", "ETH/USDT")
_ABOUT: dict[type[Event], str] = {Book: "book", Trade: "trades"}
ROWS = 60
"""Of an answer at most, however many are asked for: what a hole needs, and quickly made."""
_COUNTS = ("limit", "count")
NEVER = 1e9
"""Seconds: markets move when they are told to."""


@cache
def _read(name: str) -> MockVenue:
    """Reading spec and samples takes longer than a play."""
    return MockVenue(name, interval=NEVER, symbols=SYMBOLS.get(name, USUAL))


def _venue(name: str, clock: VirtualClock, seed: int) -> MockVenue:
    """A mock venue with markets of its own."""
    venue = copy(_read(name))
    venue._markets, venue._clock, venue._seed = {}, clock.time_ns, seed
    venue._answers = copy(venue._answers)
    venue._answers._market, venue._answers._clock = venue.market, clock.time_ns
    return venue


@dataclass
class Shipped:
    """The far side."""

    clock: VirtualClock
    name: str
    seed: int
    dialogues: dict[Line, Dialogue] = field(default_factory=dict)
    truths: dict[str, Truth] = field(default_factory=dict)
    aging: bool = False
    _began: set[Line] = field(default_factory=set)
    """lines whose first data, which nobody can miss by its number, is sent"""

    def __post_init__(self) -> None:
        self.venue = _venue(self.name, self.clock, self.seed)
        assert self.venue.exchange.spec.ws is not None
        self._connections = self.venue.exchange.spec.ws.connections
        self._book = self.venue.exchange.spec.ws.channels["order_book"]
        book = self.venue.exchange.channel("order_book").book
        self._singly = book is not None and book.single_levels
        for symbol in SYMBOLS.get(self.name, USUAL):
            self.truths[symbol] = Truth(first=self.clock.time_ns() // ID_TIME)
            self._note(symbol, self.venue.market(symbol))

    def opened(self, line: Line) -> None:
        self.dialogues[line] = self.venue.dialogue(self._connection(line))
        for text in self.dialogues[line].opened():
            line.push(text, "greeting")

    def lost(self, line: Line) -> None:
        self.dialogues.pop(line, None)

    def received(self, line: Line, frame: str) -> None:
        verbs = self._connections[self._connection(line)]
        conditions = [verb.ack for verb in (verbs.subscribe, verbs.unsubscribe) if verb.ack is not None]
        answers = [predicate(ack) for ack in conditions]
        for text in self.dialogues[line].receive(frame):
            line.push(text, self._about(text, answers))

    def step(self) -> None:
        """Shipped venues do nothing by themselves."""

    def trade(self, symbol: str) -> None:
        """Markets of the mock trade when they move."""

    def move(self, symbol: str) -> None:
        """One move of a market, told to everybody who asked for it."""
        market = self.venue.market(symbol)
        market.advance(self.clock.time_ns())
        self._note(symbol, market)
        self.truths[symbol].newest = None  # nobody knows of this move but by what follows
        listed = self.venue.listing[symbol]
        for line, dialogue in tuple(self.dialogues.items()):
            for topic in tuple(dialogue.topics.values()):
                if topic.about(listed):
                    about = _ABOUT.get(topic.channels[0].readers[0].model, "other") if line in self._began else "first"
                    self._began.add(line)
                    texts = list(dialogue._sent(topic, dialogue._feed.next(topic, listed, market)))
                    for text in texts:
                        line.push(text, about)
                    if texts and self._singly and topic.channels[0].name == "order_book":
                        self.truths[symbol].newest = msgspec.json.decode(texts[-1])[-2]

    def restart(self, line: Line) -> None:
        """Say that the server goes away, in the venue's words; nothing where it has none."""
        name = self._connection(line)
        for role in self._connections[name].roles.values():
            if role.reconnect:
                for frame in list(self.dialogues[line]._samples.of_role(name, "notice", predicate(role.match)))[:1]:
                    line.push(deepcopy(frame), "notice")

    def forget(self, random: Random) -> str:
        """Lose a subscription and say nothing; which."""
        known = [(line, key) for line, dialogue in self.dialogues.items() for key in dialogue.topics]
        if not known:
            return ""
        line, key = random.choice(known)
        del self.dialogues[line].topics[key]
        return f"{line.name} {key}"

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer to a request."""
        counts = _COUNTS if "trade" in path.lower() else ()
        few = {key: str(min(int(value), ROWS)) if key in counts else value for key, value in query.items()}
        status, text, _ = self.venue.answer(method, path, few, body)
        return status, text

    def _note(self, symbol: str, market: Market) -> None:
        truth = self.truths[symbol]
        bids, asks = market.top(len(market.bids))
        truth.was(market.number(self._book), market.time, (dict(bids), dict(asks)))
        truth.trades += [Sent(int(row["id"]), row["timestamp"]) for row in market.trades]

    def _connection(self, line: Line) -> str:
        return line.url.rsplit("/", 1)[1]

    def _about(self, text: str, acks: Iterable[Callable[[Any], bool]]) -> str:
        try:
            document = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return "pong"
        return "ack" if any(ack(document) for ack in acks) else "first"
