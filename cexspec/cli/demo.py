"""See it work without a network: mock exchanges, the real client, live data."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cexspec.cli._exchange import AsJson, known_exchange
from cexspec.cli._output import for_people, print_event, print_json, print_tables, shown, table
from cexspec.cli._run import run
from cexspec.models import Event
from cexspec.spec.load import find, shipped

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cexspec.cli._demo import Watched

INTERVAL = 0.1
"""Seconds between the moves of the markets."""
REFRESH = 8
MOST = 14.0
"""Seconds to ask for at most, so that all of it ends within twenty."""
PATIENCE = 3.0
"""Seconds more that venues get which gave nothing so far: a busy machine starts the last of them late."""
_LINES = {
    "messages": "messages",
    "messages_per_second": "  per second",
    "events": "events",
    "events_per_second": "  per second",
    "tickers": "  tickers",
    "trades": "  trades",
    "books": "  book messages",
    "latency_p50_us": "socket to callback, median, us",
    "latency_p99_us": "  99 of 100 within, us",
    "rest_ms": "one REST call, ms",
    "gaps": "gaps",
    "reconnects": "reconnects",
    "decode_errors": "decode errors",
    "unrouted": "unrouted frames",
    "ok": "everything fine",
}
"""What the summary says of each exchange."""


def command(
    seconds: Annotated[float, typer.Option(help="How long to stream.", min=1, max=MOST)] = 12,
    exchanges: Annotated[str | None, typer.Option(help="Which, separated by commas. All that have samples, if not given.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed moves the markets the same way.")] = 0,
    as_json: AsJson = False,
) -> None:
    """See it work without a network: mock exchanges on this machine, the real client over real HTTP and WebSocket.

    A live view on a terminal, JSON lines otherwise; a summary in the end. Exits with 1 where an exchange gave no ticker,
    trade or book, or anything could not be read.

    \b
    cexspec demo
    cexspec demo --seconds 5 --json
    """
    names = [known_exchange(name.strip()) for name in exchanges.split(",")] if exchanges else with_samples()
    live = for_people(as_json)
    venues = run(_shown(names, seconds, seed, live))
    if venues is None:
        return
    summary = {"seconds": seconds, "ok": bool(venues) and all(venue["ok"] for venue in venues), "venues": venues}
    if live:
        print_tables(_summary(venues))
    else:
        print_json({"summary": summary})
    for problem in [f"{venue['exchange']}: {problem}" for venue in venues for problem in venue["problems"]][:10]:
        typer.echo(problem, err=True)
    if not summary["ok"]:
        raise typer.Exit(1)


def with_samples() -> list[str]:
    """The shipped exchanges a mock venue can speak for."""
    folders = {name: find(name).parent / "samples" / name for name in shipped()}
    return [name for name, folder in folders.items() if (folder / "messages.yaml").is_file()]


async def _shown(names: list[str], seconds: float, seed: int, live: bool) -> list[dict[str, Any]]:
    """Stream from all venues, show it, and sum it up."""
    from cexspec.cli._demo import watched

    show: Callable[[Event], None] = (lambda event: None) if live else print_event
    async with contextlib.AsyncExitStack() as stack:
        venues = [await stack.enter_async_context(watched(name, seed=seed, interval=INTERVAL, show=show)) for name in names]
        with _view(venues) if live else contextlib.nullcontext():
            await asyncio.sleep(seconds)
            await _everything(venues)
        return [venue.summary() for venue in venues]


async def _everything(venues: list[Watched]) -> None:
    """Wait until every venue gave something of everything, or for as long as there is patience."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not all(venue.complete for venue in venues):
                await asyncio.sleep(INTERVAL)


@contextlib.contextmanager
def _view(venues: list[Watched]) -> Iterator[None]:
    from rich.live import Live

    with Live(get_renderable=lambda: _picture(venues), refresh_per_second=REFRESH, transient=True):
        yield


def _picture(venues: list[Watched]) -> RenderableType:
    from rich.console import Group

    from cexspec.cli._demo import ROW, row

    rows = [row(venue, symbol) for venue in venues for symbol in venue.symbols]
    return Group(table("Live, from mock exchanges on this machine", ROW, rows), _summary([venue.summary() for venue in venues]))


def _summary(venues: list[dict[str, Any]]) -> Any:
    rows = [(label, *(shown(venue[key]) for venue in venues)) for key, label in _LINES.items()]
    return table(None, ("", *(venue["exchange"] for venue in venues)), rows)
