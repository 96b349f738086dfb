"""`merge`: partial updates of a stream, filled up with what the same connection said before."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cexspec.compile import merging
from cexspec.compile.exchange import Exchange
from cexspec.compile.explain import explain
from cexspec.engine.frames import FrameReader, Reading
from cexspec.engine.markets import Markets
from cexspec.models import DecodeError, Event, Market, SpecError, Ticker
from tests.compile.made_up import VERB, Notes, answering, errors_of, exchange, streaming

Mapping = dict[str, Any]
Message = dict[str, Any]
Row = tuple[Any, ...]

RESET = {"$.type": "full"}
FIELDS: Mapping = {"symbol": "$.s", "last": "$.l", "bid": {"path": "$.b", "optional": True}}
TICKER: Mapping = {"match": {"$.topic": "t"}, "returns": "ticker", "item": "$.data", "fields": FIELDS}
BY: Mapping = {"by": "$.s", "reset_when": RESET}
ALWAYS: Mapping = {"by": "$.s"}


def ticker(merge: Mapping | None = BY, **parts: Any) -> Mapping:
    """The channel of the tests, with other parts; None leaves one out."""
    channel = {**TICKER, **({"merge": merge} if merge else {}), **parts}
    return {key: part for key, part in channel.items() if part is not None}


def reader_of(plan: Exchange) -> FrameReader:
    """A connection that has just been opened."""
    return FrameReader(plan.id, plan.connection("public"), {name: plan.channel(name) for name in plan.channel_names}, Markets(plan))


def message(data: Any, kind: str = "part", **around: Any) -> Message:
    return {"topic": "t", "type": kind, "data": data, **around}


def full(data: Any, **around: Any) -> Message:
    return message(data, "full", **around)


def rows(reading: Reading) -> list[Row] | str:
    """Symbol, last and bid of each event; where there are errors, what the first of them says."""
    if reading.errors and not reading.parts:
        return reading.errors[0].args[0] if reading.errors[0].args else str(reading.errors[0])
    return [(one.symbol, one.last, one.bid) for one in reading.events if isinstance(one, Ticker)]


A = "XBT-USDT"
B = "ETH-USDT"
NAMES = {A: "BTC/USDT", B: "ETH/USDT"}


def row(native: str, last: str, bid: str | None = None) -> Row:
    return NAMES[native], Decimal(last), None if bid is None else Decimal(bid)


Told = list[tuple[Message, list[Row] | str]]
PASSED: list[Row] = []

CONVERSATIONS: dict[str, tuple[Mapping, Told]] = {
    "what is missing or null is as it was": (
        ticker(),
        [
            (full({"s": A, "l": "10", "b": "9"}), [row(A, "10", "9")]),
            (message({"s": A, "l": "11"}), [row(A, "11", "9")]),
            (message({"s": A, "l": None, "b": "8"}), [row(A, "11", "8")]),
            (message({"s": A}), [row(A, "11", "8")]),
        ],
    ),
    "each key has its own": (
        ticker(),
        [
            (full({"s": A, "l": "10"}), [row(A, "10")]),
            (full({"s": B, "l": "20", "b": "19"}), [row(B, "20", "19")]),
            (message({"s": A, "b": "9"}), [row(A, "10", "9")]),
            (message({"s": B, "l": "21"}), [row(B, "21", "19")]),
        ],
    ),
    "a reset forgets what was": (
        ticker(),
        [
            (full({"s": A, "l": "10", "b": "9"}), [row(A, "10", "9")]),
            (full({"s": A, "l": "12"}), [row(A, "12")]),
            (message({"s": A}), [row(A, "12")]),
        ],
    ),
    "before the first reset what is known is what came": (
        ticker(),
        [
            (message({"s": A, "b": "9"}), PASSED),
            (message({"s": A, "l": "10"}), [row(A, "10", "9")]),
            (message({"s": B}), PASSED),
        ],
    ),
    "after a reset what is missing is an error, and the last good item stays": (
        ticker(),
        [
            (full({"s": A, "b": "9"}), "$.l: nothing at $.l"),
            (message({"s": A, "b": "8"}), PASSED),
            (full({"s": A, "l": "10"}), [row(A, "10")]),
            (message({"s": A, "b": "11", "l": "much"}), ".l: "),
            (message({"s": A, "b": "9"}), [row(A, "10", "9")]),
        ],
    ),
    "a message that can't be read changes nothing": (
        ticker(),
        [
            (full({"s": A, "l": "10"}), [row(A, "10")]),
            (full({"s": A, "l": "much"}), ".l: "),
            (message({"s": A, "b": "9"}), [row(A, "10", "9")]),
        ],
    ),
    "an item without its key is an error": (
        ticker(),
        [
            (message({"l": "10"}), "missing required field `s`"),
            (message({"s": None, "l": "10"}), "Expected `str`, got `null`"),
            ({"topic": "t", "type": "part"}, "missing required field `data`"),
        ],
    ),
    "without a reset everything is merged": (
        ticker(ALWAYS),
        [
            (full({"s": A, "l": "10", "b": "9"}), [row(A, "10", "9")]),
            (full({"s": A, "l": "11"}), [row(A, "11", "9")]),
            (message({"s": B}), PASSED),
        ],
    ),
    "an empty text replaces": (
        ticker(fields={**FIELDS, "bid": {"path": "$.b", "empty": "absent", "optional": True}}),
        [
            (full({"s": A, "l": "10", "b": "9"}), [row(A, "10", "9")]),
            (message({"s": A, "b": ""}), [row(A, "10")]),
            (message({"s": A}), [row(A, "10")]),
        ],
    ),
    "an empty text for a required value that may be none": (
        ticker(fields={**FIELDS, "bid": {"path": "$.b", "empty": "absent"}}),
        [
            (message({"s": A, "l": "10"}), PASSED),
            (message({"s": A, "b": ""}), [row(A, "10")]),
            (full({"s": A, "l": "10"}), "nothing at $.b"),
        ],
    ),
    "members are merged as wholes": (
        ticker(fields={**FIELDS, "last": "$.l.p", "bid": {"path": "$.l.b", "optional": True}}),
        [
            (full({"s": A, "l": {"p": "10", "b": "9"}}), [row(A, "10", "9")]),
            (message({"s": A}), [row(A, "10", "9")]),
            (message({"s": A, "l": {"p": "11"}}), [row(A, "11")]),
            (message({"s": A, "l": {"b": "9"}}), "nothing at $.l.p"),
        ],
    ),
    "one of several places": (
        ticker(fields={**FIELDS, "last": {"first_of": ["$.l", "$.m"]}}),
        [
            (message({"s": A, "b": "9"}), PASSED),
            (message({"s": A, "m": "10"}), [row(A, "10", "9")]),
            (message({"s": A, "l": "11"}), [row(A, "11", "9")]),
            (full({"s": A}), "nothing at $.l or $.m"),
        ],
    ),
    "a number and its factor": (
        ticker(fields={**FIELDS, "last": {"path": "$.l", "times": "$.f"}}),
        [
            (message({"s": A, "l": "10"}), PASSED),
            (message({"s": A, "f": "2"}), [row(A, "20")]),
            (message({"s": A, "l": "11"}), [row(A, "22")]),
            (full({"s": A, "l": "11"}), "nothing at $.f"),
        ],
    ),
    "a factor outside the item": (
        ticker(fields={**FIELDS, "last": {"path": "$.x", "times": "$.f", "of": "message"}}),
        [
            (full({"s": A, "b": "9"}, x="5", f="2"), [row(A, "10", "9")]),
            (message({"s": A}, x="6", f="2"), [row(A, "12", "9")]),
            (message({"s": A}, x="6"), "missing required field `f`"),
        ],
    ),
    "a key of a table outside the item": (
        ticker(fields={**FIELDS, "last": {"path": "$.l", "lookup": {"in": "$.table", "by": "$[0]", "take": "$[1]"}}}),
        [
            (full({"s": A, "l": "x"}, table=[["x", "10"]]), [row(A, "10")]),
            (message({"s": A, "b": "9"}, table=[["x", "11"]]), [row(A, "11", "9")]),
        ],
    ),
    "what stands outside the item isn't merged": (
        ticker(fields={**FIELDS, "bid": {"path": "$.b", "of": "message", "optional": True}}),
        [
            (full({"s": A, "l": "10"}, b="9"), [row(A, "10", "9")]),
            (message({"s": A}), [row(A, "10")]),
        ],
    ),
    "a required value outside the item is required": (
        ticker(fields={**FIELDS, "bid": {"path": "$.b", "of": "message"}}),
        [(message({"s": A, "l": "10"}), "missing required field `b`")],
    ),
    "by the kind of the market": (
        ticker(fields={**FIELDS, "last": {"by_kind": {"spot": "$.l", "other": "$.m"}}}),
        [
            (message({"s": A, "m": "10"}), PASSED),
            (message({"s": A, "l": "11"}), [row(A, "11")]),
        ],
    ),
    "the message is the item": (
        ticker(item=None),
        [
            ({"topic": "t", "type": "full", "s": A, "l": "10"}, [row(A, "10")]),
            ({"topic": "t", "type": "part", "s": A, "b": "9"}, [row(A, "10", "9")]),
            ({"topic": "t", "s": A, "l": "11"}, [row(A, "11", "9")]),
        ],
    ),
    "many items": (
        ticker(item=None, items="$.data[*]"),
        [
            (full([{"s": A, "l": "10"}, {"s": B, "l": "20"}]), [row(A, "10"), row(B, "20")]),
            (message([{"s": B, "b": "19"}, {"s": A, "l": "11"}]), [row(B, "20", "19"), row(A, "11")]),
            (message([]), []),
        ],
    ),
    "the same key twice in a message": (
        ticker(item=None, items="$.data[*]"),
        [
            (message([{"s": A, "l": "10"}, {"s": A, "b": "9"}, {"s": A, "l": "11"}]), [row(A, "10"), row(A, "10", "9"), row(A, "11", "9")]),
            (message([{"s": A}]), [row(A, "11", "9")]),
        ],
    ),
    "items deeper in the elements": (
        ticker(item=None, items="$.data[*].in"),
        [
            (full([{"in": {"s": A, "l": "10"}}]), [row(A, "10")]),
            (message([{"in": {"s": A, "b": "9"}}]), [row(A, "10", "9")]),
        ],
    ),
    "items in lists in lists": (
        ticker(item=None, items="$.data[*].rows[*]", fields={**FIELDS, "bid": {"path": "$.b", "of": "parent", "optional": True}}),
        [
            (full([{"b": "1", "rows": [{"s": A, "l": "10"}, {"s": B, "l": "20"}]}]), [row(A, "10", "1"), row(B, "20", "1")]),
            (message([{"b": "2", "rows": [{"s": A}]}, {"rows": [{"s": B}]}]), [row(A, "10", "2"), row(B, "20")]),
        ],
    ),
    "a bad record among good ones": (
        ticker(item=None, items="$.data[*]"),
        [
            (full([{"s": A, "l": "10"}, {"s": B, "l": "20"}]), [row(A, "10"), row(B, "20")]),
            (message([{"s": A, "l": "much"}, {"s": B, "b": "19"}]), [row(B, "20", "19")]),
            (message([{"s": A, "b": "9"}, {"s": B, "l": "21"}]), [row(A, "10", "9"), row(B, "21", "19")]),
        ],
    ),
    "only some, told by what is known": (
        ticker(only={"$.k": "on"}),
        [
            (full({"s": A, "l": "10", "k": "off"}), PASSED),
            (message({"s": A, "b": "9"}), PASSED),
            (message({"s": A, "k": "on"}), [row(A, "10", "9")]),
            (message({"s": A, "l": "11"}), [row(A, "11", "9")]),
        ],
    ),
    "a key that is a number or a text": (
        ticker({"by": "$.i"}),
        [
            (message({"i": 7, "s": A, "l": "10"}), [row(A, "10")]),
            (message({"i": "7", "b": "9"}), [row(A, "10", "9")]),
            (message({"i": 8, "b": "9"}), PASSED),
            (message({"i": [7]}), "got `array`"),
        ],
    ),
    "a key deeper in the item": (
        ticker({"by": "$.id.s"}, fields={**FIELDS, "symbol": "$.id.s"}),
        [
            (message({"id": {"s": A}, "l": "10"}), [row(A, "10")]),
            (message({"id": {"s": A}, "b": "9"}), [row(A, "10", "9")]),
            (message({"id": {}, "b": "9"}), "missing required field `s`"),
        ],
    ),
    "a key that may be an object": (
        ticker({"by": "$.s"}, fields={**FIELDS, "bid": {"path": "$.s.b", "optional": True}}),
        [
            (message({"s": A, "l": "10"}), [row(A, "10")]),
            (message({"s": {"b": "9"}, "l": "10"}), "nothing at $.s to merge by"),
        ],
    ),
}


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("case", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_an_item_is_what_is_known_of_it(case: tuple[Mapping, Told], number: type[Decimal] | type[float]) -> None:
    channel, told = case
    named = {"ticker": {"on": "public", "topic": "ticker", **channel}}
    reader = reader_of(exchange(number, ws={"connections": {"public": {"subscribe": VERB, "unsubscribe": VERB}}, "channels": named}))
    for sent, expected in told:
        found = rows(reader.read(json.dumps(sent)))
        if isinstance(expected, str):
            assert isinstance(found, str)
            assert expected in found
        else:
            assert found == expected, sent


def read(reader: FrameReader, *told: Message) -> list[Row] | str:
    """The rows of the last of some messages."""
    return [rows(reader.read(json.dumps(one))) for one in told][-1]


def test_what_is_known_ends_with_the_connection() -> None:
    plan = streaming({"ticker": ticker()})
    whole, part = full({"s": A, "l": "10"}), message({"s": A, "b": "9"})
    assert read(reader_of(plan), whole, part) == [row(A, "10", "9")]
    assert read(reader_of(plan), part) == PASSED


def test_further_messages_know_the_same_whatever_each_reads() -> None:
    """The channel reads no bid, the further message no last: neither loses what the other told."""
    also = {"match": {"$.topic": "u"}, "fields": {"symbol": "$.s", "bid": "$.b"}}
    reader = reader_of(streaming({"ticker": ticker(fields={"symbol": "$.s", "last": "$.l"}, also=[also])}))
    own, other = full({"s": A, "l": "10"}), {**message({"s": A, "b": "9"}), "topic": "u"}
    quiet, silent = message({"s": A}), {**message({"s": A}), "topic": "u"}
    assert read(reader, own) == [row(A, "10")]
    told = [reader.read(json.dumps(one)).events[0] for one in (other, quiet, silent)]
    assert [(one.last, one.bid) for one in told if isinstance(one, Ticker)] == [(None, 9), (10, None), (None, 9)]


def test_further_messages_know_the_same_wherever_their_items_stand() -> None:
    """The message itself is the item, with the words that tell it; elsewhere the item stands in a member."""
    also = [{"match": {"$.topic": "u"}}, {"match": {"$.topic": "v"}, "item": "$.data"}, {"match": {"$.topic": "w"}, "items": "$.data[*]"}]
    reader = reader_of(streaming({"ticker": ticker(item=None, also=also)}))
    assert read(reader, {"topic": "t", "type": "full", "s": A, "l": "10"}, {"topic": "u", "s": A, "b": "9"}) == [row(A, "10", "9")]
    assert read(reader, {"topic": "v", "data": {"s": A, "b": "8"}}) == [row(A, "10", "8")]
    assert read(reader, {"topic": "w", "data": [{"s": A, "l": "11"}]}) == [row(A, "11", "8")]
    assert read(reader, {"topic": "t", "s": A}) == [row(A, "11", "8")]


def test_further_messages_may_merge_by_something_else_or_not_at_all() -> None:
    also = [
        {"match": {"$.topic": "other"}, "merge": {"by": "$.i"}},
        {"match": {"$.topic": "none"}, "merge": None},
        {"match": {"$.topic": "no"}, "role": "ignored", "reason": "repeats"},
    ]
    reader = reader_of(streaming({"ticker": ticker(also=also)}))
    own, other = full({"s": A, "l": "10"}), {"topic": "other", "data": {"i": A, "b": "9"}}
    assert read(reader, own, other) == PASSED
    assert "missing required field `l`" in read(reader, {"topic": "none", "data": {"s": A}})


def test_channels_that_share_a_topic_know_each_their_own() -> None:
    mark = {**ticker(), "returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": "$.m"}}
    reader = reader_of(streaming({"ticker": {**ticker(), "topic": "t"}, "mark_price": {**mark, "topic": "t"}}))
    told = [reader.read(json.dumps(one)) for one in (message({"s": A, "l": "10"}), message({"s": A, "m": "5"}), message({"s": A}))]
    assert [[(name, len(events)) for name, events in one.parts] for one in told] == [
        [("ticker", 1), ("mark_price", 0)],
        [("ticker", 1), ("mark_price", 1)],
        [("ticker", 1), ("mark_price", 1)],
    ]
    assert [one.errors for one in told] == [(), (), ()]


def test_wrapped_and_bare_messages_know_the_same() -> None:
    reader = reader_of(streaming({"ticker": ticker()}, payload="$.in"))
    assert read(reader, full({"s": A, "l": "10"}), {"in": message({"s": A, "b": "9"})}) == [row(A, "10", "9")]
    assert read(reader, message({"s": A, "l": "11"})) == [row(A, "11", "9")]


def test_a_guessed_reader_goes_on_with_what_the_first_one_knew_and_back() -> None:
    """The twin takes numbers as text only: what it can't take it leaves to its reader, and takes up again what that knew."""
    reader = reader_of(streaming({"ticker": ticker(fields={**FIELDS, "timestamp": {"path": "$.u", "unit": "ms"}})}))

    def guessed(data: Mapping) -> list[Row] | None:
        part = reader.guessed(json.dumps(message({"s": A, **data})), None)
        return None if part is None else [(one.symbol, one.last, one.bid) for one in part[1] if isinstance(one, Ticker)]

    assert read(reader, full({"s": A, "l": "10", "u": "1597026383085"}), message({"s": A})) == [row(A, "10")]
    assert guessed({"b": "9"}) == [row(A, "10", "9")]
    assert read(reader, full({"s": A, "l": 11, "u": 1597026383085}), full({"s": A, "l": 12.5, "u": "1597026383086"})) == [row(A, "12.5")]
    assert guessed({"b": "8"}) is None, "what is known is no text, as the twin wants it"
    assert read(reader, message({"s": A, "b": "8"}), message({"s": A, "l": "13"})) == [row(A, "13", "8")]
    assert guessed({"b": "7"}) == [row(A, "13", "7")]
    assert [one.timestamp for one in reader.read(json.dumps(message({"s": A}))).events] == [1597026383086000000]


