"""The books of a connection: which is whose, what is asked for when, and what speaks against a book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.socket_plan import BookPlan, ChannelPlan
from cexspec.engine.books.checksum import Checksums
from cexspec.engine.books.halves import Halves
from cexspec.engine.books.order_book import OrderBook
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.books.snapshots import SnapshotLine
from cexspec.engine.books.sync import BookSync
from cexspec.engine.books.synced import MAX_OLD, Fetch, Renew, SyncedBook
from cexspec.engine.books.view import BookView
from cexspec.engine.books.waiting import IN_LINE
from cexspec.engine.markets import Markets
from cexspec.engine.stats import Counters
from cexspec.engine.topics import Topic
from cexspec.hooks import CHECKSUMS, Precision
from cexspec.models import Book, BookOutOfSync, BookState, Event, Gap, Instrument, Level
from cexspec.transport.backoff import Backoff
from cexspec.transport.window import Window
from tests.engine.book_venue import FETCHED, PLAN, STYLES, channel_of

D = Decimal
DAY = 1_770_000_000_000_000_000
"""A day in February 2026."""
QUICK = BookSettings(Backoff(0.0, 0.0), Window(3, 60.0), patience=5.0)


def level(price: Any, size: Any = 1) -> Level:
    return D(price), D(size)


def message(bids: Any = (), asks: Any = (), *, symbol: str = "BTC/USDT", snapshot: bool = False, **more: Any) -> Book:
    return Book(exchange="okx", symbol=symbol, bids=[*bids], asks=[*asks], is_snapshot=snapshot, **more)


def snapshot(**more: Any) -> Book:
    return message([level(10), level(9)], [level(11), level(12)], snapshot=True, **more)


def sync_of(settings: BookSettings = QUICK, **more: Any) -> BookSync:
    return BookSync("okx", Markets(compile_exchange("okx")), Counters("okx"), Random(1), settings, **more)


def opened(plan: BookPlan, settings: BookSettings = QUICK, symbol: str = "BTC/USDT") -> tuple[BookSync, ChannelPlan, SyncedBook]:
    sync, channel = sync_of(settings), channel_of(plan)
    return sync, channel, sync.open(channel, Topic("order_book", {}, symbol, {}), lambda: symbol)


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


CONTIGUOUS = STYLES["contiguous"]


def test_a_book_is_told_by_channel_symbol_and_topic() -> None:
    sync, channel = sync_of(), channel_of(CONTIGUOUS)
    one, two = (Topic("order_book", {}, text, {}) for text in ("one", "two"))
    first, second = sync.open(channel, one, lambda: "BTC/USDT"), sync.open(channel, two, lambda: "BTC/USDT")
    assert sync.book_of(channel, "BTC/USDT", one) is first
    assert sync.book_of(channel, "BTC/USDT", two) is second
    assert sync.book_of(channel, "BTC/USDT", None) is first
    assert sync.book_of(channel, "ETH/USDT", None) is None
    assert sync.apply(channel, [snapshot(symbol="ETH/USDT")], None, 0.0) == []
    sync.close(first)
    assert sync.book_of(channel, "BTC/USDT", one) is None
    assert first.trouble == "the book is waiting: it is subscribed no longer"


def test_a_book_that_lacks_its_snapshot_is_asked_for_anew() -> None:
    sync, channel, book = opened(CONTIGUOUS)
    assert (sync.next_deadline(), book.state) == (None, "waiting")
    book.subscribed(100.0)
    assert sync.next_deadline() == 105.0
    assert sync.apply(channel, [message([level(10)], sequence=5)], None, 101.0) == []
    assert (sync.tick(104.0), sync.drain()) == ([], [])
    assert sync.tick(105.0) == []
    assert [type(wanted) for wanted in sync.drain()] == [Renew]
    (view,) = sync.apply(channel, [snapshot(sequence=9)], None, 106.0)
    assert isinstance(view, BookView) and view.first and view.in_sync and view.sequence == 9
    assert sync.next_deadline() is None


def test_where_no_ack_says_when_a_subscription_began_its_first_change_does() -> None:
    sync, channel, book = opened(CONTIGUOUS)
    assert sync.apply(channel, [message([level(10)], sequence=5)], None, 100.0) == []
    sync.apply(channel, [message([level(10)], sequence=6)], None, 103.0)
    assert (book.state, sync.next_deadline(), sync.hurry) == ("waiting", 105.0, True)
    sync.tick(105.0)
    assert [type(wanted) for wanted in sync.drain()] == [Renew]


def test_the_budget_of_snapshots_spaces_them_and_no_book_is_forgotten() -> None:
    sync, channel = sync_of(), channel_of(STYLES["ranges"])
    books = [sync.open(channel, Topic("order_book", {}, str(at), {}), lambda at=at: f"A{at}/B") for at in range(5)]  # type: ignore[misc]
    for book in books:
        book.subscribed(0.0)
    sync.tick(0.0)
    first = sync.drain()
    assert [wanted.book for wanted in first if isinstance(wanted, Fetch)] == books, "the first ones have the limits of REST alone"
    for book, wanted in zip(books, first, strict=True):
        assert isinstance(wanted, Fetch)
        book.failed(wanted.ticket, "no answer", 1.0)
    sync.tick(1.0)
    assert len(sync.drain()) == 3
    assert sync.next_deadline() == 61.0
    sync.tick(61.0)
    assert [book.state for book in books] == ["buffering"] * 5
    assert len(sync.drain()) == 2


def test_resyncs_of_one_book_are_spaced_more_and_more_until_it_holds() -> None:
    settings = BookSettings(Backoff(1.0, 64.0), patience=5.0)
    sync, channel, book = opened(CONTIGUOUS, settings)
    ceilings, now = [], 0.0
    for _ in range(5):
        sync.apply(channel, [snapshot(sequence=1)], None, now)
        sync.apply(channel, [message(sequence=3)], None, now)
        assert book.trouble is not None
        ceilings.append(settings.backoff.ceiling(book._attempts))
        sync.tick(now := book.due)
    assert ceilings == [1.0, 2.0, 4.0, 8.0, 16.0]
    sync.apply(channel, [snapshot(sequence=1)], None, now)
    sync.apply(channel, [message(sequence=3)], None, now + settings.steady)
    assert book._attempts == 0


def test_a_snapshot_that_fails_or_is_too_old_is_asked_for_again_and_changes_are_kept() -> None:
    sync, channel, book = opened(STYLES["ranges"])
    change = message([level(10, 7)], sequence=20, first_sequence=18)
    assert sync.apply(channel, [change], None, 0.0) == []
    assert sync.hurry
    sync.tick(0.0)
    (wanted,) = sync.drain()
    assert isinstance(wanted, Fetch) and (wanted.operation, wanted.depth) == FETCHED
    (told,) = book.failed(wanted.ticket, "no answer", 1.0)
    assert isinstance(told, BookState) and (told.state, told.reason) == ("buffering", "no answer")
    sync.tick(1.0)
    (again,) = sync.drain()
    assert isinstance(again, Fetch)
    assert book.fetched(wanted.ticket, snapshot(sequence=19), 1.0) == [], "an answer to an earlier question"
    (told,) = book.fetched(again.ticket, snapshot(sequence=16), 1.0)
    assert isinstance(told, BookState) and "before the first change that was kept (18)" in str(told.reason)
    sync.tick(2.0)
    (third,) = sync.drain()
    assert isinstance(third, Fetch)
    (view,) = book.fetched(third.ticket, snapshot(sequence=19), 2.0)
    assert isinstance(view, BookView) and view.best_bid == level(10, 7)
    assert book.failed(third.ticket, "late", 3.0) == []


def test_a_snapshot_in_another_unit_than_the_changes_begins_nothing() -> None:
    sync, channel, book = opened(STYLES["ranges"])
    sync.apply(channel, [message([level(10)], sequence=20, first_sequence=18, size_unit="contracts")], None, 0.0)
    sync.tick(0.0)
    (wanted,) = sync.drain()
    assert isinstance(wanted, Fetch)
    (told,) = book.fetched(wanted.ticket, snapshot(sequence=19), 0.0)
    assert isinstance(told, BookState) and "counted in contracts" in str(told.reason)


def test_a_gap_is_told_with_its_bounds_when_it_is_over() -> None:
    sync, channel, _ = opened(CONTIGUOUS)
    events = sync.apply(
        channel, [snapshot(sequence=1, timestamp=10), message(sequence=3, timestamp=20), snapshot(sequence=5, timestamp=30)], None, 0.0
    )
    assert kinds(events) == ["BookView", "BookState", "Gap", "BookView"]
    gap, view = events[2:]
    assert isinstance(gap, Gap) and (gap.from_time, gap.to_time, gap.channel) == (10, 30, "order_book")
    assert isinstance(view, BookView) and view.first
    assert view.copy(1) == message([level(10)], [level(11)], snapshot=True, sequence=5, timestamp=30)


def test_a_lost_connection_ends_books_and_a_hole_in_its_numbers_those_it_proves() -> None:
    sync, channel = sync_of(), channel_of(CONTIGUOUS)
    numbered = replace(channel, name="numbered", book=STYLES["per connection"])
    for one in (channel, numbered):
        sync.open(one, None, lambda: "BTC/USDT")
        sync.apply(one, [snapshot(sequence=1)], None, 0.0)
    ((book, told),) = sync.missed(2, 1.0)
    assert (book.channel.name, kinds(told)) == ("numbered", ["BookState"])
    ((book, told),) = sync.died("the socket is closed", 1.0)
    assert (book.channel.name, kinds(told)) == ("order_book", ["BookState"])
    assert [book.state for book in sync.books] == ["waiting", "waiting"]
    assert sync.died("again", 1.0) == []
    (view,) = sync.apply(channel, [snapshot(sequence=1)], None, 2.0)
    assert isinstance(view, BookView) and view.first


WRONG: list[tuple[str, BookPlan, Book, str]] = [
    ("crossed", CONTIGUOUS, message([level(11)], sequence=2), "is crossed: bid"),
    ("another unit", CONTIGUOUS, message([level(9)], sequence=2, size_unit="contracts"), "counted in contracts now"),
    ("another checksum", replace(PLAN, checksum_hook="bitfinex", checksum_depth=25), message([level(9)], checksum=5), "checksum"),
    ("gone back", STYLES["monotonic"], snapshot(sequence=0), "went back from 1 to 0"),
]


@pytest.mark.parametrize(("plan", "wrong", "reason"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_speaks_against_a_book_ends_it(plan: BookPlan, wrong: Book, reason: str) -> None:
    sync, channel, book = opened(plan)
    (view,) = sync.apply(channel, [snapshot(sequence=1)], None, 0.0)
    (told,) = sync.apply(channel, [wrong], None, 0.0)
    assert isinstance(told, BookState) and told.state == "out_of_sync" and reason in str(told.reason)
    assert (book.due == inf) is (plan.sync == "replace")
    assert isinstance(view, BookView)
    for read in (lambda: view.best_bid, lambda: view.sequence, lambda: view.copy(), lambda: view.verified_depth):
        with pytest.raises(BookOutOfSync, match="okx BTC/USDT: the book is out of sync"):
            read()


def test_a_message_without_levels_says_nothing_new() -> None:
    sync, channel, _ = opened(STYLES["previous"])
    assert kinds(sync.apply(channel, [snapshot(sequence=1), message(sequence=1, previous_sequence=1)], None, 0.0)) == ["BookView"]


@pytest.mark.parametrize("plan", [CONTIGUOUS, replace(PLAN, sync="replace")])
def test_too_many_old_messages_are_no_accident(plan: BookPlan) -> None:
    sync, channel, book = opened(plan)
    first = snapshot(sequence=100, timestamp=100)
    old = snapshot(timestamp=1) if plan.sync == "replace" else message([level(1)], sequence=1)
    sync.apply(channel, [first, *[old] * (MAX_OLD - 1)], None, 0.0)
    assert book.state == "in_sync" and book.book.best_bid == level(10)
    sync.apply(channel, [old], None, 0.0)
    assert book.trouble is not None and "older than the book" in book.trouble


def test_a_fetched_book_ends_when_the_market_has_left_it() -> None:
    plan = replace(STYLES["ranges"], sync=("order_book", 20))
    sync, channel, book = opened(plan)
    book.subscribed(0.0)
    sync.tick(0.0)
    (wanted,) = sync.drain()
    deep = message([level(100 - at) for at in range(20)], [level(101)], snapshot=True, sequence=1)
    assert isinstance(wanted, Fetch)
    (view,) = book.fetched(wanted.ticket, deep, 0.0)
    assert isinstance(view, BookView) and view.verified_depth == 1
    gone = [message([level(100 - at, 0)], sequence=2 + at) for at in range(19)]
    events = sync.apply(channel, gone, None, 0.0)
    assert kinds(events) == [*["BookView"] * 18, "BookState"]
    assert "left the snapshot" in book.reason


# levels that consumers want, levels of the snapshot that is asked for, those that must be left of it
WANTED = [(None, 1000, 100), (10, 100, 10), (100, 500, 100), (150, 750, 150), (900, 1000, 200), (5000, 1000, 200)]


@pytest.mark.parametrize(("wanted", "fetched", "left"), WANTED)
def test_a_snapshot_holds_what_consumers_want_and_room_for_the_market_to_move(wanted: int | None, fetched: int, left: int) -> None:
    sync, channel = sync_of(), channel_of(STYLES["ranges"])
    book = sync.open(channel, None, lambda: "BTC/USDT", wanted)
    book.subscribed(0.0)
    sync.tick(0.0)
    (asked,) = sync.drain()
    assert isinstance(asked, Fetch) and asked.depth == fetched
    deep = message([level(10_000 - at) for at in range(fetched)], [level(20_000)], snapshot=True, sequence=0)
    book.fetched(asked.ticket, deep, 0.0)
    gone = [message([level(10_000 - at, 0)], sequence=1 + at) for at in range(fetched)]
    while len(book.book.bids) > left:
        assert kinds(sync.apply(channel, [gone.pop(0)], None, 0.0)) == ["BookView"]
    assert kinds(sync.apply(channel, [gone.pop(0)], None, 0.0)) == ["BookState"]
    assert f"fewer than {left} levels of it remain" in book.reason


def test_a_book_is_begun_anew_where_a_later_consumer_wants_more_levels_than_were_fetched() -> None:
    sync, channel = sync_of(), channel_of(STYLES["ranges"])
    book = sync.open(channel, None, lambda: "BTC/USDT", 20)
    assert book.want(10, 0.0) == []
    book.subscribed(0.0)
    sync.tick(0.0)
    (first,) = sync.drain()
    assert isinstance(first, Fetch) and first.depth == 100
    assert book.want(40, 0.0) == []
    assert not book.awaits(first.ticket), "the snapshot under way is not deep enough"
    sync.tick(0.0)
    (second,) = sync.drain()
    assert isinstance(second, Fetch) and second.depth == 200
    assert kinds(book.fetched(second.ticket, snapshot(sequence=1), 0.0)) == ["BookView"]
    assert book.want(40, 0.0) == book.want(5, 0.0) == []
    (told,) = book.want(None, 0.0)
    assert isinstance(told, BookState) and "than the 200 that were fetched" in str(told.reason)
    sync.tick(0.0)
    assert [wanted.depth for wanted in sync.drain() if isinstance(wanted, Fetch)] == [1000]


def test_while_a_book_stands_in_line_for_its_snapshot_few_changes_are_kept() -> None:
    sync, channel, book = opened(STYLES["ranges"])
    changes = [message([level(9, at)], sequence=at, first_sequence=at) for at in range(1, 300)]
    sync.apply(channel, changes[:200], None, 0.0)
    assert len(book.waiting.kept) == IN_LINE
    sync.tick(0.0)
    (wanted,) = sync.drain()
    book.waiting.asking()
    sync.apply(channel, changes[200:], None, 0.0)
    assert len(book.waiting.kept) == IN_LINE + 99
    assert isinstance(wanted, Fetch)
    (view,) = book.fetched(wanted.ticket, snapshot(sequence=200), 0.0)
    assert isinstance(view, BookView) and view.sequence == 299


def test_those_that_begin_go_in_the_order_asked_for_and_those_that_begin_anew_take_turns_with_them() -> None:
    sync, channel = sync_of(), channel_of(STYLES["ranges"])
    books = {name: sync.open(channel, Topic("order_book", {}, name, {}), lambda name=name: name) for name in "abcdefg"}  # type: ignore[misc]
    line = SnapshotLine()

    def stand(name: str, number: int, *, again: bool = False) -> None:
        books[name].state, books[name].waiting.ticket = "buffering", 1
        line.add(Fetch(books[name], "order_book", 100, 1, again), number)

    for name, number in (("c", 3), ("a", 1), ("d", 4), ("b", 2)):
        stand(name, number)
    for name in "efg":
        stand(name, 0, again=True)
    books["f"].waiting.ticket = 2
    assert len(line) == 7
    order = []
    while (wanted := line.next()) is not None:
        order.append(wanted.book.symbol())
    assert order == ["e", "a", "g", "b", "c", "d"], "f has no use for it any more"


def test_a_checksum_proves_no_more_than_its_depth() -> None:
    sync, channel, _ = opened(replace(PLAN, checksum_hook="bitfinex", checksum_depth=1))
    (view,) = sync.apply(channel, [snapshot()], None, 0.0)
    assert isinstance(view, BookView) and (view.verified_depth, len(view.bids)) == (0, 2)
    value = CHECKSUMS["bitfinex"](*view.depth(1))
    (view,) = sync.apply(channel, [message([level(8)], checksum=value)], None, 0.0)
    assert isinstance(view, BookView) and (view.verified_depth, len(view.bids)) == (1, 3)


def test_levels_that_cross_wait_for_those_they_meet() -> None:
    book, halves = OrderBook(), Halves()
    book.replace([level(10)], [level(11), level(12)])
    halves.change(book, [level(11, 5)], [])
    halves.change(book, [level(12, 6)], [])
    assert book.best_bid == level(10) and halves
    halves.change(book, [], [level(11, 0)])
    assert book.best_bid == level(11, 5) and halves
    halves.change(book, [level(12, 0)], [])
    assert book.best_bid == level(11, 5) and not halves
    halves.change(book, [], [level(10.5, 2)])
    halves.finish(book)
    assert book.crossed and not halves
    halves.change(book, [level(99)], [])
    halves.clear()
    assert not halves


def test_half_an_update_that_stays_half_ends_the_book() -> None:
    sync, channel, book = opened(replace(STYLES["per connection"], single_levels=True))
    sync.apply(channel, [snapshot()], None, 0.0)
    sync.apply(channel, [message([level(11, 5)])], None, 1.0)
    assert (book.state, sync.next_deadline()) == ("in_sync", 2.0)
    sync.apply(channel, [message([], [level(11, 0)])], None, 1.5)
    assert (book.book.best_bid, sync.next_deadline()) == (level(11, 5), None)
    sync.apply(channel, [message([level(12)])], None, 3.0)
    sync.apply(channel, [message([level(8)])], None, 3.5)
    ((_, told),) = sync.tick(4.0)
    assert kinds(told) == ["BookState"] and "the levels it meets stay" in book.reason


SUM = CHECKSUMS["crc32_interleaved"]([level("10.0", "1.50")], [level("11.0", "2")])
EXACT = replace(PLAN, checksum_hook="crc32_interleaved", checksum_depth=1)
PRECISE = replace(PLAN, checksum_hook="kraken_v2", checksum_depth=1, checksum_precise=True)
PRECISE_SUM = CHECKSUMS["kraken_v2"]([level("10.0", "1.50")], [level("11.0", "2")], Precision(1, 2))

TENTH = D("0.1")
TENTH_SUM = CHECKSUMS["crc32_interleaved"]([level("10.0", "15.0")], [level("11.0", "2E+1")])

# plan, number, decimals of the instrument, what sizes were multiplied by, the venue's value, timestamp, whether it holds
SUMS: list[tuple[Any, ...]] = [
    (EXACT, D, None, 1, SUM, None, True),
    (EXACT, D, None, 1, SUM + 1, None, False),
    (EXACT, D, None, 1, None, None, None),
    (EXACT, D, None, None, SUM, None, None),
    (EXACT, D, None, TENTH, TENTH_SUM, None, True),
    (EXACT, D, None, TENTH, SUM, None, False),
    (EXACT, float, None, 1, SUM, None, None),
    (PLAN, D, None, 1, SUM, None, None),
    (replace(EXACT, checksum_until=date(2026, 6, 23)), D, None, 1, SUM, DAY, True),
    (replace(EXACT, checksum_until=date(2026, 1, 1)), D, None, 1, 0, DAY, None),
    (replace(EXACT, checksum_until=date(2026, 6, 23)), D, None, 1, SUM, None, None),
    (PRECISE, D, Precision(1, 2), 1, PRECISE_SUM, None, True),
    (PRECISE, float, Precision(1, 2), 1, PRECISE_SUM, None, True),
    (PRECISE, float, Precision(1, 2), TENTH, PRECISE_SUM, None, None),
    (PRECISE, D, None, 1, PRECISE_SUM, None, None),
]


@pytest.mark.parametrize(("plan", "number", "precision", "factor", "value", "timestamp", "holds"), SUMS)
def test_checksums_are_compared_where_that_is_possible(
    plan: BookPlan, number: Any, precision: Any, factor: Any, value: Any, timestamp: Any, holds: bool | None
) -> None:
    book = OrderBook()
    book.replace([(number("10.0"), number("1.50"))], [(number("11.0"), number("2"))])
    sums = Checksums(plan, 1, lambda: precision, lambda _: factor)
    assert sums.holds(book, message(checksum=value, timestamp=timestamp)) is holds


SIZES = st.decimals(D("0.00000001"), D(10**9), places=8)


@given(st.lists(SIZES, min_size=1, max_size=5), st.sampled_from(["0.0001", "0.01", "0.10", "1", "10", "100.0", "1E+3", "0.3"]))
def test_converted_sizes_are_verified_in_the_venues_own_digits(sizes: list[D], contract_size: str) -> None:
    sent = [level(100 - at, size.normalize() if at % 2 else size) for at, size in enumerate(sizes)]
    book = OrderBook()
    book.replace([(price, size * D(contract_size)) for price, size in sent], [])  # type: ignore[operator]
    plan = replace(EXACT, checksum_depth=25)
    sums = Checksums(plan, 1, lambda: None, lambda _: D(contract_size))
    assert sums.holds(book, message(checksum=CHECKSUMS["crc32_interleaved"](sent, []))) is True


def test_sizes_that_may_have_lost_digits_are_not_verified() -> None:
    book = OrderBook()
    book.replace([level(10, D("1." + "1" * 20) * D("0." + "3" * 20))], [])
    assert Checksums(EXACT, 1, lambda: None, lambda _: D("0." + "3" * 20)).holds(book, message(checksum=1)) is None


def test_one_checksum_in_so_many_is_verified() -> None:
    book = OrderBook()
    sums = Checksums(EXACT, 3, lambda: None, lambda _: D(1))
    assert [sums.holds(book, message(checksum=1)) for _ in range(6)] == [None, None, False, None, None, False]


async def test_contracts_and_decimals_are_those_of_the_instrument() -> None:
    sync = sync_of()
    channel = compile_exchange("okx").channel("order_book")
    assert sync._precision(lambda: "BTC/USDT") is None
    assert sync._precision(lambda: "not/a/symbol") is None
    assert sync._factor(channel, lambda: "BTC/USDT", message()) == 1
    assert sync._factor(channel, lambda: "BTC/USDT:PERP", message()) is None
    assert sync._factor(channel, lambda: "BTC/USDT:PERP", message(size_unit="contracts")) == 1
    assert sync._factor(channel, lambda: "not/a/symbol", message()) is None
    markets = Markets(compile_exchange("okx"))
    contract = Instrument(exchange="okx", symbol="BTC/USDT:PERP", id="BTC-USDT-SWAP", kind="perpetual", base="BTC", quote="USDT")
    linear = structs.replace(contract, contract_size=D("0.01"), contract_currency="BTC")
    named = {"symbol": "BTC/USD:PERP:BTC", "id": "BTC-USD-SWAP", "quote": "USD"}
    markets.load([linear, structs.replace(contract, **named, contract_size=D(100), contract_currency="USD")])
    sync = BookSync("okx", markets, Counters("okx"), Random(1), QUICK)
    assert sync._factor(channel, lambda: "BTC/USDT:PERP", message()) == D("0.01")
    assert sync._factor(channel, lambda: "BTC/USD:PERP:BTC", message()) is None
