"""What is kept of things named by the wire has bounds: after any number of new names, nothing is larger than that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cexspec.engine.books.offline import OfflineBooks
from cexspec.engine.normalize import Normalizer
from tests.exchanges.venue import EXCHANGES
from tests.fuzz import seeds
from tests.fuzz.mutations import at, encoded, places, replaced
from tests.fuzz.oracle import largest


def flooded(exchange: str, names: int) -> tuple[Normalizer, OfflineBooks]:
    """A normalizer and its books that have read each data frame with so many other names in place of each text in turn."""
    normalizer = Normalizer(str(EXCHANGES / f"{exchange}.yaml"), number=Decimal)
    books = OfflineBooks(normalizer)
    for frame in flood(exchange, names):
        books.after(frame, normalizer.read_ws(frame))
    return normalizer, books


def flood(exchange: str, names: int) -> Iterator[bytes]:
    """Frames that differ in one name."""
    for seed in seeds.frames(exchange):
        try:
            document = json.loads(seed)
        except ValueError:
            continue
        for place in [place for place in places(document) if _names(at(document, place))]:
            for number in range(names):
                yield encoded(replaced(document, place, f"N{number}-{at(document, place)}"))


def _names(value: Any) -> bool:
    return isinstance(value, str) and 2 < len(value) < 40 and not value.replace(".", "").replace("-", "").isdecimal()


def oversized(kept: object, bound: int) -> dict[str, int]:
    """The collections that hold more."""
    return {name: size for name, size in largest(kept).items() if size > bound}
