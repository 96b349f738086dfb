"""What is explained of every kind of operation and channel; shipped venues by golden files.

After a deliberate change, write the golden files anew, and read the difference: `python tests/compile/test_explain.py`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.models import NotSupported
from cexspec.spec.load import load, load_text
from tests.compile import made_up as parts

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "explain"
EXPLAINED = {
    "okx": ("trades", "order_book", "candles", "instruments"),
    "binance": ("trades", "order_book", "ticker"),
    "bitfinex": ("trades", "order_book", "mark_price", "symbols"),
    "kraken": ("trades", "order_book", "symbols"),
    "bybit": ("trades", "order_book", "ticker", "open_interest", "symbols"),
    "binance_usdm": ("trades", "order_book", "funding_rate", "open_interest"),
    "hyperliquid": ("trades", "order_book", "instruments", "symbols"),
}
HARBOR = (
    "clock",
    "all_trades",
    "listed",
    "families",
    "place_order",
    "place_stop",
    "place_orders",
    "cancel_order",
    "balances",
    "history",
    "answers",
    "futures",
    "stepped",
    "trades",
    "dated",
    "order_book",
    "replaced",
    "ticker",
)
NAMES = [(exchange, name) for exchange, names in {**EXPLAINED, "harbor": HARBOR}.items() for name in names]

MADE_UP = """\
cexspec: 1
id: harbor
name: Harbor
kind: cex
docs: https://docs.test/
environments:
  live:
    rest: https://harbor.test
    ws: {wrapped: "wss://harbor.test/wrapped", plain: "wss://harbor.test/plain", taught: "wss://harbor.test/taught"}
  trial: {ws: {plain: "wss://trial.test/plain"}}
symbols:
  formats: {spot: "{base}-{quote}", perpetual: "{base}-{quote}-P"}
  examples: {"BTC/USDT:PERP": BTC-USDT-P, BTC/USDT: BTC-USDT}
errors: {code: $.code, message: $.msg, codes: {}}
limits:
  light: {rate: 5, per: 1s}
  heavy: {windows: [{rate: 9, per: 1s}, {rate: 90, per: 1m}], scope: account, usage: {remaining: X-Left}}
