"""A recipe of a spec, compiled to a `RecipePlan`: its own parameters, values in order, the signature, headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cexspec.compile.auth.digests import Digest, digest_function, key_kind
from cexspec.compile.auth.hooked import compile_hooked
from cexspec.compile.auth.keys import read_key
from cexspec.compile.auth.outgoing import outgoing
from cexspec.compile.auth.parameters import ADDRESS, PARTS, Added, Pair
from cexspec.compile.auth.signing import EXPIRES, MOMENT, RECV_WINDOW, SIGNATURE, Ready
from cexspec.compile.auth.values import Holes, StepPlan, ValuePlan, compile_value
from cexspec.compile.exchange_plan import CredentialPlan
from cexspec.compile.holes import parse_text
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import Params
from cexspec.compile.recipe import Make, Moment, Outgoing, Passage, RecipePlan, Signed, Watch
from cexspec.models import AuthenticationError
from cexspec.models.credentials import Credentials
from cexspec.spec.model.auth import Auth, Recipe, Value
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RecipeParts:
    """What a recipe does, whoever signs: `uses` are the parts of a request that it reads, `times` what it asks of the moment, and
    `expires` nanoseconds from now.
    """

    values: tuple[ValuePlan, ...]
    added: Added
    uses: frozenset[str]
    times: frozenset[str]
    expires: int | None


def compile_recipe(name: str, auth: Auth, exchange: str, credentials: Mapping[str, CredentialPlan], findings: Findings) -> RecipePlan:
    """Compile one recipe; what is wrong goes to `findings`."""
    recipe, docs = auth.recipes[name], auth.docs
    if recipe.hook is not None:
        return compile_hooked(name, recipe, recipe.docs or docs, exchange, findings)
    compiler = _Compiler(recipe, frozenset(credentials), findings)
    plan = compiler.plan(name, recipe.docs or docs, exchange, credentials)
    if RECV_WINDOW in compiler.used:
        _ = auth.recv_window  # read: some recipe sends it
    return plan


class _Compiler:
    """Compiles the texts of a recipe, and remembers which holes they have."""

    def __init__(self, recipe: Recipe, credentials: frozenset[str], findings: Findings) -> None:
        self.recipe, self.credentials, self.findings = recipe, credentials, findings
        self.given = frozenset(recipe.given)
        self.times = frozenset(MOMENT) | ({EXPIRES} if recipe.expires is not None else frozenset())
        self.early = credentials | self.times | ADDRESS | self.given
        self.used: set[str] = set()

    def plan(self, name: str, docs: str | None, exchange: str, credentials: Mapping[str, CredentialPlan]) -> RecipePlan:
        """The recipe's plan."""
        recipe, where = self.recipe, self.recipe.where
        before = self.pairs(recipe.add, self.early, (*where, "add"))
        behind = self.pairs(recipe.append, self.early, (*where, "append"))
        values, raw = self.values()
        late = self.early | PARTS | {value.name for value in values}
        headers = self.pairs(recipe.headers, late, (*where, "headers"), raw)
        last = self.pairs(recipe.sign_into, late, (*where, "sign_into"), raw)
        self.check_names(values)
        needs = frozenset(self.used) & frozenset(one.name for one in credentials.values() if not one.optional)
        parts = RecipeParts(
            values=values,
            added=Added(before, behind, last, headers, recipe.into, recipe.sort),
            uses=frozenset(self.used) & (PARTS | ADDRESS),
            times=frozenset(self.used) & self.times,
            expires=round(recipe.expires * _SECOND) if recipe.expires is not None else None,
        )
        signer = _Signer(exchange, name, needs, frozenset(self.used) & self.credentials - needs, parts)
        return RecipePlan(
            name=name,
            needs=needs,
            sign=signer.sign,
            values=signer.message,
            outgoing=signer.outgoing,
            position=self.findings.position(where),
            docs=docs,
            offers=self.credentials | self.times | self.given | {value.name for value in values if not value.raw},
            given=self.given,
            of_requests=bool(self.used & (PARTS | ADDRESS)),
            counted="nonce" in self.used,
        )

    def pairs(self, texts: Mapping[str, str], allowed: frozenset[str], where: Where, raw: frozenset[str] = frozenset()) -> tuple[Pair, ...]:
        """Parameters or headers, compiled."""
        found = []
        for name, text in texts.items():
            parsed = parse_text(text, allowed, self.findings, (*where, name))
            holes = {hole.name for hole in parsed.holes}
            for hole in sorted(holes & raw):
                self.findings.error("CEX104", (*where, name), f"'{hole}' is bytes, which no text can hold", "encode: base64")
            self.used |= holes
            found.append(Pair(name, parsed, frozenset(holes)))
        return tuple(found)

    def values(self) -> tuple[tuple[ValuePlan, ...], frozenset[str]]:
        """The values in order, the signature last; and the names of those that are bytes."""
        nodes: dict[str, Value] = dict(self.recipe.values)
        if self.recipe.signature is not None:
            nodes[SIGNATURE] = self.recipe.signature
        found: list[ValuePlan] = []
        raw: frozenset[str] = frozenset()
        for at, (name, node) in enumerate(nodes.items()):
            later = frozenset(list(nodes)[at:])
            holes = Holes(self.early | PARTS | frozenset(nodes), later, raw)
            value = compile_value(name, node, self.credentials, holes, self.findings)
            found.append(value)
            self.used |= value.holes | ({value.key[0]} if value.key is not None else set())
            raw |= {name} if value.raw else frozenset()
        return tuple(found), raw

    def check_names(self, values: tuple[ValuePlan, ...]) -> None:
        """A value has a name of its own, and somebody uses it."""
        for value in values:
            at = (*self.recipe.where, "values", value.name)
            if value.name in self.early | PARTS or (value.name == SIGNATURE and SIGNATURE in self.recipe.values):
                self.findings.error("CEX105", at, f"'{value.name}' already stands for something here", "give the value another name")


