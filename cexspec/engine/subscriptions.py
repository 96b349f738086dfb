"""The topics a connection shall have, and how far the venue has followed.

What is wanted is kept as a set, never as a log of messages: after a reconnect it is asked for anew.

    idle --asked--> asked --ack--> live --asked to leave--> leaving --ack--> idle
                      |  refusal, or no answer to several requests on two connections: refused and wanted no longer
                      `- no answer, or "not now": idle again, asked later
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, takewhile
from math import inf
from typing import Any, Literal

from cexspec.compile.conditions import text_of
from cexspec.compile.plan import Json, Params
from cexspec.compile.socket_plan import Answer, ChannelPlan, ConnectionPlan, VerbPlan
from cexspec.engine.options import Patience
from cexspec.engine.outputs import Output, Reconnect, Refused, Subscribed, Unsubscribed, VenueError
from cexspec.engine.topics import Topic, repeats, text_of_payload
from cexspec.models import CexspecError, ExchangeError, RateLimitExceeded, TimeoutError

Verb = Literal["subscribe", "unsubscribe"]


@dataclass(slots=True)
class Entry:
    """A topic and how far it is."""

    topic: Topic
    wanted: bool = True
    phase: Literal["idle", "asked", "live", "leaving"] = "idle"
    request: str | None = None
    attempts: int = 0
    not_before: float = -inf
    at_most: int | None = None
    """topics in the message that asks for it: halved when a message was refused as a whole"""
    learned: Mapping[str, Any] = field(default_factory=dict)
    unanswered: bool = False
    """a connection was given up because it gave no answer about it"""
    renewed: bool = False
    """it was left and asked for anew on this connection: data that comes before the answer may be the last of before"""
    renewing: bool = False
    """it shall be left and asked for anew"""

    @property
    def verb(self) -> Verb | None:
        """What is left to ask for."""
        if self.wanted and self.phase == "idle":
            return "subscribe"
        return "unsubscribe" if (self.renewing or not self.wanted) and self.phase == "live" else None

    def start_over(self) -> None:
        """A new connection knows nothing of it."""
        self.phase, self.request, self.attempts, self.at_most, self.learned = "idle", None, 0, None, {}
        self.not_before, self.renewing, self.renewed = -inf, False, False


@dataclass(slots=True)
class Request:
    """A message under way and the topics in it that are not answered yet."""

    verb: Verb
    entries: dict[str, Entry]
    deadline: float


Values = Callable[[VerbPlan, Sequence[Json], str], Params]
"""What a message about topics holds besides them, by its request's id: signatures, tokens."""


def _nothing(verb: VerbPlan, topics: Sequence[Json], request_id: str) -> Params:
    return {}


