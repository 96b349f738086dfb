"""The table of differences to another library's reading of the same bodies, and the page that is made of it.

The table is the one that the differential tests hold to (`tests/differential/differences.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parents[1] / "tests" / "differential" / "differences.yaml"
PAGE = "differences.md"
HEAD = """# Differences to ccxt

ccxt's own parsers and cexspec read the same REST bodies in `tests/differential`: instruments, tickers, books, trades, candles,
funding rates, open interest. Symbols (in ccxt's notation), steps, bounds, contract sizes, numbers, sides and times are
equal but for what stands here, each with the page of the exchange's documentation that ours follows. What has no line here
and differs fails the tests; so does a line that no body needs.

ccxt leaves sizes of derivatives in contracts where ours are in base currency ([mapping.md](mapping.md)); they are converted before
they are compared.
"""


@dataclass(frozen=True)
class Difference:
    """Why these fields of a model differ.

    `records` narrows it to bodies, `rows` (with `*` for any text) to things in them, `ours` and `theirs` to a value of one
    side; `absent` is none.
    """

    venue: str
    model: str
    fields: tuple[str, ...]
    reason: str
    docs: str
    records: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    ours: str | None = None
    theirs: str | None = None


def differences(table: Path = TABLE) -> tuple[Difference, ...]:
    """The whole table, in its order."""
    venues: dict[str, list[dict[str, Any]]] = yaml.load(table.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return tuple(_row(venue, **row) for venue, rows in venues.items() for row in rows)


def _row(venue: str, **row: Any) -> Difference:
    return Difference(venue, **row | {key: tuple(row.get(key, ())) for key in ("fields", "records", "rows")})


def page(table: Path = TABLE) -> str:
    """The document."""
    rows = differences(table)
    return "\n".join([HEAD, *(line for venue in dict.fromkeys(row.venue for row in rows) for line in _section(venue, rows))])


def _section(venue: str, rows: tuple[Difference, ...]) -> Iterator[str]:
    yield f"## {venue}"
    yield ""
    yield "| model | field | of | why ours is right | page |"
    yield "|---|---|---|---|---|"
    for row in rows:
        if row.venue == venue:
            fields = ", ".join("whole rows" if name == "row" else f"`{name}`" for name in row.fields)
            which = ", ".join(f"`{name}`" for name in row.rows)
            yield f"| {row.model} | {fields} | {which} | {row.reason} | [page]({row.docs}) |"
    yield ""
