"""Runs the REST operations of a plan: parameters in, unified events out."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan, Params
from cexspec.engine.cursor import ascending, own_id
from cexspec.engine.markets import Markets
from cexspec.engine.paging import collect
from cexspec.engine.sender import Retry, Sender
from cexspec.engine.signing import Signer
from cexspec.engine.span import span_of
from cexspec.models import (
    Balance,
    Book,
    Candle,
    DecodeError,
    Event,
    Fill,
    FundingRate,
    Instrument,
    InvalidRequest,
    Liquidation,
    Market,
    NotSupported,
    OpenInterest,
    Order,
    Position,
    TimestampError,
    Trade,
)
from cexspec.models.measures import Measure
from cexspec.transport.clock import Clock, within
from cexspec.transport.http import HttpTransport
from cexspec.transport.limiter import Draw, Limiter, Priority

T = TypeVar("T")
OF_INSTRUMENT = ("id", "symbol", "base", "quote", "category")
HISTORY = (Trade, Candle, FundingRate, OpenInterest, Liquidation)
"""Models whose rows are returned oldest first."""
INSTRUMENTS, SERVER_TIME = "instruments", "server_time"
SAMPLES = 100


class Quarantine:
    """Records that were left out of a batch because they don't fit the spec: how many, and the latest."""

    def __init__(self) -> None:
        self.count = 0
        self.samples: deque[DecodeError] = deque(maxlen=SAMPLES)

    def add(self, error: DecodeError) -> None:
        """Count one."""
        self.count += 1
        self.samples.append(error)


@dataclass(slots=True)
class Reading:
    """The `Context` of one answer."""

    received: int | None
    request: Params | None
    markets: Markets
    errors: list[DecodeError] = field(default_factory=list)
    unsized: bool = False
    """a derivative was met whose contract size is not known"""

    @property
    def category(self) -> str | None:
        """See `Context.category`."""
        return self.request.get("category") if self.request is not None else None

    def market(self, native_id: str) -> Market:
        """See `Context.market`."""
        return self._noted(self.markets.within(self.category)(native_id))

    def within(self, category: str) -> Callable[[str], Market]:
        """See `Context.within`."""
        find = self.markets.within(category)
        return lambda native_id: self._noted(find(native_id))

    def _noted(self, market: Market) -> Market:
        if market.contract_size is None and market.kind not in (None, "spot"):
            self.unsized = True
        return market

    def quarantine(self, error: DecodeError) -> None:
        """See `Context.quarantine`."""
        self.errors.append(error)

    def state(self, name: str) -> dict[str, Any]:
        """See `Context.state`: nothing comes after an answer."""
        return {}


class RestStats(Struct, frozen=True, kw_only=True):
    """REST calls since the client was made."""

    calls: Annotated[Mapping[str, int], Measure("counter", "Calls of operations: `ok`, `cancelled`, or the error's class", by="outcome")]
    requests: Annotated[int, Measure("counter", "HTTP requests sent, retries included")]
    retries: Annotated[int, Measure("counter", "HTTP requests sent because the one before failed")]
    quarantined: Annotated[int, Measure("counter", "Records of answers that don't fit the spec and were left out")]


class _Manner(NamedTuple):
    """How the requests of a call are made: seconds for each, and who goes first."""

    timeout: float | None
    priority: int


