"""REST answers of the mock venue: the sample of the operation, filled from the simulated market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from cexspec.compile.convert import NANOSECONDS
from cexspec.compile.exchange import Exchange
from cexspec.compile.paths import parse
from cexspec.mock.bodies import Refused
from cexspec.mock.document import get, like, put
from cexspec.mock.encode import Encoder
from cexspec.mock.history import FEED, Span, rows
from cexspec.mock.listing import INSTRUMENTS, Listed, Listing, Model, Models, renamed, symbol_of
from cexspec.mock.market import ID_TIME, MILLISECOND, Market, Row
from cexspec.mock.requests import Asked, time_of_cursor
from cexspec.mock.samples import Case, Samples, decode, funding_hours
from cexspec.mock.shares import Shares
from cexspec.spec.model import Operation

ROWS = 100
"""Rows of an answer where neither the request nor the spec says how many."""
MOST = 1000
DEPTH = 100

MarketOf = Callable[[str], Market]


class Answers:
    """Answers requests that were understood. `clock` is the venue's, in nanoseconds."""

    def __init__(self, exchange: Exchange, samples: Samples, listing: Listing, market: MarketOf, clock: Callable[[], int]) -> None:
        self._exchange, self._samples, self._listing = exchange, samples, listing
        self._market, self._clock = market, clock
        self._shares = Shares(exchange, samples, self._row_of)
        self._models: dict[tuple[str, ...], Models] = {}
        books = [channel.depth or 0 for channel in (exchange.spec.ws.channels if exchange.spec.ws is not None else {}).values()]
        self._depth = min(DEPTH, max(books, default=0) or DEPTH)
        """Levels of a book where the request can't say how many: no more than streams have."""

    def answer(self, asked: Asked) -> Any:
        """The decoded body. Raises `Refused` where no sample shows how it looks."""
        name, one = asked.operations[0], self._listing.named(asked.params)
        kind = one.symbol.kind if one is not None else None
        spec, case = self._exchange.spec.rest[name], self._samples.answer(name, asked.params, kind)
        if case is None:
            raise Refused(f"there is no sample answer of {name}", "ExchangeUnavailable")
        sample = decode(case["raw"])
        if spec.returns in (None, "values"):
            return sample
        encoder = Encoder([self._exchange.spec.rest[one] for one in asked.operations], sample, self._exchange.intervals)
        if spec.returns == "server_time":
            return encoder.encode([{"timestamp": self._clock() // MILLISECOND * MILLISECOND}])
        if spec.returns == "instrument":
            listed = self._wanted(name, case, asked.params)
            return _ended(spec, _within(spec, listed, asked, encoder.encode(self._instruments(asked, listed))))
        listed = [one] if one is not None else self._wanted(name, case, asked.params)
        if len(listed) > 1 and _is_history(spec):
            found = self._of_many(listed, self._history(spec, case, asked, self._market(str(listed[0].symbol))))
        else:
            models = self._models_of(*asked.operations)
            found = [
                {"symbol": each.id, "key": each.key, "like": _alike(models.nearest(each.symbol), encoder, each, asked.params), **row}
                for each in listed
                for row in self._rows(spec, case, asked, self._market(str(each.symbol)))
            ]
        return _within(spec, listed, asked, _continued(spec, asked, found, encoder.encode(found, listed[0].branches if listed else ())))

    def refusal(self, operation: str, error: str, reason: str) -> tuple[int, str]:
        """Status and body for a refused request, in the venue's words as far as its samples have them."""
        found = self._samples.failure(operation, error) or self._samples.failure(operation, "ExchangeError")
        return found or (400, reason)

    def _instruments(self, asked: Asked, listed: list[Listed]) -> list[Row]:
        """What is listed; and what no longer is, as the samples of operations show it that this answer serves too."""
        first, *others = (self._models_of(name) for name in asked.operations)
        wanted = ((one, first.nearest(one.symbol)) for one in listed)
        rows = [{**one.row, **_modelled(model, one)} for one, model in wanted if model is not None]
        retired = (model for other in others for model in other.retired)
        return [*rows, *({"like": model.item, "key": model.key} for model in retired)]

    def _wanted(self, operation: str, case: Case, params: Mapping[str, Any]) -> list[Listed]:
        """The instruments an answer about many is about: those that the request is for, else those of the sample's kinds."""
        words = {one.params.get("category") for one in self._listing} & set(params.values())
        kinds = {found.kind for event in case.get("events") or () if (found := symbol_of(str(event["symbol"]))) is not None}
        fits = [one for one in self._listing if (one.params.get("category") in words if words else not kinds or one.symbol.kind in kinds)]
        return [one for one in fits if self._shares.tells(operation, one, params)]

    def _row_of(self, one: Listed) -> Mapping[str, Any]:
        model = self._models_of(INSTRUMENTS).nearest(one.symbol)
        row = renamed(model.item, model.symbol, one.symbol) if model is not None else None
        return row if isinstance(row, Mapping) else {}

    def _of_many(self, listed: Sequence[Listed], found: Iterable[Row]) -> list[Row]:
        """A history that is of all instruments: each in turn."""
        turns = ((listed[row["timestamp"] // FEED % len(listed)], row) for row in found)
        return [{**row, "symbol": one.id, "price": self._market(str(one.symbol)).price} for one, row in turns]

    def _rows(self, spec: Operation, case: Case, asked: Asked, market: Market) -> Iterable[Row]:
        if spec.returns == "book":
            bids, asks = market.top(asked.params.get("depth") or _default(spec, "depth", self._depth))
            return [{"bids": bids, "asks": asks, "sequence": market.number(spec), "previous_sequence": -1, "timestamp": market.time}]
        return self._history(spec, case, asked, market) if _is_history(spec) else [market.state(funding_hours(case))]

    def _history(self, spec: Operation, case: Case, asked: Asked, market: Market) -> list[Row]:
        limit = min(asked.params.get("limit") or _default(spec, "limit", ROWS), MOST)
        cursor = _cursor(spec, asked.cursor)
        span = _span(spec, asked.params.get("start"), asked.params.get("end"), cursor, market.time)
        oldest_first = _forward(spec) and (cursor is not None or "start" in asked.params)
        interval = asked.params.get("interval") or _word(spec, "interval")
        found = rows(market, str(spec.returns), interval, span, newest_first=not oldest_first, hours=funding_hours(case))
        chosen = list(islice((row for row in found if _reached(spec, asked.cursor, row)), limit))
        return chosen if oldest_first == _ascending(spec, case) else chosen[::-1]

    def _models_of(self, *operations: str) -> Models:
        """Read once."""
        if operations not in self._models:
            self._models[operations] = Models(self._exchange, self._samples, *operations)
        return self._models[operations]


def _continued(spec: Operation, asked: Asked, found: Sequence[Row], document: Any) -> Any:
    """The answer with the time it ends at, where that is what continues it."""
    unit = time_of_cursor(spec)
    if unit is None or spec.page is None or spec.page.cursor is None:
        return document
    end = max((row["timestamp"] for row in found), default=asked.params.get("start", 0))
    steps = parse(spec.page.cursor).steps
    return put(document, steps, like(get(document, steps), end // NANOSECONDS[unit]))


def _ended(spec: Operation, document: Any) -> Any:
    """The answer with no cursor: there is no more."""
    if spec.page is None or spec.page.cursor is None or time_of_cursor(spec) is not None:
        return document
    steps = parse(spec.page.cursor).steps
    return put(document, steps, "") if isinstance(get(document, steps), str) else document


def _within(spec: Operation, listed: Sequence[Listed], asked: Asked, document: Any) -> Any:
    """The answer with the word for the product line of its instruments, where it names one."""
    word = listed[0].params.get("category") if listed else asked.params.get("category")
    return document if spec.category is None or word is None else put(document, parse(spec.category.path).steps, word)


def _is_history(spec: Operation) -> bool:
    """Whether it answers with what was, not with how things stand."""
    limited = spec.page is not None or any("limit" in template for template in spec.query.values())
    return spec.returns in ("trade", "candle", "liquidation") or (spec.returns in ("funding_rate", "open_interest") and limited)


def _span(spec: Operation, start: int | None, end: int | None, cursor: int | None, now: int) -> Span:
    """The times asked for. A cursor stands for the start or the end, and counts itself where the spec says so."""
    forward = _forward(spec)
    if cursor is not None:
        start, end = (cursor, end) if forward else (start, cursor)
    own = spec.page is None or spec.page.inclusive or spec.page.by == "id"
    first = 0 if start is None else start if own or not forward else start + 1
    beyond = now + 1 if end is None else end + 1 if own or forward else end
    return Span(first, beyond)


def _reached(spec: Operation, cursor: str | None, row: Row) -> bool:
    """Whether a row is on the far side of a cursor that is an id."""
    if cursor is None or spec.page is None or spec.page.by != "id":
        return True
    number, mark = int(row["id"]), int(cursor)
    return (number == mark and spec.page.inclusive) or (number > mark if _forward(spec) else number < mark)


def _forward(spec: Operation) -> bool:
    return spec.page is not None and spec.page.direction == "forward"


def _cursor(spec: Operation, text: str | None) -> int | None:
    """The time a cursor stands for."""
    if text is None or spec.page is None:
        return None
    if not text.isdigit():
        raise Refused(f"'{spec.page.param}={text}' is no cursor")
    time = int(text) * (NANOSECONDS[spec.page.unit] if spec.page.unit else ID_TIME)
    return time // MILLISECOND * MILLISECOND


def _default(spec: Operation, name: str, otherwise: int) -> int:
    text = _word(spec, name)
    return int(text) if text is not None else otherwise


def _word(spec: Operation, name: str) -> str | None:
    return spec.params[name].default if name in spec.params else None


def _ascending(spec: Operation, case: Case) -> bool:
    """Whether the sample's own rows run upwards."""
    times = [event.get("timestamp", 0) for event in case.get("events") or ()]
    if len(times) > 1 and times[0] != times[-1]:
        return bool(times[0] < times[-1])
    return _forward(spec)


def _modelled(model: Model, listed: Listed) -> Row:
    """The row of the samples to fill for an instrument, and what that says of it already."""
    if model.symbol == listed.symbol:
        return {"like": model.item, "known": model.event}
    return {"like": renamed(model.item, model.symbol, listed.symbol)}


def _alike(nearest: Model | None, encoder: Encoder, listed: Listed, params: Mapping[str, Any]) -> Any:
    """The row to fill for an instrument: the sample's nearest to it, with what the request says by the same names."""
    item = renamed(nearest.item, nearest.symbol, listed.symbol) if nearest is not None else next(iter(encoder.samples), None)
    if not isinstance(item, Mapping):
        return item
    return {**item, **{key: value for key, value in params.items() if key in item and key not in listed.params}}
