"""Signs what is private: credentials, nonces, and the venue's clock as far as it has been measured."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Protocol

from cexspec.compile.http_request import HttpRequest
from cexspec.compile.plan import Params
from cexspec.compile.recipe import Make, Moment, Outgoing, Passage, RecipePlan, Signed
from cexspec.models import AuthenticationError, Credentials
from cexspec.transport.clock import Clock

MILLISECOND = 1_000_000


class Recipes(Protocol):
    """What signing needs of a plan."""

    @property
    def id(self) -> str:
        """The exchange's id."""

    @property
    def recv_window(self) -> int:
        """How old a request may be when it arrives, if the user doesn't say, in milliseconds."""

    def recipe(self, name: str) -> RecipePlan:
        """A compiled recipe; raises `NotSupported` for an unknown one."""

    def completed(self, credentials: Credentials) -> Credentials:
        """The credentials with those that follow from them; raises `AuthenticationError` for unusable ones."""


class Nonces:
    """Numbers that grow: milliseconds of the wall clock, or one more than the last where that is no later."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: int) -> int:
        """The next one, at a time in nanoseconds."""
        milliseconds, after = now // MILLISECOND, self._last + 1
        self._last = milliseconds if milliseconds > after else after
        return self._last


class Signer:
    """Signs requests and messages of one exchange with one account's credentials.

    `recv_window` (seconds) takes the place of the spec's. `offset` is how far the venue's clock is ahead of the local one, in
    nanoseconds; None: not measured yet. One nonce source serves REST and WebSocket: venues count them together per key.
    """

    def __init__(
        self, plan: Recipes, credentials: Credentials, clock: Clock, recv_window: float | None = None, environment: str = "live"
    ) -> None:
        self._plan, self._environment = plan, environment
        self.credentials = plan.completed(credentials)
        self._recv_window = plan.recv_window if recv_window is None else round(recv_window * 1000)
        self.time_ns, self.next_nonce = clock.time_ns, Nonces().next
        self._recipes: dict[str, RecipePlan] = {}
        self._turn = asyncio.Lock()
        self.offset: int | None = None

    def turn(self, recipe: str) -> AbstractAsyncContextManager[object]:
        """Held from the signing of a request to its answer: of those with nonces, one that is overtaken would be refused."""
        return self._turn if self._recipe(recipe).counted else nullcontext()

    def measured(self, server_time: int, asked: int, answered: int) -> None:
        """Take note of the venue's time, told between two local times (all in nanoseconds)."""
        self.offset = server_time - (asked + answered) // 2

    def moment(self) -> Moment:
        """Now, on the venue's clock, with a fresh nonce."""
        now = self.time_ns()
        return Moment(now + (self.offset or 0), self.next_nonce(now), self._recv_window, self._environment)

    def sign(self, recipe: str, request: HttpRequest, base_url: str) -> Signed:
        """A request as it goes out. Raises `AuthenticationError` where a credential is missing or unusable."""
        return self._recipe(recipe).sign(request, base_url, self.credentials, self.moment())

    def outgoing(self, recipe: str, passage: Passage, make: Make) -> Outgoing | None:
        """(request, seconds to wait) -> what `make` makes of it once it is signed, as `sign` does, for the requests of one operation.

        None where the recipe has no faster way than `sign`. Raises as that does.
        """
        plan = self._recipe(recipe)
        if plan.outgoing is None:
            return None
        return plan.outgoing(passage, self.credentials, self._recv_window, make, self)

    def values(self, recipe: str, given: Params) -> Mapping[str, Any]:
        """The values of the holes of a message signed by a recipe. Raises as `sign`."""
        return self._recipe(recipe).values(self.credentials, self.moment(), given)

    def masked(self, answer: bytes) -> bytes:
        """An answer without the credentials in it: venues repeat in a refusal what they were sent."""
        return self.credentials.masked(answer.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    def _recipe(self, name: str) -> RecipePlan:
        recipe = self._recipes.get(name)
        if recipe is None:
            recipe = self._plan.recipe(name)
            missing = sorted(recipe.needs - self.credentials.keys())
            if missing:
                raise AuthenticationError(f"private calls need credentials: {', '.join(missing)} missing", exchange=self._plan.id)
            self._recipes[name] = recipe
        return recipe

    def __repr__(self) -> str:
        return f"Signer({self._plan.id!r}, {self.credentials!r})"
