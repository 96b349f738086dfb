"""A client of a mock venue that signs, over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

from cexspec.engine.environments import environment_of
from cexspec.engine.limits import limiter_of
from cexspec.engine.markets import Markets
from cexspec.engine.options import Reconnecting, StreamOptions
from cexspec.engine.private import Access
from cexspec.engine.rest import RestEngine
from cexspec.engine.signing import Signer
from cexspec.engine.stream_client import StreamClient
from cexspec.mock import MockVenue
from cexspec.models import Credentials
from cexspec.transport.backoff import Backoff
from cexspec.transport.clock import SystemClock
from cexspec.transport.http import AiohttpTransport
from cexspec.transport.store import MemoryStore

OPTIONS = StreamOptions(reconnecting=Reconnecting(Backoff(0.01, 0.05)))


@asynccontextmanager
async def customer(
    venue: MockVenue, credentials: Mapping[str, str] | None = None, clock: SystemClock | None = None
) -> AsyncIterator[StreamClient]:
    """The streams of a client that has the venue's own credentials, or these."""
    plan, clock, http = venue.exchange, clock or SystemClock(), AiohttpTransport()
    environment, markets = environment_of(plan, venue.environment), Markets(plan)
    signer = Signer(plan, Credentials(credentials or venue.credentials), clock)
    limiter = limiter_of(plan.pools, clock, exchange=plan.id, on_limit="wait", rate_limits=None, store=MemoryStore(), owner="test")
    rest = RestEngine(plan, environment, http, clock, limiter, markets, signer=signer)
    access = Access(signer, rest, plan.recipe)
    client = StreamClient(
        plan, environment, markets, clock=clock, random=Random(1), options=OPTIONS, access=access, prepare=rest.ensure_instruments
    )
    try:
        yield client
    finally:
        await client.close()
        await http.close()
