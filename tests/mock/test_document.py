"""The way back: paths written, words inverted, items put where the mapping reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cexspec.compile.paths import MISSING, parse
from cexspec.mock.document import like, put
from cexspec.mock.encode import Encoder
from cexspec.mock.levels import level_writer
from cexspec.mock.matching import key_of, matched, topics_of
from cexspec.mock.words import inverse, written
from cexspec.spec.model import FieldRule, Mapping

D = Decimal
TIME = 1_790_000_000_123_000_000

PUT = [
    ({}, "$.a.b", 1, {"a": {"b": 1}}),
    ({}, "$.a[2]", 1, {"a": [None, None, 1]}),
    ([1, 2, 3], "$[-2]", 9, [1, 9, 3]),
    ({"a": [{"b": 1}, {"b": 2}]}, "$.a[*].b", 9, {"a": [{"b": 9}, {"b": 2}]}),
    ({"x": {"b": 1}}, "$.*.b", 9, {"x": {"b": 9}}),
    ("old", "$", "new", "new"),
    (None, "$.a", 1, {"a": 1}),
]


@pytest.mark.parametrize(("document", "path", "value", "expected"), PUT)
def test_put_sets_a_value_where_the_path_leads(document: Any, path: str, value: Any, expected: Any) -> None:
    assert put(document, parse(path).steps, value) == expected


LIKE = [
    ("1.5", D("0.25"), "0.25"),
    ("1.50000000", D("0.25"), "0.25000000"),
    ("1.00", D("0.123"), "0.123"),
    ("1", D("1E+2"), "100"),
    ("", D(2), "2"),
    ("true", False, "false"),
    ("1", True, "1"),
    ("x", 7, "7"),
    (3, "4", D(4)),
    (D("1.5"), D(2), D(2)),
    (True, "true", True),
    (True, False, False),
    (None, D(1), D(1)),
    (MISSING, "word", "word"),
]


@pytest.mark.parametrize(("current", "value", "expected"), LIKE)
def test_values_take_the_form_of_what_stands_there(current: Any, value: Any, expected: Any) -> None:
    found = like(current, value)
    assert found == expected
    assert type(found) is type(expected)


WRITTEN = [
    ({"path": "$.t", "unit": "ms"}, TIME, "1", "1790000000123"),
    ({"path": "$.t", "unit": "ns"}, TIME, 1, TIME),
    ({"path": "$.t", "unit": "s"}, TIME, D("1.5"), D("1790000000.123")),
    ({"path": "$.t", "unit": "iso"}, TIME, "x", "2026-09-21T14:13:20.123Z"),
    ({"path": "$.t", "unit": "iso"}, TIME, "2026-08-01T08:00:00.401234Z", "2026-09-21T14:13:20.123000Z"),
    ({"path": "$.r", "unit": "fraction"}, D("1.5"), D("0.1"), D("0.015")),
    ({"path": "$.d", "unit": "decimals"}, D("0.001"), 5, 3),
    ({"path": "$.s", "map": {"BUY": "buy", "SELL": "sell"}}, "sell", "BUY", "SELL"),
    ({"path": "$.c", "map": {"0": "false", "1": "true"}}, True, "0", "1"),
    ({"path": "$.m", "flag": {"true": "sell", "false": "buy"}}, "sell", False, True),
    ({"path": "$.q", "sign": {"positive": "buy", "negative": "sell"}}, "sell", D("0.5"), D("-0.5")),
    ({"path": "$.q", "sign": {"positive": "sell", "negative": "buy"}}, "sell", D("-0.5"), D("0.5")),
    ({"path": "$.i", "case": "upper"}, "BTCUSDT", "ethusdt", "btcusdt"),
    ({"path": "$.i", "case": "lower"}, "btc", "ETH", "BTC"),
    ({"path": "$.i", "prefix": "t"}, "tBTCUSD", "ETHUSD", "BTCUSD"),
    ({"path": "$.i", "strip": "candle"}, "1m", "candle1h", "candle1m"),
    ({"path": "$.i", "split": {"by": "@", "part": "0"}}, "btc", "eth@trade", "btc@trade"),
]


@pytest.mark.parametrize(("rule", "value", "current", "expected"), WRITTEN)
def test_rules_run_backwards(rule: dict[str, Any], value: Any, current: Any, expected: Any) -> None:
    found = inverse(FieldRule.model_validate(rule))
    assert found is not None
    assert written(found, value, current) == expected


@pytest.mark.parametrize("rule", [{"const": "spot"}, {"of": "request"}, {"path": "$.a", "times": "$.b"}, {"path": "$.f[?(@.t=='x')].v"}])
def test_some_rules_have_no_way_back(rule: dict[str, Any]) -> None:
    assert inverse(FieldRule.model_validate(rule)) is None


def trade(**own: Any) -> Mapping:
    return Mapping.model_validate({"returns": "trade", "fields": {"price": "$.p", "size": {"path": "$.q"}}, **own})


ITEMS = [
    ({}, {"p": "1", "q": "1", "kept": 7}, {"p": "5", "q": "6", "kept": 7}),
    ({"item": "$.data"}, {"data": {"p": "1", "q": "1"}}, {"data": {"p": "5", "q": "6"}}),
    ({"items": "$.data[*]"}, {"data": [{"p": "1", "q": "1"}]}, {"data": [{"p": "5", "q": "6"}, {"p": "7", "q": "8"}]}),
    ({"items": "$[*][0]"}, [[{"p": "1", "q": "1"}, "tail"]], [[{"p": "5", "q": "6"}, "tail"], [{"p": "7", "q": "8"}, "tail"]]),
    (
        {"items": "$.data[*].rows[*]"},
        {"data": [{"rows": [{"p": "1", "q": "1"}]}, {"rows": []}]},
        {"data": [{"rows": [{"p": "5", "q": "6"}, {"p": "7", "q": "8"}]}]},
    ),
    (
        {"items": {"columns": {"p": "$.price", "q": "$.size"}}},
        {"price": ["1"], "size": ["1"]},
        {"price": ["5", "7"], "size": ["6", "8"]},
    ),
    (
        {"items": {"zip": ["$.a", "$.b"]}, "fields": {"price": "$[0].p", "size": "$[1].q"}},
        {"a": [{"p": "1"}], "b": [{"q": "1"}]},
        {"a": [{"p": "5"}, {"p": "7"}], "b": [{"q": "6"}, {"q": "8"}]},
    ),
    (
        {"items": "$.result.*", "fields": {"symbol": {"of": "key"}, "price": "$.p"}},
        {"result": {"XBTUSD": {"p": "1"}}},
        {"result": {"one": {"p": "5"}, "two": {"p": "7"}}},
    ),
    (
        {"items": "$.result.*", "fields": {"symbol": "$.name", "price": "$.p"}},
        {"result": {"XBTUSD": {"name": "XBTUSD", "p": "1"}}},
        {"result": {"one": {"name": "one", "p": "5"}, "two": {"name": "two", "p": "7"}}},
    ),
    (
        {"items": "$.result.*[*]", "except": ["last"], "fields": {"symbol": {"of": "key"}, "price": "$[0]"}},
        {"result": {"last": "9", "XBTUSD": [["1"], ["2"]]}},
        {"result": {"one": [["5"], ["7"]], "last": "9"}},
    ),
]


@pytest.mark.parametrize(("own", "sample", "expected"), ITEMS)
def test_items_go_where_the_mapping_reads_them(own: dict[str, Any], sample: Any, expected: Any) -> None:
    events = [{"symbol": "one", "price": D(5), "size": D(6)}, {"symbol": "two", "price": D(7), "size": D(8)}]
    encoder = Encoder([trade(**own)], sample, {})
    assert encoder.encode(events if "items" in own else events[:1]) == expected


NESTED = [  # mapping, sample, events, expected
    (
        {"items": "$[*].rows[*]", "fields": {"price": "$.p"}},
        [{"dex": "a", "rows": [{"p": "1", "n": 1}, {"p": "2", "n": 2}]}, {"dex": "b", "rows": [{"p": "3", "n": 3}]}],
        [{"price": D(7), "like": {"p": "3", "n": 3}}, {"price": D(8), "like": {"p": "2", "n": 2}}],
        [{"dex": "a", "rows": [{"p": "8", "n": 2}]}, {"dex": "b", "rows": [{"p": "7", "n": 3}]}],
    ),
    (
        {"items": "$[*][1][*]", "only": {"$[0]": "own"}, "fields": {"symbol": {"path": "$[0]", "of": "parent"}, "price": "$[1]"}},
        [["A", [["other", "1"], ["own", "2"]]], ["B", [["own", "3"]]]],
        [{"symbol": "C", "price": D(7)}, {"symbol": "D", "price": D(8)}],
        [["C", [["other", "1"], ["own", "7"]]], ["D", [["other", "1"], ["own", "8"]]]],
    ),
    (
        {"items": "$[*][*]", "fields": {"price": "$.p"}},
        [[{"p": "1"}], [{"p": "2"}]],
        [{"price": D(7)}, {"price": D(8)}],
        [[{"p": "7"}], [{"p": "8"}]],
    ),
]


@pytest.mark.parametrize(("own", "sample", "events", "expected"), NESTED)
def test_items_of_lists_in_a_list_stay_with_their_likes(own: dict[str, Any], sample: Any, events: Any, expected: Any) -> None:
    assert Encoder([trade(**own)], sample, {}).encode(events) == expected


def test_what_a_sample_says_of_an_instrument_stays_as_it_says_it() -> None:
    encoder = Encoder(
        [trade(items="$.*", fields={"symbol": {"of": "key"}, "price": "$.p", "side": "$.s"})], {"XXBT": {"p": "1", "s": "B"}}, {}
    )
    assert encoder.keys == ["XXBT"]
    events = [{"symbol": "XBT", "key": "XXBT", "price": D(5), "side": "buy", "known": {"side": "buy"}}]
    assert encoder.encode(events) == {"XXBT": {"p": "5", "s": "B"}}


def test_every_row_of_lists_side_by_side_is_a_sample() -> None:
    sample = {"a": [1, 2], "b": [3, 4]}
    assert Encoder([trade(items={"zip": ["$.a", "$.b"]}, fields={"price": "$[0]"})], sample, {}).samples == [[1, 3], [2, 4]]
    columns = Encoder([trade(items={"columns": {"p": "$.a", "q": "$.b"}})], sample, {})
    assert columns.samples == [{"p": 1, "q": 3}, {"p": 2, "q": 4}]


ENDS = [  # sample, where its opening is, expected
    ([60_000, 119_999], {"path": "$[0]", "unit": "ms"}, [3_600_000, 7_199_999]),
    ({"t": 60, "T": 120}, {"path": "$.t", "unit": "s"}, {"t": 3600, "T": 7200}),
    ({"k": {"t": "60000", "T": "119999"}}, {"path": "$.k.t", "unit": "ms"}, {"k": {"t": "3600000", "T": "7199999"}}),
    ({"t": "1970-01-01T00:00:00Z", "T": "1970-01-01T04:00:00.0Z"}, {"path": "$.t", "unit": "iso"},
     {"t": "1970-01-01T01:00:00.000Z", "T": "1970-01-01T02:00:00.0Z"}),
    ({"t": 60_000, "seen": 60_017, "n": 12}, {"path": "$.t", "unit": "ms"}, {"t": 3_600_000, "seen": 60_017, "n": 12}),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "rule", "expected"), ENDS)
def test_bars_end_where_the_next_one_opens(sample: Any, rule: dict[str, Any], expected: Any) -> None:
    bar = {"timestamp": 3600 * 10**9, "end": 7200 * 10**9}
    mapping = Mapping.model_validate({"returns": "candle", "fields": {"timestamp": rule}})
    assert Encoder([mapping], sample, {}).encode([bar]) == expected


def test_mappings_of_one_message_may_take_their_thing_from_different_places() -> None:
    top = Mapping.model_validate({"returns": "bbo", "fields": {"symbol": "$.data.s"}})
    inner = Mapping.model_validate(
        {"returns": "book", "item": "$.data", "fields": {"symbol": "$.s"}, "sequence": {"rule": "contiguous", "last": "$.u"}}
    )
    assert Encoder([top, inner], {"data": {"s": "A", "u": 1}}, {}).encode([{"symbol": "B", "sequence": 9}]) == {"data": {"s": "B", "u": 9}}


def test_what_may_be_missing_is_not_added() -> None:
    mapping = Mapping.model_validate({"returns": "bbo", "fields": {"bid": "$.b", "timestamp": {"path": "$.t", "optional": True}}})
    assert Encoder([mapping], {"b": "1"}, {}).encode([{"bid": D(2), "timestamp": 7}]) == {"b": "2"}


def test_only_items_that_count_serve_as_the_sample() -> None:
    mapping = trade(items="$[*]", only={"$.dup": "0"})
    encoded = Encoder([mapping], [{"p": "1", "q": "1", "dup": 1}, {"p": "2", "q": "2", "dup": 0}], {}).encode([{"price": D(9)}])
    assert encoded == [{"p": "9", "q": "2", "dup": 0}]


def test_no_events_leave_an_empty_list() -> None:
    assert Encoder([trade(items="$.data[*]")], {"data": [{"p": "1", "q": "1"}]}, {}).encode([]) == {"data": []}


def test_the_kind_chooses_the_place() -> None:
    mapping = Mapping.model_validate({"returns": "ticker", "fields": {"base_volume": {"by_kind": {"spot": "$.v", "other": "$.c"}}}})
    encoder = Encoder([mapping], {"v": "1", "c": "1"}, {})
    assert encoder.encode([{"base_volume": D(5)}], ["spot"]) == {"v": "5", "c": "1"}
    assert encoder.encode([{"base_volume": D(5)}], ["perpetual"]) == {"v": "1", "c": "5"}


def test_a_payload_is_filled_inside_its_frame() -> None:
    mapping = Mapping.model_validate({"returns": "trade", "fields": {"symbol": {"path": "$.stream", "of": "frame"}, "price": "$.p"}})
    frame = {"stream": "a", "data": {"p": "1"}}
    assert Encoder([mapping], frame, {}, ("data",)).encode([{"symbol": "b", "price": D(2)}]) == {"stream": "b", "data": {"p": "2"}}
    assert Encoder([mapping], {"p": "1"}, {}, ("data",)).encode([{"price": D(2)}]) == {"p": "2"}


LEVELS = [
    ({"bids": "$.b", "asks": "$.a", "price": "$.p", "size": "$.s"}, {"b": [{"p": "1", "s": "1", "n": 3}], "a": []},
     {"b": [{"p": "10", "s": "2", "n": 3}], "a": [{"p": "11", "s": "0", "n": 3}]}),
    ({"mixed": "$.c[*]", "side": {"path": "$[0]", "map": {"B": "bid", "S": "ask"}}, "price": "$[1]", "size": "$[2]"},
     {"c": [["B", "1", "1"]]}, {"c": [["B", "10", "2"], ["S", "11", "0"]]}),
    ({"mixed": "$.c[*]", "split": ",", "side": {"path": "$[1]", "map": {"buy": "bid", "sell": "ask"}}, "price": "$[0]", "size": "$[2]"},
     {"c": ["1,buy,1"]}, {"c": ["10,buy,2", "11,sell,0"]}),
    ({"mixed": "$[*]", "price": "$[0]", "size": {"path": "$[2]", "abs": "true"}, "remove_when": {"$[1]": "0"},
      "side": {"path": "$[2]", "sign": {"positive": "bid", "negative": "ask"}}}, [[1, 4, 1]], [[10, 4, 2], [11, 0, -1]]),
]  # fmt: skip


@pytest.mark.parametrize(("levels", "item", "expected"), LEVELS)
def test_book_levels_take_the_samples_shape(levels: dict[str, Any], item: Any, expected: Any) -> None:
    mapping = Mapping.model_validate({"returns": "book", "levels": levels})
    writer = level_writer(mapping)
    assert writer is not None
    assert writer.write(item, {"bids": [(D(10), D(2))], "asks": [(D(11), D(0))]}) == expected


MATCHED = [
    ({"op": "subscribe", "args": "{{ topics }}"}, {"op": "subscribe", "args": [1]}, {"topics": [1]}),
    ({"op": "subscribe", "args": "{{ topics }}"}, {"op": "unsubscribe", "args": [1]}, None),
    ({"op": "subscribe"}, {"op": "subscribe", "more": 1}, None),
    ({"op": "subscribe", "id": "{{ request_id | int }}"}, {"op": "subscribe"}, None),
    ({"event": "subscribe", "*": "{{ topic }}"}, {"event": "subscribe", "a": 1, "b": 2}, {"topic": {"a": 1, "b": 2}}),
    (["sub", "{{ topic }}"], ["sub", "x"], {"topic": "x"}),
    (["sub", "{{ topic }}"], ["sub"], None),
    ({"n": "5"}, {"n": 5}, {}),
]


@pytest.mark.parametrize(("tree", "message", "expected"), MATCHED)
def test_messages_are_held_against_the_specs_own(tree: Any, message: Any, expected: Any) -> None:
    assert matched(tree, message) == expected


def test_topics_of_a_message() -> None:
    assert topics_of({"topics": ["a", "b"]}) == ["a", "b"]
    assert topics_of({"topic": "a"}) == ["a"]
    assert topics_of({}) == []
    assert key_of({"b": 1, "a": 2}) == key_of({"a": 2, "b": 1})
