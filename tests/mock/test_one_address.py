"""A mock venue with one address for everything: bodies tell operations apart, and the very same request serves several of them."""

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
id: counter
name: Counter
kind: dex
docs: https://docs.example.com/
environments: {live: {rest: "https://api.example.com"}}
symbols: {formats: {perpetual: "{base}_{quote}"}, examples: {BTC/USDC:PERP: BTC_USDC}}
intervals: {1m: 1m}
errors: {failed: {$.error: {is: present}}, code: [$.error], message: [$.text], codes: {no_symbol: InvalidSymbol, bad: InvalidRequest}}
rest:
  rooms: {post: /info, body: {type: rooms}, returns: values, items: "$[*].name"}
  mark_price:
    post: /info
    body: {type: all, room: "{{ room }}"}
    each: [{room: ""}, {room: {from: rooms}}]
    returns: mark_price
    items: {zip: ["$[0]", "$[1]"]}
    fields: {symbol: "$[0]", mark_price: "$[1].mark"}
  funding_rate:
    post: /info
    body: {type: all, room: "{{ room }}"}
    each: [{room: ""}, {room: {from: rooms}}]
    returns: funding_rate
    items: {zip: ["$[0]", "$[1]"]}
    fields: {symbol: "$[0]", rate: "$[1].funding"}
  open_interest:
    post: /info
    body: {type: interest, room: "{{ room }}"}
    each: [{room: attic}]
    returns: open_interest
    items: {zip: ["$[0]", "$[1]"]}
    fields: {symbol: "$[0]", base_size: "$[1].open"}
  candles:
    post: /info
    body: {type: candles, req: {coin: "{{ id }}", step: "{{ interval }}", from: 0, until: "{{ end | ms }}"}}
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
"""
MESSAGES: list[dict[str, Any]] = [
    {"operation": "rooms", "raw": '[null,{"name":"attic"}]'},
    {"operation": "mark_price", "raw": '[["BTC_USDC"],[{"mark":"5","funding":"0.1"}]]',
     "events": [{"type": "mark_price", "symbol": "BTC/USDC:PERP"}]},
    {"operation": "open_interest", "raw": '[["BTC_USDC"],[{"open":"5"}]]',
     "events": [{"type": "open_interest", "symbol": "BTC/USDC:PERP"}]},
    {"operation": "candles", "raw": '[{"t":1785571200000,"o":"1","h":"1","l":"1","c":"1"}]', "events": [{"type": "candle"}]},
]  # fmt: skip
ERRORS: list[dict[str, Any]] = [
    {"operation": "candles", "status": 404, "body": '{"error":"no_symbol","text":"none"}', "error": "InvalidSymbol"},
    {"operation": "candles", "status": 400, "body": '{"error":"bad","text":"bad"}', "error": "InvalidRequest"},
]
MINUTE = 60_000_000_000


@pytest.fixture
def venue(tmp_path: Path) -> MockVenue:
    """The made-up venue, whose time stands still."""
    (tmp_path / "counter.yaml").write_text(SPEC, encoding="utf-8")
    samples = tmp_path / "samples" / "counter"
    samples.mkdir(parents=True)
    for name, cases in (("messages", MESSAGES), ("errors", ERRORS)):
        (samples / f"{name}.yaml").write_bytes(msgspec.json.encode(cases))
    return MockVenue(str(tmp_path / "counter.yaml"), clock=VenueClock())


async def test_one_answer_serves_all_that_ask_for_it(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    mark, funding = await client.get_mark_price("BTC/USDC:PERP"), await client.get_funding_rate("BTC/USDC:PERP")
    assert mark.mark_price == venue.market("BTC_USDC").state()["mark_price"]
    assert funding.rate == venue.market("BTC_USDC").state()["rate"]
    assert wire.reasons == []


async def test_each_is_an_empty_text_or_what_another_operation_lists(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    assert (await client.get_open_interest("BTC/USDC:PERP")).base_size is not None
    status, _, _ = venue.answer("POST", "/info", {}, b'{"type":"all","room":"cellar"}')
    assert (status, wire.reasons) == (200, [])
    status, _, reason = venue.answer("POST", "/info", {}, b'{"type":"interest","room":"cellar"}')
    assert (status, "knows no room" in reason) == (400, True)


async def test_a_constant_that_pages_replace_stands_for_the_newest_rows(venue: MockVenue) -> None:
    client, wire = rest_of(venue)
    now = START // MINUTE * MINUTE
    newest = await client.get_candles("BTC/USDC:PERP", "1m", limit=5)
    assert [candle.timestamp for candle in newest] == [now - at * MINUTE for at in range(4, -1, -1)]
    later = await client.get_candles("BTC/USDC:PERP", "1m", start=now - 3 * MINUTE, limit=2)
    assert [candle.timestamp for candle in later] == [now - 3 * MINUTE, now - 2 * MINUTE]
    assert wire.reasons == []


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"type": "candles", "req": {"coin": "NOP_USDC", "step": "1m", "from": 0}}, 404, "no instrument NOP_USDC"),
        ({"type": "weather"}, 400, "the body is not that of"),
        ({"type": "candles", "req": {"coin": "BTC_USDC", "step": "1m", "from": 0}, "more": 1}, 400, "the body is not that of"),
        (["all"], 400, "the body is not that of"),
    ],
    ids=["the form is right", "another type", "another key", "no object"],
)
def test_what_is_refused_says_what_came_nearest(venue: MockVenue, body: object, status: int, reason: str) -> None:
    told = venue.answer("POST", "/info", {}, msgspec.json.encode(body))
    assert (told[0], reason in told[2]) == (status, True)


async def test_the_client_gets_the_venues_errors(venue: MockVenue) -> None:
    client, _ = rest_of(venue)
    with pytest.raises(InvalidSymbol):
        await client.get_candles("NOP/USDC:PERP", "1m")
    with pytest.raises(InvalidRequest):
        await client.get_candles("BTC/USDC:PERP", "7m")
