"""A mock venue whose markets move when they are told to, and a client that trades there on paper, without credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from cexspec import Client
from cexspec.engine.trading.paper.verbs import STARTING
from cexspec.mock import MockVenue

Seen = Callable[[], Awaitable[bool]]


@dataclass
class Paper:
    """Both, and what moves the market."""

    venue: MockVenue
    client: Client

    async def symbol(self, kind: str) -> str | None:
        """An instrument of a kind that the account has money for, and whose contracts have a size; None: there is none."""
        await self.client.load_instruments()
        for one in await self.client.rest.get_instruments():
            sized = kind == "spot" or one.contract_size is not None
            money = (one.quote if kind == "spot" else one.settle) in STARTING.keys() - {"BTC", "ETH"}
            if one.kind == kind and sized and money and one.active is not False:
                return one.symbol
        return None

    def price(self, symbol: str) -> Decimal:
        return self.venue.market(symbol).price

    async def quantity(self, symbol: str, worth: int = 200) -> Decimal:
        """About so much money of it, as the instrument has it."""
        terms, price = await self.client.trade._desk.terms(symbol), self.price(symbol)
        size = terms.size(worth / price, price)
        step = terms.step or Decimal("0.0001")
        quantity = terms.quantity(max((size // step) * step, step, terms.least or step), price)
        assert quantity is not None
        return quantity

    async def move(self, symbol: str, share: str, seen: Seen) -> None:
        """Move the market by a share of its price, and wait until that is seen."""
        market = self.venue.market(symbol)
        market.price = market._allowed(market.price * Decimal(share))
        await self.venue.step()
        async with asyncio.timeout(10):
            while not await seen():
                await asyncio.sleep(0)

    async def until(self, order_id: str | None, status: str, symbol: str, share: str) -> None:
        """Move the market by a share of its price, and wait until an order has come to a state."""

        async def seen() -> bool:
            return (await self.client.trade.get_order(order_id)).status == status

        await self.move(symbol, share, seen)
