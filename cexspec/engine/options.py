"""How streams behave: every knob in one place. Times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cexspec.compile.socket_plan import ChannelPlan
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.buffer import Policy
from cexspec.transport.backoff import Backoff
from cexspec.transport.websocket import SocketOptions


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, and how often a topic is asked for on a connection before that is given up.

    A topic that gets no answer on the next one either counts as refused. `greeting`: how long the venue's first word may take;
    `idle`: a connection on which nothing has been wanted for so long is closed. `behind`: where several connections serve a topic,
    one that brings nothing for so long, after another one did, is taken to have lost it.
    """

    answer: float = 10.0
    attempts: int = 3
    greeting: float = 10.0
    idle: float = 5.0
    behind: float = 10.0


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """How a connection comes back. `max_retries`: consecutive failures before it is given up (None: never)."""

    backoff: Backoff = field(default_factory=Backoff)
    max_retries: int | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """How trades that a reconnect missed are fetched.

    `within`: live trades are held back so long at most, and `most` of them. `again`: an answer older than the first of them is
    asked for again after so long. `quiet`: where no live trade comes in so long, an answer asked for then is taken to be up to date.
    """

    within: float = 10.0
    again: float = 0.5
    quiet: float = 2.0
    most: int = 100_000


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How the streams of a client behave, where a call doesn't say otherwise.

    - `queue`, `policy`: how many events wait for a slow consumer, and what happens then (see `cexspec.engine.buffer`).
    - `expect_every`: stream or channel -> data is overdue after so long, in place of the spec's word; None: never.
    - `redundancy`: on how many connections each topic is subscribed; each event is delivered once.
    - `lifetime`: the share of the venue's own after which a connection is replaced, from and to, so that many don't go at once.
    - `backfill`: how missed trades are fetched; None: they aren't, and a `Gap` tells of them.
    """

    queue: int = 10_000
    policy: Policy = "drop_oldest"
    expect_every: Mapping[str, float | None] = field(default_factory=dict)
    redundancy: int = 1
    lifetime: tuple[float, float] = (0.8, 0.95)
    backfill: Backfill | None = field(default_factory=Backfill)
    books: BookSettings = field(default_factory=BookSettings)
    patience: Patience = field(default_factory=Patience)
    reconnecting: Reconnecting = field(default_factory=Reconnecting)
    socket: SocketOptions = field(default_factory=lambda: SocketOptions(close_timeout=0.5))

    def expected(self, channel: ChannelPlan) -> float | None:
        """In how many seconds data of a channel is due; None: it may be silent for ever."""
        return self.expect_every.get(channel.name, self.expect_every.get(channel.stream, channel.expect_every))
