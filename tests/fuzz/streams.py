"""Frames: whatever a peer sends is read, or refused by a typed error, alike by every way in; and a session goes on after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from math import isclose

from hypothesis import strategies as st

from cexspec.engine.frames import FrameReader
from cexspec.engine.markets import Markets
from cexspec.engine.normalize import Normalizer
from cexspec.engine.outputs import Deliver, Output, Send, Undecodable, Unrouted
from cexspec.engine.session import Session
from cexspec.engine.topics import Topic, topic_of
from cexspec.mock.venue import MockVenue
from cexspec.models import CexspecError, Event
from tests.exchanges.venue import EXCHANGES, IDS, plan, samples
from tests.fuzz import seeds
from tests.fuzz.mutations import payloads
from tests.fuzz.oracle import check, numbers
from tests.fuzz.run import Target

Input = tuple[str, bytes]


@cache
def normalizer(exchange: str, *, exact: bool) -> Normalizer:
    """One that keeps what it learns, as in a long session."""
    return Normalizer(str(EXCHANGES / f"{exchange}.yaml"), number=Decimal if exact else float)


def anew(exchange: str, *, exact: bool) -> Normalizer:
    """One that has learned nothing yet; compiled only once."""
    made = normalizer(exchange, exact=exact)
    if made.markets.loaded:
        normalizer.cache_clear()
        reader.cache_clear()
        made = normalizer(exchange, exact=exact)
    return made


@cache
def reader(exchange: str, connection: str) -> FrameReader:
    """A reader of a live connection."""
    known, live = normalizer(exchange, exact=True), plan(exchange)
    channels = {name: live.channel(name) for name in live.channel_names}
    return FrameReader(exchange, live.connection(connection), channels, known.markets)


def events(read: Callable[[], list[Event]]) -> list[Event] | None:
    """The events, checked; None for a typed error. Everything else that is raised fails."""
    try:
        found = read()
    except CexspecError:
        return None
    check(found)
    return found


def alike(exact: list[Event] | None, floats: list[Event] | None) -> bool:
    """Whether two number types read the same, where both read."""
    if exact is None or floats is None or len(exact) != len(floats):
        return True  # bounds differ: a float has none that can be seen once it is decoded
    pairs = zip(numbers(exact), numbers(floats), strict=False)
    return all(isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-290) for one, other in pairs)


BEYOND = "out of range"
"""What the parser says of a number that no float holds."""


def read(given: Input) -> None:
    """By every way in."""
    exchange, data = given
    exact, floats = normalizer(exchange, exact=True), normalizer(exchange, exact=False)
    first = events(lambda: exact.ws(data))
    assert alike(first, events(lambda: floats.ws(data))), "another value as float"
    for connection in plan(exchange).connection_names:
        events(lambda name=connection: exact.ws(data, name))  # type: ignore[misc]
        one = reader(exchange, connection)
        guessed, routed = one.guessed(data, None), one._routed(data, None)
        check(routed.events)
        if BEYOND in (routed.reason or ""):
            continue  # it looks at every number of a frame, where a guess reads only what is mapped
        assert guessed is None or guessed[1] == routed.events, "guessed as something else"
        assert one.read(data).events == routed.events, "read another way the second time"
    text = _text(data)
    if text is not None:
        events(lambda: exact.ws(text))


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None


MOST_TOPICS = 8
"""Topics that a session asks for at most."""
MAX_OUTPUTS = 50
"""What one frame may set off at most, besides the topics it settles."""
NOW = 1_790_000_000 * 10**9


class Play:
    """A session on a socket whose other end is the mock venue: all its topics asked for and served."""

    def __init__(self, exchange: str, connection: str) -> None:
        live = plan(exchange)
        channels = {name: live.channel(name) for name in live.channel_names if connection in live.channel(name).connections.values()}
        self.venue, self.connection = venue(exchange), connection
        self.session = Session(exchange, live.connection(connection), channels, Markets(live))
        self.now = 0.0
        self.session.subscribe(topics(exchange, connection), self.now)
        self.connect()

    def connect(self) -> None:
        """A new socket. `good` are the frames with data that the venue sent at once, `events` what they said."""
        self.dialogue = self.venue.dialogue(self.connection)
        self.good: list[str] = []
        self.events: list[list[Event]] = []
        self.session.connected(self.now)
        waiting = deque(self.dialogue.opened())
        while True:
            for output in self.session.drain():
                if isinstance(output, Send):
                    waiting.extend(self.dialogue.receive(output.frame.decode()))
            if not waiting:
                return
            self.session.received(frame := waiting.popleft(), self.now, 1)
            found = [event for output in self.session.outputs for event in _events(output)]
            if found:
                self.good.append(frame)
                self.events.append(found)

    def again(self) -> list[list[Event]]:
        """What the same frames say now; nothing of those that are passed over because the last frame had their number."""
        said = []
        for frame in self.good:
            self.session.received(frame, self.now, 1)
            said.append([event for output in self.session.drain() for event in _events(output)])
        return said


@cache
def venue(exchange: str) -> MockVenue:
    """A venue whose time stands still: it says the same to everybody."""
    return MockVenue(str(EXCHANGES / f"{exchange}.yaml"), clock=lambda: NOW)


@cache
def topics(exchange: str, connection: str) -> tuple[Topic, ...]:
    """Some of what the samples subscribe to there: nothing whose messages hang on earlier ones, or that is somebody's own."""
    live, found = plan(exchange), []
    assert live.spec.ws is not None
    markets = Markets(live)
    for case in samples(exchange, "requests"):
        name = case.get("channel", "")
        if name not in live.channel_names or live.spec.ws.channels[name].merge is not None or live.channel(name).private:
            continue
        if connection not in live.channel(name).connections.values():
            continue
        call = case.get("call") or {}
        try:
            found.append(topic_of(live.channel(name), {**call, **(markets.params(call["symbol"]) if "symbol" in call else {})}))
        except (KeyError, CexspecError):
            continue  # a topic of symbols that only the instruments know
    return tuple(found[:MOST_TOPICS])


