"""What goes wrong, with seeded probability, and how often each kind really did.

Fair is what can happen to the WebSocket of a real venue. TCP loses, repeats and mixes up nothing while it lives: messages are
lost, repeated or overtaken only where a venue, or a box that reads messages, does it and where the venue gives its clients
something to notice it by: numbers, or checksums, of books; numbers of a connection's frames. Trades that nothing numbers are
lost with their connection only. Everything else (delays, breaks, silence, refusals, slow consumers) happens everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from cexspec.models import CexspecError, ExchangeUnavailable, RateLimitExceeded
from tests.simulation.network import PASS, Fate, Line, Network

LIKELY: Mapping[str, float] = {
    # of a message
    "message lost": 0.03,
    "message twice": 0.04,
    "message overtaken": 0.03,
    "ack lost": 0.15,
    "ack late": 0.3,
    "delay spike": 0.01,
    # of a step
    "line cut": 0.02,
    "server restarts": 0.008,
    "half-open": 0.008,
    "half-open there": 0.006,
    "half-open back": 0.006,
    "partition": 0.006,
    "connects hang": 0.006,
    "connects refused": 0.01,
    "too many connects": 0.01,
    "slow reader": 0.03,
    "topic forgotten": 0.02,
    # of a subscription
    "topic ignored": 0.15,
    # of a request
    "snapshot late": 0.3,
    "snapshot stale": 0.15,
    "request refused": 0.1,
    "request failed": 0.15,
}
"""Every kind, and how likely it is where a seed has it at all: of each thing it can happen to."""

LONGEST_STALL = 6.0
"""Seconds: a stall longer than clients wait for data looks to them like a subscription that was lost."""
MAX_ACKS_LOST = 2
"""In a row, of one line: a venue that never answers refuses in effect."""


@dataclass
class Weather:
    """`fair`: what may happen to messages about something. Each seed has some kinds and not others, or all are seldom alone.

    `expecting`: the client knows how often data should come, so that a subscription may be lost in silence.
    """

    random: Random
    fair: Mapping[str, frozenset[str]]
    note: Callable[[str, object, object], None]
    expecting: bool
    counts: Counter[str] = field(default_factory=Counter)
    calm: bool = False
    acks_lost: Counter[str] = field(default_factory=Counter)
    until: dict[str, float] = field(default_factory=dict)
    """network trouble -> when it ends"""

    def __post_init__(self) -> None:
        share = self.random.choice((0.25, 0.5, 0.75))
        chosen = {kind for kind in LIKELY if self.random.random() < share}
        self.kinds = {kind: likely for kind, likely in LIKELY.items() if kind in chosen}

    def strikes(self, kind: str, what: object = "", detail: object = "") -> bool:
        """Whether it happens now."""
        if self.calm or kind not in self.kinds or self.random.random() >= self.kinds[kind]:
            return False
        self.counts[kind] += 1
        self.note(kind, what, detail)
        return True

    def fate(self, line: Line, about: str) -> Fate:
        """What happens to a message on a line."""
        fair = self.fair.get(about, frozenset[str]())
        if "ack lost" in fair and self.acks_lost[line.name] < MAX_ACKS_LOST and self.strikes("ack lost", line.name):
            self.acks_lost[line.name] += 1
            return ()
        if "ack late" in fair and self.strikes("ack late", line.name):
            return (self.random.uniform(0.05, 3.0),)
        self.acks_lost[line.name] *= about != "ack"
        if "message lost" in fair and self.strikes("message lost", line.name, about):
            return ()
        if "message twice" in fair and self.strikes("message twice", line.name, about):
            return (0.0, self.random.uniform(0.01, 2.0))
        if "message again" in fair and self.strikes("message twice", line.name, about):
            return (0.0, 0.0)
        if "message overtaken" in fair and self.strikes("message overtaken", line.name, about):
            return (self.random.uniform(0.1, 2.0),)
        return PASS

    def forgets(self, kind: str, what: object = "") -> bool:
        """Whether a subscription is lost, where that can be noticed."""
        return self.expecting and self.strikes(kind, what)

    def delay(self, usual: float) -> float:
        """How long a message is on its way."""
        return self.random.uniform(0.5, LONGEST_STALL) if self.strikes("delay spike") else usual

    def happen(self, network: Network, restart: Callable[[Line], None]) -> None:
        """What happens to lines and to connecting within one step."""
        self._end(network)
        if network.lines:
            self._to_a_line(self.random.choice(network.lines), restart)
        if self.strikes("partition"):
            self._begin(network, "partition", self.random.uniform(1.0, 20.0))
            for line in tuple(network.lines):
                line.cut() if self.random.random() < 0.5 else line.fall_silent()
        if self.strikes("connects hang"):
            self._begin(network, "connects hang", self.random.uniform(1.0, 15.0))
        for kind, error in (("connects refused", self._unavailable), ("too many connects", self._too_many)):
            if network.lines and self.strikes(kind):
                network.refusals.append(error())
                self.random.choice(network.lines).cut()

    def _to_a_line(self, line: Line, restart: Callable[[Line], None]) -> None:
        for kind, there, back in (("half-open", True, True), ("half-open there", True, False), ("half-open back", False, True)):
            if self.strikes(kind, line.name):
                line.fall_silent(there=there, back=back)
        if self.strikes("server restarts", line.name):
            restart(line)
        if self.strikes("line cut", line.name):
            line.cut(self.random.choice((1000, 1001, 1006, 1008, 1011, 1012)))

    def heal(self, network: Network) -> None:
        """Nothing new goes wrong; what is broken stays so until somebody finds out."""
        self.calm = True
        self.until.clear()
        network.down = network.hanging = False
        network.refusals.clear()
        self.note("calm", "", "")

    def _begin(self, network: Network, kind: str, seconds: float) -> None:
        self.until[kind] = max(self.until.get(kind, 0.0), network.clock.monotonic() + seconds)
        self._end(network)

    def _end(self, network: Network) -> None:
        now = network.clock.monotonic()
        network.down = self.until.get("partition", 0.0) > now
        network.hanging = self.until.get("connects hang", 0.0) > now

    def _unavailable(self) -> CexspecError:
        return ExchangeUnavailable("the WebSocket handshake was refused", http_status=503)

    def _too_many(self) -> CexspecError:
        error = RateLimitExceeded("the WebSocket handshake was refused", http_status=429)
        error.retry_after = float(self.random.randint(1, 8))
        return error
