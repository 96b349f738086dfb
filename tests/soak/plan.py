"""What a soak does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

EXCHANGE = "okx"
"""Whose dialect is spoken: several connections for a thousand symbols, pings of its own, numbered books."""
FAULTS = ("close", "reset", "silence", "lost book messages", "refused connects", "garbage")


@dataclass(frozen=True)
class Plan:
    """How long, how much, and what goes wrong; times in seconds.

    `warm_up`: nothing is judged before; `quiet`: no fault so long before the end, so that all have healed.
    """

    seconds: float = 600.0
    rate: int = 20_000
    trades: int = 1_000
    depths: int = 20
    fault_every: float = 20.0
    faults: tuple[str, ...] = FAULTS
    warm_up: float = 30.0
    quiet: float = 60.0
    sample_every: float = 2.0
    refuse_for: float = 3.0
    seed: int = 1
    exchange: str = EXCHANGE
    freeze: bool = False
    """the consumer calls `gc.freeze()` once it is served"""
    plant: bool = False
    """the consumer leaks memory and tasks on purpose, to see that the checks see it"""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those with trades."""
        return tuple(f"T{number:04}/USDT" for number in range(self.trades))

    @property
    def books(self) -> tuple[str, ...]:
        """Those with books."""
        return tuple(f"B{number:04}/USDT" for number in range(self.depths))

    def to_json(self) -> str:
        """As the server is given it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The same again."""
        read: dict[str, Any] = json.loads(text)
        return cls(**{**read, "faults": tuple(read["faults"])})
