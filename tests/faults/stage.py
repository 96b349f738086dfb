"""One cell's stage: a mock venue, a proxy, and the real client streaming through it over loopback."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from cexspec import Client
from cexspec.engine.books.settings import BookSettings
from cexspec.engine.options import Backfill, Patience, Reconnecting, StreamOptions
from cexspec.engine.states import Transition
from cexspec.engine.stats import StreamStats
from cexspec.engine.stream import Stream
from cexspec.mock.faults import AnyFault
from cexspec.models import Book, BookOutOfSync, CexspecError, InvalidRequest, Trade
from cexspec.transport.backoff import Backoff
from cexspec.transport.websocket import SocketOptions
from tests.faults.certificates import certificates
from tests.faults.proxy import Proxy
from tests.faults.truth import Losses, Received, Witnessed, difference, judge_trades
from tests.faults.venues import Venue

PACE = 0.015
"""Seconds between moves of the markets."""
LOOK = 0.002
"""Seconds between looks at a condition."""
NOT_RESOLVED = "matrix.invalid"
"""A name that no name server knows."""
SIGNS = ("decode_errors", "unrouted", "venue_errors", "refused", "reconnects", "gaps", "resyncs", "checksum_failures", "stale")
"""Counts that show that something was noticed."""


class Late(AssertionError):
    """Something did not happen in time."""


@dataclass
class Complaints(logging.Handler):
    """Exceptions that got where none may: internal errors of the client, and what the event loop was told of."""

    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", "") in ("internal_error", "callback_error"):
            self.texts.append(f"{record.getMessage()}: {record.exc_info}")

    def of_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.texts.append(f"{context.get('message')}: {context.get('exception')!r}")


class Stage:
    """What a script of a fault plays on. Times are seconds of the monotonic clock."""

    def __init__(self, venue: Venue, mock: Witnessed, proxy: Proxy, client: Client) -> None:
        self.venue, self.mock, self.proxy, self.client = venue, mock, proxy, client
        self.received = Received()
        self.transitions: list[Transition] = []
        self.moving = True
        self.names_work = True
        self.asked: Stream[Trade] | None = None
        self._call: asyncio.Task[Book] | None = None
        self._since: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._before = client.ws.stats

    async def play(self) -> None:
        """Begin: the markets move, and the client follows them."""
        self.client.ws.on_state(self.transitions.append)
        self._tasks.append(asyncio.create_task(self._move(), name="markets"))
        ws, symbols = self.client.ws, self.venue.symbols
        streams: list[Stream[Any]] = [ws.stream_trades(*symbols), ws.stream_order_book(*symbols)]
        self._tasks += [asyncio.create_task(self._read(stream), name="reader") for stream in streams]

    async def calm(self, seconds: float = 15.0) -> None:
        """Until everything comes: a trade and a view of each symbol made from now on."""
        marks = {symbol: (self._time(symbol), self.received.views[symbol]) for symbol in self.venue.symbols}
        await self.until(lambda: all(self._fresh(symbol, *mark) for symbol, mark in marks.items()), seconds, "everything comes")
        for symbol in self.venue.symbols:
            self._since.setdefault(symbol, self._time(symbol))
        self._before = self.client.ws.stats

    async def noticed(self, seconds: float = 10.0) -> None:
        """Until the client shows that something is wrong."""
        await self.until(lambda: self.signs() != [], seconds, "the client notices")

    def signs(self) -> list[str]:
        """What the client has counted since the last calm."""
        now: StreamStats = self.client.ws.stats
        found = [name for name in SIGNS if getattr(now, name) > getattr(self._before, name)]
        if any(state != "connected" for state in self.client.ws.states.values()):
            found.append("state")
        return found

    async def moves(self, number: int) -> None:
        """Until the first market has moved so often."""
        market = self.mock.truth(self.venue.symbols[0])
        goal = market.moves + number
        await self.until(lambda: market.moves >= goal, 20.0, "the markets move")

    async def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for a condition; time counts as far as this process gets its turns. Raises `Late`, or what ended a task of the stage."""
        waited, last = 0.0, time.monotonic()
        while not condition():
            for task in self._tasks:
                if task.done() and not task.cancelled() and (escaped := task.exception()) is not None:
                    raise escaped
            now = time.monotonic()
            waited, last = waited + min(now - last, 10 * LOOK), now
            if waited > seconds:
                raise Late(f"not within {seconds:g} s: {what} ({self._told()})")
            await asyncio.sleep(LOOK)

    def ask(self) -> None:
        """Subscribe one symbol more."""
        self.asked = self.client.ws.stream_trades(self.venue.other)

    async def answered(self) -> None:
        """Until the symbol asked for comes; a refusal, which is an answer, is followed by asking again."""
        assert self.asked is not None
        try:
            await asyncio.wait_for(self.asked.ready(), 30.0)
        except CexspecError as refusal:
            self.received.errors.append(refusal)
            self.ask()
        trade = await asyncio.wait_for(anext(self.asked), 30.0)
        assert trade.symbol == self.venue.other
        await self.asked.close()

    def call(self) -> None:
        """Ask REST for a book."""
        self._call = asyncio.create_task(self.client.rest.get_order_book(self.venue.symbols[0]), name="call")

    async def call_again(self) -> Book:
        """The answer of the call; where that failed with a typed error, that of another one."""
        assert self._call is not None
        try:
            return await self._call
        except CexspecError as error:
            self.received.errors.append(error)
        return await self.client.rest.get_order_book(self.venue.symbols[0])

    async def inject(self, fault: AnyFault) -> None:
        """See `MockVenue.inject`."""
        await self.mock.inject(fault)

    async def settle(self) -> None:
        """The markets stand still, and everything arrives."""
        self.moving = False
        await self.until(lambda: self.differences() == [], 10.0, "the books are the true ones")
        await self.until(lambda: all(self._last(symbol) for symbol in self.venue.symbols), 10.0, "the last trades arrive")

    def differences(self) -> list[str]:
        """Where the client's books differ from the true ones."""
        return [found for symbol in self.venue.symbols if (found := self._difference(symbol)) is not None]

    def losses(self) -> Losses:
        """What became of the trades since the first calm."""
        each = [judge_trades(self.mock, symbol, since, self.received) for symbol, since in self._since.items()]
        return sum(each, Losses())

    async def end(self) -> None:
        """End the tasks of the stage."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _difference(self, symbol: str) -> str | None:
        try:
            view = self.client.ws.book(symbol)
        except (BookOutOfSync, InvalidRequest) as trouble:
            return str(trouble)
        return difference(self.mock, symbol, view)

    def _fresh(self, symbol: str, since: int, views: int) -> bool:
        trades = self.received.trades[symbol]
        newer = bool(trades) and (trades[-1].timestamp or 0) > since
        return newer and self.received.views[symbol] > views and self.client.ws.books.get(symbol) == "in_sync"

    def _time(self, symbol: str) -> int:
        market = self.mock._markets.get(symbol)
        return market.time if market is not None else 0

    def _last(self, symbol: str) -> bool:
        trades, tape = self.received.trades[symbol], self.mock.truth(symbol).tape
        return bool(trades) and str(trades[-1].id) == str(tape[-1]["id"])

    def _told(self) -> str:
        """What the client says of itself, for whoever has to find out."""
        ws = self.client.ws
        return f"states {ws.states}, books {ws.books}, problems {ws.stats.problems[-3:]}, errors {self.received.errors[-2:]}"

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(PACE)
            if self.moving:
                await self.mock.step()

    async def _read(self, stream: Stream[Any]) -> None:
        last: CexspecError | None = None
        while True:
            try:
                async for event in stream:
                    self.received.take(event, self.mock, whole=self.venue.whole)
                return
            except CexspecError as error:
                if error is last:  # the stream has ended with it
                    return
                last = error
                self.received.errors.append(error)


def options(venue: Venue, *, tls: bool, impatient: bool) -> StreamOptions:
    """Short patience everywhere; `impatient`: with topics of trades, too."""
    quick = Backoff(0.15, 0.15)
    return StreamOptions(
        patience=Patience(answer=0.5, attempts=5, greeting=2.0),
        expect_every={"trades": 0.4} if impatient else {},
        reconnecting=Reconnecting(quick),
        socket=SocketOptions(
            open_timeout=3.0,
            close_timeout=0.2,
            max_message=1_000_000,
            compression=False,
            ping_every=None if venue.pings else 0.3,
            tls=certificates().client if tls else None,
        ),
        books=BookSettings(backoff=quick, patience=0.6),
        backfill=Backfill(within=2.0, again=0.05, quiet=0.3),
    )


@asynccontextmanager
async def stage(venue: Venue, *, tls: bool = False, by_name: bool = False, impatient: bool = False) -> AsyncIterator[Stage]:
    """A stage, and at its end proof that nothing of it is left.

    `tls`, `by_name`: how the client gets to the WebSocket; `impatient`: it expects trades all the time.
    """
    loop, complaints, before = asyncio.get_running_loop(), Complaints(), asyncio.all_tasks()
    logging.getLogger("cexspec").addHandler(complaints)
    loop.set_exception_handler(complaints.of_loop)
    try:
        async with (
            Witnessed(venue.name, interval=1e9) as mock,
            Proxy(mock.port, certificates().trusted if tls else None) as proxy,
            Proxy(mock.port) as plain,
        ):
            scheme, host = "wss" if tls else "ws", NOT_RESOLVED if by_name else "127.0.0.1"
            sockets = {name: f"{scheme}://{host}:{proxy.port}/_ws/{name}" for name in mock.exchange.connection_names}
            rest = f"http://127.0.0.1:{(plain if tls or by_name else proxy).port}"
            patience = options(venue, tls=tls, impatient=impatient)
            client = Client(venue.quick, environment={"rest": rest, "ws": sockets}, stream_options=patience, timeout=1.0)
            mine = Stage(venue, mock, proxy, client)
            with _names(loop, mine):
                try:
                    yield mine
                finally:
                    await client.close()
                    await mine.end()
            await mine.until(lambda: not mock._peers and not proxy.lines, 2.0, "every socket is closed")
        for _ in range(5):  # what is cancelled ends in a few turns
            await asyncio.sleep(0)
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        assert not left, f"tasks are left: {left}"
        assert not complaints.texts, complaints.texts
    finally:
        logging.getLogger("cexspec").removeHandler(complaints)
        loop.set_exception_handler(None)


@contextmanager
def _names(loop: asyncio.AbstractEventLoop, mine: Stage) -> Iterator[None]:
    """While names work, the made-up one is known, as if a name server had been told of it."""
    lookup = loop.getaddrinfo

    def known(host: str, port: int, **wanted: Any) -> Any:
        return lookup("127.0.0.1" if host == NOT_RESOLVED and mine.names_work else host, port, **wanted)

    loop.getaddrinfo = known  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        loop.getaddrinfo = lookup  # type: ignore[method-assign]
