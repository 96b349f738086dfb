"""The venue's side of one WebSocket connection: greetings, pings, subscriptions and their answers, and the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count, islice
from typing import Any

import msgspec

from cexspec.compile.conditions import Predicate, predicate
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, Steps, parse
from cexspec.mock.admission import Admission
from cexspec.mock.answers import MarketOf
from cexspec.mock.document import get, like, put
from cexspec.mock.faults import Faults, NoAck, NoPong, Outgoing, Refuse
from cexspec.mock.feed import Feed
from cexspec.mock.listing import Listed, Listing
from cexspec.mock.market import Row
from cexspec.mock.matching import Holes, key_of, matched, topics_of
from cexspec.mock.reports import news
from cexspec.mock.samples import Samples
from cexspec.mock.templates import Topic
from cexspec.models import InvalidSymbol
from cexspec.models.catalog import PRIVATE
from cexspec.spec.model import Greet, Subscribe

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Dialogue:
    """Sans-I/O: text in, texts out. `receive` answers the client, `tick` gives the data that is due, `tell` what is private."""

    def __init__(
        self,
        exchange: Exchange,
        connection: str,
        samples: Samples,
        listing: Listing,
        market: MarketOf,
        feed: Feed,
        faults: Faults,
        admission: Admission,
    ) -> None:
        assert exchange.spec.ws is not None
        self._admission, self._believed = admission, False
        self._name, self._spec = connection, exchange.spec.ws.connections[connection]
        self._samples, self._listing, self._market, self._feed = samples, listing, market, feed
        self._faults, self._outgoing = faults, Outgoing(faults)
        self._numbers, self._frames = count(1001), count(1)
        self.topics: dict[str, Topic] = {}

    def opened(self) -> Iterator[str]:
        """What the venue says first."""
        greet = self._spec.greet
        if greet is not None and greet.send is None:
            yield self._role("greeting")
        if self._spec.keepalive.answer is not None:
            yield self._role("ping")
        if greet is None or greet.send is None:
            yield from self._implied()

    def receive(self, text: str) -> Iterator[str]:
        """The answers to one message of the client."""
        keepalive = self._spec.keepalive
        if keepalive.send is not None and text == keepalive.send:
            if self._faults.take(NoPong) is None:
                yield keepalive.expect if isinstance(keepalive.expect, str) else self._role("pong")
            return
        try:
            yield from self._answer(msgspec.json.decode(text))
        except msgspec.DecodeError:
            yield self._misunderstood()

    def tick(self, listed: Listed) -> Iterator[str]:
        """The data of one instrument that its topics are due."""
        for key, topic in list(self.topics.items()):
            if topic.model not in PRIVATE and topic.about(listed) and not self._faults.silent(topic.model, str(listed.symbol), listed.id):
                frames = self._sent(topic, self._feed.next(topic, listed, self._market(str(listed.symbol))))
                yield from self._outgoing.sent(topic.model, key, frames)

    def tell(self, channel: str, rows: list[Row], listed: Listed) -> Iterator[str]:
        """What happened to the customer's account, on the topics of a private channel."""
        for topic in self.topics.values():
            if any(plan.name == channel for plan in topic.channels):
                yield from self._sent(topic, self._feed.reports.written(topic, channel, rows, listed))

    def news(self, told: Iterable[tuple[str, Row]]) -> Iterator[str]:
        """What happened to the customer's account, on all topics that tell of it: models and events."""
        for one in news(told):
            listed = self._listing.about(one.row)
            somebody = listed or next(iter(self._listing))
            for topic in self.topics.values():
                if listed is None or topic.about(listed):
                    yield from self._sent(topic, self._feed.reports.frames(topic, one, somebody))

    def announcement(self) -> Iterator[str]:
        """What the venue says before it restarts, where the spec knows it."""
        announcing = [predicate(role.match) for role in self._spec.roles.values() if role.reconnect]

        def fits(frame: Any) -> bool:
            return any(one(self._message(frame)) for one in announcing)

        yield from (_text(frame) for frame in islice(self._samples.of_role(self._name, "notice", fits), 1))

    def instruments(self) -> set[str]:
        """Symbols that move for this connection: those that topics name, and one for each topic that names none, as its samples do."""
        return {topic.usual for topic in self.topics.values() if topic.usual is not None}

    def _answer(self, message: Any) -> Iterator[str]:
        greet, keepalive, subscribe, unsubscribe = self._spec.greet, self._spec.keepalive, self._spec.subscribe, self._spec.unsubscribe
        if greet is not None and greet.send is not None and (holes := matched(greet.send, message)) is not None:
            yield from self._greeted(greet, message, holes)
        elif keepalive.send is not None and (holes := matched(keepalive.send, message)) is not None:
            if self._faults.take(NoPong) is None:
                yield self._role("pong", message)
        elif not subscribe.recipe and (holes := matched(subscribe.send, message)) is not None and topics_of(holes):
            yield from self._subscribe(holes)
        elif subscribe.recipe is not None and (holes := matched(subscribe.send, message)) is not None:
            yield from self._subscribe_signed(message, holes)
        elif (holes := matched(unsubscribe.send, message)) is not None:
            yield from self._unsubscribe(holes)
        elif keepalive.answer is None or matched(keepalive.answer.send, message) is None:
            yield self._misunderstood()

    def _greeted(self, greet: Greet, message: Any, holes: Holes) -> Iterator[str]:
        """A login is believed, or not."""
        objection = self._admission.objection(greet.recipe, greet.send, message, holes) if greet.recipe is not None else None
        if objection is None:
            self._believed = True
            yield self._welcome(greet)
            yield from self._implied()
        else:
            fits = predicate(greet.failed or {})
            frames = chain(self._samples.frames_that(fits, objection), self._samples.of_role(self._name, "denial", fits))
            yield from (_text(frame) for frame in islice(frames, 1))

    def _welcome(self, greet: Greet) -> str:
        """The answer to a greeting, in the words of a sample from any connection where this one's has none."""
        fits = predicate(greet.expect or {})
        frames = chain(self._samples.of_role(self._name, "greeting", fits), self._samples.frames_that(fits))
        return _text(next(frames, {}))

    def _implied(self) -> Iterator[str]:
        """Topics for which nobody need ask."""
        if self._spec.subscribe.implied:
            self.topics |= {key_of(topic.topic): topic for topic in self._whole_topics()}
            yield from self._begin(self.topics.values())

    def _whole_topics(self) -> list[Topic]:
        """The topics of channels that have no parameters."""
        found = (self._topic(payload) for payload in self._feed.payloads())
        return [topic for topic in found if topic is not None]

    def _subscribe_signed(self, message: Any, holes: Holes) -> Iterator[str]:
        """A subscription that is signed, and maybe names no topic: then it is to all that have no parameters."""
        recipe = self._spec.subscribe.recipe
        if recipe is not None and self._admission.objection(recipe, self._spec.subscribe.send, message, holes) is not None:
            yield from self._refuse(None, holes, "AuthenticationError")
        elif topics_of(holes):
            yield from self._subscribe(holes)
        else:
            topics = self._whole_topics()
            self.topics |= {key_of(topic.topic): topic for topic in topics}
            for topic in topics[:1]:
                yield from self._ack(self._spec.subscribe, topic.topic, topic.learned, holes)

    def _trusts(self, holes: Holes) -> bool:
        """Whether who asks has logged in, and shows what it was given."""
        greet = self._spec.greet
        return (self._believed or greet is None or greet.recipe is None) and self._admission.knows(self._name, holes)

    def _subscribe(self, holes: Holes) -> Iterator[str]:
        """Answers topic by topic, or the message as a whole where answers name nothing but its id."""
        asked, verb, unanswered = topics_of(holes), self._spec.subscribe, self._faults.take(NoAck)
        if unanswered is not None and not unanswered.served:
            return
        trusted = self._trusts(holes)
        refusing = self._faults.take(Refuse) is not None or not trusted
        error = "InvalidSymbol" if trusted else "AuthenticationError"
        found = {key_of(one): None if refusing else self._topic(one) for one in asked}
        refused = [one for one in asked if found[key_of(one)] is None]
        if refused and verb.topic is None and verb.failed_topic is None:
            yield from self._refuse(None, holes, error)
            return
        started = {key: topic for key, topic in found.items() if topic is not None}
        self.topics |= started
        told = [] if unanswered is not None else list(started.values()) if verb.topic is not None else list(started.values())[:1]
        for topic in told:
            yield from self._ack(verb, topic.topic, topic.learned, holes)
        for one in refused:
            yield from self._refuse(one, holes, error)
        yield from self._begin(started.values())

    def _begin(self, started: Iterable[Topic]) -> Iterator[str]:
        """What topics say first."""
        for topic in started:
            if topic.model not in PRIVATE and (listed := self._listing.named(topic.params)) is not None:
                yield from self._sent(topic, self._feed.first(topic, listed, self._market(str(listed.symbol))))

    def _unsubscribe(self, holes: Holes) -> Iterator[str]:
        asked, verb = topics_of(holes), self._spec.unsubscribe
        keys = {key_of(one) for one in asked}
        left = {key: topic for key, topic in self.topics.items() if key in keys or _learned_in(topic, holes)}
        self.topics = {key: topic for key, topic in self.topics.items() if key not in left}
        for topic in left.values() if verb.topic is not None or not asked else ():
            yield from self._ack(verb, topic.topic, topic.learned, holes)
        if asked and verb.topic is None:
            yield from self._ack(verb, asked[0], {}, holes)

    def _topic(self, asked: Any) -> Topic | None:
        topic = self._feed.topic(asked, {name: next(self._numbers) for name in self._spec.subscribe.learn})
        try:
            listed = self._listing.named(topic.params) if topic is not None else None
            if topic is not None and listed is not None and not topic.about(listed):
                return None
        except InvalidSymbol:
            return None
        if topic is not None:
            about = (one for one in self._listing if topic.about(one))
            usual = listed or min(about, key=lambda one: not self._feed.shows(topic, one), default=None)
            topic.usual = str(usual.symbol) if usual is not None else None
        return topic

    def _ack(self, verb: Subscribe, topic: Any, learned: Mapping[str, int], holes: Holes) -> Iterator[str]:
        """The yes in the words of a sample, where possible one about the same channel."""
        at = parse(verb.topic or self._spec.subscribe.topic or "$").steps
        fits = predicate(verb.ack) if verb.ack is not None else self._plain_ack(at)
        frames = list(self._samples.of_role(self._name, "ack", fits))
        for frame in sorted(frames, key=lambda frame: -_alike(get(frame, at), topic))[:1]:
            named = _named(frame, verb.topic or (self._spec.subscribe.topic if verb.ack is None and at else None), verb, topic, holes)
            for name, text in self._spec.subscribe.learn.items():
                if name in learned and get(named, parse(text).steps) is not MISSING:
                    named = put(named, parse(text).steps, learned[name])
            yield _text(named)

    def _plain_ack(self, at: Steps) -> Callable[[Any], bool]:
        """How acks look that a verb doesn't describe: as those of subscriptions where these name topics, else by the roles."""
        if at and self._spec.subscribe.ack is not None:
            return predicate(self._spec.subscribe.ack)
        acks = [predicate(role.match) for role in self._spec.roles.values() if role.role == "ack"]
        return lambda frame: any(fits(frame) for fits in acks)

    def _refuse(self, asked: Any, holes: Holes, error: str) -> Iterator[str]:
        verb = self._spec.subscribe
        frame = next(self._refusals(predicate(verb.failed or {}), error), None)
        if frame is not None:
            path = verb.failed_topic or verb.topic
            stands = MISSING if path is None else get(frame, parse(path).steps)
            listed = isinstance(stands, list) and not isinstance(asked, list)
            yield _text(_named(frame, path if stands is not MISSING else None, verb, [asked] if listed else asked, holes))

    def _refusals(self, fits: Predicate, error: str) -> Iterator[Any]:
        """Sample frames that refuse a subscription, best those of this error."""
        for frame in self._samples.complaints(self._name, error):
            if fits(frame):
                yield frame
        yield from self._samples.of_role(self._name, "refusal", fits)

    def _misunderstood(self) -> str:
        """What the venue says of a message that is none of its own."""
        frame = next(self._samples.complaints(self._name, "InvalidRequest"), None)
        return self._role("error") if frame is None else _text(frame)

    def _role(self, role: str, asked: Any = None) -> str:
        """A sample frame of a role; what it repeats of the message it answers is that message's."""
        frame: Any = next(self._samples.of_role(self._name, role), {})
        if isinstance(frame, dict) and isinstance(asked, dict):
            constant = {"event", "op", "method", "type", "channel"}
            frame |= {key: value for key, value in asked.items() if key in frame and key not in constant}
        return _text(frame)

    def _message(self, frame: Any) -> Any:
        """What a frame wraps, where it does."""
        inner = get(frame, parse(self._spec.payload).steps) if self._spec.payload is not None else MISSING
        return frame if inner is MISSING else inner

    def _sent(self, topic: Topic, frames: Iterator[Any]) -> Iterator[str]:
        return (_text(self._addressed(frame, topic)) for frame in frames)

    def _addressed(self, frame: Any, topic: Topic) -> Any:
        """The frame with this topic where the sample names its own, and this connection's numbers."""
        if isinstance(frame, dict):
            for key, value in frame.items():
                if any(plan.params_of(value) is not None for plan in topic.channels):
                    frame[key] = topic.topic
        if self._spec.route is not None:
            frame = put(frame, parse(self._spec.route.by).steps, topic.learned[self._spec.route.learned])
        for text in self._spec.sequence or []:
            if isinstance(get(frame, parse(text).steps), int):
                frame = put(frame, parse(text).steps, next(self._frames))
                break
        return frame


