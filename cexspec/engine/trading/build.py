"""Puts a client's trading together."""

from __future__ import annotations

from functools import partial

from cexspec.compile.exchange_plan import EnvironmentPlan
from cexspec.engine.options import StreamOptions
from cexspec.engine.rest import RestEngine
from cexspec.engine.stream_client import StreamClient
from cexspec.engine.trading.client_ids import ClientIds
from cexspec.engine.trading.desk import Desk
from cexspec.engine.trading.dry_run import DryVerbs
from cexspec.engine.trading.following import Following
from cexspec.engine.trading.guard import Guard, MaxNotional
from cexspec.engine.trading.lookup import Lookup
from cexspec.engine.trading.outcome import Outcomes
from cexspec.engine.trading.paper.side import paper_side
from cexspec.engine.trading.paper.verbs import PaperBalances
from cexspec.engine.trading.permission import Permission, live
from cexspec.engine.trading.sending import Errands
from cexspec.engine.trading.side import Side
from cexspec.engine.trading.terms import Terms, TermsBook
from cexspec.engine.trading.tracker import Tracker
from cexspec.engine.trading.trade_client import TradeClient
from cexspec.engine.trading.verbs import Verbs
from cexspec.engine.trading.worst import WorstPrices
from cexspec.models import Credentials, Event, NotSupported
from cexspec.transport.limiter import Priority

ORDER_BOOK = "order_book"
TICKER = "ticker"
MARGIN = 1.0
"""Seconds beyond the receive window: what is late by less may still be taken."""


def trade_client(
    engine: RestEngine,
    environment: EnvironmentPlan,
    streams: StreamClient,
    *,
    credentials: Credentials,
    allow_trading: bool = False,
    max_notional: MaxNotional | None = None,
    recv_window: float | None = None,
    dry: RestEngine | None = None,
    paper_balances: PaperBalances | None = None,
    options: StreamOptions | None = None,
) -> TradeClient:
    """The trading of one client. `dry` is an engine whose requests go nowhere: all that change the account are given to it.

    `paper_balances`, and the `options` of streams, are those of an environment on paper. Raises `ValueError` for a
    `max_notional` or balances that are none, `NotSupported` for a dry run on paper.
    """
    plan, clock, tracker = engine.plan, engine.clock, Tracker(engine.plan.id)
    if environment.paper:
        if dry is not None:
            raise NotSupported("a dry run shows the signed request, and on paper nothing is signed or sent")
        side = paper_side(engine, streams, tracker, paper_balances, options)
    else:
        permission = Permission(plan.id, environment.name, live(environment), bool(credentials), allow_trading or dry is not None)
        side = Side(Verbs(engine, plan), streams, permission, plan.orders.client_ids)
    window = recv_window if recv_window is not None else plan.recv_window / 1000
    lookup = Lookup(side.verbs)
    desk = Desk(
        exchange=plan.id,
        number=plan.number,
        engine=engine,
        verbs=side.verbs,
        writes=side.verbs if dry is None else DryVerbs(dry, plan, credentials, engine.measure_clock),
        terms_book=TermsBook(engine.markets, plan.id, clock.time_ns),
        tracker=tracker,
        permission=side.permission,
        guard=Guard(max_notional, partial(_tickers, engine)),
        worst=WorstPrices(None if environment.paper else plan.orders.slippage, partial(_book, engine)),
        client_ids=ClientIds(side.client_ids, plan.id),
        lookup=lookup,
        outcomes=Outcomes(lookup, clock, max(plan.orders.visible_within, window + MARGIN)),
        errands=Errands(),
    )
    following = Following(desk, clock, lambda name: str(engine.markets.find(name).symbol))
    return TradeClient(desk, side.streams, following, side.closing)


async def _book(engine: RestEngine, terms: Terms) -> list[Event]:
    """The book of an instrument, ahead of all market data."""
    return await engine.call(ORDER_BOOK, terms.params, priority=Priority.ORDER)


async def _tickers(engine: RestEngine, terms: Terms) -> list[Event]:
    """The ticker of an instrument, ahead of all market data: an order waits for it. Nothing where the spec has none."""
    if TICKER not in engine.plan.operation_names:
        return []
    return await engine.call(TICKER, terms.params, priority=Priority.ORDER)
