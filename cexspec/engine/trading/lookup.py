"""Finds an order at the venue, by any operation that can tell of it."""

from __future__ import annotations

from typing import Any

from cexspec.engine.trading.verbs import Calls
from cexspec.models import Event, NotSupported, Order, OrderNotFound

NAMES = ("order_id", "client_order_id")
LISTS = ("open_orders", "order_history")


class Lookup:
    """Asks for one order: by its own operation, else (or, to be thorough, besides) in the lists of open and past orders."""

    def __init__(self, verbs: Calls) -> None:
        self._verbs = verbs

    async def find(self, params: dict[str, Any], *, thorough: bool = True) -> Order | None:
        """The order that `params` name by `order_id` or `client_order_id`; None: the venue has none such.

        Raises `NotSupported` where nothing could tell, and what the venue raises but `OrderNotFound`.
        """
        operation = self._verbs.finder("order", params)
        if operation is None:
            return await self._listed(params, needed=True)
        try:
            rows = await self._verbs.run(operation, params)
        except OrderNotFound:
            rows = []
        found = next((row for row in rows if isinstance(row, Order)), None)
        return found if found is not None or not thorough else await self._listed(params, needed=False)

    async def _listed(self, params: dict[str, Any], *, needed: bool) -> Order | None:
        """The order among those open, and those past; both must have been looked through where that is `needed`."""
        asked = {name: value for name, value in params.items() if name not in NAMES}
        for verb in LISTS:
            operation = self._verbs.finder(verb, asked)
            if operation is None:
                if needed:
                    raise NotSupported(f"an order can't be looked up so: no operation serves {verb} with what is known of it")
                continue
            found = next((row for row in await self._verbs.run(operation, asked) if named(row, params)), None)
            if isinstance(found, Order):
                return found
        return None


def named(row: Event, params: dict[str, Any]) -> bool:
    """Whether an event is the order that `params` name."""
    return isinstance(row, Order) and any(params.get(name) is not None and str(params[name]) == getattr(row, name) for name in NAMES)
