"""Show the executions of your own orders."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cexspec.cli._exchange import AsJson, Environment, ExchangeName, examples, time_of
from cexspec.cli._run import run
from cexspec.cli._trading import Keyring, Prefix, account, show
from cexspec.models import Fill


@examples
def command(
    exchange: ExchangeName,
    symbol: Annotated[str | None, typer.Argument(help="Only those in this symbol.", show_default=False)] = None,
    start: Annotated[str | None, typer.Option(help="From this time on: ISO text, or nanoseconds.", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="Up to this time, excluded.", show_default=False)] = None,
    limit: Annotated[int | None, typer.Option(help="So many of them.", show_default=False)] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    as_json: AsJson = False,
) -> None:
    """Show the executions of your own orders: a table on a terminal, JSON lines otherwise.

    \b
    cexspec fills EXCHANGE BTC/USDT --limit 20
    cexspec fills EXCHANGE BTC/USDT --start 2026-08-01 --json
    """
    given = {"symbol": symbol, "start": time_of(start), "end": time_of(end), "limit": limit}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    async def found() -> list[Fill]:
        async with account(exchange, environment, credentials_env, keyring) as client:
            return await client.trade.get_fills(**asked)

    show(run(found()) or [], as_json)
