"""Mappings: from a spec node to a wire type and a generated extractor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

from cexspec.compile.body import BodyWriter, Surroundings
from cexspec.compile.conditions import Conditions
from cexspec.compile.conversion import names
from cexspec.compile.inline import Demand, demanded
from cexspec.compile.items import Items
from cexspec.compile.merging import Sharing, kept
from cexspec.compile.parts import Form, Parts, Twin, take_apart
from cexspec.compile.paths import Steps, parse
from cexspec.compile.source import Origin, Writer
from cexspec.compile.wire import Leaf, Wire
from cexspec.models import MODELS, Event
from cexspec.models.market import NOWHERE
from cexspec.spec.model import Mapping as MappingSpec


@dataclass(frozen=True)
class Extractor:
    """A compiled mapping before it becomes a reader. What runs is made of it when it is asked for first: of most mappings of a spec
    a program never sees a message.
    """

    exchange: str
    model: type[Event]
    wire: Wire
    items: Items
    writer: Writer
    names: Mapping[str, Any]
    """what the code knows"""
    loop: str | None
    """code of what is iterated, over a decoded message `m`; None for one item"""
    asked: tuple[tuple[Steps, Origin], ...]
    guarded: bool
    """it refuses messages that don't meet the mapping's conditions"""
    scaled: bool
    """its sizes may be contracts, converted by the instrument"""
    can_pair: bool
    """it reads book levels whose rows might hold nothing but price and size"""
    strict: bool = False
    """it takes no number in text"""

    @cached_property
    def wire_type(self) -> Any:
        """The type of the message."""
        return self.wire.whole()

    @cached_property
    def decode(self) -> Callable[[Any], Any]:
        """Frame -> message; `extract` begins with it."""
        return self.wire.decoder(self.wire_type, strict=self.strict).decode

    @cached_property
    def extract(self) -> Callable[..., list[Event]]:
        """(context, frame), and for a mapping of many items optionally the items to take instead of the message's -> events."""
        scope = {**self.names, "decode": self.decode}
        exec(compile(self.writer.text, f"<extract {self.exchange}>", "exec"), scope)
        made: Callable[..., list[Event]] = scope["extract"]
        return made

    def reading(self, decode: Callable[[Any], Any]) -> Callable[..., list[Event]]:
        """`extract`, over what another decoder makes of its argument."""
        made = self.extract
        return FunctionType(made.__code__, {**made.__globals__, "decode": decode}, made.__name__, made.__defaults__)


def compile_extractor(
    mapping: MappingSpec,
    model: str,
    form: Form,
    around: Surroundings,
    match: Conditions | None = None,
    twin: Twin | None = None,
    sample: object = None,
    sharing: Sharing | None = None,
) -> Extractor:
    """Type the message, write the extractor. Raises PathError.

    `match` is left to the wire type where that can check it. `sample` is a frame, decoded: members are decoded fastest in
    the order in which they come. `sharing`: its items are partial updates.
    """
    parts = take_apart(mapping, model, form, around.number, twin, sharing)
    guard = _guard(parts, match) if match is not None else None
    wire, writer = parts.scope.wire, Writer()
    wire.settle(sample)
    parts.scope.bind((), "m")
    loop = BodyWriter(parts, around, writer, [demand for demand in guard or () if demand[1] is Leaf.AFFIXED]).write()
    return Extractor(
        exchange=around.exchange,
        model=MODELS[model],
        wire=wire,
        items=parts.items,
        writer=writer,
        names={**names(around.number), **parts.scope.names, "Model": MODELS[model], "NOWHERE": NOWHERE, "kept": kept},
        loop=loop,
        asked=tuple(parts.scope.asked),
        guarded=guard is not None,
        scaled=parts.scaled,
        can_pair=parts.levels is not None and parts.levels.can_pair,
    )


def _guard(parts: Parts, match: Conditions) -> list[Demand] | None:
    """Let the reader itself check the message's conditions, where they tell a scalar's text, or that nothing is there: its wire
    type sees to that, but for affixed texts. None where it can't."""
    found = [((*parts.message, *parse(path).steps), demanded(condition)) for path, condition in match.items()]
    demands = [(steps, *leaf) for steps, leaf in found if leaf is not None]
    fine = len(demands) == len(found) and all(parts.scope.wire.demand(*demand) for demand in demands)
    return demands if fine else None
