"""The other end of a soak, a process of its own: a venue's dialogue, and trades of many symbols at a steady rate.

Subscriptions are answered by the mock venue; trades are filled into frames made ahead, books are the mock's own. Every trade has
the next number of its symbol, whether anybody is there to take it or not. Commands come as lines of JSON on stdin (`go`,
`fault`, `stop`, `state`), each is answered by a line on stdout; the first line is the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import socket
import struct
import sys
import time
from array import array
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from cexspec.mock.dialogue import Dialogue
from cexspec.mock.listing import Listed
from cexspec.mock.venue import MockVenue
from tests.soak.frames import NUMBER, PRICE, TIME, FrameMould, stamp
from tests.soak.plan import Plan

LINE = 1 << 24
"""Bytes of a command at most."""
TICK = 0.001
"""Seconds between batches."""
AT_MOST = 0.02
"""Seconds of trades made up for at most when this process was kept from running; the rest never happens."""
BOOKS_EVERY = 0.5
"""Seconds between the changes of a book."""
CONGESTED = 1 << 17
"""Bytes that wait for a client at most."""
SEND_BUFFER = 1 << 16
GARBAGE = ('{"arg":{"channel":"trades","ins', '{"weather":"rain"}', "[[[[", '{"event":"nothing","arg":null}', "\u00ff")


@dataclass
class Tape:
    """The trades of a symbol: how it is written, the last number, who takes it."""

    symbol: str
    mould: FrameMould
    number: int = NUMBER
    peer: Peer | None = None
    times: array[int] = field(default_factory=lambda: array("q"))
    """when each was made, in milliseconds"""

    def time_of(self, number: int) -> int:
        """In nanoseconds; of one that was never made, the end of time."""
        at = number - NUMBER - 1
        return self.times[at] * 10**6 if 0 <= at < len(self.times) else 2**63


@dataclass(eq=False)
class Peer:
    """A connected client."""

    dialogue: Dialogue
    socket: web.WebSocketResponse
    transport: asyncio.Transport
    out: list[bytes] = field(default_factory=list)
    topics: frozenset[str] = frozenset()
    books: frozenset[str] = frozenset()
    silent: bool = False


class LoadServer:
    """Serves one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.random = plan, random.Random(plan.seed)
        self.venue = MockVenue(plan.exchange, symbols=(*plan.symbols, *plan.books), interval=BOOKS_EVERY / 2)
        vars(self.venue.listing)["named"] = _remembered(self.venue.listing.named)
        self.tapes = {tape.symbol: tape for tape in map(self._tape, plan.symbols)}
        self.peers: set[Peer] = set()
        self.made = self.sent = self.skipped = self.held_back = 0
        self.drop_books = 0
        self.port = 0
        self._going: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    def _tape(self, symbol: str) -> Tape:
        listed = self.venue.listing.find(symbol)
        channel = self.venue.exchange.streams["trades"][0]
        connection = next(iter(self.venue.exchange.channel(channel).connections.values()))
        feed = self.venue.dialogue(connection)._feed
        template = next(one for one in feed._templates[channel] if not one.past)
        row = {
            "symbol": listed.id,
            "id": str(NUMBER),
            "price": PRICE,
            "size": listed.grid.step * 10,
            "side": "buy",
            "timestamp": TIME * 10**6,
        }
        document = template.encoder.encode([row], listed.branches)
        asked = feed.topic(self.venue.exchange.channel(channel).topic({**listed.params}), {})
        assert asked is not None
        dialogue = self.venue.dialogue(connection)
        return Tape(symbol, FrameMould(next(dialogue._sent(asked, iter([document])))))

    async def listen(self) -> None:
        """Open the port, the same one again after a pause."""
        if self._runner is None:
            app = web.Application()
            app.router.add_get("/_ws/{connection}", self._serve)
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        peer_socket = web.WebSocketResponse(compress=False)
        await peer_socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        peer = Peer(self.venue.dialogue(request.match_info["connection"]), peer_socket, request.transport)
        self.peers.add(peer)
        try:
            await self._say(peer, list(peer.dialogue.opened()))
            async for message in peer_socket:
                if message.type is WSMsgType.TEXT and not peer.silent:
                    texts = []
                    for text in peer.dialogue.receive(message.data):
                        texts.append(text)
                        await asyncio.sleep(0)  # trades go on meanwhile: answers for hundreds of topics take a while
                    self._note(peer)  # before the acks are on their way: what is acknowledged is served
                    await self._say(peer, texts)
        except ConnectionError:
            pass
        finally:
            self._gone(peer)
        return peer_socket

    async def _say(self, peer: Peer, texts: list[str]) -> None:
        for text in texts:
            await peer.socket.send_str(text)

    def _note(self, peer: Peer) -> None:
        """Who takes what, after a message that may have changed it."""
        symbols = {name: frozenset(self._symbols(peer, name)) for name in ("trades", "order_book")}
        wanted, peer.books = symbols["trades"], symbols["order_book"]
        for symbol in wanted - peer.topics:
            self.tapes[symbol].peer = peer
        for symbol in peer.topics - wanted:
            if self.tapes[symbol].peer is peer:
                self.tapes[symbol].peer = None
        peer.topics = wanted

    def _symbols(self, peer: Peer, stream: str) -> list[str]:
        return [self._symbol(topic.params.get("id", "")) for topic in peer.dialogue.topics.values() if topic.channels[0].stream == stream]

    def _symbol(self, native: str) -> str:
        found = self.venue.exchange.symbols.parse(native)
        return found[0] if found is not None else native

    def _gone(self, peer: Peer) -> None:
        self.peers.discard(peer)
        for symbol in peer.topics:
            if self.tapes[symbol].peer is peer:
                self.tapes[symbol].peer = None

    async def trade(self) -> None:
        """Make trades at the rate, in turns over all symbols."""
        turn, start, rate = list(self.tapes.values()), time.monotonic(), self.plan.rate
        self.random.shuffle(turn)
        at = 0
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            due = int((now - start) * rate) - self.made - self.skipped
            most = 0 if self._congested() else int(rate * AT_MOST) + 1
            if due > most:
                self.skipped += due - most
                due = most
            made_at = time.time_ns() // 10**6
            price, milliseconds = stamp(time.monotonic()), b"%d" % made_at
            for _ in range(due):
                tape = turn[at]
                at = at + 1 if at + 1 < len(turn) else 0
                tape.number += 1
                tape.times.append(made_at)
                if tape.peer is not None:
                    tape.peer.out.append(tape.mould.fill(tape.number, price, milliseconds))
            self.made += due
            self._flush()

    def _congested(self) -> bool:
        """Whether a client doesn't take what it is sent: trades wait for it, so that what is reached is what it can take."""
        return any(peer.transport.get_write_buffer_size() > CONGESTED for peer in self.peers)

    def _flush(self) -> None:
        for peer in self.peers:
            if peer.out:
                if peer.silent or peer.transport.is_closing():
                    self.held_back += len(peer.out)
                else:
                    self.sent += len(peer.out)
                    peer.transport.write(b"".join(peer.out))
                peer.out.clear()

    async def change_books(self) -> None:
        """Let the books change, one after the other."""
        while True:
            for symbol in self.plan.books:
                await asyncio.sleep(BOOKS_EVERY / len(self.plan.books))
                listed = self.venue.listing.find(symbol)
                for peer in [one for one in self.peers if symbol in one.books]:  # the others would be searched in vain
                    texts = list(peer.dialogue.tick(listed)) if not peer.silent else []
                    if texts and self.drop_books:
                        self.drop_books -= 1
                        continue
                    with contextlib.suppress(ConnectionError):
                        await self._say(peer, texts)

    async def fault(self, name: str) -> str:
        """Do harm; what was done."""
        known = sorted((peer for peer in self.peers if peer.topics and not peer.silent), key=lambda peer: min(peer.topics))
        if not known:
            return "nobody is there"
        peer = self.random.choice(known)
        about = f"{len(peer.topics)} symbols"
        await FAULTS[name](self, peer)
        return about

    async def close(self, peer: Peer) -> None:
        """A close frame."""
        await peer.socket.close(code=self.random.choice([1000, 1001, 1008, 1011, 1012]))

    async def reset(self, peer: Peer) -> None:
        """A reset of the TCP connection."""
        own = peer.transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.transport.abort()

    async def silence(self, peer: Peer) -> None:
        """Half open: nothing is sent or answered any more."""
        peer.silent = True

    async def lose_books(self, _peer: Peer) -> None:
        """The next messages of some books never arrive."""
        self.drop_books = min(5, len(self.plan.books))

    async def refuse(self, peer: Peer) -> None:
        """A connection ends, and for a while none can be opened."""
        assert self._site is not None
        await self._site.stop()
        await self.reset(peer)
        await asyncio.sleep(self.plan.refuse_for)
        await self.listen()

    async def babble(self, peer: Peer) -> None:
        """Frames that are none."""
        for text in GARBAGE:
            await peer.socket.send_str(text)

    async def hide(self, _peer: Peer) -> None:
        """What no venue admits: a trade that nobody is sent, and nothing tells of. Only to see that the checks see it."""
        tape = next(iter(self.tapes.values()))
        tape.number += 1
        tape.times.append(time.time_ns() // 10**6)

    def state(self) -> dict[str, Any]:
        """What was sent so far."""
        tops = {symbol: top for symbol in self.plan.books if (top := self._top(symbol)) is not None}
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "made": self.made,
            "sent": self.sent,
            "held_back": self.held_back,
            "skipped": self.skipped,
            "cpu": usage.ru_utime + usage.ru_stime,
            "last": {tape.symbol: tape.number for tape in self.tapes.values()},
            "books": tops,
        }

    def _top(self, symbol: str) -> list[str] | None:
        """Best bid and ask as last sent."""
        for peer in self.peers:
            for topic in peer.dialogue.topics.values():
                if topic.bids and not peer.silent and self._symbol(topic.params.get("id", "")) == symbol:
                    return [str(max(topic.bids)), str(min(topic.asks))]
        return None

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """One command."""
        match command["do"]:
            case "go":
                self._going = [asyncio.create_task(work) for work in (self.trade(), self.change_books())]
            case "stop":
                for task in self._going:
                    task.cancel()
                await asyncio.gather(*self._going, return_exceptions=True)
            case "fault":
                return {"about": await self.fault(command["name"])}
            case "times":
                tapes = [(self.tapes[symbol], first, last) for symbol, first, last in command["asked"]]
                return {"times": [(tape.time_of(first), tape.time_of(last)) for tape, first, last in tapes]}
            case "ceiling":
                return {"ceiling": self.ceiling()}
        return self.state()

    def ceiling(self) -> int:
        """Frames a second that this process could make and write, with nobody reading: half a second of trying."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        turn, count, start = list(self.tapes.values()), 0, time.process_time()
        while time.process_time() < start + 0.5:
            batch = [tape.mould.fill(NUMBER, stamp(0.0), b"%d" % TIME) for tape in turn[:20]]
            ours.send(b"".join(batch))
            theirs.recv(1 << 20)
            count += len(batch)
        ours.close()
        theirs.close()
        return int(count / (time.process_time() - start))


def _remembered(named: Callable[[Mapping[str, Any]], Listed | None]) -> Callable[[Mapping[str, Any]], Listed | None]:
    """The same, found once: a listing of a thousand is not searched for each of a thousand topics while trades wait."""
    known: dict[tuple[tuple[str, Any], ...], Listed | None] = {}

    def find(params: Mapping[str, Any]) -> Listed | None:
        key = tuple(sorted(params.items()))
        if key not in known:
            known[key] = named(params)
        return known[key]

    return find


FAULTS: dict[str, Callable[[LoadServer, Peer], Awaitable[None]]] = {
    "close": LoadServer.close,
    "reset": LoadServer.reset,
    "silence": LoadServer.silence,
    "lost book messages": LoadServer.lose_books,
    "refused connects": LoadServer.refuse,
    "garbage": LoadServer.babble,
    "hidden trade": LoadServer.hide,
}


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve(plan: Plan) -> None:
    """Until stdin ends."""
    server = LoadServer(plan)
    await server.listen()
    _tell(str(server.port))
    reader = asyncio.StreamReader(LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        _tell(json.dumps(await server.do(json.loads(line))))


if __name__ == "__main__":
    asyncio.run(serve(Plan.from_json(sys.argv[1])))
