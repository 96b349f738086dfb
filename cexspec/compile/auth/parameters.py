"""The parameters and headers that a recipe adds to a request, and where they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cexspec.compile.holes import Text
from cexspec.compile.http_request import FORM_BODY, HttpRequest, Pairs, pairs_of, urlencoded

PARTS = frozenset({"query", "raw_query", "target", "raw_target", "body", "params"})
"""Holes of the request's parts, which are known once the recipe's own parameters are in it."""
ADDRESS = frozenset({"method", "host", "path"})
"""Holes of the request that are known before."""
BODIES = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose parameters go into a body."""

Fit = Callable[[Pairs, Pairs], Pairs]
"""The headers of a request and the recipe's -> all that are sent."""


class Pair(NamedTuple):
    """A parameter or header, its text, and the holes that it has."""

    name: str
    text: Text
    holes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Added:
    """What goes into the request before it is signed, what goes in last, and the headers."""

    before: tuple[Pair, ...]
    behind: tuple[Pair, ...]
    last: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    into: Literal["params", "query", "body"]
    sort: bool

    def without(self, absent: frozenset[str]) -> Added:
        """The same but for what needs one of these holes."""
        before, behind, last, headers = (
            tuple(pair for pair in pairs if not pair.holes & absent) for pairs in (self.before, self.behind, self.last, self.headers)
        )
        return Added(before, behind, last, headers, self.into, self.sort)

    def fitting(self) -> Callable[[Pairs, bool], Fit | None]:
        """(a request's own headers, whether it has a form) -> what lays the recipe's upon them; None: all simply follow.

        They don't where the request has one of the same name, which stays, and where a form doesn't say yet that it is one.
        """
        names = {pair.name.lower() for pair in self.headers}
        kind = FORM_BODY[0].lower()

        @lru_cache(maxsize=64)
        def fit(own: Pairs, form: bool) -> Fit | None:
            named = frozenset(name.lower() for name, _ in own)
            tail = (FORM_BODY,) if form and kind not in named | names else ()
            if not (tail or named & names):
                return None
            return lambda own, further: (*own, *(pair for pair in further if pair[0].lower() not in named), *tail)

        return fit


def takes_form(request: HttpRequest) -> bool:
    """Whether a request takes further parameters into its form, and not into its query."""
    return bool(request.form) or (request.method in BODIES and request.body is None and not request.query)


def address(path: str, base_url: str) -> tuple[str, str]:
    """Host, and the whole path as the venue sees it."""
    if "://" in path:
        return _split(path)
    host, before = _split(base_url)
    return host, before.rstrip("/") + path


def raw(query: str) -> str:
    """A query that is not encoded."""
    return "&".join([f"{name}={value}" for name, value in pairs_of(query)])


def arranged(query: str) -> str:
    """A query or form in the order of its names."""
    return urlencoded(tuple(sorted(pairs_of(query))))


def merged(body: bytes | None, before: Pairs, behind: Pairs) -> bytes:
    """A JSON body with further members; its own stay as they are written."""
    own = msgspec.json.decode(body or b"{}", type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**dict(before), **own, **dict(behind)})


@lru_cache(maxsize=64)
def _split(url: str) -> tuple[str, str]:
    """Host (with its port, where it has one) and path of a URL."""
    found = urlsplit(url)
    return found.netloc, found.path
