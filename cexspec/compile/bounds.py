"""Unified parameters as a venue takes them: defaults, the largest it allows, the only values it knows, its interval words.

Applied before any hole or weight sees the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cexspec.compile.filters import as_text
from cexspec.compile.plan import ParamPlan, Params
from cexspec.models import InvalidRequest
from cexspec.spec.model import Param

COUNTS = frozenset({"depth", "limit"})
"""Parameters that count things, so that a larger value includes a smaller."""

Bound = Callable[[Params], dict[str, Any]]
Refuse = Callable[[str], InvalidRequest]


def refusal(exchange: str, endpoint: str) -> Refuse:
    """Reason -> the error that names exchange and endpoint."""
    return lambda reason: InvalidRequest(reason, exchange=exchange, endpoint=endpoint)


def venue_interval(interval: object, intervals: Mapping[str, str], refuse: Refuse) -> str:
    """The venue's word for a unified interval; one it doesn't have is refused with those it has."""
    word = intervals.get(interval) if isinstance(interval, str) else None
    if word is None:
        raise refuse(f"no interval {interval!r}: it has {', '.join(intervals)}")
    return word


def compile_param(param: Param) -> ParamPlan:
    """The bounds of one parameter."""
    return ParamPlan(param.default, param.max, tuple(param.values or ()))


def compile_bounds(params: Mapping[str, ParamPlan], intervals: Mapping[str, str], exchange: str, endpoint: str) -> Bound:
    """Parameters of a caller -> parameters as the venue takes them.

    A count (`depth`, `limit`) becomes the smallest of `values` that holds it, else the largest, and `max` at most; any
    other parameter must be one of `values`. `interval` becomes the venue's word. Raises `InvalidRequest`.
    """
    refuse = refusal(exchange, endpoint)

    def bound(given: Params) -> dict[str, Any]:
        values = dict(given)
        for name, plan in params.items():
            value = values.get(name)
            if value is None and plan.default is not None:
                value = int(plan.default) if name in COUNTS else plan.default
            if value is not None and name not in COUNTS:
                value = _listed(name, value, plan.values, refuse)
            values[name] = value
        for name in COUNTS & values.keys():
            if values[name] is not None:
                values[name] = _count(name, values[name], params.get(name), refuse)
        if values.get("interval") is not None and intervals:
            values["interval"] = venue_interval(values["interval"], intervals, refuse)
        return values

    return bound


def _listed(name: str, value: object, legal: tuple[str, ...], refuse: Refuse) -> object:
    if legal and as_text(value) not in legal:
        raise refuse(f"{name} is one of {', '.join(legal)}, not {as_text(value)!r}")
    return value


def _count(name: str, value: object, plan: ParamPlan | None, refuse: Refuse) -> int:
    if not isinstance(value, int) or value < 1:
        raise refuse(f"{name} is a whole number from 1, not {value!r}")
    if plan is None:
        return value
    if plan.values:
        sizes = sorted(map(int, plan.values))
        value = next((size for size in sizes if size >= value), sizes[-1])
    return value if plan.max is None else min(value, plan.max)
