"""The request side of an operation: unified parameters -> `HttpRequest`, what it costs, how it pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec

from cexspec.compile.bounds import compile_bounds, compile_param
from cexspec.compile.choices import compile_tables, refusal
from cexspec.compile.filling import ORDERS, compile_batch, compile_filling
from cexspec.compile.holes import Text
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.limits import compile_draws, compile_weight
from cexspec.compile.pages import compile_page
from cexspec.compile.plan import FORM_BODY, JSON_BODY, HttpRequest, PagePlan, Pairs, ParamPlan, Params
from cexspec.compile.templates import NOTHING, Template, compile_path, compile_text, compile_tree
from cexspec.compile.verbs import ORDER, verb_of
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.model.rest import From, Method
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

INSTRUMENT = frozenset({"id", "code", "symbol", "base", "quote", "category"})
"""Holes that the instrument of a call or subscription fills."""
ENGINE = frozenset({"now", "uuid"})
"""Holes that the engine fills at every call: the time in nanoseconds, a fresh UUID."""
NEVER_LEFT_OUT = ENGINE | {"code"}
"""Holes without which there is no request, wherever they stand: an order that doesn't say of what must not go out."""
REQUEST = INSTRUMENT | ENGINE | {"interval", "depth", "limit", "start", "end"}
"""Holes of a request, besides the keys of its `each`."""

_Fills = tuple[tuple[str, Callable[[Params], str]], ...]


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What an `OperationPlan` holds of the request; the names are its own.

    `build` raises `InvalidRequest` for a parameter out of bounds and `KeyError(hole)` where one of `needs` is missing.
    `build` and `weight` take the caller's parameters and apply the bounds themselves.
    """

    method: Method
    path: str
    path_params: Callable[[str], dict[str, str] | None]
    build: Callable[[Params], HttpRequest]
    holes: frozenset[str]
    needs: frozenset[str]
    params: Mapping[str, ParamPlan]
    weight: Callable[[Params], int]
    pools: tuple[str, ...]
    page: PagePlan | None
    each: tuple[Mapping[str, str | tuple[str, str]], ...]
    kinds: frozenset[str] | None
    idempotent: bool


def compile_request(operation: Operation, name: str, spec: ExchangeSpec, findings: Findings) -> RequestParts:
    """Compile the request of one operation; what is wrong goes to `findings`."""
    method = operation.method
    each = tuple(
        {key: ("from", value.source) if isinstance(value, From) else value for key, value in keys.items()} for keys in operation.each or ()
    )
    allowed = holes_of(name, operation)
    tables = compile_tables(operation, allowed, refusal(spec.id, name, verb_of(name, operation)), findings)
    each_order = _each_order(operation, allowed | tables.names, findings)
    target = _target(operation, allowed | tables.names | ({ORDERS} if each_order is not None else NOTHING), findings)
    params = {key: compile_param(param) for key, param in operation.params.items() if param.choose is None}
    bound = compile_bounds(params, spec.intervals, spec.id, name)
    batch = compile_batch(each_order, bound, tables, params.get(ORDERS), spec.id, name) if each_order is not None else None
    fill = compile_filling(bound, tables, target.holes, batch)
    holes = tables.behind(target.holes | (each_order.holes if each_order is not None else NOTHING))
    weigh = compile_weight(operation.weight, holes, findings, (*operation.where, "weight"))

    headers = (JSON_BODY,) if operation.body is not None else (FORM_BODY,) if operation.form else ()

    def build(given: Params) -> HttpRequest:
        values = fill(given)
        body = target.encoded(values)
        return HttpRequest(method, target.path(values), _pairs(target.query, values), body, headers, _pairs(target.form, values))

    return RequestParts(
        method=method,
        path=operation.path,
        path_params=target.path_params,
        build=build,
        holes=holes,
        needs=target.needs - tables.names,
        params=params,
        weight=lambda given: weigh(bound(given)),
        pools=compile_draws(operation.limit, spec.limits, findings, (*operation.where, "limit")),
        page=compile_page(operation, findings),
        each=each,
        kinds=frozenset(operation.kinds) if operation.kinds is not None else None,
        idempotent=operation.idempotent if operation.idempotent is not None else method == "GET",
    )


def holes_of(name: str, operation: Operation) -> frozenset[str]:
    """The holes that the request of an operation may have, besides those that its tables make."""
    return REQUEST.union(*(operation.each or ())) | (ORDER if verb_of(name, operation) is not None else NOTHING)


def _each_order(operation: Operation, allowed: frozenset[str], findings: Findings) -> Template | None:
    if operation.each_order is None:
        return None
    return compile_tree(operation.each_order, allowed, findings, (*operation.where, "each_order"), allowed - NEVER_LEFT_OUT)


@dataclass(frozen=True, slots=True)
class _Target:
    """The templates of a request."""

    path: Callable[[Params], str]
    path_params: Callable[[str], dict[str, str] | None]
    query: _Fills
    form: _Fills
    body: Template | None
    holes: frozenset[str]
    needs: frozenset[str]

    def encoded(self, values: Params) -> bytes | None:
        """The body as JSON."""
        return msgspec.json.encode(self.body.fill(values)) if self.body else None


def _target(operation: Operation, allowed: frozenset[str], findings: Findings) -> _Target:
    where = operation.where
    path, fill_path = compile_path(operation.path, allowed, findings, (*where, operation.method.lower()))
    query, query_holes = _texts(operation.query, allowed, findings, (*where, "query"))
    form, form_holes = _texts(operation.form or {}, allowed, findings, (*where, "form"))
    tree = operation.body
    body = compile_tree(tree, allowed, findings, (*where, "body"), allowed - NEVER_LEFT_OUT) if tree is not None else None
    path_holes = frozenset(hole.name for hole in path.holes)
    return _Target(
        path=fill_path,
        path_params=_path_reader(path, findings, where),
        query=query,
        form=form,
        body=body,
        holes=path_holes | query_holes | form_holes | (body.holes if body else frozenset()),
        needs=path_holes | ((query_holes | form_holes) & ENGINE) | (body.needs if body else frozenset()),
    )


def _texts(texts: Mapping[str, str], allowed: frozenset[str], findings: Findings, where: Where) -> tuple[_Fills, frozenset[str]]:
    """The keys of a query or form with what writes their texts, and their holes."""
    compiled = [(key, *compile_text(text, allowed, findings, (*where, key))) for key, text in texts.items()]
    return tuple((key, fill) for key, _, fill in compiled), frozenset(hole.name for _, text, _ in compiled for hole in text.holes)


def _pairs(fills: _Fills, values: Params) -> Pairs:
    """A query or form; keys whose hole has no value are not in it."""
    return tuple([(key, text) for key, fill in fills if (text := _optional(fill, values)) is not None])


def _path_reader(path: Text, findings: Findings, where: Where) -> Callable[[str], dict[str, str] | None]:
    """Reads a path back: the values of its holes, None for another operation's."""
    inverse = compile_inverse(path, NOTHING, Findings(findings.position), where)
    return lambda text: inverse(unquote(text))


def _optional(fill: Callable[[Params], str], values: Params) -> str | None:
    try:
        return fill(values)
    except KeyError:
        return None
