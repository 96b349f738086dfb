"""One format of native ids (`{base}-{quote}-{expiry:%y%m%d}`), compiled to a bounded regex and a writer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from typing import Literal

from cexspec.compile.expiry import day_pattern, names_a_day, read_day, write_day
from cexspec.models import InvalidSymbol, Kind, Symbol
from cexspec.models.symbol import NOT_IN_ASSETS, check_asset
from cexspec.spec.model import SymbolFormat
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

MAX_LENGTH = 80
"""Characters of a format at most."""

_HOLE = re.compile(r"\{([a-z]+)(?::([^{}]*))?\}")
_NEEDED: dict[Kind, frozenset[str]] = {
    "spot": frozenset({"base", "quote"}),
    "perpetual": frozenset({"base", "quote"}),
    "future": frozenset({"base", "quote", "expiry"}),
    "option": frozenset({"base", "quote", "expiry", "strike", "right"}),
}
_ASSETS = ("base", "quote", "settle")


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole: its name, and what stands after the colon."""

    name: str
    argument: str | None

    @property
    def bounded(self) -> bool:
        """Whether its text ends where it ends, whatever follows."""
        return self.name in ("expiry", "right") or (self.name in _ASSETS and self.argument is not None)


@dataclass(frozen=True, slots=True)
class NativeParts:
    """What a format reads from a native id; assets in the id's codes, `quote` None where the format has its own."""

    base: str
    quote: str | None
    settle: str | None
    expiry: date | None
    strike: Decimal | None
    right: Literal["C", "P"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """A compiled format. `literal`: how many of its characters are fixed; `quote`: the common code of a format without that hole."""

    text: str
    kind: Kind
    settle: Literal["base", "quote"] | None
    quote: str | None
    codes: Literal["native", "common"]
    replace: Mapping[str, str]
    parts: tuple[str | Hole, ...]
    pattern: re.Pattern[str]
    literal: int
    read_only: bool
    listed_only: bool
    where: Where

    def read(self, native_id: str) -> NativeParts | None:
        """The parts of a native id written so; None if it isn't."""
        found = self.pattern.fullmatch(native_id)
        if found is None:
            return None
        groups = found.groupdict()
        expires = any(isinstance(part, Hole) and part.name == "expiry" for part in self.parts)
        expiry = read_day(groups) if expires else None
        if expires and expiry is None:
            return None
        strike = Decimal(groups["strike"]) if "strike" in groups else None
        right: Literal["C", "P"] | None = {"C": "C", "P": "P"}[groups["right"]] if "right" in groups else None  # type: ignore[assignment]
        table = str.maketrans(dict(self.replace))
        assets = {name: groups[name].translate(table) for name in _ASSETS if name in groups}
        return NativeParts(assets["base"], assets.get("quote"), assets.get("settle"), expiry, strike, right)

    def write(self, symbol: Symbol, base: str, quote: str, settle: str) -> str | None:
        """The native id of a symbol of this kind, its assets given in the id's codes; None where it can't be written so."""
        if self.quote not in (None, symbol.quote):
            return None
        table = str.maketrans({there: here for here, there in self.replace.items()})
        assets = {"base": base, "quote": quote, "settle": settle}
        values: dict[str, str | None] = {name: code.translate(table) for name, code in assets.items()}
        values["right"] = symbol.right
        values["strike"] = format(symbol.strike, "f") if symbol.strike is not None else None
        written: list[str | None] = []
        for part in self.parts:
            if isinstance(part, str):
                written.append(part)
            elif part.name == "expiry" and symbol.expiry is not None:
                written.append(write_day(part.argument or "", symbol.expiry))
            else:
                written.append(values.get(part.name))
        return None if None in written else "".join(map(str, written))


def compile_format(spec: SymbolFormat, kind: Kind, quotes: Sequence[str], findings: Findings, where: Where) -> Format | None:
    """Compile one format; what is wrong with it is CEX051.

    `quotes` are the quote codes that may follow the base with nothing between them.
    """
    try:
        parts = _parts(spec.format)
        _check_holes(parts, kind, spec.quote)
        _check_touching(parts, quotes)
        _check_replace(parts, spec.replace)
        letter = _letter(parts, spec.replace)
        pattern = re.compile("".join(_pattern(part, letter, _touches_base(parts), quotes) for part in parts))
    except _FormatError as problem:
        findings.error("CEX051", (*where, *problem.at), str(problem), problem.hint)
        return None
    literal = sum(len(part) for part in parts if isinstance(part, str))
    return Format(
        text=spec.format,
        kind=kind,
        settle=spec.settle,
        quote=spec.quote,
        codes=spec.codes,
        replace=dict(spec.replace),
        parts=tuple(parts),
        pattern=pattern,
        literal=literal,
        read_only=spec.read_only,
        listed_only=spec.listed_only,
        where=where,
    )


class _FormatError(ValueError):
    def __init__(self, message: str, hint: str = "", at: Where = ()) -> None:
        super().__init__(message)
        self.hint, self.at = hint, at


def _parts(text: str) -> list[str | Hole]:
    if len(text) > MAX_LENGTH:
        raise _FormatError(f"a format has at most {MAX_LENGTH} characters")
    parts: list[str | Hole] = []
    end = 0
    for found in _HOLE.finditer(text):
        parts += [text[end : found.start()], Hole(found[1], found[2])]
        end = found.end()
    parts = [part for part in (*parts, text[end:]) if part]
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise _FormatError("a brace that belongs to no hole", "holes are {base}, {quote:3}, {expiry:%y%m%d}")
    return parts


def _check_holes(parts: Iterable[str | Hole], kind: Kind, quote: str | None) -> None:
    legal = _NEEDED[kind] | (frozenset() if kind == "spot" else frozenset({"settle"}))
    seen: set[str] = set()
    for hole in parts:
        if isinstance(hole, str):
            continue
        if hole.name not in legal:
            close = get_close_matches(hole.name, sorted(legal), 1)
            hint = f"did you mean {{{close[0]}}}?" if close else f"holes are {', '.join(sorted(legal))}"
            raise _FormatError(f"a {kind} has no {{{hole.name}}}", hint)
        if hole.name in seen:
            raise _FormatError(f"{{{hole.name}}} stands twice", "each hole once")
        seen.add(hole.name)
        _check_argument(hole)
    if quote is not None:
        _check_quote(quote, seen)
        seen.add("quote")
    missing = sorted(_NEEDED[kind] - seen)
    if missing:
        hint = "or `quote: USDC`, where all that is written so is quoted in that" if missing == ["quote"] else ""
        raise _FormatError(f"a {kind} needs {{{missing[0]}}}", hint or f"holes are {', '.join(sorted(legal))}")


def _check_quote(quote: str, seen: set[str]) -> None:
    if "quote" in seen:
        raise _FormatError("{quote} and a quote of its own", "either the id tells the quote, or all that is written so has one", ("quote",))
    try:
        check_asset("quote", quote)
    except InvalidSymbol as problem:
        raise _FormatError(problem.message, "a common code: USDC", ("quote",)) from None


def _check_argument(hole: Hole) -> None:
    argument = hole.argument
    if hole.name == "expiry":
        _check_date(argument or "")
    elif argument is not None and not (hole.name in _ASSETS and re.fullmatch("[1-9][0-9]?", argument)):
        raise _FormatError(f"{{{hole.name}:{argument}}} says nothing", "{base:3} holds exactly three characters, {expiry:%y%m%d} a day")


def _check_date(text: str) -> None:
    if not names_a_day(text):
        known = "year %y or %Y, month %m or %b, day %d (or %-d, without its zero); or year and quarter letter %q"
        raise _FormatError(f"{{expiry:{text}}} names no day", known)


def _check_touching(parts: Sequence[str | Hole], quotes: Sequence[str]) -> None:
    for one, next_ in pairwise(parts):
        if isinstance(one, str) or isinstance(next_, str) or one.bounded or next_.bounded:
            continue
        if {one.name, next_.name} != {"base", "quote"}:
            raise _FormatError(f"nothing separates {{{one.name}}} from {{{next_.name}}}", "give one of them its width: {base:3}")
        if not quotes:
            raise _FormatError("nothing separates {base} from {quote}", "list the known quote currencies: symbols.quotes")


def _check_replace(parts: Iterable[str | Hole], replace: Mapping[str, str]) -> None:
    literal = {letter for part in parts if isinstance(part, str) for letter in part}
    seen: dict[str, str] = {}
    for here, there in replace.items():
        if len(here) != 1 or len(there) != 1:
            wrong = "one character stands for one character"
        elif _fits_in_assets(here):
            wrong = f"a symbol can hold {here!r}"
        elif not _fits_in_assets(there):
            wrong = f"no symbol can hold {there!r}"
        elif here in literal:
            wrong = f"{here!r} separates in this format"
        elif there in seen:
            wrong = f"{there!r} already stands for {seen[there]!r}"
        else:
            seen[there] = here
            continue
        raise _FormatError(wrong, "a character of the id that no symbol can hold, and what stands for it: {':': '-'}", ("replace", here))


def _fits_in_assets(letter: str) -> bool:
    try:
        check_asset("base", letter)
    except InvalidSymbol:
        return False
    return True


def _touches_base(parts: Sequence[str | Hole]) -> bool:
    pairs = pairwise(parts)
    return any(not isinstance(a, str) and not isinstance(b, str) and {a.name, b.name} == {"base", "quote"} for a, b in pairs)


def _letter(parts: Sequence[str | Hole], replace: Mapping[str, str]) -> str:
    """The regex of one character of an asset: nothing that separates here, or stands for something else in symbols.

    A format that is nothing but an asset would read any text: there it is a letter, a digit or what is replaced.
    """
    if len(parts) == 1:
        return f"(?:[^\\W_]|[{_escaped(replace)}])" if replace else "[^\\W_]"
    separating = {letter for part in parts if isinstance(part, str) for letter in part if not letter.isalnum()}
    return f"[^{_escaped((separating | set(NOT_IN_ASSETS) | set(replace.values())) - set(replace))}]"


def _escaped(letters: Iterable[str]) -> str:
    return "".join(re.escape(letter) for letter in sorted(letters))


def _pattern(part: str | Hole, letter: str, touching: bool, quotes: Sequence[str]) -> str:
    """The regex of one part. Each has one quantifier at most, over characters that the next literal stops."""
    if isinstance(part, str):
        return re.escape(part)
    if part.name == "expiry":
        return day_pattern(part.argument or "")
    if part.name == "right":
        return "(?P<right>[CP])"
    if part.name == "strike":
        return r"(?P<strike>[0-9]{1,18}(?:\.[0-9]{1,18})?)"
    if part.argument is not None:
        return f"(?P<{part.name}>{letter}{{{part.argument}}})"
    if part.name == "quote" and touching and quotes:
        return f"(?P<quote>{'|'.join(re.escape(each) for each in sorted(quotes, key=len, reverse=True))})"
    return f"(?P<{part.name}>{letter}+?)"
