"""A recipe with the keys of one account as two functions, written once and then only run.

    signature: {of: "{{ now | iso }}{{ method }}{{ target }}", digest: hmac-sha256, key: api_secret, encode: hex}
    headers: {X-KEY: "{{ api_key }}", X-SIGN: "{{ signature }}"}

becomes, for requests,

    def sign(request, base_url, moment):
        now = moment.now
        host, path = address(request.path, base_url)
        query, body, form = request.query, request.body, request.form
        v1 = iso(now)
        target = f'{path}?{query}' if query else path
        source = f'{v1}{request.method}{target}'
        signature = hexadecimal(digest(source.encode()))
        further = (('X-KEY', key), ('X-SIGN', signature), )
        ...
        return Signed(HttpRequest(request.method, request.path, query, body, headers, form), source, signature)

and for messages one that gives all these values by name. Credentials are names of such a function's own, never text of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cexspec.compile.auth.digests import ENCODERS, ENCODING, Digest
from cexspec.compile.auth.parameters import ADDRESS, Added, Pair, address, arranged, merged, raw, takes_form
from cexspec.compile.auth.values import StepPlan
from cexspec.compile.code import CodeWriter, Value
from cexspec.compile.filters import Filter
from cexspec.compile.holes import Hole, Text
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import Params
from cexspec.compile.recipe import Moment, Signed, readable
from cexspec.models.credentials import Credentials

SIGNATURE = "signature"
RECV_WINDOW = "recv_window"
MOMENT = ("now", "nonce", RECV_WINDOW)
EXPIRES = "expires"
_NAMES = {
    "HttpRequest": HttpRequest, "Signed": Signed, "address": address, "arranged": arranged, "encode": msgspec.json.encode,
    "merged": merged, "raw": raw, "readable": readable, "takes_form": takes_form,
}  # fmt: skip
_PARTS = {
    "query": "query",
    "raw_query": "raw_text",
    "target": "f'{path}?{query}' if query else path",
    "raw_target": "f'{path}?{raw_text}' if raw_text else path",
    "body": "form or body.decode() if form or body else ''",
    "params": "form or query",
}
"""Part of a request -> what it is."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A recipe for one account: `values` are made in order, each by its way, with the digest of its key."""

    credentials: Credentials
    values: tuple[tuple[str, StepPlan, Digest | None], ...]
    added: Added
    uses: frozenset[str]
    times: frozenset[str]
    expires: int | None
    """nanoseconds from now"""

    def sign(self) -> Callable[[HttpRequest, str, Moment], Signed]:
        """The function that signs requests."""
        code = RecipeWriter(self)
        with code.block("def sign(request, base_url, moment)"):
            code.moment()
            code.request()
            code.values()
            code.line(f"return {code.signed()}")
        found: Callable[[HttpRequest, str, Moment], Signed] = code.function("sign")
        return found

    def message(self) -> Callable[[Moment, Params], Mapping[str, Any]]:
        """The function that gives the values of a message."""
        code = RecipeWriter(self)
        with code.block("def message(moment, given)"):
            code.line("get = given.get")
            code.moment()
            code.values()
            code.line(f"return {code.named()}")
        found: Callable[[Moment, Params], Mapping[str, Any]] = code.function("message")
        return found


