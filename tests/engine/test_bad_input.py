"""Whatever a peer sends becomes a typed error or a reading without events, for every shipped venue; the next good frame still reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from cexspec.engine.frames import MAX_FRAME, PREFIX, FrameReader, Reading
from cexspec.engine.markets import Markets
from cexspec.engine.normalize import Normalizer
from cexspec.models import CexspecError, Event
from tests.exchanges.venue import EXCHANGES, IDS, Case, connection_of, samples
from tests.fuzz.oracle import wrong

Number = type[Decimal] | type[float]
NUMBERS: dict[str, Number] = {"Decimal": Decimal, "float": float}
VENUES = [(exchange, number) for exchange in IDS for number in NUMBERS]

DEEP = 100_000
DIGITS = "9" * 10_000
NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n\t",
    "no JSON": b"no JSON",
    "a NUL": b"\0",
    "an unclosed object": b'{"a":',
    "an unclosed text": b'["a',
    "a comma too many": b'{"a":1,}',
    "single quotes": b"{'a': 1}",
    "two documents": b"{}{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8": b'{"event":"\xff\xfe"}',
    "a lone surrogate as bytes": b'{"event":"\xed\xa0\x80"}',
    "bare NaN": b"NaN",
    "bare Infinity": b"[Infinity]",
    "bare -Infinity": b'{"a":-Infinity}',
    "deep lists": b"[" * DEEP,
    "deep closed lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "deep closed objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep data": b'{"data":' + b"[" * DEEP + b"]" * DEEP + b"}",
}
"""What is no frame of anyone."""
UNREADABLE = ("undecodable", "unrouted")
"""What is said of it: the latter where only a wrapped message inside is wrong."""
STRANGE: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"17",
    "a number of many digits": DIGITS.encode(),
    "a number beyond floats": b"1e999999999",
    "a text": b'"text"',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "lists of nothing": b"[[],[[]],null]",
    "an object of nothing": b'{"":{},"data":null,"arg":null}',
    "an unknown channel": b'{"arg":{"channel":"weather","instId":"X"},"data":[{"rain":"1"}]}',
    "an unknown stream": b'{"stream":"btcusdt@weather","data":{"e":"weather","s":"BTCUSDT"}}',
    "an unknown kind": b'{"e":"weather","E":1,"s":"BTCUSDT"}',
    "an unknown number": b'[987654321,"zz",[1,2,3]]',
}
"""JSON that is nothing a venue sends."""
NOT_FINITE = ("NaN", "nan", "sNaN", "-NaN", "NaN123", "Infinity", "-Infinity", "+Infinity", "inf", "-inf", "INF", "iNfInItY")
"""Spellings that Python's numbers take."""


@cache
def frames(exchange: str) -> tuple[Case, ...]:
    """The samples of WebSocket data that stand for themselves, the first of each shape that a channel's messages have."""
    cases = [case for case in samples(exchange, "messages") if "channel" in case and case.get("role", "data") == "data"]
    alone = [case for case in cases if not case.get("given") and case.get("events") and not case.get("left_out")]
    return tuple({(case["channel"], shape(json.loads(case["raw"]))): case for case in reversed(alone)}.values())[::-1]


def shape(document: Any) -> Hashable:
    """What is alike in documents whose values alone differ."""
    if isinstance(document, dict):
        return tuple((key, shape(inner)) for key, inner in document.items())
    if isinstance(document, list):
        return tuple(map(shape, document))
    return type(document).__name__


@cache
def bodies(exchange: str) -> tuple[Case, ...]:
    """The samples of REST answers with events, one for each operation."""
    cases = [case for case in samples(exchange, "messages") if "operation" in case and case.get("events")]
    return tuple({case["operation"]: case for case in reversed(cases) if not case.get("given")}.values())


class Venue:
    """Everything that reads bytes of one exchange."""

    def __init__(self, exchange: str, number: Number) -> None:
        self.normalizer = Normalizer(str(EXCHANGES / f"{exchange}.yaml"), number=number)
        self.plan = self.normalizer.exchange
        markets = Markets(self.plan, number)
        channels = {name: self.plan.channel(name) for name in self.plan.channel_names}
        self.readers = {name: FrameReader(exchange, self.plan.connection(name), channels, markets) for name in self.plan.connection_names}
        self.name = exchange

    def read(self, case: Case, frame: bytes | str) -> list[tuple[list[Event], bool]]:
        """Events, and whether something was told, of a frame by each way in: as bytes and, where it is text, as text."""
        connection = connection_of(self.plan, case)
        return [
            _events(lambda: self.normalizer.ws(frame)),
            _events(lambda: self.normalizer.ws(frame, connection)),
            _told(self.readers[connection].read(frame)),
        ]

    def rest(self, case: Case, body: bytes) -> tuple[list[Event], bool]:
        """The same of an answer."""
        return _events(lambda: self.normalizer.rest(case["operation"], body, case.get("params")))


