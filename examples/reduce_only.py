"""Close a position, and never open one by mistake."""

from __future__ import annotations

import asyncio

from examples.here import PERPETUAL, trading


async def main() -> None:
    async with trading() as client:
        await client.trade.place_order(symbol=PERPETUAL, side="buy", type="market", quantity="0.1", margin_mode="cross")
        (position,) = await client.trade.get_positions(PERPETUAL)
        print(f"{position.side} {position.quantity}")
        await client.trade.place_order(symbol=PERPETUAL, side="sell", type="market", quantity="0.1", margin_mode="cross", reduce_only=True)
        print(f"{len(await client.trade.get_positions(PERPETUAL))} positions are left")


if __name__ == "__main__":
    asyncio.run(main())
