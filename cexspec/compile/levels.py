"""Book levels: from a venue's rows to `(price, size)` pairs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cexspec.compile import convert
from cexspec.compile.access import Scope
from cexspec.compile.fields import Bases, FieldWriter, request_paths
from cexspec.compile.inline import condition_code, request_conditions
from cexspec.compile.paths import Path, PathError, Steps, Wild, parse
from cexspec.compile.source import Origin
from cexspec.compile.targets import FieldTarget, Target
from cexspec.compile.wire import Leaf
from cexspec.spec.model import FieldRule, Levels

PRICE = FieldTarget("price", Target.NUMBER, True, False)
SIZE = FieldTarget("size", Target.NUMBER, True, False)
SIDE = FieldTarget("side", Target.WORD, True, False, ("bid", "ask"))


class LevelWriter:
    """Writes the statements that leave `bids` and `asks` (and `size_unit`)."""

    def __init__(self, levels: Levels, item: Steps, bases: Bases, scope: Scope, *, pairs: bool = False) -> None:
        self.pairs = pairs
        self.levels, self.item, self.bases, self.scope = levels, item, bases, scope
        if levels.mixed is not None:
            self.lists = {"mixed": self._list(levels.mixed, single=True)}
        else:
            self.lists = {"bids": self._list(levels.bids or "$"), "asks": self._list(levels.asks or "$")}

    def request(self) -> None:
        """Add the rows to the wire type. Raises PathError."""
        for row in self.lists.values():
            if self.pairs:
                self.scope.wire.add(row, Leaf.PAIR, required=True)
                continue
            if self.levels.split is not None:
                self.scope.wire.add(row, Leaf.STRING, required=True)
                continue
            bases = replace(self.bases, item=row)
            for rule, target in ((self.levels.price, PRICE), (self.levels.size, SIZE), (self.levels.side, SIDE)):
                if rule is not None:
                    request_paths(self.scope, bases, rule, target)
            request_conditions(self.scope, row, self.levels.remove_when)

    def write(self, writer: FieldWriter, *, sort: str | None) -> None:
        """Statements for all lists; `sort` is the name of the variable that says whether to sort."""
        lines = writer.writer
        if self.levels.mixed is not None:
            lines.line("bids = []; asks = []")
            self._loop(writer, "mixed")
        else:
            for side in ("bids", "asks"):
                with lines.origin(Origin(side, getattr(self.levels, side) or "", self.levels.where)):
                    if self._simple:
                        self._comprehension(writer, side)
                    else:
                        lines.line(f"{side} = []")
                        self._loop(writer, side)
        if sort is not None:
            with lines.block(f"if {sort}"):
                lines.line("bids = best_first(bids, descending=True); asks = best_first(asks, descending=False)")
        if self.levels.size.scale:
            lines.line("bids, size_unit = scaled(bids, market)")
            lines.line("asks, size_unit = scaled(asks, market)")

    def _list(self, text: str, *, single: bool = False) -> Steps:
        path = parse(text)
        if not path.lowered or path.many and not single:
            raise PathError(f"'{text}' is no plain path to the list of levels")
        steps = (*self.item, *path.steps)
        return steps if single else (*steps, Wild.ELEMENTS)

    @property
    def _simple(self) -> bool:
        plain = {"path", "scale"}
        rules = (self.levels.price, self.levels.size)
        return self.levels.split is None and self.levels.remove_when is None and all(rule.model_fields_set <= plain for rule in rules)

    def _comprehension(self, writer: FieldWriter, side: str) -> None:
        row = self.lists[side]
        rows = self.scope.access((), Path(side, row[:-1]))
        if self.pairs:
            pair = "(Decimal(price), Decimal(size))" if self._texts else "(price, size)"
            writer.writer.line(f"{side} = [{pair} for price, size in {rows.code}]" if self._texts else f"{side} = {rows.code}")
            self._check(writer, side)
            return
        level = self._bind(row, plain=rows.plain)
        price, size = (self.scope.access(row, parse(rule.path or "$")) for rule in (self.levels.price, self.levels.size))
        lines = writer.writer
        if rows.plain:
            number = writer.number
            lines.line(f"{side} = [({number}({price.code}), {number}({size.code})) for {level} in {rows.code}]")
            return
        number = "Decimal" if self._texts else ""
        lines.line(f"{side} = [({number}({price.code}), {number}({size.code})) for {level} in {rows.code}]" if number else f"{side} = [({price.code}, {size.code}) for {level} in {rows.code}]")
        self._check(writer, side)

    def _check(self, writer: FieldWriter, side: str) -> None:
        if self.scope.wire.number is Decimal:
            writer.writer.line(f"{side} = {self.scope.constant(convert.finite_decimals, 'finite_decimals')}({side})")

    @property
    def _texts(self) -> bool:
        """Whether exact numbers arrive as text still."""
        return self.scope.wire.narrow and self.scope.wire.number is Decimal

    @property
    def can_pair(self) -> bool:
        """Whether rows that hold nothing else could be taken as they are."""
        return self._simple and (self.levels.price.path, self.levels.size.path) == ("$[0]", "$[1]")

    def _loop(self, writer: FieldWriter, name: str) -> None:
        row, lines = self.lists[name], writer.writer
        many = row[-1:] == (Wild.ELEMENTS,)
        rows = self.scope.access((), Path(name, row[:-1] if many else row))
        split = self.levels.split is not None
        level = self._bind(row, plain=rows.plain or split)
        with lines.block(f"for {level} in {rows.code if many else f'({rows.code},)'}"):
            if split:
                lines.line(f"{level} = {level}.split({self.levels.split!r})")
            inner = FieldWriter(self.scope, lines, replace(self.bases, item=row), writer.intervals)
            inner.write("level_price", self.levels.price, PRICE)
            inner.write("level_size", self.levels.size, SIZE)
            self._removal(inner, row)
            self._append(inner, name)

    def _removal(self, writer: FieldWriter, row: Steps) -> None:
        if self.levels.remove_when is not None:
            zero = self.scope.constant(self.scope.wire.number(0), "zero")
            writer.writer.line(f"if {condition_code(self.scope, row, self.levels.remove_when)}: level_size = {zero}")

    def _append(self, writer: FieldWriter, name: str) -> None:
        side: FieldRule | None = self.levels.side
        if side is None:
            writer.writer.line(f"{name}.append((level_price, level_size))")
            return
        writer.write("level_side", side, SIDE)
        writer.writer.line("(bids if level_side == 'bid' else asks).append((level_price, level_size))")

    def _bind(self, row: Steps, *, plain: bool) -> str:
        variable = f"level{len(self.scope.bound)}"
        self.scope.bind(row, variable, plain=plain)
        return variable
