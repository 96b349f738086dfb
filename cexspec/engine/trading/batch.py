"""Several orders at once: in the venue's batches where it has them, else side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cexspec.compile.plan import OperationPlan
from cexspec.engine.sent import Mark
from cexspec.engine.trading.acks import Draft
from cexspec.engine.trading.outcome import unsettled
from cexspec.engine.trading.params import order_params
from cexspec.engine.trading.placing import Placing
from cexspec.models import CexspecError, DecodeError, Order

Outcome = Order | CexspecError


@dataclass(frozen=True, slots=True)
class Batches:
    """Places several orders that passed all checks."""

    placing: Placing

    async def place(self, drafts: Sequence[Draft], timeout: float | None) -> list[Outcome]:
        """What became of each, in their order: as it was placed, or why it wasn't."""
        works = [self._batch(operation, part, timeout) for operation, part in self._parts(drafts)]
        parts = await asyncio.gather(*works)
        found = {id(draft): outcome for part in parts for draft, outcome in part}
        return [found[id(draft)] for draft in drafts]

    def _parts(self, drafts: Sequence[Draft]) -> list[tuple[OperationPlan | None, list[Draft]]]:
        """The orders by the operation that takes them, as many as it takes, and by what all of a request must have in common.

        Those that none takes, and one that is left over, go out alone.
        """
        groups: dict[tuple[Any, ...], tuple[OperationPlan, list[Draft]]] = {}
        parts: list[tuple[OperationPlan | None, list[Draft]]] = []
        for draft in drafts:
            operation = self._operation(draft)
            if operation is None:
                parts.append((None, [draft]))
            else:
                params = self._params(draft)
                alike = (operation.name, *(params.get(name) for name in sorted(operation.common)))
                groups.setdefault(alike, (operation, []))[1].append(draft)
        for operation, group in groups.values():
            bounds = operation.params.get("orders")
            most = bounds.max if bounds is not None and bounds.max is not None else len(group)
            some = [group[at : at + most] for at in range(0, len(group), most)]
            parts += [(operation if len(part) > 1 else None, part) for part in some]
        return parts

    def _operation(self, draft: Draft) -> OperationPlan | None:
        params = self._params(draft)
        known = self.placing.desk.writes.serving("place_orders")
        return next((one for one in known if isinstance(one, OperationPlan) and one.batch and one.serves(params)), None)

    def _params(self, draft: Draft) -> dict[str, Any]:
        return order_params(draft, self.placing.desk.client_ids.native(draft.client_order_id))

    async def _batch(self, operation: OperationPlan | None, drafts: list[Draft], timeout: float | None) -> list[tuple[Draft, Outcome]]:
        if operation is None:
            return [(draft, await _outcome(self.placing.place(draft, timeout))) for draft in drafts]
        what = f"a batch of {len(drafts)} orders ({', '.join(str(draft.client_order_id) for draft in drafts)})"
        return await self.placing.desk.errands.run(what, partial(self._send, operation, drafts, timeout))

    async def _send(self, operation: OperationPlan, drafts: list[Draft], timeout: float | None, mark: Mark) -> list[tuple[Draft, Outcome]]:
        desk = self.placing.desk
        orders = [self._params(draft) for draft in drafts]
        common = {name: value for name, value in orders[0].items() if all(other.get(name) == value for other in orders)}
        failure: CexspecError = DecodeError("the answer doesn't tell of this order", exchange=desk.exchange, channel=operation.name)
        acks: list[Order | None] = [None] * len(drafts)
        try:
            rows = await desk.writes.run(operation, {**common, "orders": orders}, timeout=timeout)
            acks = _by_order([row for row in rows if isinstance(row, Order)], drafts)
        except CexspecError as error:
            if not (mark.sent and unsettled(error)):
                return [(draft, error) for draft in drafts]
            failure = error
        return list(zip(drafts, await asyncio.gather(*map(partial(self._settled, failure), acks, drafts)), strict=True))

    async def _settled(self, failure: CexspecError, ack: Order | None, draft: Draft) -> Outcome:
        if ack is not None or self.placing.desk.dry:
            return self.placing.taken(ack, draft)
        return await _outcome(self.placing.looked_up(draft, failure))


def _by_order(rows: list[Order], drafts: list[Draft]) -> list[Order | None]:
    """The rows that tell of each order: by its id; those without one by their place, where none is missing or out of its place."""
    if len(rows) == len(drafts) and all(
        row.client_order_id in (None, str(draft.client_order_id)) for row, draft in zip(rows, drafts, strict=True)
    ):
        return list(rows)
    by_id = {row.client_order_id: row for row in rows if row.client_order_id is not None}
    return [by_id.get(str(draft.client_order_id)) for draft in drafts]


async def _outcome(work: Any) -> Outcome:
    try:
        order: Order = await work
    except CexspecError as error:
        return error
    return order
