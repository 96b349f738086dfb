"""What a topic sends: sample frames of its channels, filled from the simulated market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from cexspec.compile.categories import named
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, parse
from cexspec.compile.socket_plan import ChannelPlan
from cexspec.hooks import CHECKSUMS, Precision
from cexspec.mock.document import get
from cexspec.mock.encode import Encoder
from cexspec.mock.faults import Faults, WrongChecksum
from cexspec.mock.history import Span, candle, opening_of, rows
from cexspec.mock.listing import Listed
from cexspec.mock.market import LEVELS, SECOND, Market, Row, Side
from cexspec.mock.reports import Reports
from cexspec.mock.samples import Frame, Samples
from cexspec.mock.templates import Template, Topic
from cexspec.spec.model import Channel, Checksum

RECENT = 5
"""Rows of a list that a topic begins with."""


OPENING = "snapshot"
"""How venues call the first frame of a subscription."""


class Feed:
    """The data of one connection's channels. Samples are read once."""

    def __init__(self, exchange: Exchange, connection: str, samples: Samples, faults: Faults) -> None:
        assert exchange.spec.ws is not None
        self._exchange, self._faults = exchange, faults
        line = named(exchange.categories, exchange.connection(connection).category)
        self._line = {"category": line.word} if line is not None else {}
        """the product line of every topic here"""
        self._payload = parse(exchange.spec.ws.connections[connection].payload or "$").steps
        self._channels = {name: spec for name, spec in exchange.spec.ws.channels.items() if connection in spec.connections.values()}
        self._templates = {
            name: [self._template(name, frame) for frame in samples.frames(exchange, name, connection)] for name in self._channels
        }
        self.reports = Reports(exchange, self._channels, self._templates, self._payload)
        """what its private channels tell"""

    def topic(self, asked: Any, learned: dict[str, int]) -> Topic | None:
        """The subscription a topic means; None where no channel has such a topic."""
        plans = [self._exchange.channel(name) for name in self._channels]
        fits = [(plan, params) for plan in plans if (params := plan.params_of(asked)) is not None]
        said = max((self._keys(plan) for plan, _ in fits), default=0)  # a topic with further keys is another one
        fits = [(plan, params) for plan, params in fits if self._keys(plan) == said]
        if not fits:
            return None
        model = str(self._channels[fits[0][0].name].returns)
        return Topic(asked, [plan for plan, _ in fits], model, {**self._line, **fits[0][1]}, learned)

    def _keys(self, plan: ChannelPlan) -> int:
        topic = self._channels[plan.name].topic
        return len(topic) if isinstance(topic, dict) else 1

    def payloads(self) -> list[Any]:
        """The topics of channels that have no parameters."""
        plans = (self._exchange.channel(name) for name in self._channels)
        return [plan.topic({}) for plan in plans if not plan.needs]

    def first(self, topic: Topic, listed: Listed, market: Market) -> Iterator[Any]:
        """The frames a subscription begins with: whole books, lists of what was, how things stand."""
        spec, templates = self._of(topic, listed)
        past = [template for template in templates if template.past]
        if spec.returns == "book":
            whole = [template for template in templates if template.snapshot]
            yield from self._books(topic, whole[:1], listed, market)
            _remember(topic, *_view(topic, spec, market), market.number(spec))
        elif past:
            yield from past[0].filled(topic, self._recent(topic, spec, market), listed)
        elif spec.returns not in ("trade", "liquidation"):
            yield from self._state(topic, listed, market, opening=True)

    def next(self, topic: Topic, listed: Listed, market: Market) -> Iterator[Any]:
        """The frames of the market's last move."""
        spec, templates = self._of(topic, listed)
        if spec.returns != "book":
            yield from self._state(topic, listed, market, opening=False)
        elif topic.sequence != market.number(spec):
            changes = [template for template in templates if template.snapshot is False and template.encoder.levels]
            whole = [template for template in templates if template.snapshot]
            sums = [template for template in templates if not template.encoder.levels]
            yield from self._books(topic, (changes or whole)[:1] + sums[:1], listed, market)

    def shows(self, topic: Topic, listed: Listed) -> bool:
        """Whether the samples of a topic are about an instrument."""
        return any(template.symbol == listed.symbol for template in self._templates[topic.channels[0].name][:1])

    def _state(self, topic: Topic, listed: Listed, market: Market, *, opening: bool) -> Iterator[Any]:
        """How things stand, with the word that subscriptions begin with, or the other one, where the venue has both."""
        spec, templates = self._of(topic, listed)
        present = [template for template in templates if not template.past]
        words = {} if spec.merge is not None else _words([template.encoder.sample for template in present], opening=opening)
        for template in present[:1]:
            for frame in template.filled(topic, self._latest(topic, spec, market), listed):
                yield {**frame, **words} if words else frame

    def _template(self, name: str, frame: Frame) -> Template:
        """Channels that share a topic share its frames, which then hold the fields of them all."""
        spec, mapping = self._channels[name], frame.message.mapping
        public = [other for one, other in self._channels.items() if not self._exchange.channel(one).private]
        sharing = [other for other in public if other.topic == spec.topic and other is not spec]
        mappings = [mapping, *(sharing if mapping is spec else [])]
        encoder = Encoder(mappings, frame.document, self._exchange.intervals, self._payload)
        many = mapping.items is not None
        bare = get(frame.document, self._payload) is MISSING
        events = frame.events if len(frame.events) == len(encoder.samples) else ()
        past = many and spec.items is None
        return Template(mapping, encoder, frame.symbol, bare, frame.snapshot, many, past, frame.whole, events)

    def _of(self, topic: Topic, listed: Listed) -> tuple[Channel, list[Template]]:
        """The channel and its templates: wrapped ones first, and among them those of the instrument's own kind."""
        name = topic.channels[0].name
        return self._channels[name], sorted(self._templates[name], key=lambda one: one.distance(listed))

    def _recent(self, topic: Topic, spec: Channel, market: Market) -> list[Row]:
        span = Span(0, market.time + 1)
        return list(islice(rows(market, str(spec.returns), topic.params.get("interval"), span, newest_first=True), RECENT))

    def _latest(self, topic: Topic, spec: Channel, market: Market) -> list[Row]:
        if spec.returns == "trade":
            return market.trades
        if spec.returns != "candle":
            return [market.state()]
        interval = topic.params.get("interval", "1m")
        opening, before = opening_of(interval, market.time), topic.opening
        topic.opening = opening
        return [candle(market, interval, time) for time in ([before] if 0 < before < opening else []) + [opening]]

    def _books(self, topic: Topic, templates: list[Template], listed: Listed, market: Market) -> Iterator[Any]:
        spec, _ = self._of(topic, listed)
        bids, asks = _view(topic, spec, market)
        for template in templates:
            numbers: Row = {"sequence": market.number(spec), "timestamp": market.time}
            if template.mapping.checksum is not None:
                wrong = self._faults.take(WrongChecksum) is not None
                numbers["checksum"] = _checksum(template.mapping.checksum, bids, asks, market.time, listed.precision) ^ wrong
            pushed_out = (market.bids, market.asks) if spec.truncate else ({}, {})
            events = [numbers] if template.encoder.levels is None else self._levels(topic, template, numbers, (bids, asks), pushed_out)
            yield from template.filled(topic, events, listed)
            _remember(topic, bids, asks, market.number(spec))

    def _levels(self, topic: Topic, template: Template, numbers: Row, now: tuple[Side, Side], pushed_out: tuple[Side, Side]) -> list[Row]:
        """The events of a book message: the whole book, its changes since the last one, or one event for each change.

        Levels of `pushed_out` are not told to be gone: the client cuts its book.
        """
        numbers |= {"previous_sequence": -1 if template.snapshot else topic.sequence, "first_sequence": topic.sequence + 1}
        if template.snapshot:
            return [{**numbers, "bids": list(now[0].items()), "asks": list(now[1].items())}]
        change = {"bids": _changes(topic.bids, now[0], pushed_out[0]), "asks": _changes(topic.asks, now[1], pushed_out[1])}
        levels = template.encoder.levels
        return [{**numbers, **one} for one in (_singly(change) if levels is not None and levels.single else [change])]


