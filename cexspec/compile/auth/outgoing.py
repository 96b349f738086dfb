"""The requests of one operation, signed with the keys of one account, as one function: what they have in common is in it already.

    def outgoing(request, now, nonce, timeout):
        query, body, form = request.query, request.body, request.form
        ...
        signature = hexadecimal(digest(source.encode()))
        headers = (('User-Agent', 'me'), ('X-KEY', key), ('X-SIGN', signature), )
        return make('POST', 'https://api.example.com/v1/order', headers, form.encode() if form else body, timeout)

It is the function of `signing` but for its begin and its end.
"""

from __future__ import annotations

from cexspec.compile.auth.parameters import ADDRESS, BODIES, address
from cexspec.compile.auth.signing import RECV_WINDOW, Ready, RecipeWriter
from cexspec.compile.code import Value
from cexspec.compile.http_request import FORM_BODY, Pairs
from cexspec.compile.recipe import Make, Outgoing, Passage


def outgoing(ready: Ready, passage: Passage, recv_window: int, make: Make) -> Outgoing:
    """The function that signs the requests of a passage by a recipe, and hands them to `make`."""
    code = _OutgoingWriter(ready, passage, recv_window)
    with code.block("def outgoing(request, now, nonce, timeout)"):
        code.moment()
        code.request()
        code.values()
        code.put_last()
        code.line(f"return {code.sent(make)}")
    found: Outgoing = code.function("outgoing")
    return found


class _OutgoingWriter(RecipeWriter):
    """Writes the function of one operation."""

    def __init__(self, ready: Ready, passage: Passage, recv_window: int) -> None:
        super().__init__(ready)
        self._passage, self._recv_window = passage, recv_window
        self.in_form = "bool(form) or (body is None and not query)" if passage.method in BODIES else "bool(form)"

    def moment(self) -> None:
        """The times and the nonce, of which only the window is known now."""
        self.bound |= {name: Value(name, "integer") for name in ("now", "nonce")}
        self.bound[RECV_WINDOW] = Value(repr(self._recv_window), "integer", str(self._recv_window))
        self.expires()

    def addressed(self, uses: frozenset[str]) -> None:
        """Method and host are known, and the path where it has no holes."""
        passage = self._passage
        host, path = address(passage.path or "", passage.base_url)
        known = {"method": passage.method, "host": host, **({"path": path} if passage.path is not None else {})}
        self.bound |= {name: Value.constant(known[name]) if name in known else Value(name, "text") for name in ADDRESS}
        self.line(f"path = {path!r}" if passage.path is not None else f"path = {path!r} + request.path")

    def sent(self, make: Make) -> str:
        """What is sent, as an expression."""
        passage = self._passage
        url = repr(passage.base_url + passage.path) if passage.path is not None else f"{passage.base_url!r} + request.path"
        self.line(f"url = {url}")
        self.line("if query: url = f'{url}?{query}'")
        plain, tailed = self._headers(form=False), self._headers(form=True)
        headers = plain if plain == tailed else f"{tailed} if form else {plain}"
        return f"{self.constant(make)}({passage.method!r}, url, {headers}, form.encode() if form else body, timeout)"

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
