"""What private channels tell: where one message tells of an order and of its fill, both are written into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cexspec.compile.conditions import predicate, split
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import MISSING, Steps
from cexspec.mock.blanks import nearest
from cexspec.mock.document import get
from cexspec.mock.encode import Encoder
from cexspec.mock.kept import keeps
from cexspec.mock.listing import Listed
from cexspec.mock.market import Row
from cexspec.mock.shaping import shaped
from cexspec.mock.templates import Template, Topic, of_line
from cexspec.mock.words import PARTLY
from cexspec.spec.model import Channel


@dataclass(frozen=True)
class News:
    """What happened to an account. `beside`: the order as a fill leaves it, or the fill by which an order came to be so."""

    model: str
    row: Row
    beside: Row | None = None


@dataclass(frozen=True)
class Sample:
    """An item of a sample: what it becomes, the frame it is sent in, and whether it tells of a fill, too."""

    event: Mapping[str, Any]
    item: Any
    frame: Template
    filled: bool


def news(told: Iterable[tuple[str, Row]]) -> Iterator[News]:
    """Models and events, in order; the matching engine tells of a fill and then, at once, of its order."""
    told = list(told)
    for at, (model, row) in enumerate(told):
        other, beside = {"fill": ("order", told[at + 1 : at + 2]), "order": ("fill", told[:at][-1:])}.get(model, ("", []))
        same = (one for name, one in beside if name == other and one["order_id"] == row["order_id"])
        yield News(model, row, next(same, None))


class Reports:
    """The private channels of one connection. `payload` leads from frames to their messages."""

    def __init__(
        self, exchange: Exchange, channels: Mapping[str, Channel], templates: Mapping[str, Sequence[Template]], payload: Steps
    ) -> None:
        assert exchange.spec.ws is not None
        self._exchange, self._channels, self._templates, self._payload = exchange, channels, templates, payload
        self._every = tuple(exchange.spec.ws.channels.values())

    def frames(self, topic: Topic, told: News, listed: Listed) -> Iterator[Any]:
        """The frames of a topic that tell of this; none where it doesn't, or does with what happened beside it.

        Where orders share their messages with fills, the samples have to show one with a fill and one without: an order is never
        told with the fill of a sample.
        """
        name = self._telling(topic, told.model, told.row)
        if name is None:
            return
        beside = self._beside(topic, name, told)
        if beside is None:
            yield from self.written(topic, name, [told.row], listed)
        elif told.model == "fill":
            yield from self._both(topic, beside, name, told, listed)
        else:
            yield from self._alone(topic, name, beside, told, listed)

    def written(self, topic: Topic, name: str, rows: list[Row], listed: Listed) -> Iterator[Any]:
        """Frames of a channel that tell of events, each in the form of the sample most like it."""
        for row in rows:
            yield from self._in_form_of(self._samples(name, None, listed), topic, name, row, listed)

    def _telling(self, topic: Topic, model: str, row: Row) -> str | None:
        """The first channel of a topic that tells of such an event."""
        beside = [channel for channel in self._every if channel.returns == model]
        fitting = (plan.name for plan in topic.channels if self._channels[plan.name].returns == model)
        return next((name for name in fitting if keeps(self._channels[name], beside, row)), None)

    def _beside(self, topic: Topic, name: str, told: News) -> str | None:
        """The channel that reads the same messages: fills beside orders, orders beside fills."""
        other = {"fill": "order", "order": "fill"}.get(told.model)
        beside = self._telling(topic, other, told.beside or told.row) if other is not None else None
        if beside is None:
            return None
        spec, orders = (self._channels[one] for one in ((beside, name) if told.model == "order" else (name, beside)))
        fits, frames = predicate(split(spec.match)[0]), self._templates[beside if told.model == "fill" else name]
        same_place = (spec.items, spec.item) == (orders.items, orders.item)
        return beside if same_place and any(fits(self._message(frame.encoder.sample)) for frame in frames) else None

    def _both(self, topic: Topic, orders: str, fills: str, told: News, listed: Listed) -> Iterator[Any]:
        """The frame of a fill and of its order. An end that samples show without a fill only is told by itself, after it."""
        found = self._samples(orders, fills, listed)
        order, spec = told.beside or told.row, self._channels[fills]
        if self._ends_apart(order, found):
            order = {**order, "status": PARTLY}
        for frame in self._in_form_of([one for one in found if one.filled], topic, orders, order, listed):
            encoder = Encoder([spec], frame, self._exchange.intervals, self._payload)
            row = _row(spec, told.row, (), encoder.samples, listed)
            yield from self._template(orders, encoder).filled(topic, [row], listed)

    def _alone(self, topic: Topic, orders: str, fills: str, told: News, listed: Listed) -> Iterator[Any]:
        """The frame of an order without a fill, unless it was told with one."""
        found = self._samples(orders, fills, listed)
        if told.beside is None or self._ends_apart(told.row, found):
            yield from self._in_form_of([one for one in found if not one.filled], topic, orders, told.row, listed)

    def _ends_apart(self, order: Row, found: list[Sample]) -> bool:
        with_fill, without = ({one.event.get("status") for one in found if one.filled is filled} for filled in (True, False))
        return order["status"] in without - with_fill and PARTLY in with_fill

    def _in_form_of(self, found: list[Sample], topic: Topic, name: str, row: Row, listed: Listed) -> Iterator[Any]:
        spec = self._channels[name]
        one = nearest(row, [sample.event for sample in found], found)
        if one is not None:
            yield from one.frame.filled(topic, [_row(spec, row, (one.event,), (one.item,), listed)], listed)

    def _samples(self, name: str, fills: str | None, listed: Listed) -> list[Sample]:
        """The items of a channel's samples, of an instrument's own kind where there are some; frames that begin anew only lend theirs."""
        every = sorted(self._templates[name], key=lambda one: one.distance(listed))
        own = [one for one in every if one.mapping is every[0].mapping and one.distance(listed) == every[0].distance(listed)]
        only = self._channels[fills].only if fills is not None else None
        is_filled = predicate(only) if only else (lambda item: fills is not None)
        changes = [one for one in own if not one.whole] if self._channels[name].merge is not None else []
        return [
            Sample(event, item, (changes or [one])[0] if one.whole else one, is_filled(item))
            for one in own
            for event, item in zip(one.events or [{}] * len(one.encoder.samples), one.encoder.samples, strict=True)
        ]

    def _template(self, name: str, encoder: Encoder) -> Template:
        return replace(self._templates[name][0], encoder=encoder)

    def _message(self, frame: Any) -> Any:
        found = get(frame, self._payload)
        return frame if found is MISSING else found


def _row(spec: Channel, row: Row, known: Sequence[Mapping[str, Any]], items: Sequence[Any], listed: Listed) -> Row:
    """A row with the item it is written into; where items are partial updates, that may tell what its sample leaves out."""
    own = of_line(spec, shaped(row, spec.fields or {}, known, items), listed)
    return {**own, "entire": True} if spec.merge is not None else own
