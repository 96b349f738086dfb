"""What the examples share: a client that trades at a mock venue on this machine, with its simulated markets.

For the venue itself make the client so, and nothing else changes:

    Client("okx", environment="demo", credentials=credentials_from_env("OKX", ["api_key", "api_secret", "passphrase"]))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from cexspec import Client
from cexspec.mock import MockVenue

SPOT, PERPETUAL = "BTC/USDT", "BTC/USDT:PERP"


@asynccontextmanager
async def trading() -> AsyncIterator[Client]:
    """The client. No `allow_trading` is needed: what is on this machine is not live."""
    async with MockVenue("okx") as venue, Client("okx", environment=venue.environment, credentials=venue.credentials) as client:
        yield client


async def market_price(client: Client, symbol: str) -> Decimal:
    """The last price."""
    return Decimal(str((await client.rest.get_ticker(symbol)).last))
