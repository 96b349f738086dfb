"""Show what your account holds of each currency."""

from __future__ import annotations

from typing import Annotated

import typer

from cexspec.cli._exchange import AsJson, Environment, ExchangeName, examples
from cexspec.cli._run import run
from cexspec.cli._trading import Keyring, Prefix, account, show
from cexspec.models import Balance


@examples
def command(
    exchange: ExchangeName,
    currency: Annotated[list[str] | None, typer.Argument(help="Only these currencies.", show_default=False)] = None,
    environment: Environment = None,
    credentials_env: Prefix = None,
    keyring: Keyring = False,
    as_json: AsJson = False,
) -> None:
    """Show what your account holds of each currency: a table on a terminal, JSON lines otherwise.

    \b
    cexspec balances EXCHANGE
    cexspec balances EXCHANGE BTC USDT --environment demo --json
    """
    wanted = {name.upper() for name in currency or ()}

    async def found() -> list[Balance]:
        async with account(exchange, environment, credentials_env, keyring) as client:
            return await client.trade.get_balances()

    show([balance for balance in run(found()) or () if not wanted or balance.currency in wanted], as_json)
