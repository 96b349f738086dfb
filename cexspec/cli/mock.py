"""Run a local exchange that speaks a venue's REST and WebSocket."""

from __future__ import annotations

import asyncio
import json
import shlex
from itertools import cycle
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cexspec.cli._exchange import AsJson, ExchangeName, examples
from cexspec.cli._output import print_json
from cexspec.cli._run import run

if TYPE_CHECKING:
    from cexspec.mock.faults import AnyFault


@examples
def command(
    exchange: ExchangeName,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 0,
    seed: Annotated[int, typer.Option(help="The same seed moves the markets the same way.")] = 0,
    interval: Annotated[float, typer.Option(help="Seconds between moves.", min=0.001)] = 0.1,
    symbol: Annotated[list[str] | None, typer.Option(help="List this symbol too (may be repeated).")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="Do this wrong, for example `drop:of=book,count=3` (may be repeated).")] = None,
    every: Annotated[float, typer.Option(help="Seconds until the next fault begins, and the one before ends.", min=0.001)] = 20.0,
    paper: Annotated[bool, typer.Option("--paper", help="Show the credentials with which orders can be placed on paper.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a local exchange that speaks a venue's REST and WebSocket, made from its spec and samples, until Ctrl-C.

    It answers what the spec describes, refuses everything else in the venue's words, and moves its markets. Orders are matched with
    them on paper, for whoever signs with its credentials. Faults are done wrong in
    turn, each until the next one; docs/reliability.md shows what clients make of them.

    \b
    cexspec mock EXCHANGE
    cexspec mock EXCHANGE --port 8080 --seed 7
    cexspec mock EXCHANGE --symbol ADA/USDT --json
    cexspec mock EXCHANGE --paper
    cexspec mock EXCHANGE --fault close:code=1006 --fault http:status=429,retry_after=2 --every 10
    """
    faults = [_fault(text) for text in fault or []]
    try:
        options = {"host": host, "port": port, "seed": seed, "interval": interval, "symbols": symbol or []}
        run(_served(exchange, options, faults, every, _Shown(paper, as_json)))
    except OSError as error:
        typer.echo(f"error: can't listen on {host}:{port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None


def _fault(text: str) -> AnyFault:
    from cexspec.mock.faults import parse

    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None


class _Shown(NamedTuple):
    """What is told of the venue: its credentials, and whether as JSON."""

    paper: bool
    as_json: bool


async def _served(exchange: str, options: dict[str, Any], faults: list[AnyFault], every: float, shown: _Shown) -> None:
    from cexspec.mock import MockVenue

    async with MockVenue(exchange, **options) as venue:
        listed = [str(one.symbol) for one in venue.listing]
        credentials = {"credentials": dict(venue.credentials)} if shown.paper else {}
        if shown.as_json:
            print_json(
                {"exchange": venue.exchange.id, "port": venue.port, "environment": venue.environment, "symbols": listed, **credentials}
            )
        else:
            _introduce(exchange, venue.environment, listed, credentials)
        for fault in cycle(faults):
            await asyncio.sleep(every)
            venue.heal()
            await venue.inject(fault)
            if not shown.as_json:
                typer.echo(f"fault: {fault}")
        await asyncio.Event().wait()


def _introduce(exchange: str, environment: dict[str, Any], symbols: list[str], credentials: dict[str, Any]) -> None:
    text = json.dumps(environment)
    typer.echo(f"{exchange} listens at {environment['rest']} (Ctrl-C ends it). It lists {', '.join(symbols)}.\n")
    typer.echo(f"  cexspec stream {shlex.quote(exchange)} trades {symbols[0]} --environment {shlex.quote(text)}")
    given = "".join(f", {name}={value!r}" for name, value in credentials.items())
    typer.echo(f"  Client({exchange!r}, environment={environment!r}{given})")
