"""Sell at the market once the price has fallen so far."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from examples.here import SPOT, market_price, trading


async def main() -> None:
    async with trading() as client:
        await client.trade.place_order(symbol=SPOT, side="buy", type="market", quantity="0.01")
        stop = await market_price(client, SPOT) * Decimal("0.95")
        order = await client.trade.place_order(
            symbol=SPOT, side="sell", type="stop_market", quantity="0.005", stop_price=stop, round_to_instrument=True
        )
        print(f"{order.status}: it waits until the price is {order.stop_price}")


if __name__ == "__main__":
    asyncio.run(main())
