"""Requests read back: which operation a request is, and with which unified parameters. What the spec doesn't describe is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from cexspec.compile.convert import NANOSECONDS
from cexspec.compile.exchange import Exchange
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.paths import MISSING, Steps
from cexspec.compile.request import holes_of
from cexspec.compile.templates import parse_tree
from cexspec.compile.verbs import verb_of
from cexspec.mock.document import get
from cexspec.mock.listing import Listing
from cexspec.models import InvalidSymbol
from cexspec.spec.model import Operation

_HOLE = re.compile(r"\{\{\s*(\w+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_TIMES = {**NANOSECONDS, "iso": 0}
_OPTIONAL = frozenset({"limit", "depth"})
"""Holes without which a body still is an operation's, besides times."""

_NAMING = frozenset({"id", "symbol"})
"""Holes that name the one instrument that an operation is about."""

Found = dict[str, str]
Inverse = Callable[[Any], Found | None]


class Refused(Exception):
    """A request that the spec doesn't describe; the text says why, `error` is the class of the venue's answer."""

    def __init__(self, reason: str, error: str = "InvalidRequest") -> None:
        super().__init__(reason)
        self.error = error


@dataclass(frozen=True)
class Asked:
    """A request understood. `operations` are all that share it; `cursor` is the value of the paging key, where given."""

    operations: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    cursor: str | None = None


@dataclass(frozen=True)
class _Pattern:
    name: str
    spec: Operation
    method: str
    path: Inverse
    body: Inverse | None
    extra: Mapping[str, frozenset[str]]
    """keys of `each` -> the words they may have (empty: whatever another operation lists)"""
    times: Mapping[Steps, tuple[str, str]]
    """times in the body: where they are -> hole and unit"""
    holes: frozenset[str]
    blank: frozenset[str]
    """keys of `each` that may be an empty text: then they tell nothing"""

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys of its query and form."""
        return {**self.spec.query, **(self.spec.form or {})}

    def lacking(self, query: Mapping[str, str]) -> tuple[bool, int]:
        """How far a request is from this operation's: whether it doesn't name the instrument asked about, and the keys it leaves out."""
        unnamed = any(key not in query and _NAMING & set(_holes(template)) for key, template in self.keys.items())
        keys = frozenset(self.keys) | ({self.spec.page.param} if self.spec.page else set())
        return unnamed, len(keys - set(query))

    def cursor(self, query: Mapping[str, str], body: Any) -> str | None:
        """The value of the key that continues, where it is given."""
        page = self.spec.page
        if page is None:
            return None
        if page.param in query or self.spec.body is None:
            return query.get(page.param)
        place = tuple(page.param.split("."))
        found = get(body, place)
        return None if found in (MISSING, None) or found == get(self.spec.body, place) else str(found)

    def told(self, body: Any) -> Found | None:
        """The holes of a body; None where it is another operation's."""
        blank = {key for key, value in body.items() if value == "" and key in self.blank} if isinstance(body, dict) else ()
        return self.body(_without(body, {(key,) for key in blank})) if self.body is not None else None


