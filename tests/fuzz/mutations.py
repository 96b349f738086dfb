"""Payloads that are nearly right: documents with a few things changed, and bytes with a few bytes changed.

What is drawn is small (which change, where, with what), so that a failure shrinks to the one change that matters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

MARK = "\ue000"
"""Stands around what is written into a document as it is, unquoted."""
LITERALS = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "9" * 5_000, "-" + "9" * 5_000, "0." + "9" * 5_000, "1E999999999",
    "-0", "-0.0", "01", "+1", ".5", "0x10", "1_0", "nul", "'x'", "[" * 1_500, "[" * 1_500 + "]" * 1_500, '{"a":' * 1_500,
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x00"', "//", "1,1", "1 1",
)  # fmt: skip
"""What a JSON encoder never writes."""
TEXTS = (
    "", " ", "x", "-", "+", ".", "/", ":", "0", "-1", "-0", "1.5", "-0.5", "1e3", "1E-3", "1e400", "1e-400", "NaN", "-nan", "sNaN123",
    "Infinity", "-inf", "0x10", "1_000", "1,5", " 1 ", "1\n", "\u0661\u0662", "\uff11", "9" * 5_000, "0." + "0" * 5_000 + "1",
    "null", "true", "2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "99999999999999999999", "a" * 100_000, "\0", "\ufeff", "\u202e",
    "BTC-USDT", "btcusdt", "tBTCUSD", "__class__", "{{ id }}", "$.a", "%s%n", "../../etc/passwd", "\U0001f600",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, -0.0, 0.5, -0.5, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 1e22, 1597026383085,
)  # fmt: skip
SCALARS = (None, True, False, *NUMBERS, *TEXTS)
CONTAINERS: tuple[Any, ...] = ([], {}, [[]], [None], {"": None}, [{}], [[[]]], {"a": {"a": {"a": []}}}, [0] * 1_000, ["x", 1])
PARTS = (
    *(b"", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\\", b"\\u12", b"e", b"-"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b":"),
)

Document = Any
Change = Callable[[Document], Document]


def written(value: object) -> str:
    """A value as its literal inside a document."""
    return f"{MARK}{value}{MARK}"


def encoded(document: Document) -> bytes:
    """The document as JSON; marked texts stand in it as they are."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace(f'"{MARK}', "").replace(f'{MARK}"', "").encode("utf-8", "surrogatepass")


