"""Rate limits: pools, and what a call takes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from cexspec.compile.plan import Params, PoolPlan, WindowPlan
from cexspec.spec.model import Pool, Weight
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where


def compile_pools(pools: Mapping[str, Pool], findings: Findings) -> dict[str, PoolPlan]:
    """Every budget of a spec, by name."""
    return {name: _pool(name, pool, findings) for name, pool in pools.items()}


def _pool(name: str, pool: Pool, findings: Findings) -> PoolPlan:
    windows = tuple(WindowPlan(window.rate, window.per) for window in pool.windows or ())
    if pool.rate is not None and pool.per is not None:
        windows = (WindowPlan(pool.rate, pool.per),)
    return PoolPlan(
        name=name,
        windows=windows,
        scope=pool.scope,
        by="operation" if pool.scope == "endpoint" and pool.by == "pool" else pool.by,
        usage_header=pool.usage.header if pool.usage else None,
        pause=pool.pause,
        position=findings.position(pool.where),
        docs=pool.docs,
        usage_remaining=pool.usage.remaining if pool.usage else None,
    )


def compile_draws(names: Iterable[str], pools: Mapping[str, Pool], findings: Findings, where: Where) -> tuple[str, ...]:
    """The pools an operation draws from; one that doesn't exist is CEX057."""
    drawn = tuple(names)
    for name in drawn:
        if name not in pools:
            close = get_close_matches(name, pools, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(pools) or 'none: declare it under limits'}"
            findings.error("CEX057", where, f"there is no pool {name!r}", hint)
    return drawn


def compile_weight(weight: Weight | None, holes: frozenset[str], findings: Findings, where: Where) -> Callable[[Params], int]:
    """What a call costs, by its parameters after their bounds; 1 where the spec says nothing.

    By steps, a call without the parameter costs what the first step does. Finds CEX062: a weight by a parameter that
    no template (`holes`) sends.
    """
    if weight is None or weight.const is not None:
        constant = 1 if weight is None or weight.const is None else weight.const
        return lambda params: constant
    by = str(weight.by)
    if by not in holes:
        hint = f"the request holds {', '.join(sorted(holes)) or 'no holes'}"
        findings.error("CEX062", (*where, "by"), f"the weight depends on {by!r}, which this request never sends", hint)
    if weight.steps is not None:
        return _by_steps(by, weight.steps)
    given, missing = (1 if cost is None else cost for cost in (weight.given, weight.missing))
    return lambda params: missing if params.get(by) is None else given


def _by_steps(by: str, steps: Mapping[int, int]) -> Callable[[Params], int]:
    ordered = sorted(steps.items())

    def weigh(params: Params) -> int:
        value = params.get(by)
        if value is None:
            return ordered[0][1]
        return next((cost for bound, cost in ordered if int(value) <= bound), ordered[-1][1])

    return weigh
