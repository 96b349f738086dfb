"""Bodies of which only the HTTP path is known, where several operations share it: told apart by `shape`, joined by their request."""

from __future__ import annotations

from pathlib import Path

import pytest

from cexspec.engine.normalize import Normalizer

SPEC = """
cexspec: 1
id: counter
name: Counter
kind: dex
docs: https://docs.test/
environments: {live: {rest: https://counter.test}}
symbols: {formats: {spot: "{base}-{quote}"}, examples: {BTC/USDC: BTC-USDC}}
errors: {code: $.code, message: $.msg, codes: {1: InvalidRequest}}
rest:
  listed:
    post: /info
    body: {type: all}
    shape: {"$[0].names": {is: array}}
    returns: instrument
    items: $[0].names[*]
    fields: {id: $.name}
  prices:
    post: /info
    body: {type: all}
    returns: mark_price
    items: {zip: ["$[0].names", "$[1]"]}
    fields: {symbol: "$[0].name", mark_price: "$[1].mark"}
  interest:
    post: /info
    body: {type: all}
    returns: open_interest
    items: {zip: ["$[0].names", "$[1]"]}
    fields: {symbol: "$[0].name", base_size: "$[1].open"}
  words:
    post: /info
    body: {type: all}
    ignored: no model
  trades:
    post: /info
    body: {type: trades}
    shape: {"$[0].px": {is: text}, "$[0].order": {is: absent}}
    returns: trade
    items: $[*]
    fields: {symbol: $.coin, id: $.id, price: $.px, size: $.sz, side: $.side}
  old_trades:
    post: /info
    body: {type: old}
    shape: {$.trades: {is: array}}
    like: rest.trades
    items: $.trades[*]
  tape: {joins: [old_trades, trades], returns: trade}
  mids:
    post: /info
    body: {type: mids}
    shape: {$.mids: {is: object}}
    ignored: mid prices
  time:
    get: /time
    returns: server_time
    fields: {timestamp: {path: $.time, unit: ms}}
"""
NAMES = '[{"names":[{"name":"BTC-USDC"}]},'
TRADE = '{"coin":"BTC-USDC","id":"7","px":"1.5","sz":"2","side":"buy"}'


@pytest.fixture
def normalizer(tmp_path: Path) -> Normalizer:
    """The offline path of the made-up venue."""
    file = tmp_path / "counter.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return Normalizer(str(file))


@pytest.mark.parametrize(
    ("path", "body", "types", "ignored"),
    [
        ("/info", f"[{TRADE}]", ["Trade"], None),
        ("/info", NAMES + '[{"mark":"5","open":"6"}]]', ["Instrument", "MarkPrice", "OpenInterest"], None),
        ("/info", NAMES + '[{"mark":"5"}]]', ["Instrument", "MarkPrice"], None),
        ("/info", '{"mids":{}}', [], "mid prices"),
        ("/info", '{"balances":[]}', [], "no operation of the spec at /info has answers of this shape"),
        ("/info", f"[{TRADE[:-1]}" + ',"order":1}]', [], "no operation of the spec at /info has answers of this shape"),
        ("/time", '{"time":1785571201114}', ["ServerTime"], None),
        (None, f"[{TRADE}]", ["Trade"], None),
    ],
    ids=["shape", "request shared", "one of them can't be read", "ignored", "none", "none by a condition", "one operation", "no path"],
)
def test_a_body_is_read_by_its_shape(normalizer: Normalizer, path: str | None, body: str, types: list[str], ignored: str | None) -> None:
    result = normalizer.read_rest(body, path=path)
    assert result.error is None
    assert ([type(event).__name__ for event in result.events], result.ignored) == (types, ignored)


def test_a_body_that_has_the_shape_but_cannot_be_read_is_an_error(normalizer: Normalizer) -> None:
    result = normalizer.read_rest('[{"px":"1.5"}]', path="/info")
    assert result.events == []
    assert "trades" in str(result.error)


def test_what_is_no_json_is_an_error(normalizer: Normalizer) -> None:
    assert normalizer.read_rest("busy", path="/info").error is not None


def test_a_joined_operation_reads_the_answers_of_its_parts_and_no_others(normalizer: Normalizer) -> None:
    assert [type(event).__name__ for event in normalizer.rest("tape", f"[{TRADE}]")] == ["Trade"]
    assert normalizer.read_rest('{"balances":[]}', endpoint="tape").error is not None


def test_a_named_operation_reads_whatever_the_shape(normalizer: Normalizer) -> None:
    body = f"[{TRADE[:-1]}" + ',"order":1}]'
    assert [event.symbol for event in normalizer.rest("trades", body)] == ["BTC/USDC"]
