"""Every channel of the mock venues serves the real session: acked, moving, decoded; books add up; refusals reach their topic."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cache
from itertools import pairwise

import msgspec
import pytest

from cexspec.engine.markets import Markets
from cexspec.engine.outputs import Deliver, Missed, Reconnect, Refused, Subscribed, Undecodable, Unrouted, Unsubscribed, VenueError
from cexspec.engine.topics import topic_of as make_topic
from cexspec.hooks import CHECKSUMS
from cexspec.hooks.protocol import Precision
from cexspec.mock import MockVenue
from cexspec.models import MODELS, Book, Candle, Event, Trade
from tests.mock.wire import ALL_VENUES, VENUES, Talk, rest_of, topic_of, venue_of

WRONG = (Unrouted, Undecodable, Missed, Refused, VenueError, Reconnect)
Side = dict[Decimal, Decimal]


@cache
def channels() -> list[tuple[str, str]]:
    plans = [(name, venue_of(name).exchange) for name in ALL_VENUES]
    return [(name, channel) for name, plan in plans for channel in plan.channel_names if not plan.channel(channel).private]


def talk_with(venue: MockVenue, channel: str) -> Talk:
    return Talk(venue, next(iter(venue.exchange.channel(channel).connections.values())), Markets(venue.exchange))


def wrong(talk: Talk) -> list[object]:
    return [output for kind in WRONG for output in talk.of(kind)]


@pytest.mark.parametrize(("name", "channel"), channels())
def test_every_channel_is_acked_moves_and_ends(name: str, channel: str) -> None:
    venue = venue_of(name)
    talk, topic = talk_with(venue, channel), topic_of(venue, channel, None)
    talk.subscribe(topic)
    assert len(talk.of(Subscribed)) == 1
    talk.move(5)
    events = [event for part in parts(talk, channel) for event in part]
    model = venue.exchange.spec.ws.channels[channel].returns if venue.exchange.spec.ws else None
    assert len(events) >= 5
    assert {type(event) for event in events} == {MODELS[str(model)]}
    assert len({msgspec.json.encode(event) for event in events}) > 1, "nothing moves"
    assert wrong(talk) == []
    talk.unsubscribe(topic)
    assert len(talk.of(Unsubscribed)) == 1
    before = len(talk.frames)
    talk.move(3)
    assert len(talk.frames) == before


def parts(talk: Talk, channel: str) -> list[list[Event]]:
    return [events for output in talk.outputs if isinstance(output, Deliver) for name, events in output.parts if name == channel]


@pytest.mark.parametrize("name", VENUES)
def test_many_topics_on_one_connection_each_get_their_own(name: str) -> None:
    venue = venue_of(name)
    talk = talk_with(venue, "trades")
    topics = [topic_of(venue, channel, symbol) for channel in ("ticker", "trades", "order_book") for symbol in ("BTC/USDT", "ETH/USDT")]
    talk.subscribe(*topics)
    talk.move(4)
    assert len(talk.of(Subscribed)) == 6
    assert wrong(talk) == []
    assert {event.symbol for event in talk.events()} == {"BTC/USDT", "ETH/USDT"}
    talk.unsubscribe(topics[2])
    talk.move(1)
    talk.outputs.clear()
    talk.move(3)
    assert {event.symbol for event in talk.events() if isinstance(event, Trade)} == {"ETH/USDT"}


@pytest.mark.parametrize("name", VENUES)
def test_a_symbol_that_is_not_listed_is_refused_on_its_topic_alone(name: str) -> None:
    venue = venue_of(name)
    talk = talk_with(venue, "trades")
    good = topic_of(venue, "trades", "BTC/USDT")
    plan = venue.exchange.channel("trades")
    native = venue.exchange.symbols.format("NOP/USDT")
    bad = make_topic(plan, {"id": native, "symbol": "NOP/USDT"})
    talk.subscribe(good, bad)
    talk.move(2)
    refused = talk.of(Refused)
    assert [output.topic for output in refused if isinstance(output, Refused)] == [bad]
    assert good in [output.topic for output in talk.of(Subscribed) if isinstance(output, Subscribed)]
    assert {event.symbol for event in talk.events()} == {"BTC/USDT"}


def test_a_channel_for_perpetuals_refuses_spot() -> None:
    venue = venue_of("okx")
    talk = talk_with(venue, "funding_rate")
    talk.subscribe(topic_of(venue, "funding_rate", "BTC/USDT"))
    assert len(talk.of(Refused)) == 1


def test_pings_are_answered_in_the_venues_way() -> None:
    okx = venue_of("okx").dialogue("public")
    assert list(okx.receive("ping")) == ["pong"]
    bitfinex = venue_of("bitfinex").dialogue("public")
    (pong,) = bitfinex.receive('{"event":"ping","cid":77}')
    assert msgspec.json.decode(pong)["event"] == "pong"
    assert msgspec.json.decode(pong)["cid"] == 77


@pytest.mark.parametrize("name", VENUES)
@pytest.mark.parametrize("text", ["{", '{"op":"dance"}', "[]", '"x"', '{"op":"subscribe","args":[{"channel":"nothing"}]}'])
def test_what_the_spec_does_not_describe_gets_an_answer_and_no_data(name: str, text: str) -> None:
    venue = venue_of(name)
    for connection in venue.exchange.connection_names:
        dialogue = venue.dialogue(connection)
        assert len(list(dialogue.receive(text))) == 1
        assert dialogue.topics == {}


class NaiveBook:
    """Levels by price, as anybody would keep them."""

    def __init__(self) -> None:
        self.bids: Side = {}
        self.asks: Side = {}

    def apply(self, book: Book) -> None:
        if book.is_snapshot:
            self.bids, self.asks = {}, {}
        for own, levels in ((self.bids, book.bids), (self.asks, book.asks)):
            for price, size in levels:
                own[Decimal(price)] = Decimal(size)
                if not size:
                    del own[Decimal(price)]

    def top(self, depth: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        return sorted(self.bids.items(), reverse=True)[:depth], sorted(self.asks.items())[:depth]


def books(talk: Talk) -> list[Book]:
    return [event for event in talk.events() if isinstance(event, Book)]


STREAMED = [("okx", "order_book", "BTC/USDT", 60), ("okx", "order_book_5", "BTC/USDT", 5), ("okx", "order_book_fast", "ETH/USDT", 60),
            ("binance", "order_book_20", "BTC/USDT", 20), ("bitfinex", "order_book", "BTC/USD", 25),
            ("kraken", "order_book", "BTC/USD", 10),
            ("binance_usdm", "order_book_20", "BTC/USDT:PERP", 20)]  # fmt: skip


@pytest.mark.parametrize(("name", "channel", "symbol", "depth"), STREAMED)
def test_snapshot_and_deltas_add_up_to_the_markets_book(name: str, channel: str, symbol: str, depth: int) -> None:
    venue = venue_of(name)
    talk, naive = talk_with(venue, channel), NaiveBook()
    market = venue.market(venue.listing.find(symbol).id)
    talk.subscribe(topic_of(venue, channel, symbol))
    for _ in range(40):
        for book in books(talk):
            naive.apply(book)
        assert naive.top(depth) == market.top(depth)
        if venue.exchange.spec.ws and venue.exchange.spec.ws.channels[channel].truncate:
            naive.bids, naive.asks = map(dict, naive.top(depth))
        assert len(naive.bids) == len(naive.asks) == depth
        talk.outputs.clear()
        talk.move()


def test_a_truncated_book_is_not_told_of_what_it_pushes_out() -> None:
    venue = venue_of("kraken")
    talk, market = talk_with(venue, "order_book"), venue.market(venue.listing.find("BTC/USD").id)
    talk.subscribe(topic_of(venue, "order_book", "BTC/USD"))
    talk.outputs.clear()
    pushed_out, removed = 0, []
    for _ in range(20):
        before = market.top(10)
        talk.move()
        (book,) = books(talk)
        gone = [[price for price, _ in was if price not in dict(now)] for was, now in zip(before, market.top(10), strict=True)]
        told = [[price for price, size in side if not size] for side in (book.bids, book.asks)]
        assert told == [
            [price for price in prices if price not in full] for prices, full in zip(gone, (market.bids, market.asks), strict=True)
        ]
        pushed_out += sum(map(len, gone)) - sum(map(len, told))
        removed += told[0] + told[1]
        talk.outputs.clear()
    assert pushed_out > 0
    assert removed


async def test_checksums_are_in_the_decimals_of_the_listed_instrument() -> None:
    venue = venue_of("kraken")
    client, _ = rest_of(venue)
    listed = {one.symbol: one for one in await client.get_instruments()}
    for symbol in ("BTC/USD", "DOGE/USDT"):
        talk, naive = talk_with(venue, "order_book"), NaiveBook()
        talk.subscribe(topic_of(venue, "order_book", symbol))
        talk.move(15)
        tick, step = listed[symbol].tick_size, listed[symbol].step_size
        assert tick is not None and step is not None
        precision = Precision.of(tick, step)
        for book in books(talk):
            naive.apply(book)
            naive.bids, naive.asks = map(dict, naive.top(10))
            assert CHECKSUMS["kraken_v2"](*naive.top(10), precision) == book.checksum
        assert len(books(talk)) == 16


async def test_contracts_become_base_currency_once_instruments_are_loaded() -> None:
    venue = venue_of("okx")
    client, _ = rest_of(venue)
    markets = Markets(venue.exchange)
    markets.load(await client.get_instruments())
    native = venue.listing.find("BTC/USDT:PERP").id
    talk = Talk(venue, "public", markets)
    talk.subscribe(topic_of(venue, "order_book", "BTC/USDT:PERP"))
    size = markets.market(native).contract_size
    assert size is not None
    assert books(talk)[0].bids == [(price, contracts * size) for price, contracts in venue.market(native).top(60)[0]]


def test_sequence_numbers_chain_by_their_predecessor() -> None:
    venue = venue_of("okx")
    talk = talk_with(venue, "order_book")
    talk.subscribe(topic_of(venue, "order_book", "BTC/USDT"))
    talk.move(20)
    first, *rest = books(talk)
    assert (first.is_snapshot, first.previous_sequence) == (True, -1)
    for before, book in pairwise([first, *rest]):
        assert (book.is_snapshot, book.previous_sequence) == (False, before.sequence)
        assert (book.sequence or 0) > (before.sequence or 0)


async def test_a_rest_snapshot_joins_the_buffered_deltas() -> None:
    venue = venue_of("binance")
    client, _ = rest_of(venue)
    talk, naive = talk_with(venue, "order_book"), NaiveBook()
    market = venue.market(venue.listing.find("BTC/USDT").id)
    talk.subscribe(topic_of(venue, "order_book", "BTC/USDT"))
    talk.move(5)
    snapshot = await client.get_order_book("BTC/USDT", depth=5000)
    talk.move(10)
    deltas = books(talk)
    assert all(one.first_sequence == (before.sequence or 0) + 1 for before, one in pairwise(deltas))
    last = snapshot.sequence or 0
    due = [delta for delta in deltas if (delta.sequence or 0) > last]
    assert len(due) == 10
    assert (due[0].first_sequence or 0) <= last + 1 <= (due[0].sequence or 0)
    naive.apply(snapshot)
    for delta in due:
        naive.apply(delta)
    assert naive.top(60) == market.top(60)


def test_checksums_are_those_of_the_book_and_connection_numbers_grow_by_one() -> None:
    venue = venue_of("bitfinex")
    talk, naives = talk_with(venue, "order_book"), defaultdict[str, NaiveBook](NaiveBook)
    for symbol in ("BTC/USD", "ETH/USDT"):
        talk.subscribe(topic_of(venue, "order_book", symbol))
    talk.subscribe(topic_of(venue, "trades", "BTC/USD"))
    talk.move(15)
    checked = 0
    for book in books(talk):
        naives[str(book.symbol)].apply(book)
        if book.checksum is not None:
            assert CHECKSUMS["bitfinex"](*naives[str(book.symbol)].top(25)) == book.checksum
            checked += 1
        else:
            assert book.is_snapshot or len(book.bids) + len(book.asks) == 1
    assert checked == 30
    numbers = [frame[-2] for frame in map(msgspec.json.decode, talk.frames) if isinstance(frame, list)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_candle_closes_before_the_next_one_opens() -> None:
    venue = venue_of("okx")
    talk = talk_with(venue, "candles")
    talk.subscribe(topic_of(venue, "candles", "BTC/USDT"))
    talk.venue._clock.now += 59_000_000_000  # type: ignore[attr-defined]
    talk.move(12)
    candles = [event for event in talk.events() if isinstance(event, Candle)]
    closed = [candle for candle in candles if candle.closed]
    assert len(closed) == 1
    after = candles[candles.index(closed[0]) + 1]
    assert (after.timestamp or 0) - (closed[0].timestamp or 0) == 60_000_000_000


def test_the_same_seed_tells_the_same_story() -> None:
    def story(seed: int) -> list[str]:
        venue = venue_of("okx", seed=seed)
        talk = talk_with(venue, "trades")
        talk.subscribe(*(topic_of(venue, channel, "BTC/USDT") for channel in ("ticker", "trades", "order_book")))
        talk.move(10)
        return talk.frames

    assert story(1) == story(1)
    assert story(1) != story(2)
