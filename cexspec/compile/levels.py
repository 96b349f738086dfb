"""Book levels: from a venue's rows to `(price, size)` pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from cexspec.compile.access import Access, Scope
from cexspec.compile.conversion import Setting
from cexspec.compile.fields import FieldWriter
from cexspec.compile.inline import condition_code, request_conditions
from cexspec.compile.leaves import Bases, request_paths
from cexspec.compile.paths import Path, PathError, Steps, Wild, parse
from cexspec.compile.source import Origin
from cexspec.compile.targets import FieldTarget, Target
from cexspec.compile.wire import Leaf
from cexspec.spec.model import FieldRule, Levels

PRICE = FieldTarget("price", Target.NUMBER, required=True, nullable=False)
SIZE = FieldTarget("size", Target.NUMBER, required=True, nullable=False)
SIDE = FieldTarget("side", Target.WORD, required=True, nullable=False, words=("bid", "ask"))


class LevelWriter:
    """Writes the statements that leave `bids` and `asks` (and `size_unit`, where they are counted in contracts).

    `pairs`: rows are taken to be a price and a size and nothing else.
    """

    def __init__(self, levels: Levels, bases: Bases, scope: Scope, *, pairs: bool) -> None:
        self.levels, self.bases, self.scope, self.pairs = levels, bases, scope, pairs
        paths = {"bids": levels.bids, "asks": levels.asks} if levels.mixed is None else {"mixed": levels.mixed}
        self.rows = {name: self._row(path or "$", mixed=name == "mixed") for name, path in paths.items()}

    @property
    def can_pair(self) -> bool:
        """Whether rows that hold nothing but price and size could be taken as they are."""
        return self._simple and (self.levels.price.path, self.levels.size.path) == ("$[0]", "$[1]")

    def request(self) -> None:
        """Add the rows to the wire type. Raises PathError."""
        for row in self.rows.values():
            if self.pairs:
                self.scope.request(row, Leaf.PAIR, required=True)
                continue
            if self.levels.split is not None:
                self.scope.request(row, Leaf.STRING, required=True)
                continue
            if not self.scope.walked(row):
                self.scope.wire.require(row)
            bases = replace(self.bases, item=row)
            for rule, target in self._rules():
                request_paths(self.scope, bases, rule, target)
            request_conditions(self.scope, row, self.levels.remove_when)

    def write(self, setting: Setting, *, sort: str | None) -> None:
        """Statements for all lists; `sort` is the name of the variable that says whether to sort."""
        line, block = setting.writer.line, setting.writer.block
        if self.levels.mixed is not None:
            line("bids = []; asks = []")
        for name, row in self.rows.items():
            with setting.writer.origin(Origin(name, getattr(self.levels, name), self.levels.where)):
                if self._simple:
                    self._comprehension(setting, name, row)
                else:
                    self._loop(setting, name, row)
        if sort is not None:
            with block(f"if {sort}"):
                line("bids = best_first(bids, descending=True); asks = best_first(asks, descending=False)")
        if self.levels.size.scale is not None:
            line("bids, size_unit = scaled(bids, market)")
            line("asks, size_unit = scaled(asks, market)")

    def _rules(self) -> Iterator[tuple[FieldRule, FieldTarget]]:
        yield self.levels.price, PRICE
        yield self.levels.size, SIZE
        if self.levels.side is not None:
            yield self.levels.side, SIDE

    def _row(self, text: str, *, mixed: bool) -> Steps:
        """Where one level is."""
        path = parse(text)
        if not path.lowered or (path.many and not mixed):
            raise PathError(f"'{text}' is no plain path to the list of levels")
        return (*self.bases.item, *path.steps) if mixed else (*self.bases.item, *path.steps, Wild.ELEMENTS)

    @property
    def _simple(self) -> bool:
        """Whether a level is nothing but the numbers at two places."""
        levels = self.levels
        bare = all(rule.model_fields_set <= {"path", "scale"} for rule in (levels.price, levels.size))
        return bare and levels.mixed is None and levels.split is None and levels.remove_when is None

    def _comprehension(self, setting: Setting, side: str, row: Steps) -> None:
        rows = self.scope.access((), Path(side, row[:-1]))
        level = self._bind(row, plain=rows.plain)
        numbers, found = [f"{level}_price", f"{level}_size"], list[Access]()
        if self.pairs:
            each = f"for {', '.join(numbers)} in {rows.code}"
        else:
            found = [self.scope.access(row, parse(rule.path or "$")) for rule in (self.levels.price, self.levels.size)]
            numbers = [one.code for one in found]
            each = f"for {level} in {rows.code}"
        exact = self.scope.wire.number is Decimal
        typed = rows.code if self.pairs else f"[({', '.join(numbers)}) {each}]"
        if any(one.plain for one in (rows, *found)) or (exact and not self.scope.wire.narrow):
            price, size = (_exactly(one) if exact else f"number({one})" for one in numbers)
            code = f"[({price}, unsigned({size})) {each}]"
        elif self.pairs and not exact:
            code = typed  # the decoder refuses sizes below zero
        else:
            code = f"{'decimal' if exact else 'float'}_levels({typed})"
        setting.writer.line(f"{side} = {code}")

    def _loop(self, setting: Setting, name: str, row: Steps) -> None:
        many = row[-1:] == (Wild.ELEMENTS,)
        rows = self.scope.access((), Path(name, row[:-1] if many else row))
        split, line = self.levels.split, setting.writer.line
        level = self._bind(row, plain=rows.plain or split is not None)
        if self.levels.mixed is None:
            line(f"{name} = []")
        with setting.writer.block(f"for {level} in {rows.code if many else f'({rows.code},)'}"):
            if split is not None:
                line(f"{level} = {level}.split({split!r})")
            self._level(replace(setting, bases=replace(self.bases, item=row)), name, row)

    def _level(self, setting: Setting, name: str, row: Steps) -> None:
        """One level of a loop: into its list."""
        fields, line = FieldWriter(setting), setting.writer.line
        for rule, target in self._rules():
            fields.write(f"level_{target.name}", rule, target)
        if self.levels.remove_when is not None:
            zero = self.scope.constant(self.scope.wire.number(0), "zero")
            line(f"if {condition_code(self.scope, row, self.levels.remove_when)}: level_size = {zero}")
        chosen = name if self.levels.side is None else "(bids if level_side == 'bid' else asks)"
        line(f"{chosen}.append((level_price, level_size))")

    def _bind(self, row: Steps, *, plain: bool) -> str:
        variable = f"level{len(self.scope.bound)}"
        self.scope.bind(row, variable, plain=plain)
        return variable


def _exactly(code: str) -> str:
    """A number as decoded -> `Decimal`; the decoder has read fractions exactly."""
    return f"figure if (figure := {code}).__class__ is Decimal else number(figure)"
