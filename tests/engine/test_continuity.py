"""Nothing is lost or doubled in silence: topics that fall silent, connections that age, that are redundant, and holes that are filled."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cexspec.engine.holes import FetchRows, Filling, filling
from cexspec.engine.options import Backfill, Reconnecting, StreamOptions
from cexspec.models import Event, Gap, NetworkError, Ticker, Trade
from cexspec.transport.backoff import Backoff
from tests.simulation.network import Line
from tests.simulation.specs import exchange
from tests.simulation.stage import BAZAAR, HARBOR, Collector, Stage, perform
from tests.simulation.venues import Bazaar

BTC, ETH = "BTC-USDT", "ETH-USDT"
AGING = BAZAAR.replace("      max_topics: 4\n", "      max_topics: 4\n      lifetime: 1000s\n", 1)
FILLED = (
    BAZAAR.replace(
        '      topic: {ch: trades, id: "{{ id }}"}\n', '      topic: {ch: trades, id: "{{ id }}"}\n      backfill: trades\n', 1
    ).replace("  live: {ws:", '  live: {rest: "https://bazaar.test", ws:', 1)
    + """
rest:
  trades:
    get: /trades
    query: {id: "{{ id }}", limit: "{{ limit }}"}
    params: {limit: {default: 100, max: 500}}
    returns: trade
    items: $[*]
    fields:
      symbol: {path: $.id, of: request}
      id: $.i
      price: $.p
      size: $.s
      side: $.d
      timestamp: {path: $.t, unit: ns}