def test_a_failed_guess_leaves_no_trace() -> None:
    """The same key twice, the second time bad: what the first told must not be known before it is read again."""
    reader = reader_of(streaming({"ticker": ticker(item=None, items="$.data[*]")}))
    read(reader, full([{"s": A, "l": "10", "b": "1"}]), message([{"s": A, "b": "2"}]))
    reading = reader.read(json.dumps(message([{"s": A, "l": "11"}, {"s": A, "b": "3"}, {"s": B, "l": "much"}])))
    assert rows(reading) == [row(A, "11", "2"), row(A, "11", "3")]
    assert len(reading.errors) == 1


def test_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MAX_KNOWN", 2)
    notes = Notes()
    reader = streaming({"ticker": ticker()}).channel("ticker").readers[0]
    for name in ("K", "L", "K", "M"):
        reader.read(json.dumps(full({"s": name, "l": "1"})).encode(), notes)
    assert [list(known) for known in notes.states.values()] == [["L", "M"]]


def test_like_takes_it_over_and_null_takes_it_away() -> None:
    channels = {
        "ticker": ticker(),
        "tickers": {"match": {"$.topic": "all"}, "like": "ws.ticker", "items": "$.data[*]", "stream": "ticker"},
        "plain": {"match": {"$.topic": "plain"}, "like": "ws.ticker", "merge": None, "stream": "ticker"},
    }
    reader = reader_of(streaming(channels))
    many = {"topic": "all", "type": "part"}
    assert read(reader, {**many, "data": [{"s": A, "l": "10"}]}, {**many, "data": [{"s": A, "b": "9"}]}) == [row(A, "10", "9")]
    assert "missing required field `l`" in read(reader, {"topic": "plain", "data": {"s": A}})


