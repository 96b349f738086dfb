"""What the mock venue does wrong when told to, frame by frame and over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from cexspec.engine.markets import Markets
from cexspec.engine.outputs import Deliver, Missed, Reconnect, Refused, Subscribed, Undecodable, Unrouted
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
    Lasting,
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
    parse,
)
from cexspec.models import Book
from tests.mock.wire import START, Talk, topic_of, venue_of

Start = Callable[..., Any]

TEXTS: list[tuple[str, AnyFault]] = [
    ("close", Close()),
    ("close:code=1006", Close(code=1006)),
    ("drop:of=book,count=2", Drop(of="book", count=2)),
    ("http:status=429,retry_after=0.5", Http(status=429, retry_after=0.5)),
    ("no-ack:served=false", NoAck(served=False)),
    ("silence:of=trade, symbol=BTC/USDT", Silence(of="trade", symbol="BTC/USDT")),
    ("skew:seconds=-90", Skew(seconds=-90.0)),
    ("broken-body:cut=true,count=1", BrokenBody(cut=True, count=1)),
]


@pytest.mark.parametrize(("text", "fault"), TEXTS)
def test_a_text_names_a_fault(text: str, fault: AnyFault) -> None:
    assert parse(text) == fault


@pytest.mark.parametrize("text", ["", "explode", "close:code=soon", "close:speed=3", "drop:count"])
def test_other_texts_are_no_faults(text: str) -> None:
    with pytest.raises(ValueError, match="no fault is"):
        parse(text)


def talking(fault: Lasting, channel: str = "trades", name: str = "okx") -> Talk:
    """A session that is served, and a venue that does something wrong from now on."""
    venue = venue_of(name)
    talk = Talk(venue, "public", Markets(venue.exchange))
    talk.subscribe(topic_of(venue, channel, "BTC/USDT"))
    talk.outputs.clear()
    talk.frames.clear()
    venue.faults.begin(fault)
    return talk


FRAMES: list[tuple[Lasting, list[type]]] = [
    (Drop(count=1), [Deliver, Deliver]),
    (Drop(of="book", count=1), [Deliver, Deliver, Deliver]),
    (Drop(), []),
    (Duplicate(of="trade", count=1), [Deliver, Deliver, Deliver, Deliver]),
    (Truncate(count=1), [Undecodable, Deliver, Deliver]),
    (Corrupt(count=2), [Undecodable, Undecodable, Deliver]),
    (Unknown(count=1), [Unrouted, Deliver, Deliver, Deliver]),
    (Oversized(count=1, size=2000), [Unrouted, Deliver, Deliver, Deliver]),
    (Silence(of="trade"), []),
    (Silence(symbol="BTC/USDT"), []),
    (Silence(symbol="ETH/USDT"), [Deliver, Deliver, Deliver]),
]


@pytest.mark.parametrize(("fault", "heard"), FRAMES)
def test_frames_of_data_go_wrong_so_often(fault: Lasting, heard: list[type]) -> None:
    talk = talking(fault)
    talk.move(3)
    trades = [output for output in talk.outputs if isinstance(output, Deliver | Undecodable | Unrouted)]
    assert [type(output) for output in trades] == heard
    talk.venue.heal()
    talk.outputs.clear()
    talk.move(1)
    assert [type(output) for output in talk.outputs] == [Deliver]


def test_frames_swap_places_with_the_next_of_their_topic() -> None:
    talk = talking(Reorder(of="trade", count=1))
    talk.move(3)
    times = [event.timestamp or 0 for event in talk.events()]
    firsts = list(dict.fromkeys(times))
    assert len(firsts) == 3 and firsts[1] < firsts[0] < firsts[2]


def test_a_frame_that_never_leaves_is_missing_in_the_numbers_of_the_connection() -> None:
    talk = talking(Drop(of="trade", count=1), name="bitfinex")
    talk.move(2)
    assert talk.of(Missed)


def test_a_wrong_checksum_is_another_one() -> None:
    sums = []
    for fault in (WrongChecksum(count=1), Drop(of="trade", count=1)):
        talk = talking(fault, "order_book", "kraken")
        talk.move(1)
        sums += [event.checksum or 0 for event in talk.events() if isinstance(event, Book)]
    assert sums[0] == sums[1] ^ 1


@pytest.mark.parametrize(("fault", "refused", "served"), [(Refuse(count=1), 1, 0), (NoAck(served=False), 0, 0), (NoAck(), 0, 1)])
def test_a_subscription_is_refused_or_not_answered(fault: Lasting, refused: int, served: int) -> None:
    talk = talking(fault)
    talk.subscribe(topic_of(talk.venue, "trades", "ETH/USDT"))
    assert (len(talk.of(Refused)), talk.of(Subscribed)) == (refused, [])
    talk.move(1)
    assert len([event for event in talk.events() if event.symbol == "ETH/USDT"][:1]) == served


@pytest.mark.parametrize(("name", "ping"), [("okx", "ping"), ("bitfinex", '{"event":"ping","cid":7}')])
def test_pings_are_not_answered(name: str, ping: str) -> None:
    dialogue = talking(NoPong(count=1), name=name).dialogue
    assert list(dialogue.receive(ping)) == []
    assert len(list(dialogue.receive(ping))) == 1


@pytest.mark.parametrize(("name", "announced"), [("okx", 1), ("binance", 1), ("kraken", 0)])
def test_a_restart_is_announced_in_the_venues_own_words(name: str, announced: int) -> None:
    venue = venue_of(name)
    talk = Talk(venue, venue.exchange.connection_names[0], Markets(venue.exchange))
    talk._hear(talk.dialogue.announcement())
    talk.settle()
    assert len(talk.of(Reconnect)) == announced


def test_the_clock_is_wrong_until_it_is_healed() -> None:
    venue = venue_of("okx")
    venue.faults.begin(Skew(seconds=90))
    assert venue.market("BTC/USDT").time == START + 90 * 10**9
    venue.heal()
    assert venue.market("ETH/USDT").time == START


async def test_http_and_handshakes_go_wrong(mock_venue: Start) -> None:
    venue = await mock_venue("okx")
    url = f"{venue.environment['rest']}/api/v5/public/time"
    for fault in (Http(status=429, retry_after=2, count=1), BrokenBody(count=1), BrokenBody(cut=True, count=1), Handshake(count=1)):
        await venue.inject(fault)
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        for _ in range(2):
            async with session.get(url) as answer:
                with pytest.raises(ValueError):
                    await answer.json()
        async with session.get(url) as answer:
            assert (await answer.json())["code"] == "0"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(venue.environment["ws"]["public"])


@pytest.mark.parametrize(("code", "seen"), [(1008, 1008), (1006, 1006)])
async def test_connections_are_closed_with_a_code_or_broken(code: int, seen: int, mock_venue: Start) -> None:
    venue = await mock_venue("okx", interval=1e9)
    async with aiohttp.ClientSession() as session, session.ws_connect(venue.environment["ws"]["public"]) as socket:
        await socket.send_str('{"id":"1","op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]}')
        await socket.receive_str(timeout=5)
        await venue.inject(Burst(moves=10))
        for _ in range(10):
            assert '"trades"' in await socket.receive_str(timeout=5)
        await venue.inject(Maintenance())
        assert '"64008"' in await socket.receive_str(timeout=5)
        await venue.inject(Close(code=code))
        assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert socket.close_code == seen


async def test_markets_move_on_while_nobody_listens(mock_venue: Start) -> None:
    venue = await mock_venue("okx", interval=1e9)
    async with aiohttp.ClientSession() as session, session.ws_connect(venue.environment["ws"]["public"]) as socket:
        await socket.send_str('{"id":"1","op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}]}')
        await socket.receive_str(timeout=5)
        await venue.step()
    told = len(venue.market("BTC/USDT").tape)
    await venue.step()
    assert len(venue.market("BTC/USDT").tape) > told > 0
