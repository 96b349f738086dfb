"""Cancel an order, and see what was filled of it before."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        price = await market_price(client, SPOT) * Decimal("0.98")
        order = await client.trade.place_order(
            symbol=SPOT, side="buy", type="limit", quantity="0.02", price=price, round_to_instrument=True
        )
        await client.trade.cancel_order(order.order_id)
        order = await client.trade.get_order(order.order_id)
        print(f"{order.status}: {order.filled} were filled before")


if __name__ == "__main__":
    asyncio.run(main())
