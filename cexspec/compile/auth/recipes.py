"""A recipe of a spec, compiled to a `RecipePlan`: its own parameters, values in order, the signature, headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cexspec.compile.auth.hooked import compile_hooked
from cexspec.compile.auth.keys import read_key
from cexspec.compile.auth.parameters import ADDRESS, PARTS, Added, Pair, address, parts
from cexspec.compile.auth.slots import Slots
from cexspec.compile.auth.values import Holes, Make, Piece, ValuePlan, compile_value
from cexspec.compile.holes import parse_text
from cexspec.compile.plan import CredentialPlan, HttpRequest, Params
from cexspec.compile.recipe import Moment, RecipePlan, Signed
from cexspec.models import AuthenticationError
from cexspec.models.credentials import Credentials
from cexspec.spec.model.auth import Auth, Recipe, Value
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

SIGNATURE = "signature"
RECV_WINDOW = "recv_window"
MOMENT = frozenset({"now", "nonce", RECV_WINDOW})
EXPIRES = "expires"
_SECOND = 1_000_000_000


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
        self.times = MOMENT | ({EXPIRES} if recipe.expires is not None else frozenset())
        self.early = credentials | self.times | ADDRESS | self.given
        self.used: set[str] = set()
        self.slots = Slots()

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
        signer = _Signer(
            exchange=exchange,
            recipe=name,
            needs=needs,
            slots=self.slots,
            optional=frozenset(self.used) & self.credentials - needs,
            values=values,
            added=Added(before, behind, last, headers, recipe.into, recipe.sort),
            parts=frozenset(self.used) & PARTS,
            address=frozenset(self.used) & ADDRESS,
            expires=round(recipe.expires * _SECOND) if recipe.expires is not None else None,
        )
        return RecipePlan(
            name=name,
            needs=needs,
            sign=signer.sign,
            values=signer.message,
            position=self.findings.position(where),
            docs=docs,
            offers=self.credentials | self.times | self.given | {value.name for value in values if not value.raw},
            given=self.given,
            of_requests=bool(self.used & (PARTS | ADDRESS)),
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
            found.append(Pair(name, self.slots.fill(parsed), frozenset(holes)))
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
            value = compile_value(name, node, self.credentials, holes, self.slots, self.findings)
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


@dataclass(slots=True)
class _Ready:
    """A recipe with the keys of one account."""

    credentials: Credentials
    values: dict[Any, Any]
    makers: tuple[tuple[str, Make], ...]
    added: Added


class _Signer:
    """Signs by a recipe. Keys are read once for each account: the last one's are kept."""

    def __init__(
        self,
        exchange: str,
        recipe: str,
        needs: frozenset[str],
        slots: Slots,
        optional: frozenset[str],
        values: tuple[ValuePlan, ...],
        added: Added,
        parts: frozenset[str],
        address: frozenset[str],
        expires: int | None,
    ) -> None:
        self._exchange, self._recipe, self._needs, self._optional = exchange, recipe, needs, optional
        self._values, self._added = values, added
        self._parts, self._address, self._expires, self._slots = parts, address, expires, slots
        self._ready: _Ready | None = None

    def sign(self, request: HttpRequest, base_url: str, credentials: Credentials, moment: Moment) -> Signed:
        """A request as it goes out."""
        ready = self._made_ready(credentials)
        values = self._begun(ready, moment)
        host, path = address(request, base_url)
        put = self._slots.put
        for name, text in (("method", request.method), ("host", host), ("path", path)):
            if name in self._address:
                put(values, name, text)
        added = ready.added
        place = added.place(request)
        request = added.extended(request, place, values)
        if self._parts:
            for name, text in parts(request, path, self._parts).items():
                put(values, name, text)
        prehash = self._fill(ready.makers, values)
        return Signed(added.completed(request, place, values), prehash, values.get(SIGNATURE, ""))

    def message(self, credentials: Credentials, moment: Moment, given: Params) -> Mapping[str, Any]:
        """The values of the holes of a message."""
        ready = self._made_ready(credentials)
        values = self._begun(ready, moment)
        for name, value in given.items():
            if name not in values:
                self._slots.put(values, name, value)
        prehash = self._fill(ready.makers, values)
        return {"prehash": prehash, **{name: value for name, value in values.items() if name.isidentifier()}}

    def _begun(self, ready: _Ready, moment: Moment) -> dict[Any, Any]:
        values, put = ready.values.copy(), self._slots.put
        put(values, "now", moment.now)
        put(values, "nonce", moment.nonce)
        put(values, RECV_WINDOW, moment.recv_window)
        if self._expires is not None:
            put(values, EXPIRES, moment.now + self._expires)
        return values

    def _made_ready(self, credentials: Credentials) -> _Ready:
        ready = self._ready
        if ready is None or ready.credentials is not credentials:
            ready = self._ready = self._prepare(credentials)
        return ready

    def _prepare(self, credentials: Credentials) -> _Ready:
        """Raises `AuthenticationError` for what is missing or no such key."""
        missing = sorted(self._needs - credentials.keys())
        if missing:
            raise AuthenticationError(f"the recipe '{self._recipe}' needs {', '.join(missing)}", exchange=self._exchange)
        absent = set(self._optional - credentials.keys())
        makers = []
        for value in self._values:
            if absent & (value.holes | ({value.key[0]} if value.key is not None else set())):
                absent.add(value.name)
            else:
                makers.append((value.name, self._bound(value, credentials)))
        return _Ready(credentials, self._slots.begun(credentials), tuple(makers), self._added.without(frozenset(absent)))

    def _bound(self, value: ValuePlan, credentials: Credentials) -> Make:
        if value.key is None:
            return value.bound({})
        name, decode = value.key
        try:
            return value.bound({value.key: read_key(name, credentials[name], decode, value.kinds)})
        except AuthenticationError as error:
            raise AuthenticationError(error.message, exchange=self._exchange) from None

    def _fill(self, makers: tuple[tuple[str, Make], ...], values: dict[Any, Any]) -> str:
        """Make the values in order, and tell what was signed."""
        signed: Piece = ""
        for name, make in makers:
            made, value = make(values)
            self._slots.put(values, name, value)
            if name == SIGNATURE:
                signed = made
        return signed if isinstance(signed, str) else signed.decode(errors="backslashreplace")
