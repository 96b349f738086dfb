"""Streams: what users hold of a subscription."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from cexspec.engine.buffer import Buffer, Ended
from cexspec.engine.dispatch import Subscription
from cexspec.engine.progress import Asked, OnProgress, Progress
from cexspec.engine.stats import Counters
from cexspec.engine.uses import Watcher
from cexspec.models import CexspecError, Event, Gap, InvalidRequest
from cexspec.models.log_events import LogEvent, worth_logging
from cexspec.models.symbol import Symbol

log = logging.getLogger("cexspec.stream")
T = TypeVar("T", bound=Event)
U = TypeVar("U")
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


class _Waiter:
    """Someone who waits until a number of subscriptions is settled."""

    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settled(self) -> None:
        """One more is."""
        self.left -= 1
        if self.left == 0 and not self.done.done():
            self.done.set_result(None)


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
        self._subscriptions: dict[Subscription, Asked] = {}
        self._pending: set[Subscription] = set()
        self._refusals: dict[Subscription, CexspecError] = {}
        self._waiting: dict[Subscription, list[_Waiter]] = {}
        self._callbacks: list[tuple[Callback[T], OnError | None]] = []
        self._failures: Counter[int] = Counter()
        self._pump: asyncio.Task[None] | None = None
        self.closed = False

    @property
    def pending(self) -> int:
        """Events that wait to be taken."""
        return len(self._buffer)

    @property
    def taken(self) -> int:
        """Events that were taken."""
        return self._buffer.taken

    @property
    def dropped(self) -> int:
        """Events lost, or conflated, because the consumer was too slow."""
        return self._buffer.dropped

    @property
    def progress(self) -> Progress:
        """How many symbols the venue has confirmed and refused, of all that were asked for and not let go of."""
        wanted, refused = len(self._subscriptions), len(self._refusals)
        return Progress(wanted - len(self._pending), wanted + refused, refused)

    def subscribe(self, *symbols: str | Symbol, on_progress: OnProgress | None = None) -> Ready:
        """Add symbols, at once; await the result to wait for the venue. Raises `NotSupported`, `InvalidSymbol`, `InvalidRequest`.

        `on_progress` is called whenever the venue has confirmed or refused one of these.
        """
        if self._buffer.ended is not None:
            raise InvalidRequest(f"the stream of {self.name} has ended: open another")
        found = self._host.resolve(self, symbols)
        known = {each.key for each in self._subscriptions}
        new = [each for key, each in {each.key: each for each in found}.items() if key not in known]
        asked = Asked(new, on_progress)
        self._subscriptions |= dict.fromkeys(new, asked)
        self._pending.update(new)
        try:
            self._host.attach(self, new)
        except CexspecError:
            asked.on_progress = None
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
        asked = self._subscriptions.get(subscription)
        if asked is not None and asked.confirmed(subscription):
            self._settle(subscription)
            self._report(asked)

    def refused(self, subscription: Subscription, error: CexspecError) -> None:
        """See `Watcher.refused`."""
        asked = self._subscriptions.pop(subscription, None)
        self._refusals[subscription] = error
        if not self._settle(subscription):
            self._buffer.put_error(error)
        if not self._subscriptions:
            self._buffer.end()
        if asked is not None and asked.refused(subscription):
            self._report(asked)

    def failed(self, subscription: Subscription, error: CexspecError) -> None:
        """See `Watcher.failed`."""
        self._refusals[subscription] = error
        self._buffer.end(error)
        self._host.detach(self, tuple(self._subscriptions))
        self._let_go(tuple(self._subscriptions))

    def _shut(self) -> None:
        if not self.closed:
            self.closed = True
            self._host.detach(self, tuple(self._subscriptions))
            self._let_go(tuple(self._subscriptions))
            self._buffer.clear()
            self._buffer.end()
            self._host.closed(self)

    def _let_go(self, gone: Sequence[Subscription]) -> None:
        changed: dict[Asked, None] = {}
        for subscription in gone:
            asked = self._subscriptions.pop(subscription, None)
            if asked is not None and asked.dropped(subscription):
                changed[asked] = None
            self._settle(subscription)
        for asked in changed:
            self._report(asked)

    def _settle(self, subscription: Subscription) -> bool:
        """It is no longer under way; whether somebody waited for it."""
        self._pending.discard(subscription)
        waiting = self._waiting.pop(subscription, ())
        for waiter in waiting:
            waiter.settled()
        return bool(waiting)

    async def _settled(self, subscriptions: Sequence[Subscription]) -> None:
        under_way = [each for each in subscriptions if each in self._pending]
        if under_way:
            await self._wait_for(under_way)
        for each in subscriptions:
            if each in self._refusals:
                raise self._refusals[each]

    async def _wait_for(self, subscriptions: Sequence[Subscription]) -> None:
        waiter = _Waiter(len(subscriptions))
        for each in subscriptions:
            self._waiting.setdefault(each, []).append(waiter)
        try:
            await waiter.done
        finally:
            for each in subscriptions:
                if waiter in self._waiting.get(each, ()):
                    self._waiting[each].remove(waiter)

    def _report(self, asked: Asked) -> None:
        if asked.on_progress is None:
            return
        try:
            asked.on_progress(asked.progress)
        except Exception:
            self._failed(asked.on_progress, "a progress callback of %s failed", self.name)

    async def _run_callbacks(self) -> None:
        while True:
            try:
                event = cast("T | Gap", await self._buffer.get())
            except Ended:
                return
            except CexspecError as error:
                await self._complain(error)
                if error is self._buffer.ended:
                    return
                continue
            for callback, _ in self._callbacks:
                await self._call(callback, event, "a callback of %s failed on %s")

    async def _complain(self, error: CexspecError) -> None:
        handlers = [handler for _, handler in self._callbacks if handler is not None]
        if not handlers:
            log.error("the stream of %s: %s", self.name, error, extra={"event": LogEvent.STREAM_ERROR})
        for handler in handlers:
            await self._call(handler, error, "an error handler of %s failed on %s")

    async def _call(self, callback: Callable[[U], object], given: U, text: str) -> None:
        """Call it, sync or async. What it raises is counted and logged; so is a cancellation that isn't the stream's own."""
        try:
            result = callback(given)
            if result is not None and inspect.isawaitable(result):
                await result
        except asyncio.CancelledError:
            if self._is_cancelled():
                raise
            self._failed(callback, text, self.name, _shown(given))
        except Exception:
            self._failed(callback, text, self.name, _shown(given))

    def _is_cancelled(self) -> bool:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def _failed(self, callback: Callable[[Any], object], text: str, *context: object) -> None:
        """In an `except` block: a callback has raised."""
        self._host.counters.callback_errors += 1
        self._failures[id(callback)] += 1
        count = self._failures[id(callback)]
        if worth_logging(count):
            log.exception(f"{text} (%d so far)", *context, count, extra={"event": LogEvent.CALLBACK_ERROR})


def _shown(given: object) -> str:
    return f"{type(given).__name__} {given.symbol}" if isinstance(given, Event) else repr(given)
