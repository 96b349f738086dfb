"""A REST operation: request, cost, pages and errors."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.choosing import example, serves, tables
from cexspec.compile.explanation.defaults import defaults
from cexspec.compile.explanation.mapping import reading
from cexspec.compile.explanation.sample import samples
from cexspec.compile.explanation.signing import signing
from cexspec.compile.explanation.text import Lines, Row, Section, conditions, duration
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan
from cexspec.spec.model import Errors, Operation

_WIDTH = 100


def operation(exchange: Exchange, name: str) -> Iterator[Section]:
    """All that is known of one operation."""
    plan, spec, lines = exchange.operation(name), exchange.spec.rest[name], Lines(exchange)
    if plan.joins:
        yield Section(f"REST {name}", _joined(exchange, plan, spec, lines))
        return
    yield Section(f"REST {name}", _head(plan, spec, lines))
    yield Section("request", list(_request(exchange, plan, lines)))
    yield from tables(spec, lines)
    yield from signing(exchange, plan.auth, lines)
    yield Section("limits", list(_limits(exchange, plan, spec, lines)))
    if plan.page is not None:
        yield Section("pages", list(_pages(plan, spec, lines)))
    yield Section("errors", list(_errors(exchange, spec, lines)))
    if plan.reader is not None:
        yield from reading(lines, plan.reader, spec)
    elif plan.values is not None:
        yield Section("values", [Row("", f"the texts at {spec.items}, for operations that call once for each", lines.at(spec.where))])
    else:
        yield Section("ignored", [Row("", plan.ignored or "", lines.at((*spec.where, "ignored")))])
    yield defaults(lines, _derived(exchange, plan, spec, lines), spec)


def _joined(exchange: Exchange, plan: OperationPlan, spec: Operation, lines: Lines) -> list[Row]:
    parts = [(part, exchange.operation(part)) for part in plan.joins]
    told = [Row("joins", f"{part}: {one.method} {one.path}", lines.at(("rest", part))) for part, one in parts]
    return [Row("returns", str(spec.returns), lines.at((*spec.where, "returns"))), Row("docs", plan.docs or "-"), *told]


def _head(plan: OperationPlan, spec: Operation, lines: Lines) -> list[Row]:
    rows = [Row("call", f"{plan.method} {plan.path}", lines.at(spec.where)), Row("docs", plan.docs or "-")]
    if plan.kinds is not None:
        rows.append(Row("kinds", ", ".join(sorted(plan.kinds)), lines.at((*spec.where, "kinds"))))
    if spec.shape is not None:
        told = f"{conditions(spec.shape)}, where only the address of an answer is known"
        rows.append(Row("shape", told, lines.at((*spec.where, "shape"))))
    if spec.like is not None:
        rows.append(Row("like", spec.like, lines.at((*spec.where, "like"))))
    if plan.poll is not None:
        told = f"every {duration(plan.poll)}, which is the stream {spec.stream or plan.name}: no channel serves it"
        rows.append(Row("polled", told, lines.at((*spec.where, "poll"))))
    return [*rows, *serves(plan, spec, lines)]


def _request(exchange: Exchange, plan: OperationPlan, lines: Lines) -> Iterator[Row]:
    params = next(samples(exchange, plan.kinds), None)
    for extra in plan.each or ({},):
        if params is None:
            yield Row("example", "no example symbol of its kinds")
            break
        words = {key: value if isinstance(value, str) else f"<each {value[1]}>" for key, value in extra.items()}
        yield _shown(str(params["symbol"]), example(plan, {**params, **words}) if plan.verb else plan.build({**params, **words}))
    for name, param in plan.params.items():
        facts = {"default": param.default, "at most": param.max, "one of": ", ".join(param.values) or None}
        told = ", ".join(f"{key} {value}" for key, value in facts.items() if value is not None)
        yield Row(name, told, lines.at(("rest", plan.name, "params", name)))


def _shown(symbol: str, request: HttpRequest | None) -> Row:
    """A request on one line."""
    if request is None:
        return Row("example", "no order of an example symbol is sent so")
    payload = request.payload
    return Row(symbol, f"{request.method} {request.target}{f' {payload.decode()}' if payload else ''}")


def _limits(exchange: Exchange, plan: OperationPlan, spec: Operation, lines: Lines) -> Iterator[Row]:
    for name in plan.pools:
        pool, node = exchange.pools[name], exchange.spec.limits[name]
        windows = " and ".join(f"{window.rate} in {duration(window.per)}" for window in pool.windows)
        counted = f"one budget for each {pool.by}" if pool.by != "pool" else "one budget for all that name it"
        yield Row(name, f"{windows}, {counted}, counted by {pool.scope}", lines.at(node.where))
        for what, header in (("used", pool.usage_header), ("left", pool.usage_remaining)):
            if header is not None:
                yield Row("", f"the header {header} tells what is {what}", lines.at((*node.where, "usage")))
    if not plan.pools:
        yield Row("", "none")
    if spec.weight is not None:
        more = f", and 1 more for each {plan.per_rows} rows of the answer" if plan.per_rows is not None else ""
        yield Row("weight", ", ".join(_weights(spec)) + more, lines.at((*spec.where, "weight")))


def _weights(spec: Operation) -> Iterator[str]:
    weight = spec.weight
    if weight is None or weight.by is None:
        yield str(weight.const if weight is not None else 1)
    elif weight.steps is not None:
        yield from (f"{cost} up to {weight.by} {bound}" for bound, cost in weight.steps.items())
    else:
        yield f"{weight.given or 1} with {weight.by}, {weight.missing or 1} without"


def _pages(plan: OperationPlan, spec: Operation, lines: Lines) -> Iterator[Row]:
    assert plan.page is not None and spec.page is not None
    how = f"by the answer's cursor at {spec.page.cursor}"
    if plan.page.by is not None:
        how = "by the rows before" if plan.page.by == "offset" else f"by {plan.page.by} of the last row"
    unit = f" in {plan.page.unit}" if plan.page.unit is not None else ""
    place = "" if plan.page.within == "query" else f" of the {plan.page.within}"
    yield Row(plan.page.direction, f"{how}, sent as '{plan.page.param}'{place}{unit}", lines.at(spec.page.where))
    if plan.page.all:
        yield Row("", "without a limit all pages are fetched", lines.at((*spec.page.where, "all")))
    if plan.page.inclusive:
        yield Row("", "an answer begins with the cursor's own row", lines.at((*spec.page.where, "inclusive")))
    if plan.page.drop:
        yield Row("", f"left out along with a cursor: {', '.join(plan.page.drop)}", lines.at((*spec.page.where, "drop")))


def _errors(exchange: Exchange, spec: Operation, lines: Lines) -> Iterator[Row]:
    """Its own way to fail, then that of all."""
    general = exchange.spec.errors
    yield from errors(spec.errors or general, lines)
    if spec.errors is not None:
        yield Row("otherwise", "what this doesn't say is as of all", lines.at(general.where))


def errors(spec: Errors, lines: Lines) -> Iterator[Row]:
    """When an answer is an error, where its code and message are, and the class of each code."""
    at = spec.where
    if spec.failed is not None:
        yield Row("failed", f"when {conditions(spec.failed)}, or by the HTTP status", lines.at((*at, "failed")))
    for key in ("code", "message"):
        if paths := getattr(spec, key):
            yield Row(key, " or ".join(paths), lines.at((*at, key)))
    yield from _classes(spec, lines)
    if any(rule.messages for rule in spec.codes.values()):
        yield Row("*", "unless the message tells another class")
    for text, name in spec.messages.items():
        yield Row(name, f"when the message contains '{text}' and no code tells", lines.at((*at, "messages", text)))


def _classes(spec: Errors, lines: Lines) -> Iterator[Row]:
    """Each error class with the codes and statuses that mean it."""
    classes: dict[str, list[str]] = {}
    for code, rule in spec.codes.items():
        classes.setdefault(rule.error, []).append(f"{code}*" if rule.messages else code)
    for status, name in spec.statuses.items():
        classes.setdefault(name, []).append(f"HTTP {status}")
    for name, codes in sorted(classes.items()):
        first, *more = wrap(", ".join(codes), _WIDTH)
        yield Row(name, first, lines.at((*spec.where, "codes")))
        yield from (Row("", line) for line in more)


def _derived(exchange: Exchange, plan: OperationPlan, spec: Operation, lines: Lines) -> list[Row]:
    """What the compiler concluded from keys that are not there."""
    at = lines.at(spec.where)
    rows = [Row("weight", "1", at)] if spec.weight is None else []
    if spec.idempotent is None:
        rows.append(Row("idempotent", f"{'yes' if plan.idempotent else 'no'}: it is a {plan.method}", at))
    if spec.errors is None:
        rows.append(Row("errors", "those of the exchange", lines.at(exchange.spec.errors.where)))
    return rows