class _Signer:
    """Signs by a recipe. Keys are read and the functions written once for each account: the last one's are kept."""

    def __init__(self, exchange: str, recipe: str, needs: frozenset[str], optional: frozenset[str], parts: RecipeParts) -> None:
        self._exchange, self._recipe, self._needs, self._optional, self._parts = exchange, recipe, needs, optional, parts
        self._signs: Credentials | None = None
        self._tells: Credentials | None = None
        self._sign: Callable[[HttpRequest, str, Moment], Signed]
        self._message: Callable[[Moment, Params], Mapping[str, Any]]

    def sign(self, request: HttpRequest, base_url: str, credentials: Credentials, moment: Moment) -> Signed:
        """A request as it goes out."""
        if self._signs is not credentials:
            self._sign, self._signs = self._ready(credentials).sign(), credentials
        return self._sign(request, base_url, moment)

    def outgoing(self, passage: Passage, credentials: Credentials, recv_window: int, make: Make, watch: Watch) -> Outgoing:
        """The function that signs the requests of one operation."""
        return outgoing(self._ready(credentials), passage, recv_window, make, watch)

    def message(self, credentials: Credentials, moment: Moment, given: Params) -> Mapping[str, Any]:
        """The values of the holes of a message."""
        if self._tells is not credentials:
            self._message, self._tells = self._ready(credentials).message(), credentials
        return self._message(moment, given)

    def _ready(self, credentials: Credentials) -> Ready:
        """The recipe with the keys of an account. Raises `AuthenticationError` for what is missing or no such key."""
        missing = sorted(self._needs - credentials.keys())
        if missing:
            raise AuthenticationError(f"the recipe '{self._recipe}' needs {', '.join(missing)}", exchange=self._exchange)
        absent = set(self._optional - credentials.keys())
        values = []
        for value in self._parts.values:
            if absent & (value.holes | ({value.key[0]} if value.key is not None else set())):
                absent.add(value.name)
            else:
                values.append((value.name, *self._keyed(value, credentials)))
        parts = self._parts
        return Ready(credentials, tuple(values), parts.added.without(frozenset(absent)), parts.uses, parts.times, parts.expires)

    def _keyed(self, value: ValuePlan, credentials: Credentials) -> tuple[StepPlan, Digest | None]:
        """The way of the key in hand, and its digest."""
        key = None
        if value.key is not None:
            name, decode = value.key
            try:
                key = read_key(name, credentials[name], decode, value.kinds)
            except AuthenticationError as error:
                raise AuthenticationError(error.message, exchange=self._exchange) from None
        step = value.steps[key.kind if key is not None else None]
        if step.digest is None:
            return step, None
        return step, digest_function(step.digest, key if key_kind(step.digest) else None)
