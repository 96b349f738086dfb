"""The unified models of execution: what venues tell of one's own orders, fills, positions and balances.

Quantities are in base currency (contract sizes applied; where the venue counts contracts, `contracts` keeps the count of the
quantity, which is None itself where nothing converts it); `side` of an order or fill is one's own. A missing value is
None, never 0. Fees are positive where they are paid, negative where they are earned.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from cexspec.models.events import Event, Number, Side

OrderType = Literal["market", "limit", "stop_market", "stop_limit"]
TimeInForce = Literal["gtc", "ioc", "fok", "gtd"]
OrderStatus = Literal["pending", "new", "partially_filled", "filled", "canceled", "rejected", "expired"]
PositionSide = Literal["long", "short"]
MarginMode = Literal["cross", "isolated"]
Liquidity = Literal["maker", "taker"]

PAPER = "paper"
"""The name of the environment with the live market and orders on paper."""

FINAL: frozenset[str] = frozenset({"filled", "canceled", "rejected", "expired"})
"""The states that nothing follows."""

NEXT: dict[str, frozenset[str]] = {
    "pending": frozenset({"pending", "new", "partially_filled", *FINAL}),
    "new": frozenset({"new", "partially_filled", "filled", "canceled", "rejected", "expired"}),
    "partially_filled": frozenset({"partially_filled", "filled", "canceled", "expired"}),
    **{state: frozenset({state}) for state in FINAL},
}
"""State -> the states that may follow it. A stop order is `pending` until its stop price is reached."""


class Order(Event, frozen=True, gc=False, kw_only=True, tag="order"):
    """One's own order as the venue knows it. `timestamp` is when it was placed, `updated` when it last changed (ns).

    In JSON `type` is called `order_type`, because `type` names the model there. `price` is its limit, `stop_price` what
    triggers it; `average_price` is that of its fills. `reason` is the venue's own word for why it ended, where it has one.
    `conditional`: it is kept apart from ordinary orders, with an id of its own, until its stop price is reached.
    """

    order_id: str | None = None
    client_order_id: str | None = None
    side: Side | None = None
    type: OrderType | None = field(default=None, name="order_type")
    status: OrderStatus | None = None
    quantity: Number | None = None
    filled: Number | None = None
    remaining: Number | None = None
    contracts: Number | None = None
    price: Number | None = None
    average_price: Number | None = None
    stop_price: Number | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    fee: Number | None = None
    fee_currency: str | None = None
    reason: str | None = None
    conditional: bool = False
    updated: int | None = None


class Fill(Event, frozen=True, gc=False, kw_only=True, tag="fill"):
    """One execution of one's own order. `id` is the trade's."""

    id: str | None = None
    order_id: str | None = None
    client_order_id: str | None = None
    side: Side
    price: Number
    quantity: Number | None
    contracts: Number | None = None
    fee: Number | None = None
    fee_currency: str | None = None
    liquidity: Liquidity | None = None


class Position(Event, frozen=True, gc=False, kw_only=True, tag="position"):
    """What is held of a derivative (or on margin). `quantity` is 0 for one that is closed; `side` is None then."""

    side: PositionSide | None = None
    quantity: Number | None
    contracts: Number | None = None
    entry_price: Number | None = None
    mark_price: Number | None = None
    liquidation_price: Number | None = None
    unrealized_pnl: Number | None = None
    leverage: Number | None = None
    margin_mode: MarginMode | None = None


class Balance(Event, frozen=True, gc=False, kw_only=True, tag="balance"):
    """What an account holds of a currency: `total` = `free` + `used` (by open orders and margin). `symbol` is None."""

    currency: str
    total: Number | None = None
    free: Number | None = None
    used: Number | None = None


PrivateEvent = Order | Fill | Position | Balance


def follows(before: OrderStatus | None, after: OrderStatus | None) -> bool:
    """Whether an order may go from one state to another; one that is not known (None) may come before and after any."""
    return before is None or after is None or after in NEXT[before]
