"""Live views of streams for people: the latest of each symbol, or a tape of what came last."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from rich.table import Table

from cexspec.cli._output import as_model, clock_time, shown, table
from cexspec.models import Book, Event, Gap, Liquidation, Trade

TAPE = 20
"""Rows of a tape."""
FEW = 4
"""Symbols that stand side by side."""
COLUMNS = 6
"""Columns of a table of many symbols."""
_HIDDEN = {"exchange", "received", "symbol", "timestamp"}


class View(Protocol):
    """Takes events, shows a table."""

    def add(self, event: Event) -> None:
        """One more event."""

    def table(self) -> Table:
        """How things stand."""


def view_of(events: str) -> View:
    """The view that suits a unified stream: a tape of trades, else the latest of each symbol."""
    return Tape() if events in ("trades", "liquidations") else Latest()


class Tape:
    """The last events, newest first."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=TAPE)

    def add(self, event: Event) -> None:
        """See `View.add`."""
        self._events.appendleft(event)

    def table(self) -> Table:
        """See `View.table`."""
        return table(None, ("time", "symbol", "side", "price", "size", "id"), [_tape_row(event) for event in self._events])


class Latest:
    """One row for each symbol."""

    def __init__(self) -> None:
        self._events: dict[tuple[str | None, object], Event] = {}
        self._counts: dict[tuple[str | None, object], int] = {}

    def add(self, event: Event) -> None:
        """See `View.add`."""
        event = as_model(event)
        key = (event.symbol, getattr(event, "interval", None))
        self._counts[key] = self._counts.get(key, 0) + 1
        self._events[key] = event

    def table(self) -> Table:
        """See `View.table`: a column for each of few symbols, a row for each of many."""
        times = {key: clock_time(event.timestamp, "%H:%M:%S") for key, event in self._events.items()}
        cells = [{"time": times[key], **_cells(event), "events": self._counts[key]} for key, event in self._events.items()]
        names = list(dict.fromkeys(name for row in cells for name, value in row.items() if value is not None))
        symbols = [event.symbol or "-" for event in self._events.values()]
        if len(symbols) <= FEW:
            return table(None, ("", *symbols), [(name, *(shown(row.get(name)) for row in cells)) for name in names])
        names = names[:COLUMNS]
        return table(None, ("symbol", *names), [(symbol, *map(row.get, names)) for symbol, row in zip(symbols, cells, strict=True)])


def _tape_row(event: Event) -> Sequence[object]:
    time = clock_time(event.timestamp, "%H:%M:%S")
    if isinstance(event, Trade | Liquidation):
        return (time, event.symbol, event.side, event.price, event.size if event.size is not None else event.contracts, event.id)
    if isinstance(event, Gap):
        return (time, event.symbol, "gap", event.cause, event.count, None)
    return (time, event.symbol, None, None, None, None)


def _cells(event: Event) -> dict[str, object]:
    """What is shown of an event; of a book its best levels."""
    if not isinstance(event, Book):
        return {name: getattr(event, name) for name in event.__struct_fields__ if name not in _HIDDEN}
    best = [side[0] if side else (None, None) for side in (event.bids, event.asks)]
    what = "book" if event.is_snapshot else "changes"
    levels = {"first bid": best[0][0], "first ask": best[1][0], "bid levels": len(event.bids), "ask levels": len(event.asks)}
    return {"is": what, **levels, "sequence": event.sequence}
