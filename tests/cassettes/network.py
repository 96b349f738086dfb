"""A closed network: whoever connects, or looks a host up, fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


class Closed(OSError):
    """Something wanted out."""


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No socket connects, no name resolves. Who tried is in the list, which is empty at the end."""
    tried: list[str] = []

    def refuse(*what: object, **_: object) -> None:
        tried.append(repr(what))
        raise Closed("the network is closed")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    yield tried
    assert tried == []
