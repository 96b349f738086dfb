"""Buy at the market."""

from __future__ import annotations

import asyncio

from examples.here import SPOT, trading


async def main() -> None:
    async with trading() as client:
        order = await client.trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")
        order = await client.trade.get_order(order.order_id)
        print(f"{order.status}: {order.filled} at {order.average_price}")


if __name__ == "__main__":
    asyncio.run(main())
