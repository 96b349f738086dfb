"""Hooks: Python for the quirks data can't say, registered by name."""

from cexspec.hooks.protocol import BookChecksum, Precision, SignedBody, SignHook, Tree
from cexspec.hooks.registry import CHECKSUMS, SIGNERS

__all__ = ["CHECKSUMS", "SIGNERS", "BookChecksum", "Precision", "SignHook", "SignedBody", "Tree"]
