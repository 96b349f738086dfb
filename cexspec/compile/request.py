"""The request side of an operation: unified parameters -> `HttpRequest`, what it costs, how it pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec

from cexspec.compile.bounds import COMMON, compile_bounds, compile_param
from cexspec.compile.choices import compile_tables, refusal
from cexspec.compile.code import NOTHING, CodeWriter, Value
from cexspec.compile.filling import ORDERS, Filling, compile_batch
from cexspec.compile.holes import Text, parse_text
from cexspec.compile.http_request import FORM_BODY, JSON_BODY, HttpRequest, Pairs, Part
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.limits import compile_draws, compile_weight
from cexspec.compile.pages import compile_page
from cexspec.compile.plan import PagePlan, ParamPlan, Params
from cexspec.compile.templates import Template, compile_tree, path_text
from cexspec.compile.verbs import ABOUT_ORDERS, ORDER, verb_of
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.model.node import TreeNode
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

_Texts = tuple[tuple[str, Text], ...]


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
    carries: frozenset[Part]
    holes: frozenset[str]
    sent: frozenset[str]
    """those that stand in the request itself, made by no table and without bounds"""
    common: frozenset[str]
    """of a batch: those that stand beside its orders"""
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
    each = tuple(
        {key: ("from", value.source) if isinstance(value, From) else value for key, value in keys.items()} for keys in operation.each or ()
    )
    allowed = holes_of(name, operation)
    tables = compile_tables(operation, allowed, refusal(spec.id, name, verb_of(name, operation)), findings)
    each_order = _tree(operation.each_order, allowed | tables.names, findings, (*operation.where, "each_order"))
    target = _target(operation, allowed | tables.names | ({ORDERS} if each_order is not None else NOTHING), findings)
    params = {key: compile_param(param) for key, param in operation.params.items() if param.choose is None}
    common = NOTHING if verb_of(name, operation) in ABOUT_ORDERS else COMMON
    bounds = compile_bounds(params, spec.intervals, spec.id, name, common)
    filling = Filling(bounds, tables)
    holes = tables.behind(target.holes | (each_order.holes if each_order is not None else NOTHING))
    batch = compile_batch(each_order, filling, params.get(ORDERS), spec.id, name) if each_order is not None else None
    weigh = compile_weight(operation.weight, holes, findings, (*operation.where, "weight"))
    weighed = operation.weight is not None and operation.weight.const is None
    page = compile_page(operation, findings)

    return RequestParts(
        method=operation.method,
        path=operation.path,
        path_params=target.path_params,
        build=filling.function(target.holes, lambda code: target.write(code, batch)),
        carries=target.carries.union(() if page is None else (page.within,)),
        holes=holes,
        sent=target.holes - tables.names - params.keys(),
        common=tables.behind(target.holes - {ORDERS}) if each_order is not None else NOTHING,
        needs=target.needs - tables.names,
        params=params,
        weight=(lambda given: weigh(bounds(given))) if weighed else weigh,
        pools=compile_draws(operation.limit, spec.limits, findings, (*operation.where, "limit")),
        page=page,
        each=each,
        kinds=frozenset(operation.kinds) if operation.kinds is not None else None,
        idempotent=operation.idempotent if operation.idempotent is not None else operation.method == "GET",
    )


def holes_of(name: str, operation: Operation) -> frozenset[str]:
    """The holes that the request of an operation may have, besides those that its tables make."""
    return REQUEST.union(*(operation.each or ())) | (ORDER if verb_of(name, operation) is not None else NOTHING)


def _tree(tree: TreeNode | None, allowed: frozenset[str], findings: Findings, where: Where) -> Template | None:
    return None if tree is None else compile_tree(tree, allowed, findings, where, allowed - NEVER_LEFT_OUT)


@dataclass(frozen=True, slots=True)
class _Target:
    """The templates of a request."""

    method: Method
    path: Text
    path_params: Callable[[str], dict[str, str] | None]
    query: _Texts
    form: _Texts
    body: Template | None
    headers: Pairs
    holes: frozenset[str]
    needs: frozenset[str]

    @property
    def carries(self) -> frozenset[Part]:
        """The parts that it writes."""
        parts: dict[Part, object] = {"query": self.query, "body": self.body, "form": self.form}
        return frozenset(name for name, texts in parts.items() if texts)

    def write(self, code: CodeWriter, batch: Callable[[Params], list[Any]] | None) -> str:
        """The request as an expression."""
        if batch is not None:
            code.bound[ORDERS] = Value(code.made(f"{code.constant(batch)}(given)"), "sure")
        encode, request = code.constant(msgspec.json.encode), code.constant(HttpRequest)
        body = f"{encode}({code.tree(self.body.tree, self.body.optional)})" if self.body is not None else "None"
        path, query, form = code.text_of(self.path, path_text), code.query(self.query), code.query(self.form)
        return f"{request}({self.method!r}, {path}, {query}, {body}, {code.constant(self.headers)}, {form})"


def _target(operation: Operation, allowed: frozenset[str], findings: Findings) -> _Target:
    where = operation.where
    path = parse_text(operation.path, allowed, findings, (*where, operation.method.lower()))
    query = _texts(operation.query, allowed, findings, (*where, "query"))
    form = _texts(operation.form or {}, allowed, findings, (*where, "form"))
    body = _tree(operation.body, allowed, findings, (*where, "body"))
    path_holes = frozenset(hole.name for hole in path.holes)
    pair_holes = frozenset(hole.name for _, text in (*query, *form) for hole in text.holes)
    return _Target(
        method=operation.method,
        path=path,
        path_params=_path_reader(path, findings, where),
        query=query,
        form=form,
        body=body,
        headers=(JSON_BODY,) if body is not None else (FORM_BODY,) if operation.form else (),
        holes=path_holes | pair_holes | (body.holes if body else NOTHING),
        needs=path_holes | (pair_holes & ENGINE) | (body.needs if body else NOTHING),
    )


def _texts(texts: Mapping[str, str], allowed: frozenset[str], findings: Findings, where: Where) -> _Texts:
    """The keys of a query or form with their texts."""
    return tuple((key, parse_text(text, allowed, findings, (*where, key))) for key, text in texts.items())


def _path_reader(path: Text, findings: Findings, where: Where) -> Callable[[str], dict[str, str] | None]:
    """Reads a path back: the values of its holes, None for another operation's."""
    inverse = compile_inverse(path, NOTHING, Findings(findings.position), where)
    return lambda text: inverse(unquote(text))