rest:
  clock: {get: /clock, ignored: the time of the venue}
  listed:
    get: /listed
    returns: instrument
    items: $.all[*]
    fields:
      id: $.i
      kind: {const: spot}
      base: {path: $.b, lookup: {in: $.assets, by: $.n, take: $.a}}
      step_size: {path: $.d, unit: decimals}
  all_trades: {joins: [history, answers], returns: trade}
  families: {get: /families, returns: values, items: "$[*]"}
  place_order:
    when: {type: [limit, market], kind: {not: [option], optional: true}, expires: {is: absent}}
    post: /order
    body: {id: "{{ id }}", kind: "{{ word }}", size: "{{ size }}", price: "{{ price | number }}", reduce: "{{ reduce_only }}"}
    params:
      word:
        choose:
          - {is: maker, when: {type: limit, post_only: true}}
          - {is: {limit: "{{ time_in_force }}"}, when: {type: limit, time_in_force: {is: present}}}
          - {when: {type: market, price: {is: absent}}}
    accepts: ["7"]
    errors: {failed: {"$.rows[0].code": {not: "0"}}, code: "$.rows[0].code", message: $.m, codes: {"7": DuplicateOrder}}
    returns: order
    item: $.rows[0]
    fields:
      symbol: {of: request}
      order_id: $.id
      fee: {path: $.fee, optional: true, negate: true, or: {path: $.cost, over: $.n, absent: ["-"]}}
  place_stop:
    serves: place_order
    post: /stop
    body: {id: "{{ id }}", till: "{{ expires | ms }}", kind: "{{ word }}", note: "of {{ contracts }}"}
    params: {word: {choose: [{is: S, when: {type: [stop_limit, stop_market], time_in_force: {any_of: [ioc, fok], optional: true}}}]}}
    ignored: an id and no more
  place_orders:
    post: /orders
    body: "{{ orders }}"
    each_order: {id: "{{ id }}", size: "{{ size }}"}
    params: {orders: {max: 20}}
    ignored: ids and no more
  cancel_order: {serves: cancel_order, delete: "/order/{{ order_id }}", ignored: nothing is told}
  balances: {get: /balances, returns: balance, items: "$[*]", fields: {currency: $.c, total: $.t, free: $.f}}
  history:
    get: /history
    query: {id: "{{ id }}", before: "{{ end | ms }}", limit: "{{ limit }}", symbol: "{{ symbol }}"}
    params: {limit: {default: 100, max: 300, values: [100, 300]}}
    limit: [light, heavy]
    weight: {by: symbol, given: 2, missing: 7}
    page: {direction: backward, param: before, by: timestamp, unit: ms, inclusive: true, drop: [limit]}
    kinds: [spot]
    returns: trade
    items: $.rows[*]
    fields: {symbol: $.i, id: $.n, price: $.p, side: {const: buy}, size: $..s, timestamp: {path: $.t, unit: ms}}
  answers:
    post: /answers
    idempotent: true
    body: {coin: "{{ id }}"}
    shape: {$.rows: {is: array}}
    page: {direction: forward, param: from, cursor: $.next}
    returns: trade
    items: $.rows[*]
    fields: {symbol: $.i, id: $.n, side: {const: buy}, price: $.p, size: $.s, timestamp: {path: $.t, unit: ms}}
  stepped:
    like: rest.history
    get: /stepped
    weight: {by: depth, steps: {100: 5, 500: 25}, per_rows: 20}
    each: [{side: a}, {family: {from: families}}]
    query: {side: "{{ side }}", family: "{{ family }}", depth: "{{ depth }}"}
    params: {depth: {default: 100}}
    only: {$.k: {any_of: [x, y]}, $.l: {not: z, optional: true}}
    errors:
      code: $.c
      message: $.m
      failed: {$.c: {not: "0"}}
      codes: {"1": {class: InvalidRequest, messages: {pair: InvalidSymbol}}}
      statuses: {418: RateLimitExceeded}
      messages: {too late: InvalidRequest}
  futures:
    get: /futures
    weight: 3
    query: {id: "{{ id }}"}
    limit: light
    kinds: [future]
    errors: {message: $.m, messages: {no such pair: InvalidSymbol}}
    ignored: nothing of it is read
