"""Book checksums: the venues' own examples, the digits that go in, and what a checksum notices."""

from __future__ import annotations

from decimal import Decimal
from inspect import signature
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.hooks import CHECKSUMS, BookChecksum, Precision
from cexspec.hooks.bitfinex import bitfinex_checksum, javascript
from cexspec.hooks.crc32 import crc32_interleaved, digits, interleaved, signed_crc32
from cexspec.hooks.kraken import kraken_checksum
from cexspec.models import Level

Rows = list[tuple[str, str]]


def levels(rows: Rows) -> list[Level]:
    return [(Decimal(price), Decimal(size)) for price, size in rows]


NUMBERS = st.decimals(min_value=Decimal("0.0000001"), max_value=10**9, allow_nan=False, allow_infinity=False, places=7)
SIDES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4)

INTERLEAVED: list[tuple[str, Rows, Rows, str]] = [
    ("nothing", [], [], ""),
    ("one level each", [("3366.1", "7")], [("3366.8", "9")], "3366.1:7:3366.8:9"),
    ("sides in turn", [("3366.1", "7"), ("3366", "6")], [("3366.8", "9"), ("3368", "8")], "3366.1:7:3366.8:9:3366:6:3368:8"),
    ("asks end early", [("3366.1", "7"), ("3366", "6")], [("3366.8", "9")], "3366.1:7:3366.8:9:3366:6"),
    ("bids end early", [], [("3366.8", "9"), ("3368", "8")], "3366.8:9:3368:8"),
    ("zeros at the end stay", [("10.00", "0.10")], [], "10.00:0.10"),
    ("no exponent", [("0.00000001", "1E+3")], [], "0.00000001:1000"),
]


@pytest.mark.parametrize(("what", "bids", "asks", "text"), INTERLEAVED, ids=[case[0] for case in INTERLEAVED])
def test_levels_are_interleaved_in_the_venues_own_digits(what: str, bids: Rows, asks: Rows, text: str) -> None:
    assert ":".join(interleaved(levels(bids), levels(asks))) == text
    assert crc32_interleaved(levels(bids), levels(asks)) % (1 << 32) == crc32(text.encode())


def test_a_checksum_is_a_signed_integer() -> None:
    bids, asks = levels([("3366.1", "7"), ("3366", "6")]), levels([("3366.8", "9"), ("3368", "8")])
    assert crc32_interleaved(bids, asks) == -1881014294
    assert signed_crc32(iter(["10"])) == crc32(b"10") - (1 << 32) == -1587730975
    assert signed_crc32(iter([])) == 0


JAVASCRIPT: list[tuple[str, str]] = [
    ("6000.0", "6000"),
    ("0.10", "0.1"),
    ("1E+3", "1000"),
    ("0.000001", "0.000001"),
    ("0.0000001", "1e-7"),
    ("0.00000012500", "1.25e-7"),
    ("0", "0"),
    ("123456789.123", "123456789.123"),
]


@pytest.mark.parametrize(("number", "text"), JAVASCRIPT)
def test_numbers_are_written_as_javascript_does(number: str, text: str) -> None:
    assert javascript(Decimal(number)) == text
    assert javascript(float(number)) == text


def test_asks_count_negative_and_sides_take_turns() -> None:
    bids, asks = levels([("6000", "1"), ("5900", "2")]), levels([("6100", "3.50")])
    assert bitfinex_checksum(bids, asks) == signed_crc32(iter(["6000", "1", "6100", "-3.5", "5900", "2"]))
    assert bitfinex_checksum([], asks) == signed_crc32(iter(["6100", "-3.5"]))


ASKS = [
    ("45285.2", "0.001"), ("45286.4", "1.54571953"), ("45286.6", "1.54571109"), ("45289.6", "1.54560911"), ("45290.2", "0.1589066"),
    ("45291.8", "1.54553491"), ("45294.7", "0.04454749"), ("45296.1", "0.3538"), ("45297.5", "0.09945542"), ("45299.5", "0.18772827"),
]  # fmt: skip
BIDS = [
    ("45283.5", "0.1"), ("45283.4", "1.54582015"), ("45282.1", "0.1"), ("45281", "0.1"), ("45280.3", "1.54592586"),
    ("45279", "0.0799"), ("45277.6", "0.03310103"), ("45277.5", "0.3"), ("45277.3", "1.54602737"), ("45276.6", "0.15445238"),
]  # fmt: skip


def test_numbers_are_written_in_the_decimals_of_the_instrument() -> None:
    """The venue's own example, with the zeros that its JSON numbers have lost."""
    assert kraken_checksum(levels(BIDS), levels(ASKS), Precision(1, 8)) == 3310070434
    assert kraken_checksum(levels(BIDS), levels(ASKS)) != 3310070434
    padded = [[(f"{float(price):.1f}", f"{float(size):.8f}") for price, size in side] for side in (BIDS, ASKS)]
    assert kraken_checksum(levels(padded[0]), levels(padded[1])) == 3310070434


@pytest.mark.parametrize(
    ("tick", "step", "expected"),
    [("0.10", "0.00000001", (1, 8)), ("5", "100", (0, 0)), ("1E-3", "0.25", (3, 2)), (0.1, 0.5, (1, 1)), ("NaN", "1", (0, 0))],
)
def test_decimals_are_those_of_the_steps(tick: str | float, step: str | float, expected: tuple[int, int]) -> None:
    precision = Precision.of(*(Decimal(one) if isinstance(one, str) else one for one in (tick, step)))
    assert (precision.price, precision.size) == expected


@given(SIDES, SIDES)
def test_a_checksum_depends_on_every_level_and_fits_32_bits(bids: list[Level], asks: list[Level]) -> None:
    for checksum in CHECKSUMS.values():
        value = checksum(bids, asks)
        assert -(1 << 31) <= value < 1 << 32
        assert value != checksum([*bids, (Decimal("1.5"), Decimal("2.5"))], asks)
        assert value == checksum(list(bids), list(asks))


@given(NUMBERS)
def test_digits_read_back_exactly(number: Decimal) -> None:
    assert Decimal(digits(number)) == number
    assert "E" not in digits(number)
    assert Decimal(javascript(number)) == number


@pytest.mark.parametrize("name", CHECKSUMS)
def test_a_registered_hook_has_the_protocols_signature(name: str) -> None:
    wanted = [one for one in signature(BookChecksum.__call__).parameters.values() if one.name != "self"]
    assert [(one.name, one.annotation) for one in signature(CHECKSUMS[name]).parameters.values()] == [
        (one.name, one.annotation) for one in wanted
    ]
