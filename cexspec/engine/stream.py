"""Streams: what users hold of a subscription."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from cexspec.engine.buffer import Buffer, Ended
from cexspec.engine.dispatch import Subscription
from cexspec.engine.stats import Counters
from cexspec.engine.uses import Watcher
from cexspec.models import CexspecError, Event, Gap, InvalidRequest
from cexspec.models.symbol import Symbol

log = logging.getLogger("cexspec.stream")
T = TypeVar("T", bound=Event)
Callback = Callable[[T | Gap], Awaitable[object] | object]
OnError = Callable[[CexspecError], object]


class StreamHost(Protocol):
    """What a stream needs of its client."""

    counters: Counters

    def resolve(self, stream: Stream[Any], symbols: Sequence[str | Symbol]) -> list[Subscription]:
        """Subscriptions for these symbols, known or not yet. Raises `NotSupported`, `InvalidSymbol` or `InvalidRequest`."""

    def attach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """Serve them."""

    def detach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """Serve them no longer."""

    def closed(self, stream: Stream[Any]) -> None:
        """The stream is closed."""

    def native_id(self, symbol: str | Symbol) -> str:
        """The native id, or the symbol itself while only instruments could tell. Raises `InvalidSymbol`."""


class Ready:
    """Await it to wait until the venue serves what was asked for; raises its refusal."""

    def __init__(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        self._stream, self._subscriptions = stream, subscriptions

    def __await__(self) -> Generator[object, None, None]:
        return self._stream._settled(self._subscriptions).__await__()


class Stream(Watcher, Generic[T]):
    """Events of one kind for some symbols, in the order of their arrival.

    Iterate (`async for event in stream`), or let callbacks have the events (`on`). Beside events of the model come
    `Gap` events: what was, or may have been, lost, and why. A refused symbol raises the venue's error once; the others
    go on, and iteration ends when none is left. When the connection is given up its error is raised.

    A stream that is no longer read keeps its subscriptions until `close`, or the end of `async with`.
    """

    def __init__(self, name: str, host: StreamHost, buffer: Buffer) -> None:
        self.name = name
        """the unified stream, or the channel"""
        self._host, self._buffer = host, buffer
        self._subscriptions: list[Subscription] = []
        self._pending: set[Subscription] = set()
        self._refusals: dict[Subscription, CexspecError] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._callbacks: list[tuple[Callback[T], OnError | None]] = []
        self._pump: asyncio.Task[None] | None = None
        self.closed = False

    @property
    def pending(self) -> int:
        """Events that wait to be taken."""
        return len(self._buffer)

    @property
    def dropped(self) -> int:
        """Events lost, or conflated, because the consumer was too slow."""
        return self._buffer.dropped

    def subscribe(self, *symbols: str | Symbol) -> Ready:
        """Add symbols, at once; await the result to wait for the venue. Raises `NotSupported`, `InvalidSymbol`, `InvalidRequest`."""
        if self._buffer.ended is not None:
            raise InvalidRequest(f"the stream of {self.name} has ended: open another")
        found = self._host.resolve(self, symbols)
        known = {each.key for each in self._subscriptions}
        new = [each for key, each in {each.key: each for each in found}.items() if key not in known]
        self._subscriptions += new
        self._pending.update(new)
        try:
            self._host.attach(self, new)
        except CexspecError:
            self._host.detach(self, new)
            self._let_go(new)
            raise
        return Ready(self, new)

    def unsubscribe(self, *symbols: str | Symbol) -> None:
        """Let go of symbols (none named: of all); events already received still come."""
        ids = {name for symbol in symbols for name in (str(symbol), self._host.native_id(symbol))}
        gone = [each for each in self._subscriptions if not symbols or each.native_id in ids]
        self._host.detach(self, gone)
        self._let_go(gone)

    def on(self, callback: Callback[T], on_error: OnError | None = None) -> Self:
        """Call this, sync or async, with every event; one after the other. The stream can't be iterated then.

        What a callback raises is logged and counted and stops nothing. Refusals, and the error that ends the stream, go
        to `on_error`, or to the log.
        """
        self._callbacks.append((callback, on_error))
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run_callbacks(), name=f"cexspec callbacks of {self.name}")
        return self

    async def ready(self) -> None:
        """Wait until the venue serves every symbol; raises its refusal of one, or why the connection was given up."""
        await self._settled((*self._subscriptions, *self._refusals))

    async def close(self) -> None:
        """Unsubscribe and free what waits. Iteration ends."""
        self._shut()
        pump, self._pump = self._pump, None
        if pump is not None and pump is not asyncio.current_task():
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    def __aiter__(self) -> AsyncIterator[T | Gap]:
        return self

    def __anext__(self) -> Coroutine[object, None, T | Gap]:
        if self._pump is not None:
            raise InvalidRequest(f"the stream of {self.name} feeds callbacks: open another one to iterate")
        return cast("Coroutine[object, None, T | Gap]", self._buffer.get())

    async def __aenter__(self) -> Self:
        try:
            await self.ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def confirmed(self, subscription: Subscription) -> None:
        """See `Watcher.confirmed`."""
        self._pending.discard(subscription)
        self._tell()

    def refused(self, subscription: Subscription, error: CexspecError) -> None:
        """See `Watcher.refused`."""
        self._let_go([subscription])
        self._refusals[subscription] = error
        if not self._waiting:
            self._buffer.put_error(error)
        if not self._subscriptions:
            self._buffer.end()
        self._tell()

    def failed(self, subscription: Subscription, error: CexspecError) -> None:
        """See `Watcher.failed`."""
        self._let_go([subscription])
        self._refusals[subscription] = error
        self._buffer.end(error)
        self._host.detach(self, tuple(self._subscriptions))
        self._let_go(tuple(self._subscriptions))
        self._tell()

    def _shut(self) -> None:
        if not self.closed:
            self.closed = True
            self._host.detach(self, self._subscriptions)
            self._let_go(tuple(self._subscriptions))
            self._buffer.clear()
            self._buffer.end()
            self._host.closed(self)
            self._tell()

    def _let_go(self, gone: Sequence[Subscription]) -> None:
        self._subscriptions = [each for each in self._subscriptions if each not in gone]
        self._pending.difference_update(gone)

    async def _settled(self, subscriptions: Sequence[Subscription]) -> None:
        while any(each in self._pending for each in subscriptions):
            news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(news)
            try:
                await news
            finally:
                if news in self._waiting:
                    self._waiting.remove(news)
        for each in subscriptions:
            if each in self._refusals:
                raise self._refusals[each]

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for news in waiting:
            if not news.done():
                news.set_result(None)

    async def _run_callbacks(self) -> None:
        while True:
            try:
                event = cast("T | Gap", await self._buffer.get())
            except Ended:
                return
            except CexspecError as error:
                self._complain(error)
                if error is self._buffer.ended:
                    return
                continue
            for callback, _ in self._callbacks:
                await self._call(callback, event)

    async def _call(self, callback: Callback[T], event: T | Gap) -> None:
        try:
            result = callback(event)
            if inspect.isawaitable(result):
                await result
        except Exception:
            self._host.counters.callback_errors += 1
            text = "a callback of %s failed on %s %s"
            log.exception(text, self.name, type(event).__name__, event.symbol, extra={"event": "callback_error"})

    def _complain(self, error: CexspecError) -> None:
        handlers = [handler for _, handler in self._callbacks if handler is not None]
        if not handlers:
            log.error("the stream of %s: %s", self.name, error, extra={"event": "stream_error"})
        for handler in handlers:
            try:
                handler(error)
            except Exception:
                self._host.counters.callback_errors += 1
                log.exception("an error handler of %s failed", self.name, extra={"event": "callback_error"})