def places(document: Document, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value of a document, of long lists to that of their first elements."""
    yield at
    inner = document.items() if isinstance(document, dict) else enumerate(document[:12]) if isinstance(document, list) else ()
    for step, value in inner:
        yield from places(value, (*at, step))


def at(document: Document, place: Sequence[str | int]) -> Document:
    """The value at a place."""
    for step in place:
        document = document[step]
    return document


def replaced(document: Document, place: Sequence[str | int], new: Document) -> Document:
    """The document with another value at a place; nothing is changed in it."""
    if not place:
        return new
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = replaced(document[place[0]], place[1:], new)
    return copy


@dataclass(frozen=True)
class Edit:
    """One change: `what` is done, `where` (a share of all places) and `with_` what."""

    what: str
    where: float
    with_: Any = None

    def of(self, document: Document) -> Document:
        """The changed document."""
        known = list(places(document))
        place = known[min(int(self.where * len(known)), len(known) - 1)]
        value = at(document, place)
        return replaced(document, place, EDITS[self.what](value, self.with_))


def _without(value: Document, with_: Any) -> Document:
    if isinstance(value, dict):
        keys = list(value)
        return {key: value[key] for key in keys if not keys or key != keys[_index(with_, keys)]}
    return [*value[: _index(with_, value)], *value[_index(with_, value) + 1 :]] if isinstance(value, list) else None


def _index(with_: Any, among: Sequence[object]) -> int:
    return hash(str(with_)) % len(among) if among and not isinstance(with_, int) else int(with_ or 0) % max(1, len(among))


def _more(value: Document, with_: Any) -> Document:
    if isinstance(value, dict):
        return {**value, str(with_)[:50]: with_}
    return [*value, with_] if isinstance(value, list) else [value, with_]


def _retyped(value: Document, _with: Any) -> Document:
    match value:
        case bool() | None:
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return written(value) if value.replace(".", "", 1).replace("-", "", 1).isdecimal() and value.isascii() else [value]
        case dict():
            return list(value.values())
        case _:
            return {str(number): inner for number, inner in enumerate(value)}


EDITS: dict[str, Callable[[Document, Any], Document]] = {
    "replace": lambda _value, with_: with_,
    "literal": lambda _value, with_: written(with_),
    "remove": _without,
    "add": _more,
    "retype": _retyped,
    "repeat": lambda value, _with: value * 3 if isinstance(value, list | str) else [value] * 3,
    "reverse": lambda value, _with: value[::-1] if isinstance(value, list | str) else value,
    "nest": lambda value, _with: [value],
    "negate": lambda value, _with: f"-{value}" if isinstance(value, str) else -value if isinstance(value, int | float) else value,
    "truncate": lambda value, _with: value[: len(value) // 2] if isinstance(value, list | str) else value,
    "case": lambda value, _with: value.swapcase() if isinstance(value, str) else value,
}

_SHARE = st.floats(0, 1, exclude_max=True, width=32)


def edits() -> st.SearchStrategy[list[Edit]]:
    """One to three changes of a document."""
    values = st.sampled_from(SCALARS) | st.sampled_from(CONTAINERS) | st.text(max_size=12)
    one = st.one_of(
        st.builds(Edit, st.sampled_from(["replace", "add"]), _SHARE, values),
        st.builds(Edit, st.just("literal"), _SHARE, st.sampled_from(LITERALS)),
        st.builds(Edit, st.just("remove"), _SHARE, st.integers(0, 20)),
        st.builds(Edit, st.sampled_from([name for name in EDITS if name not in ("replace", "add", "literal", "remove")]), _SHARE),
    )
    return st.lists(one, min_size=1, max_size=3)


@dataclass(frozen=True)
class Cut:
    """A change of bytes: a stretch of them gives way to others."""

    where: float
    length: int
    part: bytes

    def of(self, data: bytes) -> bytes:
        """The changed bytes."""
        start = int(self.where * len(data))
        return data[:start] + self.part + data[start + self.length :]


def cuts() -> st.SearchStrategy[list[Cut]]:
    """Changes of bytes: what is left out, put in between, cut off."""
    length = st.integers(0, 4) | st.just(1 << 24)
    return st.lists(st.builds(Cut, _SHARE, length, st.sampled_from(PARTS) | st.binary(max_size=4)), max_size=2)


def doubled_keys(data: bytes, number: int) -> bytes:
    """The document with one of its keys written twice, first with another value."""
    starts = [index for index, byte in enumerate(data) if byte in b"{," and data[index + 1 : index + 2] == b'"']
    if not starts:
        return data
    start = starts[number % len(starts)] + 1
    end = data.find(b":", start)
    return data[:start] + data[start : end + 1] + b"17," + data[start:] if end > 0 else data


@st.composite
def payloads(draw: st.DrawFn, seeds: Sequence[str]) -> bytes:
    """A payload near one of the seeds; now and then nothing of the kind."""
    way = draw(st.integers(0, 19))
    if way == 0:
        return draw(st.binary(max_size=200))
    seed = draw(st.sampled_from(seeds))
    data = seed.encode()
    try:
        document = json.loads(seed)
    except ValueError:
        document = None
    if document is not None and way > 2:
        for edit in draw(edits()):
            document = edit.of(document)
        data = encoded(document)
    if way <= 4:
        for cut in draw(cuts()):
            data = cut.of(data)
    elif way == 5:
        data = doubled_keys(data, draw(st.integers(0, 50)))
    return data