def _words(frames: list[Any], *, opening: bool) -> dict[str, str]:
    """What the first frame of a subscription says of itself, or what the others say, if some say that they are the first."""
    told = [frame for frame in frames if isinstance(frame, dict)]
    keys = {key for frame in told for key, value in frame.items() if value == OPENING}
    others = {key: frame[key] for key in keys for frame in told if frame.get(key) not in (OPENING, None)}
    return {key: OPENING if opening else word for key, word in others.items()}


def _view(topic: Topic, spec: Channel, market: Market) -> tuple[Side, Side]:
    """The book as far down as the topic shows it."""
    default = spec.params["depth"].default if "depth" in spec.params else None
    depth = int(topic.params.get("depth") or spec.depth or default or LEVELS)
    bids, asks = market.top(depth)
    return dict(bids), dict(asks)


def _remember(topic: Topic, bids: Side, asks: Side, number: int) -> None:
    topic.bids, topic.asks, topic.sequence = bids, asks, number


def _checksum(checksum: Checksum, bids: Side, asks: Side, time: int, precision: Precision | None) -> int:
    """What the venue sends: the hook's value, or 0 since the day it sends none."""
    if checksum.until is not None and datetime.fromtimestamp(time / SECOND, UTC).date() >= checksum.until:
        return 0
    best = (list(bids.items())[: checksum.depth], list(asks.items())[: checksum.depth])
    return CHECKSUMS[checksum.hook](*best, precision if checksum.precision is not None else None)


def _changes(before: Side, now: Side, pushed_out: Side) -> list[tuple[Decimal, Decimal]]:
    gone = [(price, Decimal(0)) for price in before if price not in now and price not in pushed_out]
    return gone + [(price, size) for price, size in now.items() if before.get(price) != size]


def _singly(change: Row) -> list[Row]:
    empty: Row = {"bids": [], "asks": []}
    return [{**empty, side: [level]} for side in ("bids", "asks") for level in change[side]]
