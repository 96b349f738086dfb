"""REST operations: the request and the reader of the answer, joined."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cexspec.compile.auth.section import check_recipe
from cexspec.compile.body import Surroundings
from cexspec.compile.bounds import COUNTS, UNIFIED_INTERVAL, interval_words
from cexspec.compile.checks import VALUES, nearest
from cexspec.compile.conditions import text_of
from cexspec.compile.errors import accepting, compile_errors
from cexspec.compile.joins import compile_joined
from cexspec.compile.lookups import compile_conditions
from cexspec.compile.parts import Form
from cexspec.compile.paths import parse
from cexspec.compile.plan import ErrorPlan, OperationPlan, ReaderPlan
from cexspec.compile.polls import check_poll
from cexspec.compile.readers import ReaderCompiler
from cexspec.compile.request import RequestParts, compile_request, holes_of
from cexspec.compile.serving import check_accepts, check_batch, check_sent_once, compile_serves
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.model.rest import From, Param
from cexspec.spec.problems import Findings


def compile_operation(name: str, spec: ExchangeSpec, errors: ErrorPlan, around: Surroundings, findings: Findings) -> OperationPlan:
    """Compile one operation; what is wrong goes to `findings`."""
    operation = spec.rest[name]
    if operation.joins is not None:
        return compile_joined(name, spec, errors, findings)
    parts = compile_request(operation, name, spec, findings)
    _check(operation, parts, spec, findings)
    check_poll(name, parts, spec, findings)
    reader, values = _reader(name, operation, around, findings)
    verb, serves = compile_serves(name, operation, holes_of(name, operation), findings)
    check_sent_once(operation, verb, idempotent=parts.idempotent, findings=findings)
    return OperationPlan(
        name=name,
        method=parts.method,
        path=parts.path,
        path_params=parts.path_params,
        build=parts.build,
        reader=reader,
        values=values,
        ignored=operation.ignored,
        pools=parts.pools,
        weight=parts.weight,
        params=parts.params,
        needs=parts.needs,
        page=parts.page,
        each=parts.each,
        kinds=parts.kinds,
        idempotent=parts.idempotent,
        errors=_errors(operation, spec, errors, findings),
        position=findings.position(operation.where),
        docs=operation.docs,
        per_rows=operation.weight.per_rows if operation.weight else None,
        shape=compile_conditions(operation.shape, findings, (*operation.where, "shape")) if operation.shape is not None else None,
        poll=operation.poll,
        verb=verb,
        serves=serves,
        batch=operation.each_order is not None,
        auth=operation.auth,
        takes=parts.holes,
        sent=parts.sent,
        common=parts.common,
        carries=parts.carries,
    )


def _errors(operation: Operation, spec: ExchangeSpec, errors: ErrorPlan, findings: Findings) -> ErrorPlan:
    """How its answers are errors: its own way, else that of all; but for codes that it accepts."""
    check_accepts(operation, spec, findings)
    if operation.errors is not None:
        errors = compile_errors(operation.errors, spec.id, findings, spec.errors)
    return accepting(errors, frozenset(operation.accepts)) if operation.accepts else errors


def _reader(
    name: str, operation: Operation, around: Surroundings, findings: Findings
) -> tuple[ReaderPlan | None, Callable[[bytes], list[str]] | None]:
    model = operation.returns
    compiler = ReaderCompiler(name, operation, around, findings, stream=False)
    if model is None or not compiler.check(model, (*operation.where, "returns")):
        return None, None
    if model == VALUES:
        return None, _values(operation)
    return compiler.reader(model, Form()), None


def _values(operation: Operation) -> Callable[[bytes], list[str]]:
    path = parse(operation.items if isinstance(operation.items, str) else "$[*]")

    def values(body: bytes) -> list[str]:
        texts = (text_of(value) for value in path.find(msgspec.json.decode(body)))
        return [text for text in texts if text is not None]

    return values


def _check(operation: Operation, parts: RequestParts, spec: ExchangeSpec, findings: Findings) -> None:
    where = operation.where
    check_batch(operation, parts.holes, findings)
    check_recipe(operation.auth, spec, findings, (*where, "auth"))
    for name, param in operation.params.items():
        if name not in parts.holes:
            hint = f"the request holds {', '.join(sorted(parts.holes)) or 'no holes'}"
            findings.error("CEX062", (*where, "params", name), f"no template of this request sends '{name}'", hint)
        _check_numbers(param.default, param.values, name, (*where, "params", name), findings)
        _check_words(param, name, (*where, "params", name), findings)
    if "interval" in parts.holes and not interval_words(parts.params, spec.intervals):
        findings.error(
            "CEX064", where, "the request sends an interval, and the spec declares none", "add 'intervals: {1m: ..., 1h: ...}' at the top"
        )
    for at, keys in enumerate(operation.each or []):
        for key, value in keys.items():
            if isinstance(value, From) and value.source not in spec.rest:
                place = (*where, "each", at, key, "from")
                findings.error("CEX059", place, f"no operation is called '{value.source}'", nearest(value.source, list(spec.rest)))


def _check_words(param: Param, name: str, where: tuple[str | int, ...], findings: Findings) -> None:
    if param.words is None:
        return
    if name in COUNTS:
        findings.error("CEX066", (*where, "words"), f"'{name}' counts, and has no words", "write 'values'")
    for unified in param.words if name == "interval" else ():
        if not UNIFIED_INTERVAL.fullmatch(unified):
            text = f"'{unified}' is no unified interval"
            findings.error("CEX064", (*where, "words", unified), text, "a number and one of s, m, h, d, w, M: 1m, 4h, 1d")
    if param.default is not None and param.default not in param.words:
        findings.error("CEX066", (*where, "default"), f"'{param.default}' is none of the words", nearest(param.default, list(param.words)))


def _check_numbers(default: str | None, values: list[str] | None, name: str, where: tuple[str | int, ...], findings: Findings) -> None:
    if name not in COUNTS:
        return
    for key, text in [("default", default), *(("values", value) for value in values or [])]:
        if text is not None and not (text.isascii() and text.isdigit()):
            findings.error("CEX066", (*where, key), f"'{text}' is no number of rows", "write a whole number")
