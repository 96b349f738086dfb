"""Hooks: Python for the quirks data can't say, registered by name."""

from cexspec.hooks.protocol import BookChecksum, Precision
from cexspec.hooks.registry import CHECKSUMS

__all__ = ["CHECKSUMS", "BookChecksum", "Precision"]
