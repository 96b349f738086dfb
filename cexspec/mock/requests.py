"""Requests read back: which operation a request is, and with which unified parameters. What the spec doesn't describe is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec

from cexspec.compile.convert import NANOSECONDS
from cexspec.compile.exchange import Exchange
from cexspec.compile.filling import ORDERS
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.paths import MISSING, Steps
from cexspec.compile.request import holes_of
from cexspec.compile.templates import parse_tree
from cexspec.compile.verbs import verb_of
from cexspec.mock.bodies import HOLE, TIMES, Body, Refused, holes_in, time, without
from cexspec.mock.choosing import Choosing
from cexspec.mock.document import get
from cexspec.mock.listing import Listed, Listing
from cexspec.models import InvalidSymbol
from cexspec.spec.model import Operation

_OPTIONAL = frozenset({"limit", "depth"})
"""Holes without which a body still is an operation's, besides times."""

OF_ALL = frozenset({"cancel_all_orders", "open_orders", "order_history", "fills", "positions", "balances"})
"""Verbs that may be about all instruments at once."""

_NAMING = frozenset({"id", "symbol"})
"""Holes that name the one instrument that an operation is about."""

Found = dict[str, str]
Inverse = Callable[[Any], Found | None]


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
    body: Body | None
    each_order: Body | None
    choosing: Choosing
    sent: frozenset[str]
    """the holes of the request"""
    extra: Mapping[str, frozenset[str]]
    """keys of `each` -> the words they may have (empty: whatever another operation lists)"""
    holes: frozenset[str]
    blank: frozenset[str]
    """keys of `each` that may be an empty text: then they tell nothing"""

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys of its query and form."""
        return {**self.spec.query, **(self.spec.form or {})}

    def lacking(self, query: Mapping[str, str]) -> tuple[bool, int]:
        """How far a request is from this operation's: whether it doesn't name the instrument asked about, and the keys it leaves out."""
        unnamed = any(key not in query and _NAMING & set(holes_in(template)) for key, template in self.keys.items())
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

    def told(self, body: Any) -> dict[str, Any] | None:
        """The holes of a body; None where it is another operation's."""
        blank = {key for key, value in body.items() if value == "" and key in self.blank} if isinstance(body, dict) else ()
        return self.body.told(without(body, {(key,) for key in blank})) if self.body is not None else None


