"""Clients that trade on paper at mock venues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from tests.engine.paper.stage import Paper

Start = Callable[..., Awaitable[Paper]]


@pytest.fixture
async def paper() -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start(exchange: str = "okx", **options: Any) -> Paper:
            venue = await stack.enter_async_context(MockVenue(exchange, interval=3600))
            environment = {**venue.environment, "paper": True}
            return Paper(venue, await stack.enter_async_context(Client(exchange, environment=environment, **options)))

        yield start
