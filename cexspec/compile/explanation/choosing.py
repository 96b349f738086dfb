"""What an operation does for an account, by which words it is chosen, and a call to show it with."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

from cexspec.compile.explanation.sample import TIME
from cexspec.compile.explanation.text import Lines, Row, Section, compact
from cexspec.compile.filling import ORDERS
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan, Params
from cexspec.models import ExchangeError
from cexspec.spec.model import Operation
from cexspec.spec.model.choices import Asked, When

_TYPES = ("limit", "market", "stop_limit", "stop_market")
_BARE: dict[str, Any] = {"side": "buy", "quantity": Decimal("0.5"), "size": Decimal("0.5")}
_NAMED: dict[str, Any] = {
    **{name: f"<{name}>" for name in ("order_id", "client_order_id", "currency")},
    **dict.fromkeys(("price", "stop_price"), Decimal(100)),
    "leverage": Decimal(3),
    "expires": TIME,
    **_BARE,
}
"""The holes of an order, each with an amount or its name; and those without which there is none."""


def serves(plan: OperationPlan, spec: Operation, lines: Lines) -> Iterator[Row]:
    """What it does for an account, and for which calls."""
    if plan.verb is not None:
        told = f"{plan.verb}, when {_told(spec.when)}" if spec.when is not None else plan.verb
        key = next((key for key in ("when", "serves") if key in spec.model_fields_set), None)
        yield Row("serves", told, lines.at((*spec.where, key) if key is not None else spec.where))
    if spec.accepts:
        yield Row("accepts", f"{', '.join(spec.accepts)}: as wished already, no errors", lines.at((*spec.where, "accepts")))


def tables(spec: Operation, lines: Lines) -> Iterator[Section]:
    """Each decision table, row by row."""
    for name, param in spec.params.items():
        if param.choose is not None:
            rows = [Row(_value(row.is_), f"when {_told(row.when)}" if row.when else "always", lines.at(row.where)) for row in param.choose]
            yield Section(f"{{{{ {name} }}}} is the first of", rows)


def example(plan: OperationPlan, params: Params) -> HttpRequest | None:
    """A request of a call with these parameters, and as much as an order may have besides; None where none will do."""
    orders = [{"type": kind, "time_in_force": force} for kind, force in product(_TYPES, (None, "gtc", "ioc"))]
    tried = (_built(plan, {**besides, **params, **order}) for besides, order in product((_NAMED, _BARE), orders))
    return next((request for request in tried if request is not None), None)


def _built(plan: OperationPlan, params: dict[str, Any]) -> HttpRequest | None:
    """The request, with what it can't do without; None where the venue has no such order, or another operation serves it."""
    if not plan.serves(params):
        return None
    while True:
        try:
            return plan.build({**params, ORDERS: [params]} if plan.batch else params)
        except ExchangeError:
            return None
        except KeyError as hole:
            params = {**params, hole.args[0]: _NAMED.get(hole.args[0], f"<{hole.args[0]}>")}


def _value(tree: Any) -> str:
    return "nothing" if tree is None else compact(tree)


def _told(when: When | None) -> str:
    return " and ".join(f"{name} {_condition(asked)}" for name, asked in (when or {}).items())


def _condition(asked: Asked) -> str:
    otherwise = " or not given" if asked.optional else ""
    if asked.is_ is not None:
        return "is given" if asked.is_ == "present" else "is not given"
    if asked.not_ is not None:
        return f"is not {' or '.join(asked.not_)}{otherwise}"
    return f"is {' or '.join(asked.any_of or ())}{otherwise}"
