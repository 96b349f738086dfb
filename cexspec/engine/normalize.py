"""Raw payloads to unified events, offline: the hot path of the client without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.hole import NO_JSON
from cexspec.compile.plan import OperationPlan
from cexspec.compile.reader import FAILURES
from cexspec.engine.frames import BEGINNING, MAX_FRAME, FrameReader, Part, Read, Reading
from cexspec.engine.markets import Key, Markets
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, DecodeError, Event, Instrument, InvalidSymbol, NotSupported

OK = 200


@dataclass(frozen=True)
class Normalized:
    """What a payload became: its events, or why it has none. `left_out` are records quarantined from a batch.

    Of a frame `parts` are the events by channel, `topic` their subscription where that is known, and `connection` the one that
    read it; of a REST body `operation` is the one.
    """

    events: list[Event] = field(default_factory=list)
    ignored: str | None = None
    error: CexspecError | None = None
    left_out: tuple[DecodeError, ...] = ()
    parts: tuple[Part, ...] = ()
    topic: Topic | None = None
    connection: str | None = None
    operation: str | None = None


class Normalizer:
    """Reads one exchange's payloads in the order they come; state that spans frames (learned numbers, instruments) is kept.

    `exchange` is a shipped id or the path of a spec, `number` `Decimal` or `float`. Raises `SpecError`.
    """

    def __init__(self, exchange: str, *, number: type[Decimal] | type[float] = Decimal) -> None:
        self.exchange = compile_exchange(exchange, number)
        self.markets = Markets(self.exchange, number)
        self._instruments: dict[Key, Instrument] = {}
        self._readers: dict[tuple[str, bool], FrameReader] = {}
        self._known: dict[str, dict[bytes | str, Read]] = {}
        self._unnamed: dict[bytes | str, Read] = {}
        """what reads frames that begin so: of the connection that was named, and where none was"""

    def ws(self, frame: bytes | str, connection: str | None = None) -> list[Event]:
        """The events of a WebSocket frame. Raises `DecodeError`, or the venue's error where the frame is one."""
        try:  # as FrameReader.guessed, without the detour: this is what is measured
            if len(frame) <= MAX_FRAME:
                return (self._unnamed if connection is None else self._known[connection])[frame[BEGINNING]](frame)
        except FAILURES:  # another beginning, too: it is not there
            pass
        return _strictly(self.read_ws(frame, connection))

    def rest(self, endpoint: str, body: bytes | str, params: Mapping[str, Any] | None = None) -> list[Event]:
        """The events of a REST body; `endpoint` is the operation. Raises `DecodeError`, the venue's error, `NotSupported`."""
        return _strictly(self.read_rest(body, endpoint=endpoint, params=params))

    def read_ws(self, frame: bytes | str, connection: str | None = None, url: str | None = None) -> Normalized:
        """What a frame is. Without `connection` or a `url` that tells it, the first connection that knows the frame reads it."""
        reading, name = None, ""
        names, certain = self._connections(connection, url)
        for name in names:
            reading = self._reader(name, certain=certain).read(frame)
            if reading.role not in ("unrouted", "undecodable"):
                break
        if reading is None:
            return Normalized(error=NotSupported(f"{self.exchange.id} has no connection"))
        result = _normalized(self.exchange.id, reading)
        return replace(result, parts=reading.parts, topic=reading.topic, connection=name)

    def read_rest(
        self, body: bytes | str, *, endpoint: str | None = None, path: str | None = None, params: Mapping[str, Any] | None = None
    ) -> Normalized:
        """What a body is; the operation by `endpoint`, else by the HTTP `path` and its shape, else by the one shape that fits."""
        data = body.encode() if isinstance(body, str) else body
        names = [part for name in self._operations(endpoint, path) for part in self.exchange.operation(name).joins or (name,)]
        plans = self._looking_so(names, data) if names else []
        errors = (plans or [self.exchange.operation(names[0])])[0].errors if names else self.exchange.errors
        if (refused := errors.check(OK, data, endpoint or path or "")) is not None:
            return Normalized(error=refused)
        if not names and path is not None and path.startswith("/"):
            return Normalized(ignored=f"no operation of the spec has the path {path}")
        if not names:
            return self._by_shape(data, params or {})
        if not plans and endpoint is None:
            return Normalized(ignored=f"no operation of the spec at {path} has answers of this shape")
        return self._read_as(plans or [self.exchange.operation(name) for name in names], data, params or {})

    def _read_as(self, plans: list[OperationPlan], body: bytes, params: Mapping[str, Any]) -> Normalized:
        """As the first operation that reads rows of it, else one that it doesn't contradict (several may share a path, or be
        joined in one), and then as all those that the very same request serves."""
        reading = sorted((plan for plan in plans if plan.reader is not None), key=_after_instruments)
        if not reading:
            return Normalized(ignored=plans[0].ignored or "values for another operation")
        results: list[tuple[OperationPlan, Normalized]] = []
        for plan in reading:
            results.append((plan, self._read(plan, body, params)))
            if results[-1][1].events and not results[-1][1].left_out:
                break
        chosen, best = min(results, key=lambda one: (one[1].error is not None, not one[1].events, bool(one[1].left_out)))
        self._keep(best)
        if best.error is not None:
            return best
        others = [self._read(other, body, params) for other in reading if other is not chosen and self._asks_as(chosen, other)]
        for other in others:
            self._keep(other)
        return replace(_together([best, *others]), operation=chosen.name)

    def _asks_as(self, one: OperationPlan, other: OperationPlan) -> bool:
        rest = self.exchange.spec.rest
        return rest[one.name].request == rest[other.name].request

    def _looking_so(self, names: list[str], body: bytes) -> list[OperationPlan]:
        """Those of several operations whose answers may look like a body. What one says of that holds for all its request serves."""
        plans = [self.exchange.operation(name) for name in names]
        if len(plans) == 1:
            return plans
        try:
            document = msgspec.json.decode(body)
        except NO_JSON:
            return plans

        def fits(plan: OperationPlan) -> bool:
            shapes = [other.shape for other in plans if other.shape is not None and self._asks_as(plan, other)]
            return not shapes or any(shape(document) for shape in shapes)

        return [plan for plan in plans if fits(plan)]

    def _by_shape(self, body: bytes, params: Mapping[str, Any]) -> Normalized:
        """As the only operation whose shape it has."""
        plans = [plan for plan in self._looking_so(list(self.exchange.operation_names), body) if plan.reader is not None]
        fits = [(plan, result) for plan in plans if (result := self._read(plan, body, params)).events and not result.left_out]
        models = {type(result.events[0]) for _, result in fits}
        if len(models) == 1:
            self._keep(fits[0][1])
            return fits[0][1]
        names = ", ".join(plan.name for plan, _ in fits) or "none"
        reason = f"nothing names its operation, and its shape fits {names}"
        return Normalized(error=DecodeError(reason, exchange=self.exchange.id))

    def _read(self, plan: OperationPlan, body: bytes, params: Mapping[str, Any]) -> Normalized:
        assert plan.reader is not None
        request = self._request(params)
        context = _Answer(self.markets, request)
        try:
            events = plan.reader.read(body, context)
        except DecodeError as error:
            return Normalized(error=error)
        return Normalized(events, None if events else "no rows", None, tuple(context.left_out), operation=plan.name)

    def _keep(self, result: Normalized) -> None:
        """Learn the instruments that were read."""
        instruments = [event for event in result.events if isinstance(event, Instrument)]
        if instruments:
            self._instruments |= {self.markets.key(instrument): instrument for instrument in instruments}
            self.markets.load(self._instruments.values())

    def _request(self, params: Mapping[str, Any]) -> dict[str, Any]:
        request = dict(params)
        if (symbol := params.get("symbol")) is not None:
            try:
                request |= self.markets.params(str(symbol))
            except InvalidSymbol:
                request["id"] = str(symbol)
        return request

    def _operations(self, endpoint: str | None, path: str | None) -> list[str]:
        if endpoint is not None:
            return [endpoint]
        if path is None:
            return []
        target = _split(path).path
        return [name for name in self.exchange.operation_names if self.exchange.operation(name).path_params(target) is not None]

    def _connections(self, connection: str | None, url: str | None) -> tuple[Iterable[str], bool]:
        """The connections that a frame may be of, and whether that is certain."""
        if connection is not None:
            return [connection], True
        if url is not None:
            hosts = [pair for environment in self.exchange.environments.values() for pair in environment.ws.items()]
            found = [name for name, known in hosts if _same(url, known)]
            if found:
                return dict.fromkeys(found), True
        return self.exchange.connection_names, False

    def _reader(self, name: str, *, certain: bool) -> FrameReader:
        if (name, certain) not in self._readers:
            connection = self.exchange.connection(name)
            channels = {channel: self.exchange.channel(channel) for channel in self.exchange.channel_names}
            known = self._known.setdefault(name, {}) if certain else self._unnamed
            self._readers[name, certain] = FrameReader(self.exchange.id, connection, channels, self.markets, certain=certain, known=known)
        return self._readers[name, certain]