class RecipeWriter(CodeWriter):
    """Writes one function of a recipe."""

    in_form: str | bool = "takes_form(request)"
    """whether parameters go to the form, as an expression where it isn't known"""

    def __init__(self, ready: Ready) -> None:
        super().__init__()
        self.ready = ready
        self.names |= _NAMES | ENCODING
        self.bound |= {name: Value(self._secret(name, text), "text") for name, text in ready.credentials.items()}
        self._filtered: dict[tuple[str, tuple[Filter, ...]], Value] = {}
        self._digits: dict[str, str] = {}
        self._made: dict[str, str] = {}
        self._raw: set[str] = set()
        self._prehash = "''"
        self.empty: set[str] = set()
        """the parts of the request that are known to be empty"""

    def filtered(self, hole: Hole, value: Value) -> Value:
        """As it is written anywhere; what several texts hold is made once."""
        if not hole.filters:
            return value
        key = (hole.name, hole.filters)
        if key not in self._filtered:
            found = super().filtered(hole, value)
            self._filtered[key] = Value(self.made(found.code), found.kind)
        return self._filtered[key]

    def inside(self, value: Value, write: Callable[[object], str] | None = None) -> str:
        """A number is written once, however many texts hold it."""
        if value.kind != "integer" or value.text is not None:
            return super().inside(value, write)
        if value.code not in self._digits:
            self._digits[value.code] = self.made(f"f'{{{value.code}}}'")
        return f"{{{self._digits[value.code]}}}"

    def moment(self) -> None:
        """The times and the nonce."""
        for name in MOMENT:
            self.bind(name, f"moment.{name}")
        self.expires()

    def expires(self) -> None:
        """The time when it is too late, where the recipe has one."""
        if self.ready.expires is not None:
            self.bind(EXPIRES, f"now + {self.ready.expires}")

    def request(self) -> None:
        """The request with what is added before it is signed, and its parts as they go out."""
        uses = self.ready.uses
        self.addressed(uses)
        self.take()
        self._add()
        if uses & {"raw_query", "raw_target"}:
            self.line("raw_text = raw(query)")
        self.parts(uses & _PARTS.keys())

    def take(self) -> None:
        """The parts of the request as it comes."""
        self.line("query, body, form = request.query, request.body, request.form")

    def parts(self, names: frozenset[str]) -> None:
        """The parts that texts have holes for."""
        for name in sorted(names):
            self.bound[name] = Value(self.made(_PARTS[name]), "text")

    def addressed(self, uses: frozenset[str]) -> None:
        """What is known of a request before its parts."""
        if uses & {"host", "path", "target", "raw_target"}:
            self.line("host, path = address(request.path, base_url)")
        self.bound |= {name: Value("request.method" if name == "method" else name, "text") for name in ADDRESS}

    def values(self) -> None:
        """The values in order."""
        for name, step, digest in self.ready.values:
            source, binary = self.source(step)
            source = self.made(source)
            found = source
            if digest is not None or step.encode is not None:
                found = source if binary else f"{source}.encode()"
                found = f"{self.constant(digest)}({found})" if digest is not None else found
                encode = ENCODERS.get(step.encode) if step.encode is not None else None
                found, binary = (found, True) if encode is None else (encode.format(found), False)
                found = self.made(found)
            self.bound[name] = Value(found, "sure" if binary else "text")
            self._raw |= {name} if binary else set()
            self._made[name] = found
            if name == SIGNATURE:
                self._prehash = source

    def source(self, step: StepPlan) -> tuple[str, bool]:
        """What is digested or encoded, as an expression, and whether it is bytes."""
        of = step.source
        if isinstance(of, Text):
            return self.text_of(of), False
        if isinstance(of, list):
            return " + ".join(map(self.bytes_of, of)) or "b''", True
        return f"encode({self.tree(of)}).decode()", False

    def bytes_of(self, part: Text) -> str:
        """The bytes of a text, as an expression."""
        hole = part.whole
        if hole is not None and hole.name in self._raw:
            return self.bound[hole.name].code
        known = self.filtered(hole, self.needed(hole)).text if hole is not None else None
        if known is not None:
            return repr(known.encode())
        return f"({self.text_of(part)}).encode()"

    def signed(self) -> str:
        """The signed request, as an expression."""
        added = self.ready.added
        self.put_last()
        self.line(f"own, further = request.headers, {self._pairs(added.headers)}")
        self.line(f"fit = {self.constant(added.fitting())}(own, bool(form))")
        self.line("headers = (*own, *further) if fit is None else fit(own, further)")
        request = "HttpRequest(request.method, request.path, query, body, headers, form)"
        return f"Signed({request}, {self._prehash}, {self._made.get(SIGNATURE, repr(''))})"

    def put_last(self) -> None:
        """What the signature goes into."""
        self._put((), self.ready.added.last)

    def named(self) -> str:
        """All values by name, as an expression."""
        times = [*MOMENT, *((EXPIRES,) if self.ready.expires is not None else ())]
        known = ", ".join(f"{name!r}: {code}" for name, code in {**{name: name for name in times}, **self._made}.items())
        return f"{{'prehash': readable({self._prehash}), **given, **{self.constant(dict(self.ready.credentials))}, {known}}}"

    def bind(self, name: str, code: str, kind: Any = "integer") -> None:
        """From here on a hole holds what an expression gives."""
        self.line(f"{name} = {code}")
        self.bound[name] = Value(name, kind)

    def _secret(self, name: str, text: str) -> str:
        self.names[f"credential_{name}"] = text
        return f"credential_{name}"

    def _add(self) -> None:
        added = self.ready.added
        anything = added.before or added.behind or added.last or added.sort
        if anything and added.into == "params" and isinstance(self.in_form, str):
            self.line(f"in_form = {self.in_form}")
        self._put(added.before, added.behind, sort=added.sort)

    def _put(self, before: Sequence[Pair], behind: Sequence[Pair], *, sort: bool = False) -> None:
        """Put parameters around those that are there."""
        into = self.ready.added.into
        if not (before or behind or sort):
            return
        if into == "body":
            self.line(f"body = merged(body, {self._pairs(before)}, {self._pairs(behind)})")
            return
        first, last = (self.inside_query((pair.name, pair.text) for pair in pairs).removeprefix("&") for pairs in (before, behind))
        if into == "query" or isinstance(self.in_form, bool):
            self._put_into("form" if into != "query" and self.in_form else "query", first, last, sort)
            return
        with self.block("if in_form"):
            self._put_into("form", first, last, sort)
        with self.block("else"):
            self._put_into("query", first, last, sort)

    def _put_into(self, part: str, first: str, last: str, sort: bool) -> None:
        """Put parameters, as insides of f-strings, around those of a part."""
        whole, alone = (self.literal("&".join(filter(None, texts))) for texts in ((first, f"{{{part}}}", last), (first, last)))
        if first or last:
            self.line(f"{part} = {alone}" if part in self.empty else f"{part} = {whole} if {part} else {alone}")
            self.empty -= {part}
        if sort:
            self.line(f"{part} = arranged({part})")

    def _pairs(self, pairs: Iterable[Pair]) -> str:
        return f"({''.join(f'({pair.name!r}, {self.text_of(pair.text)}), ' for pair in pairs)})"
