"""Positions in figures one can check by hand: linear contracts of 0.01 BTC, inverse ones of 100 USD."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cexspec.models.errors import InsufficientFunds, InvalidRequest
from cexspec.paper.rules import Rules
from tests.paper.stage import INVERSE, LINEAR, SPOT, Stage

FREE = Rules(maker=Decimal(0), taker=Decimal(0))
FEES = Rules(maker=Decimal("0.001"), taker=Decimal("0.002"))
NOTHING = Rules(maker=Decimal(0), taker=Decimal(0), maintenance=Decimal(0))

# fmt: off
TRADES = [
    # instrument, (side, contracts, price)..., the position, its entry price, what was made, in the settlement currency
    (LINEAR, [("buy", 100, 100)], "100", "100", "0"),
    (LINEAR, [("buy", 100, 100), ("buy", 100, 110)], "200", "105", "0"),
    (LINEAR, [("buy", 100, 100), ("sell", 40, 110)], "60", "100", "4"),
    (LINEAR, [("buy", 100, 100), ("sell", 100, 90)], "0", None, "-10"),
    (LINEAR, [("buy", 100, 100), ("sell", 150, 110)], "-50", "110", "10"),
    (LINEAR, [("sell", 100, 100), ("buy", 100, 90)], "0", None, "10"),
    (INVERSE, [("buy", 10, 100)], "10", "100", "0"),
    (INVERSE, [("buy", 10, 100), ("buy", 10, 200)], "20", "133.333333333333", "0"),
    (INVERSE, [("buy", 10, 100), ("sell", 10, 125)], "0", None, "2"),
    (INVERSE, [("sell", 10, 100), ("buy", 10, 125)], "0", None, "-2"),
    (INVERSE, [("buy", 10, 100), ("sell", 5, 80)], "5", "100", "-1.25"),
]
# fmt: on


@pytest.mark.parametrize(("symbol", "trades", "units", "entry", "made"), TRADES)
def test_what_trades_make_of_a_position(symbol: str, trades: list[tuple[str, int, int]], units: str, entry: str | None, made: str) -> None:
    stage, currency = Stage(FREE), "BTC" if symbol == INVERSE else "USDT"
    before = stage.total("ann", currency)
    for side, contracts, price in trades:
        stage.place("bob", "sell" if side == "buy" else "buy", contracts, price, symbol=symbol)
        stage.place("ann", side, contracts, price, symbol=symbol)
    position = stage.venue.accounts["ann"].positions[symbol]
    told = stage.venue.positions("ann")
    assert position.units == Decimal(units)
    assert [one.entry_price for one in told] == ([Decimal(entry)] if entry else [])
    assert stage.total("ann", currency) - before == Decimal(made)


@pytest.mark.parametrize(
    ("symbol", "side", "mark", "pnl", "quantity"),
    [
        (LINEAR, "buy", 110, "1", "0.1"),
        (LINEAR, "sell", 110, "-1", "0.1"),
        (INVERSE, "buy", 125, "2", "10"),
        (INVERSE, "sell", 125, "-2", "10"),
    ],
)
def test_unrealised_profit_at_the_mark_price(symbol: str, side: str, mark: int, pnl: str, quantity: str) -> None:
    stage = Stage(FREE)
    stage.place("bob", "sell" if side == "buy" else "buy", 10, 100, symbol=symbol)
    stage.place("ann", side, 10, 100, symbol=symbol)
    stage.venue.set_price(symbol, Decimal(mark), stage.tick())
    (position,) = stage.venue.positions("ann", symbol)
    assert (position.side, position.mark_price) == ("long" if side == "buy" else "short", mark)
    assert (position.unrealized_pnl, position.quantity, position.contracts) == (Decimal(pnl), Decimal(quantity), 10)


@pytest.mark.parametrize(
    ("symbol", "side", "price"),
    [(LINEAR, "buy", "80"), (LINEAR, "sell", "120"), (INVERSE, "buy", "83.333333333333"), (INVERSE, "sell", "125")],
)
def test_a_position_is_liquidated_where_its_margin_is_worn_down(symbol: str, side: str, price: str) -> None:
    stage = Stage(NOTHING)
    stage.venue.set_margin_mode("ann", symbol, "isolated", stage.tick())
    stage.venue.set_leverage("ann", symbol, Decimal(5), stage.tick())
    stage.place("bob", "sell" if side == "buy" else "buy", 10, 100, symbol=symbol)
    stage.place("ann", side, 10, 100, symbol=symbol)
    (position,) = stage.venue.positions("ann")
    assert (position.liquidation_price, position.leverage, position.margin_mode) == (Decimal(price), 5, "isolated")


def test_fees_of_spot_are_taken_from_what_is_received() -> None:
    stage = Stage(FEES)
    stage.place("bob", "sell", 1, 100)
    order = stage.place("ann", "buy", 1, 100)
    assert (order.fee, order.fee_currency) == (Decimal("0.002"), "BTC")
    assert stage.total("ann", "BTC") == Decimal("100.998")
    assert stage.total("bob", "USDT") == Decimal("10099.9")


def test_fees_of_spot_may_always_be_paid_in_quote_currency() -> None:
    stage = Stage(replace(FEES, in_quote=True))
    stage.place("bob", "sell", 1, 100)
    order = stage.place("ann", "buy", 1, 100)
    assert (order.fee, order.fee_currency) == (Decimal("0.2"), "USDT")
    assert (stage.total("ann", "BTC"), stage.total("ann", "USDT")) == (Decimal(101), Decimal("9899.8"))
    assert stage.total("bob", "USDT") == Decimal("10099.9")
    stage.place("ann", "buy", 98, 100)
    assert stage.free("ann", "USDT") == Decimal("80.2")
    with pytest.raises(InsufficientFunds):
        stage.place("ann", "buy", "0.9", 100)


def test_fees_of_contracts_are_taken_from_the_margin_currency() -> None:
    stage = Stage(FEES)
    stage.place("bob", "sell", 10, 100, symbol=INVERSE)
    order = stage.place("ann", "buy", 10, 100, symbol=INVERSE)
    assert (order.fee, order.fee_currency) == (Decimal("0.02"), "BTC")
    assert stage.total("bob", "BTC") == Decimal("99.99")


def test_orders_and_positions_set_margin_aside() -> None:
    stage = Stage(FREE)
    stage.place("ann", "buy", 1000, 100, symbol=LINEAR)
    assert stage.free("ann", "USDT") == 9_900
    stage.place("ann", "sell", 1000, 110, symbol=LINEAR)
    assert stage.free("ann", "USDT") == 9_890  # of both sides the greater one
    stage.place("bob", "sell", 1000, 100, symbol=LINEAR)
    assert stage.free("ann", "USDT") == 9_900  # the sale only closes now


def test_leverage_decides_over_the_margin() -> None:
    stage = Stage(FREE)
    stage.place("ann", "buy", 10_000, 100, symbol=LINEAR)
    stage.venue.set_leverage("ann", LINEAR, Decimal(20), stage.tick())
    assert stage.free("ann", "USDT") == 9_500
    with pytest.raises(InsufficientFunds):
        stage.place("ann", "buy", 200_000, 100, symbol=LINEAR)
    stage.venue.set_leverage("ann", LINEAR, Decimal(1), stage.tick())
    with pytest.raises(InsufficientFunds):
        stage.place("ann", "buy", 1, 100, symbol=LINEAR)


def test_leverage_and_margin_mode_that_cannot_be() -> None:
    stage = Stage()
    stage.place("ann", "buy", 10, 100, symbol=LINEAR)
    for symbol, leverage in ((LINEAR, 0), (LINEAR, 200), (SPOT, 2)):
        with pytest.raises(InvalidRequest, match="leverage is from 1 to 125"):
            stage.venue.set_leverage("ann", symbol, Decimal(leverage), stage.tick())
    with pytest.raises(InvalidRequest, match="while there is a position or an order"):
        stage.venue.set_margin_mode("ann", LINEAR, "isolated", stage.tick())
    with pytest.raises(InvalidRequest, match="spot has no margin mode"):
        stage.venue.set_margin_mode("ann", SPOT, "isolated", stage.tick())


def test_losses_end_the_newest_orders_that_they_leave_without_funds() -> None:
    stage = Stage(FREE)
    stage.place("bob", "sell", 1000, 100, symbol=LINEAR)
    stage.place("ann", "buy", 1000, 100, symbol=LINEAR)
    older, newer = (stage.place("ann", "buy", 49, 100) for _ in range(2))
    stage.place("bob", "buy", 1000, 60, symbol=LINEAR)
    stage.place("ann", "sell", 1000, symbol=LINEAR)
    assert stage.order("ann", older).status == "new"
    assert stage.order("ann", newer).reason == "insufficient_funds"
    assert stage.total("ann", "USDT") == 9_600


def test_what_is_lost_beyond_everything_the_house_pays() -> None:
    stage = Stage(FREE)
    stage.place("bob", "sell", 50_000, 100, symbol=LINEAR)
    stage.place("ann", "buy", 50_000, 100, symbol=LINEAR)
    stage.place("cyd", "buy", 50_000, 60, symbol=LINEAR)
    stage.place("ann", "sell", 50_000, symbol=LINEAR)
    assert stage.total("ann", "USDT") == 0
    assert stage.total("house", "USDT") == -10_000
