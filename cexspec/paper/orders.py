"""One order in the engine: how much of it is filled, and where it stands in its life."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.models.execution import FINAL, Order, OrderStatus, OrderType, TimeInForce, follows
from cexspec.paper.exact import ZERO, plain, price_told
from cexspec.paper.terms import Terms


@dataclass(slots=True, eq=False)
class PaperOrder:
    """An order of an account. Quantities are units. `held_at` is the price for which money or margin is set aside."""

    id: str
    account: str
    terms: Terms
    side: Side
    type: OrderType
    units: Decimal
    time_in_force: TimeInForce
    placed: int
    price: Decimal | None = None
    stop_price: Decimal | None = None
    client_id: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    expires: int | None = None
    held_at: Decimal = ZERO
    status: OrderStatus = "pending"
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    fee_currency: str | None = None
    reason: str | None = None
    waiting: bool = False
    updated: int = field(init=False)

    def __post_init__(self) -> None:
        self.updated = self.placed

    @property
    def remaining(self) -> Decimal:
        """Units that are still to be filled."""
        return self.units - self.filled

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self.status in FINAL

    @property
    def buys(self) -> bool:
        """Whether it is a buy."""
        return self.side == "buy"

    @property
    def average(self) -> Decimal | None:
        """The price of its fills."""
        return self.terms.price(self.filled, self.value) if self.filled else None

    def accepts(self, price: Decimal) -> bool:
        """Whether its limit allows a price."""
        return self.price is None or (price <= self.price if self.buys else price >= self.price)

    def reached(self, price: Decimal) -> bool:
        """Whether a price triggers its stop: buys at or above it, sells at or below."""
        return self.stop_price is not None and (price >= self.stop_price if self.buys else price <= self.stop_price)

    def become(self, status: OrderStatus, now: int, reason: str | None = None) -> None:
        """Go to another state. Raises `ValueError` where that state can't follow."""
        if not follows(self.status, status):
            raise ValueError(f"order {self.id} is {self.status}, it can't become {status}")
        self.status, self.updated, self.reason = status, now, reason

    def fill(self, units: Decimal, value: Decimal, fee: Decimal, fee_currency: str, now: int) -> None:
        """Count an execution."""
        self.filled += units
        self.value += value
        self.fee += fee
        self.fee_currency = fee_currency
        self.become("partially_filled" if self.remaining else "filled", now)

    def event(self, received: int | None = None) -> Order:
        """The order as it is told."""
        at = self.price or self.average or self.stop_price or self.held_at
        quantity, filled = plain(self.terms.in_base(self.units, at)), plain(self.terms.in_base(self.filled, at))
        return Order(
            exchange=self.terms.exchange,
            symbol=self.terms.symbol,
            timestamp=self.placed,
            received=received,
            order_id=self.id,
            client_order_id=self.client_id,
            side=self.side,
            type=self.type,
            status=self.status,
            quantity=quantity,
            filled=filled,
            remaining=quantity - filled,
            price=self.price,
            average_price=price_told(self.average),
            stop_price=self.stop_price,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            fee=plain(self.fee) if self.filled else None,
            fee_currency=self.fee_currency,
            reason=self.reason,
            conditional=self.waiting,
            updated=self.updated,
        )