"""
)


def options(**more: Any) -> StreamOptions:
    return StreamOptions(reconnecting=Reconnecting(Backoff(0.1, 1.0)), **more)


def expecting(**every: float | None) -> StreamOptions:
    return options(expect_every=every)


def verbs(line: Line) -> list[tuple[str, list[str]]]:
    """What a connection was asked for."""
    messages = [json.loads(frame) for frame in line.sent if frame.startswith("{")]
    return [(message["op"], [arg["id"] for arg in message["args"]]) for message in messages if "op" in message]


def ticks(scene: Stage, *native_ids: str) -> None:
    for native_id in native_ids:
        scene.bazaar.say({"ch": "ticker", "id": native_id}, {"l": "1", "t": scene.clock.time_ns()})


def fall_silent(scene: Stage, native_id: str, *lines: Line) -> None:
    """The venue forgets a subscription, on these connections or on all, and says nothing."""
    for line, topics in scene.bazaar.subscriptions.items():
        for key in [key for key, topic in topics.items() if topic["id"] == native_id and (not lines or line in lines)]:
            del topics[key]


async def test_a_subscription_that_the_venue_drops_in_silence_is_asked_for_anew_alone() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_ticker("BTC/USDT", "ETH/USDT")
        collector = Collector(stream)
        for second in range(60):
            ticks(scene, BTC, ETH)
            await scene.wait(1)
            if second == 20:
                fall_silent(scene, ETH)
        assert len(scene.network.opened) == 1, "the connection itself was left in peace"
        line = scene.network.opened[0]
        assert verbs(line)[1:] == [("unsubscribe", [ETH]), ("subscribe", [ETH])]
        (gap,) = collector.gaps
        assert gap.symbol == "ETH/USDT" and "no data" in gap.cause and "expected every 5 s" in gap.cause
        assert gap.to_time is not None and gap.from_time is not None and 4e9 < gap.to_time - gap.from_time < 8e9
        assert scene.client.stats.stale == 1 and scene.client.stats.reconnects == 0
        later = [event for event in collector.events if isinstance(event, Ticker) and event.symbol == "ETH/USDT"]
        assert (later[-1].timestamp or 0) > gap.to_time

    await perform(play, options=expecting(ticker=5.0))


async def test_an_ack_is_not_data() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_ticker("BTC/USDT", "ETH/USDT")
        await stream.ready()
        for _ in range(30):
            ticks(scene, ETH)
            await scene.wait(1)
        asked = list(scene.network.opened)
        assert verbs(asked[0])[1:3] == [("unsubscribe", [BTC]), ("subscribe", [BTC])], "first it is asked for anew"
        assert len(asked) == 2, "then on another connection"
        assert verbs(asked[1])[1:3] == [("unsubscribe", [BTC]), ("subscribe", [BTC])]

    await perform(play, options=expecting(ticker=5.0))


async def test_a_topic_that_stays_silent_costs_the_others_one_reconnect_and_is_asked_for_more_and_more_seldom() -> None:
    async def play(scene: Stage) -> None:
        scene.client.stream_ticker("BTC/USDT", "ETH/USDT")
        for _ in range(1200):
            ticks(scene, ETH)
            await scene.wait(1)
        assert len(scene.network.opened) == 2
        again = [verb for verb in verbs(scene.network.opened[1]) if verb == ("subscribe", [BTC])]
        assert 10 < len(again) < 25, "every 80 seconds at last"

    await perform(play, options=expecting(ticker=5.0))


async def test_when_everything_is_silent_the_connection_is_given_up_at_once() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_ticker("BTC/USDT", "ETH/USDT"))
        for second in range(30):
            if second < 10:
                ticks(scene, BTC, ETH)
            elif second == 16:
                assert len(scene.network.opened) == 2, "within the six seconds"
            await scene.wait(1)
        assert len(verbs(scene.network.opened[0])) == 1
        assert {gap.symbol for gap in collector.gaps} == {"BTC/USDT", "ETH/USDT"}

    await perform(play, options=expecting(ticker=5.0))


@pytest.mark.parametrize("every", [{}, {"ticker": None}], ids=["not said", "said to be sparse"])
async def test_a_sparse_channel_may_be_silent_for_ever(every: dict[str, float | None]) -> None:
    async def play(scene: Stage) -> None:
        await scene.client.stream_ticker("BTC/USDT").ready()
        await scene.wait(5000)
        assert len(scene.network.opened) == 1 and len(verbs(scene.network.opened[0])) == 1
        assert scene.client.stats.stale == 0

    await perform(play, options=expecting(**every))


async def test_a_slow_consumer_that_blocks_the_connection_is_no_silence() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_ticker("BTC/USDT", queue=2, policy="block")
        await stream.ready()
        for _ in range(30):
            ticks(scene, BTC)
            await scene.wait(1)
        assert scene.client.stats.stale == 0 and len(scene.network.opened) == 1
        Collector(stream)
        await scene.wait(4)
        assert scene.client.stats.stale == 0

    await perform(play, options=expecting(ticker=5.0))


async def test_a_host_without_a_declared_budget_is_not_stormed_either() -> None:
    async def play(scene: Stage) -> None:
        scene.client.stream_trades("BTCUSDT")
        scene.network.down = True
        await scene.wait(600)
        attempts = scene.network.attempts
        assert len(attempts) > 300 and all(later - earlier > 59.99 for earlier, later in zip(attempts, attempts[60:], strict=False))

    await perform(play, spec=HARBOR, options=StreamOptions(reconnecting=Reconnecting(Backoff(0.1, 0.2))))


async def test_attempts_that_fail_are_logged_with_their_reason_more_and_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    async def play(scene: Stage) -> None:
        scene.client.stream_trades("BTC/USDT")
        scene.network.down = True
        await scene.wait(60)
        told = [record for record in caplog.records if getattr(record, "event", None) == "connect_failed"]
        attempts = len(scene.network.attempts)
        assert len(told) == attempts.bit_length() and attempts > 64
        assert all("connection refused" in record.getMessage() for record in told)

    await perform(play, options=options())


def lost_of(scene: Stage, trades: Collector) -> list[int]:
    """When the trades of bitcoin were made that never came."""
    came = set(trades.numbers("BTC/USDT"))
    return [sent.at for sent in scene.bazaar.trades[BTC] if sent.number not in came]


def are_told(gaps: Sequence[Gap], times: Sequence[int]) -> bool:
    """Whether each of these times lies in a gap."""
    return all(any((gap.from_time or 0) <= at <= (gap.to_time or 0) for gap in gaps) for at in times)


async def aged(scene: Stage, each: Callable[[int], None], seconds: int = 2400) -> None:
    for second in range(seconds):
        each(second)
        await scene.wait(1)


@pytest.mark.parametrize("share", [(0.5, 0.5), (0.8, 0.95)], ids=str)
async def test_an_aging_connection_is_replaced_while_it_delivers_and_nothing_is_lost_or_doubled(share: tuple[float, float]) -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        tickers = Collector(scene.client.stream_ticker("BTC/USDT"))
        await scene.wait(1)

        def each(_: int) -> None:
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)
            ticks(scene, BTC)

        await aged(scene, each)
        assert scene.client.stats.rotations >= 2 and scene.client.stats.reconnects == 0
        assert len(scene.network.opened) == 1 + scene.client.stats.rotations
        assert len(scene.network.lines) == 1 and len(scene.client.states) == 1, "what was replaced is closed"
        for symbol in ("BTC/USDT", "ETH/USDT"):
            assert trades.numbers(symbol) == list(range(1, 2401))
        stamps = [event.timestamp or 0 for event in tickers.events]
        assert len(stamps) == 2400 and stamps == sorted(stamps)
        assert not trades.gaps and not tickers.gaps
        assert scene.client.stats.doubled > 0, "both delivered for a while"

    await perform(play, spec=AGING, options=options(lifetime=share))


async def test_the_old_connection_stays_while_the_new_one_cannot_be_opened() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)

        def each(second: int) -> None:
            scene.network.down = 490 < second < 700
            scene.bazaar.trade(BTC)

        await aged(scene, each, 800)
        assert trades.numbers("BTC/USDT") == list(range(1, 801)) and not trades.gaps
        assert len(scene.network.lines) == 1

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5)))


async def test_an_aging_connection_that_dies_before_it_is_replaced_leaves_a_gap() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)

        def each(second: int) -> None:
            scene.network.down = 490 < second < 700
            if second == 600:
                scene.network.lines[0].cut()
            scene.bazaar.trade(BTC)

        await aged(scene, each, 800)
        (gap,) = trades.gaps
        lost = lost_of(scene, trades)
        assert lost and are_told([gap], lost)
        assert len(scene.network.lines) == 1 and len(scene.client.states) == 1

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5)))


async def test_an_aging_connection_that_was_deaf_is_found_out_before_it_goes_where_data_is_expected() -> None:
    """Other topics, and pongs, prove nothing of this one; nor does the new connection while the market is quiet."""

    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        await scene.wait(1)

        def each(second: int) -> None:
            if second == 490:
                fall_silent(scene, BTC)
            if not 498 < second < 530:
                scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)

        await aged(scene, each, 600)
        assert scene.client.stats.rotations == 1 and len(scene.network.lines) == 1
        (gap,) = trades.gaps
        lost = lost_of(scene, trades)
        assert len(lost) == 9 and gap.symbol == "BTC/USDT" and are_told([gap], lost)

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5), expect_every={"trades": 40.0}))


async def test_what_an_aging_connection_brought_while_it_was_alone_is_not_in_doubt() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        await scene.wait(1)

        def each(second: int) -> None:
            if second == 490:
                fall_silent(scene, BTC)
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)

        await aged(scene, each, 600)
        (gap,) = trades.gaps
        lost = lost_of(scene, trades)
        assert lost and are_told([gap], lost)
        assert lost[0] - (gap.from_time or 0) < 5 * 10**9

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5)))


async def test_what_comes_by_a_connection_that_is_not_acknowledged_yet_hides_nothing() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)

        def each(second: int) -> None:
            if second == 495:
                fall_silent(scene, BTC)
                scene.bazaar.mute = 1
            if second == 503:
                scene.network.opened[0].cut()
            scene.bazaar.trade(BTC)

        await aged(scene, each, 520)
        lost = lost_of(scene, trades)
        assert lost and are_told(trades.gaps, lost)

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5)))


async def test_a_stream_closed_during_a_rotation_leaves_nothing() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        scene.bazaar.mute = 10
        await scene.wait(505)
        assert len(scene.network.lines) == 2
        await stream.close()
        await scene.wait(20)
        assert not scene.network.lines and not scene.client.states

    await perform(play, spec=AGING, options=options(lifetime=(0.5, 0.5)))


async def test_redundant_connections_deliver_once_and_one_may_die_without_a_gap() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        tickers = Collector(scene.client.stream_ticker("BTC/USDT"))
        await scene.wait(1)
        assert len(scene.network.lines) == 2
        for step in range(400):
            if step % 40 == 20:
                scene.network.lines[step // 40 % 2].cut()
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)
            ticks(scene, BTC)
            await scene.wait(1)
        assert scene.client.stats.reconnects == 10
        for symbol in ("BTC/USDT", "ETH/USDT"):
            assert trades.numbers(symbol) == list(range(1, 401))
        assert not trades.gaps and not tickers.gaps
        stamps = [event.timestamp or 0 for event in tickers.events]
        assert len(stamps) == len(set(stamps)) == 400 and stamps == sorted(stamps)

    await perform(play, options=options(redundancy=2))


@pytest.mark.parametrize(
    ("breaks", "told"),
    [(None, False), (0, False), (1, True)],
    ids=["nothing else happens", "the deaf one breaks", "the other one breaks"],
)
async def test_a_connection_that_does_not_bring_what_another_one_brings_is_deaf(breaks: int | None, told: bool) -> None:
    """Nothing says how often data comes; what the other connection brings does. The deaf one must not hide a hole."""

    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        await scene.wait(1)
        lines = list(scene.network.opened)
        assert len(lines) == 2
        for step in range(60):
            if step == 20:
                fall_silent(scene, BTC, lines[0])
            if step == 24 and breaks is not None:
                lines[breaks].cut()
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)
            await scene.wait(1)
            if step == 28:
                assert scene.client.stats.stale == 0, "it has ten seconds"
        again = [("unsubscribe", [BTC]), ("subscribe", [BTC])] if breaks != 0 else []
        assert verbs(lines[0])[1:] == again, "the topic alone is asked for anew"
        assert scene.client.stats.stale == len(again) // 2
        lost = lost_of(scene, trades)
        assert bool(lost) is bool(trades.gaps) is told
        assert are_told(trades.gaps, lost)
        assert trades.numbers("ETH/USDT") == list(range(1, 61)) and {gap.symbol for gap in trades.gaps} <= {"BTC/USDT"}
        before = scene.client.stats.stale
        for _ in range(30):
            scene.bazaar.trade(BTC)
            await scene.wait(1)
        assert scene.client.stats.stale == before and trades.numbers("BTC/USDT")[-30:] == list(range(61, 91)), "both are level"

    await perform(play, options=options(redundancy=2))


async def test_what_a_connection_has_yet_to_bring_is_told_as_the_subscription_ends() -> None:
    """Nobody knows yet that it is deaf. What it would have had to bring while the other one was away is told to who leaves."""

    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT", "ETH/USDT")
        trades = Collector(stream)
        await scene.wait(1)
        deaf, other = scene.network.opened
        for step in range(10):
            if step == 4:
                fall_silent(scene, BTC, deaf)
            if step == 6:
                other.cut()
            scene.bazaar.trade(BTC)
            scene.bazaar.trade(ETH)
            await scene.wait(1)
        assert not trades.gaps
        stream.unsubscribe("BTC/USDT")
        await scene.wait(1)
        (gap,) = trades.gaps
        lost = lost_of(scene, trades)
        assert gap.symbol == "BTC/USDT" and lost and are_told([gap], lost)
        stream.unsubscribe("ETH/USDT")
        await scene.wait(1)
        assert len(trades.gaps) == 1, "of this one nothing is missing"

    await perform(play, options=options(redundancy=2))


async def test_when_all_redundant_connections_die_there_is_a_gap() -> None:
    async def play(scene: Stage) -> None:
        trades = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)
        for step in range(60):
            if step == 20:
                for line in tuple(scene.network.lines):
                    line.cut()
                scene.network.down = True
            scene.network.down = scene.network.down and step < 30
            scene.bazaar.trade(BTC)
            await scene.wait(1)
        (gap,) = trades.gaps
        lost = lost_of(scene, trades)
        assert lost and are_told([gap], lost)

    await perform(play, options=options(redundancy=2))


async def test_a_refusal_on_every_redundant_connection_is_one_refusal() -> None:
    async def play(scene: Stage) -> None:
        scene.bazaar.refused[BTC] = ("404", "no such market")
        collector = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT"))
        await scene.wait(20)
        assert len(collector.errors) == 1 and not collector.ended
        scene.bazaar.trade(ETH)
        await scene.wait(1)
        assert collector.numbers("ETH/USDT") == [1]

    await perform(play, options=options(redundancy=2))


async def test_changes_of_a_book_without_numbers_come_from_one_connection_at_a_time() -> None:
    """The other one takes over from a snapshot of its own, behind a gap."""

    async def play(scene: Stage) -> None:
        books = Collector(scene.client.stream_order_book("BTC/USDT", raw=True))
        await scene.wait(1)
        topic = {"ch": "book", "id": BTC}

        def say(price: str, action: str = "update") -> None:
            scene.bazaar.say(topic, {"b": [[price, "1"]], "a": [], "t": scene.clock.time_ns()}, action=action)

        say("1", "snapshot")
        await scene.wait(1)
        say("2")
        await scene.wait(1)
        source = list(scene.network.lines)
        before = [event.bids[0][0] for event in books.events if not isinstance(event, Gap) and hasattr(event, "bids")]
        assert [str(price) for price in before] in (["1", "2"], ["1", "1", "2"])
        for line in source[:1]:
            line.cut()
        await scene.wait(1)
        say("3")
        await scene.wait(2)
        say("4", "snapshot")
        await scene.wait(1)
        say("5")
        await scene.wait(1)
        after = [str(event.bids[0][0]) for event in books.events[len(before) :] if hasattr(event, "bids")]
        assert after[-1] == "5" and "4" in after and after.count("5") == 1

    await perform(play, options=options(redundancy=2))


Rest = Callable[[Bazaar], FetchRows]


def tape(*, reach: int = 100, fails: int = 0, lag: int = 0, backwards: bool = False) -> Rest:
    """What the venue's REST answers: its last `reach` trades, `lag` seconds old at first; the first `fails` calls fail."""
    calls = [0]

    def of(venue: Bazaar) -> FetchRows:
        async def fetch(operation: str, params: Any) -> list[Event]:
            calls[0] += 1
            if calls[0] <= fails:
                raise NetworkError("the line is dead")
            now = venue.clock.time_ns() - (lag * 10**9 if calls[0] == 1 else 0)
            sent = [one for one in venue.trades[params["id"]] if one.at <= now][-reach:]
            made = exchange(FILLED)
            rows: list[Event] = [
                Trade(exchange=made.id, symbol="BTC/USDT", timestamp=one.at, received=now, id=str(one.number), price=1, size=2, side="buy")
                for one in sent
            ]
            return rows[::-1] if backwards else rows

        return fetch

    return of


