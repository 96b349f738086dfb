"""Pools, draws and weights."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from cexspec.compile.limits import compile_draws, compile_pools, compile_weight
from cexspec.compile.plan import WindowPlan
from cexspec.spec.model import Pool, Weight
from cexspec.spec.model.limits import WeightValue
from cexspec.spec.problems import Findings
from cexspec.spec.source import Position

POOLS = {
    "market": Pool.model_validate({"rate": "20", "per": "2s", "by": "operation", "docs": "https://example.com"}),
    "weight": Pool.model_validate(
        {
            "windows": [{"rate": "6000", "per": "1m"}, {"rate": "300000", "per": "5m"}],
            "scope": "account",
            "usage": {"header": "X-USED"},
            "pause": "60s",
        }
    ),
}


def collect() -> Findings:
    return Findings(lambda where: Position("spec.yaml", 1, 1))


def test_what_is_counted_by_endpoint_has_a_budget_for_each_operation() -> None:
    given = {"scope": "endpoint", "rate": "1", "per": "1s"}
    pools = {by: Pool.model_validate({**given, "by": by}) for by in ("pool", "operation", "symbol")}
    plans = compile_pools({"plain": Pool.model_validate(given), **pools}, collect())
    found = {name: plan.by for name, plan in plans.items()}
    assert found == {"plain": "operation", "pool": "operation", "operation": "operation", "symbol": "symbol"}


def test_a_pool_is_its_windows() -> None:
    plans = compile_pools(POOLS, collect())
    market, weight = plans["market"], plans["weight"]
    assert market.windows == (WindowPlan(20, 2.0),)
    assert (market.name, market.scope, market.by, market.usage_header, market.pause) == ("market", "ip", "operation", None, None)
    assert weight.windows == (WindowPlan(6000, 60.0), WindowPlan(300_000, 300.0))
    assert (weight.scope, weight.by, weight.usage_header, weight.pause) == ("account", "pool", "X-USED", 60.0)
    assert str(weight.position) == "spec.yaml:1:1"


def test_a_pool_may_tell_what_is_left_of_it() -> None:
    pools = {"p": Pool.model_validate({"rate": "20", "per": "2s", "usage": {"remaining": "X-LEFT"}})}
    plan = compile_pools(pools, collect())["p"]
    assert (plan.usage_header, plan.usage_remaining) == (None, "X-LEFT")


def test_draws_are_known_pools() -> None:
    findings = collect()
    assert compile_draws(["market", "weight"], POOLS, findings, ()) == ("market", "weight")
    assert findings.problems == []


UNKNOWN = [("markt", POOLS, "did you mean 'market'?"), ("x", POOLS, "one of market, weight"), ("x", {}, "declare it under limits")]


@pytest.mark.parametrize(("name", "pools", "hint"), UNKNOWN, ids=[row[2] for row in UNKNOWN])
def test_an_unknown_pool_is_a_problem(name: str, pools: dict[str, Pool], hint: str) -> None:
    findings = collect()
    compile_draws([name], pools, findings, ("rest", "ticker", "limit"))
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == ("CEX057", ("rest", "ticker", "limit"))
    assert hint in problem.hint


STEPS = {"by": "depth", "steps": {"500": "25", "100": "5", "5000": "250"}}
WEIGHTS: list[tuple[Any, dict[str, Any], int]] = [
    (None, {}, 1),
    ("2", {"depth": 9}, 2),
    ("0", {}, 0),
    ({"const": "20", "per_rows": "20"}, {}, 20),
    (STEPS, {}, 5),
    (STEPS, {"depth": 100}, 5),
    (STEPS, {"depth": 101}, 25),
    (STEPS, {"depth": "500"}, 25),
    (STEPS, {"depth": 9999}, 250),
    ({"by": "id", "given": "2", "missing": "80"}, {"id": "X"}, 2),
    ({"by": "id", "given": "2", "missing": "80"}, {"id": None}, 80),
    ({"by": "id", "missing": "80"}, {"id": "X"}, 1),
]


@pytest.mark.parametrize(("weight", "params", "cost"), WEIGHTS, ids=[f"{row[0]} {row[1]}" for row in WEIGHTS])
def test_a_call_costs_its_weight(weight: Any, params: dict[str, Any], cost: int) -> None:
    findings = collect()
    parsed: Weight | None = TypeAdapter(WeightValue | None).validate_python(weight)
    assert compile_weight(parsed, frozenset({"depth", "id"}), findings, ())(params) == cost
    assert findings.problems == []


@pytest.mark.parametrize(("holes", "hint"), [(frozenset({"id"}), "the request holds id"), (frozenset(), "no holes")])
def test_a_weight_by_what_is_never_sent_is_a_problem(holes: frozenset[str], hint: str) -> None:
    findings = collect()
    compile_weight(Weight.model_validate(STEPS), holes, findings, ("rest", "order_book", "weight"))
    (problem,) = findings.problems
    assert (problem.rule, problem.where) == ("CEX062", ("rest", "order_book", "weight", "by"))
    assert hint in problem.hint
