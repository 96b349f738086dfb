"""The thin shell that joins a session to a socket and a clock, and keeps it connected.

One connection is one task: it connects (within the budget of attempts, with capped exponential backoff and full
jitter), then runs a reader, a writer and a timer as a group until one of them ends, and begins again. What the session
decides is carried out here; what concerns subscriptions goes to the `Listener`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Protocol

from cexspec.engine.buffer import Buffer
from cexspec.engine.dispatch import SHARED
from cexspec.engine.options import Reconnecting
from cexspec.engine.outputs import Deliver, Denied, Idle, Output, Reconnect, Send, StateChanged
from cexspec.engine.private import Identity
from cexspec.engine.session import Session
from cexspec.engine.states import State
from cexspec.engine.stats import ConnectionCounts
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, ConnectionLost, Event, RateLimitExceeded, TimeoutError
from cexspec.models.log_events import LogEvent, worth_logging
from cexspec.transport.clock import Clock, within
from cexspec.transport.websocket import Socket

log = logging.getLogger("cexspec.stream")
FOREVER = 3600.0
"""Seconds the timer sleeps at most; it is woken when something changes."""
KEEP_AGAIN = 60.0
"""Seconds after which a call that keeps a listen key alive is made again, where the last one failed on the way."""
AT_ONCE = 64
"""Frames read before others have their turn: consumers take what a burst brings, and the socket's buffer holds the rest.

