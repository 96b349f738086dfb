"""Runs every benchmark and prints the tables; `--write` puts them into docs/performance.md.

Exit code 0: measured, whatever the figures; 1: with `--strict`, where an aim was missed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context

from benchmarks import budget, handoff, loopback, order_book, orders, redis_budget, report, start, updates
from benchmarks.firehose import VENUE, Kind
from benchmarks.frames import SHAPES, Frames, books, trades
from benchmarks.measure import microseconds
from benchmarks.readers import BARE, DECIMAL, FLOAT, NAMED, Bare, Reader, Rival, ours, rivals
from benchmarks.report import Aim, Row, Table
from cexspec.spec.load import shipped

Measured = loopback.Cost | loopback.Failed
VENUES = tuple(SHAPES)
SOCKET, OURS, OURS_FLOAT = "socket-aiohttp", "client-aiohttp", "client-float"
RIVALS = {"cryptofeed": (OURS, "Decimal"), "ccxt": (OURS_FLOAT, "float")}
"""Whom of ours each is compared with: the one whose numbers are alike."""
CONSUMERS = {
    SOCKET: "the socket alone (aiohttp)",
    "normalizer-aiohttp": "`Normalizer.ws` on it",
    OURS: "`Client`, Decimal",
    OURS_FLOAT: "`Client`, float",
    "client-uvloop": "`Client`, Decimal, on uvloop",
    "socket-websockets": "the socket alone (websockets)",
    "client-websockets": "`Client`, Decimal, on websockets",
    "cryptofeed": "cryptofeed (Decimal, on uvloop and websockets)",
    "ccxt": "ccxt.pro (float, on aiohttp)",
}
FLOOR = {"trade": (DECIMAL, Aim(2.5, True, "x")), "book": (FLOAT, Aim(1.5, True, "x"))}
LEAD = {"cryptofeed": Aim(2.5, False, "x"), "ccxt": Aim(12, False, "x")}


def frames_tables() -> tuple[list[Table], list[str]]:
    """Frames to events: ourselves against the parser and the others, each table in a process of its own."""
    kinds = [(make, venue) for make in (trades, books) for venue in VENUES]
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        tables = list(fresh.map(_frames_table, *zip(*kinds, strict=True)))
    return tables, rivals()[1]


def _frames_table(make: Callable[[str], Frames], venue: str) -> Table:
    frames, (others, _) = make(venue), rivals()
    rows = asyncio.run(_compare(frames, others))  # ccxt wants a running loop
    return Table(f"Frame to event: {frames.name}", rows, _note(frames, others))


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
    for venue in shipped():
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


def orders_table() -> Table:
    """Orders without a network, and the news of them over loopback."""
    rows = []
    for venue in orders.offered():
        found = orders.signing(venue)
        for what, taken, aim in (("Decimals", found.filled, Aim(10, False, "x")), ("a checked order", found.ordered, None)):
            told = f"{taken:.1f} us; ccxt {found.rival:.0f} us, {found.rival / taken:.1f}x ours"
            rows.append(Row(f"{venue}: {what} to the signed request", told, found.rival / taken, aim))
        whole = orders.placing(venue)
        rows.append(Row(f"{venue}: `place_order`, answered at once", f"{whole:.0f} us", whole, Aim(300, True, " us")))
    for venue in updates.VENUES:
        late = updates.latency(venue)
        told = f"{late.median:.0f} us, 99% within {late.p99:.0f} us"
        rows.append(Row(f"{venue}: wire to `stream_orders` over loopback", told, late.median, Aim(1000, True, " us")))
    return Table(
        "Orders",
        rows,
        "Up to method, URL, headers and body, beside ccxt's `create_order`, ended where it would send: from the Decimals that fill the"
        " request, and from an order that passed all checks. They take turns, and the best turn of each counts.",
    )


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


def queue_table() -> Table:
    """From connection to consumer."""
    reference = handoff.plainly()
    rows = [Row("`asyncio.Queue`, `put_nowait` to `get`", f"{reference:.0f} ns", reference)]
    ways: tuple[tuple[str, Callable[[], float]], ...] = (
        ("`async for`, `block`", lambda: handoff.iterating("block")),
        ("`async for`, `drop_oldest`", lambda: handoff.iterating("drop_oldest")),
        ("`async for`, `conflate`, 100 to 1", lambda: handoff.iterating("conflate")),
        ("a callback", handoff.calling),
    )
    for what, measure in ways:
        value = measure()
        rows.append(Row(what, f"{value:.0f} ns, {value / reference:.2f}x `asyncio.Queue`", value / reference))
    return Table(
        "Queue: from a connection to its consumer, an event", rows, "Events come in batches of 100, and the delay of one in 16 is measured."
    )


def loopback_table(kind: Kind) -> Table:
    """Wire to consumer, beside the others."""
    found = loopback.costs(kind, tuple(CONSUMERS))
    rows = [_consumer(name, cost, found) for name, cost in found.items()]
    return Table(f"Wire to consumer over loopback, one core: {VENUE} {kind}", rows, _delivered(kind, found))


def _consumer(name: str, cost: Measured, found: Mapping[str, Measured]) -> Row:
    what, alone = CONSUMERS[name], found[SOCKET]
    if isinstance(cost, loopback.Failed) or isinstance(alone, loopback.Failed):
        return Row(what, f"not measured: {cost}", 0.0)
    told = f"{1e6 / cost.microseconds:,.0f} frames/s, {cost.microseconds:.2f} us each"
    if name != SOCKET:
        told += f", {cost.microseconds / alone.microseconds:.1f}x the socket alone"
    mine, number = RIVALS.get(name, (name, ""))
    ours = found[mine]
    if mine == name or isinstance(ours, loopback.Failed):
        return Row(what, told, cost.microseconds)
    lead = cost.microseconds / ours.microseconds
    return Row(what, f"{told}, {lead:.1f}x ours with {number}", lead, Aim(1, False, "x"))


def _delivered(kind: Kind, found: Mapping[str, Measured]) -> str:
    """Which consumers saw how much: some keep the newest only."""
    shares = {name: cost.seen for name, cost in found.items() if isinstance(cost, loopback.Cost)}
    fewer = [f"{CONSUMERS[name]}: {share:.0%}" for name, share in shares.items() if share < 0.999]
    what = "trades reached the consumer" if kind == "trades" else "changes were looked at, but the newest book at each time"
    return f"CPU time of the reading process. Not all {what}: {'; '.join(fewer)}." if fewer else "CPU time of the reading process."


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    tables, remarks = frames_tables()
    tables += [
        start_table(),
        limiter_table(),
        orders_table(),
        book_table(),
        queue_table(),
        loopback_table("trades"),
        loopback_table("books"),
    ]
    text = report.text(tables, remarks)
    print(text)
    if "--write" in arguments:
        report.write(text)
    missed = [row for table in tables for row in table.rows if not row.met]
    return 1 if missed and "--strict" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