def test_explain_shows_how_items_are_merged() -> None:
    text = explain(streaming({"ticker": ticker()}), "ticker")
    assert "into the last one of the same $.s, anew when $.type is full" in text
    assert "if i.l is None: i.l = before.l" in text
    assert "into the last one of the same $.s  " in explain(streaming({"ticker": ticker(ALWAYS)}), "ticker")


WRONG: dict[str, tuple[Mapping, list[str]]] = {
    "no object": (
        ticker({"by": "$.s"}, fields={**FIELDS, "last": "$[1]"}),
        ["'$[1]' is no named member of the item: only objects are merged"],
    ),
    "the item itself": (
        ticker({"by": "$.s"}, only={"$": {"is": "object"}}),
        ["'$' is no named member of the item: only objects are merged"],
    ),
    "a key with quotes": (ticker({"by": "$['a\"b']"}), ["'$['a\"b']' is no named member of the item"]),
    "a key that is searched for": (ticker({"by": "$..s"}), ["'$..s' is no named member of the item"]),
    "a key from the message": (ticker({"by": "$.data.s"}), ["'$.data.s' leads to the item: '$' is the item itself here"]),
    "a key from the message, many items": (
        ticker({"by": "$.data.s"}, item=None, items="$.data[*]"),
        ["'$.data.s' leads to the item: '$' is the item itself here"],
    ),
    "pairs": (
        ticker({"by": "$.s"}, item=None, items={"zip": ["$.a", "$.b"]}),
        ["items that are put together, or walked to, are not merged"],
    ),
    "lists three deep": (
        ticker({"by": "$.s"}, item=None, items="$.a[*].b[*].c[*]"),
        ["items that are put together, or walked to, are not merged"],
    ),
    "a book": (
        ticker({"by": "$.s"}, returns="book", snapshot_when="always", fields={"symbol": "$.s", "bids": "$.b", "asks": "$.a"}),
        ["a book has updates of its own kind, level by level"],
    ),
    "a condition on the whole item": (
        ticker({"by": "$.s", "reset_when": {"$.data": {"is": "object"}}}),
        ["items are merged, and something looks at the item as a whole: $.data"],
    ),
    "paths that are none": (
        ticker({"by": "$.s["}, item="$.data[", fields={**FIELDS, "last": "$.l["}),
        ["'$.data[' is no path", "'$.s[' is no path", "'$.l[' is no path"],
    ),
    "items that are no path": (ticker({"by": "$.s"}, item=None, items="$.data["), ["'$.data[' is no path"]),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_can_not_be_merged_is_refused(case: tuple[Mapping, list[str]]) -> None:
    channel, expected = case
    with pytest.raises(SpecError) as raised:
        streaming({"ticker": channel}).channel("ticker")
    found = [problem.message for problem in errors_of(raised.value)]
    assert len(found) == len(expected), found
    assert all(message.startswith(start) for message, start in zip(found, expected, strict=True)), found


def test_a_further_message_that_is_wrong_is_told_once() -> None:
    also = {"match": {"$.topic": "u"}, "fields": {"symbol": "$.s", "timestamp": {"path": "$.l", "unit": "fraction"}}}
    with pytest.raises(SpecError) as raised:
        streaming({"ticker": ticker(also=[also])}).channel("ticker")
    assert [problem.where for problem in errors_of(raised.value)] == [("ws", "channels", "ticker", "also", 0, "fields", "timestamp")]


VALUES = st.sampled_from(["1", "2.50", 3, 4.25, "", None, "much"])
ITEMS = st.fixed_dictionaries(
    {"s": st.sampled_from([A, B])},
    optional={
        "l": VALUES,
        "b": VALUES,
        "a": VALUES,
        "n": st.fixed_dictionaries({}, optional={"o": VALUES, "h": VALUES}),
        "r": st.lists(VALUES, min_size=2, max_size=3),
        "u": st.sampled_from([None, "1597026383085", 1597026383085, 1.5]),
    },
)
MESSAGES = st.lists(st.tuples(st.sampled_from(["full", "part", "part", "part"]), st.lists(ITEMS, max_size=3)), max_size=8)
EVERY: Mapping = {
    "symbol": "$.s",
    "bid": "$.b",
    "last": {"path": "$.l", "optional": True},
    "ask": {"path": "$.a", "empty": "absent", "optional": True},
    "open": {"path": "$.n.o", "optional": True},
    "high": {"path": "$.n.h", "optional": True},
    "low": {"path": "$.r[1]", "optional": True},
    "timestamp": {"path": "$.u", "unit": "ms", "optional": True},
}
MARKETS = {native: Market(id=native, symbol=symbol, kind="spot") for native, symbol in NAMES.items()}
MERGED = streaming({"ticker": ticker(item=None, items="$.data[*]", fields=EVERY)})
PLAIN = answering({"returns": "ticker", "fields": EVERY}).operation("call").reader


@settings(max_examples=300)
@given(MESSAGES)
def test_merging_what_is_decoded_is_merging_what_was_sent(told: list[tuple[str, list[Mapping]]]) -> None:
    """The plain way: dicts are merged, and the whole one is read by the same mapping without `merge`."""
    reader = reader_of(MERGED)
    known: dict[str, tuple[Mapping, bool]] = {}
    for kind, items in told:
        expected = [event for item in items for event in plainly(item, kind == "full", known)]
        assert reader.read(json.dumps(message(items, kind))).events == expected


def plainly(item: Mapping, reset: bool, known: dict[str, tuple[Mapping, bool]]) -> list[Event]:
    """The event of an item, by merging dicts; none where it is passed over, or bad."""
    assert PLAIN is not None
    before, whole = ({}, True) if reset else known.get(item["s"], ({}, False))
    merged = {**before, **{name: value for name, value in item.items() if value is not None}}
    events: list[Event] = []
    if whole or "b" in merged:
        try:
            events = PLAIN.read(json.dumps(merged).encode(), Notes(markets=MARKETS))
        except DecodeError:
            return []
    known[item["s"]] = merged, whole
    return events
