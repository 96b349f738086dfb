"""Two made-up venues that differ in everything a stream engine can meet."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from cexspec.compile.exchange import Exchange
from cexspec.spec.load import load_text

COMMON = """
kind: cex
docs: https://docs.test/
symbols:
  formats: {spot: "{base}-{quote}", perpetual: "{base}-{quote}-P"}
  examples: {BTC/USDT: BTC-USDT, "BTC/USDT:PERP": BTC-USDT-P}
categories:
  spot: {kind: [spot], value: S}
  perp: {kind: [perpetual], value: P}
intervals: {1m: m1, 1h: h1}
errors:
  failed: {$.event: error}
  code: $.code
  message: $.msg
  codes: {"404": InvalidSymbol, "429": RateLimitExceeded, "401": AuthenticationError}
"""

BAZAAR = (
    "cexspec: 1\nid: bazaar\nname: Bazaar\n"
    + COMMON
    + """
environments:
  live: {ws: {public: "wss://bazaar.test/public", quiet: "wss://bazaar.test/quiet"}, headers: {x-test: "1"}}
  half: {ws: {public: "wss://bazaar.test/public"}}
ws:
  connections:
    public:
      keepalive:
        send: ping
        every: 20s
        expect: pong
        within: 5s
        silence: 60s
        answer: {match: {$.ping: {is: present}}, send: {pong: "{{ message.ping }}"}}
      max_topics: 4
      topics_per_message: 3
      max_message_bytes: 260
      messages_per: {rate: 5, per: 1s}
      connects_per: {rate: 10, per: 1s}
      subscribe:
        send: {op: subscribe, id: "{{ request_id }}", args: "{{ topics }}"}
        ack: {$.event: subscribe}
        failed: {$.event: error}
        topic: $.arg
        id: $.id
      unsubscribe:
        send: {op: unsubscribe, id: "{{ request_id }}", args: "{{ topics }}"}
        ack: {$.event: unsubscribe}
        topic: $.arg
        id: $.id
      roles:
        heartbeat: {match: {$.event: heartbeat}, role: heartbeat}
        restart: {match: {$.event: restart}, role: notice, reason: the venue restarts, reconnect: true}
        trouble: {match: {$.event: trouble}, role: error}
        hello: {match: {$.event: hello}, role: ack}
    quiet: # says nothing about subscriptions
      subscribe: {send: {op: subscribe, args: "{{ topics }}"}}
      unsubscribe: {send: {op: unsubscribe, args: "{{ topics }}"}}
  channels:
    trades:
      on: public
      topic: {ch: trades, id: "{{ id }}"}
      match: {$.arg.ch: trades}
      returns: trade
      items: $.data[*]
      fields:
        symbol: {path: $.arg.id, of: message}
        id: $.i
        price: $.p
        size: $.s
        side: $.d
        timestamp: {path: $.t, unit: ns}
    ticker:
      on: public
      topic: {ch: ticker, id: "{{ id }}"}
      match: {$.arg.ch: ticker}
      kinds: [spot]
      returns: ticker
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        last: $.l
        timestamp: {path: $.t, unit: ns}
    perp_ticker:
      on: public
      stream: ticker
      topic: {ch: state, id: "{{ id }}"}
      match: {$.arg.ch: state}
      kinds: [perpetual]
      returns: ticker
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        last: $.l
        timestamp: {path: $.t, unit: ns}
    mark_price: # shares the subscription of perp_ticker
      on: public
      topic: {ch: state, id: "{{ id }}"}
      match: {$.arg.ch: state}
      kinds: [perpetual]
      returns: mark_price
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        mark_price: $.m
        timestamp: {path: $.t, unit: ns}
    order_book:
      on: public
      topic: {ch: book, id: "{{ id }}"}
      match: {$.arg.ch: book}
      returns: book
      item: $.data
      snapshot_when: {$.action: snapshot}
      fields:
        symbol: {path: $.arg.id, of: message}
        bids: $.b
        asks: $.a
        timestamp: {path: $.t, unit: ns}
    order_book_5:
      on: public
      stream: order_book
      depth: 5
      topic: {ch: book5, id: "{{ id }}"}
      match: {$.arg.ch: book5}
      returns: book
      item: $.data
      snapshot_when: always
      fields:
        symbol: {path: $.arg.id, of: message}
        bids: $.b
        asks: $.a
        timestamp: {path: $.t, unit: ns}
    candles:
      on: public
      topic: {ch: "candle-{{ interval }}", id: "{{ id }}"}
      match: {$.arg.ch: {prefix: candle-}}
      returns: candle
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        interval: {path: $.arg.ch, of: message, strip: candle-}
        open: $.o
        high: $.h
        low: $.lo
        close: $.c
        timestamp: {path: $.t, unit: ns}
    liquidations: # one subscription for a whole product line
      on: public
      topic: {ch: liquidations, line: "{{ category }}"}
      match: {$.arg.ch: liquidations}
      returns: liquidation
      items: $.data[*]
      fields:
        symbol: $.id
        price: $.p
        size: $.s
        side: $.d
        timestamp: {path: $.t, unit: ns}
    contracts: # sizes in contracts
      on: public
      topic: {ch: contracts, id: "{{ id }}"}
      match: {$.arg.ch: contracts}
      returns: trade
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        id: $.i
        price: $.p
        size: {path: $.s, scale: contract_size}
        side: $.d
        timestamp: {path: $.t, unit: ns}
    quiet_contracts:
      on: quiet
      topic: {ch: contracts, id: "{{ id }}"}
      match: {$.arg.ch: contracts}
      returns: trade
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        id: $.i
        price: $.p
        size: {path: $.s, scale: contract_size}
        side: $.d
        timestamp: {path: $.t, unit: ns}
    bbo:
      on: quiet
      topic: {ch: bbo, id: "{{ id }}"}
      match: {$.arg.ch: bbo}
      returns: bbo
      item: $.data
      fields:
        symbol: {path: $.arg.id, of: message}
        bid: $.b
        bid_size: $.bs
        ask: $.a
        ask_size: $.as
        timestamp: {path: $.t, unit: ns}
