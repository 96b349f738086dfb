"""Streams that are polled over REST, on a made-up venue in virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.rest import RestEngine
from cexspec.engine.sender import Retry
from cexspec.engine.stream_client import StreamClient
from cexspec.models import (
    Candle,
    CexspecError,
    Event,
    FundingRate,
    Gap,
    InvalidRequest,
    InvalidSymbol,
    NetworkError,
    NotSupported,
    OpenInterest,
    Ticker,
    Trade,
)
from cexspec.spec.load import load_text
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall
from cexspec.transport.limiter import Limiter, Priority
from tests.simulation.network import Network
from tests.simulation.stage import START, Collector
from tests.simulation.venues import Bazaar

SPEC = """
cexspec: 1
id: desk
name: Desk
kind: cex
docs: https://desk.example/docs
environments:
  live: {rest: "https://desk.example", ws: {public: "wss://desk.example/public"}}
symbols:
  formats: {spot: "{base}-{quote}", perpetual: "{base}-{quote}-PERP"}
  examples: {BTC/USDT: BTC-USDT, BTC/USDT:PERP: BTC-USDT-PERP}
intervals: {1m: "60"}
limits:
  public: {rate: 600, per: 1m}
errors:
  failed: {$.error: {is: present}}
  code: [$.error]
  message: [$.text]
  codes: {"404": InvalidSymbol, "500": ExchangeUnavailable}
rest:
  instruments:
    get: /instruments
    limit: public
    returns: instrument
    items: $[*]
    fields:
      id: $.id
      kind: $.kind
      expiry: {path: $.expiry, unit: s}
      base: $.base
      quote: $.quote
      contract_size: $.size
  open_interest:
    get: /interest
    query: {market: "{{ id }}"}
    kinds: [perpetual]
    limit: public
    poll: 5s
    returns: open_interest
    item: $
    fields: {symbol: $.id, contracts: $.size, timestamp: {path: $.at, unit: ns}}
  interest_in_base: # of the name of no unified stream
    get: /interest
    query: {market: "{{ id }}"}
    limit: public
    poll: 5s
    returns: open_interest
    item: $
    fields: {symbol: $.id, base_size: {path: $.size, scale: contract_size}}
  tickers: # of all symbols
    get: /tickers
    limit: public
    poll: 2s
    stream: ticker
    returns: ticker
    items: $[*]
    fields: {symbol: $.id, last: $.last}
  trades:
    get: /trades
    query: {market: "{{ id }}"}
    limit: public
    poll: 1s
    returns: trade
    items: $[*]
    fields: {symbol: {of: request}, id: $.id, price: $.price, size: $.size, side: $.side, timestamp: {path: $.at, unit: ns}}
  candles:
    get: /candles/{{ interval }}
    query: {market: "{{ id }}"}
    limit: public
    poll: 10s
    returns: candle
    items: $[*]
    fields: {symbol: {of: request}, interval: {of: request}, open: $.o, high: $.h, low: $.l, close: $.c, timestamp: {path: $.at, unit: s}}
  funding_rate: # of one product line at a time
    get: /funding/{{ line }}
    each: [{line: linear}, {line: inverse}]
    limit: public
    poll: 10s
    returns: funding_rate
    items: $[*]
    fields: {symbol: $.id, rate: $.rate}
ws:
  connections:
    public:
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}, ack: {$.event: subscribe}, topic: $.arg}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}, ack: {$.event: unsubscribe}, topic: $.arg}
  channels:
    bbo:
      on: public
      topic: {ch: bbo, id: "{{ id }}"}
      match: {$.arg.ch: bbo}
      returns: bbo
      item: $.data
      fields: {symbol: {path: $.arg.id, of: message}, bid: $.b, bid_size: $.bs, ask: $.a, ask_size: $.as}
