"""What commands print: tables for people on a terminal, JSON lines for everything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from cexspec.models import Book, BookState, Event
from cexspec.models.encode import to_json

if TYPE_CHECKING:
    from rich.table import Table

TIMES = {"timestamp", "received", "next_time", "expiry", "from_time", "to_time"}
WIDE = 160
"""Characters of a line where no terminal says how many there are."""
LEVELS = 25
"""Levels shown of each side of a maintained book."""
_HIDDEN = {"exchange", "received"}


def for_people(as_json: bool) -> bool:
    """Whether to print tables: on a terminal, unless JSON is asked for."""
    return not as_json and sys.stdout.isatty()


def print_json(value: object) -> None:
    """One JSON value on a line of its own, at once."""
    _print_line(json.dumps(value, ensure_ascii=False).encode())


def print_event(event: Event) -> None:
    """One event as a JSON line, at once."""
    _print_line(to_json(as_model(event)))


def as_model(event: Event, levels: int = LEVELS) -> Event:
    """The event itself; of a maintained book its best levels, or, where it is out of sync by now, that it is."""
    if event.__struct_config__.tag != "book_view":
        return event
    from cexspec.engine.books.view import BookView

    assert isinstance(event, BookView)
    if event.in_sync:
        return event.copy(levels)
    return BookState(exchange=event.exchange, symbol=event.symbol, channel="order_book", state="out_of_sync")


def _print_line(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def print_tables(*tables: Table) -> None:
    """Tables, one below the other."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    for table in tables:
        console.print(table)


def table(title: str | None, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; numbers stand right."""
    from rich import box
    from rich.table import Table

    rows = [list(row) for row in rows]
    found = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for at, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[at], int | float | Decimal | None) for row in rows)
        found.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        found.add_row(*(shown(value) for value in row))
    return found


def event_tables(events: Sequence[Event]) -> list[Table]:
    """Events for people: books as ladders, a single event by its fields, many as rows."""
    books = [event for event in events if isinstance(event, Book)]
    others = [event for event in events if not isinstance(event, Book)]
    tables = [_ladder(book) for book in books]
    if len(others) == 1:
        fields = [(name, _field(name, value)) for name, value in _fields(others[0]) if value is not None]
        tables.append(table(None, ("field", "value"), fields))
    elif others:
        names = [name for name, _ in _fields(others[0]) if any(getattr(event, name, None) is not None for event in others)]
        tables.append(table(None, names, [[_field(name, getattr(event, name, None)) for name in names] for event in others]))
    return tables


def shown(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def clock_time(nanoseconds: int | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time as people read it, UTC, to the millisecond."""
    if nanoseconds is None:
        return "-"
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):{form}}.{rest // 1_000_000:03}"


def _fields(event: Event) -> list[tuple[str, object]]:
    return [(name, getattr(event, name)) for name in event.__struct_fields__ if name not in _HIDDEN]


def _field(name: str, value: object) -> object:
    return clock_time(value) if name in TIMES and isinstance(value, int) else value


def _ladder(book: Book) -> Table:
    depth = max(len(book.bids), len(book.asks))
    bids, asks = ([*side, *[(None, None)] * (depth - len(side))] for side in (book.bids, book.asks))
    rows = [(bid[1], bid[0], ask[0], ask[1]) for bid, ask in zip(bids, asks, strict=True)]
    kind = "book" if book.is_snapshot else "changes"
    title = f"{book.symbol} {kind} {clock_time(book.timestamp)} sequence {shown(book.sequence)}"
    return table(title, ("bid size", "bid", "ask", "ask size"), rows)