async def broken(scene: Stage, collector: Collector, down: int = 10, after: int = 20) -> None:
    """A trade each second; the connection is away for some of them."""
    await scene.wait(1)
    for step in range(20 + down + after):
        if step == 20:
            scene.network.lines[0].cut()
        scene.network.down = 20 <= step < 20 + down
        scene.bazaar.trade(BTC)
        await scene.wait(1)
    await scene.wait(30)


@pytest.mark.parametrize(
    "rest", [tape(), tape(backwards=True), tape(reach=25), tape(lag=5)], ids=["whole", "newest first", "just enough", "late at first"]
)
async def test_trades_missed_by_a_reconnect_are_fetched_and_told_in_their_place(rest: Rest) -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await broken(scene, collector)
        assert collector.numbers("BTC/USDT") == list(range(1, 51))
        (gap,) = collector.gaps
        assert gap.closed and gap.count is not None and 8 <= gap.count <= 13 and "code 1006" in gap.cause
        place = collector.events.index(gap)
        filled = [event for event in collector.events[place + 1 : place + 1 + gap.count] if isinstance(event, Trade)]
        assert len(filled) == gap.count
        assert all((gap.from_time or 0) <= (one.timestamp or 0) <= (gap.to_time or 0) for one in filled)
        assert scene.client.stats.filled == gap.count and scene.client.stats.gaps == 0

    await perform(play, spec=FILLED, fetch=rest, options=options())


