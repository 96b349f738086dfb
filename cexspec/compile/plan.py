"""The plan: what a spec compiles to. Immutable, no YAML, no paths to interpret; the engine runs it (see `exchange_plan`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from cexspec.compile.http_request import PARTS, HttpRequest, Part
from cexspec.models import DecodeError, Event, ExchangeError, Market
from cexspec.spec.model.rest import Method
from cexspec.spec.source import Position

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Params = Mapping[str, Any]
"""Unified parameters of a call or subscription: `id` (native), `symbol`, `base`, `quote`, `category`, `interval`,
`depth`, `limit`, `start`, `end` (integer nanoseconds) and the venue's own from `each`."""


class Context(Protocol):
    """What an extractor may know beyond the message."""

    @property
    def received(self) -> int | None:
        """Local time of reception, nanoseconds."""

    @property
    def request(self) -> Params | None:
        """The call's or subscription's own parameters, where known."""

    @property
    def category(self) -> str | None:
        """The product line that the message is about, as far as the request or the connection tells: its name or the venue's word."""

    def market(self, native_id: str) -> Market:
        """The market of a native id, in that product line where ids are unique in one only; never fails."""

    def within(self, category: str) -> Callable[[str], Market]:
        """As `market`, in the product line that the message itself names."""

    def quarantine(self, error: DecodeError) -> None:
        """Take note of a record that was left out of a batch; `error` says why."""

    def state(self, name: str) -> dict[str, Any]:
        """What is kept under a name from message to message of a connection; it ends with the connection."""


def every_call(params: Params) -> bool:
    """Of an operation that serves whatever is asked."""
    return True


class Twins(Protocol):
    """Faster forms of a reader, for frames that share their first bytes."""

    def __call__(self, frame: bytes, shared: int = 0) -> tuple[ReaderPlan, ...]:
        """Readers that take only what most venues send, the fastest first: each fails on anything else.

        They are for frames of this reader that are like this one, and `shared` bytes at the beginning of which are the same: what those
        tell is not asked again. Their context remembers a market (`LatestMarket`), which is asked for only where another one comes.
        """


def no_twins(frame: bytes, shared: int = 0) -> tuple[ReaderPlan, ...]:
    """The twins of a reader that has none."""
    return ()


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """Reads one kind of message: bytes -> wire value -> unified events.

    `decode` gives the wire value, and raises `msgspec.ValidationError` or `msgspec.DecodeError`; `extract` gives the function that
    makes the events of a frame, which raises the same, or what Python raises on a hole. `read` turns any failure of that into a
    `DecodeError` that names payload path and spec position.
    """

    name: str
    model: type[Event]
    decode: Callable[[bytes], Any]
    extract: Callable[[], Callable[[Context, Any], list[Event]]]
    read: Callable[[bytes, Context], list[Event]]
    source: str
    unlowered: tuple[str, ...]
    position: Position
    layout: Callable[[], list[str]] = list
    """the wire type for people, a line for each member"""
    snapshot: bool | None = None
    scaled: bool = False
    """sizes may be contracts, converted by the instrument"""
    guarded: bool = False
    """it refuses every message that isn't this reader's"""
    twins: Twins = no_twins


