"""What pages say of trading follows from the specs, order by order."""

from __future__ import annotations

import pytest

from cexspec.compile.exchange import Exchange, compile_exchange
from cexspec.spec.load import shipped
from tools.trading_pages import ORDERS, kinds, methods, orders, terms, trades

TRADING = [name for name in shipped() if trades(compile_exchange(name))]


@pytest.fixture(params=TRADING)
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return compile_exchange(request.param)


def test_every_order_has_a_row_and_every_kind_a_column(exchange: Exchange) -> None:
    rows = list(orders(exchange))
    assert [row[0] for row in rows] == list(ORDERS)
    assert {len(row) for row in rows} == {1 + len(kinds(exchange))}


def test_limit_orders_can_be_placed_wherever_orders_can(exchange: Exchange) -> None:
    row = next(row for row in orders(exchange) if row[0] == "limit, gtc")
    assert row[1:] == ["yes"] * len(kinds(exchange))


def test_methods_and_terms_name_what_serves_and_what_is_needed(exchange: Exchange) -> None:
    assert dict(methods(exchange))["`place_order`"].startswith("`place_")
    told = dict(terms(exchange))
    assert all(name in told["credentials"] for name, one in exchange.credentials.items() if not one.optional)


def test_an_exchange_without_orders_has_none_to_show() -> None:
    quiet = [name for name in shipped() if name not in TRADING]
    assert all(not list(methods(compile_exchange(name))) for name in quiet)