@pytest.mark.parametrize("rest", [tape(), tape(lag=5)], ids=["whole", "late at first"])
async def test_where_the_market_is_quiet_after_a_break_an_answer_that_is_a_little_old_closes_no_hole(rest: Rest) -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await broken(scene, collector, after=1)
        assert collector.numbers("BTC/USDT") == list(range(1, 32))
        assert [gap.closed for gap in collector.gaps] == [True]

    await perform(play, spec=FILLED, fetch=rest, options=options())


def test_an_answer_that_ends_before_what_was_delivered_closes_no_hole() -> None:
    rows = [Trade(exchange="x", symbol="A/B", timestamp=at * 10**9, id=str(at), price=1, size=1, side="buy") for at in range(10, 20)]
    assert filling(rows, lambda row: True, 19 * 10**9).reaches_back
    assert filling(rows, lambda row: True, 30 * 10**9) == Filling((), reaches_back=False, until=19 * 10**9)


@pytest.mark.parametrize(
    ("rest", "settings", "text"),
    [
        (tape(reach=3), Backfill(), "code 1006"),
        (tape(fails=99), Backfill(), "the line is dead"),
        (tape(lag=1000), Backfill(within=0.2, again=1.0), "within 0.2 s"),
    ],
    ids=["doesn't reach back", "fails", "not in time"],
)
async def test_a_hole_that_cannot_be_filled_is_a_gap_with_its_bounds(rest: Rest, settings: Backfill, text: str) -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await broken(scene, collector)
        numbers = collector.numbers("BTC/USDT")
        assert numbers == sorted(set(numbers))
        (gap,) = collector.gaps
        assert not gap.closed and text in gap.cause
        missing = [sent for sent in scene.bazaar.trades[BTC] if sent.number not in numbers]
        assert missing and all((gap.from_time or 0) <= sent.at <= (gap.to_time or 0) for sent in missing)

    await perform(play, spec=FILLED, fetch=rest, options=options(backfill=settings))


