"""Requests as they go out, and how their parts are encoded."""

from __future__ import annotations

import re
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote

from msgspec import Struct

Pairs = tuple[tuple[str, str], ...]
"""Names and texts, in order."""
Part = Literal["query", "body", "form"]
PARTS: tuple[Part, ...] = get_args(Part)
"""The parts of a request that hold parameters."""
JSON_BODY = ("Content-Type", "application/json")
FORM_BODY = ("Content-Type", "application/x-www-form-urlencoded")


def encoded(text: str) -> str:
    """A text as it stands in a query or a form: everything encoded but letters, digits and `-._~`."""
    return text if _UNRESERVED(text) else quote(text, safe="")


def urlencoded(pairs: Pairs) -> str:
    """Pairs as a query or a form."""
    return "&".join([f"{encoded(name)}={encoded(value)}" for name, value in pairs])


def pairs_of(text: str) -> Pairs:
    """The pairs of a query or a form."""
    return tuple(parse_qsl(text, keep_blank_values=True))


_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*").fullmatch


class HttpRequest(Struct, frozen=True, gc=False):
    """A request as it goes out, tied to no HTTP library.

    `query` and `form` are encoded (see `urlencoded`); `body` is encoded JSON, in place of a `form`. The repr shows no values: once
    it is signed they hold secrets.
    """

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    headers: Pairs = ()
    form: str = ""

    def __repr__(self) -> str:
        return f"HttpRequest({self.method!r}, {self.path!r})"

    @property
    def target(self) -> str:
        """Path with the query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as it is sent: the JSON, or the form; None where there is neither."""
        return self.form.encode() if self.form else self.body
