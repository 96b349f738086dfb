"""Mock venues in a thread of their own, because commands run their own event loop."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from cexspec.mock import MockVenue


class Venues:
    """Starts venues on demand; all end together."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._stack, self._known = AsyncExitStack(), dict[str, str]()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def environment(self, exchange: str) -> str:
        """What `--environment` takes."""
        if exchange not in self._known:
            entering = self._stack.enter_async_context(MockVenue(exchange, interval=0.02))
            venue = asyncio.run_coroutine_threadsafe(entering, self.loop).result(10)
            self._known[exchange] = json.dumps(venue.environment)
        return self._known[exchange]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="session")
def environment() -> Iterator[Callable[[str], str]]:
    """The environment of a mock venue, as JSON text."""
    venues = Venues()
    yield venues.environment
    venues.close()
