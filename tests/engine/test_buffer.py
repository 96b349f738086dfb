"""Queues between connections and consumers: what each policy keeps, loses and tells."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.engine.books.legs import Legs
from cexspec.engine.books.view import BookView
from cexspec.engine.buffer import MEASURED_EVERY, YIELD_AT_MOST, YIELD_EVERY, Buffer, Ended
from cexspec.engine.distribution import Durations
from cexspec.models import BookState, Candle, Event, Gap, InvalidSymbol, Ticker, Trade


def trade(number: int, symbol: str = "A/B", **more: Any) -> Trade:
    stamps = {"timestamp": number, "received": number + 1, **more}
    return Trade(exchange="x", symbol=symbol, id=str(number), price=Decimal(1), size=None, side=None, **stamps)


def ticker(symbol: str, last: int) -> Ticker:
    return Ticker(exchange="x", symbol=symbol, last=Decimal(last), timestamp=last)


def candle(start: int, close: int) -> Candle:
    one = Decimal(1)
    return Candle(exchange="x", symbol="A/B", interval="1m", timestamp=start, open=one, high=one, low=one, close=Decimal(close))


def gap(cause: str = "lost") -> Gap:
    return Gap(exchange="x", symbol="A/B", channel="trades", cause=cause, from_time=1, to_time=2)


async def take(buffer: Buffer) -> list[Event]:
    buffer.end()
    taken = []
    while True:
        try:
            taken.append(await buffer.get())
        except Ended:
            return taken


@given(st.lists(st.sampled_from(["A/B", "C/D"]), max_size=40), st.integers(1, 8))
def test_drop_oldest_keeps_the_newest_and_tells_exactly_what_went(symbols: list[str], limit: int) -> None:
    buffer = Buffer("trades", limit, "drop_oldest")
    events = [trade(number, symbol) for number, symbol in enumerate(symbols)]
    assert not any(buffer.put(event) for event in events)
    assert len(buffer) == min(limit, len(events))
    taken = asyncio.run(take(buffer))
    gaps = {event.symbol: event for event in taken if isinstance(event, Gap)}
    kept = [event for event in taken if not isinstance(event, Gap)]
    lost = events[: len(events) - limit] if len(events) > limit else []
    assert kept == events[len(lost) :] and buffer.dropped == len(lost)
    for symbol in set(symbols):
        times = [event.timestamp for event in lost if event.symbol == symbol]
        told = gaps.get(symbol)
        assert (told is None) == (not times)
        if told is not None:
            assert (told.count, told.from_time, told.to_time, told.channel) == (len(times), times[0], times[-1], "trades")


async def test_a_consumer_that_is_too_slow_for_many_symbols_still_gets_events() -> None:
    buffer = Buffer("trades", 50, "drop_oldest")
    taken: list[Event] = []
    for number in range(4_000):
        buffer.put(trade(number, f"{number % 500}/B"))
        if number % 3 == 0:
            taken.append(await buffer.get())
    kept = [event for event in taken if not isinstance(event, Gap)]
    assert len(kept) >= len(taken) / 3
    for symbol in {event.symbol for event in kept}:
        for before, event in pairwise([event for event in taken if event.symbol == symbol]):
            if isinstance(before, Trade) and isinstance(event, Trade):
                assert int(event.id or 0) - int(before.id or 0) == 500, "a trade is missing, and no gap says so"


async def test_a_gap_of_a_symbol_without_further_events_is_told_all_the_same() -> None:
    buffer = Buffer("trades", 10, "drop_oldest")
    buffer.put(trade(0, "GONE/B"))
    told = []
    for number in range(1, 2 * YIELD_EVERY + 20):
        buffer.put(trade(number))
        if number > 10:
            told.append(await buffer.get())
    assert "GONE/B" in [event.symbol for event in told if isinstance(event, Gap)]


async def test_a_gap_in_the_queue_is_not_lost_when_it_is_dropped() -> None:
    buffer = Buffer("trades", 2, "drop_oldest")
    buffer.put_gap(gap())
    for number in (10, 11):
        buffer.put(trade(number))
    first, *rest = await take(buffer)
    assert isinstance(first, Gap) and (first.from_time, first.to_time, first.count) == (1, 2, 0)
    assert len(rest) == 2 and buffer.dropped == 0


async def test_an_event_without_times_leaves_a_gap_without_times() -> None:
    buffer = Buffer("trades", 1, "drop_oldest")
    for number in (1, 2, 3):
        buffer.put(trade(number, timestamp=None, received=None if number == 1 else number))
    first = (await take(buffer))[0]
    assert isinstance(first, Gap) and (first.count, first.from_time, first.to_time) == (2, 2, 2)


async def test_block_asks_to_wait_and_loses_nothing() -> None:
    buffer = Buffer("trades", 2, "block")
    assert [buffer.put(trade(number)) for number in range(3)] == [False, True, True]
    waiting = asyncio.create_task(buffer.room())
    await asyncio.sleep(0)
    assert [(await buffer.get()).timestamp for _ in range(2)] == [0, 1]
    await waiting
    await buffer.room()
    assert [event.timestamp for event in await take(buffer)] == [2] and buffer.dropped == 0


async def test_closing_frees_whoever_waits_for_room() -> None:
    buffer = Buffer("trades", 1, "block")
    buffer.put(trade(1))
    waiting = asyncio.create_task(buffer.room())
    await asyncio.sleep(0)
    buffer.clear()
    await waiting
    buffer.end()
    assert not buffer.put(trade(2)) and not len(buffer)


async def test_conflate_keeps_the_newest_of_each_symbol_and_every_bar() -> None:
    buffer = Buffer("ticker", 10, "conflate")
    for event in (ticker("A/B", 1), ticker("C/D", 2), ticker("A/B", 3)):
        assert not buffer.put(event)
    assert len(buffer) == 2 and buffer.dropped == 1
    assert [event.timestamp for event in await take(buffer)] == [3, 2]
    bars = Buffer("candles", 10, "conflate")
    for bar in (candle(0, 1), candle(0, 2), candle(60, 3)):
        bars.put(bar)
    assert [event.close for event in await take(bars) if isinstance(event, Candle)] == [2, 3]


async def test_conflate_is_bounded_and_tells_gaps() -> None:
    buffer = Buffer("ticker", 2, "conflate")
    for number in range(4):
        buffer.put(ticker(f"{number}/B", number))
        buffer.put_gap(gap(str(number)))
    taken = await take(buffer)
    assert [event.cause for event in taken[:2] if isinstance(event, Gap)] == ["0", "1"]
    assert {event.symbol for event in taken if isinstance(event, Ticker)} == {"2/B", "3/B"}
    assert {event.symbol for event in taken[2:] if isinstance(event, Gap)} == {"A/B", "0/B", "1/B"}
    assert len(taken) == 7


async def test_errors_come_first_once_and_do_not_end_the_events() -> None:
    buffer = Buffer("trades", 5, "block")
    buffer.put(trade(1))
    buffer.put_error(InvalidSymbol("no"))
    with pytest.raises(InvalidSymbol):
        await buffer.get()
    assert (await buffer.get()).timestamp == 1


async def test_an_end_with_an_error_is_raised_again_and_again_after_the_rest() -> None:
    buffer = Buffer("trades", 5, "drop_oldest")
    buffer.put(trade(1))
    buffer.end(InvalidSymbol("given up"))
    buffer.end()
    buffer.put_error(InvalidSymbol("late"))
    buffer.put_gap(gap())
    assert (await buffer.get()).timestamp == 1
    for _ in range(2):
        with pytest.raises(InvalidSymbol, match="given up"):
            await buffer.get()
    late = Buffer("ticker", 5, "conflate")
    late.end()
    late.put_gap(gap())
    assert not await take(late)


async def test_several_consumers_share_and_one_that_is_cancelled_harms_nobody() -> None:
    buffer = Buffer("trades", 5, "drop_oldest")
    first, second = asyncio.create_task(buffer.get()), asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    buffer.put(trade(1))
    assert (await second).timestamp == 1 and first.cancelled()
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    buffer.put_gap(gap())
    assert isinstance(await waiting, Gap)
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    buffer.end()
    with pytest.raises(Ended):
        await waiting


async def test_a_consumer_with_much_to_take_gives_way() -> None:
    buffer = Buffer("trades", 10 * YIELD_AT_MOST, "block")
    for number in range(4 * YIELD_AT_MOST):
        buffer.put(trade(number))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(4 * YIELD_AT_MOST):
        await buffer.get()
    task.cancel()
    assert turns >= 4


async def test_a_consumer_takes_as_much_in_its_turns_as_arrives_between_them() -> None:
    buffer = Buffer("trades", 10 * YIELD_EVERY, "drop_oldest")
    arriving = 4 * YIELD_EVERY

    async def reader() -> None:
        for _ in range(20):
            for number in range(arriving):
                buffer.put(trade(number))
            await asyncio.sleep(0)

    task = asyncio.create_task(reader())
    for _ in range(20 * arriving):
        assert isinstance(await buffer.get(), Trade)
    await task
    assert buffer.dropped == 0


async def test_one_event_in_a_few_is_measured_from_its_arrival_to_its_taking() -> None:
    delays = Durations()
    buffer = Buffer("trades", 1000, "block", delays, lambda: 5_000_000)
    for number in range(3 * MEASURED_EVERY):
        buffer.put(trade(number, received=3_000_000 if number % MEASURED_EVERY == 0 else 0))
    buffer.put(trade(0, received=None))
    for _ in range(3 * MEASURED_EVERY + 1):
        await buffer.get()
    look = delays.snapshot()
    assert (look.count, look.most) == (3, 0.002) and look.sum == pytest.approx(0.006)
    assert buffer.taken == 3 * MEASURED_EVERY + 1


async def test_what_was_not_taken_does_not_count_as_taken() -> None:
    buffer = Buffer("trades", 10, "block", Durations())
    waiting = asyncio.ensure_future(buffer.get())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    buffer.put_error(InvalidSymbol("no such market"))
    with pytest.raises(InvalidSymbol):
        await buffer.get()
    assert buffer.taken == 0


async def test_what_ends_a_book_takes_the_view_that_waits_along_and_goes_before_the_next() -> None:
    buffer = Buffer("order_book", 10, "conflate")
    state = BookState(exchange="x", symbol="A/B", channel="order_book", state="out_of_sync", reason="a gap")
    for event in (ticker("A/B", 1), ticker("C/D", 2), state, gap(), ticker("A/B", 3)):
        assert buffer.put(event) is False
    buffer.end()
    assert await take(buffer) == [state, gap(), ticker("C/D", 2), ticker("A/B", 3)]


async def test_the_first_view_of_a_book_is_told_to_be_one_though_a_newer_one_takes_its_place() -> None:
    buffer = Buffer("order_book", 10, "conflate")
    kept = Legs(0.0)
    for first in (True, False, False):
        buffer.put(BookView(exchange="x", symbol="A/B", source=kept, first=first, timestamp=int(not first)))
    view: Any = await buffer.get()
    assert (view.first, view.timestamp, view.source is kept, buffer.dropped) == (True, 1, True, 2)
    buffer.put(BookView(exchange="x", symbol="A/B", source=kept))
    view = await buffer.get()
    assert not view.first


async def test_a_closed_gap_that_is_dropped_loses_nothing() -> None:
    buffer = Buffer("trades", 2, "drop_oldest")
    closed = Gap(exchange="x", symbol="A/B", channel="trades", cause="lost", from_time=1, to_time=2, count=9, closed=True)
    for event in (closed, trade(1), trade(2), trade(3)):
        buffer.put(event)
    told = await take(buffer)
    assert [(event.count, event.from_time, event.to_time) for event in told if isinstance(event, Gap)] == [(1, 1, 1)]
    assert buffer.dropped == 1
