"""Prices of orders that have none, and the steps that prices have at venues which count significant digits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cexspec.engine.trading.rules import on_tick
from cexspec.engine.trading.terms import Terms
from cexspec.engine.trading.worst import WorstPrices
from cexspec.models import Book, Event, InvalidOrder, Level, Market, Side


def terms(tick: str | None = "0.01", digits: int | None = None) -> Terms:
    return Terms(
        market=Market("BTC-USDT", "BTC/USDT", "spot"),
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        settle=None,
        tick=None if tick is None else Decimal(tick),
        digits=digits,
        step=None,
        least=None,
        most=None,
        least_notional=None,
        params={"exchange": "venue"},
    )


def worst(slippage: str | None, *rows: Event) -> WorstPrices:
    async def book(terms: Terms) -> list[Event]:
        return list(rows)

    return WorstPrices(None if slippage is None else Decimal(slippage), book)


def levels(*prices: str) -> list[Level]:
    return [(Decimal(price), Decimal(1)) for price in prices]


BOOK = Book(exchange="venue", symbol="BTC/USDT", bids=levels("100", "99"), asks=levels("100.5", "101"), is_snapshot=True)
CASES: list[tuple[str, Side, str | None, str]] = [
    ("a buy above the best ask", "buy", None, "105.52"),
    ("a sell below the best bid", "sell", None, "95.00"),
    ("a stop buy above where it is triggered", "buy", "120.01", "126.01"),
    ("a stop sell below where it is triggered", "sell", "80.01", "76.01"),
]


@pytest.mark.parametrize(("what", "side", "stop", "price"), CASES, ids=[case[0] for case in CASES])
async def test_so_much_worse_than_the_market(what: str, side: Side, stop: str | None, price: str) -> None:
    assert await worst("0.05", BOOK).of(side, None if stop is None else Decimal(stop), terms()) == Decimal(price)


async def test_where_the_venue_has_orders_without_limits_nothing_is_asked() -> None:
    assert await worst(None).of("buy", None, terms()) is None


@pytest.mark.parametrize("rows", [[], [Book(exchange="venue", symbol="BTC/USDT", bids=levels("100"), asks=[], is_snapshot=True)]])
async def test_nothing_is_sent_where_nobody_takes_the_other_side(rows: list[Any]) -> None:
    with pytest.raises(InvalidOrder, match="nobody sells BTC/USDT now: nothing was sent"):
        await worst("0.05", *rows).of("buy", None, terms())


STEPS: list[tuple[str | None, int | None, str, str | None]] = [
    (None, None, "65000.5", None),
    ("0.1", None, "65000.5", "0.1"),
    ("0.1", 5, "65000.5", "1"),
    ("0.1", 5, "123456", "1"),
    ("0.1", 5, "9999.5", "0.1"),
    ("0.1", 5, "99.5", "0.1"),
    (None, 5, "99.5", "0.001"),
    ("0.000001", 5, "0.012345", "0.000001"),
    ("0.000001", 5, "1.2345", "0.0001"),
    ("0.1", 5, "0", "0.1"),
]


@pytest.mark.parametrize(("tick", "digits", "price", "step"), STEPS)
def test_the_step_of_a_price(tick: str | None, digits: int | None, price: str, step: str | None) -> None:
    assert terms(tick, digits).tick_at(Decimal(price)) == (None if step is None else Decimal(step))


def test_prices_are_rounded_to_the_step_they_have_where_they_are() -> None:
    assert on_tick("price", Decimal("12345.67"), "buy", terms("0.01", 5), rounded=True) == Decimal("12345")
    assert on_tick("price", Decimal("12345.67"), "sell", terms("0.01", 5), rounded=True) == Decimal("12346")
    with pytest.raises(InvalidOrder, match="no multiple of the tick size 1: the nearest are 12345 and 12346"):
        on_tick("price", Decimal("12345.67"), "buy", terms("0.01", 5), rounded=False)
