"""Field rules backwards: the venue's value for a unified one."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cexspec.compile.conditions import Predicate, predicate
from cexspec.compile.convert import NANOSECONDS
from cexspec.compile.leaves import nothings
from cexspec.compile.paths import MISSING, Path, Steps, parse
from cexspec.mock.document import get, like, put
from cexspec.spec.model import FieldRule


def never(item: object) -> bool:
    """It always has what the rule reads."""
    return False


PARTLY = "partially_filled"
"""A status that some venues have no word for: there such an order is open, and what is filled of it tells."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """A rule as plain data, taken from the spec once: where it reads, and how to turn a value round.

    `words` are the venue's by the unified ones; `negative` is the word of a negative number; `split` is the separators and the part.
    """

    of: str
    paths: tuple[Path, ...]
    words: Mapping[Any, Any] | None
    negative: str | None
    unit: str | None
    case: str | None
    prefix: str
    plus: int
    strip: str
    split: tuple[tuple[str, ...], int] | None
    lookup: tuple[Steps, Steps, Steps] | None = None
    """where the list is in the message that it looks into, where its keys and its values are in an element"""
    optional: bool = False
    negate: bool = False
    minus: Path | None = None
    over: Path | None = None
    nothings: frozenset[str] = frozenset()
    """texts that mean that there is none"""
    zero: bool = False
    """0 means that there is none"""
    unless: Predicate = never
    """whether an item has something else where it reads"""
    other: Inverse | None = None
    """the rule that is read where this one gives none"""

    def is_none(self, value: Any) -> bool:
        """Whether a venue's value means that there is none."""
        if value is None or value is MISSING or str(value) in self.nothings:
            return True
        return self.zero and is_zero(value)


def inverse(rule: FieldRule, words: Mapping[Any, Any] | None = None) -> Inverse | None:
    """A rule turned round; None where it can't be written. `words` serve where the rule has none of its own."""
    table = rule.lookup
    texts = [rule.path] if rule.path is not None else rule.first_of or []
    paths = tuple(path for path in map(parse, texts) if path.rest is None)
    if not paths or rule.times is not None:
        return None
    if rule.map is not None:
        words = {unified: venue for venue, unified in reversed(rule.map.items())}
        words |= {PARTLY: words["new"]} if "new" in words and PARTLY not in words else {}
    elif rule.flag is not None:
        words = {rule.flag.true: True, rule.flag.false: False}
    return Inverse(
        of=rule.of,
        paths=paths,
        words=words,
        negative=rule.sign.negative if rule.sign is not None else None,
        unit=rule.unit,
        case=rule.case,
        prefix=rule.prefix or "",
        plus=rule.plus or 0,
        strip=rule.strip or "",
        split=(tuple(rule.split.by), rule.split.part) if rule.split is not None else None,
        lookup=(parse(table.in_).steps, parse(table.by).steps, parse(table.take).steps) if table is not None else None,
        optional=rule.optional,
        negate=rule.negate,
        minus=parse(rule.minus) if rule.minus is not None else None,
        over=parse(rule.over) if rule.over is not None else None,
        nothings=frozenset(nothings(rule)),
        zero=rule.zero is not None,
        unless=predicate(rule.unless) if rule.unless is not None else never,
        other=inverse(rule.or_, words) if rule.or_ is not None else None,
    )


def is_zero(value: Any) -> bool:
    """Whether a venue's value is the number 0."""
    try:
        return Decimal(str(value)) == 0
    except ArithmeticError:
        return False


def nanoseconds(rule: Inverse, value: Any) -> int | None:
    """A venue's time as a rule reads one; None for what is no time, or none of that form."""
    if isinstance(value, bool) or rule.unit is None:
        return None
    try:
        if rule.unit == "iso":
            return round(datetime.fromisoformat(str(value)).timestamp()) * 1_000_000_000
        return int(Decimal(str(value)) * NANOSECONDS[rule.unit])
    except (ArithmeticError, KeyError, ValueError):
        return None


def key_of(rule: Inverse, value: Any, message: Any) -> Any:
    """The key under which the list that a rule looks into has a unified value; it is listed there if it was not."""
    assert rule.lookup is not None
    place, by, take = rule.lookup
    listed = get(message, place)
    for row in listed:
        if get(row, take) == written(rule, value, get(row, take)):
            return get(row, by)
    keys = [key for row in listed if isinstance(key := get(row, by), int)]
    row = put(put(copy.deepcopy(listed[0]), take, written(rule, value, get(listed[0], take))), by, max(keys, default=0) + 1)
    listed.append(row)
    return get(row, by)


def written(rule: Inverse, value: Any, current: Any) -> Any:
    """The venue's value for a unified one, in the form of `current`, which stands in the sample."""
    if rule.negative is not None:
        number = abs(Decimal(str(current or 1)))
        return like(current, -number if value == rule.negative else number)
    if rule.words is not None:
        value = rule.words.get(str(value).lower() if isinstance(value, bool) else value, value)
    return like(current, _joined(rule, _in_unit(rule.unit, value, current), current))


def _in_unit(unit: str | None, value: Any, current: Any) -> Any:
    match unit:
        case "s":
            return Decimal(value) / 1_000_000_000
        case "ms" | "us" | "ns":
            return value // NANOSECONDS[unit]
        case "iso":
            return _iso(value, str(current))
        case "fraction":
            return value / 100
        case "decimals":
            return -Decimal(value).adjusted()
        case _:
            return value


def _iso(time: int, current: str) -> str:
    """A time with as many decimals of a second as another."""
    digits = current.partition(".")[2].removesuffix("Z")
    seconds = datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{f'{time % 1_000_000_000:09}'[: len(digits)]}Z" if digits.isdigit() else f"{seconds}.{time // 1_000_000 % 1000:03}Z"


def _joined(rule: Inverse, value: Any, current: Any) -> Any:
    if rule.plus:
        value = int(value) - rule.plus
    if rule.negate:
        value = -value
    if rule.case is not None:
        value = str(value).lower() if rule.case == "upper" else str(value).upper()
    if rule.prefix:
        value = str(value).removeprefix(rule.prefix)
    if rule.strip:
        value = f"{rule.strip}{value}"
    if rule.split is not None and isinstance(current, str):
        by, part = rule.split
        pieces = re.split(f"({'|'.join(map(re.escape, by))})", current)  # parts and, between them, what separates them
        pieces[2 * part if part >= 0 else 2 * part + 1] = str(value)
        value = "".join(pieces)
    return value
