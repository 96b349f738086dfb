"""Unified parameters as a venue takes them: defaults, the largest it allows, the only values it knows, its interval words.

Applied before any hole or weight sees the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from cexspec.compile.code import CodeWriter, Value
from cexspec.compile.filters import as_text
from cexspec.compile.plan import ParamPlan, Params
from cexspec.models import InvalidRequest
from cexspec.spec.model import Param

COUNTS = frozenset({"depth", "limit"})
"""Parameters that count things, so that a larger value includes a smaller."""

COMMON = COUNTS | {"interval"}
"""Parameters that have bounds wherever they are given."""

UNIFIED_INTERVAL = re.compile(r"\d{1,3}[smhdwM]")

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


@dataclass(frozen=True, slots=True)
class Bounds:
    """Parameters of a caller -> parameters as the venue takes them.

    `each` are the parameters that have bounds: name -> what makes the venue's value of the caller's, None included for those
    of `defaults`. All raise `InvalidRequest`.
    """

    each: Mapping[str, Callable[[Any], Any]]
    defaults: frozenset[str]

    def __call__(self, given: Params) -> dict[str, Any]:
        """All parameters."""
        values = dict(given)
        for name, bound in self.each.items():
            if name in self.defaults or values.get(name) is not None:
                values[name] = bound(values.get(name))
        return values

    def write(self, code: CodeWriter) -> None:
        """The same as code: from here on the holes of these parameters hold the venue's values."""
        for name, bound in self.each.items():
            known, always = code.bound.get(name), name in self.defaults
            if known is not None and (known.text is not None or not always):
                code.bound[name] = known if known.text is None else Value.constant(bound(known.text))
                continue
            value, make = code.made(f"get({name!r})" if known is None else known.code), code.constant(bound)
            always = always or name in code.sure
            code.line(f"{value} = {make}({value})" if always else f"if {value} is not None: {value} = {make}({value})")
            code.bound[name] = Value(value, "sure" if always else "maybe")


def compile_bounds(
    params: Mapping[str, ParamPlan], intervals: Mapping[str, str], exchange: str, endpoint: str, always: Set[str] = COMMON
) -> Bounds:
    """The bounds of all parameters: of those that have a plan, and `always` of these.

    A count (`depth`, `limit`) becomes the smallest of `values` that holds it, else the largest, and `max` at most; any
    other parameter must be one of `values`, or becomes one of the venue's `words`; `interval` does so always.
    """
    refuse = refusal(exchange, endpoint)
    tables = {name: plan.words for name, plan in params.items() if plan.words}
    tables["interval"] = interval_words(params, intervals)
    names = dict.fromkeys((*params, *sorted(always)))
    each = {name: _bound(name, params.get(name), tables.get(name), refuse) for name in names}
    return Bounds(each, frozenset(name for name, plan in params.items() if plan.default is not None))


def _bound(name: str, plan: ParamPlan | None, words: Mapping[str, str] | None, refuse: Refuse) -> Callable[[Any], Any]:
    """What makes the venue's value of one parameter."""

    def bound(value: Any) -> Any:
        if plan is not None:
            value = _given(name, value, plan, refuse)
        if name in COUNTS:
            value = _count(name, value, plan, refuse)
        return venue_word(name, value, words, refuse) if words else value

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
