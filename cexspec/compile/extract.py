"""Mappings: from a spec node to a wire type and a generated extractor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from cexspec.compile.access import Scope
from cexspec.compile.fields import NAMES, Bases, FieldWriter, request_paths
from cexspec.compile.inline import condition_code, plain_words, request_conditions
from cexspec.compile.instruments import InstrumentNames
from cexspec.compile.items import Items, compile_items
from cexspec.compile.levels import LevelWriter
from cexspec.compile.paths import Path, Steps, parse, show
from cexspec.compile.source import Origin, Writer
from cexspec.compile.targets import FieldTarget, Target, model_class, targets
from cexspec.compile.wire import Wire
from cexspec.models import Event, Market
from cexspec.spec.model import Condition, FieldRule, Levels, Mapping

Conditions = dict[str, Condition]

PRICES = {"size": "price", "bid_size": "bid", "ask_size": "ask"}
"""The price that converts a size of inverse contracts; volumes use `last` or `close`."""

NOWHERE = Market(id="", symbol=None, kind=None)
"""The market of a message that names none."""


class Twin(Enum):
    """Faster forms of a reader, for what most venues send: each fails on anything else."""

    PAIRS = "numbers are text, times integers, and a book level is a price and a size and nothing else"
    TEXT = "numbers are text, times integers"


@dataclass(frozen=True)
class Surroundings:
    """What a mapping takes from its spec."""

    exchange: str
    intervals: dict[str, str]
    number: type[Decimal] | type[float]
    instruments: InstrumentNames


@dataclass
class Extractor:
    """A compiled mapping before it becomes a reader."""

    model: type[Event]
    wire: Wire
    wire_type: Any
    items: Items
    writer: Writer
    extract: Callable[..., list[Event]]
    """(message, context), and for a mapping of many items optionally the items to take instead of the message's"""
    asked: tuple[tuple[Steps, Origin], ...]
    guarded: bool