class RestEngine:
    """Calls operations by name. `quarantine` counts the records that were left out of answers."""

    def __init__(
        self,
        plan: ExchangePlan,
        environment: EnvironmentPlan,
        transport: HttpTransport,
        clock: Clock,
        limiter: Limiter,
        markets: Markets,
        *,
        retry: Retry | None = None,
        random: Random | None = None,
        timeout: float = 10.0,
        signer: Signer | None = None,
    ) -> None:
        self.plan, self.markets, self.clock, self.signer = plan, markets, clock, signer
        self.quarantine = Quarantine()
        self._outcomes: Counter[str] = Counter()
        self._random, self._loading, self._setting_clock = random or Random(), asyncio.Lock(), asyncio.Lock()
        self._sender = Sender(
            plan, environment, transport, clock, limiter, retry=retry or Retry(), random=self._random, timeout=timeout, signer=signer
        )

    async def call(
        self,
        name: str,
        params: Params | None = None,
        *,
        timeout: float | None = None,
        priority: int = Priority.MARKET_DATA,
    ) -> list[Event]:
        """The events of an operation's answers, all its pages and parameter sets joined.

        `params` are unified (see `Params`); rows are cut to `start`, `end` and `limit`, books to `depth`. `timeout`
        bounds the whole call, in seconds; `priority` says who goes first where calls wait for a budget. Raises
        `NotSupported`, `InvalidRequest`, the venue's `ExchangeError`, `TransportError`, `DecodeError`.
        """
        operation = self.plan.operation(name)
        given = self._filled(params or {})
        outcome = "cancelled"
        try:
            self._check_kind(operation, given)
            work = self._timely(operation, given, _Manner(timeout, priority))
            rows = await within(self.clock, timeout, work, f"{self.plan.id} {name}")
            outcome = "ok"
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self._outcomes[outcome] += 1
        return rows

    async def body(self, name: str, params: Params) -> bytes:
        """The body of an operation's good answer, in front of everything that waits: what a connection needs before it opens."""
        operation = self.plan.operation(name)
        given = self._filled(params)
        return await self._sender.send(operation, self._build(operation, given), given, priority=Priority.SNAPSHOT)

    @property
    def stats(self) -> RestStats:
        """What has been called so far."""
        return RestStats(
            calls=dict(self._outcomes), requests=self._sender.requests, retries=self._sender.retries, quarantined=self.quarantine.count
        )

    def draws(self, name: str, params: Params) -> list[Draw]:
        """The windows of budgets that a call of an operation draws on, as they are now."""
        return self._sender.draws(self.plan.operation(name), params)

    def shares(self, operation: OperationPlan, params: Params) -> dict[Hashable, float]:
        """Budget -> the seconds for which one call of an operation uses all of it (see `Limiter.shares`)."""
        calls = max(1, len(operation.each))
        return {budget: seconds * calls for budget, seconds in self._sender.shares(operation, params).items()}

    async def ensure_instruments(self) -> None:
        """Load the instruments, once, however many ask at the same time; nothing where the spec has no such operation."""
        async with self._loading:
            if not self.markets.loaded and INSTRUMENTS in self.plan.operation_names:
                rows = await self.call(INSTRUMENTS, priority=Priority.SNAPSHOT)
                self.markets.load(row for row in rows if isinstance(row, Instrument))

    async def measure_clock(self, *, again: bool = False) -> None:
        """Ask the venue for its time, once, so that what is signed has it; nothing where the spec has no such operation."""
        signer = self.signer
        if signer is None or SERVER_TIME not in self.plan.operation_names:
            return
        before = signer.offset
        async with self._setting_clock:
            if signer.offset is not None and not (again and signer.offset == before):
                return
            asked = self.clock.time_ns()
            rows = await self.call(SERVER_TIME, priority=Priority.ORDER)
            if rows and rows[0].timestamp is not None:
                signer.measured(rows[0].timestamp, asked, self.clock.time_ns())

    async def _timely(self, operation: OperationPlan, given: Params, manner: _Manner) -> list[Event]:
        """The rows; what is private goes by the venue's clock, measured anew where the venue says that it is off."""
        if not self._is_private(operation):
            return await self._joined(operation, given, manner)
        await self.measure_clock()
        try:
            return await self._joined(operation, given, manner)
        except TimestampError:
            await self.measure_clock(again=True)
            if not operation.idempotent:
                raise
        return await self._joined(operation, given, manner)

    def _is_private(self, operation: OperationPlan) -> bool:
        return operation.auth is not None or any(self.plan.operation(name).auth is not None for name in operation.joins)

    async def _joined(self, operation: OperationPlan, given: Params, manner: _Manner) -> list[Event]:
        calls = [(part, each) for part in self._parts(operation, given) for each in await self._sets(part, given, manner)]
        if len(calls) == 1:
            return await self._rows(*calls[0], manner)
        answers = await _together([self._rows(part, each, manner) for part, each in calls])
        return span_of(given).cut(_in_order(calls[0][0], _distinct(row for rows in answers for row in rows)))

    def _parts(self, operation: OperationPlan, given: Params) -> list[OperationPlan]:
        """The operations to call: itself, or those it joins that are for the market's kind."""
        if not operation.joins:
            return [operation]
        kind = self.markets.market(str(given["id"])).kind if given.get("id") is not None else None
        parts = [self.plan.operation(name) for name in operation.joins]
        return [part for part in parts if part.kinds is None or kind is None or kind in part.kinds]

    async def _sets(self, operation: OperationPlan, given: Params, manner: _Manner) -> list[Params]:
        """The parameters of each call to make: the caller's, joined with the sets of `each` that agree with them."""
        sets: list[Params] = []
        for keys in operation.each:
            if any(isinstance(value, str) and given.get(key) not in (None, value) for key, value in keys.items()):
                continue
            choices: list[Params] = [given]
            for key, value in keys.items():
                values = await self._choices(value, given, key, manner)
                choices = [{**choice, key: each} for choice in choices for each in values]
            sets += choices
        return sets or [given]

    async def _choices(self, value: str | tuple[str, str], given: Params, key: str, manner: _Manner) -> list[str]:
        """What a key of `each` stands for: its own value, the caller's, or all that the named operation lists."""
        if isinstance(value, str):
            return [value]
        if given.get(key) is not None:
            return [given[key]]
        return await self._values(self.plan.operation(value[1]), given, manner)

    async def _values(self, operation: OperationPlan, given: Params, manner: _Manner) -> list[str]:
        """The texts an operation lists; where it returns a model, its ids."""
        if operation.values is None:
            rows = await self.call(operation.name, priority=manner.priority)
            return list(dict.fromkeys(str(getattr(row, "id", None) or row.symbol) for row in rows))
        found: dict[str, None] = {}
        for params in await self._sets(operation, given, manner):
            body = await self._sender.send(operation, self._build(operation, params), params, priority=manner.priority)
            values = operation.values(body)
            self._sender.charge(operation, params, len(values))
            found |= dict.fromkeys(values)
        return list(found)

    async def _rows(self, operation: OperationPlan, params: Params, manner: _Manner) -> list[Event]:
        request = self._build(operation, params)
        keep = _keeper(operation, params)

        async def fetch(request: HttpRequest) -> tuple[list[Event], bytes]:
            body = await self._sender.send(operation, request, params, manner.timeout, manner.priority)
            return await self._read(operation, params, body), body

        if operation.page is not None:
            return await collect(operation, params, fetch, self.clock.time_ns(), keep=keep)
        self._check_reach(operation, params)
        rows, _ = await fetch(request)
        rows = _in_order(operation, [row for row in rows if keep is None or keep(row)])
        return [_shallow(row, params.get("depth")) for row in span_of(params).cut(rows)]

    async def _read(self, operation: OperationPlan, params: Params, body: bytes) -> list[Event]:
        reader = operation.reader
        if reader is None:
            return []
        reading = Reading(self.clock.time_ns(), params, self.markets)
        events = reader.read(body, reading)
        self._sender.charge(operation, params, len(events) + len(reading.errors))
        if reading.unsized and reader.scaled and not self.markets.loaded:
            await self.ensure_instruments()
            reading = Reading(reading.received, params, self.markets)
            events = reader.read(body, reading)
        for error in reading.errors:
            self.quarantine.add(error)
        return events

    def _filled(self, params: Params) -> dict[str, Any]:
        unique = UUID(int=self._random.getrandbits(128), version=4)
        return {"now": self.clock.time_ns(), "uuid": str(unique), **params}

    def _build(self, operation: OperationPlan, params: Params) -> HttpRequest:
        try:
            return operation.build(params)
        except KeyError as hole:
            missing = str(hole.args[0])
        raise InvalidRequest(f"{operation.name} needs {missing}", exchange=self.plan.id, endpoint=operation.name)

    def _check_kind(self, operation: OperationPlan, params: Params) -> None:
        if operation.kinds is None or params.get("id") is None:
            return
        market = self.markets.within(params.get("category"))(str(params["id"]))
        if market.kind is not None and market.kind not in operation.kinds:
            kinds = " and ".join(sorted(operation.kinds))
            raise NotSupported(f"{self.plan.id} has {operation.name} for {kinds} only; {market.symbol} is {market.kind}")

    def _check_reach(self, operation: OperationPlan, params: Params) -> None:
        for name in ("start", "end"):
            if params.get(name) is not None and _ignores(operation, params, (name,)):
                raise NotSupported(f"{self.plan.id} {operation.name} gives only the newest rows: it takes no {name}")