async def test_a_second_break_while_a_hole_is_filled_delivers_what_was_held_behind_a_gap() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)
        for step in range(80):
            if step in (20, 40):
                scene.network.lines[0].cut()
            scene.bazaar.trade(BTC)
            await scene.wait(1)
        await scene.wait(200)
        numbers = collector.numbers("BTC/USDT")
        assert numbers == sorted(set(numbers))
        for sent in scene.bazaar.trades[BTC]:
            inside = [gap for gap in collector.gaps if (gap.from_time or 0) <= sent.at <= (gap.to_time or 0) and not gap.closed]
            assert sent.number in numbers or inside

    slow = replace(Backfill(), within=60.0)

    def never(_: Bazaar) -> FetchRows:
        async def fetch(operation: str, params: Any) -> list[Event]:
            raise NetworkError("no")

        return fetch

    await perform(play, spec=FILLED, fetch=never, options=options(backfill=slow))


async def test_without_backfill_a_reconnect_is_a_gap() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await broken(scene, collector)
        (gap,) = collector.gaps
        assert not gap.closed and scene.client.stats.filled == 0

    await perform(play, spec=FILLED, fetch=tape(), options=options(backfill=None))


async def test_trades_that_the_venue_repeats_after_a_reconnect_are_told_once() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)
        for step in range(30):
            if step == 20:
                scene.network.lines[0].cut()
                await scene.wait(3)
                rows = [{"i": str(one.number), "p": "1.50", "s": "2", "d": "buy", "t": one.at} for one in scene.bazaar.trades[BTC]]
                scene.bazaar.say({"ch": "trades", "id": BTC}, rows)
            scene.bazaar.trade(BTC)
            await scene.wait(1)
        assert collector.numbers("BTC/USDT") == list(range(1, 31))
        assert scene.client.stats.doubled == 20

    await perform(play, options=options())


