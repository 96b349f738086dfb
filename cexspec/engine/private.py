"""What private connections need of their client: who signs, who calls REST before connecting, and what stays hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cexspec.compile.plan import Json, Params
from cexspec.compile.private import fill_url
from cexspec.compile.recipe import RecipePlan
from cexspec.compile.socket_plan import ConnectionPlan, VerbPlan
from cexspec.models import AuthenticationError, CexspecError, Credentials, ExchangeError, NotSupported, TimestampError
from cexspec.models.credentials import MASK
from cexspec.models.log_events import LogEvent

log = logging.getLogger("cexspec.stream")
NOBODY = Credentials()


class Rest(Protocol):
    """What is asked of REST (`RestEngine`)."""

    async def body(self, name: str, params: Params) -> bytes:
        """The body of an operation's answer, in front of everything that waits."""

    async def measure_clock(self, *, again: bool = False) -> None:
        """See to it that what is signed has the venue's time."""


class Signs(Protocol):
    """Who signs messages (`Signer`)."""

    @property
    def credentials(self) -> Credentials:
        """In whose name."""

    def values(self, recipe: str, given: Params) -> Mapping[str, Any]:
        """The values of the holes of a message that a recipe signs. Raises `AuthenticationError`."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a client may do in its own name; without credentials, nothing.

    `rest` makes the calls before connecting; `recipe` gives compiled recipes.
    """

    signer: Signs | None = None
    rest: Rest | None = None
    recipe: Callable[[str], RecipePlan] | None = None

    @property
    def credentials(self) -> Credentials:
        """In whose name."""
        return self.signer.credentials if self.signer is not None else NOBODY

    def check(self, exchange: str, plan: ConnectionPlan) -> None:
        """Raise `AuthenticationError` where a connection needs credentials that aren't there."""
        held = [one.credentials for one in (plan.greet, plan.subscribe, plan.unsubscribe) if one is not None]
        needed = {name for recipe in plan.recipes if self.recipe is not None for name in self.recipe(recipe).needs}.union(*held)
        missing = needed - self.credentials.keys()
        if missing or (plan.recipes and self.signer is None):
            raise lacking(exchange, f"the connection '{plan.name}'", missing)


def lacking(exchange: str, what: str, missing: set[str] | frozenset[str]) -> AuthenticationError:
    """The error of what can't be had without these credentials."""
    names = f": {', '.join(sorted(missing))} missing" if missing else ", and there are none"
    return AuthenticationError(f"{what} needs credentials{names}", exchange=exchange)


class Identity:
    """Who one connection is to the venue: what it says to log in, signed anew each time, and what it got from REST before."""

    def __init__(self, exchange: str, plan: ConnectionPlan, access: Access | None = None) -> None:
        self._exchange, self._plan, self._access = exchange, plan, access or Access()
        self._taken: Mapping[str, str] = {}
        self._mistimed = False

    @property
    def keeps_every(self) -> float | None:
        """Seconds between two calls of `keep`; None: there is nothing to be kept."""
        return self._plan.bootstrap.every if self._plan.bootstrap is not None else None

    async def prepare(self) -> None:
        """Call what comes before connecting. Raises what the call raises, and `AuthenticationError` without credentials."""
        self._access.check(self._exchange, self._plan)
        if self._plan.recipes and self._access.rest is not None:
            again, self._mistimed = self._mistimed, False
            await self._access.rest.measure_clock(again=again)
        bootstrap = self._plan.bootstrap
        if bootstrap is not None:
            self._taken = {}
            self._taken = bootstrap.take(await self._call(bootstrap.operation))

    async def keep(self) -> None:
        """Keep alive what was taken. Raises what the call raises."""
        bootstrap = self._plan.bootstrap
        if bootstrap is not None and bootstrap.keep is not None:
            await self._call(bootstrap.keep)

    def url(self, url: str) -> str:
        """Where to connect to."""
        return fill_url(url, self._taken) if "{{" in url else url

    def greeting(self) -> bytes | None:
        """What is sent first."""
        greet = self._plan.greet
        if greet is None or greet.send is None:
            return None
        return greet.send({**self._taken, **self._signed(greet.recipe, self._taken)})

    def denied(self, frame: bytes | str) -> CexspecError:
        """Why the greeting was refused; where it came at the wrong time, the clock is looked at before the next one."""
        assert self._plan.greet is not None
        error = self._plan.greet.error(frame if isinstance(frame, bytes) else frame.encode())
        self._mistimed = isinstance(error, TimestampError)
        return self.hide(error)

    def values(self, verb: VerbPlan, topics: Sequence[Json], request_id: str) -> Params:
        """What a message about these topics holds besides them."""
        if verb.recipe is None:
            return self._taken
        own = topics[0] if len(topics) == 1 else None
        given = {**self._taken, "topics": list(topics), "topic": own, "request_id": request_id}
        return {**self._taken, **self._signed(verb.recipe, {**given, **(own if isinstance(own, dict) else {})})}

    def masked(self, text: str) -> str:
        """The text without secrets."""
        for value in self._taken.values():
            text = text.replace(value, MASK)
        return self._access.credentials.masked(text)

    def hide(self, error: CexspecError) -> CexspecError:
        """The error, in whose texts no secret stands any more."""
        error.args = tuple(self.masked(text) if isinstance(text, str) else text for text in error.args)
        if isinstance(error, ExchangeError):
            error.message, error.raw = self.masked(error.message), self.masked(error.raw)
        return error

    def _signed(self, recipe: str | None, given: Params) -> Params:
        if recipe is None:
            return {}
        if self._access.signer is None:
            raise lacking(self._exchange, f"the connection '{self._plan.name}'", frozenset())
        return self._access.signer.values(recipe, given)

    async def _call(self, operation: str) -> bytes:
        if self._access.rest is None:
            raise NotSupported(f"{self._exchange}: the connection '{self._plan.name}' begins with {operation} over REST, and there is none")
        return await self._access.rest.body(operation, self._taken)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A private connection serves all its streams, for the first time or again: what happened meanwhile is to be looked up.

    `proven`: until when the socket before is known to have brought everything; None: there was none. Both in wall-clock nanoseconds.
    """

    connection: str
    streams: frozenset[str]
    proven: int | None
    at: int


class Recoveries:
    """Who wants to know when private connections are ready."""

    def __init__(self) -> None:
        self._observers: list[Callable[[Recovered], object]] = []

    def observe(self, observer: Callable[[Recovered], object]) -> Callable[[], None]:
        """Call this at every recovery; what is returned stops it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def announce(self, recovered: Recovered) -> None:
        """Tell everybody; what they raise is logged."""
        for observer in tuple(self._observers):
            try:
                observer(recovered)
            except Exception:
                log.exception("an observer of private connections failed", extra={"event": LogEvent.CALLBACK_ERROR})
