"""Sell once the price has fallen so far, but not below a limit."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        await client.trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")
        last = await market_price(client, SPOT)
        order = await client.trade.place_order(
            symbol=SPOT,
            side="sell",
            type="stop_limit",
            quantity="0.005",
            stop_price=last * Decimal("0.95"),
            price=last * Decimal("0.94"),
            round_to_instrument=True,
        )
        print(f"{order.status}: once the price is {order.stop_price} it sells, not below {order.price}")


if __name__ == "__main__":
    asyncio.run(main())