def _named(frame: Any, path: str | None, verb: Subscribe, topic: Any, holes: Holes) -> Any:
    """An answer that repeats this topic at a path and this request's id, where answers do."""
    if path is not None and topic is not None:
        steps = parse(path).steps
        said = get(frame, steps)
        echo = _echoed(topic, said)
        frame = {**frame, **_repeated(frame, said, topic), **echo} if not steps and isinstance(echo, dict) else put(frame, steps, echo)
    if verb.id is not None and holes.get("request_id") is not None:
        frame = put(frame, parse(verb.id).steps, holes["request_id"])
    return frame


def _echoed(topic: Any, sample: Any) -> Any:
    """A topic as the sample repeats one: lists of one may stand there as their element, and the other way round."""
    if isinstance(topic, list) and len(topic) == 1 and isinstance(sample, str):
        return topic[0]
    if isinstance(sample, list) and not isinstance(topic, list):
        return [topic]
    if isinstance(topic, dict) and isinstance(sample, dict):
        return {key: _echoed(value, sample.get(key)) for key, value in topic.items()}
    return topic


def _repeated(frame: dict[str, Any], said: Any, topic: Any) -> dict[str, str]:
    """What an answer repeats of the end of a topic's word, of this topic."""
    words = {said[key]: topic[key] for key in topic if isinstance(topic[key], str) and isinstance(said.get(key), str)}
    told = [(key, value, old) for key, value in frame.items() for old in words if isinstance(value, str) and key not in topic]
    return {key: words[old][len(old) - len(value) :] for key, value, old in told if len(value) > 1 and old.endswith(value)}


def _alike(echo: Any, topic: Any) -> int:
    """How many keys and values of a topic an answer repeats."""
    if not isinstance(echo, dict) or not isinstance(topic, dict):
        return 0
    return sum((key in echo) + (echo.get(key) == value) for key, value in topic.items())


def _learned_in(topic: Topic, holes: Holes) -> bool:
    return bool(topic.learned) and all(like(str(value), holes.get(name)) == str(value) for name, value in topic.learned.items())


def _text(frame: Any) -> str:
    return frame if isinstance(frame, str) else _ENCODER.encode(frame).decode()
