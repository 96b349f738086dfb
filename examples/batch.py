"""Place several orders at once: in one request where the venue has that."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from cexspec import CexspecError, OrderRequest
from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        last = await market_price(client, SPOT)
        ladder = [
            OrderRequest(symbol=SPOT, side="buy", type="limit", quantity=Decimal("0.01"), price=last * Decimal(share))
            for share in ("0.99", "0.98", "0.97")
        ]
        for outcome in await client.trade.place_orders(ladder, round_to_instrument=True):
            print(f"not placed: {outcome}" if isinstance(outcome, CexspecError) else f"{outcome.status} at {outcome.price}")


if __name__ == "__main__":
    asyncio.run(main())
