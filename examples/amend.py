"""Change price and quantity of an open order."""

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
        order = await client.trade.amend_order(order.order_id, price=price * Decimal("0.99"), quantity="0.01", round_to_instrument=True)
        print(f"{order.status}: {order.quantity} at {order.price}")


if __name__ == "__main__":
    asyncio.run(main())
