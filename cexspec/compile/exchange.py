"""The exchange plan: everything compiled on first use and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

from cexspec.compile.auth.recipes import compile_recipe
from cexspec.compile.auth.section import check_auth, compile_credentials, completed, recv_window
from cexspec.compile.body import Surroundings
from cexspec.compile.bounds import UNIFIED_INTERVAL
from cexspec.compile.categories import category_of, check_scope, compile_categories
from cexspec.compile.channels import ChannelCompiler
from cexspec.compile.checks import nearest
from cexspec.compile.choices import refusal
from cexspec.compile.connections import ConnectionCompiler
from cexspec.compile.errors import compile_errors
from cexspec.compile.exchange_plan import CredentialPlan, EnvironmentPlan
from cexspec.compile.instruments import InstrumentNames
from cexspec.compile.limits import compile_pools
from cexspec.compile.operations import compile_operation
from cexspec.compile.orders import compile_orders
from cexspec.compile.plan import CategoryPlan, ErrorPlan, OperationPlan, OrdersPlan, Params, PoolPlan
from cexspec.compile.polls import polled_streams
from cexspec.compile.recipe import RecipePlan
from cexspec.compile.serving import check_serving
from cexspec.compile.socket_plan import ChannelPlan, ConnectionPlan
from cexspec.compile.symbols import Codec, compile_symbols
from cexspec.compile.verbs import serving
from cexspec.models import Credentials, NotSupported, SpecError
from cexspec.spec.garbage import left_uncollected
from cexspec.spec.load import Loaded, find, load
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where
from cexspec.spec.unread import note_unread, watch


def compile_exchange(exchange: str, number: type[Decimal] | type[float] = Decimal) -> Exchange:
    """The plan of a shipped exchange id, or of the path of a spec. Raises SpecError."""
    return Exchange(load(find(exchange)), number)


class Exchange:
    """One exchange, compiled piece by piece: the `ExchangePlan` the engine runs.

    An accessor raises `NotSupported` for what the spec doesn't declare and `SpecError` for what is wrong in it.
    """

    def __init__(self, loaded: Loaded, number: type[Decimal] | type[float] = Decimal) -> None:
        self.spec: ExchangeSpec = loaded.spec
        self.version = self.spec.cexspec
        self.source = loaded.source
        self.number = number
        self.id, self.name, self.kind, self.docs = self.spec.id, self.spec.name, self.spec.kind, self.spec.docs
        self.intervals = MappingProxyType(dict(self.spec.intervals))
        self.operation_names = tuple(self.spec.rest)
        self.channel_names = tuple(self.spec.ws.channels) if self.spec.ws else ()
        self.connection_names = tuple(self.spec.ws.connections) if self.spec.ws else ()
        self._operations: dict[str, OperationPlan] = {}
        self._recipes: dict[str, RecipePlan] = {}
        self._channels: dict[str, ChannelPlan] = {}
        self._connections: dict[str, ConnectionPlan] = {}
        self.categories = compile_categories(self.spec.categories)
        symbols = self.spec.symbols
        self.unique_in_category = symbols.unique_in == "category"
        codes = {**symbols.assets, **symbols.aliases}
        names = InstrumentNames(lambda: self.symbols, codes, symbols.inverse_quotes, self.categories, number)
        self._around = Surroundings(self.id, dict(self.spec.intervals), number, names, frozenset(self.spec.categories))
        self._readers = ChannelCompiler(self._around)

    @cached_property
    def environments(self) -> Mapping[str, EnvironmentPlan]:
        """Hosts by environment."""
        named = self.spec.environments.items()
        return {
            name: EnvironmentPlan(name, one.rest, dict(one.ws), dict(one.headers), not one.test, rest_private=one.rest_private)
            for name, one in named
        }

    @cached_property
    def pools(self) -> Mapping[str, PoolPlan]:
        """Budgets by name."""
        return compile_pools(self.spec.limits, self.findings())

    @cached_property
    def symbols(self) -> Codec:
        """Native ids both ways."""
        findings = self.findings()
        check_scope(self.spec, findings)
        symbols = compile_symbols(self.spec.symbols, self.categories, findings)
        self._refuse(findings, "symbols")
        return symbols

    @cached_property
    def errors(self) -> ErrorPlan:
        """How answers say that they are errors."""
        findings = self.findings()
        errors = compile_errors(self.spec.errors, self.id, findings)
        self._refuse(findings, "errors")
        return errors

    @cached_property
    def orders(self) -> OrdersPlan:
        """What holds for orders."""
        return compile_orders(self.spec.orders)

    @cached_property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """Unified stream -> the channels that serve it, in the spec's order."""
        found: dict[str, tuple[str, ...]] = {}
        for name, channel in (self.spec.ws.channels if self.spec.ws else {}).items():
            stream = channel.stream or name
            found[stream] = (*found.get(stream, ()), name)
        return found

    @cached_property
    def polls(self) -> Mapping[str, str]:
        """Unified stream -> the operation that is polled for it, where no channel serves it."""
        return {stream: name for stream, name in polled_streams(self.spec).items() if stream not in self.streams}

    def offers(self, stream: str) -> bool:
        """Whether there is a unified stream of this name, from a channel or polled."""
        return stream in self.streams or stream in self.polls

    @cached_property
    def credentials(self) -> Mapping[str, CredentialPlan]:
        """What the venue gives to who may call it; empty where the spec has nothing private."""
        return compile_credentials(self.spec.auth)

    @property
    def recv_window(self) -> int:
        """How old a request may be when it arrives, in milliseconds, where the caller doesn't say."""
        return recv_window(self.spec.auth)

    @property
    def recipe_names(self) -> tuple[str, ...]:
        """The recipes that sign."""
        return tuple(self.spec.auth.recipes) if self.spec.auth else ()

    def completed(self, credentials: Credentials) -> Credentials:
        """The credentials with those that follow from them: an address from a key."""
        return completed(self.spec.auth, self.id, credentials)

    def recipe(self, name: str) -> RecipePlan:
        """One recipe."""
        if name not in self._recipes:
            self._known(name, self.recipe_names, "recipe")
            assert self.spec.auth is not None
            findings = self.findings()
            plan = compile_recipe(name, self.spec.auth, self.id, self.credentials, findings)
            self._refuse(findings, f"recipe '{name}'")
            self._recipes[name] = plan
        return self._recipes[name]

    def operation(self, name: str) -> OperationPlan:
        """One REST operation."""
        if name not in self._operations:
            self._known(name, self.operation_names, "operation")
            findings = self.findings()
            with left_uncollected():
                plan = compile_operation(name, self.spec, self.errors, self._around, findings)
            self._refuse(findings, f"operation '{name}'")
            self._operations[name] = plan
        return self._operations[name]

    def serving(self, verb: str) -> tuple[OperationPlan, ...]:
        """The operations that serve a verb, in the spec's order."""
        return tuple(self.operation(name) for name in serving(self.spec, verb))

    def operation_for(self, verb: str, params: Params) -> OperationPlan:
        """The operation that serves a call with these parameters. Raises also `InvalidOrder` or `InvalidRequest`: there is none."""
        plans = self.serving(verb)
        if not plans:
            raise NotSupported(f"{self.id} declares nothing that serves {verb}")
        for plan in plans:
            if plan.serves(params):
                return plan
        looks = dict.fromkeys(name for plan in plans for name in self.spec.rest[plan.name].when or ())
        raise refusal(self.id, verb, verb)(params, looks, verb)

    def channel(self, name: str) -> ChannelPlan:
        """One channel; its connection is compiled with it."""
        if name not in self._channels:
            self._known(name, self.channel_names, "channel")
            assert self.spec.ws is not None
            for connection in self.spec.ws.channels[name].connections.values():
                self.connection(connection)
        return self._channels[name]

    def channels_of(self, stream: str) -> tuple[ChannelPlan, ...]:
        """The channels that serve a unified stream, in the spec's order."""
        return tuple(self.channel(name) for name in self.streams.get(stream, ()))

    def polled(self, stream: str) -> OperationPlan | None:
        """The operation that is polled for a unified stream; None: there is none."""
        return self.operation(self.polls[stream]) if stream in self.polls else None

    def connection(self, name: str) -> ConnectionPlan:
        """One connection with all its channels."""
        if name not in self._connections:
            self._known(name, self.connection_names, "connection")
            findings = self.findings()
            with left_uncollected():
                compiled = ConnectionCompiler(name, self.spec, self.errors, self._readers, findings).compile()
            self._refuse(findings, f"connection '{name}'")
            assert compiled is not None
            self._connections[name], channels = compiled
            self._channels = channels | self._channels  # of a channel on several connections, the first one's plan
        return self._connections[name]

    def category(self, kind: str, settle: str | None) -> CategoryPlan | None:
        """The product line of an instrument; None where the spec has none."""
        return category_of(self.categories, kind, settle)

    def check(self, findings: Findings) -> None:
        """Compile everything; what is wrong, and what nothing reads, goes to `findings`."""
        watch(self.spec)
        Exchange(Loaded(self.spec, self.source), self.number)._check(findings)  # anew: what was read before doesn't count
        note_unread(self.spec, findings)

    def _check(self, findings: Findings) -> None:
        check_scope(self.spec, findings)
        compile_symbols(self.spec.symbols, self.categories, findings)
        errors = compile_errors(self.spec.errors, self.id, findings)
        compile_pools(self.spec.limits, findings)
        check_auth(self.spec, findings)
        compile_orders(self.spec.orders)
        for name in self.operation_names:
            compile_operation(name, self.spec, errors, self._around, findings)
        check_serving(self.spec, findings)
        for name in self.connection_names:
            ConnectionCompiler(name, self.spec, errors, self._readers, findings).compile()
        self._check_hosts(findings)
        self._check_intervals(findings)

    def findings(self) -> Findings:
        """An empty list of findings about this spec."""
        return Findings(self.source.position)

    def _check_hosts(self, findings: Findings) -> None:
        """Every connection has a host, and nothing names a connection that isn't there."""
        first, hosts = next(iter(self.environments.items()))
        for name in self.connection_names:
            if name not in hosts.ws:
                findings.error("CEX058", ("environments", first, "ws"), f"connection '{name}' has no URL here", f"add '{name}: wss://...'")
        for name, where in self._named_connections():
            if name not in self.connection_names:
                findings.error("CEX058", where, f"no connection is called '{name}'", nearest(name, list(self.connection_names)))

    def _named_connections(self) -> Iterator[tuple[str, Where]]:
        for name, channel in (self.spec.ws.channels if self.spec.ws else {}).items():
            at = ("ws", "channels", name, "on")
            yield from ((connection, at if category is None else (*at, category)) for category, connection in channel.connections.items())
        for environment, one in self.environments.items():
            yield from ((name, ("environments", environment, "ws", name)) for name in one.ws)

    def _check_intervals(self, findings: Findings) -> None:
        seen: dict[str, str] = {}
        for unified, venue in self.spec.intervals.items():
            if not UNIFIED_INTERVAL.fullmatch(unified):
                hint = "a number and one of s, m, h, d, w, M: 1m, 4h, 1d"
                findings.error("CEX064", ("intervals", unified), f"'{unified}' is no unified interval", hint)
            if venue in seen:
                findings.error("CEX064", ("intervals", unified), f"'{venue}' already stands for {seen[venue]}", "one word, one interval")
            seen[venue] = unified

    def _refuse(self, findings: Findings, what: str) -> None:
        if findings.errors:
            first = findings.errors[0]
            raise SpecError(f"{first.position}: {what} of {self.id} can't be compiled: {first.message}", findings.problems)

    def _known(self, name: str, names: tuple[str, ...], what: str) -> None:
        if name not in names:
            offered = ", ".join(names) or "none"
            raise NotSupported(f"{self.id} declares no {what} '{name}' (it has: {offered})")
