"""One native id that means an instrument in each of several product lines."""

from __future__ import annotations

import json
from typing import Any

from cexspec import Normalizer

SPOT = {
    "lotSizeFilter": {"basePrecision": "0.000001", "minOrderQty": "0.000012", "maxOrderQty": "84", "minOrderAmt": "5"},
    "priceFilter": {"tickSize": "0.01"},
}
LINEAR = {
    "contractType": "LinearPerpetual",
    "settleCoin": "USDT",
    "deliveryTime": "0",
    "lotSizeFilter": {"qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "110"},
    "priceFilter": {"tickSize": "0.1"},
}


def listing(category: str, **rest: Any) -> str:
    row = {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "status": "Trading", **rest}
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": {"category": category, "list": [row]}, "time": 1_785_571_200_000})


def test_the_list_of_one_line_leaves_the_instruments_of_another_known() -> None:
    normalizer = Normalizer("bybit")
    for category, facts in (("spot", SPOT), ("linear", LINEAR)):
        normalizer.rest("instruments", listing(category, **facts))
    found = [normalizer.markets.instrument(symbol) for symbol in ("BTC/USDT", "BTC/USDT:PERP")]
    assert [(each.id, each.kind, str(each.tick_size)) for each in found if each is not None] == [
        ("BTCUSDT", "spot", "0.01"),
        ("BTCUSDT", "perpetual", "0.1"),
    ]
