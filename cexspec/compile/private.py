"""What private connections fill in: the values of a recipe in messages, and what REST gave before connecting in URLs as well."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from cexspec.compile.auth.recipes import compile_recipe
from cexspec.compile.auth.section import check_recipe, compile_credentials
from cexspec.compile.checks import nearest
from cexspec.compile.code import NOTHING
from cexspec.compile.errors import compile_errors
from cexspec.compile.filters import as_text
from cexspec.compile.hole import NO_JSON
from cexspec.compile.holes import Text, parse_text
from cexspec.compile.lookups import Lookup, compile_lookup, text_at
from cexspec.compile.plan import ErrorPlan, Json, Params
from cexspec.compile.socket_plan import BootstrapPlan, GreetPlan
from cexspec.compile.templates import Template, compile_tree, text_filler
from cexspec.models import AuthenticationError, DecodeError, ExchangeError, NotSupported
from cexspec.spec.model import Bootstrap, Connection, ExchangeSpec
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position, Where

SIGNED = frozenset({"now", "nonce", "expires", "recv_window", "signature"})
"""Holes that most recipes fill, besides credentials."""


def signed_holes(recipe: str | None, spec: ExchangeSpec, findings: Findings, where: Where) -> frozenset[str]:
    """The holes of a message that a recipe signs. Finds CEX100 (no such recipe) and CEX120 (it signs requests alone)."""
    check_recipe(recipe, spec, findings, where)
    if recipe is None or spec.auth is None:
        return NOTHING
    if recipe not in spec.auth.recipes:
        return SIGNED | compile_credentials(spec.auth).keys()
    elsewhere = Findings(findings.position)  # what is wrong with the recipe itself is said once, where it stands
    plan = compile_recipe(recipe, spec.auth, spec.id, compile_credentials(spec.auth), elsewhere)
    if plan.of_requests:
        text = f"'{recipe}' signs parts of a request, and a message has none of them"
        findings.error("CEX120", where, text, "name a recipe of its own for messages")
    return plan.offers


def needed(template: Template | None, spec: ExchangeSpec) -> frozenset[str]:
    """The credentials that a message holds and can't do without."""
    every, optional = frozenset(compile_credentials(spec.auth)), optional_credentials(spec)
    return template.holes & (every - optional) if template is not None else NOTHING


def optional_credentials(spec: ExchangeSpec) -> frozenset[str]:
    """Those that only some customers have: keys that hold one are left out else."""
    return frozenset(one.name for one in compile_credentials(spec.auth).values() if one.optional)


def public_credentials(spec: ExchangeSpec) -> frozenset[str]:
    """The credentials that are no secret: a topic may hold them."""
    return frozenset(one.name for one in compile_credentials(spec.auth).values() if one.public)


def bootstrapped(connection: Connection) -> frozenset[str]:
    """The values that REST gives before connecting."""
    return frozenset(connection.bootstrap.take) if connection.bootstrap is not None else NOTHING


def recipes_of(connection: Connection, spec: ExchangeSpec) -> frozenset[str]:
    """The recipes without whose credentials nothing can be had on a connection."""
    greet, bootstrap = connection.greet, connection.bootstrap
    operation = spec.rest.get(bootstrap.operation) if bootstrap is not None else None
    named = (
        greet.recipe if greet is not None else None,
        operation.auth if operation is not None else None,
        connection.subscribe.recipe,
        connection.unsubscribe.recipe,
    )
    return frozenset(name for name in named if name is not None)


