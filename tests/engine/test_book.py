"""The local book against the plainest one there is, and what can be read of it."""

from __future__ import annotations

import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.engine.books.order_book import BookSide, OrderBook
from cexspec.models import Level, Number

D = Decimal
BIDS: list[Level] = [(D("10.0"), D(2)), (D("9.5"), D(1)), (D("9.0"), D(4))]
ASKS: list[Level] = [(D("10.5"), D(6)), (D("11.0"), D(1))]


def book(bids: list[Level] | None = None, asks: list[Level] | None = None, **more: Any) -> OrderBook:
    made = OrderBook()
    made.replace(BIDS if bids is None else bids, ASKS if asks is None else asks, **more)
    return made


PRICES = st.integers(1, 30).map(lambda number: D(number) / 4)
LEVELS = st.lists(st.tuples(PRICES, st.integers(0, 3).map(D)), max_size=20)


@given(LEVELS, st.lists(LEVELS, max_size=8), st.sampled_from([D, float]), st.sampled_from(["bids", "asks"]))
def test_a_side_holds_what_two_lines_of_dict_and_sort_hold(start: Any, changes: Any, number: Any, name: Any) -> None:
    side, plain = BookSide(name), {number(price): number(size) for price, size in start if size}
    side.replace([(number(price), number(size)) for price, size in start if size])
    for levels in changes:
        change = [(number(price), number(size)) for price, size in levels]
        side.change(change)
        plain |= dict(change)
        plain = {price: size for price, size in plain.items() if size}
    expected = sorted(plain.items(), reverse=name == "bids")
    assert side.top() == expected
    assert (side.top(3), side.best, len(side)) == (expected[:3], expected[0] if expected else None, len(expected))


@pytest.mark.parametrize("number", [D, float])
def test_what_is_read_of_the_top(number: type[D] | type[float]) -> None:
    one = OrderBook()
    bids, asks = ([(number(price), number(size)) for price, size in side] for side in (BIDS, ASKS))
    one.replace(bids, asks)
    assert (one.best_bid, one.best_ask) == ((10, 2), (number("10.5"), 6))
    assert (one.spread, one.mid, one.microprice) == (number("0.5"), number("10.25"), number("10.125"))
    assert one.depth(1) == ([(10, 2)], [(number("10.5"), 6)])
    assert one.depth(0) == ([], [])
    assert (len(one.bids), len(one.asks), one.verified_depth) == (3, 2, 2)


@pytest.mark.parametrize(
    ("size", "side", "price"),
    [("6", "buy", "10.5"), ("7", "buy", "74"), ("8", "buy", None), ("2", "sell", "10.0"), ("4", "sell", "38.5"), ("99", "sell", None)],
)
def test_the_average_price_of_an_order(size: str, side: Any, price: str | None) -> None:
    paid = {"74": D("74") / 7, "38.5": D("38.5") / 4}.get(str(price), price and D(price))
    assert book().vwap(D(size), side) == paid


def test_an_empty_side_makes_what_needs_it_none() -> None:
    one = book(asks=[])
    assert (one.best_ask, one.spread, one.mid, one.microprice, one.vwap(D(1), "buy")) == (None,) * 5
    assert (one.best_bid, one.verified_depth, one.crossed) == (BIDS[0], 0, False)


def test_digits_are_those_of_the_last_message() -> None:
    one = book()
    one.change([(D("10.00"), D("3.50"))], [])
    assert [str(part) for part in one.bids[0]] == ["10.00", "3.50"]


def test_prices_of_any_length_stay_exact() -> None:
    long: list[Level] = [(D("0.1234567890123456789012345678901234"), D(1)), (D("0.1234567890123456789012345678901235"), D(1))]
    one = book(bids=[], asks=long)
    assert one.asks == long
    one.change([], [(long[0][0], D(0))])
    assert one.asks == long[1:]


@pytest.mark.parametrize(("bid", "crossed"), [("10.25", False), ("10.5", True), ("10.75", True)])
def test_bids_that_reach_the_asks_are_crossed(bid: str, crossed: bool) -> None:
    one = book()
    one.change([(D(bid), D(1))], [])
    assert one.crossed is crossed


def test_below_the_end_of_the_top_of_a_deeper_book_nothing_is_kept() -> None:
    one = book(asked=3)
    one.change([(D("8.5"), D(1)), (D("9.25"), D(1)), (D("9.0"), D(0))], [(D("12"), D(1)), (D("10.75"), D(1))])
    assert [price for price, _ in one.bids] == [D("10.0"), D("9.5"), D("9.25")]
    assert [price for price, _ in one.asks] == [D("10.5"), D("10.75"), D("11.0"), D("12")]
    assert [side.edge for side in one._sides()] == [D("9.0"), None]
    one.replace(BIDS, ASKS)
    assert [side.edge for side in one._sides()] == [None, None]


def test_a_book_that_is_cut_keeps_the_best() -> None:
    one = book()
    one.cut(1)
    assert (one.bids, one.asks) == (BIDS[:1], ASKS[:1])
    one.change([(D("9.5"), D(1))], [])
    assert one.bids == BIDS[:2]


def test_memory_is_bounded_and_the_rest_is_known_to_be_unknown() -> None:
    side = BookSide("asks", most=3)
    side.change([(D(number), D(1)) for number in (5, 4, 3, 2, 1)])
    assert [price for price, _ in side.top()] == [1, 2, 3]
    side.change([(D(1), D(0)), (D(9), D(1))])
    assert [price for price, _ in side.top()] == [2, 3]


@pytest.mark.parametrize(("method", "library", "function"), [("to_pandas", "pandas", "DataFrame"), ("to_arrow", "pyarrow", "table")])
def test_tables_of_other_libraries(monkeypatch: pytest.MonkeyPatch, method: str, library: str, function: str) -> None:
    monkeypatch.setitem(sys.modules, library, SimpleNamespace(**{function: lambda columns: columns}))
    table: dict[str, list[str | Number]] = getattr(book(), method)(1)
    assert table == {"side": ["bid", "ask"], "price": [D("10.0"), D("10.5")], "size": [D(2), D(6)]}
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {library}"):
        getattr(book(), method)()
