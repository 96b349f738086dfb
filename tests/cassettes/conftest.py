from __future__ import annotations

from tests.cassettes.network import closed_network

__all__ = ["closed_network"]
