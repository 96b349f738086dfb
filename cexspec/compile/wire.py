"""Wire types: the part of a message that a mapping reads, as msgspec structs that skip everything else.

Paths are added to a `Wire`; `build` makes one type of them. Objects become structs of the named keys, positional
arrays become `array_like` structs, `[*]` becomes a list. What paths disagree about, and what can't be lowered, is
typed `Any` and walked at run time.
"""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cexspec.compile.convert import MICROSECOND, NANOSECONDS
from cexspec.compile.numbers import MAX_INTEGER, NumberType, exact
from cexspec.compile.paths import Step, Steps, Wild, show, typeable, walk


class Leaf(Enum):
    """What a path is read as. JSON text and JSON numbers are both taken where a venue may send either."""

    NUMBER = "number"
    NUMBER_OR_EMPTY = "number or empty text"
    PAIR = "price and size"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"
    ISO = "ISO 8601 time"
    INTEGER = "integer"
    TEXT = "text or integer"
    STRING = "text"
    BOOLEAN = "boolean"
    SCALAR = "scalar"
    WORDS = "one of a list of words"
    AFFIXED = "text that begins and ends so"
    ARRAY = "array"
    OBJECT = "object"
    NOTHING = "nothing"
    ANY = "anything"


_NUMBERS = (Leaf.NUMBER, Leaf.NUMBER_OR_EMPTY)

TIMES = {"s": Leaf.SECONDS, "ms": Leaf.MILLISECONDS, "us": Leaf.MICROSECONDS, "ns": Leaf.NANOSECONDS, "iso": Leaf.ISO}
"""How the times of a unit are read."""

