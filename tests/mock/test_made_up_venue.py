"""A venue that does everything the others don't: the mock speaks from the spec, not from what it knows of exchanges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cexspec.mock import MockVenue
from cexspec.models import InvalidRequest, InvalidSymbol
from tests.mock.wire import START, VenueClock, rest_of

SPEC = """
cexspec: 1
id: made_up
name: Made Up
kind: cex
docs: https://docs.example.com/
environments: {live: {rest: "https://api.example.com", ws: {feed: "wss://feed.example.com"}}}
symbols: {formats: {spot: "{base}_{quote}"}, examples: {BTC/USDT: BTC_USDT}}
intervals: {1m: 1m}
errors: {failed: {$.error: {is: present}}, code: [$.error], message: [$.text], codes: {no_symbol: InvalidSymbol, bad: InvalidRequest}}
rest:
  order_book:
    post: /info
    body: {type: book, coin: "{{ id }}", deep: {levels: "{{ depth }}"}}
    params: {depth: {default: 5, max: 50}}
    returns: book
    item: $.book
    snapshot_when: always
    fields: {symbol: {of: request}, timestamp: {path: $.at, unit: iso}}
    levels: {bids: $.bids, asks: $.asks, price: $.p, size: $.s}
  trades:
    get: /trades/{{ id }}
    query: {since: "{{ start | iso }}", limit: "{{ limit }}"}
    returns: trade
    items: $.trades[*]
    fields: {symbol: {of: request}, id: $.id, price: $.p, size: $.s, side: $.side, timestamp: {path: $.at, unit: s}}
  candles:
    post: /info
    body:
      type: candles
      count: "{{ limit }}"
      req: {coin: "{{ id }}", step: "{{ interval }}", from: "{{ start | ms }}", until: "{{ end | ms }}"}
    params: {limit: {default: 10, max: 10}}
    page: {direction: forward, param: req.from, by: timestamp, unit: ms, inclusive: true}
    returns: candle
    items: $[*]
    fields:
      symbol: {of: request}
      interval: {of: request}
      timestamp: {path: $.t, unit: ms}
      open: $.o
      high: $.h
      low: $.l
      close: $.c
  all_tickers: {joins: [tickers], returns: ticker}
  instruments: {joins: [listed], returns: instrument}
  listed:
    get: /listed
    returns: instrument
    items: $.all[*]
    fields:
      id: $.i
      kind: {path: $.contract, map: {swap: perpetual}, optional: true}
      base: {path: $.b, lookup: {in: $.assets, by: $.n, take: $.a}}
  past_trades:
    get: /past
    query: {market: "{{ id }}", since: "{{ start | ns }}", count: "{{ limit }}"}
    params: {limit: {default: 50, max: 50}}
    page: {direction: forward, param: since, cursor: $.result.last}
    returns: trade
    items: $.result.*[*]
    except: [last]
    fields: {symbol: {of: key}, id: "$[0]", price: "$[1]", size: "$[2]", side: "$[3]", timestamp: {path: "$[4]", unit: s}}
  tickers:
    get: /tickers
    returns: ticker
    items: $.result.*
    fields: {symbol: {of: key}, last: $.last}
ws:
  connections:
    feed:
      greet: {expect: {$.type: welcome}}
      keepalive: {answer: {match: {$.ping: {is: present}}, send: {pong: "{{ message.ping }}"}}}
      subscribe:
        send: {sub: "{{ topic }}", id: "{{ request_id }}"}
        ack: {$.ok: {is: present}}
        failed: {$.error: {is: present}}
        failed_topic: $.not
        id: $.id
      unsubscribe: {send: {unsub: "{{ topic }}", id: "{{ request_id }}"}, ack: {$.ok: {is: present}}, id: $.id}
  channels:
    trades:
      on: feed
      topic: "trades.{{ id }}"
      match: {$.ch: {prefix: trades.}}
      returns: trade
      item: $.trade
      fields:
        symbol: {path: $.ch, of: message, strip: trades.}
        id: $.id
        price: $.p
        size: {path: $.s, abs: true}
        side: {path: $.s, sign: {positive: buy, negative: sell}}
        timestamp: {path: $.at, unit: us}
    ticker:
      on: feed
      topic: "ticker.{{ id }}"
      match: {$.ch: {prefix: ticker.}}
      returns: ticker
      item: $.row
      merge: {by: $.name, reset_when: {$.kind: full}}
      fields:
        symbol: $.name
        last: $.last
        bid: $.bid
        ask: $.ask
