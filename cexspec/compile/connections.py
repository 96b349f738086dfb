"""Connections: routers, subscriptions, keepalives and limits of one WebSocket endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from cexspec.compile.channels import ChannelCompiler, Conditions, Message, book_plan, grouped, messages, overlaps
from cexspec.compile.checks import condition_paths, nearest
from cexspec.compile.conditions import disjoint
from cexspec.compile.extract import Surroundings
from cexspec.compile.lookups import compile_lookup
from cexspec.compile.paths import PathError, parse
from cexspec.compile.plan import ChannelPlan, ConnectionPlan, ErrorPlan, ReaderPlan, Verdict, WindowPlan
from cexspec.compile.route import Candidate, FrameRouter
from cexspec.compile.subscribe import compile_greet, compile_keepalive, compile_subscribe, compile_topic, compile_unsubscribe
from cexspec.spec.model import Channel, ExchangeSpec, FieldRule
from cexspec.spec.model.limits import Window
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Form = tuple[str, Channel, Message, ReaderPlan | None, ReaderPlan | None]
"""A channel's message with the readers of its bare and its wrapped form."""


class ConnectionCompiler:
    """Compiles one connection with all its channels: they share a router."""

    def __init__(self, name: str, spec: ExchangeSpec, errors: ErrorPlan, around: Surroundings, findings: Findings) -> None:
        assert spec.ws is not None
        self.name, self.spec, self.errors, self.around, self.findings = name, spec, errors, around, findings
        self.connection = spec.ws.connections[name]
        self.channels = {key: channel for key, channel in spec.ws.channels.items() if channel.on == name}

    def compile(self) -> tuple[ConnectionPlan, dict[str, ChannelPlan]] | None:
        """The connection and its channels; None where its own paths are wrong. What is wrong goes to `findings`."""
        roles = list(self._roles())
        if not self._routable(roles):
            return None
        self._role_overlaps(roles)
        overlaps(self.channels, learned=self.connection.route is not None, findings=self.findings)
        forms = list(self._forms())
        return self._plan(roles, forms), {name: self._channel(name, channel, forms) for name, channel in self.channels.items()}

    def _forms(self) -> Iterator[Form]:
        compiler = ChannelCompiler(self.connection, self.around, self.findings)
        for name, channel in self.channels.items():
            for message in messages(name, channel):
                bare = wrapped = None
                if message.ignored is None:
                    bare, wrapped = compiler.readers(message, message.mapping.returns, (*channel.where, "returns"))
                yield name, channel, message, bare, wrapped

    def _roles(self) -> Iterator[tuple[Verdict, Conditions, Where]]:
        """What carries no data, in the order it is tried."""
        connection = self.connection
        keepalive, greet = connection.keepalive, connection.greet
        if isinstance(keepalive.expect, dict):
            yield Verdict("pong", reason="pong"), keepalive.expect, (*keepalive.where, "expect")
        if keepalive.answer is not None:
            yield Verdict("ping", reason="ping"), keepalive.answer.match, (*keepalive.answer.where, "match")
        if greet is not None and greet.expect is not None:
            yield Verdict("greeting", reason="greeting"), greet.expect, (*greet.where, "expect")
        for verb, name in ((connection.subscribe, "subscribe"), (connection.unsubscribe, "unsubscribe")):
            if verb.ack is not None:
                yield Verdict("ack", reason=f"ack of {name}", verb=name), verb.ack, (*verb.where, "ack")
            if verb.failed is not None:
                yield Verdict("refusal", reason=f"refusal of {name}", verb=name), verb.failed, (*verb.where, "failed")
        for name, role in connection.roles.items():
            yield Verdict(role.role, reason=role.reason or name, reconnect=role.reconnect), role.match, (*role.where, "match")

    def _routable(self, roles: list[tuple[Verdict, Conditions, Where]]) -> bool:
        """Whether every path the router needs can be read."""
        connection = self.connection
        conditions = [(match, where) for _, match, where in roles]
        for name, channel in self.channels.items():
            conditions += [(part, (*message.mapping.where, key)) for message in messages(name, channel) for part, key in _conditions(message)]
        paths = [(text, where) for match, at in conditions for text, where, _ in condition_paths(match, at)]
        paths += [(connection.payload, (*connection.where, "payload"))] if connection.payload else []
        paths += [(connection.route.by, (*connection.route.where, "by"))] if connection.route else []
        before = len(self.findings.errors)
        for text, where in paths:
            compile_lookup(text, self.findings, where)
        self._payload_is_plain()
        if connection.route is not None and connection.route.learned not in connection.subscribe.learn:
            hint = nearest(connection.route.learned, list(connection.subscribe.learn)) if connection.subscribe.learn else "add 'learn' to subscribe"
            message = f"no ack teaches '{connection.route.learned}'"
            self.findings.error("CEX055", (*connection.route.where, "learned"), message, hint)
        return len(self.findings.errors) == before

    def _payload_is_plain(self) -> None:
        try:
            fine = not self.connection.payload or (parse(self.connection.payload).lowered and not parse(self.connection.payload).many)
        except PathError:
            return
        if not fine:
            self.findings.error("CEX044", (*self.connection.where, "payload"), "the payload is one member of the frame", "write '$.data'")

    def _role_overlaps(self, roles: list[tuple[Verdict, Conditions, Where]]) -> None:
        """Named roles must exclude each other; acks, pongs and greetings come before them."""
        named = [one for one in roles if one[2][:4] == (*self.connection.where, "roles")]
        for at, (_, match, where) in enumerate(named):
            for verdict, other, _ in named[:at]:
                if not disjoint(match, other):
                    text = f"a message can match both this and '{verdict.reason}'"
                    self.findings.error("CEX054", where, text, "add a condition that only one of them meets")

    def _plan(self, roles: list[tuple[Verdict, Conditions, Where]], forms: list[Form]) -> ConnectionPlan:
        connection, spec = self.connection, self.spec
        before = [Candidate(verdict, match, {}) for verdict, match, _ in roles]
        bare = grouped([(name, channel, message, reader) for name, channel, message, reader, _ in forms])
        wrapped = grouped([(name, channel, message, reader) for name, channel, message, _, reader in forms])
        texts = {connection.keepalive.expect.encode(): Verdict("pong", reason="pong")} if isinstance(connection.keepalive.expect, str) else {}
        payload = parse(connection.payload).steps if connection.payload else None
        route = connection.route
        return ConnectionPlan(
            name=self.name,
            router=FrameRouter(spec.id, before + bare, before + wrapped, payload, route.by if route else None, texts),
            subscribe=compile_subscribe(connection, spec.id, self.errors, self.findings),
            unsubscribe=compile_unsubscribe(connection, spec.id, self.errors, self.findings),
            keepalive=compile_keepalive(connection.keepalive, self.findings),
            greet=compile_greet(connection.greet, self.findings),
            expects_greeting=connection.greet is not None and connection.greet.expect is not None,
            learns=route.learned if route else None,
            sequence=self._sequence(),
            lifetime=connection.lifetime,
            max_topics=connection.max_topics,
            topics_per_message=connection.topics_per_message,
            max_message_bytes=connection.max_message_bytes,
            messages_per=_window(connection.messages_per),
            connects_per=_window(connection.connects_per),
            position=self.findings.position(connection.where),
            docs=connection.docs,
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

    def _channel(self, name: str, channel: Channel, forms: list[Form]) -> ChannelPlan:
        parts = compile_topic(channel, self.spec, self.findings)
        self._check_keys(channel)
        self._check_sync(channel)
        readers = [reader for mine, _, _, bare, wrapped in forms if mine == name for reader in (wrapped, bare) if reader is not None]
        return ChannelPlan(
            name=name,
            stream=channel.stream or name,
            connection=channel.on,
            topic=parts.topic,
            params_of=parts.params_of,
            needs=parts.needs,
            depth=channel.depth,
            kinds=frozenset(channel.kinds) if channel.kinds is not None else None,
            readers=tuple(readers),
            book=book_plan(channel),
            expect_every=channel.expect_every,
            position=self.findings.position(channel.where),
            docs=channel.docs,
        )

    def _check_keys(self, channel: Channel) -> None:
        """What the topic asks for must come back: in the message, or through the learned number."""
        if self.connection.route is not None:
            return
        for field, rule in (channel.fields or {}).items():
            if field in ("symbol", "interval") and rule.of == "request":
                self._lost_key(channel, field, rule)

    def _lost_key(self, channel: Channel, field: str, rule: FieldRule) -> None:
        text = f"messages don't say their {field}: with several subscriptions on '{channel.on}' it can't be told"
        self.findings.error("CEX055", rule.where or (*channel.where, "fields", field), text, "read it from the message, or learn a number from the ack")

    def _check_sync(self, channel: Channel) -> None:
        plan = book_plan(channel)
        if plan is not None and isinstance(plan.sync, tuple) and plan.sync[0] not in self.spec.rest:
            hint = nearest(plan.sync[0], list(self.spec.rest))
            self.findings.error("CEX059", (*channel.where, "sync", "rest"), f"no operation is called '{plan.sync[0]}'", hint)


def _conditions(message: Message) -> Iterator[tuple[Conditions, str]]:
    yield message.match, "match"
    yield message.shape, "shape"


def _window(rate: Window | None) -> WindowPlan | None:
    return WindowPlan(rate.rate, rate.per) if rate is not None else None
