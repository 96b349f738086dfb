"""The worst price of orders without a limit, at venues where every order has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from cexspec.engine.trading.exact import EXACT
from cexspec.engine.trading.rules import on_tick
from cexspec.engine.trading.terms import Terms
from cexspec.models import Book, Event, Side

FetchBook = Callable[[Terms], Awaitable[list[Event]]]


@dataclass(frozen=True, slots=True)
class WorstPrices:
    """How much worse than the market an order may be filled that has no limit: a share of the price (None: the venue says)."""

    slippage: Decimal | None
    book: FetchBook

    async def of(self, side: Side, stop_price: Decimal | None, terms: Terms) -> Decimal | None:
        """The worst price of a stop order, from where it is triggered; of others, from the best price now, which is fetched.

        On the tick, and rather nearer than further. Raises `InvalidOrder` where nobody takes the other side.
        """
        if self.slippage is None:
            return None
        market = stop_price if stop_price is not None else await self._best(side, terms)
        share = 1 + self.slippage if side == "buy" else 1 - self.slippage
        return on_tick("price", EXACT.multiply(market, share), side, terms, rounded=True)

    async def _best(self, side: Side, terms: Terms) -> Decimal:
        rows = [row for row in await self.book(terms) if isinstance(row, Book)]
        levels = (rows[0].asks if side == "buy" else rows[0].bids) if rows else ()
        if not levels:
            other = "sells" if side == "buy" else "buys"
            raise terms.refusal("worst_price", terms.symbol, f"nobody {other} {terms.symbol} now: nothing was sent")
        return Decimal(str(levels[0][0]))