"""
)

HARBOR = (
    "cexspec: 1\nid: harbor\nname: Harbor\n"
    + COMMON
    + """
environments:
  live: {ws: {public: "wss://harbor.test/ws"}}
ws:
  connections:
    public:
      greet: {send: {event: conf, flags: 1}, expect: {$.event: conf}}
      max_topics: 25
      topics_per_message: 1
      sequence: "$[2]"
      subscribe:
        send: {event: subscribe, "*": "{{ topic }}"}
        ack: {$.event: subscribed}
        failed: {$.event: error}
        topic: $
        learn: {channel: $.chanId}
      unsubscribe:
        send: {event: unsubscribe, chanId: "{{ channel }}"}
        ack: {$.event: unsubscribed}
        id: $.chanId
      route: {by: "$[0]", learned: channel}
      roles:
        heartbeat: {match: {"$[1]": hb}, role: heartbeat}
        info: {match: {$.event: info}, role: notice}
  channels:
    trades:
      on: public
      topic: {channel: trades, symbol: "{{ id }}"}
      match: {"$[1]": te}
      returns: trade
      item: $[3]
      fields:
        symbol: {of: request}
        id: $[0]
        timestamp: {path: "$[1]", unit: ns}
        price: $[3]
        size: {path: "$[2]", abs: true}
        side: {path: "$[2]", sign: {positive: buy, negative: sell}}
    ticker:
      on: public
      topic: {channel: ticker, symbol: "{{ id }}"}
      match: {"$[1]": {is: array}}
      returns: ticker
      item: $[1]
      fields:
        symbol: {of: request}
        last: $[0]
        timestamp: {path: "$[1]", unit: ns}
    order_book:
      on: public
      topic: {channel: book, symbol: "{{ id }}", len: "{{ depth }}"}
      match: {"$[1]": bk}
      params: {depth: {default: 25, values: [25, 100]}}
      returns: book
      item: $[3]
      snapshot_when: always
      fields:
        symbol: {of: request}
        bids: $[0]
        asks: $[1]
        timestamp: {path: "$[2]", unit: ns}
"""
)


@cache
def exchange(text: str) -> Exchange:
    """The compiled venue."""
    return Exchange(load_text(text), Decimal)
