"""A venue on paper with a few instruments and traders, in words that fit into a table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cexspec.models.events import Instrument
from cexspec.models.execution import Order, PrivateEvent
from cexspec.models.order_request import OrderRequest
from cexspec.paper.rules import DEFAULT, Rules
from cexspec.paper.venue import PaperVenue

SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:PERP", "BTC/USD:PERP:BTC"
NAMES = ("ann", "bob", "cyd")
FUNDS = {"USDT": Decimal(10_000), "BTC": Decimal(100)}

INSTRUMENTS = (
    Instrument(
        exchange="paper",
        symbol=SPOT,
        id="BTC-USDT",
        kind="spot",
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.5"),
        step_size=Decimal("0.1"),
        min_size=Decimal("0.2"),
        max_size=Decimal(1000),
        min_notional=Decimal(10),
    ),
    Instrument(
        exchange="paper",
        symbol=LINEAR,
        id="BTC-USDT-SWAP",
        kind="perpetual",
        base="BTC",
        quote="USDT",
        settle="USDT",
        contract_size=Decimal("0.01"),
        contract_currency="BTC",
        tick_size=Decimal("0.5"),
        step_size=Decimal(1),
        min_size=Decimal(1),
    ),
    Instrument(
        exchange="paper",
        symbol=INVERSE,
        id="BTC-USD-SWAP",
        kind="perpetual",
        base="BTC",
        quote="USD",
        settle="BTC",
        contract_size=Decimal(100),
        contract_currency="USD",
        tick_size=Decimal("0.5"),
        step_size=Decimal(1),
        min_size=Decimal(1),
    ),
)


class Stage:
    """A venue whose time goes on by a second at every step."""

    def __init__(self, rules: Rules = DEFAULT, names: tuple[str, ...] = NAMES) -> None:
        self.venue = PaperVenue("paper", INSTRUMENTS, rules=rules)
        self.now = 0
        for name in names:
            for currency, amount in FUNDS.items():
                self.venue.deposit(name, currency, amount, 0)
        self.events: list[tuple[str, PrivateEvent]] = list(self.venue.drain())

    def tick(self) -> int:
        self.now += 1_000_000_000
        return self.now

    def place(self, who: str, side: str, quantity: Any, price: Any = None, *, symbol: str = SPOT, **more: Any) -> Order:
        """Place an order: limit with a price, else market, unless `type` says otherwise; quantities of derivatives in contracts."""
        contracts = None if symbol == SPOT else Decimal(str(quantity))
        given = {"symbol": symbol, "side": side, "quantity": quantity, "price": price, "type": "limit" if price else "market", **more}
        order = self.venue.place(who, OrderRequest(**given), self.tick(), contracts=contracts)
        self.events += self.venue.drain()
        return self.venue.order(who, order.order_id)

    def market(self, bids: list[tuple[Any, Any]], asks: list[tuple[Any, Any]], symbol: str = SPOT) -> None:
        below, above = ([(Decimal(str(price)), Decimal(str(size))) for price, size in side] for side in (bids, asks))
        self.venue.set_market(symbol, below, above, self.tick())
        self.events += self.venue.drain()

    def order(self, who: str, order: Order) -> Order:
        """The order as it is now."""
        return self.venue.order(who, order.order_id)

    def balances(self, who: str) -> dict[str, tuple[Any, Any, Any]]:
        return {one.currency: (one.total, one.free, one.used) for one in self.venue.balances(who)}

    def free(self, who: str, currency: str) -> Decimal:
        return self.venue.accounts[who].free(currency)

    def total(self, who: str, currency: str) -> Decimal:
        return self.venue.accounts[who].total(currency)
