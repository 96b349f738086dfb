"""The unified REST methods: what users call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from cexspec.engine.rest import RestEngine
from cexspec.engine.times import Time, nanoseconds
from cexspec.models import (
    Book,
    Candle,
    DecodeError,
    Event,
    FundingRate,
    Instrument,
    InvalidRequest,
    InvalidSymbol,
    Liquidation,
    MarkPrice,
    NotSupported,
    OpenInterest,
    ServerTime,
    Ticker,
    Trade,
)

M = TypeVar("M", bound=Event)


class RestClient:
    """Unified REST calls of one exchange.

    Wherever a `symbol` is taken the native id is accepted too. `start` (included) and `end` (excluded) are integer
    nanoseconds, aware datetimes or ISO text. Rows come oldest first: with `limit` the first ones from `start`, or
    without a `start` the newest; more than one page's worth is fetched page by page. `timeout` bounds the whole call,
    in seconds; without it each request has the client's own, and budgets are waited for.

    Every method raises `NotSupported` where the spec declares no such operation (or not for this kind of instrument),
    `InvalidSymbol`, `InvalidRequest`, other `ExchangeError`s of the venue, `TransportError`, and `DecodeError` on an
    answer that doesn't fit the spec. What is asked of one symbol and not in the answer is an error, never None.
    """

    def __init__(self, engine: RestEngine) -> None:
        self._engine = engine

    async def call(self, operation: str, *, timeout: float | None = None, **params: Any) -> list[Event]:
        """Any operation of the spec by its name, with unified parameters (`symbol`, `interval`, `limit`...) or the venue's own."""
        self._require(operation)
        return await self._engine.call(operation, await self._params(**params), timeout=timeout)

    async def get_server_time(self, *, timeout: float | None = None) -> int:
        """The venue's clock, in nanoseconds."""
        rows = await self._list("server_time", ServerTime, timeout)
        if not rows or rows[0].timestamp is None:
            raise DecodeError("the answer holds no time", exchange=self._engine.plan.id, channel="server_time")
        return rows[0].timestamp

    async def get_instruments(self, *, timeout: float | None = None) -> list[Instrument]:
        """Everything that can be traded. From now on these are the authority on symbols."""
        rows = await self._list("instruments", Instrument, timeout)
        self._engine.markets.load(rows)
        return rows

    async def get_ticker(self, symbol: str, *, timeout: float | None = None) -> Ticker:
        """Rolling 24 hours and best quotes."""
        return await self._one("ticker", Ticker, symbol, timeout)

    async def get_tickers(self, symbols: Sequence[str] | None = None, *, timeout: float | None = None) -> list[Ticker]:
        """The tickers of all symbols, or of these, in their order."""
        rows = await self._list("tickers", Ticker, timeout)
        if symbols is None:
            return rows
        found = {row.symbol: row for row in reversed(rows)}
        wanted = [(await self._resolve(symbol))["symbol"] for symbol in symbols]
        return [self._present(found.get(symbol), "tickers", symbol) for symbol in wanted]

    async def get_order_book(self, symbol: str, depth: int | None = None, *, timeout: float | None = None) -> Book:
        """The book as it stands: at most `depth` levels of each side, fewer where the venue gives fewer."""
        return await self._one("order_book", Book, symbol, timeout, depth=_count(depth, "depth"))

    async def get_trades(
        self,
        symbol: str,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[Trade]:
        """Public trades."""
        return await self._history("trades", Trade, symbol, start, end, limit, timeout)

    async def get_candles(
        self,
        symbol: str,
        interval: str,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        *,
        timeout: float | None = None,
    ) -> list[Candle]:
        """Candles of a unified interval (`1m`, `4h`, `1d`), by their open time; the last one may still be open."""
        return await self._history("candles", Candle, symbol, start, end, limit, timeout, interval=interval)

    async def get_mark_price(self, symbol: str, *, timeout: float | None = None) -> MarkPrice:
        """Mark and index price."""
        return await self._one("mark_price", MarkPrice, symbol, timeout)

    async def get_funding_rate(self, symbol: str, *, timeout: float | None = None) -> FundingRate:
        """The current funding rate."""
        return await self._one("funding_rate", FundingRate, symbol, timeout)

    async def get_funding_rates(
        self,
        symbol: str,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[FundingRate]:
        """Past funding rates."""
        return await self._history("funding_rates", FundingRate, symbol, start, end, limit, timeout)

    async def get_open_interest(self, symbol: str, *, timeout: float | None = None) -> OpenInterest:
        """Open interest now."""
        return await self._one("open_interest", OpenInterest, symbol, timeout)

    async def get_open_interest_history(
        self,
        symbol: str,
        interval: str | None = None,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[OpenInterest]:
        """Past open interest, one row per `interval` where the venue has several."""
        return await self._history("open_interest_history", OpenInterest, symbol, start, end, limit, timeout, interval=interval)

    async def get_liquidations(
        self,
        symbol: str | None = None,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[Liquidation]:
        """Forced orders, of one symbol or of all where the venue lists all."""
        return await self._history("liquidations", Liquidation, symbol, start, end, limit, timeout)

    async def _list(self, operation: str, model: type[M], timeout: float | None, **params: Any) -> list[M]:
        self._require(operation)
        rows = await self._engine.call(operation, await self._params(**params), timeout=timeout)
        return [row for row in rows if isinstance(row, model)]

    async def _one(self, operation: str, model: type[M], symbol: str, timeout: float | None, **params: Any) -> M:
        self._require(operation)
        resolved = await self._resolve(symbol)
        rows = await self._list(operation, model, timeout, symbol=symbol, **params)
        found = next((row for row in rows if row.symbol == resolved["symbol"]), None)
        return self._present(found, operation, resolved["symbol"])

    async def _history(
        self,
        operation: str,
        model: type[M],
        symbol: str | None,
        start: Time | None,
        end: Time | None,
        limit: int | None,
        timeout: float | None,
        **params: Any,
    ) -> list[M]:
        self._require(operation)
        name = self._reaching(operation, start, end, limit)
        return await self._list(name, model, timeout, symbol=symbol, start=start, end=end, limit=limit, **params)

    def _reaching(self, operation: str, start: Time | None, end: Time | None, limit: int | None) -> str:
        """The operation that goes far enough: its `_history` companion, where the spec has one and more is asked than the newest rows."""
        history = f"{operation}_history"
        if history not in self._engine.plan.operation_names:
            return operation
        bounds = self._engine.plan.operation(operation).params.get("limit")
        beyond = limit is not None and bounds is not None and bounds.max is not None and limit > bounds.max
        return history if beyond or start is not None or end is not None else operation

    def _require(self, operation: str) -> None:
        offered = self._engine.plan.operation_names
        if operation not in offered:
            raise NotSupported(f"{self._engine.plan.id} has no {operation} over REST; it has {', '.join(offered) or 'nothing'}")

    async def _params(self, symbol: str | None = None, start: Time | None = None, end: Time | None = None, **others: Any) -> dict[str, Any]:
        params = {name: value for name, value in others.items() if value is not None}
        _count(params.get("limit"), "limit")
        if start is not None:
            params["start"] = nanoseconds(start, "start")
        if end is not None:
            params["end"] = nanoseconds(end, "end")
        if start is not None and end is not None and params["start"] >= params["end"]:
            raise InvalidRequest("start lies before end", exchange=self._engine.plan.id)
        return params if symbol is None else {**await self._resolve(symbol), **params}

    async def _resolve(self, symbol: str) -> dict[str, Any]:
        """The market's parameters; what the symbol rules can't write is looked up in the instruments."""
        markets = self._engine.markets
        try:
            return markets.params(symbol)
        except InvalidSymbol:
            if markets.loaded:
                raise
        await self._engine.ensure_instruments()
        return markets.params(symbol)

    def _present(self, row: M | None, operation: str, symbol: str) -> M:
        if row is None:
            error = InvalidSymbol(f"the answer holds nothing about {symbol}", exchange=self._engine.plan.id, endpoint=operation)
            error.symbol = symbol
            raise error
        return row


def _count(value: int | None, name: str) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise InvalidRequest(f"{name} is a whole number from 1, not {value!r}")
    return value
