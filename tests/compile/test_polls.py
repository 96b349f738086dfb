"""Operations that are polled: which streams they are, and what speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.compile.polls import STREAMS
from cexspec.models import MODELS
from tests.compile.made_up import exchange

PRICES = {"get": "/prices", "returns": "mark_price", "items": "$[*]", "fields": {"symbol": "$.s", "mark_price": "$.p"}}
VERB = {"send": {"op": "subscribe", "args": "{{ topics }}"}}
CHANNEL = {"on": "public", "topic": "m", "match": {"$.e": "m"}, "returns": "mark_price", "fields": PRICES["fields"]}


def polled(**more: Any) -> Exchange:
    return exchange(limits={"slow": {"rate": 6, "per": "1m"}}, rest={"mark_prices": {**PRICES, **more}})


def problems(whole: Exchange) -> list[tuple[str, str]]:
    findings = whole.findings()
    whole.check(findings)
    return [(problem.rule, problem.message) for problem in findings.errors]


def test_a_polled_operation_is_the_stream_it_names() -> None:
    whole = polled(poll="10s", stream="mark_price")
    assert dict(whole.polls) == {"mark_price": "mark_prices"} and dict(whole.streams) == {}
    found = whole.polled("mark_price")
    assert found is not None and (found.name, found.poll) == ("mark_prices", 10.0)
    assert whole.polled("mark_prices") is None
    assert whole.offers("mark_price") and not whole.offers("ticker")
    assert problems(whole) == []


def test_without_a_stream_of_another_name_it_is_its_own() -> None:
    whole = polled(poll="10s")
    assert dict(whole.polls) == {"mark_prices": "mark_prices"} and problems(whole) == []


def test_what_is_not_polled_is_no_stream() -> None:
    whole = polled()
    assert dict(whole.polls) == {} and whole.operation("mark_prices").poll is None and problems(whole) == []


def test_a_channel_goes_before_what_is_polled() -> None:
    socket = {"connections": {"public": {"subscribe": VERB, "unsubscribe": VERB}}, "channels": {"mark_price": CHANNEL}}
    whole = exchange(rest={"mark_prices": {**PRICES, "poll": "10s", "stream": "mark_price"}}, ws=socket)
    assert dict(whole.polls) == {} and [channel.name for channel in whole.channels_of("mark_price")] == ["mark_price"]
    whole = exchange(rest={"mark_prices": {**PRICES, "poll": "10s", "stream": "index"}}, ws=socket)
    assert dict(whole.polls) == {"index": "mark_prices"} and problems(whole) == []


PACES: list[tuple[dict[str, Any], list[str]]] = [
    ({"poll": "100s"}, []),
    ({"poll": "99s"}, ["so often, one symbol alone takes 10 % of the pool 'slow'"]),
    ({"poll": "100s", "weight": "3"}, ["so often, one symbol alone takes 30 % of the pool 'slow'"]),
    (
        {"poll": "10s", "get": "/prices/{{ line }}", "each": [{"line": "a"}, {"line": "b"}]},
        ["so often, one symbol alone takes 200 % of the pool 'slow'"],
    ),
]


@pytest.mark.parametrize(("more", "expected"), PACES, ids=[str(row[0]) for row in PACES])
def test_one_symbol_takes_a_tenth_of_a_budget_at_most(more: dict[str, Any], expected: list[str]) -> None:
    assert problems(polled(limit="slow", **more)) == [("CEX074", text) for text in expected]


def test_a_pool_that_is_not_there_is_one_problem() -> None:
    assert [rule for rule, _ in problems(polled(limit="none", poll="1s"))] == ["CEX057"]


def test_the_streams_that_can_be_polled_are_of_models_that_there_are() -> None:
    assert set(STREAMS.values()) <= set(MODELS)


def test_it_is_explained_by_its_own_name_and_by_the_streams() -> None:
    whole = polled(poll="10s", stream="mark_price")
    assert explain(whole, "mark_price") == explain(whole, "mark_prices")
    assert "polled  every 10 s, which is the stream mark_price: no channel serves it" in explain(whole, "mark_price")
