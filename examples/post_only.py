"""Buy as a maker or not at all."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        price = await market_price(client, SPOT) * Decimal("0.99")
        order = await client.trade.place_order(
            symbol=SPOT, side="buy", type="limit", quantity="0.01", price=price, post_only=True, round_to_instrument=True
        )
        print(f"{order.status}: it waits at {order.price}")


if __name__ == "__main__":
    asyncio.run(main())