def _ignores(operation: OperationPlan, params: Params, names: Sequence[str]) -> bool:
    """Whether these parameters change nothing in the request. Where one of them stands in it that needs no trying."""
    if any(name in operation.sent and params.get(name) is not None for name in names):
        return False
    try:
        return operation.build(params) == operation.build({**params, **dict.fromkeys(names)})
    except KeyError:
        return False


def _keeper(operation: OperationPlan, params: Params) -> Callable[[Event], bool] | None:
    """Picks one market's rows from an operation that answers for all of them."""
    symbol = params.get("symbol")
    if symbol is None or not _ignores(operation, params, OF_INSTRUMENT):
        return None
    return lambda row: row.symbol in (None, symbol)


def _in_order(operation: OperationPlan, rows: list[Event]) -> list[Event]:
    history = operation.reader is not None and issubclass(operation.reader.model, HISTORY)
    return ascending(rows) if history else rows


def _shallow(row: Event, depth: int | None) -> Event:
    if depth is None or not isinstance(row, Book) or max(len(row.bids), len(row.asks)) <= depth:
        return row
    return msgspec.structs.replace(row, bids=row.bids[:depth], asks=row.asks[:depth])


def _distinct(rows: Iterable[Event]) -> list[Event]:
    """Rows of several answers without repetition: the first of its identity stays."""
    found: dict[Hashable, Event] = {}
    for row in rows:
        found.setdefault(_identity(row), row)
    return list(found.values())


def _identity(row: Event) -> Hashable:
    if (number := own_id(row)) is not None:
        return row.symbol, number
    if isinstance(row, Order):
        return row.symbol, row.order_id, row.client_order_id
    if isinstance(row, Balance | Position):
        return (row.symbol, row.currency) if isinstance(row, Balance) else (row.symbol, row.side)
    if isinstance(row, Trade | Liquidation | Fill):
        return id(row)  # without ids there may be many alike
    return (row.symbol, row.timestamp) if isinstance(row, HISTORY) else row.symbol


async def _together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order; when one fails the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
