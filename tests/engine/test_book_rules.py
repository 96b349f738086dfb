"""The sequence rules, message by message."""

from __future__ import annotations

import pytest

from cexspec.engine.books.rules import Place, judge
from cexspec.models import Book

FETCHED = Place(10, fetched=True)
AT = Place(10, 8)

# rule, accepts, where the book stands, (first, last, previous) of the message, verdict
CASES = [
    ("contiguous", "", AT, (None, 11, None), "next"),
    ("contiguous", "", AT, (None, 10, None), "old"),
    ("contiguous", "", AT, (None, 9, None), "old"),
    ("contiguous", "", AT, (None, 12, None), "gap"),
    ("contiguous", "", AT, (9, 12, None), "next"),
    ("contiguous", "", AT, (12, 13, None), "gap"),
    ("contiguous", "reset", AT, (None, 1, None), "gap"),
    ("contiguous", "", AT, (None, 1, None), "old"),
    ("contiguous", "", FETCHED, (None, 10, None), "old"),
    ("contiguous", "", FETCHED, (None, 11, None), "next"),
    ("contiguous", "", FETCHED, (None, 12, None), "gap"),
    ("previous", "", AT, (None, 15, 10), "next"),
    ("previous", "", AT, (None, 15, 11), "gap"),
    ("previous", "", AT, (None, 15, 9), "gap"),
    ("previous", "", AT, (None, 15, None), "gap"),
    ("previous", "", AT, (None, 10, 8), "old"),
    ("previous", "", AT, (None, 8, 7), "old"),
    ("previous", "reset", AT, (None, 10, 8), "old"),
    ("previous", "reset", AT, (None, 8, 7), "gap"),
    ("previous", "", AT, (None, 10, 10), "gap"),
    ("previous", "equal", AT, (None, 10, 10), "next"),
    ("previous", "", AT, (None, 3, 10), "gap"),
    ("previous", "reset", AT, (None, 3, 10), "next"),
    ("previous", "", FETCHED, (None, 10, 9), "old"),
    ("previous", "", FETCHED, (None, 12, 9), "next"),
    ("previous", "", FETCHED, (None, 12, 11), "gap"),
    ("overlap", "", FETCHED, (8, 10, None), "old"),
    ("overlap", "", FETCHED, (8, 11, None), "next"),
    ("overlap", "", FETCHED, (11, 12, None), "next"),
    ("overlap", "", FETCHED, (12, 13, None), "gap"),
    ("overlap", "", AT, (11, 12, None), "next"),
    ("overlap", "", AT, (9, 12, None), "next"),
    ("overlap", "", AT, (9, 10, None), "old"),
    ("overlap", "", AT, (12, 13, None), "gap"),
    ("overlap", "", FETCHED, (7, 9, 6), "old"),
    ("overlap", "", FETCHED, (9, 10, 8), "next"),
    ("overlap", "", FETCHED, (10, 12, 8), "next"),
    ("overlap", "", FETCHED, (11, 12, 10), "gap"),
    ("overlap", "snapshot_is_previous", FETCHED, (11, 12, 10), "next"),
    ("overlap", "snapshot_is_previous", FETCHED, (13, 14, 11), "gap"),
    ("overlap", "", AT, (14, 15, 10), "next"),
    ("overlap", "", AT, (14, 15, 11), "gap"),
    ("overlap", "", AT, (9, 10, 8), "old"),
    ("monotonic", "", AT, (None, 99, None), "next"),
    ("monotonic", "", AT, (None, 10, None), "old"),
    ("monotonic", "equal", AT, (None, 10, None), "next"),
    ("monotonic", "", AT, (None, 9, None), "gap"),
    ("monotonic", "reset", AT, (None, 9, None), "next"),
    ("monotonic", "", FETCHED, (None, 9, None), "old"),
    ("per_connection", "", AT, (None, 99, None), "next"),
    (None, "", AT, (None, None, None), "next"),
    ("contiguous", "", Place(), (None, 99, None), "next"),
    ("contiguous", "", AT, (None, None, None), "next"),
]


@pytest.mark.parametrize(("rule", "accepts", "place", "numbers", "verdict"), CASES)
def test_a_rule_tells_next_old_and_gap(rule: str | None, accepts: str, place: Place, numbers: tuple[int | None, ...], verdict: str) -> None:
    first, last, before = numbers
    message = Book(
        exchange="x", symbol="A/B", bids=[], asks=[], is_snapshot=False, sequence=last, first_sequence=first, previous_sequence=before
    )
    found = judge(rule, accepts.split(), place, message)
    assert found.kind == verdict
    assert bool(found.reason) is (verdict == "gap")
