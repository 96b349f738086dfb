"""What a topic sends: sample frames of its channels, filled from the simulated market."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from cexspec.compile.categories import named
from cexspec.compile.conditions import predicate, split
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, parse
from cexspec.compile.plan import ChannelPlan
from cexspec.hooks import CHECKSUMS, Precision
from cexspec.mock.document import get, put
from cexspec.mock.encode import Encoder
from cexspec.mock.faults import Faults, WrongChecksum
from cexspec.mock.history import Span, candle, opening_of, rows
from cexspec.mock.kept import keeps
from cexspec.mock.listing import Listed
from cexspec.mock.market import LEVELS, SECOND, Market, Row, Side
from cexspec.mock.samples import Frame, Samples
from cexspec.mock.shaping import shaped
from cexspec.models.symbol import Symbol
from cexspec.spec.model import Channel, Checksum

RECENT = 5
"""Rows of a list that a topic begins with."""


OPENING = "snapshot"
"""How venues call the first frame of a subscription."""


@dataclass
class Topic:
    """A subscription: its channels and their model, what it asked for, the learned values, and what was last sent of book and candle."""

    topic: Any
    channels: list[ChannelPlan]
    model: str
    params: dict[str, str]
    learned: dict[str, int] = field(default_factory=dict)
    bids: Side = field(default_factory=dict)
    asks: Side = field(default_factory=dict)
    sequence: int = -1
    opening: int = 0
    usual: str | None = None
    """the symbol of the instrument that moves for it: where it tells of many, the one that its samples are about"""

    def about(self, listed: Listed) -> bool:
        """Whether the topic tells of an instrument."""
        kinds, own = self.channels[0].kinds, listed.params
        return all(own.get(key, value) == value for key, value in self.params.items()) and (kinds is None or listed.symbol.kind in kinds)


@dataclass(frozen=True)
class Template:
    """A sample frame to be filled, of an instrument `symbol`; a bare one lacks the connection's wrapping.

    `many`: one frame holds all events; `past`: it lists what the channel else has singly.
    """

    encoder: Encoder
    symbol: Symbol | None
    bare: bool
    snapshot: bool | None
    checksum: Checksum | None
    many: bool
    past: bool
    events: Sequence[Mapping[str, Any]] = ()
    """what its items become, where it is known of each"""


class Feed:
    """The data of one connection's channels. Samples are read once."""

    def __init__(self, exchange: Exchange, connection: str, samples: Samples, faults: Faults) -> None:
        assert exchange.spec.ws is not None
        self._exchange, self._faults = exchange, faults
        line = named(exchange.categories, exchange.connection(connection).category)
        self._line = {"category": line.word} if line is not None else {}
        """the product line of every topic here"""
        self._payload = parse(exchange.spec.ws.connections[connection].payload or "$").steps
        self._every = tuple(exchange.spec.ws.channels.values())
        self._channels = {name: spec for name, spec in exchange.spec.ws.channels.items() if connection in spec.connections.values()}
        self._templates = {
            name: [self._template(name, frame) for frame in samples.frames(exchange, name, connection)] for name in self._channels
        }

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

    def told(self, topic: Topic, channel: str, rows: list[Row], listed: Listed, order: Row | None = None) -> Iterator[Any]:
        """Frames of a private channel. `order`: the one that fills are of, as it is: frames that tell of both tell of it, too."""
        templates = sorted(self._templates[channel], key=lambda one: _fit(one, listed))
        for template in templates[:1]:
            spec = self._channels[channel]
            if order is not None:
                template = self._of_order(topic, template, spec, order, listed)
            items = template.encoder.samples
            told = [_of_line(spec, shaped(row, spec.fields or {}, template.events, items), listed) for row in rows]
            yield from _filled(topic, template, told, listed)

    def _of_order(self, topic: Topic, template: Template, spec: Channel, order: Row, listed: Listed) -> Template:
        """The template with an order in it, where channels of orders read the same frames."""
        document = template.encoder.sample
        found = get(document, self._payload)
        for other in (self._channels[plan.name] for plan in topic.channels):
            if other.returns == "order" and predicate(split(other.match)[0])(document if found is MISSING else found):
                encoder = Encoder([other], document, self._exchange.intervals, self._payload)
                filled = replace(template, encoder=encoder)
                row = _of_line(other, shaped(order, other.fields or {}, (), encoder.samples), listed)
                (document,) = _filled(topic, filled, [row], listed)
        return replace(template, encoder=Encoder([spec], document, self._exchange.intervals, self._payload))

    def telling(self, topic: Topic, model: str, row: Row) -> str | None:
        """The first channel of a topic that tells of such an event."""
        beside = [channel for channel in self._every if channel.returns == model]
        fitting = (plan.name for plan in topic.channels if self._channels[plan.name].returns == model)
        return next((name for name in fitting if keeps(self._channels[name], beside, row)), None)

    def first(self, topic: Topic, listed: Listed, market: Market) -> Iterator[Any]:
        """The frames a subscription begins with: whole books, lists of what was, how things stand."""
        spec, templates = self._of(topic, listed)
        past = [template for template in templates if template.past]
        if spec.returns == "book":
            whole = [template for template in templates if template.snapshot]
            yield from self._books(topic, whole[:1], listed, market)
            _remember(topic, *_view(topic, spec, market), market.number(spec))
        elif past:
            yield from _filled(topic, past[0], self._recent(topic, spec, market), listed)
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
            for frame in _filled(topic, template, self._latest(topic, spec, market), listed):
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
        return Template(encoder, frame.symbol, bare, frame.snapshot, mapping.checksum, many, many and spec.items is None, events)

    def _of(self, topic: Topic, listed: Listed) -> tuple[Channel, list[Template]]:
        """The channel and its templates: wrapped ones first, and among them those of the instrument's own kind."""
        name = topic.channels[0].name
        return self._channels[name], sorted(self._templates[name], key=lambda one: _fit(one, listed))

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
            if template.checksum is not None:
                wrong = self._faults.take(WrongChecksum) is not None
                numbers["checksum"] = _checksum(template.checksum, bids, asks, market.time, listed.precision) ^ wrong
            pushed_out = (market.bids, market.asks) if spec.truncate else ({}, {})
            events = [numbers] if template.encoder.levels is None else self._levels(topic, template, numbers, (bids, asks), pushed_out)
            yield from _filled(topic, template, events, listed)
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


def _of_line(spec: Channel, row: Row, listed: Listed) -> Row:
    """A row whose item names the product line of its instrument, where items do."""
    if spec.category is None or spec.category.of != "item":
        return row
    return {**row, "like": put(row["like"], parse(spec.category.path).steps, listed.params.get("category"))}


def _filled(topic: Topic, template: Template, events: list[Row], listed: Listed) -> Iterator[Any]:
    named = [{"interval": topic.params.get("interval"), "symbol": topic.params.get("symbol", listed.id), **event} for event in events]
    for part in [named] if template.many else [[one] for one in named]:
        if part:
            yield template.encoder.encode(part, listed.branches)


def _fit(template: Template, listed: Listed) -> tuple[bool, bool]:
    """How far a template is from an instrument's frames: whether it is bare, and about one of another kind."""
    return template.bare, template.symbol is None or template.symbol.kind != listed.symbol.kind


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
