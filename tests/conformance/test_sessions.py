"""Recorded connections, frame by frame through the reader: books stay whole, acks teach, nothing is unrouted."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from cexspec.compile.exchange import compile_exchange
from cexspec.engine.frames import FrameReader
from cexspec.engine.markets import Markets
from cexspec.models import Book
from tests.conformance.corpus import needs_corpus, session

SESSIONS = [("okx", "okx-1", "public", 250), ("bitfinex", "bitfinex-1", "public", 1100)]


class NaiveBook:
    """The plainest book there is: two dicts."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def apply(self, book: Book) -> None:
        """A snapshot replaces, a delta changes; size 0 removes."""
        for name, side in self.sides.items():
            if book.is_snapshot:
                side.clear()
            for price, size in getattr(book, name):
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is not below the best ask."""
        bids, asks = self.sides["bids"], self.sides["asks"]
        return bool(bids and asks and max(bids) >= min(asks))


def read_session(venue: str, name: str, connection: str) -> tuple[Counter[str], list[Any], dict[str, NaiveBook]]:
    """Roles, errors, and the books at the end."""
    plan = compile_exchange(venue)
    channels = {one: plan.channel(one) for one in plan.channel_names}
    reader = FrameReader(venue, plan.connection(connection), channels, Markets(plan))
    roles: Counter[str] = Counter()
    errors: list[Any] = []
    books: dict[str, NaiveBook] = {}
    for record in session(name):
        if record["transport"] != "ws" or record["direction"] != "in":
            continue
        reading = reader.read(record["raw"])
        roles[reading.role] += 1
        errors += reading.errors
        for event in reading.events:
            assert event.symbol is not None
            if isinstance(event, Book):
                books.setdefault(event.symbol, NaiveBook()).apply(event)
    return roles, errors, books


@needs_corpus
@pytest.mark.parametrize(("venue", "name", "connection", "least"), SESSIONS)
def test_a_recorded_session_reads_without_a_hole(venue: str, name: str, connection: str, least: int) -> None:
    roles, errors, books = read_session(venue, name, connection)
    assert not errors
    assert roles["unrouted"] == roles["undecodable"] == roles["error"] == 0
    assert roles["data"] >= least
    assert books
    assert all(book.sides["bids"] and book.sides["asks"] for book in books.values())
    assert [symbol for symbol, book in books.items() if book.crossed] == []