def compile_greet(connection: Connection, spec: ExchangeSpec, errors: ErrorPlan, findings: Findings) -> GreetPlan | None:
    """What is sent or awaited first. `errors` reads refusals where the greeting doesn't say how."""
    greet = connection.greet
    if greet is None:
        return None
    allowed = bootstrapped(connection) | signed_holes(greet.recipe, spec, findings, (*greet.where, "recipe"))
    where = (*greet.where, "send")
    template = compile_tree(greet.send, allowed, findings, where, optional_credentials(spec)) if greet.send is not None else None
    own = compile_errors(greet.errors, spec.id, findings) if greet.errors is not None else errors
    return GreetPlan(
        recipe=greet.recipe,
        send=_filled(template),
        expects=greet.expect is not None,
        error=lambda frame: _refusal(own.message(frame)),
        credentials=needed(template, spec),
    )


def _filled(template: Template | None) -> Callable[[Params], bytes] | None:
    return None if template is None else lambda values: encode(template.fill(values))


def _refusal(error: ExchangeError | None) -> ExchangeError:
    """What a refused login means: that it is not believed, where the venue's code says nothing else."""
    error = error or ExchangeError("refused")
    if type(error) is not ExchangeError:
        return error
    return AuthenticationError(error.message, exchange=error.exchange, code=error.code, endpoint=error.endpoint, raw=error.raw)


def compile_bootstrap(bootstrap: Bootstrap | None, spec: ExchangeSpec, findings: Findings) -> BootstrapPlan | None:
    """The REST call before connecting, and what it gives."""
    if bootstrap is None:
        return None
    keep = bootstrap.keep
    named = [(bootstrap.operation, bootstrap.where), *([(keep.operation, keep.where)] if keep is not None else [])]
    for name, where in named:
        if name not in spec.rest:
            findings.error("CEX059", (*where, "operation"), f"no operation is called '{name}'", nearest(name, list(spec.rest)))
    lookups = {name: compile_lookup(path, findings, (*bootstrap.where, "take", name)) for name, path in bootstrap.take.items()}
    return BootstrapPlan(
        operation=bootstrap.operation,
        take=lambda body: _taken(lookups, body, spec.id, bootstrap.operation),
        keep=keep.operation if keep is not None else None,
        every=keep.every if keep is not None else None,
    )


def _taken(lookups: dict[str, Lookup], body: bytes, exchange: str, operation: str) -> dict[str, str]:
    try:
        document = msgspec.json.decode(body)
    except NO_JSON as error:
        raise DecodeError(f"no JSON: {error}", exchange=exchange, channel=operation) from None
    found: dict[str, str] = {}
    for name, lookup in lookups.items():
        text = text_at(lookup, document)
        if text is None:
            raise DecodeError(f"the answer holds no {name}", exchange=exchange, channel=operation)
        found[name] = text
    return found


def compile_url(url: str, allowed: frozenset[str], findings: Findings, where: Where) -> Callable[[Params], str]:
    """A connection's URL: values are percent-encoded, but for one that it begins with."""
    first, *others = parse_text(url, allowed, findings, where).parts or ("",)
    begin, rest = text_filler(Text((first,))), text_filler(Text(tuple(others)), _encoded)
    return lambda values: begin(values) + rest(values)


def _encoded(value: object) -> str:
    return quote(as_text(value), safe="")


def check_urls(name: str, connection: Connection, spec: ExchangeSpec, findings: Findings) -> None:
    """The holes of a connection's URLs are what REST gives before connecting. Finds CEX049."""
    for environment, hosts in spec.environments.items():
        if name in hosts.ws:
            compile_url(hosts.ws[name], bootstrapped(connection), findings, ("environments", environment, "ws", name))


def fill_url(url: str, values: Params) -> str:
    """The URL of an environment with these values. Raises `NotSupported` for a hole that nothing fills."""
    findings = Findings(lambda where: Position("environment", 1, 1))
    fill = compile_url(url, frozenset(values), findings, ())
    if findings.errors:
        raise NotSupported(f"the URL {url}: {findings.errors[0].message}")
    return fill(values)


def encode(message: Json) -> bytes:
    """A frame: plain text as it is, anything else as JSON."""
    return message.encode() if isinstance(message, str) else msgspec.json.encode(message)
