"""Connections: routers, subscriptions, keepalives and limits of one WebSocket endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from cexspec.compile.candidates import Named, grouped, overlaps
from cexspec.compile.categories import check_connection, served
from cexspec.compile.channels import ChannelCompiler, book_plan, messages
from cexspec.compile.checks import nearest
from cexspec.compile.lookups import compile_lookup
from cexspec.compile.mapping_paths import condition_paths
from cexspec.compile.paths import PathError, parse
from cexspec.compile.plan import ErrorPlan, ReaderPlan, WindowPlan
from cexspec.compile.private import check_urls, compile_bootstrap, compile_greet, recipes_of
from cexspec.compile.roles import RoleAt, compile_roles, role_overlaps
from cexspec.compile.route import Candidate, FrameRouter
from cexspec.compile.socket_plan import ChannelPlan, ConnectionPlan, Verdict
from cexspec.compile.subscribe import compile_keepalive, compile_subscribe, compile_topic, compile_unsubscribe
from cexspec.models.catalog import PRIVATE
from cexspec.spec.model import Channel, ExchangeSpec
from cexspec.spec.model.limits import Window
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where


@dataclass(frozen=True)
class Read:
    """A channel's message with the readers of its bare and its wrapped form."""

    named: Named
    bare: ReaderPlan | None = None
    wrapped: ReaderPlan | None = None


