"""Frames: what a message of a connection is and says. The one way from bytes to events, online and offline.

A `FrameReader` is the memory of one connection from its opening to its end: the values that acks taught it, and what
partial updates told. Nothing a peer sends raises here: what can't be read is a `Reading` with a `DecodeError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import Any, Literal, Protocol

from msgspec import Struct

from cexspec.compile.conditions import text_of
from cexspec.compile.plan import Params, ReaderPlan
from cexspec.compile.reader import FAILURES, decodes
from cexspec.compile.socket_plan import Answer, ChannelPlan, ConnectionPlan, Role, Verdict
from cexspec.engine.topics import Topic, read_back
from cexspec.models import DecodeError, Event, Market
from cexspec.models.market import LatestMarket

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of a frame at most; a larger one isn't looked at."""
MAX_LEARNED = 10_000
"""Learned values kept at most: they come from the wire."""
PREFIX = 40
"""Bytes at the beginning of a frame by which its reader is guessed."""
BEGINNING = slice(PREFIX)
MAX_GUESSES = 4096
"""Beginnings kept at most."""

Part = tuple[str, list[Event]]
"""A channel and the events it makes of a frame."""


class MarketLookup(Protocol):
    """Where markets come from (`Markets`)."""

    def keep_current(self, latest: LatestMarket) -> None:
        """Have a remembered market forgotten when ids may stand for something else, as long as anybody holds it."""

    def within(self, category: str | None) -> Callable[[str], Market]:
        """Native id -> market, in a product line (its name, or the venue's word); None: whatever the line. Never fails."""


class Reading(Struct, frozen=True):
    """What a frame is.

    `data` has `parts`, one for each channel that reads it, and may have `errors` of records left out. `ack`, `refusal`,
    `denial` and `error` have the `answer`, a `ping` the `reply` it wants. `early` is data whose number no ack has announced yet
    (only while live). `undecodable` is no frame of this connection at all. `topic` is known where a learned value is.
    """

    role: Role | Literal["early", "undecodable"]
    parts: tuple[Part, ...] = ()
    topic: Topic | None = None
    errors: tuple[DecodeError, ...] = ()
    reason: str | None = None
    verb: Literal["subscribe", "unsubscribe"] | None = None
    answer: Answer | None = None
    reply: bytes | None = None
    value: str | None = None
    reconnect: bool = False

    @property
    def events(self) -> list[Event]:
        """The events of all parts."""
        return [event for _, events in self.parts for event in events]

    @property
    def channel(self) -> str | None:
        """The channel, the first where several share the frame."""
        return self.parts[0][0] if self.parts else None

    @property
    def params(self) -> Params | None:
        """The parameters of the subscription the frame belongs to, where a learned value tells."""
        return self.topic.params if self.topic is not None else None


class _Context(LatestMarket):
    """The `Context` of the frame at hand; one object serves all frames that are read in the same way."""

    __slots__ = ("category", "left_out", "market", "quarantine", "received", "request", "state", "within")

    def __init__(self, markets: MarketLookup, category: str | None, state: Callable[[str], dict[str, Any]]) -> None:
        super().__init__()
        self.received: int | None = None
        self.request: Params | None = None
        self.left_out: list[DecodeError] = []
        self.category, self.market, self.within, self.state = category, markets.within(category), markets.within, state
        self.quarantine = self.left_out.append
        markets.keep_current(self)


Read = Callable[[bytes | str], list[Event]]
"""Reads one kind of frame; it fails on any other."""


