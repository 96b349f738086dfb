"""Client order ids, made and checked to the venue's rules."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from itertools import count
from uuid import UUID

from cexspec.compile.plan import ClientIdPlan
from cexspec.models import InvalidOrder

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
LONGEST = 24
"""Characters of chance at most: 120 bits."""
LEAST = 8
"""Characters of chance at least."""


class ClientIds:
    """Makes ids that no order of anybody has, and checks those of the caller. `entropy(n)` gives n bytes of chance.

    Integers grow from a random start, so that none comes twice before all have come.
    """

    def __init__(self, plan: ClientIdPlan | None, exchange: str, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._plan, self._exchange, self._entropy = plan, exchange, entropy
        self._numbers = count(int.from_bytes(entropy(8)))

    def of(self, given: str | None) -> str | None:
        """The caller's own id, or a new one; None where the venue takes none. Raises `InvalidOrder`."""
        if self._plan is None:
            if given is not None:
                raise self._refused(given, f"{self._exchange} takes no client_order_id")
            return None
        if given is None:
            return self._new(self._plan)
        if not self._plan.allows(given):
            raise self._refused(given, f"client_order_id {given[:80]!r} is not what {self._exchange} takes: {self._plan.words}")
        return given

    def native(self, client_order_id: str | None) -> str | int | None:
        """An id as requests hold it: a number where the venue's are numbers."""
        if client_order_id is None or self._plan is None or self._plan.kind != "int":
            return client_order_id
        return int(client_order_id)

    def _new(self, plan: ClientIdPlan) -> str:
        if plan.kind == "int":
            return str(next(self._numbers) % plan.largest + 1)
        if plan.kind == "uuid":
            return str(UUID(bytes=self._entropy(16), version=4))
        room = plan.max_length - len(plan.prefix)
        if plan.kind == "hex":
            return plan.prefix + self._entropy((room + 1) // 2).hex()[:room]
        return plan.prefix + "".join([LETTERS[byte & 31] for byte in self._entropy(min(room, LONGEST))])

    def _refused(self, given: str, reason: str) -> InvalidOrder:
        error = InvalidOrder(reason, exchange=self._exchange)
        error.rule, error.value = "client_order_id", given
        return error
