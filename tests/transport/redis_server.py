"""A real Redis server on a free port of this machine, for as long as a test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

BINARY = "redis-server"


class RedisServer:
    """Keeps nothing on disk: stopped and started again, it is empty."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start: " + "".join(said))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None


def require_server() -> None:
    """Skip where no server can be had; the checks of a change install one, and fail without (`REDIS_REQUIRED`)."""
    if shutil.which(BINARY) is not None:
        return
    if os.environ.get("REDIS_REQUIRED"):
        pytest.fail(f"{BINARY} is not installed")
    pytest.skip(f"{BINARY} is not installed (Debian's package redis-server): budgets shared by processes are not tested")
