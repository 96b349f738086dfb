"""Sends one request of an operation: within its budgets, with retries where they are safe, errors of the venue raised."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.compile.http_request import HttpRequest, Pairs
from cexspec.compile.plan import OperationPlan, Params, PoolPlan
from cexspec.compile.recipe import Passage
from cexspec.engine.sent import mark_sent
from cexspec.engine.signing import Signer
from cexspec.models import (
    AuthenticationError,
    CexspecError,
    ExchangeError,
    NotSupported,
    RateLimitExceeded,
    TimestampError,
    TransportError,
)
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import Clock
from cexspec.transport.http import HttpAnswer, HttpCall, HttpTransport
from cexspec.transport.limiter import Draw, Limiter, Priority
from cexspec.transport.translate import retry_after

USER_AGENT = ("User-Agent", "cexspec")
BANNED = 418
MAX_DIGITS = 18
"""Digits of a usage header at most."""


@dataclass(frozen=True, slots=True)
class Retry:
    """When to try again: idempotent calls, on retryable errors, `attempts` times in all and within `total` seconds."""

    attempts: int = 4
    total: float = 30.0
    backoff: Backoff = field(default_factory=Backoff)
    pause: float = 1.0
    """Seconds a budget rests after a breach for which neither venue nor spec names a time."""


class Sender:
    """The way from a request to the body of its answer."""

    def __init__(
        self,
        plan: ExchangePlan,
        environment: EnvironmentPlan,
        transport: HttpTransport,
        clock: Clock,
        limiter: Limiter,
        *,
        retry: Retry,
        random: Random,
        timeout: float,
        signer: Signer | None = None,
    ) -> None:
        self._exchange, self._environment, self._pools, self._signer = plan.id, environment, plan.pools, signer
        self._transport, self._clock, self._limiter = transport, clock, limiter
        self._retry, self._random, self._timeout = retry, random, timeout
        bases = {signed: environment.base(signed=signed) for signed in (False, True)}
        self._bases = {signed: base.rstrip("/") if base is not None else None for signed, base in bases.items()}
        self._headers = (USER_AGENT, *environment.headers.items())
        self._apart: set[str] = set()
        self._outgoing: dict[str, Callable[[HttpRequest, float], HttpCall]] = {}
        """operation -> what signs its requests"""
        self.requests = self.retries = 0
        """requests sent, and those among them that tried again"""

    async def send(
        self,
        operation: OperationPlan,
        request: HttpRequest,
        params: Params,
        timeout: float | None = None,
        priority: int = Priority.MARKET_DATA,
    ) -> bytes:
        """The body of a good answer; `priority` says who goes first where calls wait for a budget.

        Raises the venue's `ExchangeError`, or the `TransportError` of the last attempt.
        """
        deadline = self._clock.monotonic() + self._retry.total
        attempt = 0
        while True:
            answer = await self._attempt(operation, request, params, timeout or self._timeout, priority)
            if isinstance(answer, bytes):
                return answer
            attempt += 1
            delay = self._delay(operation, answer, attempt)
            if delay is None or self._clock.monotonic() + delay > deadline:
                raise answer
            await self._clock.sleep(delay)
            self.retries += 1

    def call(self, operation: OperationPlan, request: HttpRequest, timeout: float | None = None) -> HttpCall:
        """A request as it would go out now, signed where it is private. Raises `NotSupported`, `AuthenticationError`."""
        outgoing, wait = self._outgoing.get(operation.name), timeout or self._timeout
        if outgoing is not None:
            return outgoing(request, wait)
        base, elsewhere = self._bases[operation.auth is not None], "://" in request.path
        if base is None and not elsewhere:
            name = self._environment.name
            raise NotSupported(f"{self._exchange} has no REST host in its environment {name!r}, which {operation.name} needs")
        if operation.auth is not None:
            signer = self._signer_of(operation)
            found = signer.outgoing(operation.auth, self._passage(operation, request, base), HttpCall) if base and not elsewhere else None
            if found is not None:
                call: HttpCall = found(request, wait)
                self._outgoing[operation.name] = found
                return call
            request = signer.sign(operation.auth, request, base or "").request
        target = request.target if elsewhere else f"{base}{request.target}"
        headers = (*self._headers, *request.headers) if operation.name in self._apart else self._laid(operation, request)
        return HttpCall(request.method, target, headers, request.payload, wait)

    def _signer_of(self, operation: OperationPlan) -> Signer:
        """Who signs a private operation. Raises `AuthenticationError`."""
        if self._signer is None:
            raise AuthenticationError("private, and the client has no credentials", exchange=self._exchange, endpoint=operation.name)
        return self._signer

    def _passage(self, operation: OperationPlan, request: HttpRequest, base: str) -> Passage:
        """What all requests of an operation have in common with this one."""
        path = operation.path if "{{" not in operation.path else None
        return Passage(request.method, base, path, request.headers, self._headers, operation.carries)

    def _laid(self, operation: OperationPlan, request: HttpRequest) -> Pairs:
        """A request's headers laid upon those of all requests; an operation where none has the name of another is remembered."""
        headers = tuple(dict([*self._headers, *request.headers]).items())
        if len(headers) == len(self._headers) + len(request.headers):
            self._apart.add(operation.name)
        return headers

    async def _attempt(
        self, operation: OperationPlan, request: HttpRequest, params: Params, timeout: float, priority: int
    ) -> bytes | CexspecError:
        """The body, or what went wrong with the venue or on the way to it; a refusal of the local limiter is raised.

        What is private is signed once its turn has come: a signature ages.
        """
        symbol = _symbol(params)
        weight = operation.weight(params)
        async with self._limiter.hold(operation.pools, weight, operation=operation.name, symbol=symbol, priority=priority):
            try:
                answer = await self._signed_and_sent(operation, request, timeout)
            except TransportError as failure:
                return failure
            self._note_usage(operation, answer, symbol)
        error = self._error(operation, answer)
        if isinstance(error, RateLimitExceeded):
            self._back_off(operation, answer, error, symbol)
        return answer.body if error is None else error

    async def _signed_and_sent(self, operation: OperationPlan, request: HttpRequest, timeout: float) -> HttpAnswer:
        signer, recipe = self._signer, operation.auth
        async with signer.turn(recipe) if signer is not None and recipe is not None else nullcontext():
            call = self.call(operation, request, timeout)
            self.requests += 1
            if operation.verb is not None:
                mark_sent()
            return await self._transport.send(call)

    def _error(self, operation: OperationPlan, answer: HttpAnswer) -> ExchangeError | None:
        error = operation.errors.check(answer.status, answer.body, operation.name)
        if error is not None and self._signer is not None:
            error = operation.errors.check(answer.status, self._signer.masked(answer.body), operation.name)
        if error is None and answer.status >= 300:
            return ExchangeError(
                "a redirect, which is not followed" if answer.status < 400 else "refused",
                exchange=self._exchange,
                endpoint=operation.name,
                http_status=answer.status,
            )
        return error

    def draws(self, operation: OperationPlan, params: Params) -> list[Draw]:
        """What a call draws on, as it is now."""
        return self._limiter.draws(operation.pools, operation.weight(params), operation=operation.name, symbol=_symbol(params))

    def shares(self, operation: OperationPlan, params: Params) -> dict[Hashable, float]:
        """Budget -> the seconds for which one such call uses all of it (see `Limiter.shares`)."""
        return self._limiter.shares(operation.pools, operation.weight(params), operation=operation.name, symbol=_symbol(params))

    def charge(self, operation: OperationPlan, params: Params, rows: int) -> None:
        """Spend what an answer of so many rows costs besides the weight of its request."""
        units = rows // operation.per_rows if operation.per_rows is not None else 0
        if units:
            self._limiter.charge(operation.pools, units, operation=operation.name, symbol=_symbol(params))

    def _note_usage(self, operation: OperationPlan, answer: HttpAnswer, symbol: str) -> None:
        for name in operation.pools:
            used = _used(self._pools[name], answer)
            if used is not None:
                self._limiter.usage(name, used, operation=operation.name, symbol=symbol)

    def _back_off(self, operation: OperationPlan, answer: HttpAnswer, error: RateLimitExceeded, symbol: str) -> None:
        """Close the operation's budgets for the time the venue names; when it bans the address, all that are counted by it."""
        named = retry_after(answer.headers)
        pauses = [pause for name in operation.pools if (pause := self._pools[name].pause) is not None]
        error.retry_after = named if named is not None else max(pauses, default=None)
        rest = error.retry_after if error.retry_after is not None else self._retry.pause
        for name in operation.pools:
            self._limiter.pause(name, rest, operation=operation.name, symbol=symbol)
        if answer.status == BANNED:
            self._limiter.ban(rest)

    def _delay(self, operation: OperationPlan, error: CexspecError, attempt: int) -> float | None:
        """Seconds until the next attempt; None: there is none."""
        if not operation.idempotent or not error.retryable or attempt >= self._retry.attempts:
            return None
        if isinstance(error, TimestampError):
            return None  # who asked corrects the clock first
        if isinstance(error, RateLimitExceeded):
            return error.retry_after if error.retry_after is not None else self._retry.pause
        return self._retry.backoff.delay(attempt - 1, self._random)


def _symbol(params: Params) -> str:
    """What budgets by symbol are told apart by."""
    return str(params.get("id") or "")


def _used(pool: PoolPlan, answer: HttpAnswer) -> int | None:
    """The units used of the spec's first window, by the header that tells it or what is left; None where none does."""
    header = pool.usage_header or pool.usage_remaining
    text = answer.headers.get(header.lower(), "") if header else ""
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        return None
    return int(text) if pool.usage_header else pool.windows[0].rate - int(text)
