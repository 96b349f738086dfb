"""The part of the plan that is about sockets: connections, the channels on them, and what their frames say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from cexspec.compile.plan import Json, Params, ReaderPlan, WindowPlan
from cexspec.models import ExchangeError
from cexspec.spec.source import Position


@dataclass(frozen=True, slots=True)
class BookPlan:
    """What the maintained book needs to know of a channel (the seam for book sync)."""

    sync: Literal["stream", "replace"] | tuple[str, int]
    rule: str | None
    accepts: tuple[str, ...]
    checksum_hook: str | None
    checksum_depth: int | None
    checksum_until: date | None
    truncate: bool
    checksum_precise: bool = False
    """the checksum's hook gets the decimals of the instrument"""
    single_levels: bool = False
    """a message of changes holds one level, so that an update may arrive in halves"""


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One kind of subscription. `connections`: category -> where it lives; None: whatever the category."""

    name: str
    stream: str
    connections: Mapping[str | None, str]
    topic: Callable[[Params], Json]
    """parameters -> topic; raises KeyError with the hole that has no value"""
    params_of: Callable[[Json], dict[str, str] | None]
    """topic (or an ack that repeats its keys) -> the holes' values; None: another channel's"""
    needs: frozenset[str]
    depth: int | None
    kinds: frozenset[str] | None
    readers: tuple[ReaderPlan, ...]
    book: BookPlan | None
    expect_every: float | None
    backfill: str | None
    """the operation that returns the same trades, under the same ids"""
    position: Position
    docs: str | None = None
    private: bool = False
    """it tells of one's own account"""
    credentials: frozenset[str] = frozenset()
    """those that its topic holds, none of them a secret"""

    def connection_of(self, category: str | None) -> str | None:
        """The connection that carries it for a product line; None: it isn't offered for that."""
        return self.connections.get(category) or self.connections.get(None)


Role = Literal["data", "ack", "refusal", "heartbeat", "error", "notice", "ignored", "pong", "ping", "greeting", "denial", "unrouted"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a router says of a frame.

    `data`: read it with each of `readers` (channel and reader; several where channels share one subscription).
    `ack`/`refusal`: an answer to `verb`; `denial`: one to the greeting. `ping` wants `answer(frame)` sent back. Else `reason` says
    what it is.
    """

    role: Role
    readers: tuple[tuple[str, ReaderPlan], ...] = ()
    reason: str | None = None
    verb: Literal["subscribe", "unsubscribe"] | None = None
    reconnect: bool = False


class Router(Protocol):
    """Tells frames apart by their discriminating fields only."""

    def route(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The verdict, and the learned value the frame carries (as text) on connections that route by one.

        `learned` maps known values to channel names. Raises `DecodeError` on what is no JSON.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed ack or refusal."""

    topic: Json
    id: str | None
    learned: Mapping[str, Any]
    error: ExchangeError | None


@dataclass(frozen=True, slots=True)
class VerbPlan:
    """How to subscribe or unsubscribe."""

    per_topic: bool
    """one message holds one topic (`{{ topic }}` or `*`), not a list"""
    send: Callable[[Sequence[Json], str, Params], bytes]
    """(topics, request id, further values: learned ones of a single topic, bootstrapped ones, those of `recipe`) -> frame"""
    answered: bool
    """the venue acks"""
    echoes_topic: bool
    echoes_id: bool
    sends_id: bool
    """its messages hold the request's id, so that an answer may repeat it"""
    answer: Callable[[bytes, bool], Answer]
    """(frame, refused) -> what it answers"""
    recipe: str | None = None
    """what signs its messages"""
    implied: bool = False
    """there are no messages: what is wanted comes by itself (or ends with the connection only)"""
    credentials: frozenset[str] = frozenset()
    """those that its messages hold"""


@dataclass(frozen=True, slots=True)
class GreetPlan:
    """What is sent or awaited first."""

    recipe: str | None
    """what signs it: it is a login"""
    send: Callable[[Params], bytes] | None
    """the values of its holes -> frame"""
    expects: bool
    """it has an answer that is awaited"""
    error: Callable[[bytes], ExchangeError]
    """a frame that refuses it -> the error; what the venue's codes don't tell is an `AuthenticationError`"""
    credentials: frozenset[str] = frozenset()
    """those that it holds"""


@dataclass(frozen=True, slots=True)
class BootstrapPlan:
    """The REST call that comes before every connecting. `every` is in seconds."""

    operation: str
    take: Callable[[bytes], dict[str, str]]
    """body of the answer -> values; raises `DecodeError` where one is missing"""
    keep: str | None
    """the operation that keeps the values alive"""
    every: float | None


@dataclass(frozen=True, slots=True)
class KeepalivePlan:
    """Pings in either direction; times in seconds."""

    send: Callable[[str], bytes] | None
    """request id -> frame"""
    every: float | None
    expects: bool
    within: float
    silence: float | None
    answer: Callable[[bytes], bytes] | None


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One WebSocket endpoint."""

    name: str
    router: Router
    subscribe: VerbPlan
    unsubscribe: VerbPlan
    keepalive: KeepalivePlan
    greet: GreetPlan | None
    learns: str | None
    """name of the learned value that routes data"""
    category: str | None
    """the one product line that is served here, where its ids mean something else elsewhere"""
    sequence: Callable[[bytes], int | None] | None
    lifetime: float | None
    max_topics: int | None
    topics_per_message: int | None
    max_message_bytes: int | None
    messages_per: WindowPlan | None
    connects_per: WindowPlan | None
    position: Position
    docs: str | None = None
    bootstrap: BootstrapPlan | None = None
    recipes: frozenset[str] = frozenset()
    """those without whose credentials nothing can be had here"""
