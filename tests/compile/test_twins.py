"""Faster forms of readers on everything the shipped venues send: they say what the reader says, or fail and leave it to the reader."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import ReaderPlan
from cexspec.compile.reader import FAILURES
from cexspec.engine.frames import PREFIX, FrameReader
from cexspec.engine.markets import Markets
from cexspec.models import DecodeError, Event
from cexspec.spec.load import load
from tests.compile.made_up import Notes
from tests.compile.test_messages import reader_of
from tests.exchanges.venue import EXCHANGES, IDS, connection_of, samples

TIMED = {"symbol": "$.s", "mark_price": "$.p", "timestamp": {"path": "$.t", "unit": "ms"}}
NUMBERS: dict[str, type[Decimal] | type[float]] = {"Decimal": Decimal, "float": float}
Frames = list[tuple[ReaderPlan, bytes]]


@cache
def plan(exchange: str, number: str) -> Exchange:
    return Exchange(load(EXCHANGES / f"{exchange}.yaml"), NUMBERS[number])


@cache
def routed(exchange: str, number: str) -> Frames:
    """Every data frame of the samples with the readers that its router names."""
    compiled, found = plan(exchange, number), list[tuple[ReaderPlan, bytes]]()
    for case in samples(exchange, "messages"):
        if "operation" not in case:
            frame = case["raw"].encode()
            router = compiled.connection(connection_of(compiled, case)).router
            found += [(reader, frame) for _, reader in router.route(frame, {})[0].readers] if case.get("role", "data") == "data" else []
    return found


@cache
def answered(exchange: str, number: str) -> Frames:
    """Every REST body of the samples with its reader."""
    compiled, found = plan(exchange, number), list[tuple[ReaderPlan, bytes]]()
    for case in samples(exchange, "messages"):
        reader = compiled.operation(case["operation"]).reader if "operation" in case else None
        if reader is not None:
            found.append((reader, case["raw"].encode()))
    return found


def read(reader: ReaderPlan, frame: bytes, notes: Notes) -> list[Event] | None:
    """Decoded and extracted, as the hot path does it; None where that fails."""
    try:
        return reader.extract()(notes, frame)
    except FAILURES:
        return None


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("exchange", IDS)
def test_a_twin_says_what_its_reader_says_or_fails(exchange: str, number: str) -> None:
    for reader, frame in [*routed(exchange, number), *answered(exchange, number)]:
        notes = Notes(received=7, request={"id": "X", "interval": "1m"})
        expected = read(reader, frame, notes)
        for shared in (0, PREFIX, len(frame)):
            said = [read(twin, frame, notes) for twin in reader.twins(frame, shared)]
            assert said, "every reader has twins"
            assert [one for one in said if one not in (None, expected)] == [], (reader.name, frame)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("exchange", IDS)
def test_a_twin_reads_most_of_what_the_venue_streams(exchange: str, number: str) -> None:
    frames = routed(exchange, number)
    fast = [frame for reader, frame in frames if any(read(twin, frame, Notes()) is not None for twin in reader.twins(frame, PREFIX))]
    assert len(fast) > len(frames) / 2


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("exchange", IDS)
def test_a_twin_takes_no_message_that_its_reader_refuses_though_it_begins_as_its_own_do(exchange: str, number: str) -> None:
    """What the beginning tells is not asked again; all else is."""
    frames = routed(exchange, number)
    for reader, frame in frames:
        for another in {other for _, other in frames if other[:PREFIX] == frame[:PREFIX]} if reader.guarded else ():
            expected = read(reader, another, Notes())
            said = [read(twin, another, Notes()) for twin in reader.twins(frame, PREFIX)]
            assert [one for one in said if one not in (None, expected)] == [], (reader.name, another)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("exchange", IDS)
def test_guessed_frames_are_read_as_the_router_reads_them(exchange: str, number: str) -> None:
    """Twice the same frames: the second time by their beginnings, where the first has taught them."""
    compiled = plan(exchange, number)
    markets = Markets(compiled, NUMBERS[number])
    channels = {name: compiled.channel(name) for name in compiled.channel_names}
    for name in compiled.connection_names:
        frames = [
            case["raw"] for case in samples(exchange, "messages") if "operation" not in case and connection_of(compiled, case) == name
        ]
        reader = FrameReader(compiled.id, compiled.connection(name), channels, markets)
        first = [reader.read(frame, 7) for frame in frames]
        for kept in reader._states.values():
            kept.clear()  # what a message before has told counts for neither or for both
        again = [reader.read(frame, 7) for frame in frames]
        assert [(one.role, one.events, len(one.errors)) for one in again] == [(one.role, one.events, len(one.errors)) for one in first]


@pytest.mark.parametrize("exchange", IDS)
def test_decimal_and_float_agree(exchange: str) -> None:
    pairs = zip(routed(exchange, "Decimal"), routed(exchange, "float"), strict=True)
    for (exact, frame), (fast, same) in pairs:
        assert frame == same
        notes = Notes(request={"id": "X"})
        try:
            expected = [event.timestamp for event in exact.read(frame, notes)]
        except DecodeError as error:
            with pytest.raises(DecodeError) as raised:
                fast.read(frame, notes)
            assert raised.value.path == error.path
        else:
            assert [event.timestamp for event in fast.read(frame, notes)] == expected


MESSAGE = {"s": "A", "p": "1.5", "q": "2", "t": 1_700_000_000_000, "i": 7, "d": True, "n": 5, "x": False, "long": 3}
"""Names of one letter, of which nothing asks for the last ones."""
LETTERS = reader_of(
    {
        "returns": "trade",
        "fields": {
            **{"symbol": "$.s", "price": "$.p", "size": "$.q", "id": "$.i"},
            "timestamp": {"path": "$.t", "unit": "ms"},
            "side": {"path": "$.d", "map": {True: "sell", False: "buy"}},
        },
    }
)


@pytest.mark.parametrize("strange", [None, 5, 10**30, 1.5, "5", True, [1, {"s": "B"}], {"s": "B", "p": "9"}], ids=repr)
@pytest.mark.parametrize("name", ["n", "x", "long"])
def test_what_nothing_asks_for_may_be_anything_or_missing(name: str, strange: object) -> None:
    (twin,) = LETTERS.twins(json.dumps(MESSAGE).encode())
    expected = read(LETTERS, json.dumps(MESSAGE).encode(), Notes())
    assert expected is not None
    for message in ({**MESSAGE, name: strange}, {key: value for key, value in MESSAGE.items() if key != name}):
        frame = json.dumps(message).encode()
        assert read(LETTERS, frame, Notes()) == read(twin, frame, Notes()) == expected


@pytest.mark.parametrize(("first", "texts"), [(1_700_000_000_000, False), ("1700000000000", True)], ids=["number", "text"])
def test_times_are_taken_in_text_where_they_are_text(first: object, texts: bool) -> None:
    (twin,) = reader_of({"returns": "mark_price", "fields": TIMED}).twins(json.dumps({"s": "A", "p": "1", "t": first}).encode())
    for time, taken in ((1_700_000_000_001, True), ("1700000000001", texts)):
        said = read(twin, json.dumps({"s": "A", "p": "1", "t": time}).encode(), Notes())
        assert [event.timestamp for event in said or ()] == [1_700_000_000_001_000_000] * taken
