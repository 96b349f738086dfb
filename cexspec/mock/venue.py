"""The mock venue: a local server that speaks a venue's REST and WebSocket, made of its spec and samples."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import msgspec

from cexspec.compile.exchange import Exchange
from cexspec.mock.answers import Answers
from cexspec.mock.dialogue import Dialogue
from cexspec.mock.feed import Feed
from cexspec.mock.listing import Listing
from cexspec.mock.market import MILLISECOND, SECOND, Market
from cexspec.mock.requests import Refused, Requests
from cexspec.mock.samples import Samples
from cexspec.spec.load import find, load

if TYPE_CHECKING:
    from aiohttp import web

WS_PREFIX = "/_ws/"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class MockVenue:
    """A venue on this machine, for tests, demos and development without a network.

        async with MockVenue(name) as venue, Client(name, environment=venue.environment) as client:
            ...

    `exchange` is a shipped id or the path of a spec that has samples beside it. Subscribed markets move every `interval`
    seconds, the same way for the same `seed`; `clock` gives the venue's time in nanoseconds. `symbols` (unified or native)
    are listed on top of the venue's examples. Requests that the spec doesn't describe are refused in the venue's words.
    Raises `SpecError` where the spec is wrong or has no samples, `OSError` where the port is taken.
    """

    def __init__(
        self,
        exchange: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        interval: float = 0.1,
        symbols: Iterable[str] = (),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        path = find(exchange)
        self.exchange = Exchange(load(path))
        samples = Samples.load(path)
        self.listing = Listing(self.exchange, samples, symbols)
        self._samples, self._host, self._port, self._seed, self._interval, self._clock = samples, host, port, seed, interval, clock
        self._markets: dict[str, Market] = {}
        self._feeds: dict[str, Feed] = {}
        self._peers: set[Peer] = set()
        self._requests = Requests(self.exchange, self.listing)
        self._answers = Answers(self.exchange, samples, self.listing, self.market, clock)
        self._runner: web.AppRunner | None = None
        self._moving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def environment(self) -> dict[str, Any]:
        """What `Client(..., environment=...)` takes."""
        base = f"{self._host}:{self._port}"
        sockets = {name: f"ws://{base}{WS_PREFIX}{name}" for name in self.exchange.connection_names}
        return {"rest": f"http://{base}", "ws": sockets}

    def market(self, name: str) -> Market:
        """The simulated market of a unified symbol or native id, where it stands now. Raises `InvalidSymbol` where it isn't listed."""
        listed, now = self.listing.find(name), self._clock() // MILLISECOND * MILLISECOND
        symbol = str(listed.symbol)
        market = self._markets.get(symbol)
        if market is None:
            seeded = random.Random(f"{self._seed} {symbol}")
            market = self._markets[symbol] = Market(symbol, listed.price, listed.grid, seeded, now)
        elif symbol not in self._subscribed() and now - market.time >= self._interval * SECOND:
            market.advance(now)
        return market

    def dialogue(self, connection: str) -> Dialogue:
        """The venue's side of a new connection, without a socket."""
        if connection not in self._feeds:
            self._feeds[connection] = Feed(self.exchange, connection, self._samples)
        return Dialogue(self.exchange, connection, self._samples, self.listing, self.market, self._feeds[connection])

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes = b"") -> tuple[int, bytes, str]:
        """Status, body, and the reason of a refusal (empty: none) for a request, without a socket."""
        operation = ""
        try:
            asked = self._requests.read(method, path, query, msgspec.json.decode(body) if body else None)
            operation = asked.operations[0]
            return 200, _ENCODER.encode(self._answers.answer(asked)), ""
        except Refused as refused:
            status, text = self._answers.refusal(operation, refused.error, str(refused))
            return status, text.encode(), str(refused)
        except msgspec.DecodeError as broken:
            status, text = self._answers.refusal(operation, "InvalidRequest", str(broken))
            return status, text.encode(), f"the body is no JSON: {broken}"

    async def start(self) -> None:
        """Listen, and let the markets move."""
        from aiohttp import web

        app = web.Application()
        app.router.add_get(WS_PREFIX + "{connection}", self._socket)
        app.router.add_route("*", "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._moving = asyncio.create_task(self._move())

    async def close(self) -> None:
        """Close every connection and stop listening."""
        if self._moving is not None:
            self._moving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._moving
        await self.drop_connections(1001)
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def drop_connections(self, code: int = 1012) -> None:
        """Close every WebSocket, as a venue does at a restart."""
        await asyncio.gather(*(peer.socket.close(code=code) for peer in tuple(self._peers)))

    def move(self) -> None:
        """Let every subscribed market make one move."""
        now = self._clock()
        for symbol in sorted(self._subscribed()):
            self.market(symbol).advance(now)

    def _subscribed(self) -> set[str]:
        return {symbol for peer in self._peers for symbol in peer.dialogue.instruments()}

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            self.move()
            await asyncio.gather(*(peer.send(self._due(peer)) for peer in tuple(self._peers)))

    def _due(self, peer: Peer) -> Iterator[str]:
        for symbol in sorted(self._subscribed()):
            yield from peer.dialogue.tick(self.listing[symbol])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import WSMsgType, web

        name = request.match_info["connection"]
        if name not in self.exchange.connection_names:
            return web.Response(status=404, text=f"no connection '{name}'")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        peer = Peer(self.dialogue(name), socket)
        self._peers.add(peer)
        try:
            await peer.send(peer.dialogue.opened())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await peer.send(peer.dialogue.receive(message.data))
        finally:
            self._peers.discard(peer)
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        from aiohttp import web

        status, body, reason = self.answer(request.method, request.rel_url.raw_path, dict(request.query), await request.read())
        headers = {"X-Mock-Reason": reason.encode("ascii", "replace").decode()[:200]} if reason else {}
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)


class Peer:
    """One connected client. Frames reach it in the order in which they were made."""

    def __init__(self, dialogue: Dialogue, socket: web.WebSocketResponse) -> None:
        self.dialogue, self.socket = dialogue, socket
        self._turn = asyncio.Lock()

    async def send(self, texts: Iterator[str]) -> None:
        """Make and send frames; a client that has gone is no error."""
        async with self._turn:
            with contextlib.suppress(ConnectionError):
                for text in list(texts):
                    await self.socket.send_str(text)
