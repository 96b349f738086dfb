"""The requests of one operation, signed with the keys of one account, as one function: what they have in common is in it already.

    def outgoing(request, timeout):
        nonce = next_nonce(time_ns())
        query, body, form = '', request.body, ''
        v1 = f'{nonce}'
        signature = hexadecimal(digest(f'/v1/order{v1}'.encode() + body))
        headers = (('User-Agent', 'me'), ('X-KEY', key), ('X-NONCE', v1), ('X-SIGN', signature), )
        return make('POST', 'https://api.example.com/v1/order', headers, body, timeout)

It is the function of `signing` but for its begin and its end, and for bodies, which are digested as the bytes that are sent.
"""

from __future__ import annotations

from itertools import groupby

from cexspec.compile.auth.parameters import ADDRESS, BODIES, address
from cexspec.compile.auth.signing import EXPIRES, RECV_WINDOW, Ready, RecipeWriter
from cexspec.compile.auth.values import StepPlan
from cexspec.compile.code import Value
from cexspec.compile.holes import Hole, Text
from cexspec.compile.http_request import FORM_BODY, PARTS, Pairs
from cexspec.compile.recipe import Make, Outgoing, Passage, Watch

_BODY = "body"


def outgoing(ready: Ready, passage: Passage, recv_window: int, make: Make, watch: Watch) -> Outgoing:
    """The function that signs the requests of a passage by a recipe, at the time of `watch`, and hands them to `make`."""
    code = _OutgoingWriter(ready, passage, recv_window, watch)
    with code.block("def outgoing(request, timeout)"):
        code.moment()
        code.request()
        code.values()
        code.put_last()
        code.line(f"return {code.sent(make)}")
    found: Outgoing = code.function("outgoing")
    return found


class _OutgoingWriter(RecipeWriter):
    """Writes the function of one operation."""

    def __init__(self, ready: Ready, passage: Passage, recv_window: int, watch: Watch) -> None:
        super().__init__(ready)
        self._passage, self._recv_window, self._watch = passage, recv_window, watch
        self.in_form = self._to_form()
        self._digested: str | None = None
        """the variable of the bytes that are digested"""

    def moment(self) -> None:
        """The times and the nonce, as far as they are used, of which only the window is known now."""
        used, time = self.ready.times, f"{self.constant(self._watch.time_ns)}()"
        if used & {"now", EXPIRES}:
            time = self.made(time)
            self.bind("now", f"{time} + ({self.constant(self._watch)}.offset or 0)")
        if "nonce" in used:
            self.bind("nonce", f"{self.constant(self._watch.next_nonce)}({time})")
        self.bound[RECV_WINDOW] = Value(repr(self._recv_window), "integer", str(self._recv_window))
        self.expires()

    def addressed(self, uses: frozenset[str]) -> None:
        """Method and host are known, and the path where it has no holes."""
        passage = self._passage
        host, path = address(passage.path or "", passage.base_url)
        known = {"method": passage.method, "host": host, **({"path": path} if passage.path is not None else {})}
        self.bound |= {name: Value.constant(known[name]) if name in known else Value(name, "text") for name in ADDRESS}
        if uses & {"path", "target", "raw_target"}:
            self.line(f"path = {path!r}" if passage.path is not None else f"path = {path!r} + request.path")

    def take(self) -> None:
        """The parts of the request that it may have; the others are empty."""
        carried, empty = self._passage.carries, {"query": "''", "body": "None", "form": "''"}
        self.line(f"{', '.join(PARTS)} = {', '.join(f'request.{name}' if name in carried else empty[name] for name in PARTS)}")
        self.empty.update(set(PARTS) - carried)

    def parts(self, names: frozenset[str]) -> None:
        """A body that is only digested is no text, and an empty query is known."""
        if "query" in self.empty:
            self.bound |= {"query": Value.constant(""), "target": self.bound["path"]}
        unknown = names - self.bound.keys()
        super().parts(unknown if self._body_is_text() else unknown - {_BODY})

    def _body_is_text(self) -> bool:
        added = self.ready.added
        holes = [pair.holes for pairs in (added.before, added.behind, added.last, added.headers) for pair in pairs]
        holes += [step.holes for _, step, _ in self.ready.values if _around_body(step) is None]
        return any(_BODY in one for one in holes)

    def source(self, step: StepPlan) -> tuple[str, bool]:
        """Of a text with the body in it the bytes."""
        around = _around_body(step)
        if around is None or _BODY in self.bound:
            return super().source(step)
        if self._digested is None:
            self._digested = self.made(self._payload("body or b''"))
        return " + ".join(self._digested if part is None else self.bytes_of(part) for part in around), True

    def sent(self, make: Make) -> str:
        """What is sent, as an expression."""
        passage = self._passage
        url = repr(passage.base_url + passage.path) if passage.path is not None else f"{passage.base_url!r} + request.path"
        if "query" not in self.empty:
            url = self.made(url)
            self.line(f"if query: {url} = f'{{{url}}}?{{query}}'")
        plain, tailed = self._headers(form=False), self._headers(form=True)
        headers = plain if plain == tailed or "form" in self.empty else f"{tailed} if form else {plain}"
        return f"{self.constant(make)}({passage.method!r}, {url}, {headers}, {self._sent_payload()}, timeout)"

    def _to_form(self) -> str | bool:
        """Whether further parameters go to the form: as an expression where it depends on the request."""
        carried = self._passage.carries
        if self._passage.method not in BODIES:
            return "bool(form)" if "form" in carried else False
        return True if carried <= {"form"} else "bool(form) or (body is None and not query)"

    def _payload(self, body: str) -> str:
        """The bytes of the form, else of the body, as an expression."""
        return body if "form" in self.empty else f"form.encode() if form else {body}"

    def _sent_payload(self) -> str:
        if self._digested is None or "form" in self.empty or self.ready.added.last:
            return self._payload("body")
        return f"{self._digested} or None"

    def _headers(self, *, form: bool) -> str:
        """All headers of a request with or without a form, as an expression."""
        own = self._passage.headers
        named = {name.lower() for name, _ in own}
        further = [pair for pair in self.ready.added.headers if pair.name.lower() not in named]
        laid = dict(_constants(self._passage.common) + _constants(own)) | {pair.name: self.text_of(pair.text) for pair in further}
        if form and FORM_BODY[0].lower() not in named | {pair.name.lower() for pair in further}:
            laid |= dict(_constants((FORM_BODY,)))
        return f"({''.join(f'({name!r}, {code}), ' for name, code in laid.items())})"


def _constants(headers: Pairs) -> list[tuple[str, str]]:
    """Headers with the code of their values."""
    return [(name, repr(value)) for name, value in headers]


def _around_body(step: StepPlan) -> list[Text | None] | None:
    """The texts before, between and behind the bodies (each None) in what becomes bytes.

    None where there is no body, or one that isn't as it is sent.
    """
    if not isinstance(step.source, Text) or (step.digest is None and step.encode is None):
        return None
    if any(hole.name == _BODY and hole.filters for hole in step.source.holes):
        return None
    groups = [(is_body, tuple(parts)) for is_body, parts in groupby(step.source.parts, _is_body)]
    found = [text for is_body, parts in groups for text in ([None] * len(parts) if is_body else [Text(parts)])]
    return found if None in found else None


def _is_body(part: str | Hole) -> bool:
    return isinstance(part, Hole) and part.name == _BODY
