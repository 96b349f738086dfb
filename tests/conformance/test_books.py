"""Maintained books of recorded connections: every message follows, and every checksum that is sent holds."""

from __future__ import annotations

from collections import Counter

import pytest

from cexspec.engine.books.offline import OfflineBooks
from cexspec.engine.normalize import Normalizer
from tests.conformance.corpus import needs_corpus, session

# venue, session, whether its REST answers are read too (instruments turn contracts into base), messages of books, checksums verified
RECORDED = [
    ("okx", "okx-1", False, 201, 201),
    ("okx", "okx-1", True, 201, 68),
    ("bitfinex", "bitfinex-1", True, 1090, 0),
]


@needs_corpus
@pytest.mark.parametrize(("venue", "name", "rest", "messages", "checksums"), RECORDED)
def test_recorded_books_stay_in_sync(venue: str, name: str, rest: bool, messages: int, checksums: int) -> None:
    normalizer = Normalizer(venue)
    kept, states = OfflineBooks(normalizer), Counter[str]()
    for record in session(name):
        if record["direction"] != "in" or not (rest or record["transport"] == "ws"):
            continue
        is_frame = record["transport"] == "ws"
        result = normalizer.read_ws(record["raw"]) if is_frame else normalizer.read_rest(record["raw"], path=record["url"])
        states.update(book.state for book in kept.after(record["raw"], result))
    assert states == {"in_sync": messages}
    assert (kept.counters.checksums, kept.counters.checksum_failures) == (checksums, 0)
