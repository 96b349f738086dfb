"""Private streams on paper: what happens to the account here, told as the venue would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

from cexspec.engine.buffer import Buffer
from cexspec.engine.dispatch import Subscription
from cexspec.engine.options import StreamOptions
from cexspec.engine.private import Recovered
from cexspec.engine.stats import Counters
from cexspec.engine.stream import Stream
from cexspec.engine.stream_client import AnySymbol, How, PrivateStream
from cexspec.engine.topics import Topic
from cexspec.models import Balance, Event, Fill, InvalidRequest, Order, Position
from cexspec.transport.clock import Clock

MODELS: dict[str, type[Event]] = {"orders": Order, "fills": Fill, "positions": Position, "balances": Balance}
EVERYTHING = ""
"""The topic of all symbols."""


class PaperStreams:
    """Streams of one account. Nothing connects, so that they are ready at once, and nothing is missing.

    With the policy `block` all events wait, however many: nobody could be held up.
    """

    def __init__(
        self, exchange: str, counters: Counters, clock: Clock, symbol_of: Callable[[str], str], options: StreamOptions | None
    ) -> None:
        self._exchange, self._clock, self._symbol_of, self._options = exchange, clock, symbol_of, options or StreamOptions()
        self._streams: list[Stream[Any]] = []
        self.counters = counters

    def offers(self, name: str) -> bool:
        """Whether there is a private stream of this name."""
        return name in MODELS

    def private(self, name: PrivateStream, symbols: Sequence[AnySymbol] = (), **how: Unpack[How]) -> Stream[Any]:
        """One's own orders, fills, positions or balances; see `StreamClient.private`. Raises `InvalidRequest`, `InvalidSymbol`."""
        if name == "balances" and symbols:
            raise InvalidRequest("balances are of currencies, not of symbols", exchange=self._exchange)
        policy = how.get("policy") or self._options.policy
        if policy == "conflate":
            raise InvalidRequest(f"{name} can't be conflated: every event of it counts", exchange=self._exchange)
        buffer = Buffer(name, how.get("queue") or self._options.queue, policy, None, self._clock.time_ns)
        stream: Stream[Any] = Stream(name, self, buffer)
        stream.subscribe(*symbols, on_progress=how.get("on_progress"))
        self._streams.append(stream)
        return stream

    def on_private_ready(self, callback: Callable[[Recovered], object]) -> Callable[[], None]:
        """Nothing is ever away, so that nothing comes back."""
        return lambda: None

    def tell(self, event: Event) -> None:
        """Give an event to the streams that want it."""
        for stream in self._streams:
            wanted = isinstance(event, MODELS[stream.name])
            if wanted and any(one.native_id in (None, event.symbol) for one in stream._subscriptions):
                stream._buffer.put(event)

    async def close(self) -> None:
        """End every stream."""
        for stream in tuple(self._streams):
            await stream.close()

    def native_id(self, symbol: AnySymbol) -> str:
        """See `StreamHost.native_id`; here symbols are unified."""
        return self._symbol_of(str(symbol))

    def resolve(self, stream: Stream[Any], symbols: Sequence[AnySymbol]) -> list[Subscription]:
        """See `StreamHost.resolve`."""
        return [self._subscription(stream, self.native_id(symbol)) for symbol in symbols] or [self._subscription(stream, None)]

    def attach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """See `StreamHost.attach`."""
        for subscription in subscriptions:
            stream.confirmed(subscription)

    def detach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """See `StreamHost.detach`: there is nothing to be let go of."""

    def closed(self, stream: Stream[Any]) -> None:
        """See `StreamHost.closed`."""
        self._streams = [one for one in self._streams if one is not stream]

    def _subscription(self, stream: Stream[Any], symbol: str | None) -> Subscription:
        topic = Topic(stream.name, symbol, symbol or EVERYTHING, {})
        return Subscription(self._exchange, stream.name, "paper", topic, stream._buffer, self._clock.time_ns(), symbol, None, None)
