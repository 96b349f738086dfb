"""The operations that serve a unified verb, and the one that is called for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.compile.plan import OperationPlan, Params
from cexspec.models import Event
from cexspec.transport.limiter import Priority

MADE = frozenset({"now", "uuid"})
"""Holes that the engine fills."""


class Engine(Protocol):
    """What calls operations by name (the `RestEngine`)."""

    async def call(
        self, name: str, params: Params | None = None, *, timeout: float | None = None, priority: int = Priority.MARKET_DATA
    ) -> list[Event]:
        """The events of an operation's answers."""

    async def ensure_instruments(self) -> None:
        """Load the instruments, once."""


class Served(Protocol):
    """An operation that serves a verb. One without a `reader` tells nothing in its answer."""

    @property
    def name(self) -> str:
        """Its own."""

    @property
    def reader(self) -> object | None:
        """What reads its answers."""


class Calls(Protocol):
    """Who does what verbs ask: the venue (`Verbs`), or a venue on paper."""

    def serving(self, verb: str) -> Sequence[Served]:
        """The operations that serve a verb."""

    def operation(self, verb: str, params: Params) -> Served:
        """The operation to call. Raises `NotSupported`, `InvalidOrder`, `InvalidRequest`."""

    def finder(self, verb: str, params: Params) -> Served | None:
        """The operation to call where there is one that needs no more than these parameters."""

    def takes(self, verb: str, hole: str) -> bool:
        """Whether some operation that serves a verb sends what this hole holds."""

    async def call(self, verb: str, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """The events of the answer."""

    async def run(self, operation: Served, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """The events of one operation's answer."""


class Verbs:
    """Calls the first operation that serves a verb and these parameters, ahead of all market data."""

    def __init__(self, engine: Engine, plan: ExchangePlan) -> None:
        self._engine, self._plan = engine, plan
        self._serving: dict[str, tuple[OperationPlan, ...]] = {}

    def serving(self, verb: str) -> tuple[OperationPlan, ...]:
        """The operations that serve a verb, in the spec's order."""
        found = self._serving.get(verb)
        if found is None:
            found = self._serving[verb] = self._plan.serving(verb)
        return found

    def operation(self, verb: str, params: Params) -> OperationPlan:
        """The operation to call. Raises `NotSupported`, or `InvalidOrder` and `InvalidRequest` that name what no operation is for."""
        for operation in self.serving(verb):
            if operation.serves(params):
                return operation
        return self._plan.operation_for(verb, params)

    def finder(self, verb: str, params: Params) -> OperationPlan | None:
        """The operation to call where there is one that needs no more than these parameters."""
        for operation in self.serving(verb):
            if operation.serves(params) and all(params.get(hole) is not None for hole in operation.needs - MADE):
                return operation
        return None

    def takes(self, verb: str, hole: str) -> bool:
        """Whether some operation that serves a verb sends what this hole holds."""
        return any(hole in operation.takes for operation in self.serving(verb))

    async def call(self, verb: str, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """The events of the answer. Raises as `operation`, and what the engine raises."""
        return await self.run(self.operation(verb, params), params, timeout=timeout)

    async def run(self, operation: Served, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """The events of one operation's answer."""
        return await self._engine.call(operation.name, params, timeout=timeout, priority=Priority.ORDER)
