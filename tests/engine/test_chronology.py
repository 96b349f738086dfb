"""The order of trades: by time, and by ids that count."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cexspec.engine.chronology import chronological, told_newest_first
from cexspec.engine.cursor import ascending
from cexspec.models import Trade

ENDLESS = "9" * 5_000
"""More digits than Python reads as a number."""


def trade(id: str | None, timestamp: int = 1) -> Trade:
    return Trade(exchange="x", symbol="A/B", id=id, price=Decimal(1), size=None, side=None, timestamp=timestamp)


@pytest.mark.parametrize(
    ("ids", "backwards"),
    [(["2", "1"], True), (["9", "10"], False), (["b", "a"], False), ([None, "1"], False), ([ENDLESS, "1"], False), (["1", ENDLESS], True)],
)
def test_ids_tell_the_order_of_trades_of_one_time_where_they_count(ids: list[str | None], backwards: bool) -> None:
    trades = [trade(id) for id in ids]
    assert told_newest_first(trades) is backwards
    assert chronological(trades) == (trades[::-1] if backwards else trades)
    assert sorted(ascending(trades), key=id) == sorted(trades, key=id)


def test_time_comes_before_ids() -> None:
    assert told_newest_first([trade(ENDLESS, 2), trade("7", 1)])
    assert [one.timestamp for one in chronological([trade(ENDLESS, 2), trade("7", 1)])] == [1, 2]
