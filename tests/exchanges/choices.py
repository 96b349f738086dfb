"""Request coverage: the rows of decision tables and the words of parameters that the sample requests of an account exercise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cexspec.compile.choices import Tables, compile_tables, refusal
from cexspec.compile.conditions import text_of
from cexspec.compile.exchange import Exchange
from cexspec.compile.request import holes_of
from cexspec.compile.verbs import verb_of
from cexspec.spec.model import Operation
from cexspec.spec.model.choices import When


def wanted(exchange: Exchange) -> set[str]:
    """Every row, and every word where a condition has several or a parameter is sent in the venue's own."""
    return {line for name, operation in exchange.spec.rest.items() for line in _of(name, operation)}


def exercised(exchange: Exchange, name: str, params: Mapping[str, Any]) -> set[str]:
    """What one call of an operation exercises; each order of a batch is one."""
    operation = exchange.spec.rest[name]
    tables = compile_tables(operation, holes_of(name, operation), refusal(exchange.id, name, None), exchange.findings())
    calls = [{**params, **order} for order in params.get("orders", [{}])]
    return {line for call in calls for line in _seen(name, operation, tables, call)}


def _of(name: str, operation: Operation) -> Iterator[str]:
    for at, when in _rows(name, operation):
        yield at
        yield from (f"{at}: {parameter} {word}" for parameter, words in _several(when) for word in words)
    if verb_of(name, operation) is not None:
        yield from (f"rest.{name}.params.{one}: {word}" for one, param in operation.params.items() for word in param.words or ())


def _rows(name: str, operation: Operation) -> Iterator[tuple[str, When | None]]:
    if operation.when is not None:
        yield f"rest.{name}.when", operation.when
    for table, param in operation.params.items():
        yield from ((f"rest.{name}.params.{table}.choose[{at}]", row.when) for at, row in enumerate(param.choose or ()))


def _several(when: When | None) -> Iterator[tuple[str, list[str]]]:
    return ((name, asked.any_of) for name, asked in (when or {}).items() if asked.any_of is not None and len(asked.any_of) > 1)


def _seen(name: str, operation: Operation, tables: Tables, call: Mapping[str, Any]) -> Iterator[str]:
    taken = {f"rest.{name}.params.{plan.name}.choose[{tables.chosen(plan.name, call)}]" for plan in tables.plans}
    for at, when in _rows(name, operation):
        if at in taken or at == f"rest.{name}.when":
            yield at
            yield from (f"{at}: {parameter} {text_of(call.get(parameter))}" for parameter, _ in _several(when))
    yield from (f"rest.{name}.params.{one}: {text_of(call.get(one))}" for one, param in operation.params.items() if param.words)
