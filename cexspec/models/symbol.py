"""Unified symbols: what is traded, in one notation for all venues.

    BTC/USDT                              spot
    BTC/USDT:PERP                         perpetual, settled in USDT
    BTC/USD:PERP:BTC                      perpetual, settled in BTC (inverse)
    BTC/USDT:FUT:20260925                 future with its day of expiry (UTC)
    BTC/USD:OPT:C:92000:20260925:BTC      option: right, strike, expiry, settlement

The settlement currency is written only where it is not the quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import total_ordering
from typing import Literal, NoReturn

from cexspec.models.errors import InvalidSymbol
from cexspec.models.events import Kind

MAX_ASSET = 32
"""Characters of an asset code at most."""
MAX_TEXT = 160
"""Characters of a symbol's text at most."""
NOT_IN_ASSETS = " /:"
"""Characters that no asset code holds."""
YEARS = range(2000, 2100)
"""Years an expiry may fall in: the century that two digits can name."""

_KINDS: tuple[Kind, ...] = ("spot", "perpetual", "future", "option")
_STRIKE = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")
_DAY = re.compile(r"[0-9]{8}")
_SHORT_DAY = re.compile(r"[0-9]{6}")


@total_ordering
@dataclass(frozen=True, slots=True)
class Symbol:
    """One traded thing, whatever a venue calls it.

    Asset codes are 1 to 32 printable characters of any script, without blank, `/` and `:`, in quote and settlement also
    without `-` (ccxt's notation separates by it). Their case is kept and counts: `kPEPE` is not `KPEPE`. `expiry` is a
    day from 2000 to 2099, `strike` a positive decimal. `settle` is None for spot and set for everything else (left out,
    it is the quote). Symbols order by base, quote, kind, expiry, strike, right, settlement.

    Raises `InvalidSymbol` where the parts make no symbol.
    """

    base: str
    quote: str
    kind: Kind = "spot"
    expiry: date | None = None
    strike: Decimal | None = None
    right: Literal["C", "P"] | None = None
    settle: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            _refuse(f"no such kind: {self.kind!r}")
        if self.kind != "spot" and self.settle is None:
            object.__setattr__(self, "settle", self.quote)
        check_asset("base", self.base)
        check_asset("quote", self.quote)
        _check_terms(self)
        if self.strike is not None:
            object.__setattr__(self, "strike", _check_strike(self.strike))

    @classmethod
    def parse(cls, text: str) -> Symbol:
        """The symbol a unified text means. Raises `InvalidSymbol` with the reason."""
        try:
            pair, *terms = _bounded(text).split(":")
            base, quote = _pair(pair)
            return cls(base, quote, *_terms(terms))
        except InvalidSymbol as reason:
            raise _invalid(f"{_shown(text)} is no symbol: {reason.message}", text) from None

    @classmethod
    def from_ccxt(cls, text: str) -> Symbol:
        """The symbol a ccxt text means (`BTC/USD:BTC-260925-92000-C`). Raises `InvalidSymbol` with the reason."""
        try:
            pair, *rest = _bounded(text).split(":")
            base, quote = _pair(pair)
            return cls(base, quote, *_ccxt_terms(rest))
        except InvalidSymbol as reason:
            raise _invalid(f"{_shown(text)} is no ccxt symbol: {reason.message}", text) from None

    def to_ccxt(self) -> str:
        """The same in ccxt's notation."""
        terms = [self.settle] if self.settle else []
        if self.expiry is not None:
            terms.append(self.expiry.strftime("%y%m%d"))
        if self.strike is not None:
            terms += [format(self.strike, "f"), str(self.right)]
        return f"{self.base}/{self.quote}" + (f":{'-'.join(terms)}" if terms else "")

    @property
    def is_inverse(self) -> bool:
        """Settled in the base currency."""
        return self.settle == self.base

    def __str__(self) -> str:
        terms: list[str] = []
        if self.kind == "option":
            terms = ["OPT", str(self.right), format(self.strike or 0, "f")]
        elif self.kind != "spot":
            terms = ["PERP" if self.kind == "perpetual" else "FUT"]
        if self.expiry is not None:
            terms.append(self.expiry.strftime("%Y%m%d"))
        if self.settle not in (None, self.quote):
            terms.append(str(self.settle))
        return ":".join([f"{self.base}/{self.quote}", *terms])

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Symbol):
            return NotImplemented
        return self._order() < other._order()

    def _order(self) -> tuple[str, str, int, date, Decimal, str, str]:
        rank = _KINDS.index(self.kind)
        return (self.base, self.quote, rank, self.expiry or date.min, self.strike or Decimal(0), self.right or "", self.settle or "")


