"""The function that makes events of a decoded message: written once for each mapping, then only run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cexspec.compile import derived
from cexspec.compile.conversion import Setting
from cexspec.compile.fields import FieldWriter
from cexspec.compile.inline import Demand, condition_code
from cexspec.compile.instruments import InstrumentNames
from cexspec.compile.numbers import NumberType
from cexspec.compile.parts import Parts, Rule
from cexspec.compile.paths import Path, parse, show
from cexspec.compile.source import Writer
from cexspec.compile.tables import write_tables
from cexspec.compile.targets import CURRENCIES, PARTS_OF_SIZES, PRICES_OF_SIZES, targets
from cexspec.models import Event
from cexspec.models.catalog import PRIVATE
from cexspec.spec.model import FieldRule
from cexspec.spec.model.mapping import CategoryAt

_EVERY = Event.__struct_fields__
"""The fields that every event has; they come first."""
_DERIVED = {"order": ("whole_order", derived.ORDER), "balance": ("whole", derived.BALANCE)}
"""Model -> what completes it, and the fields that it takes and gives."""


@dataclass(frozen=True)
class Surroundings:
    """What a mapping takes from its spec."""

    exchange: str
    intervals: dict[str, str]
    number: NumberType
    instruments: InstrumentNames
    categories: frozenset[str]


class BodyWriter:
    """Writes `extract(ctx, frame)`: a context and a frame -> a list of events.

    For many items it takes the items to go through as a third argument, if they are not to be the message's own. `affixed` are
    places whose texts must begin and end so.
    """

    def __init__(self, parts: Parts, around: Surroundings, writer: Writer, affixed: Iterable[Demand] = ()) -> None:
        self.parts, self.around, self.writer, self.affixed = parts, around, writer, affixed
        self.scope, self.line, self.block = parts.scope, writer.line, writer.block
        self.setting = Setting(parts.scope, writer, parts.bases, around.intervals)
        self.remembers = parts.scope.wire.narrow and parts.mapping.category is None
        """it is for messages that begin alike, which are mostly of the market of the one before"""
        self.values = {"exchange": repr(around.exchange), "received": "received"}
        """what the model is made of: field -> code"""

    def write(self) -> str | None:
        """Write it all; returns the code of what is iterated, None for one item."""
        if self.parts.items.loop is None:
            with self.block("def extract(ctx, frame)"):
                self._before()
                self._bind_item()
                self._item(f"return {self._kept('[]')}")
                self.line(f"return {self._kept(f'[{self._made()}]')}")
            return None
        items = self.parts.items
        loop = items.loop()  # type: ignore[misc]
        if not items.plain:
            self.scope.bind(items.element, "i")
        given = not self.scope.wire.narrow  # what that can't read is read by another, which is given the items one by one
        with self.block(f"def extract(ctx, frame{', items=None' if given else ''})"):
            self._before()
            self.line("out = []")
            with self.block(f"for {items.variables} in {loop}{' if items is None else items' if given else ''}"):
                self._item("continue")
                self.line(f"out.append({self._made()})")
            self.line(f"return {self._kept('out')}")
        return loop if given else None

    def _before(self) -> None:
        """What is the same for all items."""
        self.line("m = decode(frame)")
        for steps, _, (start, end) in self.affixed:
            self._refuse_other(self.scope.access((), Path("$", steps)).code, str(start), str(end))
        self.line("received = ctx.received")
        mapping = self.parts.mapping
        if any(_asks_request(each.rule) for each in self.parts.rules):
            self.line("request = ctx.request")
        if mapping.category is None and "symbol" in self.parts.names and not self.remembers:
            self.line("find = ctx.market")
        elif mapping.category is not None and mapping.category.of == "message":
            self._find(mapping.category)
        if isinstance(mapping.snapshot_when, dict):
            self.line(f"is_snapshot = {condition_code(self.scope, self.parts.message, mapping.snapshot_when)}")
        elif self.parts.model == "book":
            self.line(f"is_snapshot = {mapping.snapshot_when == 'always'}")
        write_tables(self.scope, self.parts.message, (each.rule for each in self.parts.rules), self.writer)
        if self.parts.merge is not None:
            self.parts.merge.begin(self.writer)

    def _refuse_other(self, code: str, start: str, end: str) -> None:
        """Leave messages to another reader whose text doesn't begin and end so: asked here, where it costs least."""
        asked = [f"{code}.startswith({start!r})" if start else "", f"{code}.endswith({end!r})" if end else ""]
        self.line(f"if not ({' and '.join(filter(None, asked))}): raise Hole('another message')")

    def _find(self, category: CategoryAt) -> None:
        """What knows the markets: of the product line that is named by the venue's own word, else of what is known around it."""
        base = self.parts.bases.of(category.of) or ()
        self.line(f"word = text_of({self.scope.access(base, parse(category.path)).code})")
        self.line("find = ctx.market if word is None else ctx.within(word)")

    def _bind_item(self) -> None:
        """The one item in a variable of its own, where it stands deeper in the message."""
        base = self.parts.items.base
        if not base:
            return
        found = self.scope.access((), Path("$", base))
        if not found.plain:
            self.line(f"i = {found.code}")
            if found.nullable:
                self.line(f"if i is None: raise Hole({f'nothing at {show(base)}'!r})")
            self.scope.bind(base, "i")

    def _item(self, leave: str) -> None:
        """One item: its fields, each in a variable of its own."""
        parts = self.parts
        self._refuse_empty()
        if parts.merge is not None:
            parts.merge.fill(self.writer)
            self.setting = replace(self.setting, passing=leave)
        if parts.mapping.only is not None:
            self.line(f"if not ({condition_code(self.scope, parts.items.base, parts.mapping.only)}): {leave}")
        if parts.mapping.category is not None and parts.mapping.category.of == "item":
            self._find(parts.mapping.category)
        for each in parts.rules:
            self._field(each)
        if parts.model == "book":
            self._book()
        if parts.model == "instrument":
            self._instrument()
        if parts.model == "server_time":
            self.values["symbol"] = "None"
        self._derived()

    def _derived(self) -> None:
        """Complete an order or a balance."""
        function, names = _DERIVED.get(self.parts.model, ("", ()))
        if names:
            given = [self.values.get(name, "None") for name in names]
            self.line(f"{', '.join(names)} = {function}({', '.join(given)}, number(0))")
            self.values |= {name: name for name in names}

    def _refuse_empty(self) -> None:
        parts = self.parts
        found = self.scope.access((), Path("$", parts.items.base)) if parts.length else None
        if found is not None and found.plain:  # the wire type sees to it elsewhere
            self.line(f"if ends_before({found.code}, {parts.length}): raise Hole('an array that holds nothing of what is mapped')")

    def _field(self, each: Rule) -> None:
        fields = FieldWriter(replace(self.setting, bases=each.bases))
        if each.name == "symbol":
            fields.write("native", each.rule, each.target)
            self._market(each.rule)
            return
        fields.write(each.name, each.rule, each.target)
        self.values[each.name] = each.name
        if each.name in CURRENCIES and self.around.instruments.aliases:
            codes = self.scope.constant(self.around.instruments.aliases, "codes")
            self.line(f"{each.name} = {codes}.get({each.name}, {each.name})")
        if each.rule.scale is not None:
            self._scale(each.name)

    def _market(self, rule: FieldRule) -> None:
        """The market of the native id; a message need not name one that the request names, or that is optional."""
        may_miss = rule.optional or rule.empty is not None or rule.of == "request"
        find = "ctx.market" if self.remembers else "find"
        found = f"NOWHERE if native is None else {find}(native)" if may_miss else f"{find}(native)"
        if self.remembers:
            self.line(f"if native != ctx.native: ctx.native, ctx.known = native, {found}")
            found = "ctx.known"
        self.line(f"market = {found}")
        for name in sorted(self.parts.branches_on):
            self.line(f"{name} = market.{name}")
        self.values["symbol"] = "market.symbol"

    def _scale(self, name: str) -> None:
        """A count of contracts -> the base currency, and the count into `contracts` where the model has such a field."""
        *others, price = [one for one in PRICES_OF_SIZES[name] if one in self.values] or ["None"]
        for one in reversed(others):
            price = f"{one} if {one} is not None else {price}"
        counted = name not in PARTS_OF_SIZES and "contracts" in targets(self.parts.model) and "contracts" not in self.parts.names
        if counted:
            self.line("contracts = None")
            self.values["contracts"] = "contracts"
        with self.block(f"if market.counted and {name} is not None"):
            if counted:
                self.line(f"contracts = {name}")
            some = f"if {name}: " if self.parts.model in PRIVATE else ""  # no contracts are nothing in base, whatever the price
            self.line(f"{some}{name} = market.base_size({name}, {price})")

    def _book(self) -> None:
        levels = self.parts.levels
        if levels is None:
            self.line("bids = []; asks = []")
        else:
            levels.write(self.setting, sort="is_snapshot" if self.parts.mapping.ordered == "any" else None)
            if levels.levels.size.scale is not None:
                self.values["size_unit"] = "size_unit"
        self.values |= {"bids": "bids", "asks": "asks", "is_snapshot": "is_snapshot"}

    def _instrument(self) -> None:
        """Complete and name the instrument."""
        names = self.scope.constant(self.around.instruments, "names")
        given = [self.values.get(name, "None") for name in InstrumentNames.FIELDS]
        word = "ctx.category" if self.parts.mapping.category is None else "ctx.category if word is None else word"
        self.line(f"{', '.join(InstrumentNames.COMPLETED)} = {names}.of({word}, {', '.join(given)})")
        if "expiry" in self.values:  # of others venues write the end of time, or the day of a delisting
            self.line("expiry = expiry if kind in ('future', 'option') else None")
        self.values |= {name: name for name in InstrumentNames.COMPLETED}

    def _kept(self, events: str) -> str:
        """The events, once what the items told is kept for the next message."""
        return events if self.parts.merge is None else f"kept(known, fresh, {events})"

    def _made(self) -> str:
        """The event; what every event carries goes by its place, which is faster."""
        first = [self.values.get(name, "None") for name in _EVERY]
        rest = [f"{name}={code}" for name, code in self.values.items() if name not in _EVERY]
        return f"Model({', '.join((*first, *rest))})"


def _asks_request(rule: FieldRule) -> bool:
    return any(one.of == "request" for one in rule.every)
