"""Every fault once, at venues in turn: nothing is lost in silence. The whole matrix is `make test-faults`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.faults.cell import judged
from tests.faults.matrix import BEGIN, COLUMNS, DOCUMENT, END
from tests.faults.scripts import SCRIPTS
from tests.faults.venues import VENUES, Venue, quick_venues

CELL = re.compile(r"n/a: (\d+)|(unharmed|\d+\.\d\d) / \d+\.\d\d(, \d+ told)?")


@pytest.fixture(scope="module")
def venues() -> Iterator[dict[str, Venue]]:
    with quick_venues() as found:
        yield found


@pytest.mark.parametrize(("number", "fault"), [pytest.param(number, fault, id=fault) for number, fault in enumerate(SCRIPTS)])
async def test_nothing_is_lost_doubled_or_wrong_in_silence_after(number: int, fault: str, venues: dict[str, Venue]) -> None:
    script = SCRIPTS[fault]
    fitting = [venue for venue in venues.values() if script.meaningless(venue) is None]
    outcome = await judged(script, fitting[number % len(fitting)])
    assert outcome.trouble is None, f"{outcome.venue}: {outcome.trouble}"
    assert outcome.recovered is not None and (outcome.detected is None) == script.harmless(venues[outcome.venue])


def test_every_venue_is_hit_by_many_faults(venues: dict[str, Venue]) -> None:
    hit = []
    for number, script in enumerate(SCRIPTS.values()):
        fitting = [venue.name for venue in venues.values() if script.meaningless(venue) is None]
        hit.append(fitting[number % len(fitting)])
    assert all(hit.count(venue) >= 5 for venue in VENUES)


@cache
def table() -> list[list[str]]:
    text = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_documented_table_has_every_fault_and_every_venue() -> None:
    head, rule, *rows = table()
    assert tuple(head) == COLUMNS and set(rule) == {"---"}
    assert [row[0] for row in rows] == [f"`{script.name}`: {script.title}" for script in SCRIPTS.values()]
    assert all(len(row) == len(COLUMNS) for row in rows)


def test_the_documented_table_says_nothing_was_lost_silently(venues: dict[str, Venue]) -> None:
    for name, *cells in [[row[0].split("`")[1], *row[1:]] for row in table()[2:]]:
        for venue, cell in zip(venues.values(), cells, strict=True):
            found = CELL.fullmatch(cell)
            assert found is not None, f"{name} at {venue.name}: {cell}"
            assert (found[1] is not None) == (SCRIPTS[name].meaningless(venue) is not None)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert ", 0 were lost silently, 0 came twice, 0 out of order. 0 cells went wrong." in text