ws:
  connections:
    taught:
      greet: {expect: {$.hello: {is: present}}}
      route: {by: "$[0]", learned: number}
      sequence: "$[2]"
      keepalive:
        send: {op: ping}
        every: 500ms
        expect: {$.op: pong}
        silence: 1m
        answer: {match: {$.ping: {is: present}}, send: {pong: "{{ message.ping }}"}}
      messages_per: {rate: 5, per: 1h}
      subscribe:
        send: {op: "+", "*": "{{ topic }}"}
        ack: {$.op: done}
        failed: {$.op: no}
        failed_topic: $.not
        topic: $
        learn: {number: $.number}
        errors: {code: $.c, message: $.m, codes: {}}
      unsubscribe: {send: {op: "-", number: "{{ number }}"}}
      roles:
        soon: {match: {$.op: soon}, role: notice, reconnect: true}
        alive: {match: {"$[1]": hb}, role: heartbeat}
        other: {match: {$.op: other}, role: ignored, reason: nothing of ours}
    wrapped:
      payload: $.data
      subscribe: {send: {op: "+", args: "{{ topics }}", n: "{{ request_id }}"}, ack: {$.ok: "1"}, topic: $.arg, id: $.n}
      unsubscribe: {send: {op: "-", args: "{{ topics }}"}}
    plain:
      keepalive: {send: ping, every: 20s, expect: pong}
      lifetime: 24h
      max_topics: 7
      messages_per: {rate: 3, per: 2s}
      subscribe: {send: {op: "+", args: "{{ topics }}"}}
      unsubscribe: {send: {op: "-", args: "{{ topics }}"}}
  channels:
    trades:
      on: wrapped
      topic: "{{ id }}@trades"
      match: {$.e: trade, $.p: {is: present}}
      returns: trade
      fields: {symbol: $.s, id: $.n, side: {const: buy}, price: $.p, size: $.q, timestamp: {path: $.t, unit: ms}}
      also:
        - {match: {$.e: repeat}, role: ignored, reason: said before}
        - {match: {$.e: late}, fields: {symbol: $.s, id: $.n, side: {const: buy}, price: $.late, size: $.q}}
    loosely_enveloped:
      on: wrapped
      stream: trades
      topic: "{{ id }}@loose"
      match: {$.e: loose}
      returns: trade
      fields: {symbol: $.s, id: {path: $.stream, of: frame, optional: true}, side: {const: buy}, price: $.p, size: $.q}
      also:
        - {match: {$.e: other}, fields: {symbol: $.s, id: $.n, side: {const: buy}, price: $.other, size: $.q}}
    enveloped:
      on: wrapped
      stream: trades
      topic: "{{ id }}@enveloped"
      match: {$.e: enveloped}
      returns: trade
      fields: {symbol: {path: $.stream, of: frame}, id: $.n, side: {const: buy}, price: $.p, size: $.q, timestamp: {path: $.t, unit: ms}}
    dated:
      on: plain
      topic: "{{ id }}@dated"
      kinds: [future]
      match: {$.e: dated}
      returns: trade
      fields: {symbol: $.s, id: $.n, side: {const: buy}, price: $.p, size: $.q, timestamp: {path: $.t, unit: ms}}
    replaced:
      on: taught
      stream: shallow
      depth: 5
      kinds: [spot]
      expect_every: 30s
      params: {depth: {default: 5, values: [5]}}
      topic: {ch: "book{{ depth }}", id: "{{ id }}"}
      match: {"$[1]": {is: array, max_length: 3}}
      shape: {"$[1]": {min_length: 2}}
      returns: book
      snapshot_when: always
      item: $[1]
      levels: {mixed: "$[*]", side: {path: "$[0]", map: {b: bid, s: ask}}, price: "$[1]", size: "$[2]", remove_when: {"$[2]": "0"}}
      fields: {symbol: {of: request}}
    ticker:
      on: plain
      topic: all@ticker
      match: {$.e: all}
      returns: ticker
      items: $.rows[*]
      except: [total]
      fields: {symbol: $.s, last: $.l}
    order_book:
      on: plain
      topic: "{{ id }}@book"
      match: {$.e: book}
      returns: book
      snapshot_when: {$.k: full}
      sequence: {last: $.n, previous: $.o, rule: previous}
      checksum: {hook: crc32_interleaved, depth: 25, value: $.c, precision: instrument, until: 2030-01-01}
      levels: {bids: $.b, asks: $.a, price: "$[0]", size: "$[1]"}
      fields: {symbol: $.s, timestamp: {path: $.t, unit: ms}}
"""


@cache
def shipped(exchange: str) -> Exchange:
    return Exchange(load(ROOT / "exchanges" / f"{exchange}.yaml"))


@cache
def made_up() -> Exchange:
    """A venue with what the shipped ones have not."""
    return Exchange(load_text(MADE_UP, "harbor.yaml"))


def explained(exchange: str, name: str) -> str:
    """Positions from the project's root on, wherever it lies."""
    compiled = made_up() if exchange == "harbor" else shipped(exchange)
    return explain(compiled, name).replace(f"{ROOT}/", "")


@pytest.mark.parametrize(("exchange", "name"), NAMES)
def test_a_name_is_explained_like_this(exchange: str, name: str) -> None:
    expected = (GOLDEN / exchange / f"{name}.txt").read_text(encoding="utf-8")
    assert explained(exchange, name) == expected, "if this is meant: python tests/compile/test_explain.py"


def test_every_golden_file_is_compared() -> None:
    assert {(path.parent.name, path.stem) for path in GOLDEN.glob("*/*.txt")} == set(NAMES)