Terms = tuple[Kind, date | None, Decimal | None, Literal["C", "P"] | None, str | None]


def _terms(terms: list[str]) -> Terms:
    match terms:
        case []:
            return "spot", None, None, None, None
        case ["PERP", *settle] if len(settle) <= 1:
            return "perpetual", None, None, None, _settle(settle)
        case ["FUT", day, *settle] if len(settle) <= 1:
            return "future", _day(day), None, None, _settle(settle)
        case ["OPT", right, strike, day, *settle] if len(settle) <= 1:
            return "option", _day(day), _strike(strike), _right(right), _settle(settle)
        case [word, *_] if word in _SHAPES:
            _refuse(f"{_SHAPES[word]}, with :SETTLE where that is not the quote")
    _refuse("after BASE/QUOTE comes PERP, FUT or OPT")


_SHAPES = {
    "PERP": "a perpetual is BASE/QUOTE:PERP",
    "FUT": "a future is BASE/QUOTE:FUT:YYYYMMDD",
    "OPT": "an option is BASE/QUOTE:OPT:C:STRIKE:YYYYMMDD",
}


def _ccxt_terms(rest: list[str]) -> Terms:
    if not rest:
        return "spot", None, None, None, None
    match rest[0].split("-") if len(rest) == 1 else ():
        case [settle]:
            return "perpetual", None, None, None, settle
        case [settle, day]:
            return "future", _short_day(day), None, None, settle
        case [settle, day, strike, right]:
            return "option", _short_day(day), _strike(strike), _right(right), settle
    _refuse("after BASE/QUOTE comes :SETTLE, :SETTLE-YYMMDD or :SETTLE-YYMMDD-STRIKE-C")


def _pair(text: str) -> tuple[str, str]:
    parts = text.split("/")
    if len(parts) != 2:
        _refuse("it begins with BASE/QUOTE")
    return parts[0], parts[1]


def _settle(terms: list[str]) -> str | None:
    return terms[0] if terms else None


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        _refuse(f"an expiry is YYYYMMDD, not {text!r}")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        _refuse(f"there is no day {text}")


def _short_day(text: str) -> date:
    if not _SHORT_DAY.fullmatch(text):
        _refuse(f"an expiry is YYMMDD, not {text!r}")
    return _day(f"20{text}")


def _strike(text: str) -> Decimal:
    if not _STRIKE.fullmatch(text):
        _refuse(f"a strike is a plain decimal number, not {text!r}")
    return Decimal(text)


def _right(text: str) -> Literal["C", "P"]:
    if text == "C":
        return "C"
    if text == "P":
        return "P"
    _refuse(f"an option is C (call) or P (put), not {text!r}")


def check_asset(role: str, text: str) -> None:
    """Raise `InvalidSymbol` where a text is no asset code; `role`: `base`, `quote` or `settlement`."""
    if not 1 <= len(text) <= MAX_ASSET:
        _refuse(f"the {role} has 1 to {MAX_ASSET} characters")
    if not text.isprintable() or any(letter in text for letter in NOT_IN_ASSETS):
        _refuse(f"the {role} holds no blank, control character, '/' or ':'")
    if role != "base" and "-" in text:
        _refuse(f"the {role} holds no '-'")


def _check_terms(symbol: Symbol) -> None:
    if (symbol.settle is None) != (symbol.kind == "spot"):
        _refuse("spot has no settlement currency")
    if symbol.settle is not None:
        check_asset("settlement", symbol.settle)
    if (symbol.expiry is None) == (symbol.kind in ("future", "option")):
        _refuse("futures and options expire, nothing else does")
    if symbol.expiry is not None and symbol.expiry.year not in YEARS:
        _refuse(f"an expiry is between {YEARS.start} and {YEARS.stop - 1}")
    if (symbol.strike is None) == (symbol.kind == "option") or (symbol.right is None) == (symbol.kind == "option"):
        _refuse("options have a strike and a right, nothing else does")


def _check_strike(strike: Decimal) -> Decimal:
    """The one spelling of a strike: no exponent, no trailing zeros."""
    text = format(strike, "f")
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    if not _STRIKE.fullmatch(plain) or plain == "0":
        _refuse("a strike is a positive number with at most 18 digits on either side of the point")
    return Decimal(plain)


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        _refuse(f"a symbol has at most {MAX_TEXT} characters")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")


def _invalid(reason: str, text: str) -> InvalidSymbol:
    error = InvalidSymbol(reason)
    error.symbol = text[:MAX_TEXT]
    return error


def _refuse(reason: str) -> NoReturn:
    raise InvalidSymbol(reason)
