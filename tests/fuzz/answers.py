"""REST: bodies read offline by operation, path and shape; and answers of any status, with any headers, to the running client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.models import CexspecError
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from tests.exchanges.venue import IDS, LATER, plan, samples
from tests.fuzz import seeds
from tests.fuzz.mutations import TEXTS, payloads
from tests.fuzz.oracle import check
from tests.fuzz.run import Target
from tests.fuzz.streams import alike, anew, events

Call = tuple[str, str, dict[str, Any], bytes]


def read(given: Call) -> None:
    """As the operation's answer, in both number types; by its path; by its shape."""
    exchange, operation, params, body = given
    exact, floats = anew(exchange, exact=True), anew(exchange, exact=False)
    first = events(lambda: exact.rest(operation, body, params))
    assert alike(first, events(lambda: floats.rest(operation, body, params))), "another value as float"
    for found in (exact.read_rest(body, path=plan(exchange).operation(operation).path, params=params), exact.read_rest(body)):
        assert found.error is None or isinstance(found.error, CexspecError)
        check(found.events)


Answer = tuple[int, dict[str, str], bytes]


class Answering:
    """An HTTP transport with answers of its own; the last one is given for ever."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = answers
        self.calls: list[HttpCall] = []

    async def send(self, call: HttpCall) -> HttpAnswer:
        """The next answer."""
        self.calls.append(call)
        status, headers, body = self._answers[min(len(self.calls), len(self._answers)) - 1]
        return HttpAnswer(status, headers, body)

    async def close(self) -> None:
        """Nothing to close."""


MAX_CALLS = 200
"""Requests of one call at most: pages and retries."""


def answered(given: tuple[str, str, dict[str, Any], list[Answer]]) -> None:
    """A call ends, in virtual time, with events or a typed error, after not too many requests."""
    exchange, operation, params, answers = given
    live, clock, transport = plan(exchange), VirtualClock(LATER), Answering(answers)
    markets = Markets(live)
    limiter = limiter_of(live.pools, clock)
    engine = RestEngine(live, next(iter(live.environments.values())), transport, clock, limiter, markets, random=Random(1))
    full = {**params, **(markets.params(params["symbol"]) if "symbol" in params else {})}

    async def call() -> None:
        with contextlib.suppress(CexspecError):
            check(await clock.run(engine.call(operation, full), limit=1e6))

    asyncio.run(call())
    assert len(transport.calls) <= MAX_CALLS, f"{len(transport.calls)} requests"


HEADERS = ("retry-after", "content-type", "date", "x-cache")


@cache
def headers(exchange: str) -> tuple[str, ...]:
    """Those that a client reads."""
    pools = plan(exchange).pools.values()
    named = [header for pool in pools for header in (pool.usage_header, pool.usage_remaining) if header is not None]
    return tuple(dict.fromkeys([*HEADERS, *(header.lower() for header in named)]))


def _answers(exchange: str) -> st.SearchStrategy[Answer]:
    values = st.sampled_from(TEXTS) | st.integers(-5, 10**12).map(str) | st.text(max_size=20)
    bodies = [body for *_, body in seeds.bodies(exchange)] + [body for *_, body in seeds.refusals(exchange)]
    statuses = st.sampled_from([200, 200, 200, 200, 204, 301, 400, 403, 404, 418, 429, 500, 502, 503, 504]) | st.integers(100, 999)
    return st.tuples(statuses, st.dictionaries(st.sampled_from(headers(exchange)), values, max_size=3), payloads(bodies))


@cache
def calls(exchange: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Calls as the samples make them, of symbols that the rules can write."""
    known = [(case["operation"], case.get("call") or {}) for case in samples(exchange, "requests") if "operation" in case]
    markets = Markets(plan(exchange))
    return tuple((operation, call) for operation, call in known if "symbol" not in call or _written(markets, call["symbol"]))


def _written(markets: Markets, symbol: str) -> bool:
    try:
        markets.params(symbol)
    except CexspecError:
        return False
    return True


def _body(exchange: str) -> st.SearchStrategy[Call]:
    operations = {operation: params for operation, params, _ in seeds.bodies(exchange)}
    own = st.sampled_from(seeds.bodies(exchange)).flatmap(
        lambda one: st.tuples(st.just(exchange), st.just(one[0]), st.just(one[1]), payloads([one[2]]))
    )
    others = st.sampled_from(sorted(operations)).flatmap(
        lambda one: st.tuples(st.just(exchange), st.just(one), st.just(operations[one]), payloads(seeds.loose_bodies(exchange)))
    )
    return st.one_of(own, own, own, others)


def _call(exchange: str) -> st.SearchStrategy[tuple[str, str, dict[str, Any], list[Answer]]]:
    return st.sampled_from(calls(exchange)).flatmap(
        lambda one: st.tuples(st.just(exchange), st.just(one[0]), st.just(one[1]), st.lists(_answers(exchange), min_size=1, max_size=3))
    )


BODIES = Target("bodies", st.sampled_from(IDS).flatmap(_body), read)
ANSWERS = Target("answers", st.sampled_from(IDS).flatmap(_call), answered)
TARGETS = (BODIES, ANSWERS)
