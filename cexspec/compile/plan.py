"""The plan: what a spec compiles to. Immutable, no YAML, no paths to interpret; the engine runs it.

ExchangePlan
|-- environments, symbols, intervals, pools
|-- operation(name) -> OperationPlan     build(params) -> HttpRequest; errors; reader of the answer; paging
|-- channel(name)   -> ChannelPlan       topic(params); readers of its messages
`-- connection(name)-> ConnectionPlan    router; subscribe and unsubscribe messages; keepalive; limits
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import parse_qsl, quote

from msgspec import Struct

from cexspec.models import Credentials, DecodeError, Event, ExchangeError, Market
from cexspec.spec.model.rest import Method
from cexspec.spec.source import Position

if TYPE_CHECKING:
    from cexspec.compile.recipe import RecipePlan

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


@dataclass(frozen=True, slots=True)
class BookPlan:
    """What the maintained book needs to know of a channel (the seam for book sync)."""

    sync: Literal["stream", "replace"] | tuple[str, int]
    rule: str | None
    accepts: tuple[str, ...]
    checksum_hook: str | None
    checksum_depth: int | None
    checksum_until: date | None
    truncate: bool
    checksum_precise: bool = False
    """the checksum's hook gets the decimals of the instrument"""
    single_levels: bool = False
    """a message of changes holds one level, so that an update may arrive in halves"""


def every_call(params: Params) -> bool:
    """Of an operation that serves whatever is asked."""
    return True


def no_twins(frame: bytes) -> tuple[ReaderPlan, ...]:
    """The twins of a reader that has none."""
    return ()


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """Reads one kind of message: bytes -> wire value -> unified events.

    `decode` gives the wire value, and raises `msgspec.ValidationError` or `msgspec.DecodeError`; `extract` makes the events, and
    raises the same, or what Python raises on a hole. `read` turns any failure of that into a `DecodeError` that names payload
    path and spec position.
    """

    name: str
    model: type[Event]
    wire: Any
    decode: Callable[[bytes], Any]
    extract: Callable[[Context, Any], list[Event]]
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
    twins: Callable[[bytes], tuple[ReaderPlan, ...]] = no_twins
    """makes, for frames like this one, readers of the same that take only what most venues send, fastest first: each fails on
    anything else"""


Pairs = tuple[tuple[str, str], ...]
"""Names and texts, in order."""

JSON_BODY = ("Content-Type", "application/json")
FORM_BODY = ("Content-Type", "application/x-www-form-urlencoded")


def encoded(text: str) -> str:
    """A text as it stands in a query or a form: everything encoded but letters, digits and `-._~`."""
    return text if _UNRESERVED(text) else quote(text, safe="")


def urlencoded(pairs: Pairs) -> str:
    """Pairs as a query or a form."""
    return "&".join([f"{encoded(name)}={encoded(value)}" for name, value in pairs])


def pairs_of(text: str) -> Pairs:
    """The pairs of a query or a form."""
    return tuple(parse_qsl(text, keep_blank_values=True))


_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*").fullmatch


class HttpRequest(Struct, frozen=True, gc=False):
    """A request as it goes out, tied to no HTTP library.

    `query` and `form` are encoded (see `urlencoded`); `body` is encoded JSON, in place of a `form`. The repr shows no values: once
    it is signed they hold secrets.
    """

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    headers: Pairs = ()
    form: str = ""

    def __repr__(self) -> str:
        return f"HttpRequest({self.method!r}, {self.path!r})"

    @property
    def target(self) -> str:
        """Path with the query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as it is sent: the JSON, or the form; None where there is neither."""
        return self.form.encode() if self.form else self.body


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
    within: Literal["query", "body", "form"] = "query"
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


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One kind of subscription. `connections`: category -> where it lives; None: whatever the category."""

    name: str
    stream: str
    connections: Mapping[str | None, str]
    topic: Callable[[Params], Json]
    """parameters -> topic; raises KeyError with the hole that has no value"""
    params_of: Callable[[Json], dict[str, str] | None]
    """topic (or an ack that repeats its keys) -> the holes' values; None: another channel's"""
    needs: frozenset[str]
    depth: int | None
    kinds: frozenset[str] | None
    readers: tuple[ReaderPlan, ...]
    book: BookPlan | None
    expect_every: float | None
    backfill: str | None
    """the operation that returns the same trades, under the same ids"""
    position: Position
    docs: str | None = None
    private: bool = False
    """it tells of one's own account"""
    credentials: frozenset[str] = frozenset()
    """those that its topic holds, none of them a secret"""

    def connection_of(self, category: str | None) -> str | None:
        """The connection that carries it for a product line; None: it isn't offered for that."""
        return self.connections.get(category) or self.connections.get(None)