class MappingCompiler:
    """Compiles one mapping for one form of the message (wrapped in an envelope, or bare)."""

    def __init__(
        self, mapping: Mapping, model: str, message: Steps, frame: Steps | None, around: Surroundings, match: Conditions | None = None, *, twin: Twin | None = None
    ) -> None:
        self.match, self.twin = match, twin
        self.mapping, self.model, self.message, self.around = mapping, model, message, around
        self.targets = targets(model)
        self.scope = Scope(Wire(around.number, narrow=twin is not None))
        self.items = compile_items(mapping, message, self.scope)
        self.bases = Bases(self.items.base, message, frame, self.items.parent)
        self.levels = self._levels()
        self.writer = Writer()
        self.values: dict[str, str] = {}

    def compile(self) -> Extractor:
        """Type the message, generate the extractor. Raises PathError."""
        self._request()
        guarded = self._guard()
        wire_type = self.scope.wire.build()
        self.scope.bind((), "m")
        self._write()
        names = {**NAMES, **self.scope.names, "Model": model_class(self.model), "NOWHERE": NOWHERE}
        code = compile(self.writer.text, f"<extract {self.around.exchange}>", "exec")
        exec(code, names)
        functions: dict[str, Any] = names
        return Extractor(
            model_class(self.model),
            self.scope.wire,
            wire_type,
            self.items,
            self.writer,
            functions["extract"],
            tuple(self.scope.asked),
            guarded,
        )

    def _guard(self) -> bool:
        """Let the wire type itself check the message's conditions, where they are plain words."""
        words = {path: plain_words(condition) for path, condition in (self.match or {}).items()}
        if not words or not all(words.values()):
            return False
        return all([self.scope.wire.demand((*self.message, *parse(path).steps), found) for path, found in words.items() if found])

    @property
    def can_pair(self) -> bool:
        """Whether the levels are lists whose first two elements are price and size."""
        return self.levels is not None and self.levels.can_pair

    def rules(self) -> dict[str, FieldRule]:
        """Field -> rule, in the order they are written: the symbol and prices first."""
        fields = self.mapping.fields or {}
        return {name: fields[name] for name in self.targets if name in fields and self.targets[name].target is not Target.LEVELS}

    def _levels(self) -> LevelWriter | None:
        levels = self.mapping.levels
        fields = self.mapping.fields or {}
        if levels is None and "bids" in fields and "asks" in fields:
            simple = {"bids": fields["bids"].path, "asks": fields["asks"].path, "price": "$[0]", "size": "$[1]"}
            levels = Levels.model_validate(simple)
            levels._where = self.mapping.where
        return LevelWriter(levels, self.items.base, self.bases, self.scope, pairs=self.twin is Twin.PAIRS) if levels is not None else None

    def _request(self) -> None:
        for name, rule in self.rules().items():
            request_paths(self.scope, self.bases, rule, self.targets[name])
        if self.items.plain:
            self.scope.bind(self.items.element, "i", plain=True)
        request_conditions(self.scope, self.items.base, self.mapping.only)
        if isinstance(self.mapping.snapshot_when, dict):
            request_conditions(self.scope, self.message, self.mapping.snapshot_when)
        if self.levels is not None:
            self.levels.request()
        for name, rule in self._sequence_rules().items():
            request_paths(self.scope, self._sequence_bases(name), rule, self.targets[name])

    def _sequence_rules(self) -> dict[str, FieldRule]:
        sequence, checksum = self.mapping.sequence, self.mapping.checksum
        texts = {}
        if sequence is not None:
            texts = {"sequence": sequence.last, "first_sequence": sequence.first, "previous_sequence": sequence.previous}
        if checksum is not None:
            texts["checksum"] = checksum.value
        rules = {name: FieldRule(path=text, optional=True) for name, text in texts.items() if text is not None}
        for rule in rules.values():
            rule._where = self.mapping.where
        return rules

    def _sequence_bases(self, name: str) -> Bases:
        sequence = self.mapping.sequence
        if name != "checksum" and sequence is not None and sequence.of == "message":
            return Bases(self.message, self.message, self.bases.frame)
        return self.bases

    def _write(self) -> None:
        if self.items.loop is None:
            with self.writer.block("def extract(m, ctx)"):
                self._prologue()
                self._bind_item()
                self._body("return []")
                self.writer.line(f"return [{self._construction()}]")
            return
        loop = self.items.loop()
        if not self.items.plain:
            self.scope.bind(self.items.element, "i")
        with self.writer.block("def extract(m, ctx, items=None)"):
            self._prologue()
            self.writer.line("out = []")
            variables = "key, i" if self.items.keyed else "outer, i" if self.items.parent is not None else "i"
            with self.writer.block(f"for {variables} in {loop} if items is None else items"):
                self._body("continue")
                self.writer.line(f"out.append({self._construction()})")
            self.writer.line("return out")

    def _bind_item(self) -> None:
        """The one item in a variable of its own, where it stands deeper in the message."""
        if not self.items.base:
            return
        found = self.scope.access((), Path("$", self.items.base))
        if not found.plain:
            self.writer.line(f"i = {found.code}")
            if found.nullable:
                self.writer.line(f"if i is None: raise Hole({f'nothing at {show(self.items.base)}'!r})")
            self.scope.bind(self.items.base, "i")

    def _prologue(self) -> None:
        self.writer.line("received = ctx.received")
        if any(_asks_request(rule) for rule in (self.mapping.fields or {}).values()):
            self.writer.line("request = ctx.request")
        snapshot = self.mapping.snapshot_when
        if isinstance(snapshot, dict):
            self.writer.line(f"is_snapshot = {condition_code(self.scope, self.message, snapshot)}")
        elif self.model == "book":
            self.writer.line(f"is_snapshot = {snapshot == 'always'}")

    def _body(self, leave: str) -> None:
        if self.mapping.only is not None:
            self.writer.line(f"if not ({condition_code(self.scope, self.items.base, self.mapping.only)}): {leave}")
        fields = FieldWriter(self.scope, self.writer, self.bases, self.around.intervals)
        for name, rule in self.rules().items():
            if name == "symbol":
                self._symbol(fields, rule)
                continue
            fields.write(name, rule, self.targets[name])
            self.values[name] = name
            if self.model == "instrument" and name == "kind":
                continue
            if rule.scale:
                self._scale(name)
        for name, rule in self._sequence_rules().items():
            FieldWriter(self.scope, self.writer, self._sequence_bases(name), {}).write(name, rule, self.targets[name])
            self.values[name] = name
        if self.model == "book":
            self._book(fields)
        if self.model == "instrument":
            self._instrument()

    def _symbol(self, fields: FieldWriter, rule: FieldRule) -> None:
        target = self.targets["symbol"]
        fields.write("native", rule, target)
        if rule.of == "request":
            self.writer.line("market = NOWHERE if native is None else ctx.market(native)")
        elif rule.optional or rule.empty:
            self.writer.line("market = ctx.market(native) if native is not None else NOWHERE")
        else:
            self.writer.line("market = ctx.market(native)")
        if any(rule.by_kind or rule.scale for rule in (self.mapping.fields or {}).values()):
            self.writer.line("kind = market.kind")
        self.values["symbol"] = "market.symbol"

    def _scale(self, name: str) -> None:
        price = PRICES.get(name, next((one for one in ("last", "close", "price") if one in self.values), "None"))
        contracts = "contracts" in self.targets and "contracts" not in (self.mapping.fields or {})
        if contracts:
            self.writer.line("contracts = None")
            self.values["contracts"] = "contracts"
        with self.writer.block(f"if kind != 'spot' and {name} is not None"):
            if contracts:
                self.writer.line(f"contracts = {name}")
            self.writer.line(f"{name} = market.base_size({name}, {price if price in self.values else 'None'})")

    def _book(self, fields: FieldWriter) -> None:
        if self.levels is None:
            self.writer.line("bids = []; asks = []")
        else:
            self.levels.write(fields, sort="is_snapshot" if self.mapping.ordered == "any" else None)
            if self.levels.levels.size.scale:
                self.values["size_unit"] = "size_unit"
        self.values |= {"bids": "bids", "asks": "asks", "is_snapshot": "is_snapshot"}

    def _instrument(self) -> None:
        given = {name: self.values.get(name, "None") for name in InstrumentNames.FIELDS}
        names = self.scope.constant(self.around.instruments, "names")
        self.writer.line(f"symbol, kind, base, quote, settle = {names}.of({', '.join(given.values())})")
        self.values |= {name: name for name in ("symbol", "kind", "base", "quote", "settle")}

    def _construction(self) -> str:
        known = {"exchange": repr(self.around.exchange), "received": "received", **self.values}
        if self.model == "server_time":
            known["symbol"] = "None"
        return f"Model({', '.join(f'{name}={value}' for name, value in known.items())})"


def _asks_request(rule: FieldRule) -> bool:
    return rule.of == "request" or any(_asks_request(branch) for branch in (rule.by_kind or {}).values())