class Requests:
    """All the requests a spec describes. `symbol` gives the instrument of a code, by which orders may name it."""

    def __init__(self, exchange: Exchange, listing: Listing, symbol: Callable[[str], str] = str) -> None:
        self._exchange, self._listing, self._symbol = exchange, listing, symbol
        self._patterns = [self._pattern(name, spec) for name, spec in exchange.spec.rest.items() if spec.joins is None]

    def recipes(self, method: str, path: str) -> tuple[str | None, ...]:
        """The recipes that sign requests to a path; None: there are public ones (or none at all)."""
        path = unquote(path)
        here = (pattern.spec.auth for pattern in self._patterns if pattern.method == method and pattern.path(path) is not None)
        return tuple(sorted(set(here), key=lambda recipe: recipe or "")) or (None,)

    def read(self, method: str, path: str, query: Mapping[str, str], body: Any, recipe: str | None = None) -> Asked:
        """The operation, signed by that recipe, and its parameters; the keys of a form count as those of the query. Raises `Refused`."""
        path = unquote(path)
        signed = (pattern for pattern in self._patterns if pattern.method == method and pattern.spec.auth == recipe)
        here = [(pattern, found) for pattern in signed if (found := pattern.path(path)) is not None]
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
            if key not in query and not HOLE.search(template):
                raise Refused(f"{pattern.name} lacks {key}={template}")
        if pattern.body is not None:
            params |= self._of_body(pattern, body)
        self._check_words(pattern, params)
        self._check_instrument(pattern, params)
        cursor = pattern.cursor(query, body) if time_of_cursor(pattern.spec) is None else None
        orders = params.pop(ORDERS, None)
        unified = self._chosen(pattern, params, pattern.sent)
        if pattern.each_order is not None:
            unified[ORDERS] = self._orders(pattern, pattern.each_order, orders)
        return Asked((pattern.name,), unified, cursor)

    def _orders(self, pattern: _Pattern, each: Body, orders: Any) -> list[dict[str, Any]]:
        """The orders of a batch, each with its own parameters."""
        told = [each.told(order) for order in orders] if isinstance(orders, list) else [None]
        if None in told:
            raise Refused(f"{pattern.name} takes a list of orders, each of its own form")
        sent = frozenset(holes_in(pattern.spec.each_order))
        return [self._chosen(pattern, one, sent) for one in told if one is not None]

    def _chosen(self, pattern: _Pattern, params: dict[str, Any], sent: frozenset[str]) -> dict[str, Any]:
        """The parameters that were asked for, of those that the request tells in the venue's words."""
        made = {name: params.pop(name, None) for name in pattern.choosing.names & sent}
        unified = self._unified(pattern, params)
        asked = pattern.choosing.unified(made, {**self._kind(pattern, unified), **unified}, sent)
        if asked is None:
            raise Refused(f"{pattern.name} is no call with {', '.join(f'{name} {value}' for name, value in made.items())}")
        return dict(asked)

    def _kind(self, pattern: _Pattern, params: dict[str, Any]) -> dict[str, Any]:
        """What the instrument is, where the call goes by that."""
        listed = self._listed(params) if pattern.choosing.goes_by_kind else None
        return {"kind": listed.symbol.kind} if listed is not None else {}

    def _of_body(self, pattern: _Pattern, body: Any) -> dict[str, Any]:
        told = pattern.told(body)
        keys, page = pattern.body.keys if pattern.body is not None else None, pattern.spec.page
        if told is None or (keys is not None and set(body) - keys - ({page.param} if page is not None else set())):
            raise Refused(f"the body is not that of {pattern.name}")
        return told

    def _value(self, pattern: _Pattern, key: str, value: str) -> dict[str, Any]:
        template = pattern.keys[key]
        whole = HOLE.fullmatch(template)
        if whole and whole.group(2) in TIMES:
            return {whole.group(1): time(value, whole.group(2))}
        if whole and whole.group(2) in (None, "text", "int", "number"):
            return {whole.group(1): value}
        if whole and whole.group(2) == "json":
            return {whole.group(1): _json(value)}
        found = self._inverse(template, pattern.holes)(value)
        if found is None:
            raise Refused(f"'{key}={value}' is not {template}")
        return dict(found)

    def _check_words(self, pattern: _Pattern, params: Mapping[str, Any]) -> None:
        for key, words in pattern.extra.items():
            if words and params.get(key, min(words)) not in words:
                raise Refused(f"{pattern.name} knows no {key} '{params[key]}'")

    def _check_instrument(self, pattern: _Pattern, params: Mapping[str, Any]) -> None:
        listed = self._listed(params)
        kinds = pattern.spec.kinds
        if listed is not None and kinds is not None and listed.symbol.kind not in kinds:
            raise Refused(f"{pattern.name} is not for {listed.symbol.kind}", "InvalidSymbol")

    def _listed(self, params: Mapping[str, Any]) -> Listed | None:
        try:
            return self._listing.named(params)
        except InvalidSymbol as error:
            raise Refused(error.message, "InvalidSymbol") from None

    def _unified(self, pattern: _Pattern, params: dict[str, Any]) -> dict[str, Any]:
        if "code" in params:
            params["symbol"] = self._symbol(str(params.pop("code")))
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
        choosing = Choosing(self._exchange, name, spec)
        lifted = choosing.names | ({ORDERS} if spec.each_order is not None else frozenset())
        holes = holes_of(name, spec) | lifted
        verb = verb_of(name, spec)
        named = frozenset() if verb in OF_ALL else _NAMING
        optional = _OPTIONAL | blank | (holes - named if verb is not None else frozenset())
        ignored = frozenset(_constant_cursor(spec))
        return _Pattern(
            name=name,
            spec=spec,
            method=spec.method,
            path=self._inverse(spec.path, holes),
            body=Body(self._exchange, spec.body, holes, optional, lifted, ignored) if spec.body is not None else None,
            each_order=Body(self._exchange, spec.each_order, holes, optional, lifted) if spec.each_order is not None else None,
            choosing=choosing,
            sent=frozenset(holes_in([spec.path, spec.query, spec.form or {}, spec.body])),
            extra=extra,
            holes=holes,
            blank=blank,
        )

    def _inverse(self, tree: Any, holes: frozenset[str], optional: frozenset[str] = frozenset()) -> Inverse:
        findings = self._exchange.findings()
        return compile_inverse(parse_tree(tree, holes, findings, ()), optional, findings, ())


def _where_items_are(spec: Operation) -> object:
    """The items of a mapping as plain data: places in the file don't count."""
    return spec.items if spec.items is None or isinstance(spec.items, str) else spec.items.model_dump()


def _constant_cursor(spec: Operation) -> Iterator[Steps]:
    """Where a body holds a constant that pages replace."""
    place = tuple(spec.page.param.split(".")) if spec.page is not None and spec.body is not None else ()
    if place and get(spec.body, place) is not MISSING and not HOLE.search(str(get(spec.body, place))):
        yield place


def time_of_cursor(spec: Operation) -> str | None:
    """The unit of a cursor that is taken from the answer and given where the request has a time; None for any other."""
    if spec.page is None or spec.page.cursor is None:
        return None
    whole = HOLE.fullmatch(spec.query.get(spec.page.param, ""))
    return whole.group(2) if whole and whole.group(2) in NANOSECONDS else None


def _count(pattern: _Pattern, key: str, value: str) -> int:
    bounds = pattern.spec.params.get(key)
    if not value.isdigit() or int(value) < 1:
        raise Refused(f"'{key}' of {pattern.name} is no number from 1")
    if bounds is not None and (int(value) > (bounds.max or int(value)) or (bounds.values and value not in bounds.values)):
        raise Refused(f"{pattern.name} takes no {key} of {value}")
    return int(value)


def _json(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as broken:
        raise Refused(f"{value[:40]!r} is no JSON: {broken}") from None
