"""The plan of an exchange, as the engine sees it.

ExchangePlan
|-- environments, symbols, intervals, pools
|-- operation(name) -> OperationPlan     build(params) -> HttpRequest; errors; reader of the answer; paging
|-- channel(name)   -> ChannelPlan       topic(params); readers of its messages
`-- connection(name)-> ConnectionPlan    router; subscribe and unsubscribe messages; keepalive; limits
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cexspec.compile.plan import CategoryPlan, OperationPlan, OrdersPlan, Params, PoolPlan
from cexspec.compile.recipe import RecipePlan
from cexspec.compile.socket_plan import ChannelPlan, ConnectionPlan
from cexspec.models import Credentials


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
