"""The benchmarks measure what they say: their frames are read by value, and their tables tell whether an aim is met."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import benchmarks.run
from benchmarks import handoff, loopback, order_book, report
from benchmarks.consumers import CONSUMERS, Meter
from benchmarks.firehose import VENUE, framed, run_of, server
from benchmarks.frames import LEVELS, SHAPES, Frames, books, run_of_books, run_of_trades, trades
from benchmarks.measure import check
from benchmarks.readers import CONNECTIONS, Bare, ours
from benchmarks.report import Aim, Row, Table
from cexspec import Book, Normalizer, Trade

FRAMES = [make(venue) for make in (trades, books) for venue in SHAPES]


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("frames", FRAMES, ids=lambda frames: frames.name)
def test_every_frame_is_read_by_value(frames: Frames, number: type[Decimal] | type[float]) -> None:
    check("ours", frames, ours(number)(frames))


def test_a_reader_that_sees_something_else_is_found_out() -> None:
    right, wrong = trades("okx"), trades("okx")
    wrong.rows[3] = [(Decimal(1), Decimal(1))]
    check("ours", right, ours(Decimal)(right))
    with pytest.raises(AssertionError, match="frame 3 of okx trade"):
        check("ours", wrong, ours(Decimal)(wrong))


def test_the_bare_parser_is_not_asked_what_it_saw() -> None:
    assert Bare(FRAMES[0]).seen({}) is None


def test_a_book_frame_holds_200_levels_and_the_same_frames_come_every_time() -> None:
    assert all(len(rows) == 2 * LEVELS for venue in SHAPES for rows in books(venue).rows if SHAPES[venue].levels == LEVELS)
    assert books("okx").data == books("okx").data


@pytest.mark.parametrize(
    ("aim", "value", "met"),
    [
        (Aim(2.5, at_most=True), 2.5, True),
        (Aim(2.5, at_most=True), 2.51, False),
        (Aim(12, at_most=False), 12, True),
        (Aim(12, at_most=False), 11.9, False),
    ],
)
def test_an_aim_is_met_or_missed(aim: Aim, value: float, met: bool) -> None:
    assert Row("this", "", value, aim).met is met
    assert ("**missed**" in str(Row("this", "", value, aim))) is not met


def test_the_tables_are_written_between_their_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "DOCUMENT", document)
    report.write(report.text([Table("Title", [Row("this", "1 us", 1)])], ["a remark"]))
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| this | 1 us |" in text and "- a remark" in text


@pytest.mark.parametrize("number", [Decimal, float])
def test_the_book_and_its_reference_hold_the_same(number: type[Decimal] | type[float]) -> None:
    order_book.check(number)
    start, changes = order_book.deltas(number)
    assert sum(map(len, start)) == order_book.HELD
    assert all(sum(map(len, change)) == order_book.CHANGED for change in changes)


def test_a_run_ends_with_its_latest_frame_and_its_books_follow_one_another() -> None:
    venue, read = VENUE, Normalizer(VENUE).ws
    for frames, run in ((trades(venue), run_of_trades(venue, 2)), (books(venue), run_of_books(venue, 2))):
        events = [event for frame in run.frames() for event in read(frame, CONNECTIONS[venue])]
        times = [(event.timestamp or 0) // 1_000_000 for event in events]
        assert len(times) == run.count >= 2 * len(frames.data) and max(times[:-1]) < times[-1] == run.ends
        ids = [event.id for event in events if isinstance(event, Trade)]
        assert len(set(ids)) == len(ids)
        sequences = [event.sequence for event in events if isinstance(event, Book) and event.sequence is not None]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences))) if sequences else frames.kind == "trade"


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_frames_of_every_size_are_framed(size: int, head: int) -> None:
    assert len(framed(b"x" * size)) == head + size


def test_a_consumer_sees_a_whole_run_and_what_it_cost() -> None:
    meter = Meter("books")
    with server("books") as port:
        CONSUMERS["client-float"](meter, port)
    found = meter.report()
    assert meter.over and found["frames"] == run_of("books").count
    assert 1 <= found["seen"] <= found["frames"] and found["seconds"] > 0


def test_a_consumer_that_fails_says_why() -> None:
    found = loopback.costs("books", ["nobody"])
    assert isinstance(found["nobody"], loopback.Failed) and "KeyError: 'nobody'" in str(found["nobody"])


def test_the_table_compares_like_with_like_and_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: dict[str, loopback.Cost | loopback.Failed] = {name: loopback.Cost(4.0, 1.0) for name in benchmarks.run.CONSUMERS}
    costs |= {"client-float": loopback.Cost(2.0, 1.0), "ccxt": loopback.Cost(8.0, 0.5), "cryptofeed": loopback.Failed("no module")}
    monkeypatch.setattr(loopback, "costs", lambda kind, names: costs)
    rows = {row.what.split()[0]: row for row in benchmarks.run.loopback_table("trades").rows}
    assert rows["ccxt.pro"].shown.endswith("4.0x ours with float") and rows["ccxt.pro"].met
    assert rows["cryptofeed"].shown == "not measured: no module"
    assert "ccxt.pro (float, on aiohttp): 50%" in benchmarks.run.loopback_table("trades").note


def test_the_queues_hand_everything_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoff, "BATCHES", 3)
    monkeypatch.setattr(handoff, "REPETITIONS", 1)
    assert min(handoff.iterating("block"), handoff.iterating("conflate"), handoff.calling(), handoff.plainly()) > 0
