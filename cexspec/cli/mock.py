"""Run a local exchange that speaks a venue's REST and WebSocket."""

from __future__ import annotations

import asyncio
import json
import shlex
from typing import Annotated, Any

import typer

from cexspec.cli._exchange import AsJson, ExchangeName, examples
from cexspec.cli._output import print_json
from cexspec.cli._run import run


@examples
def command(
    exchange: ExchangeName,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 0,
    seed: Annotated[int, typer.Option(help="The same seed moves the markets the same way.")] = 0,
    interval: Annotated[float, typer.Option(help="Seconds between moves.", min=0.001)] = 0.1,
    symbol: Annotated[list[str] | None, typer.Option(help="List this symbol too (may be repeated).")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a local exchange that speaks a venue's REST and WebSocket, made from its spec and samples, until Ctrl-C.

    It answers what the spec describes, refuses everything else in the venue's words, and moves its markets.

    \b
    cexspec mock EXCHANGE
    cexspec mock EXCHANGE --port 8080 --seed 7
    cexspec mock EXCHANGE --symbol ADA/USDT --json
    """
    try:
        run(_served(exchange, host, port, seed, interval, symbol or [], as_json))
    except OSError as error:
        typer.echo(f"error: can't listen on {host}:{port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None


async def _served(exchange: str, host: str, port: int, seed: int, interval: float, symbols: list[str], as_json: bool) -> None:
    from cexspec.mock import MockVenue

    async with MockVenue(exchange, host=host, port=port, seed=seed, interval=interval, symbols=symbols) as venue:
        if as_json:
            listed = [str(one.symbol) for one in venue.listing]
            print_json({"exchange": venue.exchange.id, "port": venue.port, "environment": venue.environment, "symbols": listed})
        else:
            _introduce(exchange, venue.environment, [str(one.symbol) for one in venue.listing])
        await asyncio.Event().wait()


def _introduce(exchange: str, environment: dict[str, Any], symbols: list[str]) -> None:
    text = json.dumps(environment)
    typer.echo(f"{exchange} listens at {environment['rest']} (Ctrl-C ends it). It lists {', '.join(symbols)}.\n")
    typer.echo(f"  cexspec stream {shlex.quote(exchange)} trades {symbols[0]} --environment {shlex.quote(text)}")
    typer.echo(f"  Client({exchange!r}, environment={environment!r})")
