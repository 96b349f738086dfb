"""Where the benchmarked order is placed: what each venue answers, and what ccxt has to know of the market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECRETS = {
    "api_key": "key",
    "api_secret": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "passphrase": "phrase",
    "private_key": "0x" + "01" * 32,
}
"""For venues whose credentials are texts; all of them are made up."""


@dataclass(frozen=True)
class Place:
    """One venue.

    `ack` is the answer to an order (`%d`: its number), `client_id` what the order is called, `rival` is ccxt's class, which also needs
    further fields of the `market` and `options`; `listed` are further fields of our instrument.
    """

    symbol: str
    native: str
    ack: str
    rival: str
    client_id: str = "abcdefghij234567"
    market: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    listed: Mapping[str, Any] = field(default_factory=dict)


_BINANCE = (
    '{"symbol":"BTCUSDT","orderId":%d,"orderListId":-1,"clientOrderId":"c%d","transactTime":1785571200000,"price":"50000.1",'
    '"origQty":"0.5","executedQty":"0","cummulativeQuoteQty":"0","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY"}'
)
_USDM = (
    '{"orderId":%d,"clientOrderId":"c%d","cumQty":"0","cumQuote":"0","executedQty":"0","avgPrice":"0.00","origQty":"0.5",'
    '"price":"50000.1","reduceOnly":false,"side":"BUY","positionSide":"BOTH","status":"NEW","stopPrice":"0","symbol":"BTCUSDT",'
    '"timeInForce":"GTC","type":"LIMIT","origType":"LIMIT","updateTime":1785571200000,"time":1785571200000}'
)
_OKX = '{"code":"0","msg":"","data":[{"ordId":"%d","clOrdId":"c%d","sCode":"0","sMsg":"","ts":"1785571200000"}]}'
_BITFINEX = (
    '[1785571200005,"on-req",null,null,[[%d,null,%d,"tBTCUSD",1785571200000,1785571200250,0.5,0.5,"EXCHANGE LIMIT",null,null,null,0,'
    '"ACTIVE",null,null,50000.1,0,0,0,null,null,null,0,0,null,null,null,"API>BFX",null,null,{}]],null,"SUCCESS","Submitting 1 orders."]'
)
_TYPES = {"info": {"orderTypes": ["LIMIT", "MARKET"], "orderType": ["LIMIT", "MARKET"]}}

PLACES: Mapping[str, Place] = {
    "okx": Place("BTC/USDT", "BTC-USDT", _OKX, "okx"),
    "binance": Place("BTC/USDT", "BTCUSDT", _BINANCE, "binance", market=_TYPES),
    "binance_usdm": Place("BTC/USDT:PERP", "BTCUSDT", _USDM, "binanceusdm", market=_TYPES),
    "bybit": Place(
        "BTC/USDT",
        "BTCUSDT",
        '{"retCode":0,"retMsg":"OK","result":{"orderId":"%d","orderLinkId":"c%d"},"retExtInfo":{},"time":1785571200000}',
        "bybit",
        options={"enableUnifiedAccount": True, "enableUnifiedMargin": False},
    ),
    "kraken": Place("BTC/USD", "XBTUSD", '{"error":[],"result":{"txid":["%d"],"descr":{"order":"c%d"}}}', "kraken"),
    "bitfinex": Place("BTC/USD", "tBTCUSD", _BITFINEX, "bitfinex", client_id="7000001", market={"precision": {"price": 5, "amount": 8}}),
    "hyperliquid": Place(
        "BTC/USDC:PERP",
        "BTC",
        '{"status":"ok","response":{"type":"order","data":{"statuses":[{"resting":{"oid":%d,"cloid":"0x%032x"}}]}}}',
        "hyperliquid",
        client_id="0x000000000000000000000000000000c1",
        market={"baseId": "0", "info": {"szDecimals": "5"}},
        options={"builderFee": False, "approvedBuilderFee": True, "refSet": True, "initialized": True},
        listed={"code": 0},
    ),
}