def _events(read: Callable[[], list[Event]]) -> tuple[list[Event], bool]:
    """Anything that is raised and no `CexspecError` fails the test."""
    try:
        return read(), False
    except CexspecError:
        return [], True


def _told(reading: Reading) -> tuple[list[Event], bool]:
    return reading.events, bool(reading.errors) or reading.role in ("unrouted", "undecodable")


@cache
def venue(exchange: str, number: str) -> Venue:
    return Venue(exchange, NUMBERS[number])


def good(mine: Venue) -> None:
    """One good frame of each connection, and one answer, still read."""
    cases = {connection_of(mine.plan, case): case for case in reversed(frames(mine.name))}
    for case in cases.values():
        assert [len(events) for events, _ in mine.read(case, case["raw"].encode())] == [len(case["events"])] * 3
    body = bodies(mine.name)[0]
    assert len(mine.rest(body, body["raw"].encode())[0]) == len(body["events"])


@pytest.mark.parametrize(("exchange", "number"), VENUES)
@pytest.mark.parametrize("what", NO_JSON)
def test_what_is_no_json_is_undecodable(exchange: str, number: str, what: str) -> None:
    mine = venue(exchange, number)
    for case in frames(exchange)[:1]:
        assert mine.read(case, NO_JSON[what]) == [([], True)] * 3
    for reader in mine.readers.values():
        assert reader.read(NO_JSON[what]).role in UNREADABLE
    for case in bodies(exchange):
        assert mine.rest(case, NO_JSON[what]) == ([], True)
    good(mine)


@pytest.mark.parametrize(("exchange", "number"), VENUES)
@pytest.mark.parametrize("what", STRANGE)
def test_json_of_no_known_shape_has_no_events(exchange: str, number: str, what: str) -> None:
    mine = venue(exchange, number)
    assert mine.read(frames(exchange)[0], STRANGE[what]) == [([], True)] * 3
    for reader in mine.readers.values():
        assert reader.read(STRANGE[what]).role in ("unrouted", "undecodable")
    for case in bodies(exchange):
        assert [event for event in mine.rest(case, STRANGE[what])[0] if not _says_nothing(event)] == []
    good(mine)


def _says_nothing(event: Event) -> bool:
    """What an empty list is, where a book is nothing but a list of levels, and a ticker a list of values that may be missing."""
    return next(numbers(event), None) is None


