"""A venue whose ids follow no rule, or several: the client and the mock find each other all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cexspec import Client
from cexspec.mock import MockVenue
from cexspec.models import InvalidSymbol, Trade
from tests.mock.wire import VenueClock, rest_of

SPEC = """
cexspec: 1
id: odd
name: Odd
kind: dex
docs: https://docs.example.com/
environments: {live: {rest: "https://api.example.com", ws: {feed: "wss://feed.example.com"}}}
symbols:
  formats:
    perpetual: {format: "{base}", quote: USDC, replace: {":": "-"}}
    spot: {format: "{base}/{quote}", read_only: true, codes: common}
  irregular: {PURR/USDC: PURR/USDC, PURRUSDC: PURR/USDT}
  examples: {BTC/USDC:PERP: BTC, xyz-TSLA/USDC:PERP: "xyz:TSLA", HYPE/USDC: HYPE/USDC}
errors: {failed: {$.error: {is: present}}, code: [$.error], message: [$.text], codes: {no_symbol: InvalidSymbol}}
rest:
  instruments:
    get: /instruments
    returns: instrument
    items: $.list[*]
    fields: {id: $.id, kind: $.kind, base: {path: $.base, optional: true}, quote: {path: $.quote, optional: true}}
  ticker:
    get: /ticker
    query: {coin: "{{ id }}"}
    returns: ticker
    item: $.ticker
    fields: {symbol: $.coin, last: $.last}
ws:
  connections:
    feed:
      subscribe: {send: {sub: "{{ topic }}"}, ack: {$.ok: sub}, failed: {$.error: {is: present}}, topic: $.topic}
      unsubscribe: {send: {unsub: "{{ topic }}"}, ack: {$.ok: unsub}, topic: $.topic}
  channels:
    trades:
      on: feed
      topic: {ch: trades, coin: "{{ id }}"}
      match: {$.ch: trades}
      returns: trade
      item: $.trade
      fields: {symbol: $.coin, id: $.id, price: $.p, size: $.s, side: $.side, timestamp: {path: $.at, unit: ms}}
"""
LIST = [
    {"id": "BTC", "kind": "perpetual"},
    {"id": "xyz:TSLA", "kind": "perpetual"},
    {"id": "@107", "kind": "spot", "base": "HYPE", "quote": "USDC"},
]
SYMBOLS = ["BTC/USDC:PERP", "xyz-TSLA/USDC:PERP", "HYPE/USDC"]
INSTRUMENTS = [
    {"type": "instrument", "id": row["id"], "symbol": symbol, "kind": row["kind"]} for row, symbol in zip(LIST, SYMBOLS, strict=True)
]
TRADE = {"ch": "trades", "trade": {"coin": "BTC", "id": "1", "p": "1", "s": "1", "side": "buy", "at": 1785571201000}}
MESSAGES: list[dict[str, Any]] = [
    {"operation": "instruments", "raw": msgspec.json.encode({"list": LIST}).decode(), "events": INSTRUMENTS},
    {"operation": "ticker", "raw": '{"ticker":{"coin":"BTC","last":"1"}}', "events": [{"type": "ticker", "symbol": "BTC/USDC:PERP"}]},
    {"channel": "trades", "connection": "feed", "raw": msgspec.json.encode(TRADE).decode(), "events": [{"type": "trade"}]},
    {"connection": "feed", "raw": '{"ok":"sub","topic":{"ch":"trades","coin":"BTC"}}', "role": "ack"},
    {"connection": "feed", "raw": '{"ok":"unsub","topic":{"ch":"trades","coin":"BTC"}}', "role": "ack"},
    {"connection": "feed", "raw": '{"error":"no_symbol","topic":{"ch":"trades","coin":"BTC"}}', "role": "refusal"},
]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "odd.yaml").write_text(SPEC, encoding="utf-8")
    samples = tmp_path / "samples" / "odd"
    samples.mkdir(parents=True)
    (samples / "messages.yaml").write_bytes(msgspec.json.encode(MESSAGES))
    (samples / "errors.yaml").write_text("[]", encoding="utf-8")
    return tmp_path / "odd.yaml"


def test_the_mock_lists_what_follows_no_rule(spec: Path) -> None:
    venue = MockVenue(str(spec), clock=VenueClock())
    listed = {one.id: str(one.symbol) for one in venue.listing}
    assert dict(zip([row["id"] for row in LIST], SYMBOLS, strict=True)).items() <= listed.items()
    assert venue.listing.find("HYPE/USDC").id == venue.listing.find("@107").id == "@107"
    assert venue.listing.find("PURRUSDC").id == "PURRUSDC" and venue.listing.named({"id": "HYPE/USDC"}) is venue.listing["HYPE/USDC"]
    with pytest.raises(InvalidSymbol):
        venue.listing.find("NONE/USDC")


async def test_rest_loads_the_instruments_for_a_symbol_that_no_rule_writes(spec: Path) -> None:
    venue = MockVenue(str(spec), clock=VenueClock())
    client, wire = rest_of(venue)
    ticker = await client.get_ticker("HYPE/USDC")
    assert (ticker.symbol, ticker.last) == ("HYPE/USDC", venue.market("@107").price)
    assert (await client.get_ticker("xyz-TSLA/USDC:PERP")).symbol == "xyz-TSLA/USDC:PERP"
    assert [url.rpartition("/")[2] for url in wire.calls] == ["instruments", "ticker?coin=%40107", "ticker?coin=xyz%3ATSLA"]
    with pytest.raises(InvalidSymbol, match="NONE/USDC"):
        await client.get_ticker("NONE/USDC")


async def test_streams_do_so_too(spec: Path) -> None:
    async with MockVenue(str(spec), interval=0.01) as venue, Client(spec, environment=venue.environment) as client:
        async with client.ws.stream_trades("HYPE/USDC", "BTC/USDC:PERP") as stream:
            seen: set[str | None] = set()
            async for event in stream:
                assert isinstance(event, Trade)
                seen.add(event.symbol)
                if len(seen) == 2:
                    break
        assert seen == {"HYPE/USDC", "BTC/USDC:PERP"}
        with pytest.raises(InvalidSymbol, match="NONE/USDC"):
            client.ws.stream_trades("NONE/USDC")


async def test_where_the_venue_lists_nothing_streams_refuse_such_a_symbol_at_once(tmp_path: Path) -> None:
    begin, end = SPEC.index("  instruments:"), SPEC.index("  ticker:")
    (tmp_path / "odd.yaml").write_text(SPEC[:begin] + SPEC[end:], encoding="utf-8")
    async with Client(tmp_path / "odd.yaml") as client:
        with pytest.raises(InvalidSymbol, match="HYPE/USDC"):
            client.ws.stream_trades("HYPE/USDC")