class _Answer:
    """The `Context` of one REST body."""

    def __init__(self, markets: Markets, request: Mapping[str, Any]) -> None:
        self.received: int | None = None
        self.category: str | None = request.get("category")
        self.market, self.within, self.request = markets.within(self.category), markets.within, request
        self.left_out: list[DecodeError] = []
        self.quarantine = self.left_out.append

    def state(self, name: str) -> dict[str, Any]:
        """See `Context.state`: nothing comes after a body."""
        return {}


def _after_instruments(plan: OperationPlan) -> bool:
    """Instruments come first: they name what stands beside them."""
    return plan.reader is None or plan.reader.model is not Instrument


def _together(results: list[Normalized]) -> Normalized:
    """One body read for several operations: what they make of it, in their order; what one can't read doesn't harm the others."""
    events = [event for result in results for event in result.events]
    left_out = tuple(error for result in results for error in result.left_out)
    return Normalized(events, results[0].ignored if not events else None, None, left_out)


def _strictly(result: Normalized) -> list[Event]:
    if result.error is not None:
        raise result.error
    return result.events


def _normalized(exchange: str, reading: Reading) -> Normalized:
    if reading.role == "data":
        events = reading.events
        if not events and reading.errors:
            return Normalized(error=reading.errors[0])
        return Normalized(events, None if events else "no rows", None, reading.errors)
    if reading.role == "undecodable":
        return Normalized(error=reading.errors[0])
    if reading.role == "unrouted":
        return Normalized(error=DecodeError(f"unrouted: {reading.reason}", exchange=exchange))
    if reading.answer is not None and reading.answer.error is not None:
        return Normalized(error=reading.answer.error)
    what = reading.role if reading.reason in (None, reading.role) else f"{reading.role}: {reading.reason}"
    return Normalized(ignored=what)


def _same(url: str, known: str) -> bool:
    """One endpoint, whatever the query, the port written or not, and the slash at the end."""
    a, b = _split(url), _split(known)
    return a.hostname == b.hostname and a.path.rstrip("/") == b.path.rstrip("/")


def _split(url: str) -> SplitResult:
    """The parts of a URL; none of a text that is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
