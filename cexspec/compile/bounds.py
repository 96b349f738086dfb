"""Unified parameters as a venue takes them: defaults, the largest it allows, the only values it knows, its interval words.

Applied before any hole or weight sees the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cexspec.compile.filters import as_text
from cexspec.compile.plan import ParamPlan, Params
from cexspec.models import InvalidRequest
from cexspec.spec.model import Param

COUNTS = frozenset({"depth", "limit"})
"""Parameters that count things, so that a larger value includes a smaller."""

UNIFIED_INTERVAL = re.compile(r"\d{1,3}[smhdwM]")

Bound = Callable[[Params], dict[str, Any]]
Refuse = Callable[[str], InvalidRequest]


def refusal(exchange: str, endpoint: str) -> Refuse:
    """Reason -> the error that names exchange and endpoint."""
    return lambda reason: InvalidRequest(reason, exchange=exchange, endpoint=endpoint)


def venue_word(name: str, value: object, words: Mapping[str, str], refuse: Refuse) -> str:
    """The venue's word for a unified one; one it doesn't have is refused with those it has."""
    word = words.get(value) if isinstance(value, str) else None
    if word is None:
        raise refuse(f"no {name} {value!r}: it has {', '.join(words)}")
    return word


def compile_param(param: Param) -> ParamPlan:
    """The bounds of one parameter."""
    return ParamPlan(param.default, param.max, tuple(param.values or ()), dict(param.words or {}))


def interval_words(params: Mapping[str, ParamPlan], intervals: Mapping[str, str]) -> Mapping[str, str]:
    """Unified interval -> the venue's word here: the parameter's own, else the exchange's."""
    own = params.get("interval")
    return own.words if own is not None and own.words else intervals


def compile_bounds(params: Mapping[str, ParamPlan], intervals: Mapping[str, str], exchange: str, endpoint: str) -> Bound:
    """Parameters of a caller -> parameters as the venue takes them.

    A count (`depth`, `limit`) becomes the smallest of `values` that holds it, else the largest, and `max` at most; any
    other parameter must be one of `values`, or becomes one of the venue's `words`; `interval` does so always. Raises
    `InvalidRequest`.
    """
    refuse = refusal(exchange, endpoint)
    tables = {name: plan.words for name, plan in params.items() if plan.words}
    tables["interval"] = interval_words(params, intervals)

    def bound(given: Params) -> dict[str, Any]:
        values = {**given, **{name: _given(name, given.get(name), plan, refuse) for name, plan in params.items()}}
        for name in COUNTS & values.keys():
            if values[name] is not None:
                values[name] = _count(name, values[name], params.get(name), refuse)
        for name, words in tables.items():
            if values.get(name) is not None and words:
                values[name] = venue_word(name, values[name], words, refuse)
        return values

    return bound


def _given(name: str, value: object, plan: ParamPlan, refuse: Refuse) -> object:
    """The caller's value, or the default; what counts nothing must be one of the plan's values."""
    if value is None and plan.default is not None:
        value = int(plan.default) if name in COUNTS else plan.default
    if value is not None and name not in COUNTS and plan.values and as_text(value) not in plan.values:
        raise refuse(f"{name} is one of {', '.join(plan.values)}, not {as_text(value)!r}")
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
