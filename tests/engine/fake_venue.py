"""A plan made by hand: what the REST engine needs of one, without a spec."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from cexspec.compile.categories import category_of
from cexspec.compile.exchange_plan import CredentialPlan, EnvironmentPlan
from cexspec.compile.http_request import HttpRequest, urlencoded
from cexspec.compile.plan import (
    CategoryPlan,
    Context,
    ErrorPlan,
    OperationPlan,
    OrdersPlan,
    PagePlan,
    ParamPlan,
    Params,
    PoolPlan,
    ReaderPlan,
    WindowPlan,
)
from cexspec.compile.recipe import RecipePlan
from cexspec.compile.socket_plan import ChannelPlan, ConnectionPlan
from cexspec.models import (
    EXCHANGE_ERRORS,
    Credentials,
    DecodeError,
    Event,
    ExchangeError,
    ExchangeUnavailable,
    Instrument,
    Kind,
    NotSupported,
    RateLimitExceeded,
)
from cexspec.spec.source import Position
from cexspec.transport.http import HttpAnswer, HttpCall

HERE = Position("fake.yaml", 1, 1)
Rows = Callable[[Any, Context], list[Event]]


def reader(model: type[Event], rows: Rows) -> ReaderPlan:
    def read(body: bytes, context: Context) -> list[Event]:
        try:
            return rows(json.loads(body), context)
        except (ValueError, LookupError, TypeError) as failure:
            raise DecodeError(str(failure), exchange="fake") from None

    return ReaderPlan("fake", model, json.loads, lambda: lambda context, frame: [], read, "", (), HERE, scaled=model is not Instrument)


def check(status: int, body: bytes, endpoint: str) -> ExchangeError | None:
    """Bodies such as `{"error": "InvalidSymbol", "message": "no such thing"}` are errors."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and "error" in document:
        cls = EXCHANGE_ERRORS[document["error"]]
        return cls(document.get("message", ""), exchange="fake", endpoint=endpoint, http_status=status, code=document.get("code"))
    if status < 400:
        return None
    cls = RateLimitExceeded if status in (418, 429) else ExchangeUnavailable if status >= 500 else ExchangeError
    return cls("", exchange="fake", endpoint=endpoint, http_status=status)


