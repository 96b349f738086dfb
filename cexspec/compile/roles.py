"""Roles: the messages of a connection that carry no data, in the order in which the router tries them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cexspec.compile.conditions import Conditions
from cexspec.compile.disjoint import disjoint
from cexspec.compile.socket_plan import Verdict
from cexspec.spec.model import Connection, Subscribe
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where


@dataclass(frozen=True)
class RoleAt:
    """A role: what it is, how its messages look, and where the spec says so. `named`: under `roles`, by a name of its own."""

    verdict: Verdict
    match: Conditions
    where: Where
    named: bool = False


def compile_roles(connection: Connection) -> Iterator[RoleAt]:
    """Keepalives, greetings and answers come before the roles that the spec names."""
    keepalive, greet = connection.keepalive, connection.greet
    if isinstance(keepalive.expect, dict):
        yield RoleAt(Verdict("pong", reason="pong"), keepalive.expect, (*keepalive.where, "expect"))
    if keepalive.answer is not None:
        yield RoleAt(Verdict("ping", reason="ping"), keepalive.answer.match, (*keepalive.answer.where, "match"))
    if greet is not None and greet.expect is not None:
        yield RoleAt(Verdict("greeting", reason="greeting"), greet.expect, (*greet.where, "expect"))
    if greet is not None and greet.failed is not None:
        yield RoleAt(Verdict("denial", reason="refusal of the greeting"), greet.failed, (*greet.where, "failed"))
    yield from _answers("subscribe", connection.subscribe)
    yield from _answers("unsubscribe", connection.unsubscribe)
    for name, role in connection.roles.items():
        verdict = Verdict(role.role, reason=role.reason or name, reconnect=role.reconnect)
        yield RoleAt(verdict, role.match, (*role.where, "match"), named=True)


def _answers(verb: Literal["subscribe", "unsubscribe"], how: Subscribe) -> Iterator[RoleAt]:
    if how.ack is not None:
        yield RoleAt(Verdict("ack", reason=f"ack of {verb}", verb=verb), how.ack, (*how.where, "ack"))
    if how.failed is not None:
        yield RoleAt(Verdict("refusal", reason=f"refusal of {verb}", verb=verb), how.failed, (*how.where, "failed"))


def role_overlaps(roles: list[RoleAt], findings: Findings) -> None:
    """Find named roles that a message could have both of."""
    named = [role for role in roles if role.named]
    for at, role in enumerate(named):
        for other in named[:at]:
            if not disjoint(role.match, other.match):
                text = f"a message can match both this and '{other.verdict.reason}'"
                findings.error("CEX054", role.where, text, "add a condition that only one of them meets")
