"""The faults of the matrix: how each begins, how it is noticed, how it heals, and where it has no meaning."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from cexspec.mock.faults import (
    AnyFault,
    BrokenBody,
    Burst,
    Close,
    Corrupt,
    Drop,
    Duplicate,
    Handshake,
    Http,
    Maintenance,
    NoAck,
    NoPong,
    Oversized,
    Refuse,
    Reorder,
    Silence,
    Skew,
    Truncate,
    Unknown,
    WrongChecksum,
)
from tests.faults.certificates import certificates
from tests.faults.stage import Stage
from tests.faults.truth import TOP
from tests.faults.venues import Venue

Act = Callable[[Stage], Awaitable[None]]


async def nothing(on: Stage) -> None:
    """Nothing is to be done."""


async def noticed(on: Stage) -> None:
    """The client shows that something is wrong."""
    await on.noticed()


async def ridden_out(on: Stage) -> None:
    """There is nothing to notice: the markets move on."""
    await on.moves(12)


async def healed(on: Stage) -> None:
    """The venue does everything right again."""
    on.mock.heal()


def everywhere(venue: Venue) -> str | None:
    """The fault has a meaning at every venue."""
    return None


def never(venue: Venue) -> bool:
    return False


@dataclass(frozen=True)
class Script:
    """One fault. `harmless`: at which venues there is nothing to notice; `meaningless`: why it has no meaning at a venue."""

    name: str
    title: str
    begin: Act
    notice: Act = noticed
    end: Act = healed
    harmless: Callable[[Venue], bool] = never
    meaningless: Callable[[Venue], str | None] = everywhere
    from_start: bool = False
    """it begins before the client connects"""
    tls: bool = False
    by_name: bool = False
    impatient: bool = False


def inject(*faults: AnyFault) -> Act:
    """The mock venue does these."""

    async def act(on: Stage) -> None:
        for fault in faults:
            await on.inject(fault)

    return act


def told(word: str) -> Act:
    """A change of state that says why in this word."""

    async def act(on: Stage) -> None:
        await on.until(lambda: any(word in each.reason for each in on.transitions), 10.0, f"the client says '{word}'")

    return act


# What happens to bytes.


async def _reset(on: Stage) -> None:
    on.proxy.reset()


async def _stall(on: Stage) -> None:
    on.proxy.stall()


async def _slow(on: Stage) -> None:
    on.proxy.slow = True


async def _flow(on: Stage) -> None:
    on.proxy.flow()


async def _refuse(on: Stage) -> None:
    on.proxy.refuse()
    on.proxy.reset()


async def _listen(on: Stage) -> None:
    await on.proxy.listen()


async def _garble(on: Stage) -> None:
    on.proxy.garble()


async def _cut(on: Stage) -> None:
    on.proxy.cut()


async def _distrust(on: Stage) -> None:
    on.proxy.refuse()
    on.proxy.tls = certificates().untrusted
    await on.proxy.listen()


async def _trust(on: Stage) -> None:
    on.proxy.refuse()
    on.proxy.tls = certificates().trusted
    await on.proxy.listen()


async def _noticed_and_tried(on: Stage) -> None:
    await on.noticed()
    await on.moves(8)


async def _forget_names(on: Stage) -> None:
    on.names_work = False


async def _know_names(on: Stage) -> None:
    on.names_work = True


BYTES = (
    Script("tcp-reset", "TCP reset", _reset),
    Script("half-open", "half-open: silence, and nothing is closed", _stall, end=_flow),
    Script("slow-bytes", "slow bytes", _slow, ridden_out, _flow, harmless=lambda venue: True),
    Script("corrupt-bytes", "flipped bytes on the way", _garble),
    Script("cut-stream", "the stream ends within a frame", _cut),
    Script("connect-refused", "connections refused", _refuse, _noticed_and_tried, _listen),
    Script("tls-failure", "TLS: a certificate nobody trusts", _distrust, told("certificate"), _trust, from_start=True, tls=True),
    Script("dns-failure", "DNS: no such name", _forget_names, told("host name"), _know_names, from_start=True, by_name=True),
)

# What happens to connections.


async def _fall_silent(on: Stage) -> None:
    on.moving = False
    await on.inject(NoPong())


async def _speak_again(on: Stage) -> None:
    on.mock.heal()
    on.moving = True


async def _skewed(on: Stage, seconds: float) -> None:
    await on.inject(Skew(seconds=seconds))
    await on.moves(5)
    await on.inject(Close())


async def _tried(on: Stage) -> None:
    await on.until(lambda: not on.mock.faults.has(Handshake), 10.0, "the client tries again and again")


def _announced(venue: Venue) -> str | None:
    return None if venue.announces else "the venue announces no restarts on its sockets"


CONNECTIONS = (
    *(Script(f"close-{code}", f"closed with {code}", inject(Close(code=code))) for code in (1000, 1001, 1008, 1011, 1012)),
    Script("close-1006", "gone without a close frame (1006)", inject(Close(code=1006))),
    Script("maintenance", "the venue announces a restart", inject(Maintenance()), meaningless=_announced),
    Script("missing-pong", "no data, and pings are not answered", _fall_silent, end=_speak_again),
    Script("handshake-429", "handshakes answered with 429", inject(Handshake(status=429, retry_after=0.3, count=2), Close()), _tried),
    Script("handshake-503", "handshakes answered with 503", inject(Handshake(status=503, count=2), Close()), _tried),
    Script("clock-ahead", "the venue's clock is 90 s ahead, and it closes", lambda on: _skewed(on, 90.0)),
    Script("clock-behind", "the venue's clock is 90 s behind, and it closes", lambda on: _skewed(on, -90.0)),
)

# What happens to messages.


def _summed(venue: Venue) -> str | None:
    if venue.checksum is None:
        return "its books have no checksum"
    until = venue.checksum.until
    if until is not None and datetime.now(UTC).date() >= until:
        return f"the venue sends none since {until}"
    return None


async def _refused(on: Stage) -> None:
    await on.inject(Refuse(count=1))
    on.ask()


async def _ask_again(on: Stage) -> None:
    on.mock.heal()
    await on.answered()


async def _swallowed(on: Stage) -> None:
    await on.inject(NoAck(count=2, served=False))
    on.ask()


async def _unanswered(on: Stage) -> None:
    await on.inject(NoAck(count=1))
    on.ask()


async def _asked_again(on: Stage) -> None:
    await on.until(lambda: not on.mock.faults.has(NoAck), 10.0, "the client asks again")


async def _hush(on: Stage) -> None:
    await on.inject(Silence(of="trade", symbol=on.venue.symbols[1]))


def _replaced(venue: Venue) -> bool:
    return venue.replaces


MESSAGES = (
    Script("truncated-json", "a message ends half-way", inject(Truncate(of="trade", count=1))),
    Script("corrupt-json", "a message is no JSON", inject(Corrupt(of="trade", count=1))),
    Script("corrupt-book", "a message of a book is no JSON", inject(Corrupt(of="book", count=1))),
    Script("oversized-frame", "a message beyond the bound", inject(Oversized(of="trade", count=1, size=1_500_000))),
    Script("unknown-message", "messages nobody described", inject(Unknown(of="trade", count=3))),
    Script("missing-delta", "changes of books are missing", inject(Drop(of="book", count=4)), harmless=_replaced),
    Script("duplicate-delta", "changes of books come twice", inject(Duplicate(of="book", count=4)), harmless=lambda venue: True),
    Script("reordered-deltas", "changes of books swap places", inject(Reorder(of="book", count=2)), harmless=_replaced),
    Script("repeated-trades", "trades come twice", inject(Duplicate(of="trade", count=4)), harmless=lambda venue: True),
    Script("wrong-checksum", "a wrong checksum", inject(WrongChecksum(count=1)), meaningless=_summed),
    Script("burst", "100 times as many messages", inject(Burst(moves=100)), harmless=lambda venue: True),
    Script("silent-topic", "one topic falls silent, the others go on", _hush, impatient=True),
    Script("refused-subscription", "a subscription is refused", _refused, end=_ask_again),
    Script("lost-subscription", "subscribing is not answered, and nothing comes", _swallowed, _asked_again, _ask_again),
    Script("missing-ack", "subscribing is not answered, and data comes", _unanswered, end=_ask_again, harmless=lambda venue: True),
)

# What happens to REST.


def _http(fault: Http | BrokenBody) -> Act:
    async def act(on: Stage) -> None:
        await on.inject(fault)
        on.call()

    return act


async def _failed_once(on: Stage) -> None:
    await on.until(lambda: not (on.mock.faults.has(Http) or on.mock.faults.has(BrokenBody)), 10.0, "the request arrives")


def _called(wait: float | None = None) -> Act:
    """The call ends well, or in a typed error and then well; nothing was asked before the venue wants to be."""

    async def act(on: Stage) -> None:
        began = time.monotonic()
        on.mock.heal()
        book = await on.call_again()
        if wait is not None:
            assert time.monotonic() - began >= wait * 0.95, f"asked again before {wait:g} s were over"
        top = tuple(tuple((Decimal(price), Decimal(size)) for price, size in side[:TOP]) for side in (book.bids, book.asks))
        assert top in on.mock.stood[on.venue.symbols[0]], "the answer shows a book that never was"

    return act


def _status(status: int, retry_after: float | None) -> Script:
    suffix, title = ("", "") if retry_after is None else ("-retry-after", " with Retry-After")
    wait = retry_after if status in (418, 429) else None
    begin = _http(Http(status=status, retry_after=retry_after, count=1))
    return Script(f"http-{status}{suffix}", f"HTTP {status}{title}", begin, _failed_once, _called(wait))


async def _all_down(on: Stage) -> None:
    await on.inject(Http(status=503))
    await on.inject(Close())
    await on.noticed()
    await on.moves(8)


REST = (
    *(_status(status, wait) for status in (429, 418, 403, 500, 502, 503, 504) for wait in (None, 0.5)),
    Script("http-truncated-json", "a body that ends half-way", _http(BrokenBody(cut=True, count=1)), _failed_once, _called()),
    Script("http-corrupt-json", "a body that is no JSON", _http(BrokenBody(count=1)), _failed_once, _called()),
    Script("rest-down", "REST answers 503 while streams come back", _all_down),
)

SCRIPTS = {script.name: script for script in (*CONNECTIONS, *BYTES, *MESSAGES, *REST)}
"""By name, in the order of the table."""
