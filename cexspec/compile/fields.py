"""One field rule: what it reads from the message, and the statements that turn it into the unified value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cexspec.compile import convert
from cexspec.compile.access import Access, Scope
from cexspec.compile.paths import Path, PathError, Steps, parse
from cexspec.compile.source import Origin, Writer
from cexspec.compile.targets import FieldTarget, Target
from cexspec.compile.wire import Leaf
from cexspec.spec.model import FieldRule

PLAIN_READERS = {
    Leaf.TEXT: convert.text,
    Leaf.STRING: convert.text,
    Leaf.INTEGER: convert.integer,
    Leaf.BOOLEAN: convert.boolean,
    Leaf.SCALAR: convert.text,
    Leaf.WORDS: convert.text,
}


@dataclass(frozen=True)
class Bases:
    """Where `$` is for each `of:`, as steps from the root of the frame; None where there is no such thing."""

    item: Steps
    message: Steps
    frame: Steps | None
    parent: Steps | None = None

    def of(self, source: str) -> Steps | None:
        """The base of `of: source`."""
        return {"item": self.item, "message": self.message, "frame": self.frame, "parent": self.parent}.get(source)


def leaf_of(rule: FieldRule, target: FieldTarget) -> Leaf:
    """How the wire value is decoded."""
    if rule.split or rule.strip or rule.prefix or rule.case:
        return Leaf.TEXT
    if rule.flag:
        return Leaf.BOOLEAN
    if rule.sign:
        return Leaf.NUMBER
    if words_of(rule, target):
        return Leaf.WORDS
    if rule.map:
        return Leaf.SCALAR
    if rule.empty:
        return Leaf.TEXT
    return _BY_TARGET[target.target] if target.target is not Target.TIME else _time_leaf(rule)


def words_of(rule: FieldRule, target: FieldTarget) -> tuple[str | int, ...]:
    """All that the venue may send, where that is a closed list: decoding checks it then."""
    texts = rule.split or rule.strip or rule.prefix or rule.case
    if texts or rule.flag or rule.sign or rule.unknown is not None or (rule.map is None and target.target is not Target.WORD):
        return ()
    words: list[str | int] = list(rule.map if rule.map is not None else target.words)
    if {"true", "false"} & set(words):
        return ()
    words += [int(word) for word in words if isinstance(word, str) and word.isascii() and word.lstrip("-").isdigit()]
    return (*words, "") if rule.empty else tuple(words)


_BY_TARGET = {
    Target.NUMBER: Leaf.NUMBER,
    Target.TEXT: Leaf.TEXT,
    Target.INTEGER: Leaf.INTEGER,
    Target.BOOLEAN: Leaf.BOOLEAN,
    Target.WORD: Leaf.TEXT,
    Target.INTERVAL: Leaf.TEXT,
    Target.SYMBOL: Leaf.STRING,
}


def _time_leaf(rule: FieldRule) -> Leaf:
    if rule.unit == "iso":
        return Leaf.STRING
    return Leaf.EXACT if rule.unit == "s" else Leaf.TIME


def paths_of(rule: FieldRule) -> list[str]:
    """The paths a rule reads its value from (without `times`)."""
    if rule.path is not None:
        return [rule.path]
    return list(rule.first_of or [])


def request_paths(scope: Scope, bases: Bases, rule: FieldRule, target: FieldTarget, *, optional: bool = False) -> None:
    """Add what the rule reads to the wire type. Raises PathError."""
    for branch in (rule.by_kind or {}).values():
        request_paths(scope, bases, branch, target, optional=True)
    base = bases.of(rule.of)
    several = rule.first_of is not None
    if base is not None:
        for text in paths_of(rule):
            scope.asked.append((base + parse(text).steps, Origin(target.name, text, rule.where)))
            _add(scope, base, text, leaf_of(rule, target), required=not (rule.optional or several or optional), words=words_of(rule, target))
    if rule.times is not None and base is not None:
        _add(scope, base, rule.times, Leaf.STRING if rule.empty else Leaf.NUMBER, required=not (rule.optional or optional))


def _add(scope: Scope, base: Steps, text: str, leaf: Leaf, *, required: bool, words: tuple[str | int, ...] = ()) -> None:
    path = parse(text)
    if path.rest is None and path.many:
        raise PathError(f"'{text}' finds many values where one is wanted")
    whole = Leaf.ANY if path.rest is not None else leaf
    scope.wire.add(base + path.steps, whole, required=required and path.rest is None, words=words if path.rest is None else ())


class FieldWriter:
    """Writes the statements of field rules into one extractor."""

    def __init__(self, scope: Scope, writer: Writer, bases: Bases, intervals: dict[str, str]) -> None:
        self.scope, self.writer, self.bases, self.intervals = scope, writer, bases, intervals
        self.number = scope.constant(convert.number_reader(scope.wire.number), "number")

    def write(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        """Statements that leave the unified value in `variable`."""
        with self.writer.origin(Origin(target.name, rule.path or "", rule.where)):
            if rule.by_kind is not None:
                self._by_kind(variable, rule, target)
            elif rule.const is not None:
                self.writer.line(f"{variable} = {self.scope.constant(self._constant(rule.const, target), 'const')}")
            elif rule.of in ("request", "key"):
                self._elsewhere(variable, rule, target)
            else:
                self._from_message(variable, rule, target)

    def _by_kind(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        for at, (kind, branch) in enumerate((rule.by_kind or {}).items()):
            head = "else" if kind == "other" else f"{'el' if at else ''}if kind == {kind!r}"
            with self.writer.block(head):
                self.write(variable, branch, target)
        if "other" not in (rule.by_kind or {}):
            with self.writer.block("else"):
                self.writer.line(f"{variable} = None")

    def _elsewhere(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        if rule.of == "key":
            self.writer.line(f"{variable} = key")
        else:
            name = rule.path.removeprefix("$.") if rule.path else {"symbol": "id"}.get(target.name, target.name)
            self.writer.line(f"{variable} = request.get({name!r}) if request else None")
        nullable = rule.optional or rule.of == "request"
        self._transform(variable, rule, target, Access("", True, nullable))

    def _from_message(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        base = self.bases.of(rule.of)
        if base is None:
            self.writer.line(f"{variable} = None")
            return
        found = [self.scope.access(base, parse(text)) for text in paths_of(rule)]
        self.writer.line(f"{variable} = {found[0].code}")
        for other in found[1:]:
            with self.writer.block(f"if {variable} is None"):
                self.writer.line(f"{variable} = {other.code}")
        plain = any(one.plain for one in found)
        nullable = plain or all(one.nullable for one in found)
        self._transform(variable, rule, target, Access("", plain, nullable))

    def _transform(self, variable: str, rule: FieldRule, target: FieldTarget, access: Access) -> None:
        if access.nullable and not (rule.optional or rule.of == "request"):
            with self.writer.block(f"if {variable} is None"):
                self.writer.line(f"raise Hole({'nothing at ' + ' or '.join(paths_of(rule) or [rule.of])!r})")
        absent = rule.optional and access.nullable or rule.of == "request" or rule.empty is not None
        if not absent:
            self._convert(variable, rule, target, plain=access.plain)
            return
        if rule.empty:
            self.writer.line(f"if {variable} == '': {variable} = None")
        with self.writer.block(f"if {variable} is not None"):
            self._convert(variable, rule, target, plain=access.plain)

    def _convert(self, variable: str, rule: FieldRule, target: FieldTarget, *, plain: bool) -> None:
        lines = _Conversion(self, variable, rule, target)
        lines.write(plain=plain)

    def _constant(self, text: str, target: FieldTarget) -> object:
        match target.target:
            case Target.NUMBER:
                return convert.number_reader(self.scope.wire.number)(text)
            case Target.INTEGER | Target.TIME:
                return convert.integer(text)
            case Target.BOOLEAN:
                return convert.boolean(text)
            case _:
                return text


class _Conversion:
    """The steps of one rule, in the order the language fixes."""

    def __init__(self, owner: FieldWriter, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        self.owner, self.variable, self.rule, self.target = owner, variable, rule, target
        self.line = owner.writer.line
        self.leaf = leaf_of(rule, target)
        self.plain = False

    def write(self, *, plain: bool) -> None:
        self.plain = plain
        textual = bool(self.rule.split or self.rule.strip or self.rule.prefix or self.rule.case)
        if plain:
            self._from_plain()
        if textual:
            self._texts(plain=plain)
        if self.rule.map or self.rule.flag or self.rule.sign:
            self._words()
        else:
            self._to_target(from_text=textual or self.rule.empty is not None, plain=plain)

    def _set(self, code: str) -> None:
        self.line(f"{self.variable} = {code}")

    def _constant(self, value: object, name: str) -> str:
        return self.owner.scope.constant(value, name)

    def _from_plain(self) -> None:
        if self.leaf in (Leaf.NUMBER, Leaf.EXACT):
            self._set(f"{self.owner.number}({self.variable})")
        elif self.leaf in PLAIN_READERS:
            self._set(f"{self._constant(PLAIN_READERS[self.leaf], 'read')}({self.variable})")

    def _texts(self, *, plain: bool) -> None:
        if self.rule.split is not None:
            self._set(f"part({self.variable}, {self.rule.split.by!r}, {self.rule.split.part})")
        elif not plain:
            self._set(f"str({self.variable})")
        if self.rule.strip is not None:
            self._set(f"{self.variable}.removeprefix({self.rule.strip!r})")
        if self.rule.prefix is not None:
            self._set(f"{self.rule.prefix!r} + {self.variable}")
        if self.rule.case is not None:
            self._set(f"{self.variable}.{self.rule.case}()")

    def _words(self) -> None:
        rule, variable = self.rule, self.variable
        if rule.flag is not None:
            yes, no = self._word(rule.flag.true), self._word(rule.flag.false)
            self._set(f"{yes} if {variable} else {no}")
        elif rule.sign is not None:
            if self.leaf is Leaf.NUMBER and self.owner.scope.wire.narrow and self.owner.scope.wire.number is Decimal and not self.plain:
                self._set(f"Decimal({variable})")
            self._set(f"{self._word(rule.sign.positive)} if {variable} > 0 else {self._word(rule.sign.negative)}")
        elif rule.map is not None:
            words = self._constant(convert.Words(self._table(rule.map)), "words")
            if rule.unknown is None:
                self._set(f"{words}[{variable}]")
            else:
                self._set(f"{words}.get({variable}, {self._word(rule.unknown)})")

    def _word(self, text: str) -> str:
        return self._constant(self.owner._constant(text, self.target), "word")

    def _table(self, mapping: dict[str, str]) -> dict[object, object]:
        table: dict[object, object] = {}
        for venue, unified in mapping.items():
            value = self.owner._constant(unified, self.target)
            table[venue] = value
            if venue.lstrip("-").isdigit():
                table[int(venue)] = value
            elif venue in ("true", "false"):
                table[venue == "true"] = value
        return table

    def _to_target(self, *, from_text: bool, plain: bool) -> None:
        match self.target.target:
            case Target.NUMBER:
                self._number(from_text=from_text, checked=plain)
            case Target.TIME:
                self._time(from_text=from_text, plain=plain)
            case Target.INTEGER if from_text:
                self._set(f"integer({self.variable})")
            case Target.BOOLEAN if from_text:
                self._set(f"boolean({self.variable})")
            case Target.TEXT if not plain and not from_text and self.leaf is not Leaf.STRING:
                self._set(f"{self.variable} if {self.variable}.__class__ is str else str({self.variable})")
            case Target.TEXT if not plain and self.rule.empty:
                self._set(f"str({self.variable})")
            case Target.WORD if plain:
                self._set(f"{self._constant(convert.Words({one: one for one in self.target.words}), 'words')}[{self.variable}]")
            case Target.INTERVAL:
                self._set(f"{self._constant(convert.Words(self._intervals()), 'intervals')}[{self.variable}]")

    def _intervals(self) -> dict[object, object]:
        """Venue word -> unified; a word that is already unified (it may come from the request) stands for itself."""
        table: dict[object, object] = {unified: unified for unified in self.owner.intervals}
        for unified, venue in self.owner.intervals.items():
            table[venue] = unified
            if venue.isdigit():
                table[int(venue)] = unified
        return table

    def _number(self, *, from_text: bool, checked: bool) -> None:
        rule, variable = self.rule, self.variable
        if from_text:
            self._set(f"{self.owner.number}({variable})")
        elif not checked and self.owner.scope.wire.number is Decimal:
            if self.owner.scope.wire.narrow:
                self._set(f"Decimal({variable})")
            self.line(f"if not {variable}.is_finite(): finite({variable})")
        if rule.zero:
            self.line(f"if {variable} == 0: {variable} = None")
        rest = bool(rule.abs or rule.times or rule.unit)
        if rule.zero and rest:
            with self.owner.writer.block(f"if {variable} is not None"):
                self._arithmetic()
        elif rest:
            self._arithmetic()

    def _arithmetic(self) -> None:
        rule, variable = self.rule, self.variable
        if rule.abs:
            self._set(f"{variable}.copy_abs()" if self.owner.scope.wire.number is Decimal else f"abs({variable})")
        if rule.times is not None:
            base = self.owner.bases.of(rule.of) or ()
            factor = self.owner.scope.access(base, parse(rule.times))
            self._set(f"{variable} * {self.owner.number}({factor.code})")
        if rule.unit == "fraction":
            self._set(f"{variable} * 100")

    def _time(self, *, from_text: bool, plain: bool) -> None:
        unit = self.rule.unit or "ns"
        if self.rule.zero:
            self.line(f"if not {self.variable} or {self.variable} == '0': {self.variable} = None")
            with self.owner.writer.block(f"if {self.variable} is not None"):
                self._moment(unit, from_text=from_text, plain=plain)
        else:
            self._moment(unit, from_text=from_text, plain=plain)

    def _moment(self, unit: str, *, from_text: bool, plain: bool) -> None:
        if unit == "iso":
            self._set(f"iso_nanoseconds({self.variable})")
        elif from_text or plain:
            self._set(f"{self._constant(convert.nanoseconds(unit), 'nanoseconds')}({self.variable})")
        else:
            factor = convert.NANOSECONDS[unit]
            if self.leaf is Leaf.TIME and self.owner.scope.wire.narrow:
                self._set(f"{self.variable} * {factor}")
            elif self.leaf is Leaf.TIME:  # a fraction is a float here: times a million it would lose digits
                exact = self._constant(convert.nanoseconds(unit), "nanoseconds")
                self._set(f"{self.variable} * {factor} if {self.variable}.__class__ is int else {exact}({self.variable})")
            else:
                self._set(f"int({self.variable} * {factor})")


NAMES: dict[str, object] = {
    "Decimal": Decimal,
    "Hole": convert.Hole,
    "part": convert.part,
    "integer": convert.integer,
    "boolean": convert.boolean,
    "finite": convert.finite,
    "iso_nanoseconds": convert.iso_nanoseconds,
    "keyed": convert.keyed,
    "zipped": convert.zipped,
    "columns": convert.columns,
    "scaled": convert.scaled,
    "best_first": convert.best_first,
}
"""What generated code may call by name."""

__all__ = ["NAMES", "Bases", "FieldWriter", "Path", "leaf_of", "paths_of", "request_paths"]
