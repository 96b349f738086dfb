"""Streams as users see them, on a simulated network in virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from cexspec.engine.markets import Markets
from cexspec.engine.options import Patience, Reconnecting, StreamOptions
from cexspec.engine.states import Transition
from cexspec.engine.stream_client import StreamClient
from cexspec.models import (
    AuthenticationError,
    Book,
    Candle,
    CexspecError,
    ConnectionLost,
    Event,
    Gap,
    Instrument,
    InvalidRequest,
    InvalidSymbol,
    Liquidation,
    MarkPrice,
    NetworkError,
    NotSupported,
    RateLimitExceeded,
    Ticker,
    TimeoutError,
    Trade,
)
from cexspec.models.symbol import Symbol
from cexspec.transport.backoff import Backoff
from tests.simulation.stage import HARBOR, Collector, Stage, perform

BTC, ETH, PERP = "BTC-USDT", "ETH-USDT", "BTC-USDT-P"


def retrying(retries: int | None, **session: Any) -> StreamOptions:
    return StreamOptions(reconnecting=Reconnecting(Backoff(0.1, 1.0), retries), **session)


def asked(scene: Stage, line: int = 0) -> list[tuple[str, list[Any]]]:
    """What a connection was asked for: verbs and the ids (or topics) in them."""
    messages = [json.loads(frame) for frame in scene.network.opened[line].sent if frame.startswith("{")]
    return [(message["op"], [arg.get("id") or arg for arg in message["args"]]) for message in messages if "op" in message]


def ticker_of(native_id: str, last: str, at: int, **more: str) -> tuple[dict[str, str], dict[str, Any]]:
    channel = "state" if native_id.endswith("-P") else "ticker"
    return {"ch": channel, "id": native_id}, {"l": last, "t": at, **more}


async def test_two_streams_on_one_topic_share_its_subscription() -> None:
    async def play(scene: Stage) -> None:
        first, second = scene.client.stream_trades("BTC/USDT"), scene.client.stream_trades(BTC)
        await first.ready()
        await second.ready()
        one, two = Collector(first), Collector(second)
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        await first.close()
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert (one.numbers("BTC/USDT"), two.numbers("BTC/USDT")) == ([1], [1, 2]) and one.ended
        await second.close()
        await scene.wait(1)
        assert asked(scene) == [("subscribe", [BTC]), ("unsubscribe", [BTC])]

    await perform(play)


async def test_late_comers_are_served_at_once() -> None:
    async def play(scene: Stage) -> None:
        await scene.client.stream_trades("BTC/USDT").ready()
        before = scene.clock.monotonic()
        await scene.client.stream_trades("BTC/USDT").ready()
        assert scene.clock.monotonic() == before

    await perform(play)


async def test_a_topic_of_many_symbols_is_shared_and_filtered_here() -> None:
    async def play(scene: Stage) -> None:
        btc = scene.client.stream_liquidations("BTC/USDT")
        two = scene.client.stream_liquidations("ETH/USDT", "SOL/USDT")
        everything = scene.client.stream_liquidations()
        for stream in (btc, two, everything):
            await stream.ready()
        mine, both, every = Collector(btc), Collector(two), Collector(everything)
        rows = [{"id": f"{name}-USDT", "p": "1", "s": "1", "d": "sell", "t": 1} for name in ("BTC", "ETH", "XRP")]
        scene.bazaar.say({"ch": "liquidations", "line": "S"}, rows)
        scene.bazaar.say({"ch": "liquidations", "line": "P"}, [{**rows[0], "id": PERP}])
        await scene.wait(1)
        assert [event.symbol for event in mine.events] == ["BTC/USDT"] and isinstance(mine.events[0], Liquidation)
        assert [event.symbol for event in both.events] == ["ETH/USDT"]
        assert [event.symbol for event in every.events] == ["BTC/USDT", "ETH/USDT", "XRP/USDT", "BTC/USDT:PERP"]
        lines = [topic["line"] for _, topics in asked(scene) for topic in topics]
        assert sorted(lines) == ["P", "S"], "one subscription for each product line"

    await perform(play)


async def test_channels_of_one_topic_are_one_subscription_that_feeds_both() -> None:
    async def play(scene: Stage) -> None:
        tickers = scene.client.stream_ticker("BTC/USDT", "BTC/USDT:PERP")
        marks = scene.client.stream_mark_price("BTC/USDT:PERP")
        await tickers.ready()
        await marks.ready()
        one, two = Collector(tickers), Collector(marks)
        scene.bazaar.say(*ticker_of(BTC, "5", 1))
        scene.bazaar.say(*ticker_of(PERP, "6", 2, m="7"))
        await scene.wait(1)
        assert [(event.symbol, event.last) for event in one.events if isinstance(event, Ticker)] == [("BTC/USDT", 5), ("BTC/USDT:PERP", 6)]
        assert [event.mark_price for event in two.events if isinstance(event, MarkPrice)] == [7]
        assert sorted(name for _, names in asked(scene) for name in names) == [BTC, PERP]
        await tickers.close()
        await scene.wait(1)
        assert asked(scene)[-1] == ("unsubscribe", [BTC]), "the shared one is still needed"

    await perform(play)


async def test_depth_chooses_the_channel_and_intervals_are_kept_apart() -> None:
    async def play(scene: Stage) -> None:
        client = scene.client
        books = {depth: client.stream_order_book("BTC/USDT", depth=depth, raw=True) for depth in (None, 3, 5, 6)}
        minutes, hours = client.stream_candles("BTC/USDT", interval="1m"), client.stream_candles("BTC/USDT", interval="1h")
        streams: dict[Any, Any] = {**books, "1m": minutes, "1h": hours}
        collectors = {name: Collector(stream) for name, stream in streams.items()}
        await scene.wait(2)
        for channel in ("book", "book5"):
            scene.bazaar.say({"ch": channel, "id": BTC}, {"b": [["1", "2"]], "a": [], "t": 1}, action="update")
        for word in ("m1", "h1"):
            scene.bazaar.say({"ch": f"candle-{word}", "id": BTC}, {"o": "1", "h": "1", "lo": "1", "c": "1", "t": 1})
        await scene.wait(1)
        found = {name: collector.events for name, collector in collectors.items()}
        snapshots = {depth: [event.is_snapshot for event in found[depth] if isinstance(event, Book)] for depth in books}
        assert snapshots == {None: [False], 3: [True], 5: [True], 6: [False]}
        for name in ("1m", "1h"):
            assert [event.interval for event in found[name] if isinstance(event, Candle)] == [name]

    await perform(play)


async def test_depths_of_one_channel_are_kept_apart_by_their_number() -> None:
    async def play(scene: Stage) -> None:
        shallow, deep = (scene.client.stream_order_book("BTC/USDT", depth=depth, raw=True) for depth in (25, 80))
        one, two = Collector(shallow), Collector(deep)
        await scene.wait(1)
        for levels in (25, 100):
            scene.harbor.say("book", BTC, "bk", [[["1", levels]], [], 1], len=levels)
        await scene.wait(1)
        sizes = [[event.bids[0][1] for event in each.events if isinstance(event, Book)] for each in (one, two)]
        assert sizes == [[25], [100]]

    await perform(play, HARBOR)


async def test_a_refused_symbol_raises_on_its_stream_alone_and_the_rest_goes_on() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.refused["BAD-USDT"] = ("404", "no such market")
        other = Collector(scene.client.stream_trades("BTC/USDT"))
        mixed = Collector(scene.client.stream_trades("BAD/USDT", "BTC/USDT"))
        alone = Collector(scene.client.stream_trades("BAD/USDT"))
        await scene.wait(1)
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert not other.errors and other.numbers("BTC/USDT") == [1] == mixed.numbers("BTC/USDT")
        for collector in (mixed, alone):
            (error,) = collector.errors
            assert isinstance(error, InvalidSymbol) and (error.code, error.message) == ("404", "no such market")
        assert alone.ended and not mixed.ended
        assert scene.client.stats.refused == 1
        with pytest.raises(InvalidRequest, match="ended"):
            alone.stream.subscribe("BTC/USDT")

    await perform(play)


async def test_a_message_refused_as_a_whole_fails_the_culprit_alone() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.refused["BAD-USDT"], scene.bazaar.whole = ("404", "no"), True
        collector = Collector(scene.client.stream_trades("BTC/USDT", "BAD/USDT", "ETH/USDT"))
        await scene.wait(2)
        scene.bazaar.trade(BTC)
        scene.bazaar.trade(ETH)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [1] == collector.numbers("ETH/USDT") and len(collector.errors) == 1

    await perform(play)


async def test_a_refusal_raises_where_it_is_waited_for() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.refused["BAD-USDT"] = ("404", "no such market")
        with pytest.raises(InvalidSymbol):
            await scene.client.stream_trades("BAD/USDT").ready()
        with pytest.raises(InvalidSymbol):
            async with scene.client.stream_trades("BTC/USDT", "BAD/USDT"):
                raise AssertionError("not reached")
        async with scene.client.stream_trades("BTC/USDT") as stream:
            with pytest.raises(InvalidSymbol):
                await stream.subscribe("BAD/USDT")
            await stream.subscribe("ETH/USDT")
            scene.bazaar.trade(ETH)
            assert (await anext(stream)).symbol == "ETH/USDT"
        assert stream.closed

    await perform(play)


async def test_an_answer_that_never_comes_is_an_error_of_the_stream() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.mute = 100
        with pytest.raises(TimeoutError, match="no answer to 2 requests"):
            await scene.client.stream_trades("BTC/USDT").ready()
        assert len(scene.network.opened) == 2, "on two lines"
        began = scene.clock.monotonic()
        scene.bazaar.mute = 1
        stream = scene.client.stream_trades("ETH/USDT")
        scene.bazaar.mute = 1
        await scene.wait(0.3)
        scene.bazaar.trade(ETH)
        await stream.ready()
        assert scene.clock.monotonic() - began < 1, "data said it before the second request"

    await perform(play, options=retrying(None, patience=Patience(2.0, 2)))


async def test_symbols_come_and_go_on_a_running_stream() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        collector = Collector(stream)
        await stream.subscribe(Symbol.parse("ETH/USDT"), "BTC/USDT")
        stream.unsubscribe("BTC/USDT")
        await scene.wait(1)
        scene.bazaar.trade(BTC)
        scene.bazaar.trade(ETH)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [] and collector.numbers("ETH/USDT") == [1]
        stream.unsubscribe()
        await scene.wait(1)
        scene.bazaar.trade(ETH)
        await stream.subscribe("ETH/USDT")
        scene.bazaar.trade(ETH)
        await scene.wait(1)
        assert collector.numbers("ETH/USDT") == [1, 3] and not collector.gaps, "what was not asked for is no gap"
        for wrong in ("BTC/USDT:NO", "NOT A/SYMBOL"):
            with pytest.raises(InvalidSymbol):
                stream.subscribe(wrong)

    await perform(play)


async def test_full_connections_get_siblings() -> None:
    async def play(scene: Stage) -> None:
        symbols = [f"A{number}/USDT" for number in range(10)]
        stream = scene.client.stream_trades(*symbols)
        await stream.ready()
        assert len(scene.network.lines) == 3 and scene.client.states == {f"public-{n}": "connected" for n in (1, 2, 3)}
        topics = [len(found) for found in scene.bazaar.subscriptions.values()]
        assert sorted(topics) == [2, 4, 4]
        collector = Collector(stream)
        scene.network.lines[0].cut()
        for number in range(10):
            scene.bazaar.trade(f"A{number}-USDT")
        await scene.wait(3)
        assert {event.symbol for event in collector.events if isinstance(event, Trade)} >= set(symbols[4:])
        assert {gap.symbol for gap in collector.gaps} == set(symbols[:4]), "the others lost nothing"
        stream.unsubscribe(*symbols[:4])
        await scene.wait(10)
        assert len(scene.network.lines) == 2 and len(scene.client.states) == 2, "one on which nothing is wanted closes"

    await perform(play)


async def test_callbacks_get_every_event_and_what_they_raise_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        got: list[Event] = []
        errors: list[CexspecError] = []

        async def slowly(event: Event) -> None:
            await scene.clock.sleep(0.01)
            got.append(event)

        def badly(event: Event) -> None:
            raise ZeroDivisionError(event.symbol)

        scene.bazaar.refused["BAD-USDT"] = ("404", "no")
        stream = scene.client.stream_trades("BTC/USDT").on(got.append).on(slowly, errors.append).on(badly, badly)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest, match="feeds callbacks"):
            await anext(stream)
        await stream.ready()
        for _ in range(3):
            scene.bazaar.trade(BTC)
        stream.subscribe("BAD/USDT")
        await scene.wait(1)
        assert len(got) == 6 and [type(error) for error in errors] == [InvalidSymbol]
        assert scene.client.stats.callback_errors == 4
        assert any("a callback of trades failed on Trade BTC/USDT" in record.getMessage() for record in caplog.records)
        await stream.close()
        await stream.close()

    await perform(play)


async def test_subscribe_with_a_callback_and_unsubscribe_by_channel(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        got: list[Event] = []
        client = scene.client
        client.subscribe("trades", "BTC/USDT", "ETH/USDT", callback=got.append)
        client.subscribe("order_book_5", "BTC/USDT", callback=got.append)
        closing = client.subscribe("candles", "BTC/USDT", callback=lambda event: closing.close(), interval="1m")
        scene.bazaar.refused["BAD-USDT"] = ("404", "no such market")
        client.subscribe("trades", "BAD/USDT", callback=got.append)
        await scene.wait(1)
        scene.bazaar.say({"ch": "book5", "id": BTC}, {"b": [], "a": [], "t": 1})
        scene.bazaar.say({"ch": "candle-m1", "id": BTC}, {"o": "1", "h": "1", "lo": "1", "c": "1", "t": 1})
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert [type(event) for event in got] == [Book, Trade] and closing.closed
        client.unsubscribe("trades", "BTC/USDT")
        await scene.wait(1)
        scene.bazaar.trade(BTC)
        scene.bazaar.trade(ETH)
        await scene.wait(1)
        assert [event.symbol for event in got[2:]] == ["ETH/USDT"]
        client.unsubscribe("trades")
        await scene.wait(1)
        assert asked(scene)[-1] == ("unsubscribe", [ETH])
        assert any("no such market" in record.getMessage() for record in caplog.records if record.name == "cexspec.stream")

    await perform(play)


async def test_a_slow_consumer_loses_only_its_own_and_is_told() -> None:
    async def play(scene: Stage) -> None:
        slow, fast = scene.client.stream_trades("BTC/USDT", queue=3), scene.client.stream_trades("BTC/USDT")
        await slow.ready()
        collector = Collector(fast)
        for _ in range(10):
            scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == list(range(1, 11))
        assert (slow.pending, slow.dropped, scene.client.stats.drops) == (3, 7, 7)
        gap = await anext(slow)
        assert isinstance(gap, Gap) and gap.count == 7 and "too slow" in gap.cause
        assert [(await anext(slow)).symbol for _ in range(3)] == ["BTC/USDT"] * 3
        await slow.close()
        assert scene.client.stats.drops == 7

    await perform(play)


async def test_block_loses_nothing_and_keeps_the_connection_alive() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT", queue=2, policy="block")
        await stream.ready()
        for _ in range(10):
            scene.bazaar.trade(BTC)
        await scene.wait(200)
        assert stream.pending <= 3 and len(scene.network.opened) == 1
        assert scene.network.opened[0].sent.count("ping") >= 5, "pings go on while nothing is read"
        collector = Collector(stream)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == list(range(1, 11)) and not collector.gaps
        await scene.wait(100)
        assert len(scene.network.opened) == 1

    await perform(play)


async def test_a_blocked_stream_can_be_closed() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT", queue=1, policy="block")
        other = Collector(scene.client.stream_trades("ETH/USDT"))
        await stream.ready()
        await other.stream.ready()
        for _ in range(5):
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)
        await scene.wait(1)
        await stream.close()
        await scene.wait(1)
        assert other.numbers("ETH/USDT") == [1, 2, 3, 4, 5]

    await perform(play)


async def test_conflate_is_for_states_only() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_ticker("BTC/USDT", policy="conflate")
        await stream.ready()
        for number in range(5):
            scene.bazaar.say(*ticker_of(BTC, str(number + 1), number))
        await scene.wait(1)
        event = await anext(stream)
        assert isinstance(event, Ticker) and event.last == 5 and stream.dropped == 4
        scene.client.stream("order_book_5", "BTC/USDT", policy="conflate")
        raw_books = partial(scene.client.stream_order_book, raw=True)
        for refused in (scene.client.stream_trades, scene.client.stream_liquidations, raw_books):
            with pytest.raises(InvalidRequest, match="can't be conflated"):
                refused("BTC/USDT", policy="conflate")

    await perform(play)


async def test_states_are_told_to_callbacks_iterators_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cexspec.stream")

    async def play(scene: Stage) -> None:
        heard: list[tuple[str, str]] = []
        stop = scene.client.on_state(lambda transition: heard.append((transition.before, transition.after)))

        def fails(transition: Transition) -> None:
            raise ZeroDivisionError(transition)

        scene.client.on_state(fails)
        seen: list[str] = []

        async def watch() -> None:
            async for transition in scene.client.transitions():
                seen.append(transition.after)

        watching = asyncio.create_task(watch())
        await scene.wait(0.01)
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        scene.network.lines[0].cut()
        await scene.wait(3)
        stop()
        stop()
        await stream.close()
        await scene.wait(10)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        states = ["connecting", "connected", "reconnecting", "connected"]
        assert [after for _, after in heard] == states and [before for before, _ in heard] == ["disconnected", *states[:-1]]
        assert seen == [*states, "closed"] and scene.client.states == {}

    await perform(play)
    transitions = [record for record in caplog.records if getattr(record, "event", "") == "connection_state"]
    assert [record.levelname for record in transitions] == ["INFO", "INFO", "WARNING", "INFO", "INFO"]


async def test_an_error_that_cannot_heal_reaches_every_stream() -> None:
    async def play(scene: Stage) -> None:
        scene.network.refusals.append(AuthenticationError("bad key"))
        iterated = Collector(scene.client.stream_trades("BTC/USDT"))
        waited, errors = scene.client.stream_trades("ETH/USDT"), list[CexspecError]()
        scene.client.stream_trades("SOL/USDT").on(lambda event: None, errors.append)
        with pytest.raises(AuthenticationError):
            await waited.ready()
        await scene.wait(1)
        assert [type(error) for error in iterated.errors] == [AuthenticationError] == [type(error) for error in errors]
        assert list(scene.client.states.values()) == ["failed"] and len(scene.network.attempts) == 1
        with pytest.raises(AuthenticationError):
            await anext(waited)
        again = scene.client.stream_trades("BTC/USDT")
        await again.ready()
        assert scene.client.states == {"public-2": "connected"}, "a new stream tries anew"

    await perform(play)


async def test_an_error_that_cannot_heal_ends_all_symbols_of_a_stream() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades(*(f"A{number}/USDT" for number in range(6)))
        await stream.ready()
        scene.network.refusals.append(AuthenticationError("revoked"))
        scene.network.lines[0].cut()
        collector = Collector(stream)
        await scene.wait(10)
        assert len(collector.errors) == 1 and collector.ended
        assert not any(scene.bazaar.subscriptions.values()), "the sibling has nothing left to do"

    await perform(play)


async def test_unlimited_retries_with_growing_jittered_delays_unless_limited() -> None:
    async def unlimited(scene: Stage) -> None:
        scene.network.down = True
        stream = scene.client.stream_trades("BTC/USDT")
        await scene.wait(60)
        attempts = scene.network.attempts
        pauses = [late - early for early, late in pairwise(attempts)]
        assert len(attempts) > 50 and max(pauses) < 1.2 and len(set(pauses)) == len(pauses)
        scene.network.down = False
        await stream.ready()

    async def limited(scene: Stage) -> None:
        scene.network.down = True
        with pytest.raises(NetworkError):
            await scene.client.stream_trades("BTC/USDT").ready()
        assert len(scene.network.attempts) == 4

    async def limited_after_success(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        for _ in range(4):
            await scene.wait(0.6)
            for line in tuple(scene.network.lines):
                line.cut()
        collector = Collector(stream)
        await scene.wait(3)
        (error,) = collector.errors
        assert isinstance(error, ConnectionLost) and "given up after 3 retries" in str(error)

    await perform(unlimited, options=retrying(None))
    await perform(limited, options=retrying(3))
    await perform(limited_after_success, options=retrying(3), delays=(0.0, 0.001))


async def test_a_venue_that_asks_to_wait_is_waited_for() -> None:
    async def play(scene: Stage) -> None:
        error = RateLimitExceeded("too many connections")
        error.retry_after = 30.0
        scene.network.refusals.append(error)
        await scene.client.stream_trades("BTC/USDT").ready()
        assert 30.0 <= scene.clock.monotonic() < 33.0

    await perform(play, options=retrying(None))


async def test_a_host_that_asks_one_connection_to_wait_is_left_alone_by_all() -> None:
    async def play(scene: Stage) -> None:
        error = RateLimitExceeded("too many connections")
        error.retry_after = 30.0
        scene.network.refusals.append(error)
        await scene.client.stream_trades(*(f"A{number}/USDT" for number in range(4 * 15))).ready()
        refused, *later = scene.network.attempts
        assert sum(at >= refused + 30.0 for at in later) >= 5 + 1
        assert not any(refused + 1.0 < at < refused + 30.0 for at in later)

    await perform(play, options=retrying(None))


async def test_attempts_to_connect_keep_to_the_hosts_budget() -> None:
    async def play(scene: Stage) -> None:
        await scene.client.stream_trades(*(f"A{number}/USDT" for number in range(4 * 25))).ready()
        attempts = scene.network.attempts
        assert len(attempts) == 25
        assert all(attempts[at + 10] - attempts[at] >= 1.0 for at in range(len(attempts) - 10))

    await perform(play)


async def test_the_venues_headers_are_sent() -> None:
    async def play(scene: Stage) -> None:
        await scene.client.stream_trades("BTC/USDT").ready()
        assert scene.network.opened[0].headers == {"x-test": "1"}

    await perform(play)


async def test_nobody_connects_for_what_nobody_wants_any_more() -> None:
    async def play(scene: Stage) -> None:
        scene.network.down = True
        stream = scene.client.stream_trades("BTC/USDT")
        await scene.wait(3)
        await stream.close()
        await scene.wait(3)
        attempts = len(scene.network.attempts)
        await scene.wait(30)
        assert len(scene.network.attempts) == attempts and scene.client.states == {}

    await perform(play, options=retrying(None))


async def test_a_restart_the_venue_announces_is_a_reconnect_with_a_gap() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        scene.network.lines[0].push({"event": "restart"})
        await scene.wait(5)
        assert ["the venue restarts" in gap.cause for gap in collector.gaps] == [True]
        assert len(scene.network.opened) == 2 and len(scene.network.lines) == 1

    await perform(play)


async def test_a_silent_peer_is_found_out_by_the_ping_it_leaves_unanswered() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        scene.network.lines[0].fall_silent()
        await scene.wait(30)
        assert ["no answer to a ping" in gap.cause for gap in collector.gaps] == [True] and len(scene.network.lines) == 1

    await perform(play)


async def test_where_the_venue_never_says_yes_a_gap_ends_with_the_first_event() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_bbo("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        topic, data = {"ch": "bbo", "id": BTC}, {"b": "1", "bs": "1", "a": "2", "as": "1"}
        await scene.wait(1)
        scene.bazaar.say(topic, {**data, "t": scene.clock.time_ns()})
        await scene.wait(1)
        scene.network.lines[0].cut()
        await scene.wait(3)
        assert not collector.gaps
        scene.bazaar.say(topic, {**data, "t": scene.clock.time_ns()})
        await scene.wait(1)
        (gap,) = collector.gaps
        assert [type(event).__name__ for event in collector.events] == ["Bbo", "Gap", "Bbo"]
        assert (gap.to_time or 0) - (gap.from_time or 0) > 4 * 10**9

    await perform(play)


async def test_frames_lost_on_the_way_are_a_gap_on_every_stream_of_the_connection() -> None:
    async def play(scene: Stage) -> None:
        collectors = [Collector(scene.client.stream_trades(symbol)) for symbol in ("BTC/USDT", "ETH/USDT")]
        await scene.wait(1)
        scene.harbor.trade(BTC)
        scene.harbor.frames[scene.network.lines[0]] += 5
        scene.harbor.trade(BTC)
        await scene.wait(1)
        assert [[gap.cause for gap in each.gaps] for each in collectors] == [["5 frame(s) of the connection were lost on the way"]] * 2

    await perform(play, HARBOR)


async def test_a_greeting_that_never_comes_is_a_connection_that_never_was() -> None:
    async def play(scene: Stage) -> None:
        scene.harbor.greets = False
        stream = scene.client.stream_trades("BTC/USDT")
        await scene.wait(25)
        assert len(scene.network.opened) >= 2
        scene.harbor.greets = True
        await stream.ready()

    await perform(play, HARBOR)


async def test_bad_and_unknown_frames_are_counted_and_shown_and_nothing_stops() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        line = scene.network.lines[0]
        for frame in ("{", {"event": "news"}, {"event": "trouble", "code": "9", "msg": "oops"}, b"\xff\xfe", "[" * 5000):
            line.push(frame)
        scene.bazaar.trade(BTC)
        scene.bazaar.say({"ch": "trades", "id": BTC}, [{"i": "2", "p": "1", "s": "1", "d": "buy", "t": 1}, {"i": "3"}])
        line.push({"arg": {"ch": "ticker", "id": ETH}, "data": {"l": "1", "t": 1}})
        line.push({"arg": {"ch": "trades", "id": ETH}, "data": [{"i": "2", "p": "1", "s": "1", "d": "buy", "t": 1}]})
        await scene.wait(1)
        stats = scene.client.stats
        assert collector.numbers("BTC/USDT") == [1, 2]
        assert (stats.decode_errors, stats.unrouted, stats.venue_errors, stats.unclaimed) == (4, 1, 1, 2)
        assert len(stats.problems) == 6 and stats.messages > 6 and stats.bytes > 100 and stats.events == 4

    await perform(play)


async def test_latency_is_sampled() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        assert scene.client.stats.latency.mean is None
        for _ in range(100):
            scene.bazaar.trade(BTC)
        await scene.wait(1)
        latency = scene.client.stats.latency
        assert latency.samples and latency.least is not None and latency.mean is not None and latency.most is not None
        assert 0.001 <= latency.least <= latency.mean <= latency.most and latency.last is not None

    await perform(play)


async def test_a_foreign_error_is_a_failure_that_reaches_the_stream() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()

        def broken(*deliveries: object) -> list[Any]:
            raise ZeroDivisionError("a bug")

        scene.client._connections._dispatcher.deliver = broken  # type: ignore[assignment,method-assign]
        scene.bazaar.trade(BTC)
        with pytest.raises(CexspecError, match="internal error"):
            await anext(stream)

    await perform(play)


async def test_closing_the_client_ends_every_stream_and_frees_its_queue() -> None:
    async def play(scene: Stage) -> None:
        stream, collector = scene.client.stream_trades("BTC/USDT"), Collector(scene.client.stream_trades("BTC/USDT"))
        await stream.ready()
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert stream.pending == 1
        await scene.client.close()
        await scene.client.close()
        assert stream.closed and stream.pending == 0 and [event async for event in stream] == []
        await asyncio.sleep(0)
        assert collector.ended and not scene.network.lines

    await perform(play)


async def test_a_client_that_is_still_connecting_closes_at_once() -> None:
    async def play(scene: Stage) -> None:
        scene.client.stream_trades("BTC/USDT")
        await scene.client.close()
        assert not scene.network.lines
        scene.client.stream_trades("BTC/USDT")
        await scene.wait(0.0001)

    await perform(play)


@pytest.mark.parametrize("turns", range(8))
async def test_a_client_closes_in_whatever_moment_a_connection_breaks(turns: int) -> None:
    """Also while the connection has noticed, and has not yet begun to connect anew."""

    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        scene.network.opened[0].cut(1006)
        for _ in range(turns):
            await asyncio.sleep(0)
        closing = asyncio.create_task(scene.client.close())
        await scene.wait(1)
        assert closing.done() and stream.closed and not scene.network.lines

    await perform(play)


WRONG: list[tuple[str, Callable[[StreamClient], Any], type[CexspecError], str]] = [
    ("no such stream", lambda client: client.stream_open_interest("BTC/USDT"), NotSupported, "declares no stream 'open_interest' .*trades"),
    ("no such channel", lambda client: client.stream("nothing", "BTC/USDT"), NotSupported, "no channel 'nothing'"),
    ("not this kind", lambda client: client.stream_mark_price("BTC/USDT"), NotSupported, "of the kind spot"),
    ("too deep", lambda client: client.stream("order_book_5", "BTC/USDT", depth=6), InvalidRequest, "the deepest has 5"),
    ("no symbol", lambda client: client.stream_trades(), InvalidRequest, "name at least one symbol"),
    ("a bad symbol", lambda client: client.stream_trades("BTC/USDT:WHAT"), InvalidSymbol, "WHAT"),
    ("no interval", lambda client: client.stream("candles", "BTC/USDT"), InvalidRequest, "needs 'interval'"),
    ("a bad interval", lambda client: client.stream_candles("BTC/USDT", interval="7m"), InvalidRequest, "7m"),
    ("no such funding", lambda client: client.stream_funding_rate("BTC/USDT:PERP"), NotSupported, "funding_rate"),
    ("a callback for nothing", lambda client: client.subscribe("nothing", "A/B", callback=print), NotSupported, "nothing"),
]


@pytest.mark.parametrize(("wrong", "error", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_what_is_not_offered_is_refused_at_once(wrong: Callable[[StreamClient], Any], error: type[CexspecError], text: str) -> None:
    async def play(scene: Stage) -> None:
        with pytest.raises(error, match=text):
            wrong(scene.client)
        await scene.wait(1)
        assert not scene.network.attempts and not scene.client._wishes

    await perform(play)


async def test_a_connection_the_environment_has_no_host_for_is_not_supported() -> None:
    async def play(scene: Stage) -> None:
        with pytest.raises(NotSupported, match="no URL for the connection 'quiet'"):
            scene.client.stream_bbo("BTC/USDT")
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()

    await perform(play, environment="half")


async def test_what_counts_contracts_waits_for_the_instruments() -> None:
    async def play(scene: Stage) -> None:
        prepared = asyncio.Event()
        calls: list[int] = []

        async def prepare() -> None:
            calls.append(1)
            await prepared.wait()
            raise NetworkError("no instruments today")

        client = StreamClient(
            scene.client._plan,
            scene.client._plan.environments["half"],
            scene.client._markets,
            transport=scene.network,
            clock=scene.clock,
            prepare=prepare,
        )
        spot, contracts = client.stream("contracts", "BTC/USDT"), client.stream("contracts", PERP, "ETH/USDT:PERP")
        await spot.ready()
        contracts.unsubscribe("ETH/USDT:PERP")
        closed = client.stream("contracts", PERP)
        elsewhere = client.stream("quiet_contracts", PERP)
        await closed.close()
        assert asked(scene) == [("subscribe", [BTC])] and len(calls) == 1
        await scene.wait(1)
        prepared.set()
        await contracts.ready()
        assert asked(scene) == [("subscribe", [BTC]), ("subscribe", [PERP])]
        with pytest.raises(NotSupported, match="quiet"):
            await elsewhere.ready()
        late = client.stream("contracts", "SOL/USDT:PERP")
        prepared.clear()
        await scene.wait(1)
        await client.close()
        assert late.closed

    await perform(play)


ODD = Instrument(exchange="bazaar", id="@107", symbol="A-B/USDT", kind="spot", base="A-B", quote="USDT")
PLAIN = Instrument(exchange="bazaar", id=BTC, symbol="BTC/USDT", kind="spot", base="BTC", quote="USDT")


class Listing:
    """A client whose instruments arrive when `open` is set: `rows`, or a failure to load them."""

    def __init__(self, scene: Stage, *rows: Instrument, failure: CexspecError | None = None) -> None:
        self.open, self.calls, self._rows, self._failure = asyncio.Event(), 0, rows, failure
        plan = scene.client._plan
        self.markets = Markets(plan)
        self.client = StreamClient(
            plan, plan.environments["live"], self.markets, transport=scene.network, clock=scene.clock, prepare=self.prepare
        )

    async def prepare(self) -> None:
        self.calls += 1
        await self.open.wait()
        if self._failure is not None:
            raise self._failure
        self.markets.load(self._rows)


async def test_a_symbol_that_no_rule_writes_is_subscribed_once_the_instruments_are_loaded() -> None:
    async def play(scene: Stage) -> None:
        listing = Listing(scene, ODD, PLAIN)
        stream = listing.client.stream_trades("A-B/USDT", "BTC/USDT", "A-B/USDT")
        collector = Collector(stream)
        await scene.wait(1)
        assert asked(scene) == [("subscribe", [BTC])] and listing.calls == 1
        listing.open.set()
        await stream.ready()
        assert asked(scene) == [("subscribe", [BTC]), ("subscribe", ["@107"])]
        scene.bazaar.trade("@107")
        await scene.wait(1)
        assert collector.numbers("A-B/USDT") == [1]
        stream.unsubscribe("A-B/USDT")
        await scene.wait(1)
        assert asked(scene)[-1] == ("unsubscribe", ["@107"])
        await listing.client.stream_trades("A-B/USDT").ready()
        assert listing.calls == 1
        await listing.client.close()

    await perform(play)


async def test_a_symbol_that_is_unknown_even_then_is_refused_and_the_others_go_on() -> None:
    async def play(scene: Stage) -> None:
        listing = Listing(scene, ODD, PLAIN)
        stream, lonely = listing.client.stream_trades("X-Y/USDT", "A-B/USDT"), Collector(listing.client.stream_trades("X-Y/USDT"))
        collector = Collector(stream)
        listing.open.set()
        await scene.wait(1)
        scene.bazaar.trade("@107")
        await scene.wait(1)
        assert [type(error) for error in (*collector.errors, *lonely.errors)] == [InvalidSymbol, InvalidSymbol]
        assert "X-Y/USDT" in str(collector.errors[0]) and collector.numbers("A-B/USDT") == [1]
        assert lonely.ended and not collector.ended and listing.client.stats.refused == 2
        with pytest.raises(InvalidSymbol):
            await stream.ready()
        with pytest.raises(InvalidSymbol):
            listing.client.stream_trades("X-Y/USDT")
        await listing.client.close()

    await perform(play)


async def test_without_instruments_the_refusal_is_what_kept_them_away() -> None:
    async def play(scene: Stage) -> None:
        listing = Listing(scene, failure=NetworkError("no instruments today"))
        stream = listing.client.stream_trades("A-B/USDT")
        listing.open.set()
        with pytest.raises(NetworkError, match="today"):
            await stream.ready()
        assert not scene.network.attempts
        await listing.client.close()

    await perform(play)


async def test_what_the_instruments_show_to_be_of_another_kind_is_refused() -> None:
    async def play(scene: Stage) -> None:
        listing = Listing(scene, ODD)
        stream = listing.client.stream_mark_price("A-B/USDT")
        listing.open.set()
        with pytest.raises(NotSupported, match="of the kind spot"):
            await stream.ready()
        await listing.client.close()

    await perform(play)


async def test_a_symbol_that_waits_for_the_instruments_can_be_let_go() -> None:
    async def play(scene: Stage) -> None:
        listing = Listing(scene, ODD, PLAIN)
        stream, closed = listing.client.stream_trades("A-B/USDT", "BTC/USDT"), listing.client.stream_trades("A-B/USDT")
        await scene.wait(1)
        stream.unsubscribe("A-B/USDT")
        stream.unsubscribe("X-Y/USDT")
        await closed.close()
        listing.open.set()
        await stream.ready()
        await scene.wait(1)
        assert asked(scene) == [("subscribe", [BTC])]
        with pytest.raises(InvalidSymbol):
            stream.unsubscribe("X-Y/USDT")
        await listing.client.close()

    await perform(play)


async def test_a_list_of_product_lines_can_be_named() -> None:
    async def play(scene: Stage) -> None:
        await scene.client.stream("liquidations", category="P").ready()
        assert asked(scene) == [("subscribe", [{"ch": "liquidations", "line": "P"}])]

    await perform(play)
