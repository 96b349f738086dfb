"""The most that one order may be worth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from cexspec.engine.trading.exact import plain
from cexspec.engine.trading.terms import Terms
from cexspec.models import Event, InvalidOrder, Number, Side, Ticker

MaxNotional = Decimal | int | str | float | Mapping[str, Decimal | int | str | float]
"""A bound in quote currency, whichever it is, or one for each quote currency that may be traded."""
FetchTickers = Callable[[Terms], Awaitable[list[Event]]]


class Guard:
    """Holds each order to `max_notional`, at the price it may be filled at.

    A buy is worth its limit at most; a sell, or an order without a price, may be filled at the market's, which is fetched.
    """

    def __init__(self, max_notional: MaxNotional | None, tickers: FetchTickers) -> None:
        self._tickers = tickers
        self._each: dict[str, Decimal] | None = None
        self._any: Decimal | None = None
        if isinstance(max_notional, Mapping):
            self._each = {currency: _bound(bound) for currency, bound in max_notional.items()}
        elif max_notional is not None:
            self._any = _bound(max_notional)

    @property
    def off(self) -> bool:
        """Whether there is no bound."""
        return self._any is None and self._each is None

    async def check(self, side: Side, size: Decimal | None, price: Decimal | None, quote_quantity: Decimal | None, terms: Terms) -> None:
        """Raises `InvalidOrder` for what is worth more, or whose worth can't be told."""
        if self.off:
            return
        bound = self._bound(terms)
        notional = await self._notional(side, size, price, quote_quantity, terms)
        if notional > bound:
            text = f"worth up to {plain(notional)} {terms.quote}, and this client's max_notional is {plain(bound)}: nothing was sent"
            raise terms.refusal("max_notional", notional, f"the order of {terms.symbol} is {text}", (bound,))

    def _bound(self, terms: Terms) -> Decimal:
        if self._each is None:
            assert self._any is not None
            return self._any
        if terms.quote not in self._each:
            known = ", ".join(self._each)
            text = f"this client's max_notional has bounds for {known}, not for {terms.quote}: nothing was sent"
            raise terms.refusal("max_notional", terms.quote, text)
        return self._each[terms.quote]

    async def _notional(
        self, side: Side, size: Decimal | None, price: Decimal | None, quote_quantity: Decimal | None, terms: Terms
    ) -> Decimal:
        if size is None:
            assert quote_quantity is not None
            return quote_quantity
        if price is None or (side == "sell" and not terms.inverse):
            market = await self._market(terms)
            price = market if price is None else max(price, market)
        notional = terms.notional(size, price)
        assert notional is not None
        return notional

    async def _market(self, terms: Terms) -> Decimal:
        """The highest price that the ticker tells."""
        rows = [row for row in await self._tickers(terms) if isinstance(row, Ticker) and row.symbol in (None, terms.symbol)]
        told: list[Number] = [price for row in rows[:1] for price in (row.ask, row.last, row.bid) if price is not None]
        if not told:
            raise self._untold(terms)
        return max(Decimal(str(price)) for price in told)

    def _untold(self, terms: Terms) -> InvalidOrder:
        return terms.refusal("max_notional", terms.symbol, f"what the order of {terms.symbol} is worth can't be told: nothing was sent")


def _bound(value: Decimal | int | str | float) -> Decimal:
    bound = Decimal(str(value))
    if not bound.is_finite() or bound <= 0:
        raise ValueError(f"max_notional is an amount above 0, not {value}")
    return bound
