"""What a native id stands for: enough to label and scale the messages about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from cexspec.models.events import Kind, Number


@dataclass(frozen=True, slots=True)
class Market:
    """A native id resolved: by the loaded instruments, else by the spec's symbol rules.

    `symbol` is the unified text, or the native id itself where no rule reads it (`kind` is then None).
    `contract_size` is None until instruments are loaded; `contract_in_quote` says that it is an amount of quote
    currency (inverse contracts), so that base = contracts * contract_size / price. `category` is the spec's name of its
    product line.
    """

    id: str
    symbol: str | None
    kind: Kind | None
    contract_size: Decimal | None = None
    contract_in_quote: bool = False
    number: type[Decimal] | type[float] = Decimal
    category: str | None = None
    counted: bool = field(init=False, repr=False, compare=False)
    """its sizes are counts of contracts, which differ from sizes in base"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "counted", self.kind != "spot" and (self.contract_in_quote or self.contract_size != 1))

    def base_size(self, contracts: Number, price: Number | None) -> Number | None:
        """Contracts in base currency; None while the contract size is unknown, and, inverse, without a price above zero."""
        if self.contract_size is None:
            return None
        size = self.number(self.contract_size)
        if not self.contract_in_quote:
            return contracts * size  # type: ignore[operator]
        return contracts * size / price if price is not None and price > 0 else None  # type: ignore[operator]


NOWHERE = Market(id="", symbol=None, kind=None)
"""The market of a message that names none."""


class LatestMarket:
    """The native id that was asked for last in one place, and its market: where the next is mostly the same, it need not be looked up."""

    __slots__ = ("__weakref__", "known", "native")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know none, as ids may stand for something else now."""
        self.native: str | None = None
        self.known = NOWHERE
