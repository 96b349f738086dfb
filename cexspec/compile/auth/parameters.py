"""The parameters that a recipe adds to a request, and the request's parts that it signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from cexspec.compile.plan import FORM_BODY, HttpRequest, Pairs, Params, urlencoded

Place = Literal["query", "form", "body"]

PARTS = frozenset({"query", "raw_query", "target", "raw_target", "body", "params"})
"""Holes of the request's parts, which are known once the recipe's own parameters are in it."""
ADDRESS = frozenset({"method", "host", "path"})
"""Holes of the request that are known before."""
_BODIES = frozenset({"POST", "PUT", "PATCH"})


class Pair(NamedTuple):
    """A parameter or header, how its text is written, and the holes that it has."""

    name: str
    fill: Callable[[Params], str]
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
        if not absent:
            return self
        before, behind, last, headers = (
            tuple(pair for pair in pairs if not pair.holes & absent) for pairs in (self.before, self.behind, self.last, self.headers)
        )
        return Added(before, behind, last, headers, self.into, self.sort)

    def place(self, request: HttpRequest) -> Place:
        """Where a request takes further parameters."""
        if self.into != "params":
            return self.into
        if request.form:
            return "form"
        return "form" if request.method in _BODIES and request.body is None and not request.query else "query"

    def extended(self, request: HttpRequest, place: Place, values: Params) -> HttpRequest:
        """The request with what is added before signing, sorted where it has to be."""
        if not (self.before or self.behind or self.sort):
            return request
        before, behind = _filled(self.before, values), _filled(self.behind, values)
        if place == "body":
            return replace(request, body=_merged(request.body, before, behind))
        pairs = (*before, *(request.form if place == "form" else request.query), *behind)
        return _put(request, place, tuple(sorted(pairs)) if self.sort else pairs)

    def completed(self, request: HttpRequest, place: Place, values: Params) -> HttpRequest:
        """The request with what goes in last, and the headers."""
        if self.last:
            last = _filled(self.last, values)
            if place == "body":
                request = replace(request, body=_merged(request.body, (), last))
            else:
                request = _put(request, place, (*(request.form if place == "form" else request.query), *last))
        own, form = request.headers, bool(request.form)
        headers = (*own, *_filled(self._further(own, form), values))
        return HttpRequest(request.method, request.path, request.query, request.body, headers, request.form)

    @lru_cache(maxsize=64)  # noqa: B019 - there are as many as recipes, and each lives as long as its plan
    def _further(self, own: Pairs, form: bool) -> tuple[Pair, ...]:
        """The headers of a request besides its own: not those of a name that it has, and of a form what it is."""
        named = {name.lower() for name, _ in own}
        further = tuple(pair for pair in self.headers if pair.name.lower() not in named)
        kind, word = FORM_BODY
        if not form or kind.lower() in named or any(pair.name.lower() == kind.lower() for pair in further):
            return further
        return (*further, Pair(kind, lambda values: word, frozenset()))


def _filled(pairs: tuple[Pair, ...], values: Params) -> Pairs:
    return tuple([(name, fill(values)) for name, fill, _ in pairs])


def address(request: HttpRequest, base_url: str) -> tuple[str, str]:
    """Host, and the whole path as the venue sees it."""
    if "://" in request.path:
        return _split(request.path)
    host, before = _split(base_url)
    return host, before.rstrip("/") + request.path


def parts(request: HttpRequest, path: str, wanted: frozenset[str]) -> Mapping[str, Any]:
    """The holes of a request as it goes out, as far as they are wanted."""
    found: dict[str, str] = {}
    query = urlencoded(request.query) if wanted & {"query", "target", "params"} else ""
    body = (request.payload or b"").decode() if wanted & {"body", "params"} else ""
    raw = "&".join([f"{name}={value}" for name, value in request.query]) if wanted & {"raw_query", "raw_target"} else ""
    for name in wanted:
        found[name] = _part(name, request, path, query, raw, body)
    return found


def _part(name: str, request: HttpRequest, path: str, query: str, raw: str, body: str) -> str:
    if name == "body":
        return body
    if name == "params":
        return body if request.form else query
    text = raw if name.startswith("raw_") else query
    if name in ("query", "raw_query"):
        return text
    return f"{path}?{text}" if text else path


def _put(request: HttpRequest, place: Place, pairs: Pairs) -> HttpRequest:
    query, form = (request.query, pairs) if place == "form" else (pairs, request.form)
    return HttpRequest(request.method, request.path, query, request.body, request.headers, form)


def _merged(body: bytes | None, before: Pairs, behind: Pairs) -> bytes:
    """A JSON body with further members; its own stay as they are written."""
    own = msgspec.json.decode(body or b"{}", type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**dict(before), **own, **dict(behind)})


@lru_cache(maxsize=64)
def _split(url: str) -> tuple[str, str]:
    """Host (with its port, where it has one) and path of a URL."""
    found = urlsplit(url)
    return found.netloc, found.path
