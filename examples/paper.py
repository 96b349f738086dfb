"""Trade on paper: the market is the venue's, orders are matched in this process and never sent. No credentials are needed.

Here the venue is a mock on this machine; of the real one the environment is just "paper".
"""

from __future__ import annotations

import asyncio

from cexspec import Client
from cexspec.mock import MockVenue
from examples.here import PERPETUAL


async def main() -> None:
    async with MockVenue("okx") as venue:
        environment = {**venue.environment, "paper": True}
        async with Client("okx", environment=environment, paper_balances={"USDT": "10000"}) as client:
            await client.trade.set_leverage(PERPETUAL, 5)
            order = await client.trade.place_order(symbol=PERPETUAL, side="buy", type="market", quantity="0.1")
            print(f"{order.status}: {order.filled} at {order.average_price}")
            (position,) = await client.trade.get_positions()
            (balance,) = await client.trade.get_balances()
            print(f"{position.side} {position.quantity}, and {balance.free} {balance.currency} are free")


if __name__ == "__main__":
    asyncio.run(main())