@dataclass(frozen=True, slots=True)
class ErrorPlan:
    """Tells errors from answers. `check` returns the error an answer means, or None."""

    check: Callable[[int, bytes, str], ExchangeError | None]
    """(http status, body, endpoint) -> error"""
    message: Callable[[bytes], ExchangeError | None]
    """a WebSocket message that is known to be an error -> the error"""
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParamPlan:
    """Bounds of a unified parameter."""

    default: str | None = None
    max: int | None = None
    values: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PagePlan:
    """How further rows are reached."""

    direction: Literal["backward", "forward"]
    param: str
    by: Literal["timestamp", "id", "order_id", "offset"] | None
    unit: Literal["s", "ms", "us", "ns"] | None
    inclusive: bool
    drop: tuple[str, ...]
    cursor: Callable[[bytes], str | None] | None
    within: Part = "query"
    """where `param` and `drop` are keys: in the JSON body nested ones have dots"""
    all: bool = False
    """without a limit every page is fetched"""


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """One REST call.

    `each` is empty, or parameter sets for one call each; a value `("from", operation)` stands for one call per value
    that operation returns.
    """

    name: str
    method: Method
    path: str
    path_params: Callable[[str], dict[str, str] | None]
    """an HTTP path -> the values of the path's holes; None: another operation's"""
    build: Callable[[Params], HttpRequest]
    reader: ReaderPlan | None
    values: Callable[[bytes], list[str]] | None
    """the texts it lists for another operation's `each`, instead of a model"""
    ignored: str | None
    pools: tuple[str, ...]
    weight: Callable[[Params], int]
    params: Mapping[str, ParamPlan]
    needs: frozenset[str]
    """holes of the request that must have a value"""
    page: PagePlan | None
    each: tuple[Mapping[str, str | tuple[str, str]], ...]
    kinds: frozenset[str] | None
    idempotent: bool
    errors: ErrorPlan
    position: Position
    docs: str | None = None
    per_rows: int | None = None
    """the answer costs 1 unit more for each so many rows"""
    joins: tuple[str, ...] = ()
    """the operations whose rows are its own, each with its own request; it has none then"""
    shape: Callable[[object], bool] | None = None
    """whether a decoded body looks like an answer of this operation; None where it doesn't say"""
    poll: float | None = None
    """seconds between two calls where it is a stream; None: it is none"""
    verb: str | None = None
    """what it does for an account (`place_order`); None: it is about markets"""
    serves: Callable[[Params], bool] = every_call
    """whether it is for a call with these parameters, where several operations serve one verb"""
    batch: bool = False
    """it takes many orders: the parameter `orders` is a list of parameters; `params["orders"].max` of them at most"""
    auth: str | None = None
    """the recipe that signs it; None: it is public"""
    takes: frozenset[str] = frozenset()
    """the parameters that its request may hold, or goes by"""
    sent: frozenset[str] = frozenset()
    """those that stand in its request whenever they are given, as they were given"""
    common: frozenset[str] = frozenset()
    """of a batch: the parameters that must be the same for all its orders"""
    carries: frozenset[Part] = frozenset(PARTS)
    """the parts that its requests may have"""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """`rate` units in any span of `per` seconds."""

    rate: int
    per: float


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """A budget."""

    name: str
    windows: tuple[WindowPlan, ...]
    scope: Literal["ip", "account", "endpoint"]
    by: Literal["pool", "operation", "symbol"]
    usage_header: str | None
    pause: float | None
    position: Position
    docs: str | None = None
    usage_remaining: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryPlan:
    """A product line of the venue: the instruments of some kinds, maybe only with some settlement currencies.

    `word` is what the venue calls it. `contract_size`, an amount of `contract_currency`, is that of all its instruments whose
    own list doesn't say.
    """

    name: str
    word: str
    kinds: frozenset[str]
    settles: frozenset[str] | None
    contract_size: Decimal | None = None
    contract_currency: Literal["base", "quote"] | None = None

    def holds(self, kind: str, settle: str | None) -> bool:
        """Whether an instrument of this kind and settlement belongs to it."""
        return kind in self.kinds and (self.settles is None or settle in self.settles)


@dataclass(frozen=True, slots=True)
class ClientIdPlan:
    """The rules of client order ids. `allows` tells whether one is as the venue takes it, `words` say what it takes.

    `max_length` counts the `prefix`; `largest` is that of an `int`.
    """

    kind: Literal["text", "hex", "int", "uuid"]
    max_length: int
    prefix: str
    largest: int
    allows: Callable[[str], bool]
    words: str
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class OrdersPlan:
    """What holds for orders. `visible_within`: seconds after which one that can't be found was never placed; `slippage`: how much
    worse than the market one without a limit may be filled (a share), where every order has to have one.
    """

    client_ids: ClientIdPlan | None = None
    visible_within: float = 5.0
    docs: str | None = None
    slippage: Decimal | None = None