Role = Literal["data", "ack", "refusal", "heartbeat", "error", "notice", "ignored", "pong", "ping", "greeting", "denial", "unrouted"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a router says of a frame.

    `data`: read it with each of `readers` (channel and reader; several where channels share one subscription).
    `ack`/`refusal`: an answer to `verb`; `denial`: one to the greeting. `ping` wants `answer(frame)` sent back. Else `reason` says
    what it is.
    """

    role: Role
    readers: tuple[tuple[str, ReaderPlan], ...] = ()
    reason: str | None = None
    verb: Literal["subscribe", "unsubscribe"] | None = None
    reconnect: bool = False


class Router(Protocol):
    """Tells frames apart by their discriminating fields only."""

    def route(self, frame: bytes, learned: Mapping[str, str]) -> tuple[Verdict, str | None]:
        """The verdict, and the learned value the frame carries (as text) on connections that route by one.

        `learned` maps known values to channel names. Raises `DecodeError` on what is no JSON.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed ack or refusal."""

    topic: Json
    id: str | None
    learned: Mapping[str, Any]
    error: ExchangeError | None


@dataclass(frozen=True, slots=True)
class VerbPlan:
    """How to subscribe or unsubscribe."""

    per_topic: bool
    """one message holds one topic (`{{ topic }}` or `*`), not a list"""
    send: Callable[[Sequence[Json], str, Params], bytes]
    """(topics, request id, further values: learned ones of a single topic, bootstrapped ones, those of `recipe`) -> frame"""
    answered: bool
    """the venue acks"""
    echoes_topic: bool
    echoes_id: bool
    sends_id: bool
    """its messages hold the request's id, so that an answer may repeat it"""
    answer: Callable[[bytes, bool], Answer]
    """(frame, refused) -> what it answers"""
    recipe: str | None = None
    """what signs its messages"""
    implied: bool = False
    """there are no messages: what is wanted comes by itself (or ends with the connection only)"""
    credentials: frozenset[str] = frozenset()
    """those that its messages hold"""


@dataclass(frozen=True, slots=True)
class GreetPlan:
    """What is sent or awaited first."""

    recipe: str | None
    """what signs it: it is a login"""
    send: Callable[[Params], bytes] | None
    """the values of its holes -> frame"""
    expects: bool
    """it has an answer that is awaited"""
    error: Callable[[bytes], ExchangeError]
    """a frame that refuses it -> the error; what the venue's codes don't tell is an `AuthenticationError`"""
    credentials: frozenset[str] = frozenset()
    """those that it holds"""


@dataclass(frozen=True, slots=True)
class BootstrapPlan:
    """The REST call that comes before every connecting. `every` is in seconds."""

    operation: str
    take: Callable[[bytes], dict[str, str]]
    """body of the answer -> values; raises `DecodeError` where one is missing"""
    keep: str | None
    """the operation that keeps the values alive"""
    every: float | None


@dataclass(frozen=True, slots=True)
class KeepalivePlan:
    """Pings in either direction; times in seconds."""

    send: Callable[[str], bytes] | None
    """request id -> frame"""
    every: float | None
    expects: bool
    within: float
    silence: float | None
    answer: Callable[[bytes], bytes] | None


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One WebSocket endpoint."""

    name: str
    router: Router
    subscribe: VerbPlan
    unsubscribe: VerbPlan
    keepalive: KeepalivePlan
    greet: GreetPlan | None
    learns: str | None
    """name of the learned value that routes data"""
    category: str | None
    """the one product line that is served here, where its ids mean something else elsewhere"""
    sequence: Callable[[bytes], int | None] | None
    lifetime: float | None
    max_topics: int | None
    topics_per_message: int | None
    max_message_bytes: int | None
    messages_per: WindowPlan | None
    connects_per: WindowPlan | None
    position: Position
    docs: str | None = None
    bootstrap: BootstrapPlan | None = None
    recipes: frozenset[str] = frozenset()
    """those without whose credentials nothing can be had here"""


class SymbolCodec(Protocol):
    """Native ids both ways by the spec's rules, without instruments."""

    def parse(self, native_id: str, category: str | None = None, *, listed: bool = False) -> tuple[str, str] | None:
        """Native id (of a category, by name) -> (unified symbol text, kind); None where no rule reads it.

        `listed`: it is that of an instrument's record, so that rules may read it which don't tell all.
        """

    def format(self, symbol: str) -> str | None:
        """Unified symbol text -> native id; None where no rule writes it."""

    def other_spelling(self, native_id: str, category: str | None = None) -> str | None:
        """The symbol whose instrument has this id (of a category) beside its own; None of an ordinary id.

        Such ids are read by `read_only` formats, or `irregular`.
        """


class ExchangePlan(Protocol):
    """One exchange, compiled. Operations, channels and connections compile on first use and are kept.

    The accessors raise `NotSupported` for a name the spec doesn't declare and `SpecError` for one that is wrong.
    """

    @property
    def id(self) -> str:
        """Its id, the spec file's name."""

    @property
    def name(self) -> str:
        """Its name, for people."""

    @property
    def environments(self) -> Mapping[str, EnvironmentPlan]:
        """Hosts by environment."""

    @property
    def pools(self) -> Mapping[str, PoolPlan]:
        """Budgets by name."""

    @property
    def symbols(self) -> SymbolCodec:
        """Native ids both ways, by the spec's rules."""

    @property
    def orders(self) -> OrdersPlan:
        """What holds for orders, whatever operation places them."""

    @property
    def intervals(self) -> Mapping[str, str]:
        """Unified candle interval -> the venue's word."""

    @property
    def number(self) -> type:
        """The type of every number: `Decimal` or `float`."""

    @property
    def operation_names(self) -> tuple[str, ...]:
        """What the spec declares over REST."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What the spec declares over WebSocket."""

    @property
    def connection_names(self) -> tuple[str, ...]:
        """The WebSocket endpoints."""

    def operation(self, name: str) -> OperationPlan:
        """One REST operation."""

    def serving(self, verb: str) -> tuple[OperationPlan, ...]:
        """The operations that serve a verb (`place_order`), in the spec's order."""

    def operation_for(self, verb: str, params: Params) -> OperationPlan:
        """The first that serves a call with these parameters. Raises `NotSupported`, and `InvalidOrder` or `InvalidRequest` that
        name the parameters which none is for."""

    def channel(self, name: str) -> ChannelPlan:
        """One channel."""

    @property
    def credentials(self) -> Mapping[str, CredentialPlan]:
        """What the venue gives to who may call it, by name; empty where nothing is private."""

    @property
    def recv_window(self) -> int:
        """How old a request may be when it arrives, in milliseconds, where the caller doesn't say."""

    def recipe(self, name: str) -> RecipePlan:
        """One recipe that signs."""

    def completed(self, credentials: Credentials) -> Credentials:
        """The credentials with those that follow from them; raises `AuthenticationError` for unusable ones."""

    def channels_of(self, stream: str) -> tuple[ChannelPlan, ...]:
        """The channels that serve a unified stream name, in the spec's order."""

    @property
    def polls(self) -> Mapping[str, str]:
        """Unified stream -> the operation that is polled for it."""

    def polled(self, stream: str) -> OperationPlan | None:
        """The operation that is asked again and again for a unified stream, which no channel serves; None: there is none."""

    def connection(self, name: str) -> ConnectionPlan:
        """One WebSocket endpoint, with the routing of its channels."""

    @property
    def categories(self) -> tuple[CategoryPlan, ...]:
        """The product lines, in the spec's order."""

    @property
    def unique_in_category(self) -> bool:
        """Whether a native id may be another market in another product line."""

    def category(self, kind: str, settle: str | None) -> CategoryPlan | None:
        """The product line of an instrument; None where the spec has none."""


@dataclass(frozen=True, slots=True)
class CredentialPlan:
    """One thing that the venue gives to who may call it; secret unless `public`, needed unless `optional`."""

    name: str
    public: bool
    optional: bool
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """Hosts of one environment."""

    name: str
    rest: str | None
    ws: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    live: bool = True
    """real money moves here"""
    paper: bool = False
    """only market data is had from here: orders are matched by the client itself"""
    rest_private: str | None = None
    """where signed requests go, if not to `rest`"""

    def base(self, *, signed: bool) -> str | None:
        """The base URL of REST calls, signed or public ones."""
        return self.rest_private or self.rest if signed else self.rest