class Ledger:
    """The subscriptions of one connection."""

    def __init__(
        self, connection: ConnectionPlan, channels: Mapping[str, ChannelPlan], patience: Patience, values: Values = _nothing
    ) -> None:
        self._values = values
        self._connection, self._channels, self._patience = connection, channels, patience
        self._entries: dict[str, Entry] = {}
        self._due: dict[str, Entry] = {}
        self._asked: dict[str, Entry] = {}
        self._leaving: dict[str, Entry] = {}
        self._wanted: set[str] = set()
        self._requests: dict[str, Request] = {}
        self._numbers = count(1)

    @property
    def wanted(self) -> tuple[Topic, ...]:
        """The desired set."""
        return tuple(entry.topic for entry in self._entries.values() if entry.wanted)

    @property
    def wants_something(self) -> bool:
        """Whether the desired set has anything in it."""
        return bool(self._wanted)

    def want(self, topic: Topic) -> list[Output]:
        """Add a topic to the desired set."""
        entry = self._entries.setdefault(topic.text, Entry(topic))
        entry.wanted = True
        self._review(entry)
        return [Subscribed(entry.topic)] if entry.phase == "live" else []

    def drop(self, topic: Topic) -> None:
        """Take a topic out of the desired set."""
        entry = self._entries.get(topic.text)
        if entry is not None:
            entry.wanted = False
            self._review(entry)

    def renew(self, topic: Topic) -> None:
        """Leave a topic that is served and ask for it anew, so that it begins from its beginning."""
        entry = self._entries.get(topic.text)
        if entry is not None and entry.wanted and entry.phase == "live":
            entry.renewing = entry.renewed = True
            self._review(entry)

    def proves(self, topic: Topic) -> bool:
        """Whether data of the topic shows that the venue serves it from now on: not while it is left and asked for anew."""
        entry = self._entries.get(topic.text)
        if entry is None or (entry.renewed and self._plan("subscribe").answered):
            return entry is None
        return entry.phase in ("asked", "live")

    def start_over(self) -> None:
        """The connection is gone, and all it knew."""
        self._requests.clear()
        self._due.clear()
        for entry in tuple(self._entries.values()):
            entry.start_over()
            self._review(entry)

    def ready(self, now: float) -> bool:
        """Whether something may be asked for."""
        return any(entry.not_before <= now for entry in self._due.values())

    def next_message(self, now: float) -> tuple[bytes | None, list[Output]]:
        """The next message to send (see `ready`), and what its sending alone settles; None: nothing need be said."""
        batch = self._batch(now)
        verb = batch[0].verb or "subscribe"
        plan = self._plan(verb)
        if plan.implied:
            return None, self._taken_for_granted(batch, verb)
        request_id = str(next(self._numbers))
        frame = self._encode(plan, batch, request_id)
        limit = self._connection.max_message_bytes or inf
        while len(frame) > limit and len(batch) > 1:
            batch = batch[: max(1, min(len(batch) - 1, int(len(batch) * limit / len(frame))))]
            frame = self._encode(plan, batch, request_id)
        for entry in batch:
            entry.phase, entry.request = ("asked", request_id) if verb == "subscribe" else ("leaving", request_id)
            entry.renewing = False
            self._review(entry)
        entries = {entry.topic.text: entry for entry in batch}
        self._requests[request_id] = Request(verb, entries, now + self._patience.answer)
        return frame, [] if plan.answered else self.accept(batch, certain=False)

    def _taken_for_granted(self, batch: list[Entry], verb: Verb) -> list[Output]:
        for entry in batch:
            entry.phase, entry.renewing = "asked" if verb == "subscribe" else "leaving", False
        return self.accept(batch)

    def answered_by(self, answer: Answer, verb: Verb | None, *, refused: bool) -> list[Entry]:
        """The topics an answer is about; none where it can't be told.

        The request's id decides over `verb`: a venue's acks may look alike for both.
        """
        request = self._request_of(answer)
        if answer.topic is not None:
            entries = self._repeated(answer.topic, request.verb if request is not None else verb)
            if request is None and answer.id is not None and verb == "subscribe":  # of a request given up: no word about leaving
                entries = [entry for entry in entries if entry.phase != "leaving"]
            if entries or (request is not None and len(request.entries) > 1):
                return entries
        if request is None and answer.topic is None:
            left = self._leaving_with(answer)
            if left is not None:
                return [left]
            if refused and len(self._requests) == 1:
                request = next(iter(self._requests.values()))
        return list(request.entries.values()) if request is not None else []

    def _request_of(self, answer: Answer) -> Request | None:
        """The request whose id an answer repeats; what looks like the id of one that sent none is a learned value."""
        request = self._requests.get(answer.id) if answer.id is not None else None
        return request if request is not None and self._plan(request.verb).sends_id else None

    def _leaving_with(self, answer: Answer) -> Entry | None:
        """The topic being left whose learned values an answer names."""
        named = ({text_of(value) for value in answer.learned.values()} | {answer.id}) - {None}
        return next((one for one in self._leaving.values() if any(text_of(value) in named for value in one.learned.values())), None)

    def accept(self, entries: Iterable[Entry], *, certain: bool = True) -> list[Output]:
        """The venue's yes, said or (not `certain`) taken for granted."""
        outputs: list[Output] = []
        for entry in entries:
            self._close(entry)
            if entry.phase == "asked":
                entry.phase, entry.attempts, entry.at_most, entry.unanswered = "live", 0, None, False
                entry.renewed = False
                outputs.append(Subscribed(entry.topic, certain))
            elif entry.phase == "leaving":
                entry.phase, entry.attempts, entry.learned = "idle", 0, {}
                entry.renewed = False  # what comes now is no rest of before
                outputs.append(Unsubscribed(entry.topic))
            self._review(entry)
        return outputs

    def refuse(self, entries: list[Entry], error: ExchangeError, now: float) -> list[Output]:
        """The venue's no. A message of several topics is asked again in halves, so that only the culprit fails."""
        outputs: list[Output] = []
        for entry in entries:
            self._close(entry)
            if entry.phase in ("leaving", "live"):
                entry.phase = "idle" if entry.phase == "leaving" else "live"
                outputs.append(VenueError(error))
            elif error.retryable and entry.attempts + 1 < self._patience.attempts:
                pause = error.retry_after if isinstance(error, RateLimitExceeded) else None
                entry.phase, entry.attempts = "idle", entry.attempts + 1
                entry.not_before = now + (pause if pause is not None else self._patience.answer)
            elif len(entries) > 1 and not error.retryable:
                entry.phase, entry.at_most = "idle", (len(entries) + 1) // 2
            else:
                outputs.append(self._fail(entry, error))
            self._review(entry)
        return outputs

    def expire(self, now: float) -> list[Output]:
        """Ask again where an answer is overdue, and give up after several requests."""
        outputs: list[Output] = []
        for request_id in list(takewhile(lambda key: self._requests[key].deadline <= now, self._requests)):
            for entry in self._requests.pop(request_id).entries.values():
                outputs += self._overdue(entry)
                self._review(entry)
        return outputs

    def excuse(self, now: float) -> None:
        """Nobody read for a while: the answers may be there already, and are awaited anew."""
        for request in self._requests.values():
            request.deadline = now + self._patience.answer

    def _overdue(self, entry: Entry) -> list[Output]:
        entry.request = None
        entry.attempts += 1
        last = entry.attempts >= self._patience.attempts
        if entry.phase == "leaving":
            # The venue may still end it: what is wanted again is asked for anew, behind the request to end it.
            entry.phase = "idle" if last or entry.wanted else "live"
            return [Unsubscribed(entry.topic)] if last and not entry.wanted else []
        if not entry.wanted:
            # The venue may serve it for all that is known, so it is left in due form; without a learned value nobody can.
            entry.phase = "idle" if last or self._connection.learns is not None else "live"
            return []
        entry.phase = "idle"
        if not last:
            return []
        reason = f"no answer to {entry.attempts} requests for {entry.topic.text}"
        if entry.unanswered:
            return [self._fail(entry, TimeoutError(reason))]
        entry.unanswered = True  # what was asked may not have arrived: the line may be dead in that direction
        return [Reconnect(reason)]

    def confirm(self, topic: Topic) -> list[Output]:
        """Data of the topic arrived, which says as much as an ack."""
        entry = self._entries.get(topic.text)
        return self.accept([entry]) if entry is not None and entry.phase == "asked" else []

    def answers_due(self) -> float:
        """When the first answer is overdue: that to the oldest request."""
        oldest = next(iter(self._requests.values()), None)
        return oldest.deadline if oldest is not None else inf

    def asking_due(self) -> float:
        """When something may be asked for."""
        earliest = inf
        for entry in self._due.values():
            earliest = min(earliest, entry.not_before)
            if earliest == -inf:  # as of nearly all: there is nothing before it
                break
        return earliest

    def _plan(self, verb: Verb) -> VerbPlan:
        return self._connection.subscribe if verb == "subscribe" else self._connection.unsubscribe

    def _encode(self, plan: VerbPlan, batch: list[Entry], request_id: str) -> bytes:
        topics = [entry.topic.payload for entry in batch]
        learned = batch[0].learned if len(batch) == 1 else {}
        return plan.send(topics, request_id, {**learned, **self._values(plan, topics, request_id)})

    def _batch(self, now: float) -> list[Entry]:
        """The first entries that may share a message."""
        batch: list[Entry] = []
        limit: float = inf
        for entry in self._due.values():
            if entry.not_before > now or (batch and entry.verb != batch[0].verb):
                continue
            if not batch:
                per_topic = self._plan(entry.verb or "subscribe").per_topic
                limit = 1 if per_topic else self._connection.topics_per_message or inf
            limit = min(limit, entry.at_most or inf)
            if len(batch) >= limit:
                break
            batch.append(entry)
        return batch

    def _repeated(self, echo: Json, verb: Verb | None) -> list[Entry]:
        """The entries an answer repeats: by the same text, else by what the channel reads back from it."""
        exact = self._entries.get(text_of_payload(echo))
        if exact is not None:
            return [exact]
        leaving = verb == "unsubscribe"
        under_way = self._leaving if leaving else self._asked
        served = (entry for entry in self._entries.values() if entry.phase == "live" and not leaving)
        for entry in chain(under_way.values(), served):
            if repeats(self._channels[entry.topic.channel], entry.topic, echo):
                return [entry]
        if isinstance(echo, list):
            return [entry for each in echo for entry in self._repeated(each, verb)]
        return []

    def _fail(self, entry: Entry, error: CexspecError) -> Refused:
        entry.wanted, entry.phase = False, "idle"
        return Refused(entry.topic, error)

    def _close(self, entry: Entry) -> None:
        request = self._requests.get(entry.request) if entry.request is not None else None
        if request is not None and entry.request is not None:
            request.entries.pop(entry.topic.text, None)
            if not request.entries:
                del self._requests[entry.request]
        entry.request = None

    def _review(self, entry: Entry) -> None:
        """Note what is left to ask for and what is under way, and forget what nobody wants."""
        text, phase = entry.topic.text, entry.phase
        for found, belongs in ((self._due, entry.verb is not None), (self._asked, phase == "asked"), (self._leaving, phase == "leaving")):
            if belongs:
                found[text] = entry
            else:
                found.pop(text, None)
        if entry.wanted:
            self._wanted.add(text)
        else:
            self._wanted.discard(text)
            if phase == "idle":
                self._entries.pop(text, None)
