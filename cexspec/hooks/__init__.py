"""Hooks: Python for the quirks data can't say, registered by name."""

from cexspec.hooks.protocol import BookChecksum
from cexspec.hooks.registry import CHECKSUMS

__all__ = ["CHECKSUMS", "BookChecksum"]
