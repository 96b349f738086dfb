"""The steps of one field rule: from the value as decoded to the unified one, in the order the language fixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from cexspec.compile import convert
from cexspec.compile.access import Access, Scope
from cexspec.compile.conditions import integers, text_of
from cexspec.compile.derived import whole, whole_order
from cexspec.compile.hole import Hole
from cexspec.compile.leaves import Bases, Words, leaf_of, textual, wire_words
from cexspec.compile.numbers import NumberType, best_first, decimal_levels, exact, finite, float_levels, number_reader, unsigned
from cexspec.compile.paths import parse
from cexspec.compile.source import Writer
from cexspec.compile.targets import FieldTarget, Target
from cexspec.compile.wire import TIMES, Leaf, Wire
from cexspec.spec.model import FieldRule

TIME_READERS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "iso": "iso"}
"""What generated code calls the readers of times, by unit."""

_ATTRIBUTE = re.compile(r"[\w.]+")
_JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Setting:
    """Where the code of field rules goes: its names, its lines, where `$` is, and the venue's interval words.

    `passing`: the statement that leaves an item of which not everything is known yet, where items are partial updates.
    """

    scope: Scope
    writer: Writer
    bases: Bases
    intervals: Mapping[str, str]
    passing: str | None = None

    def literal(self, text: str, target: FieldTarget) -> object:
        """A word of the spec as the value of a field."""
        match target.target:
            case Target.NUMBER:
                return number_reader(self.scope.wire.number)(text)
            case Target.INTEGER | Target.TIME:
                return int(text)
            case Target.BOOLEAN:
                return text == "true"
            case _:
                return text


class Conversion:
    """Writes the statements of one rule. `code` is the expression of the value so far, which is never null; `leaf` what it holds."""

    def __init__(self, setting: Setting, variable: str, rule: FieldRule, target: FieldTarget, code: str, found: Access) -> None:
        self.setting, self.wire, self.line = setting, setting.scope.wire, setting.writer.line
        self.variable, self.rule, self.target, self.code = variable, rule, target, code
        leaf = Leaf.STRING if found.text else leaf_of(rule, target)
        self.leaf = Leaf.ANY if found.plain or self.wire.untyped(leaf) else leaf

    def write(self) -> None:
        """Leave the unified value in the variable."""
        rule = self.rule
        if textual(rule):
            self._text()
        if rule.flag is not None:
            self._take(Leaf.BOOLEAN)
            self.code = f"{self._word(rule.flag.true)} if {self.code} else {self._word(rule.flag.false)}"
        elif rule.sign is not None:
            self._number()
            self._zero()
            word = f"{self._word(rule.sign.positive)} if {self.code} > 0 else {self._word(rule.sign.negative)}"
            self.code = word if rule.zero is None else f"None if {self.code} is None else {word}"
        elif rule.map is not None or self.target.target is Target.WORD:
            self._words(rule.map if rule.map is not None else {word: word for word in self.target.words})
        else:
            self._unmapped()
        self._bind()

    def _unmapped(self) -> None:
        match self.target.target:
            case Target.NUMBER:
                self._number()
                self._zero()
                self._arithmetic()
                self._unsigned()
            case Target.TIME:
                self._time()
                self._zero()
            case Target.INTEGER:
                self._take(Leaf.INTEGER)
                self._zero()
            case Target.BOOLEAN:
                self._take(Leaf.BOOLEAN)
            case Target.INTERVAL:
                self._as_text()
                self._look_up(_intervals(self.setting.intervals))
            case Target.SYMBOL if not textual(self.rule):
                self._take(Leaf.STRING)
            case _:
                self._as_text()
                if self.rule.plus is not None:
                    self.code = f"added({self.code}, {self.rule.plus})"

    def _bind(self) -> None:
        if self.code != self.variable:
            self.line(f"{self.variable} = {self.code}")
            self.code = self.variable

    def _call(self, function: object, name: str) -> None:
        self.code = f"{self.setting.scope.constant(function, name)}({self.code})"

    def _take(self, leaf: Leaf, words: Words = ()) -> None:
        """See to it that the value is what typed decoding makes of it."""
        if self.leaf is not leaf:
            self._call(reread(self.wire, leaf, words), "reread")
            self.leaf = leaf

    def _as_text(self) -> None:
        """A text, or an integer's text: ids come both ways."""
        if self.leaf is not Leaf.STRING:
            self._take(Leaf.TEXT)
            if not _ATTRIBUTE.fullmatch(self.code):
                self._bind()
            self.code = f'f"{{{self.code}}}"'
            self.leaf = Leaf.STRING

    def _text(self) -> None:
        rule = self.rule
        self._as_text()
        if rule.split is not None:
            self.code = f"part({self.code}, {tuple(rule.split.by)!r}, {rule.split.part})"
        if rule.strip is not None:
            self.code = f"{self.code}.removeprefix({rule.strip!r})"
        if rule.prefix is not None:
            self.code = f"({rule.prefix!r} + {self.code})"
        if rule.case is not None:
            self.code = f"{self.code}.{rule.case}()"

    def _words(self, mapping: Mapping[str, str]) -> None:
        table: dict[object, object] = {venue: self.setting.literal(word, self.target) for venue, word in mapping.items()}
        known = wire_words(self.rule, self.target)
        if known:
            self._take(Leaf.WORDS, known)
            if all(venue == word for venue, word in table.items()) and not integers(mapping):
                return  # decoding lets nothing through but the unified words
            table |= {number: table[str(number)] for number in integers(mapping)}
            self.code = f"{self.setting.scope.constant(table, 'words')}[{self.code}]"  # nor anything that isn't listed
            return
        elif self.leaf is not Leaf.STRING:
            self._take(Leaf.SCALAR)
            self.code = f"text_of({self.code})"
        self._look_up(table)

    def _look_up(self, table: dict[object, object]) -> None:
        words = self.setting.scope.constant(convert.Words(table), "words")
        if self.rule.unknown is None:
            self.code = f"{words}[{self.code}]"
        else:
            self.code = f"{words}.get({self.code}, {self._word(self.rule.unknown)})"

    def _word(self, text: str) -> str:
        return self.setting.scope.constant(self.setting.literal(text, self.target), "word")

    def _number(self) -> None:
        narrow = self.leaf in (Leaf.NUMBER, Leaf.NUMBER_OR_EMPTY) and self.wire.number is Decimal
        if narrow:
            self.line(f"if not {self.code}.isascii(): number({self.code})")
            self.code = f"exact({self.code})"
            self._bind()
            self.line(f"if not {self.variable}.is_finite(): finite({self.variable})")
        elif self.leaf is Leaf.ANY and self.wire.number is Decimal:  # the decoder has read fractions exactly
            self._bind()
            self.line(f"if {self.variable}.__class__ is not Decimal: {self.variable} = number({self.variable})")
        elif self.leaf is not Leaf.NUMBER:  # one is a float already
            self.code = f"number({self.code})"
        self.leaf = Leaf.NUMBER

    def _time(self) -> None:
        unit = self.rule.unit or "ns"
        if unit == "iso" and self.leaf is not Leaf.STRING:
            self._take(Leaf.ISO)
        usual = self.leaf is TIMES[unit]
        if unit != "iso" and usual:  # a whole number of units
            self.code = f"{self.code} * {convert.NANOSECONDS[unit]}"
        elif usual and self.wire.narrow:  # of no more than microseconds
            self._bind()
            latest = self.setting.scope.constant(convert.LatestSecond(), "latest")
            self.line(f"moment = moment_of({self.code})")
            self.line("if moment.tzinfo is not UTC: raise Hole('another time zone')")
            self.line(f"first, after, since = {latest}.known")
            self.line(f"if not first <= {self.code} < after: since = {latest}.turn({self.code}, moment)")
            self.code = "since + moment.microsecond * 1000"
        else:
            self.code = f"{TIME_READERS[unit]}({self.code})"

    def _zero(self) -> None:
        if self.rule.zero is not None:
            self._bind()
            self.line(f"if {self.variable} == 0: {self.variable} = None")

    def _arithmetic(self) -> None:
        rule = self.rule
        idle = not (rule.abs or rule.negate) and all(word is None for word in (rule.minus, rule.times, rule.over, rule.plus, rule.unit))
        if rule.zero is None or idle:
            self._calculate()
            return
        with self.setting.writer.block(f"if {self.variable} is not None"):
            self._calculate()
            self._bind()

    def _calculate(self) -> None:
        rule = self.rule
        self._sign()
        if rule.plus is not None:
            self.code = f"({self.code} + {rule.plus})"
        if rule.minus is not None:
            self.code = f"({self.code} - number({self._factor(rule.minus)}))"
        if rule.times is not None:
            self.code = f"{self.code} * number({self._factor(rule.times)})"
        if rule.over is not None:
            read = "some_number" if rule.optional else "number"
            self.code = f"ratio({self.code}, {read}({self._factor(rule.over)}))"
        if rule.unit == "fraction":
            self.code = f"{self.code} * 100"
        elif rule.unit == "decimals":
            self.code = f"number(step({self.code}))"

    def _sign(self) -> None:
        if self.rule.abs:
            self.code = f"{self.code}.copy_abs()" if self.wire.number is Decimal else f"abs({self.code})"
        if self.rule.negate:
            self.code = f"negated({self.code})"

    def _unsigned(self) -> None:
        """See to it that what counts something is not less than nothing."""
        if not self.target.counts or self.rule.abs:
            return
        self._bind()
        none = self.rule.zero is not None or self.rule.over is not None
        there = f"{self.variable} is not None and " if none else ""
        below = f"{self.variable}.is_signed()" if self.wire.number is Decimal else f"{self.variable} < 0"
        self.line(f"if {there}{below}: unsigned({self.variable})")

    def _factor(self, path: str) -> str:
        base = self.setting.bases.of(self.rule.of)
        return "None" if base is None else self.setting.scope.access(base, parse(path)).code


