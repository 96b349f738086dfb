"""Messages to models: items in all forms, book levels in all forms, instruments, bad records among good ones."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cexspec.compile.plan import ReaderPlan
from cexspec.models import Book, DecodeError, Event, Market, MarkPrice, Number, SpecError
from tests.compile.made_up import Notes, answering, errors_of, streaming

Row = tuple[str | None, Number | None]
PRICE = {"symbol": "$.s", "mark_price": "$.p"}
PAIRED = {"symbol": "$[0]", "mark_price": "$[1]"}


def reader_of(mapping: dict[str, Any], number: type[Decimal] | type[float] = Decimal, **parts: Any) -> ReaderPlan:
    """The reader of a REST answer that is mapped so."""
    reader = answering(mapping, number, **parts).operation("call").reader
    assert reader is not None
    return reader


def read(mapping: dict[str, Any], message: object, notes: Notes | None = None, **parts: Any) -> list[Event]:
    """The events of a message."""
    return reader_of(mapping, **parts).read(json.dumps(message).encode(), notes or Notes())


def prices(events: list[Event]) -> list[Row]:
    """Symbol and mark price of each event."""
    return [(event.symbol, event.mark_price) for event in events if isinstance(event, MarkPrice)]


A, B = {"s": "A", "p": "1"}, {"s": "B", "p": "2.50"}
TWO: list[Row] = [("A", Decimal(1)), ("B", Decimal("2.50"))]
ONE: list[Row] = TWO[:1]
OF_KEY = {"symbol": {"of": "key"}, "mark_price": "$.p"}
OF_PARENT = {"symbol": {"path": "$.s", "of": "parent"}, "mark_price": "$.p"}
OF_MESSAGE = {"symbol": {"path": "$.s", "of": "message"}, "mark_price": "$.p"}

ITEMS: dict[str, tuple[dict[str, Any], object, list[Row]]] = {
    "the message itself": ({"fields": PRICE}, A, ONE),
    "a member": ({"item": "$.data", "fields": PRICE}, {"data": A}, ONE),
    "an element": ({"item": "$.data[1]", "fields": PRICE}, {"data": [0, A]}, ONE),
    "an element from the end": ({"item": "$[-1]", "fields": PRICE}, [B, A], ONE),
    "a list at the top": ({"items": "$[*]", "fields": PRICE}, [A, B], TWO),
    "a list in a member": ({"items": "$.data[*]", "fields": PRICE}, {"data": [A, B]}, TWO),
    "an empty list": ({"items": "$.data[*]", "fields": PRICE}, {"data": []}, []),
    "inside the elements": ({"items": "$.data[*].in", "fields": PRICE}, {"data": [{"in": A}, {"in": B}]}, TWO),
    "rows of a list": ({"items": "$[*]", "fields": PAIRED}, [["A", "1"], ["B", "2.50"]], TWO),
    "beside the list": ({"items": "$.rows[*]", "fields": OF_MESSAGE}, {"s": "A", "rows": [{"p": "1"}]}, ONE),
    "lists in lists": (
        {"items": "$.data[*].rows[*]", "fields": OF_PARENT},
        {"data": [{"s": "A", "rows": [{"p": "1"}]}, {"s": "B", "rows": []}, {"s": "B", "rows": [{"p": "2.50"}]}]},
        TWO,
    ),
    "lists right in lists": ({"items": "$[*][*]", "fields": PRICE}, [[A], [], [B]], TWO),
    "lists three deep": ({"items": "$.a[*].b[*].c[*]", "fields": PRICE}, {"a": [{"b": [{"c": [A]}, {"c": [B]}]}]}, TWO),
    "members of an object": ({"items": "$.data.*", "fields": OF_KEY}, {"data": {"A": {"p": "1"}, "B": {"p": "2.50"}}}, TWO),
    "members but for some": (
        {"items": "$.data.*", "except": ["last"], "fields": OF_KEY},
        {"data": {"A": {"p": "1"}, "last": 7, "B": {"p": "2.50"}}},
        TWO,
    ),
    "lists in members": ({"items": "$.*[*]", "fields": OF_KEY}, {"A": [{"p": "1"}], "B": [{"p": "2.50"}]}, TWO),
    "inside members, where it is": (
        {"items": "$.data.*.in", "fields": OF_KEY},
        {"data": {"A": {"in": {"p": "1"}}, "C": {"out": 1}, "B": {"in": {"p": "2.50"}}}},
        TWO,
    ),
    "whatever a filter finds": ({"items": "$.data[?(@.on == 1)]", "fields": PRICE}, {"data": [{**A, "on": 1}, {**B, "on": 0}]}, ONE),
    "anywhere below": ({"items": "$..row", "fields": PRICE}, {"x": {"row": A}, "y": [{"row": B}]}, TWO),
    "two lists in pairs": ({"items": {"zip": ["$[0]", "$[-1]"]}, "fields": PAIRED}, [["A", "B"], 0, ["1", "2.50"]], TWO),
    "columns": ({"items": {"columns": {"s": "$[0]", "p": "$[-1]"}}, "fields": PRICE}, [["A", "B"], [1, "2.50"]], TWO),
    "only some": ({"items": "$[*]", "only": {"$.s": "A"}, "fields": PRICE}, [A, B], ONE),
    "all but some, also those that don't say": (
        {"items": "$[*]", "only": {"$.t": {"not": "2", "optional": True}}, "fields": PRICE},
        [A, {**A, "t": "2"}, {**B, "t": None}, {**A, "t": 2}],
        TWO,
    ),
    "one, but not this one": ({"item": "$.data", "only": {"$.s": "A"}, "fields": PRICE}, {"data": B}, []),
}


@pytest.mark.parametrize("case", ITEMS.values(), ids=ITEMS)
def test_items_are_found(case: tuple[dict[str, Any], object, list[Row]]) -> None:
    mapping, message, expected = case
    assert prices(read({"returns": "mark_price", **mapping}, message)) == expected


JOINED: dict[str, tuple[dict[str, Any], object]] = {
    "pairs": ({"items": {"zip": ["$.names", "$.prices"]}, "fields": PAIRED}, {"names": ["A", "B"], "prices": ["1", "2.50"]}),
    "columns": ({"items": {"columns": {"s": "$.names", "p": "$.prices"}}, "fields": PRICE}, {"names": ["A", "B"], "prices": [1, "2.50"]}),
}


@pytest.mark.parametrize("case", JOINED.values(), ids=JOINED)
def test_lists_in_members_are_joined(case: tuple[dict[str, Any], object]) -> None:
    mapping, message = case
    assert prices(read({"returns": "mark_price", **mapping}, message)) == TWO


OPTIONAL = {"symbol": {"path": "$.s", "of": "message"}, "mark_price": {"path": "$.p", "optional": True}}
HOLES: dict[str, tuple[dict[str, Any], object, str]] = {
    "no item": ({"item": "$.data", "fields": OPTIONAL}, {"s": "A"}, "nothing at $.data"),
    "a list of another length": (
        {"items": {"zip": ["$[0]", "$[-1]"]}, "fields": PAIRED},
        [["A"], []],
        "the lists to pair are missing or differ in length",
    ),
    "no list": ({"items": {"columns": {"s": "$[0]", "p": "$[-1]"}}, "fields": PRICE}, [1, ["1"]], "missing or differ in length"),
    "a scalar for members": ({"items": "$.data.*", "fields": OF_KEY}, {"data": 7}, "neither an object nor a list"),
    "no list of items": ({"items": "$.data[*]", "fields": PRICE}, {}, "missing required field `data`"),
    "nothing in the item": ({"fields": PRICE}, {"s": "A"}, "missing required field `p`"),
    "a word for a number": ({"fields": PRICE}, {"s": "A", "p": "much"}, "much"),
    "a number out of bounds": ({"fields": PRICE}, {"s": "A", "p": "1e999999999999999999999"}, "1e9999"),
    "no JSON": ({"fields": PRICE}, None, "Expected `object`, got `null`"),
}


@pytest.mark.parametrize("case", HOLES.values(), ids=HOLES)
def test_what_is_missing_is_told(case: tuple[dict[str, Any], object, str]) -> None:
    mapping, message, reason = case
    with pytest.raises(DecodeError, match="call") as raised:
        read({"returns": "mark_price", **mapping}, message)
    assert reason in str(raised.value)
    assert "spec.yaml" in str(raised.value.position)


NOTHING = {"symbol": {"const": "A"}, "mark_price": {"path": "$[2]", "optional": True}, "index_price": {"path": "$[4]", "optional": True}}
ARRAYS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "the message": ({}, [], [0, 0, None]),
    "one item": ({"item": "$[1]"}, [7, [1, 2]], [7, [1, 2, "1"]]),
    "one item from the end": ({"item": "$.a[-1]"}, {"a": [[]]}, {"a": [[0, 0, "1"]]}),
    "items": ({"items": "$[*]"}, [[]], [[0, 0, "1"]]),
    "members of an object": ({"items": "$.x.*"}, {"x": {"a": [1]}}, {"x": {"a": [0, 0, "1"]}}),
}


@pytest.mark.parametrize("case", ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_ends_before_all_that_is_mapped_is_no_event(case: tuple[dict[str, Any], Any, Any]) -> None:
    mapping, nothing, something = case
    whole = {"returns": "mark_price", "fields": NOTHING, **mapping}
    with pytest.raises(DecodeError, match=r"of at least length 3|an array that holds nothing of what is mapped"):
        read(whole, nothing)
    assert [symbol for symbol, _ in prices(read(whole, something))] == ["A"]


def test_other_empty_arrays_are_what_they_are() -> None:
    inside = {"symbol": "$.s", "mark_price": {"path": "$.b[0]", "optional": True}}
    assert prices(read({"returns": "mark_price", "fields": inside}, {"s": "A", "b": []})) == [("A", None)]
    filtered = {"items": "$[*]", "only": {"$[0]": {"is": "absent"}}, "fields": NOTHING}
    with pytest.raises(DecodeError, match="of at least length 1"):
        read({"returns": "mark_price", **filtered}, [[]])
    branched = {"symbol": {"const": "A"}, "mark_price": {"by_kind": {"spot": {"path": "$[1]", "optional": True}}}}
    with pytest.raises(DecodeError, match="of at least length 2"):
        read({"returns": "mark_price", "fields": branched}, [0])


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"side": "$.v"}, {"v": LONG}),
        ({"side": {"path": "$.v[1]"}}, {"v": [0, LONG]}),
        ({"side": {"const": "buy"}, "size": "$.v"}, {"v": LONG}),
        ({"side": {"path": "$.v", "split": {"by": ":", "part": 0}}}, {"v": LONG}),
    ],
)
def test_a_long_value_is_not_repeated_in_full(fields: dict[str, Any], message: object) -> None:
    rest = {"symbol": {"const": "A"}, "id": {"const": "1"}, "price": {"const": "1"}, "size": {"const": "1"}}
    with pytest.raises(DecodeError, match="xxx") as raised:
        read({"returns": "trade", "fields": {**rest, **fields}}, message)
    assert len(str(raised.value)) < 250


WRONG_ITEMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "many for one": ({"item": "$.data[*]", "fields": PRICE}, "finds many values: write it as 'items'", "item"),
    "one for many": ({"items": "$.data", "fields": PRICE}, "finds one value: write it as 'item', or end it with [*]", "items"),
}


@pytest.mark.parametrize("case", WRONG_ITEMS.values(), ids=WRONG_ITEMS)
def test_items_of_another_number_are_refused_where_they_are_written(case: tuple[dict[str, Any], str, str]) -> None:
    mapping, reason, key = case
    with pytest.raises(SpecError) as raised:
        reader_of({"returns": "mark_price", **mapping})
    assert [(problem.rule, problem.where) for problem in errors_of(raised.value)] == [("CEX044", ("rest", "call", key))]
    assert reason in str(raised.value)


ROWS = [["10", "1"], ["9", "2"]]
BOOK = {"returns": "book", "snapshot_when": "always"}
NAMED = {"symbol": "$.s"}
INSIDE = {"price": "$.p", "size": "$.q"}
LISTS = {"bids": "$.b", "asks": "$.a"}
SIDED = {"path": "$.d", "map": {"buy": "bid", "sell": "ask"}}
BIDS = [(Decimal(10), Decimal(1)), (Decimal(9), Decimal(2))]
ASKS = [(Decimal(11), Decimal(3))]
OBJECTS = {"s": "A", "b": [{"p": "10", "q": "1"}, {"p": "9", "q": "2"}], "a": [{"p": "11", "q": "3"}]}
PLAIN = {"s": "A", "b": ROWS, "a": [["11", "3"]]}
Levels = list[tuple[Decimal, Decimal]]

LEVELS: dict[str, tuple[dict[str, Any], object, Levels, Levels]] = {
    "pairs": ({"fields": {**NAMED, **LISTS}}, PLAIN, BIDS, ASKS),
    "numbers of JSON": ({"fields": {**NAMED, **LISTS}}, {"s": "A", "b": [[10, 1], [9, 2]], "a": [[11, 3]]}, BIDS, ASKS),
    "an empty side": ({"fields": {**NAMED, **LISTS}}, {"s": "A", "b": ROWS, "a": []}, BIDS, []),
    "longer rows": ({"fields": {**NAMED, **LISTS}}, {"s": "A", "b": [["10", "1", 0], ["9", "2", 5]], "a": [["11", "3", {}]]}, BIDS, ASKS),
    "objects": ({"fields": NAMED, "levels": {**LISTS, **INSIDE}}, OBJECTS, BIDS, ASKS),
    "rows turned round": (
        {"fields": NAMED, "levels": {**LISTS, "price": "$[1]", "size": "$[0]"}},
        {"s": "A", "b": [["1", "10"], ["2", "9"]], "a": [["3", "11"]]},
        BIDS,
        ASKS,
    ),
    "texts to split": (
        {"fields": NAMED, "levels": {**LISTS, "split": ",", "price": "$[0]", "size": "$[1]"}},
        {"s": "A", "b": ["10,1", "9,2"], "a": ["11,3"]},
        BIDS,
        ASKS,
    ),
    "a rule for the size": (
        {"fields": NAMED, "levels": {**LISTS, "price": "$.p", "size": {"path": "$.q", "abs": True}}},
        OBJECTS,
        BIDS,
        ASKS,
    ),
    "one list of both": (
        {"fields": NAMED, "levels": {"mixed": "$.x[*]", "side": SIDED, **INSIDE}},
        {"s": "A", "x": [{"d": "buy", "p": "10", "q": "1"}, {"d": "sell", "p": "11", "q": "3"}, {"d": "buy", "p": "9", "q": "2"}]},
        BIDS,
        ASKS,
    ),
    "a single level": (
        {"fields": NAMED, "levels": {"mixed": "$.x", "side": SIDED, **INSIDE}},
        {"s": "A", "x": {"d": "sell", "p": "11", "q": "3"}},
        [],
        ASKS,
    ),
    "the item is the level": (
        {"fields": NAMED, "levels": {"mixed": "$", "side": SIDED, **INSIDE}},
        {"s": "A", "d": "sell", "p": "11", "q": "3"},
        [],
        ASKS,
    ),
    "levels that say they are gone": (
        {"fields": NAMED, "levels": {**LISTS, **INSIDE, "remove_when": {"$.n": "0"}}},
        {"s": "A", "b": [{"p": "10", "q": "1", "n": 4}], "a": [{"p": "11", "q": "3", "n": 0}]},
        BIDS[:1],
        [(Decimal(11), Decimal(0))],
    ),
    "in no order": ({"ordered": "any", "fields": {**NAMED, **LISTS}}, {"s": "A", "b": ROWS[::-1], "a": [["11", "3"]]}, BIDS, ASKS),
    "in members": (
        {"items": "$.data.*", "fields": {"symbol": {"of": "key"}, **LISTS}},
        {"data": {"A": {"b": ROWS, "a": [["11", "3"]]}}},
        BIDS,
        ASKS,
    ),
    "objects in members": (
        {"items": "$.data.*", "fields": {"symbol": {"of": "key"}}, "levels": {**LISTS, **INSIDE, "remove_when": {"$.q": "x"}}},
        {"data": {"A": OBJECTS}},
        BIDS,
        ASKS,
    ),
    "no levels at all": (
        {"fields": NAMED, "checksum": {"hook": "crc32_interleaved", "depth": 10, "value": "$.c"}},
        {"s": "A", "c": 7},
        [],
        [],
    ),
}


@pytest.mark.parametrize("case", LEVELS.values(), ids=LEVELS)
def test_book_levels_are_found(case: tuple[dict[str, Any], object, Levels, Levels]) -> None:
    mapping, message, bids, asks = case
    [book] = read({**BOOK, **mapping}, message)
    assert isinstance(book, Book)
    assert (book.symbol, book.bids, book.asks, book.is_snapshot, book.size_unit) == ("A", bids, asks, True, "base")


@pytest.mark.parametrize("case", LEVELS.values(), ids=LEVELS)
def test_floats_are_floats_and_a_faster_form_says_the_same_or_fails(case: tuple[dict[str, Any], object, Levels, Levels]) -> None:
    mapping, message, bids, _ = case
    frame = json.dumps(message).encode()
    for number in (Decimal, float):
        whole = reader_of({**BOOK, **mapping}, number)
        expected = whole.read(frame, Notes())
        assert isinstance(expected[0], Book)
        assert expected[0].bids == [(number(price), number(size)) for price, size in bids]
        assert {type(one) for level in expected[0].bids + expected[0].asks for one in level} <= {number}
        twins = whole.twins(frame)
        assert twins == whole.twins(frame)
        for twin in twins:
            try:
                assert twin.read(frame, Notes()) == expected
            except DecodeError as error:
                assert "call" in str(error)


def test_a_pair_of_texts_is_read_by_the_fastest_form() -> None:
    frame = json.dumps(PLAIN).encode()
    for number in (Decimal, float):
        reader = reader_of({**BOOK, "fields": {**NAMED, **LISTS}}, number)
        pairs, text = reader.twins(frame)
        assert pairs.read(frame, Notes()) == text.read(frame, Notes()) == reader.read(frame, Notes())
        with pytest.raises(DecodeError):
            pairs.read(json.dumps({"s": "A", "b": [["1", "2", "3"]], "a": []}).encode(), Notes())
        with pytest.raises(DecodeError):
            pairs.read(json.dumps({"s": "A", "b": [["NaN", "2"]], "a": []}).encode(), Notes())


def test_a_faster_form_is_made_of_a_frame_whose_other_members_cannot_be_decoded() -> None:
    reader = reader_of({"returns": "mark_price", "fields": PRICE})
    frame = b'{"s":"A","p":"1","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    [twin] = reader.twins(frame)
    assert twin.model is MarkPrice
    assert twin.twins(frame) == ()


CONTRACTS = {"fields": NAMED, "levels": {**LISTS, "price": "$.p", "size": {"path": "$.q", "scale": "contract_size"}}}
SCALED: dict[str, tuple[Market, Levels, str]] = {
    "spot has no contracts": (Market("A", "A", "spot"), BIDS, "base"),
    "contracts of a known size": (
        Market("A", "A", "perpetual", contract_size=Decimal("0.1")),
        [(Decimal(10), Decimal("0.1")), (Decimal(9), Decimal("0.2"))],
        "base",
    ),
    "contracts of an unknown size": (Market("A", "A", "perpetual"), BIDS, "contracts"),
}


@pytest.mark.parametrize("case", SCALED.values(), ids=SCALED)
def test_levels_in_contracts_are_converted_where_their_size_is_known(case: tuple[Market, Levels, str]) -> None:
    market, bids, unit = case
    [book] = read({**BOOK, **CONTRACTS}, OBJECTS, Notes(markets={"A": market}))
    assert isinstance(book, Book)
    assert (book.bids, book.size_unit) == (bids, unit)
    assert reader_of({**BOOK, **CONTRACTS}).scaled


@pytest.mark.parametrize("path", ["$.b[*]", "$.b[-1]", "$..b"])
def test_levels_behind_no_plain_path_are_refused(path: str) -> None:
    with pytest.raises(SpecError, match="is no plain path to the list of levels"):
        reader_of({**BOOK, "fields": NAMED, "levels": {"bids": path, "asks": "$.a", **INSIDE}})


PROOF = {
    "returns": "book",
    "snapshot_when": {"$.kind": "full"},
    "fields": {"symbol": {"path": "$.s", "of": "message"}, **LISTS},
    "checksum": {"hook": "crc32_interleaved", "depth": 10, "value": "$.sum"},
}


@pytest.mark.parametrize(
    ("of", "place"),
    [({}, {}), ({"of": "item"}, {"item": "$.data"}), ({"of": "message"}, {"item": "$.data"})],
    ids=["plain", "item", "message"],
)
def test_a_book_brings_its_proofs(of: dict[str, str], place: dict[str, str]) -> None:
    sequence = {"rule": "previous", "first": "$.U", "last": "$.u", "previous": "$.pu", **of}
    proofs, rows = {"U": 5, "u": 9, "pu": 4}, {"b": ROWS, "a": [], "sum": -7}
    around = of == {"of": "message"} or not place
    data: dict[str, Any] = rows if around else {**rows, **proofs}
    message = {"s": "A", "kind": "full", **(proofs if around else {}), **({"data": data} if place else data)}
    [book] = read({**PROOF, **place, "sequence": sequence}, message)
    assert isinstance(book, Book)
    assert (book.first_sequence, book.sequence, book.previous_sequence, book.checksum) == (5, 9, 4, -7)
    assert book.is_snapshot
    [change] = read({**PROOF, **place, "sequence": sequence}, {**message, "kind": "part"})
    assert isinstance(change, Book)
    assert not change.is_snapshot


BAD, LATER = {"s": "X", "p": "much"}, {"s": "B", "p": "2.50"}
BATCHES: dict[str, tuple[dict[str, Any], object, str]] = {
    "a list": ({"items": "$.data[*]", "fields": PRICE}, {"data": [A, BAD, LATER]}, "record 1: "),
    "of another type": ({"items": "$.data[*]", "fields": PRICE}, {"data": [A, 7, LATER]}, "record 1: Expected `object`, got `int`"),
    "without a field": ({"items": "$[*]", "fields": PRICE}, [A, LATER, {"s": "X"}], "record 2: Object missing required field `p`"),
    "inside the elements": ({"items": "$[*].in", "fields": PRICE}, [{"in": A}, {"out": A}, {"in": B}], "record 1: "),
    "lists in lists": (
        {"items": "$[*].rows[*]", "fields": OF_PARENT},
        [{"s": "A", "rows": [{"p": "1"}, {"p": "much"}]}, {"s": "B", "rows": [{"p": "2.50"}]}],
        "record 1: ",
    ),
    "members": ({"items": "$.*", "fields": OF_KEY}, {"A": {"p": "1"}, "X": {"q": "1"}, "B": {"p": "2.50"}}, "record 1: nothing at $.p"),
    "pairs": ({"items": {"zip": ["$[0]", "$[-1]"]}, "fields": PAIRED}, [["A", "X", "B"], ["1", "much", "2.50"]], "record 1: "),
}


@pytest.mark.parametrize("case", BATCHES.values(), ids=BATCHES)
def test_one_bad_record_is_left_out_and_the_others_are_read(case: tuple[dict[str, Any], object, str]) -> None:
    mapping, message, reason = case
    notes = Notes()
    assert prices(read({"returns": "mark_price", **mapping}, message, notes)) == TWO
    [error] = notes.left_out
    assert str(error).find(reason) >= 0, str(error)
    assert error.channel == "call"


def test_a_batch_without_one_good_record_is_refused_whole() -> None:
    notes = Notes()
    with pytest.raises(DecodeError, match="much"):
        read({"returns": "mark_price", "items": "$[*]", "fields": PRICE}, [BAD, BAD], notes)
    assert notes.left_out == []


def test_what_is_wrong_around_a_batch_is_no_records_fault() -> None:
    notes = Notes()
    with pytest.raises(DecodeError, match="missing required field `data`"):
        read({"returns": "mark_price", "items": "$.data[*]", "fields": PRICE}, {"rows": [A]}, notes)
    assert notes.left_out == []


def test_the_first_failure_does_not_slow_or_change_the_second() -> None:
    reader = reader_of({"returns": "mark_price", "items": "$[*]", "fields": PRICE})
    for expected in (1, 2):
        notes = Notes()
        assert prices(reader.read(json.dumps([A, *[BAD] * expected]).encode(), notes)) == ONE
        assert len(notes.left_out) == expected


TRADE = {
    "returns": "trade",
    "fields": {"symbol": "$.s", "id": "$.i", "price": "$.p", "size": "$.q", "side": {"path": "$.d", "map": {"b": "buy", "s": "sell"}}},
}
GOOD = {"s": "A", "i": "1", "p": "1", "q": "2", "d": "b"}
ERRORS: dict[str, tuple[bytes, str, str]] = {
    "another word": (json.dumps({**GOOD, "d": "x"}).encode(), "'x' is none of b, s", "$.d"),
    "a missing member": (json.dumps({**GOOD, "d": None}).encode(), "Expected", "$.d"),
    "broken JSON": (b'{"s":', "Input data was truncated", "$"),
    "wrong text": (b'{"s":"\xff"}', "", "$"),
    "deeper than can be read": (b'{"x":' + b"[" * 100_000, "nested too deeply", ""),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_place_in_the_payload_and_the_line_of_the_spec(case: tuple[bytes, str, str]) -> None:
    frame, reason, path = case
    with pytest.raises(DecodeError) as raised:
        reader_of(TRADE).read(frame, Notes())
    assert reason in str(raised.value)
    assert raised.value.path == path
    assert "spec.yaml" in str(raised.value.position)


def test_a_word_in_a_list_names_the_words_that_would_have_been_right() -> None:
    with pytest.raises(DecodeError, match="'x' is none of b, s"):
        read({**TRADE, "items": "$.rows[*]"}, {"rows": [{**GOOD, "d": "x"}]})


KINDS = {
    "returns": "trade",
    "fields": {
        **TRADE["fields"],  # type: ignore[dict-item]
        "size": {"path": "$.q", "scale": "contract_size"},
    },
}
SIZES: dict[str, tuple[Market, Decimal | None, Decimal | None]] = {
    "spot": (Market("A", "A", "spot"), Decimal(2), None),
    "linear": (Market("A", "A", "perpetual", contract_size=Decimal(10)), Decimal(20), Decimal(2)),
    "inverse": (Market("A", "A", "perpetual", contract_size=Decimal(10), contract_in_quote=True), Decimal(20), Decimal(2)),
    "unknown": (Market("A", "A", "perpetual"), None, Decimal(2)),
}


@pytest.mark.parametrize("case", SIZES.values(), ids=SIZES)
def test_a_size_in_contracts_keeps_the_count_and_becomes_base(case: tuple[Market, Decimal | None, Decimal | None]) -> None:
    market, size, contracts = case
    [trade] = read(KINDS, GOOD, Notes(markets={"A": market}))
    assert (trade.size, trade.contracts) == (size, contracts)  # type: ignore[attr-defined]


def test_a_size_with_a_count_of_its_own_keeps_that() -> None:
    fields = {**KINDS["fields"], "contracts": "$.n"}  # type: ignore[dict-item]
    market = Market("A", "A", "perpetual", contract_size=Decimal(10))
    [trade] = read({"returns": "trade", "fields": fields}, {**GOOD, "n": "7"}, Notes(markets={"A": market}))
    assert (trade.size, trade.contracts) == (Decimal(20), Decimal(7))  # type: ignore[attr-defined]


def test_a_field_of_the_request_is_the_calls_own_and_may_be_unknown() -> None:
    mapping = {"returns": "mark_price", "fields": {"symbol": {"of": "request"}, "mark_price": "$.p"}}
    assert prices(read(mapping, {"p": "1"}, Notes(request={"id": "A"}))) == ONE
    assert prices(read(mapping, {"p": "1"})) == [(None, Decimal(1))]


def test_a_request_in_a_branch_is_the_request() -> None:
    interval = {"by_kind": {"spot": {"of": "request"}, "other": {"const": "1h"}}}
    fields = {"symbol": "$.s", "interval": interval, **dict.fromkeys(("open", "high", "low", "close"), "$.p")}
    [candle] = read({"returns": "candle", "fields": fields}, A, Notes(request={"interval": "1m"}), intervals={"1m": "1m", "1h": "60"})
    assert candle.interval == "1m"  # type: ignore[attr-defined]


def test_a_time_of_the_venue_is_about_no_market() -> None:
    [time] = read({"returns": "server_time", "fields": {"timestamp": {"path": "$.t", "unit": "ms"}}}, {"t": 1_700}, Notes(received=5))
    assert (time.symbol, time.timestamp, time.received) == (None, 1_700_000_000, 5)


PARTS = {"kind": "$.k", "base": "$.b", "quote": "$.q", "settle": {"path": "$.m", "optional": True}}
EXPIRES = {
    **PARTS,
    "expiry": {"path": "$.e", "unit": "s", "optional": True},
    "strike": {"path": "$.x", "optional": True},
    "right": {"path": "$.r", "optional": True},
}
JUNE = 1_782_432_000
INSTRUMENTS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str, str, str, str | None]]] = {
    "spot from its id": ({}, {"i": "XBT-USDT"}, ("BTC/USDT", "spot", "BTC", "USDT", None)),
    "a perpetual from its id": ({}, {"i": "XBT-USDT-P"}, ("BTC/USDT:PERP", "perpetual", "BTC", "USDT", "USDT")),
    "quoted otherwise than its id says": (
        {"quote": "$.q"},
        {"i": "XBT-USDT-P", "q": "USDC"},
        ("BTC/USDC:PERP", "perpetual", "BTC", "USDC", "USDC"),
    ),
    "inverse by its quote": (
        PARTS,
        {"i": "n", "k": "perpetual", "b": "XBT", "q": "USD"},
        ("BTC/USD:PERP:BTC", "perpetual", "BTC", "USD", "BTC"),
    ),
    "spot has no settlement": (PARTS, {"i": "n", "k": "spot", "b": "XBT", "q": "USD", "m": "USD"}, ("BTC/USD", "spot", "BTC", "USD", None)),
    "settled in what it says": (
        PARTS,
        {"i": "n", "k": "perpetual", "b": "ETH", "q": "USD", "m": "XBT"},
        ("ETH/USD:PERP:BTC", "perpetual", "ETH", "USD", "BTC"),
    ),
    "a future": (
        EXPIRES,
        {"i": "n", "k": "future", "b": "ETH", "q": "USDT", "e": JUNE},
        ("ETH/USDT:FUT:20260626", "future", "ETH", "USDT", "USDT"),
    ),
    "an option": (
        EXPIRES,
        {"i": "n", "k": "option", "b": "ETH", "q": "USDT", "e": JUNE, "x": "2500", "r": "C"},
        ("ETH/USDT:OPT:C:2500:20260626", "option", "ETH", "USDT", "USDT"),
    ),
    "an option without strike keeps its id": (
        EXPIRES,
        {"i": "odd", "k": "option", "b": "ETH", "q": "USDT", "e": JUNE},
        ("odd", "option", "ETH", "USDT", "USDT"),
    ),
}


@pytest.mark.parametrize("case", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_an_instrument_is_completed_and_named(
    case: tuple[dict[str, Any], dict[str, Any], tuple[str, str, str, str, str | None]],
) -> None:
    fields, message, expected = case
    [one] = read({"returns": "instrument", "fields": {"id": "$.i", **fields}}, message)
    assert (one.symbol, one.kind, one.base, one.quote, one.settle) == expected  # type: ignore[attr-defined]


OPTIONS = {
    "formats": {"option": "{base}-{quote}-{expiry:%y%m%d}-{strike}-{right}", "future": "{base}-{quote}-{expiry:%y%m%d}"},
    "examples": {"ETH/USDT:OPT:C:2500:20260626": "ETH-USDT-260626-2500-C", "ETH/USDT:FUT:20260626": "ETH-USDT-260626"},
}
CALL, FUTURE = {"i": "ETH-USDT-260626-2500.5-C", "k": "option"}, {"i": "ETH-USDT-260626", "k": "future"}
TERMS: dict[str, tuple[dict[str, Any], tuple[str, Any, str | None]]] = {
    "an option by its id": (CALL, ("ETH/USDT:OPT:C:2500.5:20260626", Decimal("2500.5"), "C")),
    "the record's own strike": ({**CALL, "x": "2600"}, ("ETH/USDT:OPT:C:2600:20260626", Decimal(2600), "C")),
    "the record's own right": ({**CALL, "r": "P"}, ("ETH/USDT:OPT:P:2500.5:20260626", Decimal("2500.5"), "P")),
    "the record's own day": ({**CALL, "e": JUNE + 86_400}, ("ETH/USDT:OPT:C:2500.5:20260627", Decimal("2500.5"), "C")),
    "a future by its id": (FUTURE, ("ETH/USDT:FUT:20260626", None, None)),
    "an id of another kind": ({**FUTURE, "k": "option"}, ("ETH-USDT-260626", None, None)),
}


@pytest.mark.parametrize("number", [Decimal, float])
@pytest.mark.parametrize("case", TERMS.values(), ids=TERMS)
def test_terms_that_a_record_leaves_out_stand_in_its_id(
    case: tuple[dict[str, Any], tuple[str, Any, str | None]], number: type[Decimal] | type[float]
) -> None:
    message, (symbol, strike, right) = case
    fields = {"id": "$.i", **EXPIRES, "base": {"const": "ETH"}, "quote": {"const": "USDT"}}
    [one] = read({"returns": "instrument", "fields": fields}, message, number=number, symbols=OPTIONS)
    assert (one.symbol, one.strike, one.right) == (symbol, strike, right)  # type: ignore[attr-defined]
    assert one.strike is None or type(one.strike) is number  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "expires"), [("spot", False), ("perpetual", False), ("future", True), ("option", True)])
def test_only_futures_and_options_expire(kind: str, expires: bool) -> None:
    message = {"i": "n", "k": kind, "b": "ETH", "q": "USDT", "e": JUNE, "x": "2500", "r": "C"}
    [one] = read({"returns": "instrument", "fields": {"id": "$.i", **EXPIRES}}, message)
    assert one.expiry == (JUNE * 10**9 if expires else None)  # type: ignore[attr-defined]


def test_an_instrument_that_nothing_tells_of_is_refused() -> None:
    with pytest.raises(DecodeError, match="nothing tells kind, base and quote of 'what'"):
        read({"returns": "instrument", "fields": {"id": "$.i"}}, {"i": "what"})


def looked_up(take: str, path: str = "$.t", **more: Any) -> dict[str, Any]:
    return {"path": path, "lookup": {"in": "$.list", "by": "$.n", "take": take}, **more}


LIST = [{"n": 0, "s": "A", "p": 1, "in": {"s": "A"}}, {"n": "7", "s": "B", "p": "2.50"}, {"s": "C"}]
LOOKUPS: dict[str, tuple[dict[str, Any], object, list[Row]]] = {
    "of items": (
        {"items": "$.rows[*]", "fields": {"symbol": looked_up("$.s"), "mark_price": looked_up("$.p")}},
        {"rows": [{"t": "0"}, {"t": 7}], "list": LIST},
        TWO,
    ),
    "of one item": (
        {"item": "$.row", "fields": {"symbol": looked_up("$.s"), "mark_price": "$.p"}},
        {"row": {"t": 0, "p": 1}, "list": LIST},
        ONE,
    ),
    "in the list that is gone through": (
        {"items": "$.list[*]", "fields": {"symbol": looked_up("$.s"), "mark_price": "$.p"}},
        {"list": [{"n": 7, "s": "B", "t": 9, "p": 1}, {"n": 9, "s": "A", "t": 7, "p": "2.50"}]},
        TWO,
    ),
    "in a list of arrays": (
        {
            "items": "$[1][*]",
            "fields": {"symbol": {"path": "$[0]", "lookup": {"in": "$[0]", "by": "$[1]", "take": "$[0]"}}, "mark_price": "$[1]"},
        },
        [[["A", 5], ["B", 6]], [["5", "1"], ["6", "2.50"]]],
        TWO,
    ),
    "of walked items": (
        {"items": "$.rows.*", "fields": {"symbol": looked_up("$.s"), "mark_price": "$.p"}},
        {"rows": {"x": {"t": 0, "p": 1}}, "list": LIST},
        ONE,
    ),
    "of the key": (
        {"items": "$.rows.*", "fields": {
            "symbol": {"of": "key", "lookup": {"in": "$.list", "by": "$.n", "take": "$.s"}}, "mark_price": "$.p"}},
        {"rows": {"0": {"p": 1}}, "list": LIST},
        ONE,
    ),
    "in a walked list": (
        {"items": "$.*", "only": {"$.t": {"is": "present"}}, "fields": {"symbol": looked_up("$.s"), "mark_price": "$.p"}},
        {"x": {"t": 7, "p": "1"}, "list": [{"n": 7, "s": "A"}, {"n": None}, {"s": 1}]},
        ONE,
    ),
    "in what a filter finds": (
        {"items": "$.rows[*]", "fields": {
            "symbol": {"path": "$.t", "lookup": {"in": "$.all[?(@.on == 1)].list", "by": "$.n", "take": "$.s"}}, "mark_price": "$.p"}},
        {"rows": [{"t": 0, "p": 1}], "all": [{"on": 0}, {"on": 1, "list": LIST}]},
        ONE,
    ),
    "by what a filter finds": (
        {"items": "$.rows[*]", "fields": {
            "symbol": {"path": "$.t", "lookup": {"in": "$.list", "by": "$.x[?(@.on == 1)].n", "take": "$.s"}}, "mark_price": "$.p"}},
        {"rows": [{"t": 0, "p": 1}], "list": [{"s": "Z"}, {"x": [{"on": 1, "n": 0}], "s": "A"}]},
        ONE,
    ),
    "inside its elements": (
        {"items": "$.rows[*]", "fields": {"symbol": looked_up("$.in.s"), "mark_price": looked_up("$.p")}},
        {"rows": [{"t": 0}], "list": LIST},
        ONE,
    ),
    "where it may miss": (
        {"items": "$.rows[*]", "fields": {"symbol": "$.s", "mark_price": looked_up("$.p", optional=True)}},
        {"rows": [{"s": "A"}, {"s": "B", "t": None}], "list": LIST},
        [("A", None), ("B", None)],
    ),
    "by kind": (
        {"items": "$.rows[*]", "fields": {"symbol": "$.s", "mark_price": {"by_kind": {"spot": looked_up("$.p"), "other": "$.p"}}}},
        {"rows": [{"s": "A", "t": 0}], "list": LIST},
        ONE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKUPS.values(), ids=LOOKUPS)
def test_a_value_is_looked_up_in_a_list_of_the_message(case: tuple[dict[str, Any], object, list[Row]]) -> None:
    mapping, message, expected = case
    assert prices(read({"returns": "mark_price", **mapping}, message)) == expected


NOT_FOUND: dict[str, tuple[dict[str, Any], object, str]] = {
    "a key that isn't there": (looked_up("$.p"), {"s": "A", "t": 5, "list": LIST}, "nothing in $.list has the key '5'"),
    "no list": (looked_up("$.p"), {"s": "A", "t": 5}, "nothing in $.list has the key '5'"),
    "nothing to take": (looked_up("$.in.s"), {"s": "A", "t": 7, "list": LIST}, "nothing at $.t, looked up in $.list"),
    "no key": (looked_up("$.p"), {"s": "A", "list": LIST}, "missing required field `t`"),
    "no scalar": (looked_up("$.p", "$.t[?(@.x == 1)]"), {"s": "A", "t": [{"x": 1}], "list": LIST}, "has the key null"),
    "no number": (looked_up("$.s"), {"s": "A", "t": 0, "list": LIST}, "'A' is not a number"),
}


@pytest.mark.parametrize("case", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_a_lookup_does_not_find_is_told(case: tuple[dict[str, Any], object, str]) -> None:
    rule, message, reason = case
    with pytest.raises(DecodeError, match="call") as raised:
        read({"returns": "mark_price", "fields": {"symbol": "$.s", "mark_price": rule}}, message)
    assert reason in str(raised.value)


def test_a_table_is_made_once_for_a_message() -> None:
    fields = {"symbol": looked_up("$.s"), "mark_price": {"by_kind": {"spot": looked_up("$.p"), "other": looked_up("$.p")}}}
    source = reader_of({"returns": "mark_price", "items": "$.rows[*]", "fields": fields}).source
    assert [source.count("Table("), source.index("Table(") < source.index("for i in")] == [2, True]


def test_the_values_of_an_operation_are_its_texts() -> None:
    for items, body in ((None, ["a", None, 7, {}]), ("$.x[*].n", {"x": [{"n": "a"}, {}, {"n": 7}]})):
        plan = answering({"returns": "values", **({"items": items} if items else {})}).operation("call")
        assert plan.reader is None
        assert plan.values is not None
        assert plan.values(msgspec.json.encode(body)) == ["a", "7"]


def test_a_wrapped_message_reads_fields_of_its_frame_and_a_bare_one_cannot() -> None:
    fields = {"symbol": {"path": "$.name", "of": "frame"}, "mark_price": "$.p"}
    exchange = streaming({"mark_price": {"match": {"$.e": "m"}, "returns": "mark_price", "fields": fields}}, payload="$.data")
    [reader] = exchange.channel("mark_price").readers
    assert prices(reader.read(b'{"name":"A","data":{"e":"m","p":"1"}}', Notes())) == ONE


def test_a_frame_that_may_be_missing_leaves_a_bare_form() -> None:
    fields = {"symbol": "$.s", "mark_price": "$.p", "timestamp": {"path": "$.t", "of": "frame", "unit": "ns", "optional": True}}
    exchange = streaming({"mark_price": {"match": {"$.e": "m"}, "returns": "mark_price", "fields": fields}}, payload="$.data")
    wrapped, bare = exchange.channel("mark_price").readers
    assert [event.timestamp for event in wrapped.read(b'{"t":5,"data":{"e":"m","s":"A","p":"1"}}', Notes())] == [5]
    assert [event.timestamp for event in bare.read(b'{"e":"m","s":"A","p":"1"}', Notes())] == [None]
