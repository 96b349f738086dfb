"""The orders a client knows: one state of each, whichever way news of it comes."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Hashable

from msgspec.structs import replace

from cexspec.models import Fill, Order
from cexspec.models.execution import FINAL, follows
from cexspec.models.log_events import LogEvent, worth_logging

log = logging.getLogger("cexspec.trade")
MAX_ENDED = 10_000
"""Orders kept that have ended, the latest."""
MAX_FILLS = 100_000
"""Fills remembered, to know one that comes twice."""
COURSE = ("order_id", "conditional", "status", "filled")
"""What makes a state, the first word of it as well."""
TERMS = ("client_order_id", "type", "quantity", "contracts", "price", "stop_price", "time_in_force", "post_only", "reduce_only")
"""What makes another state where it is changed. The rest says more of one: lists and streams leave out, and round, different things."""


class Tracker:
    """Orders by their ids. News that is older than what is known changes nothing; a state that can't follow is counted and told."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._open: dict[int, Order] = {}
        self._ended: OrderedDict[int, Order] = OrderedDict()
        self._numbers: dict[tuple[str, str], int] = {}
        self._next = 0
        self._marks: dict[int, int] = {}
        """order -> the mark of its last change"""
        self.mark = 0
        """Changes so far. Noted when something is asked, it tells from an answer (`update`) what has come since."""
        self._fills: OrderedDict[Hashable, None] = OrderedDict()
        self.illegal_transitions = self.late_news = self.doubled_fills = 0

    @property
    def open(self) -> list[Order]:
        """Those that have not ended, as far as is known."""
        return list(self._open.values())

    @property
    def recent(self) -> list[Order]:
        """Those that are open, and those that have ended lately."""
        return [*self._open.values(), *self._ended.values()]

    def find(self, order_id: str | None = None, client_order_id: str | None = None) -> Order | None:
        """The order of an id, as it is known; None: it isn't."""
        number = self._number(order_id, client_order_id)
        return None if number is None else self._open.get(number) or self._ended.get(number)

    def update(self, order: Order, asked: int | None = None) -> tuple[Order, bool]:
        """The order as it is known from now on, and whether that is another state; what only says more of one is kept.

        `asked` is the `mark` at which this was asked for: where nothing tells that it is later than what came meanwhile, it is older.
        """
        number = self._number(order.order_id, order.client_order_id)
        if number is None:
            number = self._triggered(order)
        before = None if number is None else self._open.get(number) or self._ended.get(number)
        if number is None or before is None:
            number = self._next
            self._next += 1
            self._keep(number, order)
            return order, True
        older = _older(order, before)
        if older or (older is None and asked is not None and self._marks[number] > asked):
            self.late_news += 1
            return before, False
        if not follows(before.status, order.status):
            self._illegal(before, order)
        after = merged(order, before)
        if after == replace(before, received=after.received):
            return before, False
        self._keep(number, after)
        return after, _changed(after, before)

    def fresh(self, fill: Fill) -> bool:
        """Whether a fill is told for the first time."""
        if fill.id is None:
            return True
        key = (fill.symbol, fill.id, fill.order_id)
        if key in self._fills:
            self.doubled_fills += 1
            return False
        self._fills[key] = None
        if len(self._fills) > MAX_FILLS:
            self._fills.popitem(last=False)
        return True

    def _number(self, order_id: str | None, client_order_id: str | None) -> int | None:
        found = self._numbers.get(("order_id", order_id)) if order_id is not None else None
        if found is not None or client_order_id is None:
            return found
        found = self._numbers.get(("client_order_id", client_order_id))
        if found is None or order_id is None:
            return found
        known = self._open.get(found) or self._ended[found]
        return found if known.order_id in (None, order_id) else None  # the id was used again, for another order

    def _triggered(self, order: Order) -> int | None:
        """The stop order that goes on as this one, under another id; None: there is none."""
        if order.conditional or order.client_order_id is None:
            return None
        number = self._numbers.get(("client_order_id", order.client_order_id), -1)
        known = self._open.get(number)
        return number if known is not None and known.conditional else None

    def _keep(self, number: int, order: Order) -> None:
        self.mark += 1
        self._marks[number] = self.mark
        self._numbers.update(dict.fromkeys(_keys(order), number))
        if order.status not in FINAL:
            self._ended.pop(number, None)
            self._open[number] = order
            return
        self._open.pop(number, None)
        self._ended[number] = order
        if len(self._ended) > MAX_ENDED:
            old, gone = self._ended.popitem(last=False)
            del self._marks[old]
            for key in _keys(gone):
                if self._numbers.get(key) == old:
                    del self._numbers[key]

    def _illegal(self, before: Order, after: Order) -> None:
        self.illegal_transitions += 1
        if worth_logging(self.illegal_transitions):
            text = "%s: the order %s of %s went from %s to %s, which can't be (%d so far): the later state is kept"
            name = after.order_id or after.client_order_id
            details = (self._exchange, name, after.symbol, before.status, after.status, self.illegal_transitions)
            log.warning(text, *details, extra={"event": LogEvent.ILLEGAL_TRANSITION})


def merged(order: Order, before: Order) -> Order:
    """An order with what this news leaves out as it was."""
    kept = {
        name: value for name in order.__struct_fields__ if getattr(order, name) is None and (value := getattr(before, name)) is not None
    }
    return replace(order, **kept) if kept else order


def _changed(after: Order, before: Order) -> bool:
    """Whether this is another state of an order than the one before."""
    names = (*COURSE, *(name for name in TERMS if getattr(before, name) is not None))
    return any(getattr(after, name) != getattr(before, name) for name in names)


def _keys(order: Order) -> list[tuple[str, str]]:
    names = (("order_id", order.order_id), ("client_order_id", order.client_order_id))
    return [(name, value) for name, value in names if value is not None]


def _older(order: Order, before: Order) -> bool | None:
    """Whether this news is of an earlier time than what is known: by the venue's time, else by what has been filled or has ended; None:
    nothing tells.

    Of a stop order that goes on under another id, what is told under its first one is over.
    """
    if order.conditional and not before.conditional and order.order_id not in (None, before.order_id):
        return True
    if order.updated is not None and before.updated is not None and order.updated != before.updated:
        return order.updated < before.updated
    if order.filled is not None and before.filled is not None and order.filled != before.filled:
        return order.filled < before.filled
    ended, ends = before.status in FINAL, order.status in FINAL
    return ended if ended != ends else None