def reread(wire: Wire, leaf: Leaf, words: Words = ()) -> Callable[[object], object]:
    """Decoded JSON -> what typed decoding would have made of it: by the same decoder, so that there is no difference."""
    decode = wire.decoder(wire.leaf_type(leaf, words)).decode
    texts = leaf in (Leaf.STRING, Leaf.TEXT)

    def read(value: object) -> object:
        if texts and value.__class__ is str:
            return value
        return decode(str(value).encode() if value.__class__ is int else _JSON.encode(value))

    return read


def _intervals(intervals: Mapping[str, str]) -> dict[object, object]:
    """Venue word -> unified; a word that is unified already (it may come from the request) stands for itself."""
    return {**{unified: unified for unified in intervals}, **{venue: unified for unified, venue in intervals.items()}}


def names(number: NumberType) -> dict[str, object]:
    """What generated code may call by name."""
    times = {name: convert.time_reader(unit) for unit, name in TIME_READERS.items() if unit != "iso"}
    read = number_reader(number)
    return {**_NAMES, **times, "number": read, "some_number": lambda value: None if value is None else read(value)}


_NAMES: dict[str, object] = {
    "Decimal": Decimal,
    "Hole": Hole,
    "Table": convert.Table,
    "UTC": UTC,
    "added": convert.added,
    "best_first": best_first,
    "columns": convert.columns,
    "currency_of": convert.currency_of,
    "decimal_levels": decimal_levels,
    "ends_before": convert.ends_before,
    "exact": exact,
    "finite": finite,
    "float_levels": float_levels,
    "iso": convert.iso_nanoseconds,
    "keyed": convert.keyed,
    "moment_of": datetime.fromisoformat,
    "negated": convert.negated,
    "part": convert.part,
    "ratio": convert.ratio,
    "scaled": convert.scaled,
    "step": convert.step,
    "text_of": text_of,
    "unsigned": unsigned,
    "whole": whole,
    "whole_order": whole_order,
    "zipped": convert.zipped,
}
