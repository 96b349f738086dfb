"""Events as JSON: exact digits, plain notation, nothing left out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from cexspec.models import Book, Event, Gap, Ticker, Trade
from cexspec.models.encode import plain, to_dict, to_json

D = Decimal
PLAIN = [
    (D("0.10"), "0.10"),
    (D("1E-8"), "0.00000001"),
    (D("0E-8"), "0.00000000"),
    (D("6E+4"), "60000"),
    (D("-1.50"), "-1.50"),
    (0.1, 0.1),
    (7, 7),
    (True, True),
    (None, None),
    ("x", "x"),
    ([(D("1.0"), D("2"))], [["1.0", "2"]]),
    ([(1.5, 2.0)], [[1.5, 2.0]]),
]


@pytest.mark.parametrize(("value", "expected"), PLAIN)
def test_values_keep_their_digits_and_take_no_exponent(value: object, expected: object) -> None:
    assert plain(value) == expected


EVENTS: list[tuple[Event, dict[str, object]]] = [
    (Ticker(exchange="x", symbol="A/B", last=D("1.0")), {"type": "ticker", "last": "1.0", "bid": None}),
    (Trade(exchange="x", symbol=None, id="1", price=1.5, size=2.0, side="buy"), {"type": "trade", "symbol": None, "price": 1.5}),
    (
        Book(exchange="x", symbol="A/B", bids=[(D("1.10"), D("0"))], asks=[], is_snapshot=False),
        {"type": "book", "bids": [["1.10", "0"]], "asks": [], "is_snapshot": False, "size_unit": "base"},
    ),
    (Gap(exchange="x", symbol="A/B", channel="trades", cause="lost"), {"type": "gap", "closed": False}),
]


@pytest.mark.parametrize(("event", "expected"), EVENTS)
def test_every_field_is_there_after_the_type(event: Event, expected: dict[str, object]) -> None:
    found = to_dict(event)
    assert list(found) == ["type", *event.__struct_fields__]
    assert expected.items() <= found.items()
    assert json.loads(to_json(event)) == found
