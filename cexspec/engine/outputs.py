"""What a session wants done or known: values, drained by the shell around it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from cexspec.engine.frames import Part
from cexspec.engine.topics import Topic
from cexspec.models import CexspecError, DecodeError, ExchangeError

Phase = Literal["disconnected", "greeting", "ready"]


class Deliver(Struct, frozen=True):
    """Events of a frame, by channel. `topic` is the subscription they belong to, where the frame itself tells."""

    parts: tuple[Part, ...]
    topic: Topic | None


class Send(Struct, frozen=True):
    """Send this frame (text)."""

    frame: bytes


class Subscribed(Struct, frozen=True):
    """The venue serves this topic now, or, where it doesn't say so (`certain` is false), was asked to."""

    topic: Topic
    certain: bool = True


class Unsubscribed(Struct, frozen=True):
    """The venue no longer serves this topic."""

    topic: Topic


class Refused(Struct, frozen=True):
    """The venue won't serve this topic, or never answered; it is wanted no longer."""

    topic: Topic
    error: CexspecError


class Denied(Struct, frozen=True):
    """The venue refuses the login."""

    error: CexspecError


class VenueError(Struct, frozen=True):
    """An error of the venue that answers no subscription."""

    error: ExchangeError


class Unrouted(Struct, frozen=True):
    """A frame that nothing in the spec matches: its beginning, and why."""

    sample: bytes
    reason: str


class Undecodable(Struct, frozen=True):
    """A frame, or a record in it, that doesn't fit the spec."""

    error: DecodeError


class Missed(Struct, frozen=True):
    """The connection's own numbers tell that frames were lost on the way."""

    count: int
    silence: float
    """seconds between the frames before and after them"""


class Stale(Struct, frozen=True):
    """No data came for this topic, though the venue serves it; it is asked for anew."""

    topic: Topic
    reason: str
    silence: float
    """seconds since its last data"""


class Expiring(Struct, frozen=True):
    """The venue will end the connection before long; told every second until it is closed."""


class Reconnect(Struct, frozen=True):
    """This connection is no good any more; open another."""

    reason: str


class Idle(Struct, frozen=True):
    """Nothing has been wanted for a while: the connection may be closed."""


class StateChanged(Struct, frozen=True):
    """The session's own phase: `ready` is when topics are asked for."""

    phase: Phase


Output = (
    Deliver
    | Send
    | Subscribed
    | Unsubscribed
    | Refused
    | Denied
    | VenueError
    | Unrouted
    | Undecodable
    | Missed
    | Stale
    | Expiring
    | Reconnect
    | Idle
    | StateChanged
)
