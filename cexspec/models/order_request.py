"""What a user asks for: an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _exact(value: Any) -> Any:
    """A float means what it prints as, never its binary expansion."""
    return Decimal(repr(value)) if isinstance(value, float) else value


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, allow_inf_nan=False)]


class OrderRequest(BaseModel):
    """An order to place. Quantities are in base currency, prices in quote currency; texts, integers and Decimals are exact.

    `quote_quantity` (in place of `quantity`) buys or sells for so much quote currency, of market orders where the venue has
    it. `time_in_force` of limit orders is `gtc` if nothing is said. `stop_price` triggers stop orders. `expires` (nanoseconds)
    ends one with `gtd`. `position_side` says which position it opens or closes, where the account holds a long and a short one
    of the same instrument at once (hedge mode). `client_order_id` is generated to the venue's rules when absent. `strategy_id`
    and `metadata` are the caller's own: kept beside the order, never sent.

    Raises `pydantic.ValidationError` where the parts contradict each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: str
    side: Literal["buy", "sell"]
    type: Literal["market", "limit", "stop_market", "stop_limit"]
    quantity: Amount | None = None
    price: Amount | None = None
    stop_price: Amount | None = None
    time_in_force: Literal["gtc", "ioc", "fok", "gtd"] | None = None
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None
    quote_quantity: Amount | None = None
    leverage: Amount | None = None
    margin_mode: Literal["cross", "isolated"] | None = None
    position_side: Literal["long", "short"] | None = None
    expires: int | None = None
    strategy_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _rests(cls, given: Any) -> Any:
        """A limit order of which nothing else is said rests until it is canceled."""
        if isinstance(given, dict) and given.get("time_in_force") is None and given.get("type") in ("limit", "stop_limit"):
            return {**given, "time_in_force": "gtc"}
        return given

    @property
    def limited(self) -> bool:
        """Whether it has a limit price."""
        return self.type in ("limit", "stop_limit")

    @property
    def conditional(self) -> bool:
        """Whether it waits for a stop price."""
        return self.type in ("stop_market", "stop_limit")

    @model_validator(mode="after")
    def _whole(self) -> OrderRequest:
        if (self.quantity is None) == (self.quote_quantity is None):
            raise ValueError("give 'quantity' (base currency) or 'quote_quantity', one of them")
        if self.quote_quantity is not None and self.type != "market":
            raise ValueError("'quote_quantity' is for market orders")
        if self.limited != (self.price is not None):
            raise ValueError(f"a {self.type} order has {'a' if self.limited else 'no'} price")
        if self.conditional != (self.stop_price is not None):
            raise ValueError(f"a {self.type} order has {'a' if self.conditional else 'no'} stop_price")
        if self.post_only and (not self.limited or self.time_in_force in ("ioc", "fok")):
            raise ValueError("'post_only' is for limit orders that may rest")
        if (self.time_in_force == "gtd") != (self.expires is not None):
            raise ValueError("'expires' goes with time_in_force 'gtd'")
        return self
