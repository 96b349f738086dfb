"""Where one instrument is traded: its book, the orders that wait for a price, and the price."""

from __future__ import annotations

from decimal import Decimal

from cexspec.paper.book import PaperBook
from cexspec.paper.orders import PaperOrder
from cexspec.paper.terms import Terms


class Pit:
    """`last` is the last price that was seen here, `mark` the one that is given from outside: where it is, it counts."""

    def __init__(self, terms: Terms) -> None:
        self.terms, self.book = terms, PaperBook()
        self.last: Decimal | None = None
        self.mark: Decimal | None = None
        self._waiting: dict[str, PaperOrder] = {}

    @property
    def price(self) -> Decimal | None:
        """The price that triggers stops and values positions."""
        return self.last if self.mark is None else self.mark

    def wait(self, order: PaperOrder) -> None:
        """Keep an order until the price reaches its stop."""
        self._waiting[order.id] = order

    def remove(self, order: PaperOrder) -> None:
        """Take an order out, wherever it is."""
        self.book.remove(order)
        self._waiting.pop(order.id, None)

    def triggered(self) -> PaperOrder | None:
        """The oldest order whose stop the price has reached, taken out."""
        price = self.price
        reached = next((order for order in self._waiting.values() if price is not None and order.reached(price)), None)
        return None if reached is None else self._waiting.pop(reached.id)