async def test_trades_that_the_venue_lists_newest_first_are_told_in_order() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(1)
        at = [5, 5, 4, 3]
        rows = [{"i": str(number), "p": "1.50", "s": "2", "d": "buy", "t": time} for number, time in zip((9, 8, 7, 6), at, strict=True)]
        scene.bazaar.say({"ch": "trades", "id": BTC}, rows)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [6, 7, 8, 9]

    await perform(play, options=options())


async def test_frames_lost_on_one_of_two_connections_are_no_loss() -> None:
    async def play(scene: Stage) -> None:
        collector = Collector(scene.client.stream_trades("BTC/USDT"))
        await scene.wait(2)
        scene.harbor.trade(BTC)
        await scene.wait(1)
        line = scene.network.lines[0]
        scene.harbor.frames[line] += 3
        scene.harbor.trade(BTC)
        await scene.wait(1)
        assert not collector.gaps and collector.numbers("BTC/USDT") == [1, 2]

    await perform(play, spec=HARBOR, options=options(redundancy=2))


async def test_of_two_losses_that_a_deaf_connection_hid_each_is_told_by_itself() -> None:
    async def play(scene: Stage) -> None:
        collector, harbor = Collector(scene.client.stream_trades("BTC/USDT")), scene.harbor
        await scene.wait(2)
        deaf, other = scene.network.lines
        lost = []
        for step in range(21):
            if step == 4:
                harbor.channels[deaf].clear()
            if step in (8, 16):
                served, harbor.channels[other] = harbor.channels[other], {}
                harbor.trade(BTC)
                harbor.channels[other] = served
                harbor.frames[other] += 1
                lost.append(harbor.trades[BTC][-1])
            else:
                harbor.trade(BTC)
            await scene.wait(0.5)
        assert not collector.gaps, "the deaf one may have brought them"
        deaf.cut()
        await scene.wait(1)
        numbers = collector.numbers("BTC/USDT")
        assert set(range(1, 22)) - set(numbers) == {sent.number for sent in lost}
        assert len(collector.gaps) == 2
        for sent, gap in zip(lost, collector.gaps, strict=True):
            assert (gap.from_time or 0) <= sent.at <= (gap.to_time or 0) and (gap.to_time or 0) - (gap.from_time or 0) < 3e9

    await perform(play, spec=HARBOR, options=options(redundancy=2))


