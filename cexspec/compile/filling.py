"""From the parameters of a call to the values of its request's holes: bounds, decision tables, the orders of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cexspec.compile.bounds import Bound
from cexspec.compile.choices import Tables
from cexspec.compile.plan import ParamPlan, Params
from cexspec.compile.templates import Template
from cexspec.compile.verbs import FLAGS
from cexspec.models import InvalidRequest

ORDERS = "orders"
"""The hole of a batch: its orders, each as `each_order` writes it."""

Fill = Callable[[Params], dict[str, Any]]


def compile_filling(bound: Bound, tables: Tables, holes: frozenset[str], batch: Fill | None) -> Fill:
    """Parameters of a call -> the values of these holes. Raises as bounds and tables do."""
    make = tables.filler(holes)

    def fill(given: Params) -> dict[str, Any]:
        values = make(given, _without_unset(bound(given)))
        return values if batch is None else values | batch(given)

    return fill


def compile_batch(each: Template, bound: Bound, tables: Tables, most: ParamPlan | None, exchange: str, endpoint: str) -> Fill:
    """The orders of a call, each as the tree `each` of its own parameters and the call's. Raises `KeyError` where there are none."""
    make = tables.filler(each.holes)
    limit = most.max if most is not None else None

    def fill(given: Params) -> dict[str, Any]:
        orders = given[ORDERS]
        if limit is not None and len(orders) > limit:
            raise InvalidRequest(f"{len(orders)} orders: it takes {limit} in a call", exchange=exchange, endpoint=endpoint)
        whole = [{**given, **order} for order in orders]
        return {ORDERS: [each.fill(make(one, _without_unset(bound(one)))) for one in whole]}

    return fill


def _without_unset(values: dict[str, Any]) -> dict[str, Any]:
    """Flags that aren't set have no value."""
    for name in FLAGS:
        if values.get(name) is False:
            values[name] = None
    return values
