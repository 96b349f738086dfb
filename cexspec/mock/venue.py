"""The mock venue: a local server that speaks a venue's REST and WebSocket, made of its spec and samples."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import msgspec

from cexspec.compile.exchange import compile_exchange
from cexspec.compile.http_request import HttpRequest, pairs_of
from cexspec.mock.accounts import Accounts, rules_of
from cexspec.mock.admission import Admission
from cexspec.mock.answers import Answers
from cexspec.mock.bodies import Refused
from cexspec.mock.codes import Codes
from cexspec.mock.dialogue import Dialogue
from cexspec.mock.faults import AnyFault, BrokenBody, Burst, Close, Faults, Handshake, Http, Maintenance, NoPong
from cexspec.mock.feed import Feed
from cexspec.mock.listing import Listing
from cexspec.mock.market import MILLISECOND, SECOND, Market, Row
from cexspec.mock.private import Permission, PrivateAnswers
from cexspec.mock.requests import Asked, Requests
from cexspec.mock.samples import Samples
from cexspec.mock.signatures import Signatures, credentials_of, received
from cexspec.mock.tradable import tradable
from cexspec.models import Credentials
from cexspec.spec.load import find

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
    are listed on top of the venue's examples. Orders are placed on paper, by who signs with `credentials` (made up where none
    are given) that may do what `permissions` say; they trade with each other and with the moving markets. Requests that the spec
    doesn't describe are refused in the venue's words. `inject` makes it do something wrong.
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
        permissions: Iterable[Permission] = ("read", "trade"),
        clock: Callable[[], int] = time.time_ns,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        path = find(exchange)
        self.exchange = compile_exchange(exchange)
        samples = Samples.load(path)
        self.listing = Listing(self.exchange, samples, symbols)
        self._samples, self._host, self._port, self._seed, self._interval, self._clock = samples, host, port, seed, interval, clock
        self.faults = Faults()
        """what is wrong here now"""
        self._markets: dict[str, Market] = {}
        self._watched: set[str] = set()
        self._turn = asyncio.Lock()
        self._feeds: dict[str, Feed] = {}
        self._peers: set[Peer] = set()
        self._answers = Answers(self.exchange, samples, self.listing, self.market, self._now)
        self._requests = Requests(self.exchange, self.listing, Codes(self.exchange, self._answers.answer).symbol)
        self.credentials = Credentials(credentials) if credentials is not None else credentials_of(self.exchange)
        """what whoever trades here signs with"""
        traded_here, rules = partial(tradable, path, samples, self._answers), rules_of(self.exchange.spec)
        self.accounts = Accounts(self.exchange.id, self.listing, traded_here, self.market, self._now, rules)
        """who has what, and the matching engine (`accounts.venue`)"""
        self.admission = Admission(self.exchange, self.credentials, self._now)
        self._signatures = Signatures(self.exchange, self.credentials, self._now)
        self._private = PrivateAnswers(self.exchange, samples, self.accounts, permissions)
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
        sockets = {name: f"ws://{base}{WS_PREFIX}{name}{self._shown(name)}" for name in self.exchange.connection_names}
        return {"rest": f"http://{base}", "ws": sockets}

    def _shown(self, connection: str) -> str:
        """The query by which a connection shows what it got over REST, where the venue's own URL does."""
        url = next(iter(self.exchange.environments.values())).ws.get(connection, "")
        shown = [name for name in self.admission.names(connection) if re.search(rf"{{{{\s*{name}\b", url)]
        return "?" + "&".join(f"{name}={{{{ {name} }}}}" for name in shown) if shown else ""

    def market(self, name: str) -> Market:
        """The simulated market of a unified symbol or native id, where it stands now. Raises `InvalidSymbol` where it isn't listed."""
        listed, now = self.listing.find(name), self._now() // MILLISECOND * MILLISECOND
        symbol = str(listed.symbol)
        market = self._markets.get(symbol)
        if market is None:
            seeded = random.Random(f"{self._seed} {symbol}")
            market = self._markets[symbol] = Market(symbol, listed.price, listed.grid, seeded, now)
        elif symbol not in self._followed() and now - market.time >= self._interval * SECOND:
            market.advance(now)
        return market

    def dialogue(self, connection: str) -> Dialogue:
        """The venue's side of a new connection, without a socket."""
        if connection not in self._feeds:
            self._feeds[connection] = Feed(self.exchange, connection, self._samples, self.faults)
        return Dialogue(
            self.exchange, connection, self._samples, self.listing, self.market, self._feeds[connection], self.faults, self.admission
        )

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Status, body, and the reason of a refusal (empty: none) for a request, without a socket."""
        operation = ""
        try:
            request = received(method, path, query, body, headers or {})
            asked = self._asked(request)
            operation = asked.operations[0]
            answers = self._answers if self._private.verb(operation) is None else self._private
            return 200, _ENCODER.encode(self.admission.issued(operation, answers.answer(asked))), ""
        except Refused as refused:
            status, text = self._answers.refusal(operation, refused.error, str(refused))
            return status, text.encode(), str(refused)
        except msgspec.DecodeError as broken:
            status, text = self._answers.refusal(operation, "InvalidRequest", str(broken))
            return status, text.encode(), f"the body is no JSON: {broken}"

    def _asked(self, request: HttpRequest) -> Asked:
        """What a request asks, by the first of the recipes of its path that it is signed by. Raises `Refused`, for what is most wrong."""
        reasons: list[Refused] = []
        for recipe in self._requests.recipes(request.method, request.path):
            try:
                own = request if recipe is None else self._signatures.opened(recipe, request, self.environment["rest"])
                given = msgspec.json.decode(own.body) if own.body else None
                return self._requests.read(own.method, own.path, dict((*pairs_of(own.query), *pairs_of(own.form))), given, recipe)
            except Refused as reason:
                reasons.append(reason)
        raise min(reasons, key=lambda reason: reason.error in ("InvalidRequest", "AuthenticationError"))

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

    async def inject(self, fault: AnyFault) -> None:
        """Do something wrong: at once, so many times, or until `heal` (see `cexspec.mock.faults`)."""
        match fault:
            case Close(code=1006):
                self._break_connections()
            case Close(code=code):
                await self.drop_connections(code)
            case Maintenance():
                await asyncio.gather(*(peer.send(peer.dialogue.announcement()) for peer in tuple(self._peers)))
            case Burst(moves=moves):
                for _ in range(moves):
                    await self.step()
            case _:
                self.faults.begin(fault)

    def begin_again(self) -> None:
        """Nobody has traded or signed anything yet."""
        self.accounts.begin_again()
        self._signatures.forget()

    def heal(self) -> None:
        """End what is wrong."""
        self.faults.heal()

    async def drop_connections(self, code: int = 1012) -> None:
        """Close every WebSocket, as a venue does at a restart."""
        await asyncio.gather(*(peer.socket.close(code=code) for peer in tuple(self._peers)))

    async def tell(self, channel: str, rows: list[Row], symbol: str) -> None:
        """Tell the customer, on a private channel, what happened to its account: unified fields, about an instrument."""
        listed = self.listing.find(symbol)
        await asyncio.gather(*(peer.send(peer.dialogue.tell(channel, rows, listed)) for peer in tuple(self._peers)))

    def move(self) -> None:
        """Let every market that was ever subscribed make one move: what it does while nobody listens is missed by them."""
        now = self._now()
        for symbol in sorted(self._followed()):
            self.market(symbol).advance(now)
        self.accounts.moved()

    async def step(self) -> None:
        """Let the markets make one move, and tell everybody."""
        async with self._turn:  # what one move made is told before the next one is made
            self.move()
            await asyncio.gather(*(peer.send(self._due(peer)) for peer in tuple(self._peers)))
            await self.report()

    async def report(self) -> None:
        """Tell the customer, on all private channels, what has happened to its account since the last time."""
        told = list(self.accounts.told())
        if told:
            await asyncio.gather(*(peer.send(peer.dialogue.news(told)) for peer in tuple(self._peers)))

    def _now(self) -> int:
        return self._clock() + self.faults.skew

    def _followed(self) -> set[str]:
        self._watched |= {symbol for peer in self._peers for symbol in peer.dialogue.instruments()}
        return self._watched

    def _break_connections(self) -> None:
        for peer in tuple(self._peers):
            peer.abort()

    async def _move(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self.step()

    def _due(self, peer: Peer) -> Iterator[str]:
        for symbol in sorted(self._followed()):
            yield from peer.dialogue.tick(self.listing[symbol])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import WSMsgType, web

        name = request.match_info["connection"]
        if name not in self.exchange.connection_names:
            return web.Response(status=404, text=f"no connection '{name}'")
        if (refused := self.faults.take(Handshake)) is not None:
            return _failure(refused.status, refused.retry_after)
        if not self.admission.knows(name, dict(request.query)):
            return _failure(401, None)
        socket = web.WebSocketResponse(autoping=False, timeout=1.0)
        await socket.prepare(request)
        peer = Peer(self.dialogue(name), socket, request.transport)
        self._peers.add(peer)
        try:
            await peer.send(peer.dialogue.opened())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await peer.send(peer.dialogue.receive(message.data))
                elif message.type is WSMsgType.PING and self.faults.take(NoPong) is None:
                    await peer.pong(message.data)
        finally:
            self._peers.discard(peer)
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        from aiohttp import web

        if (failing := self.faults.take(Http)) is not None:
            return _failure(failing.status, failing.retry_after)
        path, query, sent = request.rel_url.raw_path, dict(request.query), await request.read()
        status, body, reason = self.answer(request.method, path, query, sent, request.headers)
        await self.report()
        if (broken := self.faults.take(BrokenBody)) is not None:
            body = body[: len(body) // 2] if broken.cut else body.replace(b",", b";", 1)
        headers = {"X-Mock-Reason": reason.encode("ascii", "replace").decode()[:200]} if reason else {}
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)


class Peer:
    """One connected client. Frames reach it in the order in which they were made."""

    def __init__(self, dialogue: Dialogue, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.dialogue, self.socket, self._transport = dialogue, socket, transport
        self._turn = asyncio.Lock()

    async def send(self, texts: Iterator[str]) -> None:
        """Make and send frames; a client that has gone is no error."""
        async with self._turn:
            with contextlib.suppress(ConnectionError):
                for text in list(texts):
                    await self.socket.send_str(text)

    async def pong(self, data: bytes) -> None:
        """Answer a ping."""
        with contextlib.suppress(ConnectionError):
            await self.socket.pong(data)

    def abort(self) -> None:
        """Break the connection, without a word."""
        if self._transport is not None:
            self._transport.abort()


def _failure(status: int, retry_after: float | None) -> web.Response:
    """An answer as gateways give it: not in the venue's words."""
    from aiohttp import web

    headers = {"Retry-After": f"{retry_after:g}"} if retry_after is not None else {}
    return web.Response(status=status, text=f"<html><body>{status}</body></html>", content_type="text/html", headers=headers)
