"""What reads the frames: ourselves, the bare JSON parser, and (where installed) the two libraries everybody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import orjson

from benchmarks.frames import Frames
from cexspec import Book, Normalizer, Trade

SeenRow = tuple[float, float]
BARE, DECIMAL, FLOAT = "bare JSON parser (orjson)", "cexspec, Decimal", "cexspec, float"
NAMED = "cexspec, Decimal, connection named"


CONNECTIONS = {"binance": "stream", "okx": "public", "bybit": "linear", "kraken": "public", "hyperliquid": "public"}
"""Where the frames come in, by venue."""
TOLD_BY_CONNECTION = frozenset({"bybit"})
"""Venues whose ids mean several markets: what they are is known on a connection only."""


class Reader(Protocol):
    """Reads frames of one venue and kind."""

    @property
    def read(self) -> Callable[[bytes], object]:
        """From a frame to whatever the reader makes of it."""

    def seen(self, result: object) -> list[SeenRow] | None:
        """(price, size) in what `read` returned: the trade, or all levels of the book, by price. None: it doesn't tell."""

    async def close(self) -> None:
        """Let go of what it holds."""


class Bare:
    """The JSON parser alone: the floor under everything."""

    def __init__(self, frames: Frames) -> None:
        self.read = orjson.loads

    def seen(self, result: object) -> list[SeenRow] | None:
        """Nothing is unified here."""
        return None

    async def close(self) -> None:
        """Nothing is held."""


class Ours:
    """`Normalizer.ws`: from the frame to unified events."""

    def __init__(self, frames: Frames, number: type[Decimal] | type[float], *, named: bool = False) -> None:
        ws, connection = Normalizer(frames.venue, number=number).ws, CONNECTIONS[frames.venue]
        named = named or frames.venue in TOLD_BY_CONNECTION
        self.read: Callable[[bytes], object] = (lambda frame: ws(frame, connection)) if named else ws
        for frame in (frames.first, *frames.data[:10]):  # compiles what it needs
            if frame is not None:
                self.read(frame)

    def seen(self, result: object) -> list[SeenRow]:
        """The trade, or the levels of the message."""
        assert isinstance(result, list)
        (event,) = result
        if isinstance(event, Trade):
            assert event.size is not None
            return [(float(event.price), float(event.size))]
        assert isinstance(event, Book)
        return sorted((float(price), float(size)) for price, size in event.bids + event.asks)

    async def close(self) -> None:
        """Nothing is held."""


def ours(number: type[Decimal] | type[float], *, named: bool = False) -> Callable[[Frames], Reader]:
    """Ourselves with exact numbers (the default) or floats; `named`: each frame is handed over with its connection's name."""
    return lambda frames: Ours(frames, number, named=named)


@dataclass(frozen=True)
class Rival:
    """Another library: what makes its reader, and the venues whose frames it reads."""

    make: Callable[[Frames], Reader]
    venues: frozenset[str]


def rivals() -> tuple[dict[str, Rival], list[str]]:
    """The other libraries that are installed, and a remark for each that is not."""
    found, missing = {}, []
    for package, module, reader in (("cryptofeed", "cryptofeed_reader", "Cryptofeed"), ("ccxt", "ccxt_reader", "Ccxt")):
        try:
            loaded = import_module(f"benchmarks.{module}")
            found[f"{package} {version(package)}"] = Rival(getattr(loaded, reader), frozenset(loaded.VENUES))
        except (PackageNotFoundError, ImportError) as error:
            missing.append(f"{package} could not be measured here: {error}")
    return found, missing
