"""cexspec: an exchange is a YAML file, compiled to a plan that a small engine runs over REST and WebSocket.

    from cexspec import Client

    async with Client("my-exchange.yaml") as exchange:      # or the id of a shipped spec
        ticker = await exchange.rest.get_ticker("BTC/USDT")

Names load on first use, so that `import cexspec` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cexspec.client import Client
    from cexspec.engine.books.view import BookView
    from cexspec.engine.normalize import Normalizer
    from cexspec.engine.options import StreamOptions
    from cexspec.models import (
        AuthenticationError,
        Balance,
        Bbo,
        Book,
        BookOutOfSync,
        BookState,
        Candle,
        CexspecError,
        ConfigError,
        ConnectionLost,
        Credentials,
        DecodeError,
        DuplicateOrder,
        Event,
        ExchangeError,
        ExchangeUnavailable,
        Fill,
        FundingRate,
        Gap,
        Instrument,
        InsufficientFunds,
        InvalidOrder,
        InvalidRequest,
        InvalidSymbol,
        Liquidation,
        MarketEvent,
        MarkPrice,
        NetworkError,
        NotSupported,
        OpenInterest,
        Order,
        OrderNotFound,
        OrderUnknown,
        PermissionDenied,
        Position,
        PrivateEvent,
        RateLimitExceeded,
        ServerTime,
        SpecError,
        Symbol,
        Ticker,
        TimeoutError,
        TimestampError,
        Trade,
        TradingDisabled,
        TransportError,
    )
    from cexspec.models.order_request import OrderRequest
    from cexspec.registry import Registry
    from cexspec.transport.redis_store import RedisStore
    from cexspec.transport.store import MemoryStore

__version__ = "0.1.0"

_HOMES = {
    "BookView": "cexspec.engine.books.view",
    "Client": "cexspec.client",
    "MemoryStore": "cexspec.transport.store",
    "Normalizer": "cexspec.engine.normalize",
    "OrderRequest": "cexspec.models.order_request",
    "RedisStore": "cexspec.transport.redis_store",
    "Registry": "cexspec.registry",
    "StreamOptions": "cexspec.engine.options",
}

__all__ = [
    "AuthenticationError",
    "Balance",
    "Bbo",
    "Book",
    "BookOutOfSync",
    "BookState",
    "BookView",
    "Candle",
    "CexspecError",
    "Client",
    "ConfigError",
    "ConnectionLost",
    "Credentials",
    "DecodeError",
    "DuplicateOrder",
    "Event",
    "ExchangeError",
    "ExchangeUnavailable",
    "Fill",
    "FundingRate",
    "Gap",
    "Instrument",
    "InsufficientFunds",
    "InvalidOrder",
    "InvalidRequest",
    "InvalidSymbol",
    "Liquidation",
    "MarkPrice",
    "MarketEvent",
    "MemoryStore",
    "NetworkError",
    "Normalizer",
    "NotSupported",
    "OpenInterest",
    "Order",
    "OrderNotFound",
    "OrderRequest",
    "OrderUnknown",
    "PermissionDenied",
    "Position",
    "PrivateEvent",
    "RateLimitExceeded",
    "RedisStore",
    "Registry",
    "ServerTime",
    "SpecError",
    "StreamOptions",
    "Symbol",
    "Ticker",
    "TimeoutError",
    "TimestampError",
    "Trade",
    "TradingDisabled",
    "TransportError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cexspec' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "cexspec.models")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
