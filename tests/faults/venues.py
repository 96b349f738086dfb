"""The venues of the matrix: two symbols each, and their specs with shorter patience, so that a cell takes a second."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cexspec.compile.exchange import compile_exchange
from cexspec.spec.load import find
from cexspec.spec.model import Channel, Checksum, ExchangeSpec

VENUES = {
    "okx": ("BTC/USDT", "ETH/USDT", "SOL/USDT"),
    "binance": ("BTC/USDT", "ETH/USDT", "SOL/USDT"),
    "binance_usdm": ("BTC/USDT:PERP", "ETH/USDT:PERP", "SOL/USDT:PERP"),
    "bybit": ("BTC/USDT", "ETH/BTC", "SOL/USDT"),
    "kraken": ("BTC/USD", "BTC/USDT", "XRP/USD"),
    "bitfinex": ("BTC/USDT", "ETH/USDT", "SOL/USDT"),
    "hyperliquid": ("BTC/USDC:PERP", "kPEPE/USDC:PERP", "HYPE/USDC"),
}
"""Two symbols that are streamed all the time, and one to ask for later."""

QUICK = {"every": "250ms", "within": "400ms"}
MANY = {"rate": 100, "per": "1s"}


@dataclass(frozen=True)
class Venue:
    """A venue, its symbols, the spec of the mock and that of the client (the same, with shorter patience).

    `book` is the channel that `stream_order_book` takes.
    """

    name: str
    symbols: tuple[str, str]
    other: str
    spec: ExchangeSpec
    book: Channel
    quick: Path

    @property
    def whole(self) -> bool:
        """Whether each message of a book leaves it as it stands at the venue: not where one holds a single level."""
        levels = self.book.levels
        return levels is None or levels.mixed is None or levels.mixed.endswith("[*]")

    @property
    def replaces(self) -> bool:
        """Whether every message is a whole book, so that a lost one leaves no trace."""
        return self.book.sync == "replace"

    @property
    def announces(self) -> bool:
        """Whether the venue has a notice of its own before a restart."""
        ws = self.spec.ws
        return ws is not None and any(
            role.reconnect for one in ws.connections.values() if one.bootstrap is None for role in one.roles.values()
        )

    @property
    def checksum(self) -> Checksum | None:
        """The checksum of its books."""
        found = [self.book.checksum, *(also.checksum for also in self.book.also or ())]
        return next((one for one in found if one is not None), None)

    @property
    def pings(self) -> bool:
        """Whether its clients send pings of their own, not control frames alone."""
        ws = self.spec.ws
        return ws is not None and any(one.keepalive.send is not None for one in ws.connections.values())


@contextmanager
def quick_venues() -> Iterator[dict[str, Venue]]:
    """All venues; their quick specs are there until the end of the block."""
    with TemporaryDirectory() as name:
        yield {venue: _venue(venue, Path(name)) for venue in VENUES}


def _venue(name: str, folder: Path) -> Venue:
    for path in find(name).parent.glob("*.yaml"):
        shutil.copy(path, folder)
    first, second, other = VENUES[name]
    plan, quick = compile_exchange(name), folder / f"quick_{name}.yaml"
    spec = plan.spec
    assert spec.ws is not None
    quick.write_text(_text(name, spec), encoding="utf-8")
    return Venue(name, (first, second), other, spec, spec.ws.channels[plan.streams["order_book"][0]], quick)


def _text(name: str, spec: ExchangeSpec) -> str:
    """A spec that extends the venue's: pings and pauses are short, and connections may be tried often."""
    assert spec.ws is not None
    lines = ["cexspec: 1", f"extends: {name}", f"id: {name}", "limits:"]
    lines += [f"  {pool}: {{pause: 300ms}}" for pool, limit in spec.limits.items() if limit.pause is not None] or ["  {}"]
    lines += ["ws:", "  connections:"]
    for connection, rules in spec.ws.connections.items():
        keys: dict[str, Any] = {"connects_per": MANY}
        if rules.keepalive.send is not None:
            keys["keepalive"] = rules.keepalive.model_dump(by_alias=True, include={"send", "expect", "answer"}, exclude_none=True) | QUICK
        lines += [f"    {connection}: {json.dumps(keys)}"]
    return "\n".join(lines) + "\n"