"""

MESSAGES: list[dict[str, Any]] = [
    {"operation": "order_book",
     "raw": '{"book":{"at":"2026-08-01T00:00:00.000Z","bids":[{"p":"1","s":"1","n":1}],"asks":[{"p":"2","s":"1","n":1}]}}',
     "events": [{"type": "book", "is_snapshot": True}]},
    {"operation": "trades", "raw": '{"trades":[{"id":"1","p":"1","s":"1","side":"buy","at":1785571201.5}]}', "events": [{"type": "trade"}]},
    {"operation": "candles", "raw": '[{"t":1785571200000,"o":"1","h":"1","l":"1","c":"1"}]', "events": [{"type": "candle"}]},
    {"operation": "past_trades", "raw": '{"result":{"ETH_USDT":[["1","1","1","buy",1785571201.5]],"last":"1785571201500000000"}}',
     "events": [{"type": "trade"}]},
    {"operation": "tickers", "raw": '{"result":{"BTC_USDT":{"last":"1"}}}', "events": [{"type": "ticker", "symbol": "BTC/USDT"}]},
    {"operation": "listed", "raw": '{"assets":[{"n":3,"a":"BTC"}],"all":[{"i":"BTC_USDT","b":3}]}',
     "events": [{"type": "instrument", "symbol": "BTC/USDT"}]},
    {"channel": "trades", "connection": "feed", "raw": '{"ch":"trades.BTC_USDT","trade":{"id":1,"p":1.5,"s":-1,"at":1785571201000000}}',
     "events": [{"type": "trade"}]},
    {"channel": "ticker", "connection": "feed",
     "raw": '{"ch":"ticker.BTC_USDT","kind":"part","row":{"name":"BTC_USDT","bid":"2","note":"longer than the full one, yet a part"}}',
     "events": [{"type": "ticker", "last": "1", "bid": "2", "ask": "1"}]},
    {"channel": "ticker", "connection": "feed",
     "raw": '{"ch":"ticker.BTC_USDT","kind":"full","row":{"name":"BTC_USDT","last":"1","bid":"1","ask":"1"}}',
     "events": [{"type": "ticker", "last": "1", "bid": "1", "ask": "1"}]},
    {"connection": "feed", "raw": '{"type":"welcome"}', "role": "greeting"},
    {"connection": "feed", "raw": '{"ping":7}', "role": "ping"},
    {"connection": "feed", "raw": '{"ok":true,"id":"1"}', "role": "ack"},
    {"connection": "feed", "raw": '{"error":"no_symbol","not":["x"],"id":"1"}', "role": "refusal"},
]  # fmt: skip
ERRORS: list[dict[str, Any]] = [
    {"operation": "trades", "status": 404, "body": '{"error":"no_symbol","text":"none"}', "error": "InvalidSymbol"},
    {"operation": "trades", "status": 400, "body": '{"error":"bad","text":"bad"}', "error": "InvalidRequest"},
]


@pytest.fixture
def venue(tmp_path: Path) -> MockVenue:
    (tmp_path / "made_up.yaml").write_text(SPEC, encoding="utf-8")
    samples = tmp_path / "samples" / "made_up"
    samples.mkdir(parents=True)
    for name, cases in (("messages", MESSAGES), ("errors", ERRORS)):
        (samples / f"{name}.yaml").write_bytes(msgspec.json.encode(cases))
    return MockVenue(str(tmp_path / "made_up.yaml"), clock=VenueClock())


async def test_bodies_are_read_back(venue: MockVenue) -> None:
    client, _ = rest_of(venue)
    book = await client.get_order_book("BTC/USDT", depth=3)
    assert book.bids == venue.market("BTC_USDT").top(3)[0]
    assert book.timestamp == START


async def test_pages_continue_in_a_body(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    minute = 60_000_000_000
    end = START - START % minute
    candles = await client.get_candles("BTC/USDT", "1m", start=end - 25 * minute, end=end)
    assert [candle.timestamp for candle in candles] == [end - at * minute for at in range(25, 0, -1)]
    assert wire.reasons == []


async def test_times_in_iso_and_seconds_go_both_ways(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    trades = await client.get_trades("BTC/USDT", start=START - 5_000_000_000)
    assert len(trades) == 5
    assert trades[0].timestamp == START - 5_000_000_000
    assert wire.reasons == []


async def test_a_time_in_the_answer_continues_it(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    start = START - 300_000_000_000
    rows = await client.call("past_trades", symbol="BTC/USDT", start=start, limit=120)
    assert [row.timestamp for row in rows] == [start + number * 1_000_000_000 for number in range(1, 121)]
    assert {row.symbol for row in rows} == {"BTC/USDT"}
    assert len(wire.calls) == 3
    assert wire.reasons == []


async def test_past_its_end_an_answer_repeats_the_time_asked_for(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    assert await client.call("past_trades", symbol="BTC/USDT", start=START + 1, limit=10) == []
    assert len(wire.calls) == 1


async def test_what_the_venue_has_no_word_for_is_left_out(venue: MockVenue) -> None:
    client, _ = rest_of(venue)
    assert {one.kind for one in await client.get_instruments()} == {"spot"}


async def test_results_keyed_by_instrument(venue: MockVenue) -> None:
    client, _ = rest_of(venue)
    assert {row.symbol: row.last for row in await client.get_tickers()} == {
        str(one.symbol): venue.market(one.id).price for one in venue.listing
    }


async def test_what_joins_others_is_answered_by_them(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    everything = {one.symbol for one in await client.call("all_tickers")}
    assert everything == {row.symbol for row in await client.get_instruments()} == {str(one.symbol) for one in venue.listing}
    assert {row.base for row in await client.get_instruments()} == {one.symbol.base for one in venue.listing}
    assert wire.reasons == []


REFUSED = [
    ("POST", "/info", {}, b'{"type":"book","coin":"BTC_USDT","deep":{"levels":5},"more":1}', InvalidRequest),
    ("POST", "/info", {}, b'{"type":"book"}', InvalidRequest),
    ("POST", "/info", {}, b"[]", InvalidRequest),
    ("POST", "/info", {}, b"{", InvalidRequest),
    ("GET", "/trades/NOP", {}, b"", InvalidSymbol),
    ("GET", "/trades/BTC_USDT", {"since": "yesterday"}, b"", InvalidRequest),
    ("GET", "/trades/BTC_USDT", {"limit": "0"}, b"", InvalidRequest),
    ("PUT", "/info", {}, b"", InvalidRequest),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "expected"), REFUSED)
def test_other_requests_are_refused(
    venue: MockVenue, method: str, path: str, query: dict[str, str], body: bytes, expected: type[Exception]
) -> None:
    status, answer, reason = venue.answer(method, path, query, body)
    assert reason
    assert type(venue.exchange.errors.check(status, answer, path)) is expected


def test_it_greets_pings_and_serves(venue: MockVenue) -> None:
    dialogue = venue.dialogue("feed")
    assert [msgspec.json.decode(text) for text in dialogue.opened()] == [{"type": "welcome"}, {"ping": 7}]
    assert list(dialogue.receive('{"pong":7}')) == []
    assert [msgspec.json.decode(text) for text in dialogue.receive('{"sub":"trades.BTC_USDT","id":"5"}')] == [{"ok": True, "id": "5"}]
    assert [msgspec.json.decode(text) for text in dialogue.receive('{"sub":"trades.NOP","id":"6"}')] == [
        {"error": "no_symbol", "not": ["trades.NOP"], "id": "6"}
    ]
    venue._clock.now += 1_000_000_000  # type: ignore[attr-defined]
    venue.market("BTC_USDT")
    frames = [text.encode() for text in dialogue.tick(venue.listing.find("BTC_USDT"))]
    verdict, _ = venue.exchange.connection("feed").router.route(frames[0], {})
    assert verdict.role == "data"
    assert [msgspec.json.decode(text) for text in dialogue.receive('{"unsub":"trades.BTC_USDT","id":"7"}')] == [{"ok": True, "id": "7"}]
    assert dialogue.topics == {}


def test_where_updates_may_be_partial_it_sends_the_whole(venue: MockVenue) -> None:
    dialogue = venue.dialogue("feed")
    _, first = dialogue.receive('{"sub":"ticker.BTC_USDT","id":"1"}')
    market = venue.market("BTC/USDT")
    market.advance(0)
    frames = [msgspec.json.decode(text) for text in (first, *dialogue.tick(venue.listing["BTC/USDT"]))]
    assert [(frame["kind"], sorted(frame["row"])) for frame in frames] == [("full", ["ask", "bid", "last", "name"])] * 2
    assert frames[1]["row"]["last"] == str(market.price)


def test_signed_sizes_tell_the_side(venue: MockVenue) -> None:
    dialogue = venue.dialogue("feed")
    list(dialogue.receive('{"sub":"trades.BTC_USDT","id":"1"}'))
    market = venue.market("BTC_USDT")
    for _ in range(5):
        market.advance(0)
        for text, trade in zip(dialogue.tick(venue.listing.find("BTC_USDT")), market.trades, strict=True):
            frame = msgspec.json.decode(text)
            assert (frame["trade"]["s"] > 0) == (trade["side"] == "buy")
            assert abs(frame["trade"]["s"]) == float(trade["size"])
