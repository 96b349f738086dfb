"""The order book of one instrument: accounts' resting orders by price and time, before them what the outside market offers."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cexspec.models.events import Side
from cexspec.paper.orders import PaperOrder

OPPOSITE: dict[Side, Side] = {"buy": "sell", "sell": "buy"}
OutsideLevel = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to trade with: an account's order, or a level of the outside market (`order` is None)."""

    price: Decimal
    units: Decimal
    order: PaperOrder | None


class _Queue:
    """One side: its orders, best price first, and at one price in the order in which they came."""

    def __init__(self, *, buys: bool) -> None:
        self._sign = -1 if buys else 1
        self._ranks: list[Decimal] = []
        self._levels: dict[Decimal, dict[str, PaperOrder]] = {}

    def add(self, order: PaperOrder, price: Decimal) -> None:
        rank = price * self._sign
        if rank not in self._levels:
            insort(self._ranks, rank)
        self._levels.setdefault(rank, {})[order.id] = order

    def remove(self, order: PaperOrder, price: Decimal) -> None:
        rank = price * self._sign
        level = self._levels.get(rank, {})
        level.pop(order.id, None)
        if not level and rank in self._levels:
            del self._levels[rank]
            del self._ranks[bisect_left(self._ranks, rank)]

    def __iter__(self) -> Iterator[PaperOrder]:
        for rank in self._ranks:
            yield from self._levels[rank].values()


class PaperBook:
    """Who offers what. An account's order at the price of an outside level comes before it."""

    def __init__(self) -> None:
        self._queues = {"buy": _Queue(buys=True), "sell": _Queue(buys=False)}
        self._outside: dict[str, list[OutsideLevel]] = {"buy": [], "sell": []}

    def rest(self, order: PaperOrder) -> None:
        """Put a limit order behind those at its price."""
        if order.price is not None:
            self._queues[order.side].add(order, order.price)

    def remove(self, order: PaperOrder) -> None:
        """Take an order out; one that isn't there is no error."""
        if order.price is not None:
            self._queues[order.side].remove(order, order.price)

    def resting(self, side: Side) -> Iterator[PaperOrder]:
        """Accounts' orders of one side in their priority."""
        return iter(self._queues[side])

    def set_outside(self, bids: Iterable[OutsideLevel], asks: Iterable[OutsideLevel]) -> None:
        """What the outside market offers from now on, best first, in units."""
        self._outside = {"buy": [level for level in bids if level[1] > 0], "sell": [level for level in asks if level[1] > 0]}

    def outside(self, side: Side) -> OutsideLevel | None:
        """The best level of the outside market."""
        levels = self._outside[side]
        return levels[0] if levels else None

    def take_outside(self, side: Side, units: Decimal) -> None:
        """So many units of the best outside level are gone."""
        price, left = self._outside[side][0]
        if left > units:
            self._outside[side][0] = (price, left - units)
        else:
            del self._outside[side][0]

    def best(self, side: Side) -> Offer | None:
        """The first to trade with on this side."""
        return next(self.offers(side), None)

    def offers(self, side: Side) -> Iterator[Offer]:
        """All there is on this side, in priority. Nothing may change meanwhile."""
        levels, at = self._outside[side], 0
        for order in self._queues[side]:
            price = order.price or Decimal(0)
            while at < len(levels) and (levels[at][0] > price if side == "buy" else levels[at][0] < price):
                yield Offer(*levels[at], None)
                at += 1
            yield Offer(price, order.remaining, order)
        for level in levels[at:]:
            yield Offer(*level, None)

    def mid(self) -> Decimal | None:
        """The middle between the best prices; None while a side is empty."""
        bid, ask = self.best("buy"), self.best("sell")
        return (bid.price + ask.price) / 2 if bid is not None and ask is not None else None