_FINITE = Annotated[float, Meta(gt=-1e300, lt=1e300)]
"""Refuses the texts "NaN" and "Infinity", which msgspec would take."""
_COUNT = Annotated[float, Meta(ge=0, lt=1e300)]
"""Refuses what is less than nothing, too."""
_INTEGER = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
_USUAL_TIMES: dict[Leaf, Any] = {
    TIMES[unit]: Annotated[int, Meta(ge=-MAX_INTEGER // factor, le=MAX_INTEGER // factor)]
    for unit, factor in NANOSECONDS.items()
    if unit != "s"  # which often have a fraction
} | {Leaf.ISO: Annotated[str, Meta(max_length=len(MICROSECOND))]}
"""Integers that fit into 64 bits of nanoseconds, and texts of no more than microseconds."""

_ALIKE = 5
"""Names of one length from which on it is faster to read a number than to skip it."""

_TYPES: dict[Leaf, Any] = {
    Leaf.INTEGER: _INTEGER,
    Leaf.TEXT: str | int,
    Leaf.STRING: str,
    Leaf.ISO: str,
    Leaf.AFFIXED: str,
    Leaf.BOOLEAN: bool,
    Leaf.SCALAR: str | int | float | bool,
    Leaf.ARRAY: list[msgspec.Raw],
    Leaf.OBJECT: dict[str, msgspec.Raw],
    Leaf.NOTHING: type(None),
}


@dataclass
class WireNode:
    """One place in a message. `steps` leads to it from the root."""

    steps: Steps
    leaf: Leaf | None = None
    required: bool = False
    members: dict[Step, WireNode] = field(default_factory=dict)
    words: tuple[str | int, ...] = ()
    """all it may hold; of an affixed text, how it begins and ends"""
    attribute: str = ""
    plain: bool = False
    length: int = 0
    """elements that an array must have, whatever may be missing of them"""

    def member(self, step: Step) -> WireNode:
        """The node of a step, made and named on first use."""
        if step not in self.members:
            taken = {inner.attribute for inner in self.members.values()}
            self.members[step] = WireNode((*self.steps, step), attribute=_attribute(step, taken))
        return self.members[step]


def _attribute(step: Step, taken: set[str]) -> str:
    """The struct attribute of a member: its key, where Python takes it for a name."""
    if not isinstance(step, str):
        return f"at{step}"
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in step)
    safe = name and name[0].isalpha() and not keyword.iskeyword(name) and name not in taken
    return name if safe else f"key{len(taken)}_{name}"


class Wire:
    """Collects the paths of one message and types them.

    A `narrow` one takes times as integers only, and (with `Decimal`) numbers as text only, but where the sample it is settled by
    has a JSON number: what most venues send, and faster.
    """

    def __init__(self, number: NumberType = Decimal, *, narrow: bool = False) -> None:
        self.number, self.narrow = number, narrow
        self.root = WireNode(())

    def add(self, steps: Steps, leaf: Leaf, *, required: bool, words: tuple[str | int, ...] = ()) -> None:
        """Note that a mapping reads `steps` as `leaf`; not required: it may be missing or null. `words`: all it may hold."""
        node = self.root
        node.required |= required
        for step in steps:
            if node.plain:
                return
            if not typeable(step):
                node.plain = True
                return
            node = node.member(step)
            node.required |= required
        if node.leaf is not None and (node.leaf, node.words) != (leaf, words):
            node.plain = True
        node.leaf, node.words = leaf, words

    def require(self, steps: Steps) -> None:
        """Refuse messages that have nothing at `steps`."""
        node = self.root
        for step in steps:
            node.required = True
            node = node.member(step)
        node.required = True

    def demand(self, steps: Steps, leaf: Leaf, words: tuple[str | int, ...]) -> bool:
        """Refuse messages that don't hold such a leaf at `steps`; False (and no change) where the place is read otherwise."""
        node = self.root
        for step in steps:
            if node.plain or node.leaf is not None or isinstance(step, Wild) or not typeable(step) or _mixed({*node.members, step}):
                return False
            if step not in node.members:
                self.add(steps, leaf, required=leaf is not Leaf.NOTHING, words=words)
                return True
            node = node.members[step]
        return False

    def fill(self, steps: Steps, length: int) -> None:
        """Refuse an array at `steps` of fewer elements."""
        node = self.node(steps)
        if node.steps == steps:
            node.length = length

    def settle(self, sample: object = None) -> None:
        """Make every place that paths disagree about plain, and put members in the order of a `sample`."""
        _settle(self.root)
        self._arrange(self.root, sample)

    def build(self) -> Any:
        """The wire type of the whole message, settled now."""
        self.settle()
        return self.whole()

    def whole(self, raw: Steps | None = None) -> Any:
        """The wire type of the whole message, which is settled; with the place `raw` left undecoded."""
        return self._type(self.root, raw)

    def node(self, steps: Steps) -> WireNode:
        """The node at `steps`, or the plain one on the way to it."""
        node = self.root
        for step in steps:
            if node.plain or step not in node.members:
                return node
            node = node.members[step]
        return node

    def type_at(self, steps: Steps) -> Any:
        """The type of one place (of the items of a list, say)."""
        return self._type(self.node(steps), None)

    def type_of(self, node: WireNode, members: Iterable[WireNode]) -> Any:
        """The type of some members of an object."""
        return self._object(node, members, None)

    def decoder(self, wire_type: Any, *, strict: bool = False) -> msgspec.json.Decoder[Any]:
        """A decoder that takes untyped fractions exactly, and numbers in text unless it is `strict`, which is faster."""
        return msgspec.json.Decoder(wire_type, strict=strict, float_hook=exact)

    def untyped(self, leaf: Leaf) -> bool:
        """Whether values of a leaf are decoded as JSON has them, to be read by generated code."""
        return self.leaf_type(leaf, ("",)) is Any

    def leaf_type(self, leaf: Leaf, words: tuple[str | int, ...] = ()) -> Any:
        """The Python type a leaf decodes to."""
        if leaf is Leaf.WORDS:
            return Literal[words]
        if leaf is Leaf.PAIR:
            return tuple[self.leaf_type(Leaf.NUMBER), _COUNT if self.number is float else self.leaf_type(Leaf.NUMBER)]  # type: ignore[misc]
        if leaf is Leaf.NUMBER and self.number is float:
            return _FINITE
        if leaf in _NUMBERS:
            return str if self.narrow else Any
        usual = _USUAL_TIMES.get(leaf) if self.narrow else None
        return usual or _TYPES.get(leaf, Any)

    def _arrange(self, node: WireNode, sample: object) -> None:
        """Put members in the order in which a message has them, and take for a text what is one there: decoding is fastest so."""
        if node.leaf is Leaf.TEXT and isinstance(sample, str):
            node.leaf = Leaf.STRING
        if self.narrow and self.number is Decimal and node.leaf in _NUMBERS and isinstance(sample, int | float):
            node.plain = True
        for step, inner in node.members.items():
            self._arrange(inner, next(walk(sample, (step,)), None))
        if isinstance(sample, dict):
            self._read_past(node, sample)
            order = {name: at for at, name in enumerate(sample)}
            node.members = dict(sorted(node.members.items(), key=lambda member: order.get(member[0], len(order))))

    def _read_past(self, node: WireNode, sample: dict[str, Any]) -> None:
        """Read small things that nothing asks for, too, where that is faster: the decoder compares the name of what it skips with
        all that are as long."""
        lengths = Counter(len(name) for name in node.members if isinstance(name, str))
        for name, value in sample.items():
            if name not in node.members and isinstance(value, int) and lengths[len(name)] >= _ALIKE:
                node.member(name).plain = True

    def _type(self, node: WireNode, raw: Steps | None) -> Any:
        if node.steps == raw:
            return msgspec.Raw
        if node.plain or (node.leaf is None and not node.members):
            return Any
        if node.leaf is not None:
            return self.leaf_type(node.leaf, node.words)
        if Wild.ELEMENTS in node.members:
            return list[self._type(node.members[Wild.ELEMENTS], raw)]  # type: ignore[misc]
        return self._array(node, raw) if isinstance(next(iter(node.members)), int) else self._object(node, node.members.values(), raw)

    def _object(self, node: WireNode, members: Iterable[WireNode], raw: Steps | None) -> Any:
        named = {inner.attribute: inner for inner in members}
        fields = [self._field(inner, raw) for inner in named.values()]
        rename = {attribute: str(inner.steps[-1]) for attribute, inner in named.items() if attribute != inner.steps[-1]}
        return msgspec.defstruct(show(node.steps), fields, rename=rename or None, gc=False, kw_only=True)

    def _array(self, node: WireNode, raw: Steps | None) -> Any:
        members = {step: inner for step, inner in node.members.items() if isinstance(step, int)}
        needed = max((step for step, inner in members.items() if inner.required), default=-1)
        needed = max(needed, node.length - 1)
        fields: list[tuple[Any, ...]] = []
        for index in range(max(members) + 1):
            inner = members.get(index)
            one = (f"at{index}", msgspec.Raw, msgspec.Raw(b"null")) if inner is None else self._field(inner, raw)
            fields.append(one[:2] if index <= needed else one)
        return msgspec.defstruct(show(node.steps), fields, array_like=True, gc=False)

    def _field(self, node: WireNode, raw: Steps | None) -> tuple[Any, ...]:
        inner = self._type(node, raw)
        if node.required:
            return (node.attribute, inner)
        return (node.attribute, inner if inner in (Any, msgspec.Raw) else inner | None, None)


def _mixed(steps: set[Step]) -> bool:
    """Whether steps lead into different shapes."""
    return len({"[*]" if isinstance(step, Wild) else type(step) for step in steps}) > 1


def _settle(node: WireNode) -> None:
    if node.leaf is Leaf.ANY or (node.leaf is not None and node.members) or _mixed(set(node.members)):
        node.plain = True
    if node.plain:
        node.members.clear()
    for inner in node.members.values():
        _settle(inner)
