"""The start of a stream that is polled: its calls, how often they are made, and what that takes of the budgets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import OperationPlan, Params
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.planning import ROUND_TRIP, PlannedPoll, StartPlan, answers, full_budgets
from cexspec.engine.poll_pace import Poll, PollPace
from cexspec.engine.polling import common_params, request_of
from cexspec.models import InvalidRequest, NotSupported
from cexspec.transport.clock import SystemClock


class Polled(NamedTuple):
    """One symbol of a stream that is polled: the call that is made for it."""

    symbol: str
    operation: OperationPlan
    params: Params


def polled_of(plan: ExchangePlan, markets: Markets, stream: str, symbol: str, params: Params) -> Polled:
    """What is asked for a symbol. Raises `NotSupported`, `InvalidSymbol`, `InvalidRequest` as the stream does."""
    operation, market = plan.polled(stream), markets.find(symbol)
    if operation is None:
        raise NotSupported(f"{plan.id} polls nothing for the stream {stream!r}")
    if operation.kinds is not None and market.kind is not None and market.kind not in operation.kinds:
        listed = " and ".join(sorted(operation.kinds))
        raise NotSupported(f"{plan.id} has {operation.name} for {listed} only; {market.symbol} is {market.kind}")
    given = {**params, **markets.params(symbol)}
    if request_of(operation, given) is None:
        raise InvalidRequest(f"{operation.name} needs more parameters", exchange=plan.id, endpoint=operation.name)
    return Polled(market.symbol or symbol, operation, common_params(operation, given))


def plan_polls(plan: ExchangePlan, wanted: Iterable[Polled], round_trip: float = ROUND_TRIP) -> StartPlan:
    """The start of these with all budgets full; those that ask for the same share one call."""
    limiter, pace, draws_of = limiter_of(plan.pools, SystemClock()), PollPace(), full_budgets(plan)
    calls: dict[tuple[str, HttpRequest | None], tuple[Polled, list[str]]] = {}
    for each in wanted:
        key = (each.operation.name, request_of(each.operation, each.params))
        calls.setdefault(key, (each, []))[1].append(each.symbol)
    polls = []
    for each, symbols in calls.values():
        operation, times = each.operation, max(1, len(each.operation.each))
        weight, symbol = operation.weight(each.params), str(each.params.get("id") or "")
        shares = limiter.shares(operation.pools, weight, operation=operation.name, symbol=symbol)
        poll = Poll(operation.name, operation.poll or 1.0, {budget: seconds * times for budget, seconds in shares.items()})
        pace.join(poll)
        polls.append((each, symbols, poll, weight * times))
    asks = [(pace.turn(poll, 0.0), draws_of(each.operation.name, each.params)) for each, _, poll, _ in polls]
    ready = answers(asks, max(1, len(asks)), round_trip, 0.0)
    planned, weights = [], dict[str, int]()
    for (each, symbols, poll, weight), at in zip(polls, ready, strict=True):
        planned.append(PlannedPoll(each.operation.name, symbols, weight, pace.interval(poll), at))
        for pool in each.operation.pools:
            weights[pool] = weights.get(pool, 0) + weight
    return StartPlan((), (), weights, max(ready, default=0.0), tuple(planned))
