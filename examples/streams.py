"""Follow orders and fills. After a reconnect they are looked up: nothing is missed, and nothing told twice."""

from __future__ import annotations

import asyncio

from cexspec import Gap, Order
from examples.here import SPOT, trading


async def main() -> None:
    async with trading() as client:
        orders, fills = client.trade.stream_orders(), client.trade.stream_fills()
        async with orders, fills:
            await client.trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")
            async for order in orders:
                if isinstance(order, Order):
                    print(f"order {order.order_id}: {order.status}")
                    if order.status == "filled":
                        break
            fill = await anext(fills)
            print(fill if isinstance(fill, Gap) else f"{fill.quantity} at {fill.price}, fee {fill.fee} {fill.fee_currency}")


if __name__ == "__main__":
    asyncio.run(main())