"""
BTC, ETH = "BTC/USDT:PERP", "ETH/USDT:PERP"
Answer = Callable[[Mapping[str, str]], Any]


@cache
def plan() -> Exchange:
    return Exchange(load_text(SPEC), Decimal)


@dataclass
class Desk:
    """The far side: what each path answers, when it was asked for what, and how long an answer takes."""

    clock: VirtualClock
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[float, str, dict[str, str]]] = field(default_factory=list)
    takes: float = 0.0
    trouble: CexspecError | None = None
    under_way: int = 0
    most_under_way: int = 0

    async def send(self, call: HttpCall) -> HttpAnswer:
        url = urlsplit(call.url)
        query = dict(parse_qsl(url.query))
        self.asked.append((round(self.clock.monotonic(), 6), url.path, query))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.clock.sleep(self.takes)
        finally:
            self.under_way -= 1
        if self.trouble is not None:
            raise self.trouble
        return HttpAnswer(200, {}, json.dumps(self.answers[url.path](query)).encode())

    def times(self, path: str = "/interest", **query: str) -> list[float]:
        """When a path was asked for this, in seconds since the start."""
        begin = START / 10**9
        return [
            round(at - begin if at > begin else at, 3)
            for at, asked, given in self.asked
            if asked == path and query.items() <= given.items()
        ]


@dataclass
class Scene:
    clock: VirtualClock
    desk: Desk
    engine: RestEngine
    client: StreamClient
    limiter: Limiter

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


async def perform(play: Callable[[Scene], Awaitable[None]], *, prepared: bool = False, rest: bool = True) -> None:
    """Play to the end in virtual time; nothing may be left running."""
    clock = VirtualClock(START)

    async def work() -> None:
        desk, markets, hosts = Desk(clock), Markets(plan()), plan().environments["live"]
        limiter = limiter_of(plan().pools, clock, exchange="desk")
        engine = RestEngine(plan(), hosts, desk, clock, limiter, markets, random=Random(1), retry=Retry(attempts=1))
        network = Network(clock, Bazaar(clock), Random(1), (0.001, 0.05))
        client = StreamClient(
            plan(),
            hosts,
            markets,
            transport=network,
            clock=clock,
            rest=engine if rest else None,
            prepare=engine.ensure_instruments if prepared else None,
        )
        try:
            await play(Scene(clock, desk, engine, client, limiter))
        finally:
            await client.close()

    before = asyncio.all_tasks()
    await clock.run(work(), limit=1e5)
    assert asyncio.all_tasks() == before, "tasks are left running"


def interest(size: Callable[[], int]) -> Answer:
    return lambda query: {"id": query["market"], "size": size(), "at": START}


def sizes(collector: Collector) -> list[int]:
    return [int(event.contracts or 0) for event in collector.events if isinstance(event, OpenInterest)]


async def test_it_is_asked_at_once_and_then_as_often_as_the_spec_says() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        before = scene.clock.monotonic()
        stream = scene.client.stream_open_interest(BTC)
        collector = Collector(stream)
        await stream.ready()
        assert scene.clock.monotonic() == before, "the first answer came at once"
        await scene.wait(12)
        assert [at - scene.desk.times()[0] for at in scene.desk.times()] == [0, 5, 10]
        assert sizes(collector) == [1, 2, 3]
        assert [event.symbol for event in collector.events] == [BTC] * 3
        assert all(event.received is not None for event in collector.events)
        assert scene.client.stats.events == 3
        await stream.close()
        await scene.wait(60)
        assert len(scene.desk.asked) == 3 and collector.ended

    await perform(play)


async def test_what_says_the_same_as_before_is_not_told_again() -> None:
    async def play(scene: Scene) -> None:
        told = iter([7, 7, 7, 8, 8, 7, 7])
        scene.desk.answers["/interest"] = interest(lambda: next(told, 7))
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(40)
        assert sizes(collector) == [7, 8, 7]

    await perform(play)


async def test_who_asks_for_the_same_shares_the_calls_and_late_comers_are_told_how_things_stand() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: 7)
        first = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(1)
        late = scene.client.stream_open_interest("BTC-USDT-PERP")
        before = scene.clock.monotonic()
        await late.ready()
        assert scene.clock.monotonic() == before
        second = Collector(late)
        await scene.wait(10)
        assert sizes(first) == sizes(second) == [7] and len(scene.desk.asked) == 3
        await first.stream.close()
        scene.desk.answers["/interest"] = interest(lambda: 8)
        await scene.wait(5)
        assert sizes(first) == [7] and sizes(second) == [7, 8]

    await perform(play)


async def test_symbols_are_asked_one_after_the_other_and_keep_their_distance() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: 7)
        stream = scene.client.stream_open_interest(*(f"A{number}/USDT:PERP" for number in range(20)))
        await stream.ready()
        await scene.wait(14)
        times = [at for at, _, _ in scene.desk.asked]
        assert min(after - before for before, after in pairwise(times)) >= 0.09, "no two in one instant"
        one = [at for at, _, query in scene.desk.asked if query["market"] == "A19-USDT-PERP"]
        assert [round(at - one[0], 3) for at in one] == [0, 5, 10]

    await perform(play)


async def test_many_symbols_go_as_fast_as_half_of_the_budget_allows() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: 7)
        stream = scene.client.stream_open_interest(*(f"A{number}/USDT:PERP" for number in range(200)))
        await stream.ready()
        begin = len(scene.desk.asked)
        await scene.wait(120)
        # 200 symbols every 5 s would be 2400 calls a minute; the budget is 600, and half of it is for others.
        assert 590 <= len(scene.desk.asked) - begin <= 610
        asked = {query["market"]: 0 for _, _, query in scene.desk.asked}
        for _, _, query in scene.desk.asked[begin:]:
            asked[query["market"]] += 1
        assert max(asked.values()) - min(asked.values()) == 1, "each as often as the others"
        stream.unsubscribe(*(f"A{number}/USDT:PERP" for number in range(10, 200)))
        await scene.wait(60)
        begin = len(scene.desk.asked)
        await scene.wait(60)
        assert len(scene.desk.asked) - begin == 120, "ten have room for the spec's interval again"

    await perform(play)


async def test_other_calls_go_first_where_polls_wait_for_the_budget() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: 7)
        scene.desk.answers["/tickers"] = lambda query: []
        await asyncio.gather(*(scene.engine.call("tickers", priority=Priority.MARKET_DATA) for _ in range(600)))
        scene.client.stream_open_interest(*(f"A{number}/USDT:PERP" for number in range(5)))
        await scene.wait(1)
        mine = asyncio.ensure_future(scene.engine.call("tickers"))
        await scene.wait(61)
        assert mine.done()
        paths = [path for _, path, _ in scene.desk.asked]
        assert paths[600] == "/tickers", "it came later than the polls and goes before them"

    await perform(play)


async def test_a_slow_answer_is_waited_for() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        scene.desk.takes = 8.0
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(29)
        assert scene.desk.most_under_way == 1
        begin = scene.desk.asked[0][0]
        assert [round(at - begin, 3) for at, _, _ in scene.desk.asked] == [0, 10, 20] and sizes(collector) == [1, 2, 3]

    await perform(play)


async def test_one_call_serves_all_symbols_where_its_answer_holds_them() -> None:
    async def play(scene: Scene) -> None:
        rows = [{"id": "BTC-USDT", "last": "1"}, {"id": "ETH-USDT", "last": "2"}, {"id": "XRP-USDT", "last": "3"}]
        scene.desk.answers["/tickers"] = lambda query: rows
        two = Collector(scene.client.stream_ticker("BTC/USDT", "ETH/USDT"))
        everything = Collector(scene.client.stream_ticker())
        await scene.wait(1)
        late = Collector(scene.client.stream_ticker("XRP/USDT"))
        await scene.wait(4)
        assert len(scene.desk.asked) == 3, "one call every 2 s for everybody"
        rows[0] = {"id": "BTC-USDT", "last": "9"}
        await scene.wait(2)

        def seen(collector: Collector) -> list[tuple[str | None, int]]:
            return [(event.symbol, int(event.last or 0)) for event in collector.events if isinstance(event, Ticker)]

        assert seen(two) == [("BTC/USDT", 1), ("ETH/USDT", 2), ("BTC/USDT", 9)]
        assert seen(everything) == [("BTC/USDT", 1), ("ETH/USDT", 2), ("XRP/USDT", 3), ("BTC/USDT", 9)]
        assert seen(late) == [("XRP/USDT", 3)]

    await perform(play)


async def test_sets_of_parameters_are_called_together() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/funding/linear"] = lambda query: [{"id": "BTC-USDT-PERP", "rate": "0.1"}]
        scene.desk.answers["/funding/inverse"] = lambda query: [{"id": "ETH-USDT-PERP", "rate": "0.2"}]
        collector = Collector(scene.client.stream_funding_rate(BTC, ETH))
        await scene.wait(1)
        rates = {event.symbol: event.rate for event in collector.events if isinstance(event, FundingRate)}
        assert rates == {BTC: Decimal("0.1"), ETH: Decimal("0.2")}
        assert sorted(path for _, path, _ in scene.desk.asked) == ["/funding/inverse", "/funding/linear"]

    await perform(play)


def tape(numbers: range) -> Answer:
    return lambda query: [{"id": str(one), "price": "1", "size": "2", "side": "buy", "at": START + one} for one in numbers]


async def test_of_trades_only_new_ids_are_told_and_a_tape_that_does_not_overlap_is_a_gap() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/trades"] = tape(range(1, 6))
        stream = scene.client.stream_trades("BTC/USDT")
        collector = Collector(stream)
        await stream.ready()
        await scene.wait(0.5)
        assert not collector.events, "what happened before is no news"
        scene.desk.answers["/trades"] = tape(range(3, 8))
        await scene.wait(2)
        assert collector.numbers("BTC/USDT") == [6, 7] and not collector.gaps
        scene.desk.answers["/trades"] = tape(range(20, 25))
        await scene.wait(1)
        (gap,) = collector.gaps
        assert (gap.symbol, gap.channel) == ("BTC/USDT", "trades") and "more than one answer holds" in gap.cause
        assert collector.events.index(gap) == 2 and collector.numbers("BTC/USDT")[2:] == [20, 21, 22, 23, 24]
        assert (gap.from_time or 0) < (gap.to_time or 0) == START + 3 * 10**9
        assert scene.client.stats.gaps == 1

    await perform(play)


async def test_of_candles_the_open_one_comes_first_and_then_what_changes() -> None:
    async def play(scene: Scene) -> None:
        def rows(*closes: str) -> Answer:
            return lambda query: [{"o": "1", "h": "9", "l": "1", "c": close, "at": 60 * at} for at, close in enumerate(closes)]

        scene.desk.answers["/candles/60"] = rows("2", "3", "4")
        collector = Collector(scene.client.stream_candles("BTC/USDT", interval="1m"))
        await scene.wait(1)
        scene.desk.answers["/candles/60"] = rows("2", "3", "5", "6")
        await scene.wait(10)
        assert [(event.interval, event.close) for event in collector.events if isinstance(event, Candle)] == [
            ("1m", 4),
            ("1m", 5),
            ("1m", 6),
        ]
        assert scene.desk.asked[0][1:] == ("/candles/60", {"market": "BTC-USDT"})

    await perform(play)


async def test_a_symbol_the_venue_refuses_raises_on_its_stream_and_the_others_go_on() -> None:
    async def play(scene: Scene) -> None:
        def answer(query: Mapping[str, str]) -> Any:
            if query["market"].startswith("BAD"):
                return {"error": "404", "text": "no such market"}
            return {"id": query["market"], "size": 1, "at": START}

        scene.desk.answers["/interest"] = answer
        with pytest.raises(InvalidSymbol, match="no such market"):
            await scene.client.stream_open_interest("BAD/USDT:PERP").ready()
        mixed = Collector(scene.client.stream_open_interest("BAD/USDT:PERP", BTC))
        await scene.wait(6)
        assert [type(error) for error in mixed.errors] == [InvalidSymbol] and sizes(mixed) == [1] and not mixed.ended
        assert scene.client.stats.refused == 2
        assert sum(query["market"].startswith("BAD") for _, _, query in scene.desk.asked) == 2, "it is not asked again"

    await perform(play)


async def test_a_symbol_that_an_answer_of_all_does_not_hold_is_refused() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/tickers"] = lambda query: [{"id": "BTC-USDT", "last": "1"}]
        collector = Collector(scene.client.stream_ticker("BTC/USDT"))
        with pytest.raises(InvalidSymbol, match="holds nothing about ETH/USDT"):
            await scene.client.stream_ticker("ETH/USDT").ready()
        with pytest.raises(InvalidSymbol, match="holds nothing about XRP/USDT"):
            await scene.client.stream_ticker("XRP/USDT").ready()
        await scene.wait(3)
        assert len(collector.events) == 1 and not collector.errors

    await perform(play)


async def test_short_trouble_is_counted_and_logged_and_long_trouble_is_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(1)
        scene.desk.trouble = NetworkError("connection refused")
        await scene.wait(15)
        scene.desk.trouble = None
        await scene.wait(5)
        assert sizes(collector) == [1, 5] and not collector.gaps, "three in a row are borne"
        assert scene.client.stats.poll_failures == 3
        assert any("poll_failed (1 so far): connection refused" in record.getMessage() for record in caplog.records)
        known, scene.desk.trouble = scene.clock.time_ns(), NetworkError("connection refused")
        await scene.wait(20)
        scene.desk.trouble = None
        await scene.wait(5)
        (gap,) = collector.gaps
        assert "4 polls in a row failed, the last one: connection refused" in gap.cause
        assert known - 10**9 <= (gap.from_time or 0) <= known, "the last answer, not the last change"
        assert isinstance(collector.events[-2], Gap) and isinstance(collector.events[-1], OpenInterest) and not collector.errors

    caplog.set_level(logging.WARNING)
    await perform(play)


async def test_a_venue_that_has_the_client_wait_for_long_leaves_a_gap_too() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(1)
        scene.limiter.pause("public", 12)
        await scene.wait(20)
        assert sizes(collector) == [1, 2, 3, 4] and not collector.gaps, "that was short"
        known = scene.clock.time_ns()
        scene.limiter.pause("public", 60)
        await scene.wait(61)
        (gap,) = collector.gaps
        assert "an answer came after" in gap.cause and (gap.from_time or 0) <= known
        assert sizes(collector)[-1] == 5 and collector.events[-2] is gap
        assert scene.client.stats.poll_failures == 0

    await perform(play)


async def test_a_stream_begins_when_the_venue_answers_at_last() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = lambda query: {"error": "500", "text": "maintenance"}
        stream = scene.client.stream_open_interest(BTC)
        collector = Collector(stream)
        ready = asyncio.ensure_future(stream.ready())
        await scene.wait(30)
        assert not ready.done()
        scene.desk.answers["/interest"] = interest(lambda: 1)
        await scene.wait(5)
        assert ready.done() and sizes(collector) == [1] and not collector.gaps, "what was never served is no gap"

    await perform(play)


async def test_an_answer_that_cannot_be_read_is_trouble_too() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = lambda query: {"id": query["market"]}
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(6)
        assert scene.client.stats.poll_failures == 2 and not collector.errors

    await perform(play)


async def test_a_foreign_error_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Scene) -> None:
        def answer(query: Mapping[str, str]) -> Any:
            raise ZeroDivisionError

        scene.desk.answers["/interest"] = answer
        collector = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(1)
        assert collector.ended and "internal error: ZeroDivisionError" in str(collector.errors[0])
        assert any("internal error" in record.getMessage() for record in caplog.records)

    await perform(play)


async def test_a_consumer_that_is_waited_for_delays_its_own_polls_alone() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        slow = scene.client.stream_open_interest(BTC, queue=1, policy="block")
        quick = Collector(scene.client.stream_open_interest(BTC))
        await scene.wait(21)
        assert slow.pending == 1 and len(quick.events) == 5
        collector = Collector(slow)
        await scene.wait(11)
        assert len(collector.events) == 3 and not slow.dropped, "it goes on where it was"

    await perform(play)


async def test_events_that_count_cannot_be_conflated() -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(InvalidRequest, match="every event of it counts"):
            scene.client.stream_trades("BTC/USDT", policy="conflate")
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        stream = scene.client.stream_open_interest(BTC, policy="conflate")
        await scene.wait(11)
        assert stream.pending == 1 and stream.dropped == 2

    await perform(play)


async def test_callbacks_and_the_operations_own_name() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: 7)
        got: list[Event] = []
        scene.client.subscribe("open_interest", BTC, callback=got.append)
        named = Collector(scene.client.stream("open_interest", BTC))
        await scene.wait(1)
        assert len(got) == 1 == len(named.events)
        scene.client.unsubscribe("open_interest")
        scene.desk.answers["/interest"] = interest(lambda: 8)
        await scene.wait(10)
        assert len(got) == 1 and len(named.events) == 2

    await perform(play)


async def test_a_symbol_that_no_rule_writes_is_polled_once_the_instruments_are_loaded() -> None:
    async def play(scene: Scene) -> None:
        listed = {"id": "odd", "kind": "future", "expiry": 1_798_761_600, "base": "ODD", "quote": "USD", "size": "10"}
        scene.desk.answers |= {"/instruments": lambda query: [listed], "/interest": interest(lambda: 7)}
        collector = Collector(scene.client.stream("interest_in_base", "ODD/USD:FUT:20270101"))
        nobody = Collector(scene.client.stream_open_interest("NOT A/SYMBOL"))
        await scene.wait(1)
        (event,) = collector.events
        assert isinstance(event, OpenInterest) and (event.symbol, event.base_size) == ("ODD/USD:FUT:20270101", 70)
        assert [type(error) for error in nobody.errors] == [InvalidSymbol] and nobody.ended

    await perform(play, prepared=True)


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda client: client.stream_open_interest("BTC/USDT"), NotSupported, "for perpetual only; BTC/USDT is spot"),
        (lambda client: client.stream_open_interest(), InvalidRequest, "name at least one symbol"),
        (lambda client: client.stream("candles", "BTC/USDT"), InvalidRequest, "candles needs 'interval'"),
        (lambda client: client.stream_open_interest("NOT A/SYMBOL"), InvalidSymbol, "no symbol"),
        (lambda client: client.stream_mark_price(BTC), NotSupported, "it has: bbo, candles, funding_rate, interest_in_base, open_interest"),
    ],
)
async def test_what_cannot_be_polled_is_refused_at_once(ask: Callable[[StreamClient], Any], error: type[CexspecError], text: str) -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(error, match=text):
            ask(scene.client)
        assert not scene.desk.asked

    await perform(play)


async def test_without_rest_there_is_nothing_to_poll() -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(NotSupported, match="there is none"):
            scene.client.stream_open_interest(BTC)

    await perform(play, rest=False)


async def test_symbols_come_and_go() -> None:
    async def play(scene: Scene) -> None:
        scene.desk.answers["/interest"] = interest(lambda: len(scene.desk.asked))
        stream = scene.client.stream_open_interest(BTC)
        collector = Collector(stream)
        await stream.subscribe(ETH)
        stream.unsubscribe(BTC)
        begin = len(scene.desk.asked)
        await scene.wait(11)
        assert {query["market"] for _, _, query in scene.desk.asked[begin:]} == {"ETH-USDT-PERP"}
        assert [event.symbol for event in collector.events] == [BTC, ETH, ETH, ETH]

    await perform(play)


async def test_trades_without_ids_are_the_same_when_all_they_say_is() -> None:
    from cexspec.engine.novelty import Novelty

    def trade(price: int, at: int) -> Trade:
        return Trade(exchange="desk", symbol="A/B", id=None, price=price, size=1, side="buy", timestamp=at, received=at + price)

    novelty = Novelty()
    assert novelty.of([trade(1, 1)]).rows == []
    twice = [trade(1, 1), trade(2, 2), trade(2, 2)]
    assert novelty.of(twice).rows == twice[1:]
    assert novelty.of([trade(2, 2), trade(2, 2), trade(2, 2)]).rows == [trade(2, 2)]
    assert novelty.of([]).rows == [] and novelty.of([trade(2, 2)]).broken == frozenset()