def sections(name: str) -> list[tuple[str, str]]:
    """Titles of the made-up venue and the text below them."""
    blocks = explain(made_up(), name).rstrip("\n").split("\n\n")
    return [(title, body) for title, _, body in (block.partition("\n") for block in blocks)]


def test_every_line_named_says_what_is_explained() -> None:
    lines = MADE_UP.split("\n")
    for label, text in (("clock", "the time of the venue"), ("history", "trade"), ("history", "$.rows[*]")):
        told = [row for row in explain(made_up(), label).split("\n") if text in row and "(line " in row]
        assert all(text in lines[int(row.rsplit("(line ", 1)[1].rstrip(")")) - 1] for row in told), told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("open_ordinary_orders", "without a limit all pages are fetched"),
        ("stop_order", "no order of an example symbol is sent so"),  # only of those that wait for a stop price
    ],
)
def test_what_only_accounts_ask_is_explained(name: str, told: str) -> None:
    assert told in explained("okx", name)


def test_a_path_that_is_walked_is_named() -> None:
    assert "$..s" in dict(sections("history"))["walked, not lowered"]


def test_each_message_of_a_wrapped_stream_stands_with_its_own_extractor() -> None:
    reads = [body for title, body in sections("trades") if title == "extractor"]
    assert [".late" in code for code in reads] == [False, True, False, False, False]
    assert [".stream" in code for code in reads] == [False, False, True, False, True]


def test_an_optional_field_of_the_frame_does_not_shift_the_extractors_of_further_messages() -> None:
    reads = [body for title, body in sections("loosely_enveloped") if title == "extractor"]
    assert [".other" in code for code in reads] == [False, True]


def test_what_a_spec_has_not_is_refused_with_what_it_has() -> None:
    offered = ", ".join((*made_up().operation_names, *made_up().channel_names, "symbols"))
    with pytest.raises(NotSupported) as refused:
        explain(made_up(), "weather")
    assert str(refused.value) == f"harbor has no operation or channel 'weather' (it has: {offered})"


ODD = {
    "formats": {
        "spot": ["{base}-{quote}", {"format": "{base}/{quote}", "read_only": True, "codes": "common"}],
        "perpetual": ["{base}-{quote}-P", {"format": "{base}", "quote": "USD", "settle": "base", "replace": {":": "-"}}],
    },
    "irregular": {"@7": "SALT/USDT"},
    "examples": {"BTC/USDT:PERP": "BTC-USDT-P", "BTC/USDT": "BTC-USDT", "BTC/USD": "BTC/USD", "BTC/USD:PERP:BTC": "BTC"},
}
ODD_EXPLAINED = """\
symbols: native ids are read by the first that fits
  irregular  @7 is SALT/USDT
  perpetual  {base}-{quote}-P
  spot       {base}-{quote}
  spot       {base}/{quote}, common codes, another spelling: read only
  perpetual  {base}, quoted in USD, settled in the base, ':' is '-' in symbols

written by the first that can hold the symbol
  irregular  @7 is SALT/USDT
  spot       {base}-{quote}
  perpetual  {base}-{quote}-P
  perpetual  {base}
"""


def test_symbol_rules_stand_in_the_order_in_which_they_are_tried() -> None:
    assert re.sub(r"  \(line \d+\)", "", explain(parts.exchange(symbols=ODD), "symbols")) == ODD_EXPLAINED


def test_irregular_symbols_are_examples_too() -> None:
    venue = parts.answering({"query": {"id": "{{ id }}"}, "kinds": ["spot"], "ignored": "nothing"}, symbols=ONLY_IRREGULAR)
    assert "SALT/USDT  GET /call?id=%407" in explain(venue, "call")


ONLY_IRREGULAR = {**ODD, "formats": {"perpetual": "{base}-{quote}-P"}, "examples": {"BTC/USDT:PERP": "BTC-USDT-P"}}


def regenerate() -> None:
    """Write every golden file anew."""
    for exchange, name in NAMES:
        path = GOLDEN / exchange / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(explained(exchange, name), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
