"""Signing recipes, compiled to pure functions: keys, digests, values, parameters."""