class FrameReader:
    """Reads the frames of one connection, from its opening to its end.

    With `live`, whoever drives it knows the subscriptions: it calls `learn` with the topic an ack answers, and gets
    data that came before its ack as `early`. Offline, acks among the frames teach by themselves, and data that no ack
    announced is read by its shape. Not `certain`, the frames may be another connection's: what is known of this one's
    product line is left aside.
    """

    def __init__(
        self,
        exchange: str,
        connection: ConnectionPlan,
        channels: Mapping[str, ChannelPlan],
        markets: MarketLookup,
        *,
        live: bool = False,
        certain: bool = True,
        max_frame: int = MAX_FRAME,
        known: dict[bytes | str, Read] | None = None,
    ) -> None:
        self._exchange, self._connection, self._live, self._max_frame = exchange, connection, live, max_frame
        self._channels = {name: channel for name, channel in channels.items() if connection.name in channel.connections.values()}
        self._route = connection.router.route
        self._states: dict[str, dict[str, Any]] = {}
        self._new_context = partial(_Context, markets, connection.category if certain else None, self._state)
        self._context = self._new_context()
        self._learned: dict[str, str] = {}
        self._topics: dict[str, Topic] = {}
        self._guesses: dict[bytes | str, tuple[str, _Context, Read]] = {}
        self._known = {} if known is None else known
        self._misses = 0

    def read(self, frame: bytes | str, received: int | None = None) -> Reading:
        """What a frame is and says; `received` is its local time in nanoseconds. Never raises."""
        part = self.guessed(frame, received)
        if part is not None:
            return Reading("data", (part,))
        if isinstance(frame, str):
            frame = frame.encode("utf-8", "surrogatepass")
        if len(frame) > self._max_frame:
            return self._undecodable(f"a frame of {len(frame)} bytes: more than {self._max_frame} are not read")
        return self._routed(frame, received)

    def guessed(self, frame: bytes | str, received: int | None) -> Part | None:
        """The channel and events of a frame that begins as one before it did: the hot path. None: ask `read`.

        Guessing is safe: only readers are guessed that refuse every message that isn't theirs, but for what the beginning rules out.
        """
        guess = self._guesses.get(frame[BEGINNING])
        if guess is None or len(frame) > self._max_frame:
            return None
        channel, context, read = guess
        context.received = received
        try:
            return channel, read(frame)
        except FAILURES:  # another message, or a bad one: the router tells
            self._misses += 1
            return None

    def _state(self, name: str) -> dict[str, Any]:
        """What messages of this connection keep for later ones."""
        return self._states.setdefault(name, {})

    def _routed(self, frame: bytes, received: int | None) -> Reading:
        """The reading by the router, whatever was guessed."""
        try:
            verdict, value = self._route(frame, self._learned)
        except DecodeError as error:
            return Reading("undecodable", errors=(error,), reason=str(error))
        if verdict.role != "data":
            return self._control(verdict, value, frame)
        topic = None
        if value is not None:
            topic = self._topics.get(value)
            if topic is None and self._live:
                return Reading("early", value=value, reason=verdict.reason)
        return self._data(verdict, topic, frame, received)

    def _data(self, verdict: Verdict, topic: Topic | None, frame: bytes, received: int | None) -> Reading:
        context = self._context
        context.received = received
        context.request = None if topic is None else topic.params
        if len(verdict.readers) != 1:
            return self._read_shared(verdict, topic, frame)
        channel, reader = verdict.readers[0]
        try:
            events = reader.read(frame, context)
        except DecodeError as error:
            return Reading("data", (), topic, (*self._left_out(), error))
        if context.left_out:
            return Reading("data", ((channel, events),), topic, self._left_out())
        if reader.guarded and self._connection.learns is None:  # there the number tells the subscription, not the beginning
            self._remember(frame, channel, reader)
        return Reading("data", ((channel, events),), topic)

    def _remember(self, frame: bytes, channel: str, reader: ReaderPlan) -> None:
        """Guess this reader, or its fastest twin that can read such a frame, for frames that begin so.

        Where beginnings hardly repeat (they hold a time, say) guessing is given up.
        """
        if len(self._guesses) >= MAX_GUESSES:
            self._guesses.clear()
            self._known.clear()
            self._misses += MAX_GUESSES
        if self._misses >= MAX_GUESSES:
            return
        chosen = next((twin for twin in reader.twins(frame, PREFIX) if decodes(twin, frame)), reader)
        beginning = frame[:PREFIX]
        context = self._new_context()
        read = MethodType(chosen.extract(), context)
        for key in (beginning, beginning.decode(errors="replace")):
            self._guesses[key], self._known[key] = (channel, context, read), read

    def learn(self, answer: Answer, topic: Topic | None = None) -> str | None:
        """Keep what an ack teaches; `topic` is what it answers (None: what it repeats). The value learned, if any."""
        name = self._connection.learns
        found = answer.learned.get(name) if name is not None else None
        value = text_of(found) if found is not None else None
        if topic is None and answer.topic is not None:
            topic = read_back(self._channels, answer.topic)
        if value is None or topic is None:
            return None
        self.know(value, topic)
        return value

    def know(self, value: str, topic: Topic) -> None:
        """Data with this learned value belongs to this topic."""
        if len(self._topics) >= MAX_LEARNED and value not in self._topics:
            oldest = next(iter(self._topics))
            del self._topics[oldest], self._learned[oldest]
        self._learned[value], self._topics[value] = topic.channel, topic

    def _read_shared(self, verdict: Verdict, topic: Topic | None, frame: bytes) -> Reading:
        """One subscription that feeds several channels: what one of them can't read doesn't harm the others."""
        parts, errors = [], []
        for channel, reader in verdict.readers:
            try:
                parts.append((channel, reader.read(frame, self._context)))
            except DecodeError as error:
                errors.append(error)
        return Reading("data", tuple(parts), topic, (*self._left_out(), *errors))

    def _left_out(self) -> tuple[DecodeError, ...]:
        left_out = tuple(self._context.left_out)
        self._context.left_out.clear()
        return left_out

    def _control(self, verdict: Verdict, value: str | None, frame: bytes) -> Reading:
        role = verdict.role
        try:
            if role == "unrouted" and self._live and value is not None and value not in self._topics:
                return Reading("early", value=value, reason=verdict.reason)
            if role in ("ack", "refusal", "denial", "error"):
                return self._answer(verdict, frame)
            reply = self._connection.keepalive.answer(frame) if role == "ping" and self._connection.keepalive.answer else None
        except FAILURES as failure:
            return self._undecodable(f"a frame of the role {role} can't be read: {failure}")
        topic = self._topics.get(value) if value is not None else None
        return Reading(role, topic=topic, reason=verdict.reason, reply=reply, value=value, reconnect=verdict.reconnect)

    def _answer(self, verdict: Verdict, frame: bytes) -> Reading:
        role, verb = verdict.role, verdict.verb
        if role == "ack" and verb is None:  # a confirmation of something nobody waits for
            return Reading(role, reason=verdict.reason, reconnect=verdict.reconnect)
        plan = self._connection.unsubscribe if verb == "unsubscribe" else self._connection.subscribe
        answer = plan.answer(frame, role != "ack")
        if role == "ack" and verb == "subscribe" and not self._live:
            self.learn(answer)
        return Reading(role, reason=verdict.reason, verb=verb, answer=answer, reconnect=verdict.reconnect)

    def _undecodable(self, message: str) -> Reading:
        error = DecodeError(message, exchange=self._exchange, channel=self._connection.name)
        return Reading("undecodable", errors=(error,), reason=message)
