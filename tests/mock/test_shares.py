"""Which of several calls for one answer tells of an instrument."""

from __future__ import annotations

import msgspec
import pytest

from cexspec.mock import MockVenue
from cexspec.mock.listing import renamed
from cexspec.models.symbol import Symbol

SHARES = [  # exchange, method, path, query or body, what is told of, what is not
    ("bybit", "/v5/market/tickers", {"category": "option", "baseCoin": "ETH"}, {"ETH-25SEP26-4200-C"}, "BTC-"),
    ("bybit", "/v5/market/instruments-info", {"category": "option", "baseCoin": "SOL", "limit": "1000"}, set(), "-"),
    ("bybit", "/v5/market/instruments-info", {"category": "inverse", "limit": "1000"}, {"BTCUSD", "InversePerpetual"}, "Linear"),
    ("kraken", "/0/public/Ticker", {"asset_class": "tokenized_asset"}, {"AAPLxUSD"}, "XXBTZUSD"),
    ("kraken", "/0/public/AssetPairs", {"aclass_base": "currency"}, {"XXBTZUSD", "XBT/USD"}, "AAPLx"),
    ("okx", "/api/v5/market/tickers", {"instType": "SWAP"}, {"BTC-USDT-SWAP"}, "OPTION"),
]


@pytest.mark.parametrize(("exchange", "path", "query", "told", "untold"), SHARES)
def test_a_call_tells_of_its_own(exchange: str, path: str, query: dict[str, str], told: set[str], untold: str) -> None:
    status, body, _ = MockVenue(exchange).answer("GET", path, query)
    text = body.decode().split('"time"')[0]
    assert status == 200
    assert {word for word in told if f'"{word}"' in text} == told
    assert untold not in text


@pytest.mark.parametrize(("dex", "names"), [("", ["BTC", "kPEPE"]), ("hyna", ["hyna:BTC"]), ("km", ["km:US500"])])
def test_each_dex_tells_of_its_own_with_its_collateral(dex: str, names: list[str]) -> None:
    body = msgspec.json.encode({"type": "metaAndAssetCtxs", "dex": dex})
    _, answer, _ = MockVenue("hyperliquid").answer("POST", "/info", {}, body)
    meta, contexts = msgspec.json.decode(answer)
    assert [one["name"] for one in meta["universe"]] == names
    assert meta["collateralToken"] == {"": 0, "hyna": 235, "km": 360}[dex]
    assert len(contexts) == len(names)


RENAMED = [
    ({"family": "BTC-USDT", "coin": "BTC", "other": "BTCUSDT", "list": ["USDT", 1]},
     {"family": "ETH-USDC", "coin": "ETH", "other": "ETHUSDC", "list": ["USDC", 1]}),
    ({"status": "TRADING", "XBT": "XBTUSD"}, {"status": "TRADING", "XBT": "XBTUSD"}),
]  # fmt: skip


@pytest.mark.parametrize(("item", "expected"), RENAMED)
def test_rows_about_another_instrument_get_its_assets(item: object, expected: object) -> None:
    assert renamed(item, Symbol.parse("BTC/USDT"), Symbol.parse("ETH/USDC")) == expected