class Requests:
    """All the requests a spec describes."""

    def __init__(self, exchange: Exchange, listing: Listing) -> None:
        self._exchange, self._listing = exchange, listing
        self._patterns = [self._pattern(name, spec) for name, spec in exchange.spec.rest.items() if spec.joins is None]

    def recipe(self, method: str, path: str) -> str | None:
        """The recipe that signs requests to a path; None: they are public."""
        path = unquote(path)
        here = (pattern.spec.auth for pattern in self._patterns if pattern.method == method and pattern.path(path) is not None)
        return next((recipe for recipe in here if recipe is not None), None)

    def read(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Asked:
        """The operation and its parameters; the keys of a form count as those of the query. Raises `Refused`."""
        path = unquote(path)
        here = [(pattern, found) for pattern in self._patterns if pattern.method == method and (found := pattern.path(path)) is not None]
        if not here:
            raise Refused(f"no operation is {method} {path}")
        understood: list[Asked] = []
        reasons: list[Refused] = []
        for pattern, found in sorted(here, key=lambda one: one[0].lacking(query)):
            try:
                understood.append(self._asked(pattern, found, query, body))
            except Refused as reason:
                reasons.append(reason)
        if not understood:
            near = [reason for reason in reasons if reason.error != "InvalidRequest"] or reasons  # the form was right, and no more
            raise Refused("; ".join(map(str, near)), near[0].error)
        first = understood[0]
        return Asked(tuple(self._sharing(first, understood)), first.params, first.cursor)

    def _sharing(self, first: Asked, understood: list[Asked]) -> list[str]:
        """The operations whose requests are the very same, so that one answer serves them all."""
        spec = self._exchange.spec.rest
        one = spec[first.operations[0]]
        names = [asked.operations[0] for asked in understood]
        return [name for name in names if spec[name].request == one.request and _where_items_are(spec[name]) == _where_items_are(one)]

    def _asked(self, pattern: _Pattern, found: Found, query: Mapping[str, str], body: Any) -> Asked:
        page = pattern.spec.page
        params: dict[str, Any] = dict(found)
        for key, value in query.items():
            if key in pattern.keys:
                params |= self._value(pattern, key, value)
            elif page is None or key != page.param:
                raise Refused(f"{pattern.name} has no query key '{key}'")
        for key, template in pattern.keys.items():
            if key not in query and not _HOLE.search(template):
                raise Refused(f"{pattern.name} lacks {key}={template}")
        if pattern.body is not None:
            params |= self._of_body(pattern, body)
        self._check_words(pattern, params)
        self._check_instrument(pattern, params)
        cursor = pattern.cursor(query, body) if time_of_cursor(pattern.spec) is None else None
        return Asked((pattern.name,), self._unified(pattern, params), cursor)

    def _of_body(self, pattern: _Pattern, body: Any) -> dict[str, Any]:
        told = pattern.told(body)
        tree, page = pattern.spec.body, pattern.spec.page
        if told is None or (isinstance(tree, dict) and set(body) - set(tree) - ({page.param} if page is not None else set())):
            raise Refused(f"the body is not that of {pattern.name}")
        given = {place: value for place in pattern.times if (value := get(body, place)) not in (MISSING, None)}
        return {**told, **{pattern.times[place][0]: _time(str(value), pattern.times[place][1]) for place, value in given.items()}}

    def _value(self, pattern: _Pattern, key: str, value: str) -> dict[str, Any]:
        template = pattern.keys[key]
        whole = _HOLE.fullmatch(template)
        if whole and whole.group(2) in _TIMES:
            return {whole.group(1): _time(value, whole.group(2))}
        if whole and whole.group(2) in (None, "text", "int"):
            return {whole.group(1): value}
        found = self._inverse(template, pattern.holes)(value)
        if found is None:
            raise Refused(f"'{key}={value}' is not {template}")
        return dict(found)

    def _check_words(self, pattern: _Pattern, params: Mapping[str, Any]) -> None:
        for key, words in pattern.extra.items():
            if words and params.get(key, min(words)) not in words:
                raise Refused(f"{pattern.name} knows no {key} '{params[key]}'")

    def _check_instrument(self, pattern: _Pattern, params: Mapping[str, Any]) -> None:
        try:
            listed = self._listing.named(params)
        except InvalidSymbol as error:
            raise Refused(error.message, "InvalidSymbol") from None
        kinds = pattern.spec.kinds
        if listed is not None and kinds is not None and listed.symbol.kind not in kinds:
            raise Refused(f"{pattern.name} is not for {listed.symbol.kind}", "InvalidSymbol")

    def _unified(self, pattern: _Pattern, params: dict[str, Any]) -> dict[str, Any]:
        for name, words in self._tables(pattern).items():
            if name in params:
                unified = {venue: word for word, venue in words.items()}
                if params[name] not in unified:
                    raise Refused(f"no {name} '{params[name]}'")
                params[name] = unified[params[name]]
        for key in ("limit", "depth"):
            if key in params:
                params[key] = _count(pattern, key, str(params[key]))
        return params

    def _tables(self, pattern: _Pattern) -> dict[str, Mapping[str, str]]:
        """Parameters that the venue has its own words for, by the unified ones."""
        own = {name: param.words for name, param in pattern.spec.params.items() if param.words}
        return {"interval": self._exchange.intervals, **own}

    def _pattern(self, name: str, spec: Operation) -> _Pattern:
        pairs = [pair for keys in spec.each or [] for pair in keys.items()]
        listed = {key for key, value in pairs if not isinstance(value, str)}
        extra = {key: frozenset(str(value) for other, value in pairs if other == key and key not in listed) for key, _ in pairs}
        blank = frozenset(key for key, value in pairs if value == "")
        times = dict(_times_in(spec.body))
        fixed = _without(spec.body, {*times, *_constant_cursor(spec)})
        holes = holes_of(name, spec) | {hole for hole, param in spec.params.items() if param.choose is not None}
        optional = _OPTIONAL | blank | (holes - _NAMING if verb_of(name, spec) is not None else frozenset())
        body = self._inverse(fixed, holes, optional) if spec.body is not None else None
        path = self._inverse(spec.path, holes)
        return _Pattern(name, spec, spec.method, path, body, extra, times, holes, blank)

    def _inverse(self, tree: Any, holes: frozenset[str], optional: frozenset[str] = frozenset()) -> Inverse:
        findings = self._exchange.findings()
        return compile_inverse(parse_tree(tree, holes, findings, ()), optional, findings, ())


def _times_in(tree: Any, place: Steps = ()) -> Iterator[tuple[Steps, tuple[str, str]]]:
    """The times in a body: where, the hole, its unit."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from _times_in(inner, (*place, key))
    elif isinstance(tree, str) and (whole := _HOLE.fullmatch(tree)) is not None and whole.group(2) in _TIMES:
        yield place, (whole.group(1), whole.group(2))


def _where_items_are(spec: Operation) -> object:
    """The items of a mapping as plain data: places in the file don't count."""
    return spec.items if spec.items is None or isinstance(spec.items, str) else spec.items.model_dump()


def _constant_cursor(spec: Operation) -> Iterator[Steps]:
    """Where a body holds a constant that pages replace."""
    place = tuple(spec.page.param.split(".")) if spec.page is not None and spec.body is not None else ()
    if place and get(spec.body, place) is not MISSING and not _HOLE.search(str(get(spec.body, place))):
        yield place


def _without(tree: Any, places: Container[Steps], place: Steps = ()) -> Any:
    """A body without what is at some places."""
    if not isinstance(tree, dict):
        return tree
    return {key: _without(inner, places, (*place, key)) for key, inner in tree.items() if (*place, key) not in places}


def time_of_cursor(spec: Operation) -> str | None:
    """The unit of a cursor that is taken from the answer and given where the request has a time; None for any other."""
    if spec.page is None or spec.page.cursor is None:
        return None
    whole = _HOLE.fullmatch(spec.query.get(spec.page.param, ""))
    return whole.group(2) if whole and whole.group(2) in NANOSECONDS else None


def _holes(template: str) -> list[str]:
    return [name for name, _ in _HOLE.findall(template)]


def _count(pattern: _Pattern, key: str, value: str) -> int:
    bounds = pattern.spec.params.get(key)
    if not value.isdigit() or int(value) < 1:
        raise Refused(f"'{key}' of {pattern.name} is no number from 1")
    if bounds is not None and (int(value) > (bounds.max or int(value)) or (bounds.values and value not in bounds.values)):
        raise Refused(f"{pattern.name} takes no {key} of {value}")
    return int(value)


def _time(value: str, unit: str) -> int:
    try:
        if unit == "iso":
            return int(datetime.fromisoformat(value).timestamp() * 1e9)
        return int(value) * NANOSECONDS[unit]
    except ValueError:
        raise Refused(f"'{value}' is no time in {unit}") from None
