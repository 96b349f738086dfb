"""ccxt's own parsers read the same bodies: values are equal, or the table of differences says why ours are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.conformance.corpus import ROOT, needs_corpus
from tests.differential.bodies import Source
from tests.differential.run import comparison
from tests.differential.values import Value
from tests.differential.venues import VENUES
from tests.exchanges.venue import IDS
from tools.differences import Difference, differences

CORPUS = pytest.param("corpus", marks=needs_corpus)
SOURCES = [CORPUS, "samples"]


def explains(row: Difference, value: Value) -> bool:
    """Whether a line of the table is about this difference."""
    return (
        (row.venue, row.model) == (value.venue, value.model)
        and value.field in row.fields
        and (not row.records or value.record in row.records)
        and (not row.rows or any(fnmatchcase(value.row, pattern) for pattern in row.rows))
        and is_said(row.ours, value.ours)
        and is_said(row.theirs, value.theirs)
    )


def is_said(wanted: str | None, value: Any) -> bool:
    """Whether a value is the one that the table names, if it names one."""
    if wanted is None or wanted == "absent":
        return wanted is None or value is None
    try:
        return value is not None and Decimal(wanted) == Decimal(str(value))
    except InvalidOperation:
        return wanted == str(value)


def figures(values: Iterable[Value]) -> Counter[str]:
    """How many values were compared, and what came of it."""
    rows = differences()
    return Counter("equal" if value.equal else "explained" if any(explains(row, value) for row in rows) else "open" for value in values)


def test_what_is_compared_is_shipped(tell: Callable[[str], None]) -> None:
    assert set(VENUES) <= set(IDS)
    for venue in sorted(set(IDS) - set(VENUES)):
        tell(f"{venue}: not compared, tests/differential/venues.py has no row for it")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("venue", VENUES)
def test_values_are_those_of_ccxt_or_their_difference_is_explained(venue: str, source: Source, tell: Callable[[str], None]) -> None:
    found, rows = comparison(venue, source), differences()
    count = figures(found.values)
    parts = ", ".join(f"{count[word]} {word}" for word in ("equal", "explained", "open"))
    tell(f"{venue}, {source}: {found.bodies} bodies, {count.total()} values, {parts}")
    for name, reason in found.skipped.items():
        tell(f"{venue}, {source}: {name} not compared: {reason}")
    assert [value for value in found.values if not value.equal and not any(explains(row, value) for row in rows)] == []
    assert count["equal"] >= VENUES[venue].least[source]


@pytest.mark.parametrize("row", differences(), ids=lambda row: f"{row.venue}-{row.model}-{'-'.join(row.fields)}")
def test_every_explained_difference_still_exists(row: Difference) -> None:
    sources: list[Source] = ["corpus", "samples"] if ROOT.is_dir() else ["samples"]
    explained = [value for one in sources for value in comparison(row.venue, one).values if not value.equal and explains(row, value)]
    if not ROOT.is_dir():
        if not explained:
            pytest.skip("no sample shows it, and the payload corpus is absent")
        return
    assert explained
    assert [pattern for pattern in row.rows if not any(fnmatchcase(value.row, pattern) for value in explained)] == []
    assert [record for record in row.records if not any(value.record == record for value in explained)] == []
