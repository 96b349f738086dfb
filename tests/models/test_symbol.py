"""Unified symbols: text, ccxt's notation, order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cexspec.models import InvalidSymbol, Symbol

DAY = date(2026, 9, 25)

SYMBOLS = [
    ("BTC/USDT", "BTC/USDT", Symbol("BTC", "USDT"), False),
    ("BTC/USDT:PERP", "BTC/USDT:USDT", Symbol("BTC", "USDT", "perpetual"), False),
    ("BTC/USD:PERP:BTC", "BTC/USD:BTC", Symbol("BTC", "USD", "perpetual", settle="BTC"), True),
    ("BTC/USDT:FUT:20260925", "BTC/USDT:USDT-260925", Symbol("BTC", "USDT", "future", DAY), False),
    ("BTC/USD:FUT:20260925:BTC", "BTC/USD:BTC-260925", Symbol("BTC", "USD", "future", DAY, settle="BTC"), True),
    (
        "BTC/USD:OPT:C:92000:20260925:BTC",
        "BTC/USD:BTC-260925-92000-C",
        Symbol("BTC", "USD", "option", DAY, Decimal(92000), "C", "BTC"),
        True,
    ),
    ("X/USDC:OPT:P:0.25:20260925", "X/USDC:USDC-260925-0.25-P", Symbol("X", "USDC", "option", DAY, Decimal("0.25"), "P"), False),
    ("币安人生/USDT", "币安人生/USDT", Symbol("币安人生", "USDT"), False),
    ("kPEPE/USDC:PERP", "kPEPE/USDC:USDC", Symbol("kPEPE", "USDC", "perpetual"), False),
    ("BRK-B/USD", "BRK-B/USD", Symbol("BRK-B", "USD"), False),
]

REFUSED = [
    ("", "BASE/QUOTE"),
    ("BTC-USDT", "BASE/QUOTE"),
    ("A/B/C", "BASE/QUOTE"),
    ("/USDT", "the base has 1 to 32"),
    ("BTC/", "the quote has 1 to 32"),
    (f"{'A' * 33}/USDT", "the base has 1 to 32"),
    ("B C/USDT", "holds no blank"),
    ("B\x00C/USDT", "control character"),
    ("BTC/US-DT", "the quote holds no '-'"),
    ("BTC/USDT:SPOT", "PERP, FUT or OPT"),
    ("BTC/USDT:perp", "PERP, FUT or OPT"),
    ("BTC/USDT:PERP:BTC:X", "a perpetual is"),
    ("BTC/USDT:PERP:", "the settlement has 1 to 32"),
    ("BTC/USDT:FUT", "a future is BASE/QUOTE:FUT:YYYYMMDD"),
    ("BTC/USDT:FUT:260925", "an expiry is YYYYMMDD"),
    ("BTC/USDT:FUT:\uff12\uff10\uff12\uff16\uff10\uff19\uff12\uff15", "an expiry is YYYYMMDD"),
    ("BTC/USDT:FUT:20260230", "there is no day"),
    ("BTC/USDT:FUT:19991231", "between 2000 and 2099"),
    ("BTC/USDT:OPT:C:92000", "an option is BASE/QUOTE:OPT"),
    ("BTC/USDT:OPT:X:92000:20260925", "C (call) or P (put)"),
    ("BTC/USDT:OPT:C:9e4:20260925", "a plain decimal"),
    ("BTC/USDT:OPT:C:-1:20260925", "a plain decimal"),
    ("BTC/USDT:OPT:C:0:20260925", "a strike is a positive number"),
    ("A" * 500, "at most 160"),
]

CCXT_REFUSED = [
    ("BTC", "BASE/QUOTE"),
    ("BTC/USD:", "the settlement has 1 to 32"),
    ("BTC/USD:BTC:X", "comes :SETTLE"),
    ("BTC/USD:BTC-20260925", "an expiry is YYMMDD"),
    ("BTC/USD:BTC-260925-92000", "comes :SETTLE"),
    ("BTC/USD:BTC-260925-92000-X", "C (call) or P (put)"),
    ("BTC/USD:BTC-261325", "there is no day 20261325"),
]

UNMADE = [
    ({"kind": "swap"}, "no such kind"),
    ({"settle": "USDT"}, "spot has no settlement"),
    ({"kind": "future"}, "futures and options expire"),
    ({"expiry": DAY}, "futures and options expire"),
    ({"kind": "option", "expiry": DAY, "right": "C"}, "a strike and a right"),
    ({"kind": "option", "expiry": DAY, "strike": Decimal(1)}, "a strike and a right"),
    ({"kind": "option", "expiry": DAY, "strike": Decimal("NaN"), "right": "C"}, "a positive number"),
    ({"kind": "option", "expiry": DAY, "strike": Decimal("1E+30"), "right": "C"}, "a positive number"),
]


@pytest.mark.parametrize(("text", "ccxt", "symbol", "inverse"), SYMBOLS, ids=[row[0] for row in SYMBOLS])
def test_text_ccxt_and_parts_are_the_same_symbol(text: str, ccxt: str, symbol: Symbol, inverse: bool) -> None:
    assert Symbol.parse(text) == symbol
    assert str(symbol) == text
    assert symbol.to_ccxt() == ccxt
    assert Symbol.from_ccxt(ccxt) == symbol
    assert symbol.is_inverse is inverse


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[repr(row[0][:40]) for row in REFUSED])
def test_what_is_no_symbol_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidSymbol) as caught:
        Symbol.parse(text)
    assert reason in caught.value.message
    assert caught.value.symbol == text[:160]


@pytest.mark.parametrize(("text", "reason"), CCXT_REFUSED, ids=[row[0] for row in CCXT_REFUSED])
def test_what_is_no_ccxt_symbol_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidSymbol, match="no ccxt symbol") as caught:
        Symbol.from_ccxt(text)
    assert reason in caught.value.message


@pytest.mark.parametrize(("parts", "reason"), UNMADE, ids=[row[1] + str(at) for at, row in enumerate(UNMADE)])
def test_parts_that_make_no_symbol_are_refused(parts: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidSymbol, match=reason):
        Symbol("BTC", "USD", **parts)  # type: ignore[arg-type]


def test_a_settlement_that_is_the_quote_is_not_written() -> None:
    assert str(Symbol.parse("BTC/USDT:PERP:USDT")) == "BTC/USDT:PERP"


def test_a_strike_has_one_spelling() -> None:
    assert str(Symbol.parse("BTC/USD:OPT:C:92000.50:20260925")) == "BTC/USD:OPT:C:92000.5:20260925"
    assert Symbol("BTC", "USD", "option", DAY, Decimal("9.2E+4"), "C") == Symbol.parse("BTC/USD:OPT:C:92000:20260925")


def test_symbols_order_by_base_quote_kind_expiry_and_strike() -> None:
    ordered = [
        "BTC/USD",
        "BTC/USD:PERP:BTC",
        "BTC/USD:PERP",
        "BTC/USD:FUT:20260925",
        "BTC/USD:FUT:20261225",
        "BTC/USD:OPT:C:9000:20260925",
        "BTC/USD:OPT:C:10000:20260925",
        "BTC/USDT",
        "ETH/BTC",
    ]
    symbols = [Symbol.parse(text) for text in reversed(ordered)]
    assert [str(symbol) for symbol in sorted(symbols)] == ordered
    assert symbols[0] > symbols[1] and symbols[-1] <= symbols[0]


def test_a_symbol_compares_with_symbols_only() -> None:
    text: object = "BTC/USD"
    assert Symbol("BTC", "USD") != text
    with pytest.raises(TypeError):
        assert Symbol("BTC", "USD") < text


def _assets(no: str) -> st.SearchStrategy[str]:
    letters = st.characters(exclude_characters=" /:" + no, exclude_categories=("C", "Z"))
    return st.text(letters, min_size=1, max_size=32).filter(str.isprintable)


STRIKES = st.decimals(min_value="0.000001", max_value="999999999", allow_nan=False, places=6)


@st.composite
def symbols(draw: st.DrawFn) -> Symbol:
    """Any symbol there is."""
    base, quote = draw(_assets("")), draw(_assets("-"))
    kind = draw(st.sampled_from(["spot", "perpetual", "future", "option"]))
    expiry = draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))) if kind in ("future", "option") else None
    strike, right = (draw(STRIKES), draw(st.sampled_from("CP"))) if kind == "option" else (None, None)
    settle = None if kind == "spot" else draw(st.sampled_from([None, quote]) | _assets("-"))
    return Symbol(base, quote, kind, expiry, strike, right, settle)  # type: ignore[arg-type]


@given(symbols())
def test_any_symbol_survives_its_text_and_ccxts(symbol: Symbol) -> None:
    assert Symbol.parse(str(symbol)) == symbol
    assert hash(Symbol.parse(str(symbol))) == hash(symbol)
    assert Symbol.from_ccxt(symbol.to_ccxt()) == symbol


@given(symbols(), symbols())
def test_order_and_equality_agree(one: Symbol, other: Symbol) -> None:
    assert (one < other) + (other < one) + (one == other) == 1
    assert (str(one) == str(other)) == (one == other)


@given(st.text(max_size=60))
def test_any_text_is_a_symbol_or_refused(text: str) -> None:
    for read in (Symbol.parse, Symbol.from_ccxt):
        try:
            symbol = read(text)
        except InvalidSymbol:
            continue
        assert read(str(symbol) if read == Symbol.parse else symbol.to_ccxt()) == symbol
