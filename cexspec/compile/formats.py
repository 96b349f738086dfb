"""One format of native ids (`{base}-{quote}-{expiry:%y%m%d}`), compiled to a bounded regex and a writer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from typing import Literal

from cexspec.models import Kind, Symbol
from cexspec.spec.model import SymbolFormat
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

MAX_LENGTH = 80
"""Characters of a format at most."""

_HOLE = re.compile(r"\{([a-z]+)(?::([^{}]*))?\}")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATE_CODE = re.compile(r"%(-?[A-Za-z%])")
_DATE_PATTERNS = {
    "y": r"(?P<y>[0-9]{2})",
    "Y": r"(?P<Y>[0-9]{4})",
    "m": r"(?P<m>[0-9]{2})",
    "b": f"(?P<b>{'|'.join(_MONTHS)})",
    "d": r"(?P<d>[0-9]{2})",
    "-d": r"(?P<d>[1-9][0-9]?)",
}
_DATE_NAMES = {"y": "year", "Y": "year", "m": "month", "b": "month", "d": "day", "-d": "day"}
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
    """What a format reads from a native id; assets in the venue's codes."""

    base: str
    quote: str
    settle: str | None
    expiry: date | None
    strike: Decimal | None
    right: Literal["C", "P"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """A compiled format. `literal`: how many of its characters are fixed."""

    text: str
    kind: Kind
    settle: Literal["base", "quote"] | None
    parts: tuple[str | Hole, ...]
    pattern: re.Pattern[str]
    literal: int
    read_only: bool
    where: Where

    def read(self, native_id: str) -> NativeParts | None:
        """The parts of a native id written so; None if it isn't."""
        found = self.pattern.fullmatch(native_id)
        if found is None:
            return None
        groups = found.groupdict()
        expiry = _read_date(groups) if "d" in groups else None
        if "d" in groups and expiry is None:
            return None
        strike = Decimal(groups["strike"]) if "strike" in groups else None
        right: Literal["C", "P"] | None = {"C": "C", "P": "P"}[groups["right"]] if "right" in groups else None  # type: ignore[assignment]
        return NativeParts(groups["base"], groups["quote"], groups.get("settle"), expiry, strike, right)

    def write(self, symbol: Symbol, base: str, quote: str, settle: str) -> str:
        """The native id of a symbol of this kind, its assets given in the venue's codes."""
        values = {"base": base, "quote": quote, "settle": settle, "right": symbol.right or ""}
        values["strike"] = format(symbol.strike, "f") if symbol.strike is not None else ""
        written = []
        for part in self.parts:
            if isinstance(part, str):
                written.append(part)
            elif part.name == "expiry":
                written.append(_write_date(part.argument or "", symbol.expiry or date.min))
            else:
                written.append(values[part.name])
        return "".join(written)


def compile_format(spec: SymbolFormat, kind: Kind, quotes: Sequence[str], findings: Findings, where: Where) -> Format | None:
    """Compile one format; what is wrong with it is CEX051.

    `quotes` are the quote codes that may follow the base with nothing between them.
    """
    try:
        parts = _parts(spec.format)
        _check_holes(parts, kind)
        _check_touching(parts, quotes)
        separators = _separators(parts)
        pattern = re.compile("".join(_pattern(part, separators, _touches_base(parts), quotes) for part in parts))
    except _FormatError as problem:
        findings.error("CEX051", where, str(problem), problem.hint)
        return None
    literal = sum(len(part) for part in parts if isinstance(part, str))
    return Format(spec.format, kind, spec.settle, tuple(parts), pattern, literal, spec.read_only, where)


class _FormatError(ValueError):
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


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


def _check_holes(parts: Iterable[str | Hole], kind: Kind) -> None:
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
    missing = sorted(_NEEDED[kind] - seen)
    if missing:
        raise _FormatError(f"a {kind} needs {{{missing[0]}}}", f"holes are {', '.join(sorted(legal))}")


def _check_argument(hole: Hole) -> None:
    argument = hole.argument
    if hole.name == "expiry":
        _check_date(argument or "")
    elif argument is not None and not (hole.name in _ASSETS and re.fullmatch("[1-9][0-9]?", argument)):
        raise _FormatError(f"{{{hole.name}:{argument}}} says nothing", "{base:3} holds exactly three characters, {expiry:%y%m%d} a day")


def _check_date(text: str) -> None:
    names = sorted(_DATE_NAMES.get(code, "?") for code in _DATE_CODE.findall(text))
    if names != ["day", "month", "year"] or "%" in _DATE_CODE.sub("", text):
        raise _FormatError(f"{{expiry:{text}}} names no day", "year %y or %Y, month %m or %b, day %d (or %-d, without its zero)")


def _check_touching(parts: Sequence[str | Hole], quotes: Sequence[str]) -> None:
    for one, next_ in pairwise(parts):
        if isinstance(one, str) or isinstance(next_, str) or one.bounded or next_.bounded:
            continue
        if {one.name, next_.name} != {"base", "quote"}:
            raise _FormatError(f"nothing separates {{{one.name}}} from {{{next_.name}}}", "give one of them its width: {base:3}")
        if not quotes:
            raise _FormatError("nothing separates {base} from {quote}", "list the known quote currencies: symbols.quotes")


def _touches_base(parts: Sequence[str | Hole]) -> bool:
    pairs = pairwise(parts)
    return any(not isinstance(a, str) and not isinstance(b, str) and {a.name, b.name} == {"base", "quote"} for a, b in pairs)


def _separators(parts: Iterable[str | Hole]) -> str:
    """Characters that no asset holds: the blank, `/`, `:`, and what separates the holes of this format."""
    found = {letter for part in parts if isinstance(part, str) for letter in part if not letter.isalnum()}
    return "".join(re.escape(letter) for letter in sorted(found | set(" /:")))


def _pattern(part: str | Hole, separators: str, touching: bool, quotes: Sequence[str]) -> str:
    """The regex of one part. Each has one quantifier at most, over characters that the next literal stops."""
    if isinstance(part, str):
        return re.escape(part)
    if part.name == "expiry":
        return _date_pattern(part.argument or "")
    if part.name == "right":
        return "(?P<right>[CP])"
    if part.name == "strike":
        return r"(?P<strike>[0-9]{1,18}(?:\.[0-9]{1,18})?)"
    if part.argument is not None:
        return f"(?P<{part.name}>[^{separators}]{{{part.argument}}})"
    if part.name == "quote" and touching and quotes:
        return f"(?P<quote>{'|'.join(re.escape(each) for each in sorted(quotes, key=len, reverse=True))})"
    return f"(?P<{part.name}>[^{separators}]+?)"


def _date_pattern(text: str) -> str:
    pieces = _DATE_CODE.split(text)
    return "".join(_DATE_PATTERNS[piece] if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))


def _read_date(groups: dict[str, str]) -> date | None:
    year = int(groups["Y"]) if "Y" in groups else 2000 + int(groups["y"])
    month = int(groups["m"]) if "m" in groups else _MONTHS.index(groups["b"]) + 1
    try:
        return date(year, month, int(groups["d"]))
    except ValueError:
        return None


def _write_date(text: str, day: date) -> str:
    words = {
        "y": f"{day.year % 100:02}",
        "Y": f"{day.year:04}",
        "m": f"{day.month:02}",
        "b": _MONTHS[day.month - 1],
        "d": f"{day.day:02}",
        "-d": str(day.day),
    }
    return _DATE_CODE.sub(lambda found: words[found[1]], text)
