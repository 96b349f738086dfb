"""What an exchange offers of what the client can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cexspec.engine.trading.trade_client import VERBS

if TYPE_CHECKING:
    from cexspec.compile.exchange import Exchange

CALLS = (
    "server_time", "instruments", "ticker", "tickers", "order_book", "trades", "candles", "mark_price", "funding_rate", "funding_rates",
    "open_interest", "open_interest_history", "liquidations",
)  # fmt: skip
"""The unified REST operations: `get_...` of the client."""
STREAMS = ("ticker", "bbo", "trades", "order_book", "candles", "mark_price", "funding_rate", "open_interest", "liquidations")
"""The unified streams: `stream_...` of the client."""
ACCOUNT_STREAMS = ("orders", "fills", "positions", "balances")
"""The streams of one's own account: `stream_...` of `client.trade`."""


def describe(exchange: Exchange) -> dict[str, Any]:
    """All that `info` tells, as JSON's own types."""
    environments = {name: {"rest": one.rest, "ws": dict(one.ws)} for name, one in exchange.environments.items()}
    return {
        "id": exchange.id,
        "name": exchange.name,
        "kind": exchange.kind,
        "docs": exchange.docs,
        "environments": environments,
        "kinds": list(exchange.symbols.kinds),
        "rest": {name: name in exchange.operation_names for name in CALLS},
        "streams": {name: exchange.offers(name) for name in STREAMS},
        "trade": {
            **{method: bool(exchange.serving(verb)) for method, verb in VERBS.items()},
            **{f"stream_{name}": exchange.offers(name) for name in ACCOUNT_STREAMS},
        },
        "credentials": list(exchange.credentials),
        "polled": {stream: exchange.operation(name).poll for stream, name in exchange.polls.items()},
        "more_operations": [name for name in exchange.operation_names if name not in CALLS and exchange.operation(name).verb is None],
        "more_channels": [name for name in exchange.channel_names if name not in STREAMS and not exchange.channel(name).private],
        "intervals": list(exchange.intervals),
        "limits": {name: _limit(exchange, name) for name in exchange.pools},
        "lines": {file.rsplit("/", 1)[-1]: text.count("\n") for file, text in exchange.source.texts.items()},
    }


def _limit(exchange: Exchange, name: str) -> dict[str, Any]:
    pool = exchange.pools[name]
    windows = [{"rate": window.rate, "per_seconds": window.per} for window in pool.windows]
    return {"windows": windows, "by": pool.by, "scope": pool.scope}