def operation(
    name: str,
    model: type[Event],
    rows: Rows,
    *,
    query: Mapping[str, str] = {},
    needs: frozenset[str] = frozenset(),
    page: PagePlan | None = None,
    limit: ParamPlan | None = None,
    **others: Any,
) -> OperationPlan:
    """An operation at `/{name}`. `query`: key -> unified parameter; times go out in milliseconds."""

    def build(params: Params) -> HttpRequest:
        for hole in sorted(needs):
            if params.get(hole) is None:
                raise KeyError(hole)
        pairs = []
        for key, parameter in query.items():
            value = params.get(parameter)
            if parameter == "limit" and limit is not None:
                value = min(value or int(limit.default or 100), limit.max or 10**9)
            if value is not None:
                pairs.append((key, str(value // 1_000_000 if parameter in ("start", "end") else value)))
        return HttpRequest("GET", f"/{name}", urlencoded(tuple(pairs)))

    return OperationPlan(
        **{
            "name": name,
            "method": "GET",
            "path": f"/{name}",
            "path_params": lambda path: {},
            "build": build,
            "reader": reader(model, rows),
            "values": None,
            "ignored": None,
            "pools": (),
            "weight": lambda params: 1,
            "params": {"limit": limit} if limit else {},
            "needs": needs,
            "page": page,
            "each": (),
            "kinds": None,
            "idempotent": True,
            "errors": ErrorPlan(check, lambda frame: None, {}),
            "position": HERE,
            **others,
        }
    )


ENVIRONMENT = EnvironmentPlan("live", "https://fake.example/api/", {}, {"X-Demo": "1"})


class Codec:
    """Ids such as `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD-SWAP` (inverse); other spellings have a backslash for each dash."""

    def parse(self, native_id: str, category: str | None = None, *, listed: bool = False) -> tuple[str, Kind] | None:
        match native_id.replace("\\", "-").split("-"):
            case [base, quote]:
                return f"{base}/{quote}", "spot"
            case [base, quote, "SWAP"]:
                return f"{base}/{quote}:PERP" + (f":{base}" if quote == "USD" else ""), "perpetual"
        return None

    def other_spelling(self, native_id: str, category: str | None = None) -> str | None:
        found = self.parse(native_id) if "\\" in native_id else None
        return found[0] if found else None

    def format(self, symbol: str) -> str | None:
        match symbol.split("/"):
            case [base, rest] if rest.partition(":")[1:] == ("", ""):
                return f"{base}-{rest}"
            case [base, rest] if ":PERP" in rest:
                return f"{base}-{rest.partition(':')[0]}-SWAP"
        return None


@dataclass
class Plan:
    """A hand-made `ExchangePlan`."""

    operations: dict[str, OperationPlan]
    pools: Mapping[str, PoolPlan] = field(default_factory=dict)
    id: str = "fake"
    name: str = "Fake"
    environments: Mapping[str, EnvironmentPlan] = field(default_factory=lambda: {"live": ENVIRONMENT})
    symbols: Any = field(default_factory=Codec)
    intervals: Mapping[str, str] = field(default_factory=dict)
    number: type = Decimal
    channel_names: tuple[str, ...] = ()
    connection_names: tuple[str, ...] = ()
    categories: tuple[CategoryPlan, ...] = (
        CategoryPlan("spot", "SPOT", frozenset({"spot"}), None),
        CategoryPlan("swap", "SWAP", frozenset({"perpetual"}), None),
    )
    unique_in_category: bool = False
    polls: Mapping[str, str] = field(default_factory=dict)
    orders: OrdersPlan = field(default_factory=OrdersPlan)
    credentials: Mapping[str, CredentialPlan] = field(default_factory=dict)
    recv_window: int = 5000

    def recipe(self, name: str) -> RecipePlan:
        raise NotSupported(name)

    def completed(self, credentials: Credentials) -> Credentials:
        return credentials

    def serving(self, verb: str) -> tuple[OperationPlan, ...]:
        return tuple(plan for plan in self.operations.values() if plan.verb == verb)

    def operation_for(self, verb: str, params: Params) -> OperationPlan:
        return next(plan for plan in self.serving(verb) if plan.serves(params))

    def polled(self, stream: str) -> OperationPlan | None:
        return None

    @property
    def operation_names(self) -> tuple[str, ...]:
        return tuple(self.operations)

    def operation(self, name: str) -> OperationPlan:
        if name not in self.operations:
            raise NotSupported(name)
        return self.operations[name]

    def channel(self, name: str) -> ChannelPlan:
        raise NotSupported(name)

    def channels_of(self, stream: str) -> tuple[ChannelPlan, ...]:
        return ()

    def connection(self, name: str) -> ConnectionPlan:
        raise NotSupported(name)

    def category(self, kind: str, settle: str | None) -> CategoryPlan | None:
        return category_of(self.categories, kind, settle)


def pool(name: str, rate: int, per: float, **others: Any) -> PoolPlan:
    given: dict[str, Any] = {"scope": "ip", "by": "pool", "usage_header": None, "pause": None, "position": HERE, **others}
    return PoolPlan(name=name, windows=(WindowPlan(rate, per),), **given)


@dataclass
class Wire:
    """An `HttpTransport` that answers from a table: path -> answers in order, the last of them for ever."""

    answers: dict[str, list[HttpAnswer | Exception | Callable[[HttpCall], HttpAnswer]]]
    calls: list[HttpCall] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        path = call.url.removeprefix("https://fake.example/api").partition("?")[0]
        queue = self.answers[path]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(call) if callable(answer) else answer


def ok(body: object, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {name.lower().replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def changed(plan: OperationPlan, **others: Any) -> OperationPlan:
    return replace(plan, **others)
