"""What became of a request whose answer is missing: the order is looked up, and nothing is ever sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cexspec.engine.trading.lookup import Lookup
from cexspec.models import CexspecError, DecodeError, Order, TransportError
from cexspec.transport.clock import Clock

PAUSES = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each look, as far as there is time."""
AGAIN = 2.0
"""Seconds between the last looks, where they bring no answer."""

Ruling = Literal["done", "not yet", "never", "can't tell"]
"""What the order as it is says of a request: `not yet` becomes `never` once the request can no longer take effect."""


def unsettled(error: CexspecError) -> bool:
    """Whether what was sent may have taken effect in spite of this error."""
    if isinstance(error, TransportError):
        return not error.unsent
    return error.outcome_unknown or isinstance(error, DecodeError)


@dataclass(frozen=True, slots=True)
class Question:
    """An order that is looked for by `params`, and what it (None: there is none) says of the request."""

    params: dict[str, Any]
    rule: Callable[[Order | None], Ruling]


class Outcomes:
    """Finds out what became of requests. `horizon`: seconds after which one that shows no effect never will have any."""

    def __init__(self, lookup: Lookup, clock: Clock, horizon: float) -> None:
        self._lookup, self._clock, self._horizon = lookup, clock, horizon

    async def settle(self, question: Question, failure: CexspecError) -> Order | None:
        """The order, once it shows that the request took effect; None where nothing tells.

        Raises the `failure`, no longer `outcome_unknown`, where the request surely had no effect.
        """
        for pause, late in self._looks():
            await self._clock.sleep(pause)
            try:
                found = await self._lookup.find(question.params, thorough=late)
            except CexspecError:
                continue
            ruling = question.rule(found)
            if ruling == "done":
                return found
            if ruling == "never" or (ruling == "not yet" and late):
                raise _without_effect(failure)
        return None

    def _looks(self) -> Iterator[tuple[float, bool]]:
        """Seconds before each look, and whether the request can no longer take effect then."""
        left = self._horizon
        for pause in PAUSES:
            if pause >= left:
                break
            left -= pause
            yield pause, False
        yield left, True
        yield AGAIN, True
        yield AGAIN, True


def _without_effect(failure: CexspecError) -> CexspecError:
    failure.outcome_unknown = False
    failure.add_note("The order was looked up at the venue: the request had no effect.")
    return failure
