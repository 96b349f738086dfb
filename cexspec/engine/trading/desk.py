"""What all of trading shares: the rules, the orders that are known, and the way to the venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cexspec.engine.trading.client_ids import ClientIds
from cexspec.engine.trading.guard import Guard
from cexspec.engine.trading.lookup import Lookup
from cexspec.engine.trading.outcome import Outcomes
from cexspec.engine.trading.permission import Permission
from cexspec.engine.trading.sending import Errands
from cexspec.engine.trading.terms import Terms, TermsBook
from cexspec.engine.trading.tracker import Tracker
from cexspec.engine.trading.verbs import Calls, Engine
from cexspec.engine.trading.worst import WorstPrices
from cexspec.models import InvalidRequest, Order


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of one client's trading."""

    exchange: str
    number: type[Decimal] | type[float]
    engine: Engine
    verbs: Calls
    writes: Calls
    """those that change the account: the same, or a dry run"""
    terms_book: TermsBook
    tracker: Tracker
    permission: Permission
    guard: Guard
    worst: WorstPrices
    client_ids: ClientIds
    lookup: Lookup
    outcomes: Outcomes
    errands: Errands

    @property
    def dry(self) -> bool:
        """Whether what changes the account is told instead of sent."""
        return self.writes is not self.verbs

    async def terms(self, symbol: str) -> Terms:
        """The terms of an instrument, among those loaded now. Raises `InvalidSymbol`."""
        await self.engine.ensure_instruments()
        return self.terms_book.of(symbol)

    async def look_up(self, params: dict[str, Any]) -> Order | None:
        """The order that these parameters name, as it is known now that the venue was asked; None: it has none such."""
        asked = self.tracker.mark
        found = await self.lookup.find(params)
        return None if found is None else self.tracker.update(found, asked)[0]

    async def named(self, order_id: str | None, client_order_id: str | None, symbol: str | None) -> dict[str, Any]:
        """The parameters that name one order; what is known of it here completes them. Raises `InvalidRequest`, `InvalidSymbol`."""
        if order_id is None and client_order_id is None:
            raise InvalidRequest("an order is named by 'order_id' or 'client_order_id'", exchange=self.exchange)
        known = self.tracker.find(order_id, client_order_id)
        if symbol is None and known is not None:
            symbol = known.symbol
        params: dict[str, Any] = {} if symbol is None else dict((await self.terms(symbol)).params)
        if known is not None:
            order_id = order_id or known.order_id
            params |= {"conditional": True} if known.conditional else {}
        names = {"order_id": order_id, "client_order_id": self.client_ids.native(client_order_id)}
        return params | {name: value for name, value in names.items() if value is not None}
