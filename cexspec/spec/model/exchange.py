"""The whole of a spec."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cexspec.spec.model.auth import Auth
from cexspec.spec.model.limits import Errors, Pools
from cexspec.spec.model.node import Flag, Name, Node, Url, key
from cexspec.spec.model.orders import Orders
from cexspec.spec.model.rest import Operation
from cexspec.spec.model.symbols import Categories, Symbols
from cexspec.spec.model.ws import WebSocket


class Environment(Node):
    """Hosts of one environment."""

    rest: Url | None = key("Base URL of REST", "https://www.okx.com", None)
    rest_private: Url | None = key(
        "Base URL of REST calls that are signed, if they have a host of their own", "https://api.bitfinex.com", None
    )
    ws: dict[Name, Url] = key("Connection -> URL", {"public": "wss://ws.okx.com:8443/ws/v5/public"}, {})
    headers: dict[str, str] = key("Sent with every request and WebSocket handshake", {"x-simulated-trading": "1"}, {})
    test: Flag = key("No real money moves here: orders need no `allow_trading`", True, False)


class ExchangeSpec(Node):
    """One exchange."""

    cexspec: Literal["1"] = key("Version of the language", "1")
    extends: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] | None = key("The id of a sibling spec this one changes", "binance", None)
    id: Name = key("Its id, the file's name", "okx")
    name: str = key("Its name", "OKX")
    kind: Literal["cex", "dex", "traditional"] = key("What it is", "cex")
    docs: Url = key("Its API documentation", "https://www.okx.com/docs-v5/en/")
    environments: Annotated[dict[Name, Environment], Field(min_length=1)] = key(
        "Name -> hosts; `live` is the default", {"live": {"rest": "https://www.okx.com"}}
    )
    symbols: Symbols = key("How native ids are written", {"formats": {"spot": "{base}-{quote}"}, "examples": {"BTC/USDT": "BTC-USDT"}})
    categories: Categories
    intervals: dict[str, str] = key("Unified candle interval -> the venue's word", {"1m": "1m", "1h": "1H"}, {})
    limits: Pools
    errors: Errors = key(
        "How answers say that they are errors", {"code": "$.code", "message": "$.msg", "codes": {"50011": "RateLimitExceeded"}}
    )
    auth: Auth | None = key(
        "Credentials, and how private calls are signed",
        {"credentials": {"api_key": {}}, "recipes": {"rest": {"headers": {"X-API-KEY": "{{ api_key }}"}}}},
        None,
    )
    orders: Orders | None = key("What holds for orders", {"client_order_id": {"max_length": "32"}}, None)
    rest: dict[Name, Operation] = key("Unified operation -> call", {"ticker": {"get": "/api/v5/market/ticker"}}, {})
    ws: WebSocket | None = key("All that streams", {"connections": {}, "channels": {}}, None)
