"""A local exchange from a spec and its samples: for tests, demos and development without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cexspec.mock.venue import MockVenue

__all__ = ["MockVenue"]


def __getattr__(name: str) -> Any:
    """Loads on first use: pytest imports this package in every environment that has cexspec, for its fixture."""
    if name != "MockVenue":
        raise AttributeError(f"module 'cexspec.mock' has no attribute {name!r}")
    from cexspec.mock.venue import MockVenue

    return MockVenue
