"""What tests of shared budgets have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.redis_server import BINARY, RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running server. Skips where none can be had; the checks of a change install one, and fail without."""
    if not RedisServer.installed():
        tell = pytest.fail if os.environ.get("REDIS_REQUIRED") else pytest.skip
        tell(f"{BINARY} is not installed (Debian's package has its name): budgets shared by processes are not tested")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
