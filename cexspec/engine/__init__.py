"""Runs plans: REST calls, streams, markets, and the offline normalizer."""
