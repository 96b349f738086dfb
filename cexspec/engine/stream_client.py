"""The streams of an exchange, as users ask for them (`client.ws`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Literal, TypedDict, TypeVar, Unpack, cast, get_args, overload

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.engine.books.progress import BooksProgress
from cexspec.engine.books.synced import State as BookPhase
from cexspec.engine.books.view import BookView
from cexspec.engine.budgets import ConnectBudgets
from cexspec.engine.buffer import Policy
from cexspec.engine.channel_choice import channels_for
from cexspec.engine.connections import Connections
from cexspec.engine.dispatch import Subscription
from cexspec.engine.holes import FetchRows
from cexspec.engine.markets import Markets
from cexspec.engine.options import StreamOptions
from cexspec.engine.planning import ROUND_TRIP, DrawsOf
from cexspec.engine.polling import Polls, RestCalls
from cexspec.engine.preparation import Preparation, Prepare
from cexspec.engine.private import NOBODY, Access, Recovered
from cexspec.engine.progress import OnProgress
from cexspec.engine.queues import Queues
from cexspec.engine.states import Observer, State, Transition
from cexspec.engine.stats import StreamStats
from cexspec.engine.stream import Callback, OnError, Stream
from cexspec.engine.wishes import Resolver, Wish
from cexspec.models import (
    Bbo,
    Book,
    Candle,
    CexspecError,
    Event,
    FundingRate,
    InvalidRequest,
    InvalidSymbol,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Ticker,
    Trade,
)
from cexspec.models.log_events import LogEvent
from cexspec.models.symbol import Symbol
from cexspec.transport.clock import Clock, SystemClock
from cexspec.transport.websocket import WebSocketTransport, websocket_transport

T = TypeVar("T", bound=Event)
PrivateStream = Literal["orders", "fills", "positions", "balances"]
PRIVATE_STREAMS: frozenset[str] = frozenset(get_args(PrivateStream))
AnySymbol = str | Symbol
"""A unified symbol, as text or parsed, or a native id."""


class How(TypedDict, total=False):
    """How a stream is asked for.

    `queue` and `policy` are its own, in place of the client's (see `StreamOptions`); `on_progress` is called whenever the venue
    has confirmed or refused a symbol.
    """

    queue: int | None
    policy: Policy | None
    on_progress: OnProgress | None


class StreamClient:
    """Streams of one exchange, over as few connections as its limits allow.

    Symbols are unified (`BTC/USDT`, a `Symbol`) or native. The `stream_...` methods return at once, with the
    subscription under way; they raise `NotSupported` for what the spec doesn't declare, `InvalidSymbol` and
    `InvalidRequest` for wrong arguments. `How` says what else each of them takes; the policy `conflate` is for streams of
    states only. See `Stream` for what to do with one.

    Order books are maintained: what comes are views of books that are right (see `BookView`), told apart by `isinstance` from
    `BookState` events, which say that one is right no longer and why; it is then begun anew. `book` reads one at any time.

    `fetch` calls REST operations, for books that begin with a snapshot from there, and `draws_of` tells what budgets are left
    for that. `prepare` loads the instruments, where the
    venue lists them. What needs them is subscribed afterwards: symbols that the rules can't write, which are refused on the
    stream if the instruments don't have them either, channels that count contracts, and books whose checksums need the
    decimals of the instrument. `budgets` are those of connection attempts. `rest` is asked for the streams that are polled.
    `access` is what private streams need.
    """

    def __init__(
        self,
        plan: ExchangePlan,
        environment: EnvironmentPlan,
        markets: Markets,
        *,
        transport: WebSocketTransport | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        options: StreamOptions | None = None,
        prepare: Prepare | None = None,
        budgets: ConnectBudgets | None = None,
        fetch: FetchRows | None = None,
        draws_of: DrawsOf | None = None,
        rest: RestCalls | None = None,
        access: Access | None = None,
    ) -> None:
        self._plan, self._markets = plan, markets
        self._clock, self._options = clock or SystemClock(), options or StreamOptions()
        self._transport = transport or websocket_transport()
        self._connections = Connections(
            plan,
            environment,
            markets,
            self._transport,
            self._clock,
            random or Random(),
            self._options,
            budgets,
            fetch,
            draws_of,
            access,
        )
        self._wishes: dict[Stream[Any], Wish] = {}
        self._with_callbacks: list[Stream[Event]] = []
        self._queues = Queues()
        self._preparation = Preparation(prepare, plan.id, markets)
        self.counters = self._connections.counters
        self._polls = Polls(plan, markets, rest, self._clock, self.counters)
        self._resolver = Resolver(
            plan, markets, self._polls, self._clock, lambda: self._preparation.ahead, access.credentials if access is not None else NOBODY
        )

    @property
    def states(self) -> dict[str, State]:
        """Connection -> state, of those that are not closed."""
        return self._connections.states.states

    @property
    def stats(self) -> StreamStats:
        """What has been counted so far."""
        return self._connections.snapshot(self._queues.snapshot(tuple(self._wishes)), self._polls.events)

    @property
    def books(self) -> dict[str | None, BookPhase]:
        """Symbol -> state of its maintained book: `waiting`, `buffering`, `in_sync`, `out_of_sync`."""
        return self._connections.books.states

    @property
    def books_progress(self) -> BooksProgress:
        """How many maintained books can be read, and in how many seconds the others will; some wait for the instruments first."""
        now = self._connections.books.progress
        ahead = sum(one.maintained for one in self._preparation.waiting)
        return replace(now, waiting=now.waiting + ahead, total=now.total + ahead, eta=now.eta + 2 * ROUND_TRIP) if ahead else now

    def on_books_progress(self, callback: Callable[[BooksProgress], None]) -> Callable[[], None]:
        """Call this after every tenth of the books that have begun; what is returned stops it."""
        return self._connections.books.milestones.observe(callback)

    def on_state(self, callback: Observer) -> Callable[[], None]:
        """Call this at every change of a connection's state; what is returned stops it."""
        return self._connections.states.observe(callback)

    def transitions(self) -> AsyncIterator[Transition]:
        """Every change of a connection's state from the first step of the iteration on."""
        return self._connections.states.transitions()

    def stream_ticker(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Ticker]:
        """24-hour statistics and best quotes."""
        return self._open("ticker", Ticker, symbols, how)

    def stream_bbo(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Bbo]:
        """Best bid and offer."""
        return self._open("bbo", Bbo, symbols, how)

    def stream_trades(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Trade]:
        """Public trades."""
        return self._open("trades", Trade, symbols, how)

    @overload
    def stream_order_book(
        self, *symbols: AnySymbol, depth: int | None = None, raw: Literal[False] = False, **how: Unpack[How]
    ) -> Stream[BookView]: ...

    @overload
    def stream_order_book(self, *symbols: AnySymbol, depth: int | None = None, raw: Literal[True], **how: Unpack[How]) -> Stream[Book]: ...

    def stream_order_book(self, *symbols: AnySymbol, depth: int | None = None, raw: bool = False, **how: Unpack[How]) -> Stream[Any]:
        """Maintained order books: a view after each change, and a `BookState` event when one is right no longer.

        `depth`: the smallest channel that holds so many levels is taken; without it, the spec's first. Of each book only the
        newest view waits for a slow consumer. `raw`: the venue's messages instead, snapshots and deltas, as they are sent.
        """
        params = {} if depth is None else {"depth": depth}
        return self._start("order_book", self._wish("order_book", params, maintained=not raw), symbols, how)

    def book(self, symbol: AnySymbol) -> BookView:
        """The order book of a symbol as it is now, of a running `stream_order_book`: the deepest where there are several.

        Raises `BookOutOfSync` while it is not known to be right, `InvalidRequest` where none is kept, `InvalidSymbol`.
        """
        return self._connections.books.view(str(symbol))

    def stream_candles(self, *symbols: AnySymbol, interval: str, **how: Unpack[How]) -> Stream[Candle]:
        """Candles of an interval (`1m`, `4h`), the open one too, each time it changes."""
        return self._open("candles", Candle, symbols, how, interval=interval)

    def stream_mark_price(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[MarkPrice]:
        """Mark and index prices."""
        return self._open("mark_price", MarkPrice, symbols, how)

    def stream_funding_rate(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[FundingRate]:
        """Funding of perpetuals."""
        return self._open("funding_rate", FundingRate, symbols, how)

    def stream_open_interest(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[OpenInterest]:
        """Open interest."""
        return self._open("open_interest", OpenInterest, symbols, how)

    def stream_liquidations(self, *symbols: AnySymbol, **how: Unpack[How]) -> Stream[Liquidation]:
        """Forced orders. Where a venue has one subscription for many symbols, no symbol means all of them."""
        return self._open("liquidations", Liquidation, symbols, how)

    def offers(self, name: str) -> bool:
        """Whether the spec declares a private stream of this name."""
        return name in PRIVATE_STREAMS and bool(self._plan.channels_of(name))

    def private(self, name: PrivateStream, symbols: Sequence[AnySymbol] = (), **how: Unpack[How]) -> Stream[Any]:
        """One's own orders, fills, positions or balances: of all markets, or of these only (balances have none).

        After a reconnect a `Gap` tells since when events may be missing (see `on_private_ready`). Raises `AuthenticationError`
        that names the credentials that are missing, and as the others do.
        """
        if name == "balances" and symbols:
            raise InvalidRequest("balances are of currencies, not of symbols", exchange=self._plan.id)
        return self._start(name, Wish(channels_for(self._plan, name), {}, every=True), symbols, how)

    def on_private_ready(self, callback: Callable[[Recovered], object]) -> Callable[[], None]:
        """Call this whenever a private connection serves all that is asked of it (again); what is returned stops it."""
        return self._connections.recoveries.observe(callback)

    def stream(
        self,
        channel: str,
        *symbols: AnySymbol,
        queue: int | None = None,
        policy: Policy | None = None,
        on_progress: OnProgress | None = None,
        **params: Any,
    ) -> Stream[Event]:
        """Any channel of the spec by its own name, or what is polled; `params` fill the holes of its topic, or request."""
        wish = self._wish(channel, params) if channel in self._plan.polls else Wish((self._plan.channel(channel),), params)
        return self._start(channel, wish, symbols, How(queue=queue, policy=policy, on_progress=on_progress))

    def subscribe(
        self,
        channel: str,
        *symbols: AnySymbol,
        callback: Callback[Event],
        on_error: OnError | None = None,
        on_progress: OnProgress | None = None,
        raw: bool = False,
        **params: Any,
    ) -> Stream[Event]:
        """Call `callback` with the events of a unified stream, or of a channel by its own name (see `Stream.on`).

        `order_book` gives maintained books, unless `raw`; another channel of books by its own name gives its messages.
        """
        name = self._plan.channel(channel).stream if channel in self._plan.channel_names else channel
        wish = self._wish(name, params) if name == channel else Wish((self._plan.channel(channel),), params)
        books = bool(wish.channels) and all(each.book is not None for each in wish.channels)
        wish = replace(wish, maintained=books and name == channel and not raw)
        stream = self._start(channel, wish, symbols, How(on_progress=on_progress))
        self._with_callbacks.append(stream)
        return stream.on(callback, on_error)

    def unsubscribe(self, channel: str, *symbols: AnySymbol) -> None:
        """Take symbols (none named: all) from what `subscribe` asked of this channel."""
        for stream in self._with_callbacks:
            if stream.name == channel:
                stream.unsubscribe(*symbols)

    async def close(self) -> None:
        """Close all connections and streams; returns when nothing is left running."""
        await self._preparation.close()
        await self._polls.close()
        await self._connections.close()
        for stream in tuple(self._wishes):
            await stream.close()
        await self._transport.close()

    def native_id(self, symbol: AnySymbol) -> str:
        """See `StreamHost.native_id`."""
        try:
            return self._markets.native_id(str(symbol))
        except InvalidSymbol:
            if not self._preparation.ahead:
                raise
            return str(symbol)

    def resolve(self, stream: Stream[Any], symbols: Sequence[AnySymbol]) -> list[Subscription]:
        """See `StreamHost.resolve`."""
        return self._resolver.subscriptions(self._wishes[stream], stream._buffer, [str(symbol) for symbol in symbols])

    def attach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """See `StreamHost.attach`. What needs the instruments is subscribed once they are loaded."""
        polled, ahead = self._wishes[stream].polled is not None, self._preparation.ahead
        later = {one for one in subscriptions if ahead and self._resolver.needs_instruments(one, polled=polled)}
        self._serve(stream, [one for one in subscriptions if one not in later])
        if later:
            self._preparation.before(later, partial(self._attach_prepared, stream))

    def _serve(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        polled = self._wishes[stream].polled
        if polled is not None:
            self._polls.attach(polled, subscriptions, stream)
        else:
            self._connections.attach(subscriptions, stream)

    def _attach_prepared(self, stream: Stream[Any], subscriptions: set[Subscription], trouble: CexspecError | None) -> None:
        if stream not in self._wishes:
            return
        for subscription in [one for one in subscriptions if not one.known]:
            self._identify(stream, subscription, subscriptions, trouble)
        waiting = [one for one in stream._subscriptions if one in subscriptions]
        try:
            self._serve(stream, waiting)
        except CexspecError as error:
            for subscription in waiting:
                stream.failed(subscription, error)

    def _identify(self, stream: Stream[Any], subscription: Subscription, waiting: set[Subscription], trouble: CexspecError | None) -> None:
        """Find out what an unknown symbol is; one that stays unknown is refused, for what kept the instruments away if that is why."""
        try:
            subscription.become(self._resolver.of_symbol(self._wishes[stream], stream._buffer, str(subscription.native_id)))
        except CexspecError as error:
            waiting.discard(subscription)
            self.counters.refused += 1
            self.counters.note(LogEvent.SUBSCRIPTION_REFUSED, self.counters.refused, trouble or error)
            stream.refused(subscription, trouble or error)

    def detach(self, stream: Stream[Any], subscriptions: Sequence[Subscription]) -> None:
        """See `StreamHost.detach`."""
        self._preparation.forget(subscriptions)
        self._polls.detach(subscriptions)
        self._connections.detach(subscriptions)

    def closed(self, stream: Stream[Any]) -> None:
        """See `StreamHost.closed`."""
        if self._wishes.pop(stream, None) is not None:
            self._queues.closed(stream)
        if stream in self._with_callbacks:
            self._with_callbacks.remove(stream)

    def _open(self, name: str, model: type[T], symbols: Sequence[AnySymbol], how: How, **params: Any) -> Stream[T]:
        given = {key: value for key, value in params.items() if value is not None}
        return cast("Stream[T]", self._start(name, self._wish(name, given), symbols, how))

    def _wish(self, name: str, params: dict[str, Any], *, maintained: bool = False) -> Wish:
        """That of a unified stream. Raises `NotSupported`."""
        polled = self._plan.polled(name)
        return Wish(channels_for(self._plan, name) if polled is None else (), params, maintained, polled)

    def _start(self, name: str, wish: Wish, symbols: Sequence[AnySymbol], how: How) -> Stream[Event]:
        if strange := how.keys() - How.__annotations__:
            raise TypeError(f"a stream takes {', '.join(How.__annotations__)}, not {', '.join(sorted(strange))}")
        chosen = how.get("policy") or ("conflate" if wish.maintained else self._options.policy)
        self._resolver.check(wish, chosen, fetches=self._connections.books.fetches)
        stream: Stream[Event] = Stream(name, self, self._queues.buffer(name, how.get("queue") or self._options.queue, chosen, self._clock))
        self._wishes[stream] = wish
        try:
            stream.subscribe(*symbols, on_progress=how.get("on_progress"))
        except Exception:
            del self._wishes[stream]
            raise
        return stream
