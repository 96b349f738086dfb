"""The pytest fixture `mock_venue`: exchanges on this machine, for the tests of whoever uses cexspec.

    async def test_mine(mock_venue):
        venue = await mock_venue("my-exchange.yaml", seed=1)
        async with Client("my-exchange.yaml", environment=venue.environment) as client:
            ...

Every venue is closed when the test ends. The fixture is asynchronous: pytest-asyncio, or anyio's plugin, runs it.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cexspec.mock import MockVenue

try:
    asynchronous = importlib.import_module("pytest_asyncio").fixture
except ImportError:
    asynchronous = pytest.fixture

Start = Callable[..., Awaitable["MockVenue"]]
"""Starts a venue; takes what `MockVenue` takes."""


@asynchronous  # type: ignore[untyped-decorator]
async def mock_venue() -> AsyncIterator[Start]:
    """Start mock venues: `venue = await mock_venue(exchange, seed=1)`. They end with the test."""
    async with AsyncExitStack() as stack:

        async def start(exchange: str, **options: Any) -> MockVenue:
            from cexspec.mock import MockVenue

            return await stack.enter_async_context(MockVenue(exchange, **options))

        yield start
