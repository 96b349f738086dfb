"""Buy at a price, or wait for it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        price = await market_price(client, SPOT) * Decimal("0.99")
        order = await client.trade.place_order(
            symbol=SPOT, side="buy", type="limit", quantity="0.01", price=price, round_to_instrument=True
        )
        print(f"{order.status}: {order.quantity} at {order.price}, of which {order.filled} are filled")


if __name__ == "__main__":
    asyncio.run(main())