Where several connections burst at once, consumers wait for so many frames of each; fewer would cost more turns than they save."""


class Listener(Protocol):
    """Who owns the connection."""

    def delivered(self, connection: Connection, deliver: Deliver) -> Sequence[Buffer]:
        """Events arrived; returns the queues whose reader shall wait."""

    def happened(self, connection: Connection, output: Output) -> None:
        """Anything else the session tells."""

    def interrupted(self, connection: Connection, cause: str) -> None:
        """The socket is gone; another will be opened."""

    def moved(self, connection: Connection, before: State, reason: str, error: CexspecError | None) -> None:
        """The state changed; `failed` and `closed` are the last ones."""


class _Over(Exception):
    """This socket is done with."""


class Connection:
    """One WebSocket connection and the task that keeps it. `name` is unique within a client; `lane` says whose own it is.

    `lifetime` gives the seconds after which a socket should be replaced; None: never. `identity` says who it is to the venue.
    """

    def __init__(
        self,
        name: str,
        session: Session,
        open_socket: Callable[[], Awaitable[Socket]],
        clock: Clock,
        listener: Listener,
        counts: ConnectionCounts,
        random: Random,
        reconnecting: Reconnecting,
        lifetime: Callable[[], float | None] = lambda: None,
        lane: int = SHARED,
        identity: Identity | None = None,
    ) -> None:
        self._identity = identity
        self._denied: CexspecError | None = None
        self.name, self.session, self.lane = name, session, lane
        self.state: State = "disconnected"
        self._open, self._clock, self._listener = open_socket, clock, listener
        self.counts, self._random, self._reconnecting, self._lifetime = counts, random, reconnecting, lifetime
        self._outgoing: deque[bytes] = deque()
        self._to_send, self._changed = asyncio.Event(), asyncio.Event()
        self._over: str | None = None
        self._idle = False
        self.heard = 0
        """when the last frame came by the last socket that is gone (wall-clock nanoseconds)"""
        self.latest: dict[str, Event] = {}
        """of each channel what came last, where other connections bring the same: how late is what comes here"""
        self._proven: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def proven(self, topic: Topic) -> int:
        """Until when this socket, or the last one that is gone, is known to have brought all of a topic (wall-clock nanoseconds).

        Where data is expected its last data proves that, else the last frame, whatever it was about.
        """
        gone = self._proven.get(topic.text)
        return gone if gone is not None else self._stamp(self.session.proven(topic))

    def _stamp(self, at: float) -> int:
        """What the wall clock said at a monotonic time, in nanoseconds."""
        return self._clock.time_ns() - round((self._clock.monotonic() - at) * 1e9)

    def start(self) -> None:
        """Begin to connect, once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name=f"cexspec {self.name}")

    def subscribe(self, topics: Iterable[Topic]) -> None:
        """Add topics to what is wanted."""
        self.session.subscribe(topics, self._clock.monotonic())
        self._carry_out()

    def unsubscribe(self, topics: Iterable[Topic]) -> None:
        """Take topics out of what is wanted."""
        self.session.unsubscribe(topics, self._clock.monotonic())
        self._carry_out()

    def renew(self, topic: Topic) -> None:
        """Leave a topic that is served and ask for it anew."""
        self.session.renew(topic, self._clock.monotonic())
        self._carry_out()

    def expect(self, topic: Topic) -> None:
        """Another connection brought data of a topic that is served here, too."""
        if self.session.expect(topic, self._clock.monotonic()):
            self._changed.set()

    def confirm(self, topic: Topic) -> None:
        """Data of a topic arrived."""
        self.session.confirm(topic, self._clock.monotonic())

    def stop(self) -> None:
        """Begin to close; `moved` tells when it is done."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Close; returns when the task has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._move("closed", "closed by the client")

    async def _run(self) -> None:
        try:
            await self._keep_connected()
            self._move("closed", "nothing is subscribed any more")
        except asyncio.CancelledError:
            self._move("closed", "closed by the client")
            raise
        except CexspecError as error:
            self._move("failed", str(error), error)
        except Exception as failure:
            log.exception("%s: an internal error", self.name, extra={"event": LogEvent.INTERNAL_ERROR})
            self._move("failed", "an internal error", CexspecError(f"{self.name}: internal error: {failure!r}"))

    async def _keep_connected(self) -> None:
        failures = 0
        self._move("connecting", "something is subscribed")
        while self._needed():
            error: CexspecError | None = None
            began = self._clock.monotonic()
            try:
                socket = await self._open()
            except CexspecError as refused:
                error, reason = refused, str(refused)
            else:
                began = self._clock.monotonic()
                reason = await self._serve(socket)
                error = self._denied
                if self._idle:
                    return
            # A connection that held for a while counts as a success, however it ended.
            held = error is None and self._clock.monotonic() - began >= self._reconnecting.backoff.cap
            failures = 0 if held else failures + 1
            self._judge(error, reason, failures)
            self._move("reconnecting", reason)
            await self._clock.sleep(self._delay(error, failures))

    def _needed(self) -> bool:
        """Whether something is wanted; else whoever owns this is told that it ends."""
        if not self.session.wanted:
            self._listener.happened(self, Idle())
        return bool(self.session.wanted)

    def _judge(self, error: CexspecError | None, reason: str, failures: int) -> None:
        """Raise where trying again is pointless or no longer wanted; else let the log know how it goes."""
        if error is not None and error.terminal:
            raise error
        limit = self._reconnecting.max_retries
        if limit is not None and failures > limit:
            raise error or ConnectionLost(f"{self.name}: given up after {limit} retries: {reason}")
        if error is not None and worth_logging(failures):
            text = "%s: attempt %d to connect failed: %s"
            log.warning(text, self.name, failures, reason, extra={"event": LogEvent.CONNECT_FAILED})

    def _delay(self, error: CexspecError | None, failures: int) -> float:
        delay = self._reconnecting.backoff.delay(max(0, failures - 1), self._random)
        asked = error.retry_after if isinstance(error, RateLimitExceeded) else None
        return max(delay, asked or 0.0)

    async def _serve(self, socket: Socket) -> str:
        """Run one open socket to its end; why it ended."""
        self._over = self._denied = None
        self._outgoing.clear()
        self._proven.clear()
        self.latest.clear()
        reason = "the socket is closed"
        try:
            self.session.connected(self._clock.monotonic(), self._lifetime())
            self._carry_out()
            works = [self._read(socket), self._write(socket), self._watch()]
            if self._identity is not None and self._identity.keeps_every is not None:
                works.append(self._keep_alive(self._identity, self._identity.keeps_every))
            await _together(works)
        except ExceptionGroup as failures:
            reason = _reason(failures)
        finally:
            self.heard = self._stamp(self.session.heard)
            self._proven = {topic.text: self.proven(topic) for topic in self.session.wanted}
            self.session.disconnected("the socket is closed", self._clock.monotonic())
            self._carry_out()
            await socket.close()
        if not self._idle:
            self._listener.interrupted(self, reason)
        return reason

    async def _read(self, socket: Socket) -> None:
        receive, session, counts = socket.receive, self.session, self.counts
        monotonic, time_ns = self._clock.monotonic, self._clock.time_ns
        while True:
            for _ in range(AT_ONCE):
                frame = await receive()
                counts.messages += 1
                counts.bytes += len(frame)
                session.received(frame, monotonic(), time_ns())
                if full := self._carry_out():
                    await self._wait_for_room(full)
            await asyncio.sleep(0)

    async def _write(self, socket: Socket) -> None:
        while True:
            while self._outgoing:
                await socket.send(self._outgoing.popleft().decode())
            self._to_send.clear()
            await self._to_send.wait()

    async def _watch(self) -> None:
        """The timer: ticks at the session's deadlines, and whenever they may have changed."""
        while True:
            if self._over is not None:
                raise _Over(self._over)
            self._changed.clear()
            now, due = self._clock.monotonic(), self.session.next_deadline()
            if due is not None and due <= now:
                self.session.tick(now)
                self._carry_out()
                continue
            with suppress(TimeoutError):
                await within(self._clock, FOREVER if due is None else due - now, self._changed.wait())

    async def _keep_alive(self, identity: Identity, every: float) -> None:
        """What REST gave before connecting is kept alive; where the venue knows it no longer, another connection is needed."""
        delay = every
        while True:
            await self._clock.sleep(delay)
            delay = every
            try:
                await identity.keep()
            except CexspecError as error:
                if error.terminal:
                    raise _Over(identity.masked(f"what it was opened with can't be kept alive: {error}")) from None
                delay = min(every, KEEP_AGAIN)

    async def _wait_for_room(self, full: Sequence[Buffer]) -> None:
        """A consumer that must not lose anything is slow: nothing is read meanwhile, pings go on."""
        self.session.hold()
        for buffer in full:
            await buffer.room()
        self.session.release(self._clock.monotonic())
        self._changed.set()

    def _carry_out(self) -> list[Buffer]:
        """Do what the session wants done."""
        session = self.session
        full: list[Buffer] = []
        moved = not session.outputs  # a frame without consequences may still have moved a deadline
        while session.outputs:
            for output in session.drain():
                if type(output) is Deliver:
                    full += self._listener.delivered(self, output)
                else:
                    moved = True
                    self._act(output)
        if moved:
            self._changed.set()
        return full

    def _act(self, output: Output) -> None:
        match output:
            case Send(frame):
                self._outgoing.append(frame)
                self._to_send.set()
            case Reconnect(reason):
                self._over = reason
            case Denied(error):
                self._denied = error
            case Idle():
                self._idle, self._over = True, "nothing is subscribed any more"
            case StateChanged("ready"):
                self._move("connected", "ready")
        self._listener.happened(self, output)

    def _move(self, state: State, reason: str, error: CexspecError | None = None) -> None:
        if state == self.state or self.state == "closed":
            return
        before, self.state = self.state, state
        self._listener.moved(self, before, reason, error)


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run until one fails, then end the others; raises an `ExceptionGroup` of the failures.

    Not a task group: before Python 3.13 one forgets that it was canceled, where something in it fails in the same moment.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    raise ExceptionGroup("what served a socket ended", [end for end in ends if isinstance(end, Exception)])


def _reason(failures: ExceptionGroup[Exception]) -> str:
    """Why a socket is done with. What is no failure of the network is raised."""
    for failure in failures.exceptions:
        if not isinstance(failure, _Over | CexspecError):
            raise failure
    return str(failures.exceptions[0])
