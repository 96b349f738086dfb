"""One WebSocket connection without the socket: frames and time in; values out (see `outputs`), and when to look again.

    connected -> greeting -> ready -> ... -> Reconnect or disconnected -> connected (with all it had learned forgotten)

Times are seconds of a monotonic clock; `received` stamps are wall-clock nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Literal

from cexspec.compile.socket_plan import Answer, ChannelPlan, ConnectionPlan
from cexspec.engine.chronology import chronological, told_newest_first
from cexspec.engine.early import Early, EarlyFrames
from cexspec.engine.frame_numbers import FrameNumbers
from cexspec.engine.frames import FrameReader, MarketLookup, Reading
from cexspec.engine.freshness import Freshness, Mark, Overdue
from cexspec.engine.keepalive import Liveness
from cexspec.engine.options import StreamOptions
from cexspec.engine.outputs import (
    Deliver,
    Denied,
    Expiring,
    Idle,
    Missed,
    Output,
    Phase,
    Reconnect,
    Refused,
    Send,
    Stale,
    StateChanged,
    Subscribed,
    Undecodable,
    Unrouted,
    Unsubscribed,
    VenueError,
)
from cexspec.engine.private import Identity
from cexspec.engine.subscriptions import Entry, Ledger
from cexspec.engine.topics import Topic
from cexspec.models import ExchangeError
from cexspec.transport.window import SlidingWindow, Window

SAMPLE = 500
"""Bytes of a frame shown."""


class Session:
    """The logic of one connection. Drain `outputs` after every call (`drain`), and call `tick` at `next_deadline`.

    `mark_of` says by what the data of a topic is known, where frames don't name their topic (see `freshness`).
    """

    def __init__(
        self,
        exchange: str,
        connection: ConnectionPlan,
        channels: Mapping[str, ChannelPlan],
        markets: MarketLookup,
        options: StreamOptions | None = None,
        mark_of: Callable[[Topic], Mark] = lambda topic: None,
        identity: Identity | None = None,
    ) -> None:
        self._identity = identity or Identity(exchange, connection)
        self._exchange, self._plan, self._options = exchange, connection, options or StreamOptions()
        self._channels = channels
        self._fresh = Freshness(mark_of)
        self._new_reader: Callable[[], FrameReader] = lambda: FrameReader(exchange, connection, channels, markets, live=True)
        self._ledger = Ledger(connection, channels, self._options.patience, self._identity.values)
        self._ending = True
        self._idle_since = -inf
        self._early = EarlyFrames()
        self._numbers: FrameNumbers | None = None
        self.phase: Phase = "disconnected"
        self.outputs: list[Output] = []
        self._forget(0.0)

    @property
    def wanted(self) -> tuple[Topic, ...]:
        """The desired set, in the order in which it was asked for."""
        return self._ledger.wanted

    @property
    def heard(self) -> float:
        """When the last frame arrived on this connection."""
        return self._life.heard

    def proven(self, topic: Topic) -> float:
        """Until when the venue is known to have served a topic: to its last data where that is expected, else to the last frame."""
        return min(self.heard, self._fresh.proven(topic))

    @property
    def held(self) -> bool:
        """Whether the shell doesn't read just now, so that frames may wait in the socket."""
        return self._held

    def drain(self) -> list[Output]:
        """What has come up since the last call."""
        outputs, self.outputs = self.outputs, []
        return outputs

    def connected(self, now: float, lifetime: float | None = None) -> None:
        """The socket is open; after so many seconds it should be replaced. Raises `AuthenticationError` where it can't log in."""
        self._forget(now)
        self._expires = inf if lifetime is None else now + lifetime
        self._ending, self._idle_since = False, now
        greeting = self._identity.greeting()
        if greeting is not None:
            self._send(greeting, now)
        if self._plan.greet is not None and self._plan.greet.expects:
            self._greet_until = now + self._options.patience.greeting
            self._enter("greeting")
        else:
            self._enter("ready")
            self._flush(now)

    def disconnected(self, reason: str, now: float) -> None:
        """The socket is gone; what was learned on it dies with it, what is wanted stays."""
        self._forget(now)
        self._ending = True
        self._enter("disconnected")

    def subscribe(self, topics: Iterable[Topic], now: float) -> None:
        """Add topics to the desired set."""
        for topic in topics:
            self._settle(self._ledger.want(topic), now)
        self._flush(now)

    def unsubscribe(self, topics: Iterable[Topic], now: float) -> None:
        """Take topics out of the desired set."""
        for topic in topics:
            self._ledger.drop(topic)
            self._fresh.forget(topic)
        self._idle_since = now
        self._flush(now)

    def renew(self, topic: Topic, now: float) -> None:
        """Leave a topic that is served and ask for it anew, so that it begins from its beginning."""
        self._ledger.renew(topic)
        self._flush(now)

    def expect(self, topic: Topic, now: float) -> bool:
        """Another connection brought data of a topic that is served here, too: it is due. Whether that is to be looked at anew."""
        return self._fresh.expect(topic, self._options.patience.behind, now)

    def proves(self, topic: Topic) -> bool:
        """Whether data of the topic shows that the venue serves it from now on: not while it is left and asked for anew."""
        return self._ledger.proves(topic)

    def confirm(self, topic: Topic, now: float) -> None:
        """Data of this topic has arrived: no ack is needed any more."""
        self._settle(self._ledger.confirm(topic), now)
        self._flush(now)

    def received(self, frame: bytes | str, now: float, received: int | None = None) -> None:
        """A frame arrived; `received` is its wall-clock time in nanoseconds."""
        before, self._life.heard = self._life.heard, now
        if self._numbers is not None and not self._count(frame, now - before):
            return
        reading = self._frames.read(frame, received)
        if reading.role == "data":
            self._deliver(reading, now)
        else:
            self._control(reading, frame, now, received)

    def hold(self) -> None:
        """The shell stops reading for a while: the peer's silence means nothing now."""
        self._held = True
        self._life.hold()

    def release(self, now: float) -> None:
        """The shell reads again."""
        self._held = False
        self._life.release(now)
        self._fresh.excuse(now)
        self._ledger.excuse(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._ending:
            return
        death = self._life.death(now)
        if death is None and self.phase == "greeting" and now >= self._greet_until:
            death = f"no greeting within {self._options.patience.greeting:g} s"
        if death is not None:
            self._end(death)
            return
        if not self._held:
            self._settle(self._ledger.expire(now), now)
        for early in self._early.given_up(now):
            self._unrouted(early.frame, "no ack announced its number")
        self._look_for_silence(now)
        self._look_at_age(now)
        self._ping(now)
        self._flush(now)
        if self._idle_at() <= now:
            self._ending = True
            self.outputs.append(Idle())

    def next_deadline(self) -> float | None:
        """When `tick` is due; None: not before something else happens."""
        if self._ending:
            return None
        due = min(self._life.deadline(), self._idle_at(), self._early.due(), self._expires)
        if not self._held:
            due = min(due, self._fresh.deadline() or inf, self._ledger.answers_due())
        asking = max(self._ledger.asking_due(), self._paced_until) if self.phase != "greeting" else self._greet_until
        due = min(due, asking)
        return due if due < inf else None

    def _deliver(self, reading: Reading, now: float) -> None:
        parts = reading.parts
        if reading.errors:  # first, because what they tell of may be older than what is delivered
            self.outputs += [Undecodable(error) for error in reading.errors]
        if parts:
            self._fresh.heard(parts, reading.topic, now)
            for _, events in parts:
                if len(events) > 1 and told_newest_first(events):
                    parts = tuple((name, chronological(events) if told_newest_first(events) else events) for name, events in parts)
                    break
            self.outputs.append(Deliver(parts, reading.topic))

    def _control(self, reading: Reading, frame: bytes | str, now: float, received: int | None) -> None:
        match reading.role:
            case "ack" | "refusal" | "denial" | "error":
                self._answered(reading, frame, now)
            case "heartbeat" | "ping":
                self._beaten(reading, now)
            case "greeting":
                self._greeted(now)
            case "early":
                self._keep(Early(reading.value or "", frame, received, now + self._options.patience.answer))
            case "unrouted":
                self._unrouted(frame, reading.reason)
            case "undecodable":
                self.outputs += [Undecodable(error) for error in reading.errors]
        if reading.reconnect:
            self._end(f"the venue asks for it ({reading.reason})")

    def _beaten(self, reading: Reading, now: float) -> None:
        if reading.topic is not None:
            self._fresh.alive(reading.topic, now)
        if reading.reply is not None:
            self._send(reading.reply, now)

    def _answered(self, reading: Reading, frame: bytes | str, now: float) -> None:
        if reading.role == "denial" and self.phase == "greeting":
            self._denied(frame)
            return
        answer = reading.answer
        if answer is None:
            return
        entries = self._ledger.answered_by(answer, reading.verb, refused=reading.role in ("refusal", "denial"))
        if reading.role != "ack":
            error = answer.error or ExchangeError(reading.reason or "refused", exchange=self._exchange)
            self._identity.hide(error)
            self._settle(self._ledger.refuse(entries, error, now) if entries else [VenueError(error)], now)
        else:
            learned = {value for entry in entries if (value := self._learn(answer, entry)) is not None}
            self._settle(self._ledger.accept(entries), now)
            self._replay(learned, now)
        self._flush(now)

    def _learn(self, answer: Answer, entry: Entry) -> str | None:
        """The value that an ack teaches of a topic."""
        if entry.phase not in ("asked", "live"):
            return None
        entry.learned = answer.learned
        value = self._frames.learn(answer, entry.topic)
        if value is not None and entry.attempts > 0:
            for early in self._early.explained([value]):  # of a subscription that was asked for before, which may have ended since
                self._unrouted(early.frame, "it came before another request for its topic")
        return value

    def _greeted(self, now: float) -> None:
        if self.phase == "greeting":
            self._enter("ready")
            self._flush(now)

    def _denied(self, frame: bytes | str) -> None:
        error = self._identity.denied(frame)
        self.outputs.append(Denied(error))
        self._end(f"the login was refused: {error}")

    def _keep(self, early: Early) -> None:
        if not self._early.keep(early):
            self._unrouted(early.frame, "too many frames came before their acks")

    def _replay(self, values: set[str], now: float) -> None:
        """Frames that came before the ack that explains them are read now, in their order."""
        for early in self._early.explained(values):
            reading = self._frames.read(early.frame, early.received)
            if reading.role == "data":
                self._deliver(reading, now)
            else:
                self._control(reading, early.frame, now, early.received)

    def _settle(self, outputs: Iterable[Output], now: float) -> None:
        """Tell how topics stand, and expect data of those that are served."""
        for output in outputs:
            if isinstance(output, Reconnect):
                self._end(output.reason)
                continue
            self.outputs.append(output)
            match output:
                case Subscribed(topic):
                    every = self._options.expected(self._channels[topic.channel])
                    if every is not None:
                        self._fresh.began(topic, every, now)
                case Unsubscribed(topic):
                    self._fresh.ended(topic)
                case Refused(topic, _):
                    self._fresh.forget(topic)

    def _look_for_silence(self, now: float) -> None:
        if self._held:
            return
        for overdue in self._fresh.overdue(now):
            self._overdue(overdue, now)

    def _overdue(self, overdue: Overdue, now: float) -> None:
        topic = overdue.topic
        expected = "another connection brought some" if overdue.awaited else f"expected every {overdue.every:g} s"
        reason = f"no data of {topic.text} for {overdue.silence:.3g} s ({expected})"
        if overdue.action == "reconnect":
            self._end(reason)
        else:
            self.outputs.append(Stale(topic, reason, overdue.silence))
            self._ledger.renew(topic)

    def _look_at_age(self, now: float) -> None:
        if now >= self._expires:
            self._expires = now + 1.0
            self.outputs.append(Expiring())

    def _unrouted(self, frame: bytes | str, reason: str | None) -> None:
        sample = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
        self.outputs.append(Unrouted(self._identity.masked(sample[: 2 * SAMPLE])[:SAMPLE].encode("utf-8", "replace"), reason or "unknown"))

    def _count(self, frame: bytes | str, silence: float) -> bool:
        """Whether the frame is to be read: not one that repeats the last. `silence`: seconds since the one before."""
        missed = self._numbers.missed(frame) if self._numbers is not None else 0
        if missed:
            self.outputs.append(Missed(missed, silence))
            for early in self._early.given_up(inf):
                self._unrouted(early.frame, "frames after it were lost before an ack announced its number")
        return missed is not None

    def _ping(self, now: float) -> None:
        if self._plan.keepalive.send is not None and self._life.ping_due(now):
            self._pings += 1
            self._send(self._plan.keepalive.send(str(self._pings)), now)
            self._life.pinged(now)

    def _flush(self, now: float) -> None:
        """Ask for what is due, at the pace the venue allows."""
        self._paced_until = -inf
        while self.phase == "ready" and not self._ending and self._ledger.ready(now):
            wait = self._window.wait(1, now) if self._window is not None else 0.0
            if wait > 0.0:
                self._paced_until = now + wait
                return
            frame, settled = self._ledger.next_message(now)
            if frame is not None:
                self._send(frame, now)
            self._settle(settled, now)

    def _send(self, frame: bytes, now: float) -> None:
        if self._window is not None:
            self._window.spend(1, now)
        self._life.sent = now
        self.outputs.append(Send(frame))

    def _idle_at(self) -> float:
        return self._idle_since + self._options.patience.idle if not self._ledger.wants_something else inf

    def _enter(self, phase: Literal["disconnected", "greeting", "ready"]) -> None:
        if phase != self.phase:
            self.phase = phase
            self.outputs.append(StateChanged(phase))

    def _end(self, reason: str) -> None:
        if not self._ending:
            self._ending = True
            self.outputs.append(Reconnect(reason))

    def _forget(self, now: float) -> None:
        """Everything that lives and dies with a connection."""
        pace = self._plan.messages_per
        self._window = SlidingWindow(Window(pace.rate, pace.per)) if pace is not None else None
        self._frames = self._new_reader()
        self._life = Liveness(self._plan.keepalive, now)
        self._early.clear()
        self._numbers = FrameNumbers(self._plan.sequence) if self._plan.sequence is not None else None
        self._greet_until = self._paced_until = -inf
        self._expires, self._held = inf, False
        self._pings = 0
        self._fresh.start_over()
        self._ledger.start_over()
