"""Buy all of it at once up to a price, or nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        price = await market_price(client, SPOT) * Decimal("0.99")
        order = await client.trade.place_order(
            symbol=SPOT, side="buy", type="limit", quantity="0.01", price=price, time_in_force="fok", round_to_instrument=True
        )
        order = await client.trade.get_order(order.order_id)
        print(f"{order.status}: nobody sells so low, {order.filled} are filled")


if __name__ == "__main__":
    asyncio.run(main())