async def test_what_was_lost_on_a_connection_that_is_late_is_as_old_as_what_came_there() -> None:
    """Of another market: of this one nothing had come since the line was held up."""

    async def play(scene: Stage) -> None:
        collector, harbor = Collector(scene.client.stream_trades("BTC/USDT", "ETH/USDT")), scene.harbor
        await scene.wait(2)
        deaf, late = scene.network.lines
        harbor.trade(BTC)
        await scene.wait(1)
        harbor.channels[deaf].clear()
        served, harbor.channels[late] = harbor.channels[late], {}
        lost = scene.clock.time_ns()
        for native_id in (ETH, BTC):  # what the line was to bring first, and what gets lost on it
            harbor.trade(native_id)
        await scene.wait(4)
        number = next(number for number, asked in served.items() if asked["symbol"] == ETH)
        late.push([number, "te", harbor.frames[late] + 1, [1, lost, -2, 1.5]])
        await scene.wait(0.1)
        harbor.frames[late] += 2
        harbor.channels[late] = served
        harbor.trade(BTC)
        await scene.wait(0.1)
        deaf.cut()
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [1, 3] and collector.numbers("ETH/USDT") == [1]
        assert any(gap.symbol == "BTC/USDT" and (gap.from_time or 0) <= lost <= (gap.to_time or 0) for gap in collector.gaps)

    await perform(play, spec=HARBOR, options=options(redundancy=2))


