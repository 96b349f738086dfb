"""Private requests of venues as they are sent: what both libraries are given to sign."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from tests.signing import keys

Written = Literal["query", "form", "json", "nothing"]


class Case(NamedTuple):
    """One request: `path` as ours, `api` and `endpoint` as ccxt calls it."""

    name: str
    method: str
    path: str
    api: str | list[str]
    endpoint: str
    params: dict[str, Any] = {}  # noqa: RUF012 - never changed
    written: Written = "query"


class Venue(NamedTuple):
    """A venue: the recipe's exchange (shipped, or a spec beside this file) and the class and settings of ccxt."""

    ours: str
    rival: str
    cases: tuple[Case, ...]
    secrets: dict[str, str] = {"text": keys.TEXT}  # noqa: RUF012
    options: dict[str, Any] = {}  # noqa: RUF012
    key: str = keys.KEY
    recipe: str = "rest"


def _binance(api: str, prefix: str, path: str) -> tuple[Case, ...]:
    limit = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.10", "price": "50000.50"}
    limit["newClientOrderId"] = "x-1"
    market = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1", "newClientOrderId": "x-2"}
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "1", "stopPrice": "49000", "newClientOrderId": "x-3"}
    return (
        Case("place limit", "POST", f"{prefix}/order", api, "order", limit, "form"),
        Case("place market", "POST", f"{prefix}/order", api, "order", market, "form"),
        Case("place stop", "POST", f"{prefix}/order", api, "order", stop, "form"),
        Case("an id of other letters", "GET", f"{prefix}/openOrders", api, "openOrders", {"symbol": "币安人生USDT"}),
        Case("cancel", "DELETE", f"{prefix}/order", api, "order", {"symbol": "BTCUSDT", "orderId": "28"}),
        Case("open orders", "GET", f"{prefix}/openOrders", api, "openOrders", {"symbol": "BTCUSDT"}),
        Case("balances", "GET", f"{prefix}/{path}", api, path, {}),
    )


_KINDS = {"text": keys.TEXT, "rsa": keys.RSA, "ed25519": keys.ED25519}
_TYPE = "application/json"

