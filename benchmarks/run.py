"""Runs every benchmark and prints the tables; `--write` puts them into docs/performance.md.

Exit code 0: measured, whatever the figures; 1: with `--strict`, where an aim was missed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from decimal import Decimal

from benchmarks import budget, loopback, order_book, redis_budget, report, start
from benchmarks.frames import SHAPES, Frames, books, trades
from benchmarks.measure import microseconds
from benchmarks.readers import BARE, DECIMAL, FLOAT, NAMED, Bare, Reader, Rival, ours, rivals
from benchmarks.report import Aim, Row, Table
from cexspec.transport.websocket import Library

VENUES = tuple(SHAPES)
LIBRARIES: tuple[Library, ...] = ("websockets", "aiohttp")
FLOOR = {"trade": (DECIMAL, Aim(2.5, True, "x")), "book": (FLOAT, Aim(1.5, True, "x"))}
LEAD = {"cryptofeed": Aim(2.5, False, "x"), "ccxt": Aim(12, False, "x")}


async def frames_tables() -> tuple[list[Table], list[str]]:
    """Frames to events: ourselves against the parser and the others. The other library wants a running loop."""
    others, missing = rivals()
    kinds = [make(venue) for make in (trades, books) for venue in VENUES]
    tables = [Table(f"Frame to event: {frames.name}", await _compare(frames, others), _note(frames, others)) for frames in kinds]
    return tables, missing


async def _compare(frames: Frames, others: dict[str, Rival]) -> list[Row]:
    reading = {name: rival.make for name, rival in others.items() if frames.venue in rival.venues}
    factories: dict[str, Callable[[Frames], Reader]] = {
        BARE: Bare,
        DECIMAL: ours(Decimal),
        FLOAT: ours(float),
        NAMED: ours(Decimal, named=True),
        **reading,
    }
    taken = await microseconds(frames, factories)
    kind = frames.kind.partition(",")[0]
    aimed, aim = FLOOR[kind]
    rows = [Row(BARE, f"{taken[BARE]:.2f} us", taken[BARE])]
    for name in (DECIMAL, FLOAT, NAMED):
        ratio = taken[name] / taken[BARE]
        rows.append(Row(name, f"{taken[name]:.2f} us, {ratio:.2f}x the parser", ratio, aim if name == aimed else None))
    for name in reading:
        ratio = taken[name] / taken[DECIMAL]
        lead = LEAD[name.split()[0]] if kind == "trade" else None
        rows.append(Row(name, f"{taken[name]:.2f} us, {ratio:.1f}x ours with Decimal", ratio, lead))
    return rows


def _note(frames: Frames, others: dict[str, Rival]) -> str:
    unread = [f"{name} does not read frames of this shape." for name, rival in others.items() if frames.venue not in rival.venues]
    about = "Ours is the message's own levels as an event; the other libraries apply it to the book they maintain."
    return " ".join([about, *unread] if "book" in frames.kind else unread)


def start_table() -> Table:
    """Imports, the command, compiling."""
    fast, quick = Aim(0.15, True, " s"), Aim(0.3, True, " s")
    rows = [
        _seconds("`import cexspec`", start.importing("import cexspec"), fast),
        _seconds("`from cexspec import Client`", start.importing("from cexspec import Client")),
        _seconds("`from cexspec import Normalizer`", start.importing("from cexspec import Normalizer")),
        _seconds("`cexspec --help`, whole process", start.command("--help"), quick),
    ]
    for venue in VENUES:
        rows.append(_seconds(f"compile {venue}: file to one channel", start.compiling_one(venue, "trades")))
        rows.append(_seconds(f"compile {venue}: file to everything", start.compiling(venue), fast))
    return Table("Starting", rows, "A client compiles operations and channels on first use; `validate` compiles all of them.")


def _seconds(what: str, value: float, aim: Aim | None = None) -> Row:
    return Row(what, f"{value * 1000:.0f} ms", value, aim)


def limiter_table() -> Table:
    """The limiter's own cost."""
    aim = Aim(10, True, " us")
    calls = [("`Limiter.acquire`", budget.acquiring()), ("`async with Limiter.hold`", budget.holding())]
    rows = [Row(what, f"{value:.2f} us", value, aim) for what, value in calls]
    shared, missing = "`Limiter.acquire`, budget shared through Redis on this machine", redis_budget.missing()
    if missing is None:
        value = redis_budget.acquiring()
        rows.append(Row(shared, f"{value:.0f} us", value))
    else:
        rows.append(Row(shared, f"not measured: {missing} is not installed", 0.0))
    return Table("Rate limiter, nobody waiting", rows)


def book_table() -> Table:
    """The local book."""
    rows = []
    for number, aim in ((float, Aim(150, True, " us")), (Decimal, None)):
        taken = order_book.microseconds(number)
        ratio = taken["plain"] / (taken["change"] + taken["read"])
        rows.append(Row(f"a delta of 200 levels into 5,000, {number.__name__}", f"{taken['change']:.0f} us", taken["change"], aim))
        rows.append(Row(f"reading the top 25, {number.__name__}", f"{taken['read']:.1f} us", taken["read"]))
        rows.append(Row(f"a dict, sorted to be read, {number.__name__}", f"{taken['plain']:.0f} us, {ratio:.1f}x ours", ratio))
    return Table("The local order book", rows, "Most changes are near the best; a fifth of them remove a level.")


def loopback_table() -> Table:
    """Sockets to callback."""
    rows = []
    for library in LIBRARIES:
        found = loopback.throughput(library)
        for what, rate in (
            ("the socket alone", found.socket),
            ("with `Normalizer.ws`", found.unified),
            ("`Client`, wire to callback", found.client),
        ):
            rows.append(Row(f"{library}: {what}", f"{rate / 1e6:.2f} M frames/s", rate))
    return Table("Loopback throughput of one core, trade frames", rows, "Frames per second of the reading process's CPU time.")


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    tables, remarks = asyncio.run(frames_tables())
    tables += [start_table(), limiter_table(), book_table(), loopback_table()]
    text = report.text(tables, remarks)
    print(text)
    if "--write" in arguments:
        report.write(text)
    missed = [row for table in tables for row in table.rows if not row.met]
    return 1 if missed and "--strict" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
