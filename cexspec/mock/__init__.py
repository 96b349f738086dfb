"""A local exchange from a spec and its samples: for tests, demos and development without a network."""

from cexspec.mock.venue import MockVenue

__all__ = ["MockVenue"]