@pytest.mark.parametrize(("exchange", "number"), VENUES)
def test_a_truncated_frame_has_no_events(exchange: str, number: str) -> None:
    mine = venue(exchange, number)
    for case in frames(exchange):
        raw = case["raw"].strip().encode()
        for end in (1, 2, min(PREFIX + 1, len(raw) - 1), len(raw) // 3, len(raw) // 2, len(raw) - 2, len(raw) - 1):
            assert mine.read(case, raw[:end]) == [([], True)] * 3, raw[:end]
            assert mine.read(case, raw[:end].decode("utf-8", "ignore")) == [([], True)] * 3
    for case in bodies(exchange):
        assert mine.rest(case, case["raw"].strip().encode()[:-1]) == ([], True)
    good(mine)


@pytest.mark.parametrize(("exchange", "number"), VENUES)
def test_a_frame_beyond_the_maximum_is_not_looked_at(exchange: str, number: str) -> None:
    mine = venue(exchange, number)
    case = frames(exchange)[0]
    good_one = case["raw"].strip().encode()
    huge = b"x" * MAX_FRAME
    for frame in (b"[" + b" " * MAX_FRAME, b'{"a":"' + huge, b'{"a":"' + huge + b'"}', good_one[:-1] + b" " * MAX_FRAME):
        assert mine.read(case, frame) == [([], True)] * 3
        reading = mine.readers[connection_of(mine.plan, case)].read(frame)
        assert reading.role == "undecodable" and str(MAX_FRAME) in (reading.reason or "")
        assert len(repr((reading.errors, reading.reason))) < 1000
    good(mine)


def test_a_good_beginning_opens_no_door_for_a_frame_beyond_the_maximum() -> None:
    mine = Venue(IDS[0], Decimal)
    case = frames(IDS[0])[0]
    raw = case["raw"].encode()
    mine.read(case, raw)
    reading = mine.readers[connection_of(mine.plan, case)].read(raw + b" " * MAX_FRAME)
    assert (reading.role, reading.events) == ("undecodable", [])


Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The way to every scalar of a document, and its type; of a list of lists or objects, to those of the first two."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:20]):
            if index < 2 or not isinstance(inner, list | dict):
                yield from leaves(inner, (*path, index))
    else:
        yield path, type(value).__name__


Place = tuple[Case, Any, Path]
"""A sample, its document, and the way to one of its scalars."""


def places(cases: Iterable[Case], kind: str) -> tuple[Place, ...]:
    """Every place of samples where a scalar stands, once for each `kind` of message and type of value."""
    found: dict[Hashable, Place] = {}
    for case in cases:
        document = json.loads(case["raw"])
        for path, type_name in leaves(document):
            found.setdefault((case[kind], path, type_name), (case, document, path))
    return tuple(found.values())


@cache
def framed(exchange: str) -> tuple[Place, ...]:
    return places(frames(exchange), "channel")


@cache
def answered(exchange: str) -> tuple[Place, ...]:
    return places(bodies(exchange), "operation")


def replaced(value: Any, path: Path, new: Any) -> Any:
    """The document with another value at a path."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, list):
        return [replaced(inner, tuple(rest), new) if index == step else inner for index, inner in enumerate(value)]
    return {key: replaced(inner, tuple(rest), new) if key == step else inner for key, inner in value.items()}


BARE = "\ue000bare\ue000"
"""Stands for a literal that JSON's encoder doesn't write."""


def written(document: Any, literal: str = "") -> bytes:
    return json.dumps(document, ensure_ascii=False).replace(f'"{BARE}"', literal).encode()


def numbers(event: Event) -> Iterator[Any]:
    """Every number of an event, those of book levels too."""
    values = [getattr(event, name) for name in event.__struct_fields__]
    while values:
        value = values.pop()
        if isinstance(value, list | tuple):
            values += value
        elif isinstance(value, Decimal | float | int) and not isinstance(value, bool):
            yield value


def finite(events: list[Event]) -> bool:
    """Whether all numbers are finite, and no size is less than nothing."""
    return all(wrong(event) is None for event in events)


@pytest.mark.parametrize(("exchange", "number"), VENUES)
@pytest.mark.parametrize("spelling", NOT_FINITE)
def test_no_event_holds_a_number_that_is_not_finite(exchange: str, number: str, spelling: str) -> None:
    mine = venue(exchange, number)
    for case, document, path in framed(exchange):
        for events, _ in mine.read(case, written(replaced(document, path, spelling))):
            assert finite(events), (path, events)
        assert mine.read(case, written(replaced(document, path, BARE), spelling)) == [([], True)] * 3
    for case, document, path in answered(exchange):
        assert finite(mine.rest(case, written(replaced(document, path, spelling)))[0]), path
    good(mine)


WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "a list": [],
    "a nested list": [[["x"]]],
    "an object": {},
    "a text": "x",
    "an empty text": "",
    "a negative number": -1,
    "a fraction": 0.5,
    "text of many digits": DIGITS,
    "many digits after the point": f"0.{DIGITS}",
    "a huge exponent": "1e999999999",
    "a tiny exponent": "1e-999999999",
    "underscores": "1_0",
    "other digits": "\u0661\u0662",
    "blanks": " 1 ",
    "hexadecimal": "0x10",
    "a NUL": "\0",
    "a lone surrogate": "BARE-SURROGATE",
}
"""Values that stand where others should; a surrogate is written as its escape."""


@pytest.mark.parametrize(("exchange", "number"), VENUES)
@pytest.mark.parametrize("what", WRONG)
def test_a_value_of_another_type_raises_nothing_foreign(exchange: str, number: str, what: str) -> None:
    mine = venue(exchange, number)
    for case, document, path in framed(exchange):
        frame = written(replaced(document, path, WRONG[what])).replace(b"BARE-SURROGATE", b"\\ud800")
        for events, _ in mine.read(case, frame):
            assert finite(events), (path, events)
    for case, document, path in answered(exchange):
        assert finite(mine.rest(case, written(replaced(document, path, WRONG[what])))[0]), path
    good(mine)


@pytest.mark.parametrize(("exchange", "number"), VENUES)
@pytest.mark.parametrize(
    "literal", [DIGITS, f"-{DIGITS}", f"0.{DIGITS}", f"1e{DIGITS}", "1e400", "-1e400", "1e-400"], ids=lambda one: one[:8]
)
def test_bare_numbers_beyond_measure_raise_nothing_foreign(exchange: str, number: str, literal: str) -> None:
    mine = venue(exchange, number)
    for case, document, path in framed(exchange):
        for events, _ in mine.read(case, written(replaced(document, path, BARE), literal)):
            assert finite(events), (path, events)
    good(mine)


DUPLICATES = re.compile(r'("(?:[^"\\]|\\.)*":)')


@pytest.mark.parametrize(("exchange", "number"), VENUES)
def test_of_a_key_written_twice_the_last_value_holds(exchange: str, number: str) -> None:
    mine = venue(exchange, number)
    for case in frames(exchange):
        expected = mine.read(case, case["raw"].encode())
        doubled = DUPLICATES.sub(r"\g<1>null,\g<1>", case["raw"])
        assert mine.read(case, doubled.encode()) in (expected, [([], True)] * 3)
        broken = mine.read(case, re.sub(r"}$", r',"data":17,"e":17,"arg":17}', case["raw"]).encode())
        assert "}" not in case["raw"] or all(told for _, told in broken) or broken == expected
    good(mine)
