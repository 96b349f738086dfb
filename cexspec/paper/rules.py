"""What the house takes, and how far it lends."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cexspec.models.execution import Liquidity


@dataclass(frozen=True, slots=True)
class Rules:
    """Fees and the maintenance margin are fractions of the value (0.001 is 0.1 %; a rebate is below 0).

    `leverage` is that of positions for which none was set, `most_leverage` the highest that may be. `kept` is how many ended
    orders, and fills, of an account are remembered. The fee of spot is taken from what is received, or always `in_quote` currency.
    """

    maker: Decimal = Decimal("0.0002")
    taker: Decimal = Decimal("0.0005")
    maintenance: Decimal = Decimal("0.005")
    leverage: Decimal = Decimal(10)
    most_leverage: Decimal = Decimal(125)
    kept: int = 10_000
    in_quote: bool = False

    def fee(self, liquidity: Liquidity) -> Decimal:
        """The rate of one side of a trade."""
        return self.maker if liquidity == "maker" else self.taker


DEFAULT = Rules()
