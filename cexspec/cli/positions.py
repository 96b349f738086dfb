"""Show what you hold of derivatives."""

from __future__ import annotations

from typing import Annotated

import typer

from cexspec.cli._exchange import AsJson, Environment, ExchangeName, examples
from cexspec.cli._run import run
from cexspec.cli._trading import Keyring, Prefix, account, show
from cexspec.models import Position


@examples
def command(
    exchange: ExchangeName,
    symbol: Annotated[str | None, typer.Argument(help="Only the position in this symbol.", show_default=False)] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    as_json: AsJson = False,
) -> None:
    """Show what you hold of derivatives: a table on a terminal, JSON lines otherwise.

    \b
    cexspec positions EXCHANGE
    cexspec positions EXCHANGE BTC/USDT:USDT --environment demo --json
    """

    async def found() -> list[Position]:
        async with account(exchange, environment, credentials_env, keyring) as client:
            return await client.trade.get_positions(symbol=symbol)

    show(run(found()) or [], as_json)
