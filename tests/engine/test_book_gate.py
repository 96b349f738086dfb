"""Which messages of a book get through where two connections tell it: each once, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cexspec.compile.socket_plan import BookPlan
from cexspec.engine.gate import overlapping_gate
from cexspec.models import Book, Level
from tests.engine.book_venue import PLAN, channel_of

GROWING = replace(PLAN, rule="contiguous")
FALLING = replace(PLAN, rule="previous", accepts=("equal", "reset"))
OF_THE_CONNECTION = replace(PLAN, rule="per_connection")
WHOLE = replace(PLAN, rule=None, sync="replace")
UNNUMBERED = replace(PLAN, rule=None)

# Messages in the order in which they come: the connection, the number, the time, and * for a snapshot; what gets through.
CASES: list[tuple[str, BookPlan, str, str]] = [
    ("each number once", GROWING, "a:1:10 b:1:10 b:2:11 a:2:11 a:3:12", "a1 b2 a3"),
    ("numbers of one time", GROWING, "a:1:10 b:1:10 b:2:10 a:2:10", "a1 b2"),
    ("what has no number comes", GROWING, "a:1:10 b:1:10 a:-:11 b:2:12", "a1 a- b2"),
    ("numbers that fall", FALLING, "a:7:10 b:7:10 b:2:11 a:2:11 a:3:12 b:3:12 b:4:13", "a7 b2 a3 b4"),
    ("numbers of one time that may fall", FALLING, "a:7:10 b:7:10 b:8:10 a:8:10", "a7 b8"),
    ("numbers of a connection", OF_THE_CONNECTION, "a:70:10* a:71:11 b:5:11 a:72:12 b:7:13* a:73:13 b:8:14", "a70 a71 a72 b7 b8"),
    ("each time once", WHOLE, "a:-:10* b:-:10* b:-:11* a:-:11*", "a- b-"),
    ("one connection, until the other begins anew", UNNUMBERED, "a:-:10* b:-:11 a:-:11 b:-:12* a:-:12", "a- a- b-"),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "told", "heard"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_of_two_connections_each_message_of_a_book_gets_through_once(plan: BookPlan, told: str, heard: str) -> None:
    gate = overlapping_gate(channel_of(plan), None)
    passed = []
    for word in told.split():
        origin, number, time = word.rstrip("*").split(":")
        levels: list[Level] = [(Decimal(1), Decimal(1))]
        sequence = None if number == "-" else int(number)
        is_snapshot = word.endswith("*")
        book = Book(exchange="x", symbol="A/B", bids=levels, asks=[], sequence=sequence, timestamp=int(time), is_snapshot=is_snapshot)
        if gate.passes(book, origin):
            passed.append(f"{origin}{number}")
    assert passed == heard.split()