def _events(output: Output) -> list[Event]:
    return [event for _, found in output.parts for event in found] if isinstance(output, Deliver) else []


def survive(given: tuple[str, str, list[bytes]]) -> None:
    """Bad frames come between good ones: these still say the same, at once or on the next socket at the latest."""
    exchange, connection, bad = given
    made = Play(exchange, connection)
    before = made.events
    harmless = True
    for data in bad:
        made.session.received(data, made.now, 1)
        found = made.session.drain()
        assert len(found) <= MAX_OUTPUTS + len(made.session.wanted) * 2, f"{len(found)} outputs of one frame"
        check([event for output in found for event in _events(output)])
        harmless &= all(isinstance(output, Undecodable | Unrouted) for output in found)
        made.now += 0.5
        made.session.tick(made.now)
        made.session.drain()
        due = made.session.next_deadline()
        assert due is None or due < made.now + 1e6
    if harmless:
        after = made.again()
        assert [one for one in after if one] == [one for one, now in zip(before, after, strict=True) if now], "other events after it"
    wanted = made.session.wanted
    made.session.disconnected("over", made.now)
    made.session.drain()
    made.connect()
    if len(wanted) == len(topics(exchange, connection)):
        assert made.events == before, "other events on the next socket"


def connections() -> list[tuple[str, str]]:
    """Every connection of every exchange that anybody may have."""
    return [(exchange, name) for exchange in IDS for name in plan(exchange).connection_names if topics(exchange, name)]


FRAMES = Target("frames", st.sampled_from(IDS).flatmap(lambda one: st.tuples(st.just(one), payloads(seeds.frames(one)))), read)
SESSIONS = Target(
    "sessions",
    st.sampled_from(connections()).flatmap(
        lambda one: st.tuples(st.just(one[0]), st.just(one[1]), st.lists(payloads(seeds.frames(one[0])), min_size=1, max_size=4))
    ),
    survive,
)
TARGETS = (FRAMES, SESSIONS)