async def test_what_cannot_be_read_is_a_gap_before_what_follows_it() -> None:
    async def play(scene: Stage) -> None:
        trades, ticker = scene.client.stream_trades("BTC/USDT", "ETH/USDT"), scene.client.stream_ticker("BTC/USDT")
        await trades.ready()
        await ticker.ready()
        of_trades, of_ticker = Collector(trades), Collector(ticker)
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        lost = scene.clock.time_ns()
        scene.bazaar.say({"ch": "trades", "id": BTC}, [{"i": "2"}, {"i": "3", "p": "1", "s": "1", "d": "buy", "t": lost}])
        await scene.wait(1)
        assert [gap.symbol for gap in of_trades.gaps] == ["BTC/USDT", "ETH/USDT"] and not of_ticker.gaps, "only its channel"
        assert [type(event) for event in of_trades.events if event.symbol == "BTC/USDT"] == [Trade, Gap, Trade]
        gap = of_trades.gaps[0]
        assert (gap.from_time or 0) <= lost <= (gap.to_time or 0) and "can't be read" in gap.cause
        scene.network.lines[0].push("{")
        await scene.wait(1)
        assert len(of_trades.gaps) == 4 and len(of_ticker.gaps) == 1, "any channel may be meant"
        assert scene.client.stats.gaps == 5

    await perform(play)


async def test_a_gap_covers_what_is_missing_by_a_clock_that_is_ahead_too() -> None:
    async def play(scene: Stage) -> None:
        stream, ahead = scene.client.stream_trades("BTC/USDT"), 90 * 10**9
        await stream.ready()
        collector = Collector(stream)
        scene.bazaar.say({"ch": "trades", "id": BTC}, [{"i": "1", "p": "1", "s": "1", "d": "buy", "t": scene.clock.time_ns() + ahead}])
        await scene.wait(1)
        scene.network.lines[0].cut()
        missed = scene.clock.time_ns() + ahead
        await scene.wait(5)
        (gap,) = collector.gaps
        assert (gap.from_time or 0) <= missed <= (gap.to_time or 0) < missed + 10 * 10**9

    await perform(play, options=options())


async def test_what_comes_before_a_topic_is_left_does_not_prove_that_it_is_served_anew() -> None:
    async def play(scene: Stage) -> None:
        stream = scene.client.stream_trades("BTC/USDT")
        await stream.ready()
        collector = Collector(stream)
        scene.bazaar.trade(BTC)
        while not scene.client.stats.stale:
            await scene.wait(0.01)
        left = scene.clock.time_ns()
        scene.bazaar.trade(BTC)  # on its way when the client leaves
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [1, 2]
        (gap,) = collector.gaps
        assert (gap.to_time or 0) >= left + 3 * 10**8, "what was missed between leaving and entering lies inside"
        scene.bazaar.trade(BTC)
        await scene.wait(1)
        assert collector.numbers("BTC/USDT") == [1, 2, 3] and len(collector.gaps) == 1

    await perform(play, options=expecting(trades=5.0), delays=(0.1, 0.1))
