"""A dry run: everything is done as for real, but the request is told instead of sent."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.engine.trading.verbs import Engine, Served, Verbs
from cexspec.models import CexspecError, Credentials, Event
from cexspec.models.log_events import LogEvent
from cexspec.transport.http import HttpAnswer, HttpCall
from cexspec.transport.secrets import masked_headers, masked_text, masked_url

log = logging.getLogger("cexspec.trade")
KEPT = 1_000
"""Requests kept to look at, the latest."""


class _NotSent(CexspecError):
    """What a dry run ends with."""

    def __init__(self, call: HttpCall) -> None:
        super().__init__("a dry run sends nothing")
        self.call = call


class Nowhere:
    """An `HttpTransport` that sends nothing."""

    async def send(self, call: HttpCall) -> HttpAnswer:
        """Raises, with the call."""
        raise _NotSent(call)


class DryVerbs(Verbs):
    """Calls operations whose requests end here: they are logged (as a warning, so that they are seen) and kept in `requests`."""

    def __init__(self, engine: Engine, plan: ExchangePlan, credentials: Credentials, prepare: Callable[[], Awaitable[None]]) -> None:
        super().__init__(engine, plan)
        self._credentials, self._prepare = credentials, prepare
        self.requests: deque[str] = deque(maxlen=KEPT)

    async def run(self, operation: Served, params: dict[str, Any], *, timeout: float | None = None) -> list[Event]:
        """No events: nothing was sent, but the question for the venue's time that signatures need."""
        await self._prepare()
        try:
            await super().run(operation, params, timeout=timeout)
        except _NotSent as told:
            text = written(told.call, self._credentials)
            self.requests.append(text)
            log.warning("dry run, nothing was sent: %s", text, extra={"event": LogEvent.DRY_RUN})
        return []


def written(call: HttpCall, credentials: Credentials) -> str:
    """A request as text, with secrets masked: method and URL, headers and body on lines of their own."""
    headers = [f"{name}: {value}" for name, value in masked_headers(call.headers)]
    body = [] if call.body is None else [masked_text(call.body.decode(errors="replace"))]
    return credentials.masked("\n".join([f"{call.method} {masked_url(call.url)}", *headers, *body]))
