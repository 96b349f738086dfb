"""The registered hooks. A spec names one of these; nothing is ever imported by a path written in a spec."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cexspec.hooks.bitfinex import bitfinex_checksum
from cexspec.hooks.crc32 import crc32_interleaved
from cexspec.hooks.dydx import Dydx
from cexspec.hooks.hyperliquid import Hyperliquid
from cexspec.hooks.kraken import kraken_checksum
from cexspec.hooks.protocol import BookChecksum, SignHook

CHECKSUMS: Mapping[str, BookChecksum] = MappingProxyType(
    {"bitfinex": bitfinex_checksum, "crc32_interleaved": crc32_interleaved, "kraken_v2": kraken_checksum}
)
"""Book checksums by the name specs use."""

SIGNERS: Mapping[str, SignHook] = MappingProxyType({"dydx": Dydx(), "hyperliquid": Hyperliquid()})
"""Signatures no recipe can say, by the name specs use."""