class ConnectionCompiler:
    """Compiles one connection with all its channels: they share a router."""

    def __init__(self, name: str, spec: ExchangeSpec, errors: ErrorPlan, compiler: ChannelCompiler, findings: Findings) -> None:
        assert spec.ws is not None
        self.name, self.spec, self.errors, self.compiler, self.findings = name, spec, errors, compiler, findings
        self.connection = spec.ws.connections[name]
        self.channels = {key: channel for key, channel in spec.ws.channels.items() if name in channel.connections.values()}
        self.messages = [Named(key, channel, message) for key, channel in self.channels.items() for message in messages(key, channel)]

    def compile(self) -> tuple[ConnectionPlan, dict[str, ChannelPlan]] | None:
        """The connection and its channels; None where its own paths are wrong. What is wrong goes to `findings`."""
        check_connection(self.spec, self.name, self.findings)
        check_urls(self.name, self.connection, self.spec, self.findings)
        roles = list(compile_roles(self.connection))
        if not self._routable(roles):
            return None
        role_overlaps(roles, self.findings)
        overlaps(self.messages, learned=self.connection.route is not None, findings=self.findings)
        read = list(self._read())
        return self._plan(roles, read), {name: self._channel(name, channel, read) for name, channel in self.channels.items()}

    def _read(self) -> Iterator[Read]:
        for named in self.messages:
            ignored = named.message.ignored is not None
            readers = (None, None) if ignored else self.compiler.readers(named.message, named.channel, self.connection, self.findings)
            yield Read(named, *readers)

    def _routable(self, roles: list[RoleAt]) -> bool:
        """Whether everything the router needs can be read."""
        before = len(self.findings.errors)
        for text, where in self._paths(roles):
            compile_lookup(text, self.findings, where)
            self._finds_one(text, where)
        self._payload_is_plain()
        self._route_is_learned()
        return len(self.findings.errors) == before

    def _paths(self, roles: list[RoleAt]) -> Iterator[tuple[str, Where]]:
        connection = self.connection
        asked: list[tuple[object, Where]] = [(role.match, role.where) for role in roles]
        for _, _, message in self.messages:
            asked += [(message.match, (*message.mapping.where, "match")), (message.shape, (*message.mapping.where, "shape"))]
        yield from ((text, where) for match, at in asked for text, where, _ in condition_paths(match, at))
        if connection.payload is not None:
            yield connection.payload, (*connection.where, "payload")
        if connection.route is not None:
            yield connection.route.by, (*connection.route.where, "by")

    def _finds_one(self, text: str, where: Where) -> None:
        """A frame is told by single values: a wildcard could find several."""
        try:
            path = parse(text)
        except PathError:
            return  # found already
        if path.many and path.rest is None:
            self.findings.error("CEX044", where, f"'{text}' finds many values where one is wanted", "name one element: [0] instead of [*]")

    def _payload_is_plain(self) -> None:
        if self.connection.payload is None:
            return
        try:
            path = parse(self.connection.payload)
        except PathError:  # noted already
            return
        if not path.steps or not all(isinstance(step, str) for step in path.steps) or not path.lowered:
            self.findings.error("CEX044", (*self.connection.where, "payload"), "the payload is one member of the frame", "write '$.data'")

    def _route_is_learned(self) -> None:
        route, learn = self.connection.route, self.connection.subscribe.learn
        if route is not None and route.learned not in learn:
            hint = nearest(route.learned, list(learn)) if learn else "add 'learn' to subscribe"
            self.findings.error("CEX055", (*route.where, "learned"), f"no ack teaches '{route.learned}'", hint)

    def _plan(self, roles: list[RoleAt], read: list[Read]) -> ConnectionPlan:
        connection = self.connection
        return ConnectionPlan(
            name=self.name,
            router=self._router(roles, read),
            subscribe=compile_subscribe(connection, self.spec, self.errors, self.findings),
            unsubscribe=compile_unsubscribe(connection, self.spec, self.errors, self.findings),
            keepalive=compile_keepalive(connection.keepalive, self.findings),
            greet=compile_greet(connection, self.spec, self.errors, self.findings),
            learns=connection.route.learned if connection.route is not None else None,
            category=self._category(),
            sequence=self._sequence(),
            lifetime=connection.lifetime,
            max_topics=connection.max_topics,
            topics_per_message=connection.topics_per_message,
            max_message_bytes=connection.max_message_bytes,
            messages_per=_window(connection.messages_per),
            connects_per=_window(connection.connects_per),
            position=self.findings.position(connection.where),
            docs=connection.docs,
            bootstrap=compile_bootstrap(connection.bootstrap, self.spec, self.findings),
            recipes=recipes_of(connection, self.spec),
        )

    def _category(self) -> str | None:
        found = served(self.spec, self.name) if self.spec.symbols.unique_in == "category" else []
        return found[0] if len(found) == 1 else None

    def _router(self, roles: list[RoleAt], read: list[Read]) -> FrameRouter:
        connection, expected = self.connection, self.connection.keepalive.expect
        control = [Candidate(role.verdict, role.match) for role in roles]
        return FrameRouter(
            self.spec.id,
            bare=control + grouped([(one.named, one.bare) for one in read]),
            wrapped=control + grouped([(one.named, one.wrapped) for one in read]),
            payload=connection.payload,
            learned_by=connection.route.by if connection.route is not None else None,
            texts={expected.encode(): Verdict("pong", reason="pong")} if isinstance(expected, str) else {},
        )

    def _sequence(self) -> Callable[[bytes], int | None] | None:
        if self.connection.sequence is None:
            return None
        lookups = [compile_lookup(text, self.findings, (*self.connection.where, "sequence")) for text in self.connection.sequence]

        def sequence(frame: bytes) -> int | None:
            document = msgspec.json.decode(frame)
            found = (lookup(document) for lookup in lookups)
            return next((value for value in found if isinstance(value, int) and not isinstance(value, bool)), None)

        return sequence

    def _channel(self, name: str, channel: Channel, read: list[Read]) -> ChannelPlan:
        parts = compile_topic(channel, self.connection, self.spec, self.findings)
        self._check_keys(channel)
        if channel.returns in PRIVATE and not parts.credentials and not recipes_of(self.connection, self.spec):
            text = f"a {channel.returns} is a customer's own, and nobody says who that is on '{self.name}'"
            hint = "sign by 'greet.recipe', 'subscribe.recipe' or the operation of 'bootstrap', or put an address into the topic"
            self.findings.error("CEX121", (*channel.where, "returns"), text, hint)
        self._check_sync(channel)
        self._check_backfill(channel)
        forms = [form for one in read if one.named.name == name for form in (one.wrapped, one.bare)]
        return ChannelPlan(
            name=name,
            stream=channel.stream or name,
            connections=channel.connections,
            topic=parts.topic,
            params_of=parts.params_of,
            needs=parts.needs,
            depth=channel.depth,
            kinds=frozenset(channel.kinds) if channel.kinds is not None else None,
            readers=tuple(reader for reader in forms if reader is not None),
            book=book_plan(channel),
            expect_every=channel.expect_every,
            backfill=channel.backfill,
            position=self.findings.position(channel.where),
            docs=channel.docs,
            private=channel.returns in PRIVATE,
            credentials=parts.credentials,
        )

    def _check_keys(self, channel: Channel) -> None:
        """What the topic asks for must come back: in the message, or through the learned number."""
        if self.connection.route is not None:
            return
        for field, rule in (channel.fields or {}).items():
            if field in ("symbol", "interval") and rule.of == "request":
                text = f"messages don't say their {field}: with several subscriptions on '{self.name}' it can't be told"
                self.findings.error("CEX055", rule.where, text, "read it from the message, or learn a number from the ack")

    def _check_sync(self, channel: Channel) -> None:
        plan = book_plan(channel)
        if plan is not None and isinstance(plan.sync, tuple) and plan.sync[0] not in self.spec.rest:
            hint = nearest(plan.sync[0], list(self.spec.rest))
            self.findings.error("CEX059", (*channel.where, "sync", "rest"), f"no operation is called '{plan.sync[0]}'", hint)

    def _check_backfill(self, channel: Channel) -> None:
        name, at = channel.backfill, (*channel.where, "backfill")
        if name is None:
            return
        operation = self.spec.rest.get(name)
        if operation is None:
            self.findings.error("CEX059", at, f"no operation is called '{name}'", nearest(name, list(self.spec.rest)))
        elif channel.returns != "trade" or operation.returns != "trade":
            hint = "remove 'backfill'" if channel.returns != "trade" else "name an operation that returns trades"
            self.findings.error("CEX059", at, f"holes are filled with trades: '{name}' is not for that here", hint)


def _window(rate: Window | None) -> WindowPlan | None:
    return WindowPlan(rate.rate, rate.per) if rate is not None else None
