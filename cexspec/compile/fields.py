"""Field rules: the statements that read a venue's value from the message and leave the unified one in a variable."""

from __future__ import annotations

from dataclasses import replace

from cexspec.compile.access import Access
from cexspec.compile.conversion import Conversion, Setting
from cexspec.compile.inline import condition_code
from cexspec.compile.leaves import nothings, paths_of
from cexspec.compile.paths import parse
from cexspec.compile.source import Origin
from cexspec.compile.tables import key_of
from cexspec.compile.targets import FieldTarget
from cexspec.spec.model import Branching, FieldRule, Lookup, Place

_REQUEST_NAMES = {"symbol": "id"}
"""The request's own name of a field, where it differs: a message's symbol is the native id."""


class FieldWriter:
    """Writes the statements of field rules into one extractor."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.line, self.block = setting.writer.line, setting.writer.block

    def write(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        """Statements that leave the unified value in `variable`; None only where the field may be None."""
        own = target if rule.or_ is None else replace(target, nullable=True)
        with self.setting.writer.origin(Origin(target.name, " or ".join(paths_of(rule)), rule.where)):
            if rule.unless is None:
                self._given(variable, rule, own)
            else:
                with self.block(f"if {condition_code(self.setting.scope, self.setting.bases.item, rule.unless)}"):
                    self._nothing(variable, own, "there is none where 'unless' holds")
                with self.block("else"):
                    self._given(variable, rule, own)
        if rule.or_ is not None:
            with self.block(f"if {variable} is None"):
                self.write(variable, rule.or_, target)

    def _given(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        """What its source gives."""
        if rule.branching is not None:
            self._branches(variable, rule.branching, target)
        elif rule.const is not None:
            self.line(f"{variable} = {self.setting.scope.constant(self.setting.literal(rule.const, target), 'const')}")
        elif rule.market is not None:
            self.line(f"{variable} = currency_of(market.symbol, {rule.market!r})")
        else:
            self._read(variable, rule, target)

    def _branches(self, variable: str, branching: Branching, target: FieldTarget) -> None:
        word = "if"
        for name, branch in branching.rules.items():
            if name != "other":
                with self.block(f"{word} {branching.on} == {name!r}"):
                    self.write(variable, branch, target)
                word = "elif"
        with self.block("else" if word == "elif" else "if True"):
            if "other" in branching.rules:
                self.write(variable, branching.rules["other"], target)
            else:
                self._nothing(variable, target, f"no rule for markets of this {branching.on}")

    def _nothing(self, variable: str, target: FieldTarget, reason: str) -> None:
        self.line(f"{variable} = None" if target.nullable else f"raise Hole({reason!r})")

    def _read(self, variable: str, rule: FieldRule, target: FieldTarget) -> None:
        found = self._access(variable, rule, target)
        if rule.lookup is not None:
            found = self._looked_up(variable, rule.lookup, found)
        may_miss = found.nullable and (rule.optional or rule.of == "request")
        code, absent = found.code, nothings(rule)
        if found.nullable or absent:
            self._set(variable, code)
            code = variable
        if code == variable and not may_miss:
            self._refuse_none(variable, _place(rule), rule)
        if absent == ("",):
            self.line(f"if {variable} == '': {variable} = None")
        elif absent:
            self.line(f"if text_of({variable}) in {self.setting.scope.constant(frozenset(absent), 'nothings')}: {variable} = None")
        conversion = Conversion(self.setting, variable, rule, target, code, found)
        if may_miss or absent:
            with self.block(f"if {variable} is not None"):
                self._convert(conversion, rule)
        else:
            self._convert(conversion, rule)
        if not target.nullable and (may_miss or rule.may_be_none):
            self._refuse_none(variable, _place(rule), rule)

    def _convert(self, conversion: Conversion, rule: FieldRule) -> None:
        for path in (rule.minus, rule.times, rule.over) if self._partial(rule) else ():
            if path is not None:
                self._refuse_none(self.setting.scope.access(self.setting.bases.item, parse(path)).code, path, rule)
        conversion.write()

    def _refuse_none(self, code: str, place: str, rule: FieldRule) -> None:
        """A required value is missing; of a partial update it may be yet to come."""
        nothing = f"raise Hole({'nothing at ' + place!r})"
        if not self._partial(rule):
            self.line(f"if {code} is None: {nothing}")
            return
        with self.block(f"if {code} is None"):
            self.line(f"if whole: {nothing}")
            self.line(str(self.setting.passing))

    def _partial(self, rule: FieldRule) -> bool:
        """Whether the value stands in a partial update."""
        return self.setting.passing is not None and rule.of == "item"

    def _access(self, variable: str, rule: FieldRule, target: FieldTarget) -> Access:
        """How the rule's value is reached; of several places the first that holds something."""
        base = self.setting.bases.of(rule.of)
        if rule.place is not None:
            return Access(_counted(rule.place), plain=True, nullable=False)
        if rule.of == "key":
            return Access("key", plain=True, nullable=True)
        if rule.of == "request":
            name = rule.path.removeprefix("$.") if rule.path is not None else _REQUEST_NAMES.get(target.name, target.name)
            return Access(f"request.get({name!r}) if request else None", plain=True, nullable=True)
        if base is None:
            return Access("None", plain=True, nullable=True)
        first, *others = [self.setting.scope.access(base, parse(text)) for text in paths_of(rule)]
        for other in others:
            self._set(variable, first.code)
            with self.block(f"if {variable} is None"):
                self._set(variable, other.code)
            first = Access(variable, first.plain or other.plain, nullable=True)
        return first

    def _looked_up(self, variable: str, lookup: Lookup, found: Access) -> Access:
        """What a table has for the key that was found; nothing for no key."""
        table = self.setting.scope.tables[key_of(lookup)]
        self._set(variable, found.code)
        key = f"text_of({variable})" if found.plain else f'f"{{{variable}}}"'
        entry = f"{table.code}[{key}]"
        self.line(f"if {variable} is not None: {variable} = {entry}" if found.nullable else f"{variable} = {entry}")
        return Access(variable, table.plain, nullable=True)

    def _set(self, variable: str, code: str) -> None:
        if code != variable:
            self.line(f"{variable} = {code}")


def _counted(place: Place) -> str:
    """The number of an item by its place: code."""
    if not place.nested:
        return "place"
    starts = place.starts
    last, behind = len(starts) - 1, f"{starts[-1]} + (outer_place - {len(starts) - 1}) * {place.every}"
    return f"({starts}[outer_place] if outer_place < {last} else {behind}) + place"


def _place(rule: FieldRule) -> str:
    place = " or ".join(paths_of(rule)) or f"the {rule.of}"
    return place if rule.lookup is None else f"{place}, looked up in {rule.lookup.in_}"