OKX = (
    Case(
        "place limit",
        "POST",
        "/api/v5/trade/order",
        "private",
        "trade/order",
        {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit", "sz": "0.10", "px": "50000.5", "clOrdId": "a1"},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/api/v5/trade/order",
        "private",
        "trade/order",
        {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "market", "sz": "1", "clOrdId": "a2"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/api/v5/trade/order-algo",
        "private",
        "trade/order-algo",
        {
            "instId": "BTC-USDT",
            "tdMode": "cash",
            "side": "sell",
            "ordType": "trigger",
            "sz": "1",
            "triggerPx": "49000",
            "orderPx": "-1",
            "clOrdId": "a3",
        },
        "json",
    ),
    Case("cancel", "POST", "/api/v5/trade/cancel-order", "private", "trade/cancel-order", {"instId": "BTC-USDT", "ordId": "12"}, "json"),
    Case(
        "open orders", "GET", "/api/v5/trade/orders-pending", "private", "trade/orders-pending", {"instType": "SPOT", "instId": "BTC-USDT"}
    ),
    Case("balances", "GET", "/api/v5/account/balance", "private", "account/balance"),
    Case("positions", "GET", "/api/v5/account/positions", "private", "account/positions", {"instType": "SWAP"}),
)
BYBIT = (
    Case(
        "place limit",
        "POST",
        "/v5/order/create",
        "private",
        "v5/order/create",
        {
            "category": "spot",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.10",
            "price": "50000.5",
            "timeInForce": "GTC",
            "orderLinkId": "a1",
        },
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/v5/order/create",
        "private",
        "v5/order/create",
        {"category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Market", "qty": "1", "reduceOnly": True},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/v5/order/create",
        "private",
        "v5/order/create",
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Sell",
            "orderType": "Market",
            "qty": "1",
            "triggerPrice": "49000",
            "triggerDirection": 2,
        },
        "json",
    ),
    Case(
        "cancel",
        "POST",
        "/v5/order/cancel",
        "private",
        "v5/order/cancel",
        {"category": "spot", "symbol": "BTCUSDT", "orderId": "c6f055d9"},
        "json",
    ),
    Case("open orders", "GET", "/v5/order/realtime", "private", "v5/order/realtime", {"category": "spot", "symbol": "BTCUSDT"}),
    Case("balances", "GET", "/v5/account/wallet-balance", "private", "v5/account/wallet-balance", {"accountType": "UNIFIED"}),
    Case("positions", "GET", "/v5/position/list", "private", "v5/position/list", {"category": "linear", "settleCoin": "USDT"}),
)
KRAKEN = (
    Case(
        "place limit",
        "POST",
        "/0/private/AddOrder",
        "private",
        "AddOrder",
        {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "volume": "0.10", "price": "50000.5"},
        "form",
    ),
    Case(
        "place market",
        "POST",
        "/0/private/AddOrder",
        "private",
        "AddOrder",
        {"pair": "XBT/USD", "type": "sell", "ordertype": "market", "volume": "1"},
        "form",
    ),
    Case(
        "place stop",
        "POST",
        "/0/private/AddOrder",
        "private",
        "AddOrder",
        {"pair": "XBTUSDT", "type": "sell", "ordertype": "stop-loss", "volume": "1", "price": "49000"},
        "form",
    ),
    Case("cancel", "POST", "/0/private/CancelOrder", "private", "CancelOrder", {"txid": "OYVGEW-VYV5B-UUEXSK"}, "form"),
    Case("open orders", "POST", "/0/private/OpenOrders", "private", "OpenOrders"),
    Case("balances", "POST", "/0/private/BalanceEx", "private", "BalanceEx"),
    Case("positions", "POST", "/0/private/OpenPositions", "private", "OpenPositions", {"docalcs": "true"}, "form"),
    Case("the token of WebSocket logins", "POST", "/0/private/GetWebSocketsToken", "private", "GetWebSocketsToken"),
)
BITFINEX = (
    Case(
        "place limit",
        "POST",
        "/v2/auth/w/order/submit",
        "private",
        "auth/w/order/submit",
        {"type": "EXCHANGE LIMIT", "symbol": "tBTCUSD", "amount": "0.10", "price": "50000.5", "cid": 7},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/v2/auth/w/order/submit",
        "private",
        "auth/w/order/submit",
        {"type": "EXCHANGE MARKET", "symbol": "tBTCUSD", "amount": "-1"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/v2/auth/w/order/submit",
        "private",
        "auth/w/order/submit",
        {"type": "STOP", "symbol": "tBTCF0:USTF0", "amount": "-1", "price": "49000", "flags": 1024},
        "json",
    ),
    Case("cancel", "POST", "/v2/auth/w/order/cancel", "private", "auth/w/order/cancel", {"id": 1189428429}, "json"),
    Case("open orders", "POST", "/v2/auth/r/orders", "private", "auth/r/orders", {}, "json"),
    Case("balances", "POST", "/v2/auth/r/wallets", "private", "auth/r/wallets", {}, "json"),
    Case("positions", "POST", "/v2/auth/r/positions", "private", "auth/r/positions", {}, "json"),
)
COINBASE_EXCHANGE = (
    Case(
        "place limit",
        "POST",
        "/orders",
        "private",
        "orders",
        {"client_oid": "a-1", "type": "limit", "side": "buy", "product_id": "BTC-USD", "price": "50000.5", "size": "0.10"},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/orders",
        "private",
        "orders",
        {"type": "market", "side": "sell", "product_id": "BTC-USD", "size": "1"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/orders",
        "private",
        "orders",
        {"type": "limit", "side": "sell", "product_id": "BTC-USD", "stop": "loss", "stop_price": "49000", "price": "48900", "size": "1"},
        "json",
    ),
    Case("cancel", "DELETE", "/orders/d50ec984", "private", "orders/d50ec984", {}, "nothing"),
    Case("open orders", "GET", "/orders", "private", "orders", {"product_id": "BTC-USD", "status": "open"}),
    Case("balances", "GET", "/accounts", "private", "accounts"),
)
COINBASE_ADVANCED = (
    Case(
        "place limit",
        "POST",
        "/orders",
        ["v3", "private"],
        "brokerage/orders",
        {
            "client_order_id": "a-1",
            "product_id": "BTC-USD",
            "side": "BUY",
            "order_configuration": {"limit_limit_gtc": {"base_size": "0.10", "limit_price": "50000.5", "post_only": False}},
        },
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/orders",
        ["v3", "private"],
        "brokerage/orders",
        {
            "client_order_id": "a-2",
            "product_id": "BTC-USD",
            "side": "SELL",
            "order_configuration": {"market_market_ioc": {"base_size": "1"}},
        },
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/orders",
        ["v3", "private"],
        "brokerage/orders",
        {
            "client_order_id": "a-3",
            "product_id": "BTC-USD",
            "side": "SELL",
            "order_configuration": {
                "stop_limit_stop_limit_gtc": {
                    "base_size": "1",
                    "limit_price": "48900",
                    "stop_price": "49000",
                    "stop_direction": "STOP_DIRECTION_STOP_DOWN",
                }
            },
        },
        "json",
    ),
    Case("cancel", "POST", "/orders/batch_cancel", ["v3", "private"], "brokerage/orders/batch_cancel", {"order_ids": ["1"]}, "json"),
    Case(
        "open orders",
        "GET",
        "/orders/historical/batch",
        ["v3", "private"],
        "brokerage/orders/historical/batch",
        {"order_status": "OPEN", "product_ids": "BTC-USD"},
    ),
    Case("balances", "GET", "/accounts", ["v3", "private"], "brokerage/accounts", {"limit": "250"}),
    Case("positions", "GET", "/cfm/positions", ["v3", "private"], "brokerage/cfm/positions"),
)
HTX = (
    Case(
        "place limit",
        "POST",
        "/v1/order/orders/place",
        ["spot", "private"],
        "v1/order/orders/place",
        {"account-id": "1", "symbol": "btcusdt", "type": "buy-limit", "amount": "0.10", "price": "50000.5", "client-order-id": "a1"},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/v1/order/orders/place",
        ["spot", "private"],
        "v1/order/orders/place",
        {"account-id": "1", "symbol": "btcusdt", "type": "sell-market", "amount": "1", "client-order-id": "a2"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/v1/order/orders/place",
        ["spot", "private"],
        "v1/order/orders/place",
        {
            "account-id": "1",
            "symbol": "btcusdt",
            "type": "sell-stop-limit",
            "amount": "1",
            "price": "48900",
            "stop-price": "49000",
            "operator": "lte",
            "client-order-id": "a3",
        },
        "json",
    ),
    Case("cancel", "POST", "/v1/order/orders/59378/submitcancel", ["spot", "private"], "v1/order/orders/59378/submitcancel", {}, "json"),
    Case(
        "open orders", "GET", "/v1/order/openOrders", ["spot", "private"], "v1/order/openOrders", {"symbol": "btcusdt", "account-id": "1"}
    ),
    Case("balances", "GET", "/v1/account/accounts/1/balance", ["spot", "private"], "v1/account/accounts/1/balance"),
)
KUCOIN = (
    Case(
        "place limit",
        "POST",
        "/api/v1/hf/orders",
        "private",
        "hf/orders",
        {"clientOid": "a-1", "symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": "50000.5", "size": "0.10"},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/api/v1/hf/orders",
        "private",
        "hf/orders",
        {"clientOid": "a-2", "symbol": "BTC-USDT", "side": "sell", "type": "market", "size": "1"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/api/v1/stop-order",
        "private",
        "stop-order",
        {"clientOid": "a-3", "symbol": "BTC-USDT", "side": "sell", "type": "market", "size": "1", "stop": "loss", "stopPrice": "49000"},
        "json",
    ),
    Case(
        "cancel",
        "DELETE",
        "/api/v1/hf/orders/5bd6e9286d99522a52e458de",
        "private",
        "hf/orders/5bd6e9286d99522a52e458de",
        {"symbol": "BTC-USDT"},
    ),
    Case("open orders", "GET", "/api/v1/hf/orders/active", "private", "hf/orders/active", {"symbol": "BTC-USDT"}),
    Case("balances", "GET", "/api/v1/accounts", "private", "accounts", {"type": "trade"}),
    Case("the token of WebSocket logins", "POST", "/api/v1/bullet-private", "private", "bullet-private", {}, "nothing"),
)
GATE = (
    Case(
        "place limit",
        "POST",
        "/spot/orders",
        ["private", "spot"],
        "orders",
        {
            "text": "t-1",
            "currency_pair": "BTC_USDT",
            "type": "limit",
            "account": "spot",
            "side": "buy",
            "amount": "0.10",
            "price": "50000.5",
            "time_in_force": "gtc",
        },
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/spot/orders",
        ["private", "spot"],
        "orders",
        {"text": "t-2", "currency_pair": "BTC_USDT", "type": "market", "side": "sell", "amount": "1", "time_in_force": "ioc"},
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/spot/price_orders",
        ["private", "spot"],
        "price_orders",
        {
            "trigger": {"price": "49000", "rule": "<=", "expiration": 3600},
            "put": {"type": "market", "side": "sell", "amount": "1"},
            "market": "BTC_USDT",
        },
        "json",
    ),
    Case("cancel", "DELETE", "/spot/orders/12332324", ["private", "spot"], "orders/12332324", {"currency_pair": "BTC_USDT"}),
    Case("open orders", "GET", "/spot/open_orders", ["private", "spot"], "open_orders", {"limit": "100", "page": "1"}),
    Case("balances", "GET", "/spot/accounts", ["private", "spot"], "accounts"),
)
BITGET = (
    Case(
        "place limit",
        "POST",
        "/api/v2/spot/trade/place-order",
        ["private", "spot"],
        "v2/spot/trade/place-order",
        {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "50000.5", "size": "0.10", "clientOid": "a1"},
        "json",
    ),
    Case(
        "place market",
        "POST",
        "/api/v2/mix/order/place-order",
        ["private", "mix"],
        "v2/mix/order/place-order",
        {
            "symbol": "BTCUSDT",
            "productType": "USDT-FUTURES",
            "marginMode": "crossed",
            "marginCoin": "USDT",
            "size": "1",
            "side": "sell",
            "orderType": "market",
        },
        "json",
    ),
    Case(
        "place stop",
        "POST",
        "/api/v2/spot/trade/place-plan-order",
        ["private", "spot"],
        "v2/spot/trade/place-plan-order",
        {"symbol": "BTCUSDT", "side": "sell", "triggerPrice": "49000", "orderType": "market", "size": "1", "triggerType": "mark_price"},
        "json",
    ),
    Case(
        "cancel",
        "POST",
        "/api/v2/spot/trade/cancel-order",
        ["private", "spot"],
        "v2/spot/trade/cancel-order",
        {"symbol": "BTCUSDT", "orderId": "1001"},
        "json",
    ),
    Case(
        "open orders",
        "GET",
        "/api/v2/spot/trade/unfilled-orders",
        ["private", "spot"],
        "v2/spot/trade/unfilled-orders",
        {"symbol": "BTCUSDT", "limit": "100"},
    ),
    Case("balances", "GET", "/api/v2/spot/account/assets", ["private", "spot"], "v2/spot/account/assets"),
    Case(
        "positions",
        "GET",
        "/api/v2/mix/position/all-position",
        ["private", "mix"],
        "v2/mix/position/all-position",
        {"productType": "USDT-FUTURES", "marginCoin": "USDT"},
    ),
)
MEXC = (
    Case("place limit", "POST", "/api/v3/order", ["spot", "private"], "order",
         {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.10", "price": "50000.5", "newClientOrderId": "a1"}),
    Case("place market", "POST", "/api/v3/order", ["spot", "private"], "order",
         {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}),
    Case("cancel", "DELETE", "/api/v3/order", ["spot", "private"], "order", {"symbol": "BTCUSDT", "orderId": "1"}),
    Case("open orders", "GET", "/api/v3/openOrders", ["spot", "private"], "openOrders", {"symbol": "BTCUSDT"}),
    Case("balances", "GET", "/api/v3/account", ["spot", "private"], "account"),
    Case("the key of user streams", "POST", "/api/v3/userDataStream", ["spot", "private"], "userDataStream"),
)  # fmt: skip

_RECV = {"recvWindow": 5000}
_USDM = (
    *_binance("fapiPrivate", "/fapi/v1", "order"),
    Case("place stop (algo)", "POST", "/fapi/v1/algoOrder", "fapiPrivate", "algoOrder",
         {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "1", "triggerPrice": "49000",
          "clientAlgoId": "x-4"}, "form"),
    Case("amend", "PUT", "/fapi/v1/order", "fapiPrivate", "order",
         {"orderId": "28", "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.10", "price": "50001"}, "form"),
    Case("the balances of futures", "GET", "/fapi/v3/balance", "fapiPrivateV3", "balance"),
    Case("positions", "GET", "/fapi/v3/positionRisk", "fapiPrivateV3", "positionRisk"),
)  # fmt: skip

VENUES = (
    Venue("binance", "binance", _binance("private", "/api/v3", "account"), _KINDS, _RECV),
    Venue("binance_usdm", "binanceusdm", _USDM, _KINDS, _RECV),
    Venue("okx", "okx", OKX),
    Venue("bybit", "bybit", BYBIT, {"text": keys.TEXT, "rsa": keys.RSA}, _RECV),
    Venue("kraken", "kraken", KRAKEN, {"base64": keys.BASE64}),
    Venue("bitfinex", "bitfinex", BITFINEX),
    Venue("coinbase_exchange", "coinbaseexchange", COINBASE_EXCHANGE, {"base64": keys.BASE64}),
    Venue("coinbase_advanced", "coinbase", COINBASE_ADVANCED, {"ec": keys.EC}, key="organizations/1/apiKeys/2", recipe="as_ccxt"),
    Venue("coinbase_advanced", "coinbase", COINBASE_ADVANCED, {"ed25519": keys.ED25519_PAIR}, key="0d1e-key", recipe="as_ccxt"),
    Venue("htx", "htx", HTX),
    Venue("kucoin", "kucoin", KUCOIN, options={"partner": {}}),
    Venue("gate", "gate", GATE),
    Venue("bitget", "bitget", BITGET),
    Venue("mexc", "mexc", MEXC),
)
