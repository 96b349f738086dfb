"""The benchmarks measure what they say: their frames are read by value, and their tables tell whether an aim is met."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import order_book, report
from benchmarks.frames import LEVELS, SHAPES, Frames, books, trades
from benchmarks.measure import check
from benchmarks.readers import Bare, ours
from benchmarks.report import Aim, Row, Table

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
