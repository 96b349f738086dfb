"""Puts a client's trading on paper together."""

from __future__ import annotations

from cexspec.engine.options import StreamOptions
from cexspec.engine.rest import RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.engine.trading.paper.streams import PaperStreams
from cexspec.engine.trading.paper.verbs import ANY_ID, OnPaper, PaperBalances
from cexspec.engine.trading.permission import Permission
from cexspec.engine.trading.side import Side
from cexspec.engine.trading.tracker import Tracker
from cexspec.models import Event, Order
from cexspec.models.execution import PAPER


def paper_side(
    engine: RestEngine, streams: StreamClient, tracker: Tracker, balances: PaperBalances | None, options: StreamOptions | None
) -> Side:
    """A venue on paper, before the live market of `streams`; what happens to orders is told to the `tracker` too.

    Raises `ValueError` for balances that are none.
    """
    plan = engine.plan
    own = PaperStreams(plan.id, streams.counters, engine.clock, lambda name: str(engine.markets.find(name).symbol), options)

    def tell(event: Event) -> None:
        if isinstance(event, Order):
            tracker.update(event)
        own.tell(event)

    permission = Permission(plan.id, PAPER, live=False, credentials=True, allow_trading=False)
    return Side(OnPaper(engine, streams, tell, balances), own, permission, plan.orders.client_ids or ANY_ID, own.close)
