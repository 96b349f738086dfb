"""Wire types: the part of a message that a mapping reads, as msgspec structs that skip everything else.

Paths are added to a `Wire`; `build` makes one type of them. Objects become structs of the named keys, positional
arrays become `array_like` structs, `[*]` becomes a list. What paths disagree about, and what can't be lowered, is
typed `Any` and walked at run time.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, get_origin

import msgspec
from msgspec import Meta

from cexspec.compile.paths import Step, Steps, Wild, typeable


class Leaf(Enum):
    """What a path is read as. JSON text and JSON numbers are both taken where a venue may send either."""

    NUMBER = "number"
    EXACT = "exact number"
    TEXT = "text or integer"
    STRING = "text"
    INTEGER = "integer"
    TIME = "integer or fraction"
    BOOLEAN = "boolean"
    SCALAR = "scalar"
    RAW = "raw"
    PAIR = "two numbers"
    WORDS = "one of a list of words"
    ANY = "any"


_FINITE = Annotated[float, Meta(gt=-1e300, lt=1e300)]
"""Refuses the texts "NaN" and "Infinity", which msgspec would take."""

_TYPES: dict[Leaf, Any] = {
    Leaf.EXACT: Decimal,
    Leaf.TEXT: str | int,
    Leaf.STRING: str,
    Leaf.INTEGER: int,
    Leaf.TIME: int | float,
    Leaf.BOOLEAN: bool,
    Leaf.SCALAR: str | int | float | bool,
    Leaf.RAW: msgspec.Raw,
    Leaf.ANY: Any,
}


@dataclass
class WireNode:
    """One place in a message. `steps` leads to it from the root."""

    steps: Steps
    leaf: Leaf | None = None
    required: bool = False
    members: dict[Step, WireNode] = field(default_factory=dict)
    words: tuple[str | int, ...] = ()
    attribute: str = ""
    plain: bool = False

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

    A `narrow` one takes exact numbers as text only and times as integers only: what most venues send, and faster.
    """

    def __init__(self, number: type[Decimal] | type[float] = Decimal, *, narrow: bool = False) -> None:
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

    def demand(self, steps: Steps, words: tuple[str | int, ...]) -> bool:
        """Refuse messages that hold none of `words` at `steps`; False (and no change) where the place is read otherwise."""
        node = self.root
        for at, step in enumerate(steps):
            if node.plain or node.leaf is not None or not typeable(step) or isinstance(step, Wild):
                return False
            if node.members and any(type(other) is not type(step) for other in node.members):
                return False
            if step not in node.members:
                break
            node = node.members[step]
            if at == len(steps) - 1:
                return False
        self.add(steps, Leaf.WORDS, required=True, words=words)
        return True

    def settle(self) -> None:
        """Make every place that paths disagree about plain."""
        _settle(self.root)

    def build(self) -> Any:
        """The wire type of the whole message."""
        self.settle()
        return self._type(self.root, "Message")

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
        node = self.node(steps)
        return self._type(node, "Item")

    def leaf_type(self, leaf: Leaf) -> Any:
        """The Python type a leaf decodes to."""
        if leaf is Leaf.NUMBER:
            return _FINITE if self.number is not Decimal else str if self.narrow else Decimal
        if leaf is Leaf.TIME and self.narrow:
            return int
        if leaf is Leaf.PAIR:
            return tuple[self.leaf_type(Leaf.NUMBER), self.leaf_type(Leaf.NUMBER)]  # type: ignore[misc]
        return _TYPES[leaf]

    def decoder(self, wire_type: Any) -> msgspec.json.Decoder[Any]:
        """A decoder that takes numbers in text, and untyped fractions exactly."""
        hook = Decimal if self.number is Decimal else None
        return msgspec.json.Decoder(wire_type, strict=False, float_hook=hook)

    def _type(self, node: WireNode, name: str) -> Any:
        if node.plain:
            return Any
        if node.leaf is Leaf.WORDS:
            return Literal[node.words]
        if node.leaf is not None:
            return self.leaf_type(node.leaf)
        if not node.members:
            return Any
        if Wild.ELEMENTS in node.members:
            return list[self._type(node.members[Wild.ELEMENTS], _title(name, "Item"))]  # type: ignore[misc]
        if isinstance(next(iter(node.members)), int):
            return self._array(node, name)
        return self._object(node, name)

    def _object(self, node: WireNode, name: str) -> Any:
        fields = [self._field(inner, inner.attribute, _title(name, str(step))) for step, inner in node.members.items()]
        rename = {inner.attribute: str(step) for step, inner in node.members.items() if inner.attribute != step}
        fields.sort(key=len)
        return msgspec.defstruct(name, fields, rename=rename or None, gc=False)

    def _array(self, node: WireNode, name: str) -> Any:
        last = max(step for step in node.members if isinstance(step, int))
        needed = max((step for step, inner in node.members.items() if inner.required and isinstance(step, int)), default=-1)
        fields: list[Any] = []
        for index in range(last + 1):
            inner = node.members.get(index)
            if inner is None:
                fields.append((f"at{index}", msgspec.Raw) if index <= needed else (f"at{index}", msgspec.Raw, msgspec.Raw(b"null")))
                continue
            one = self._field(inner, f"at{index}", _title(name, str(index)))
            fields.append(one[:2] if index <= needed else one)
        return msgspec.defstruct(name, fields, array_like=True, gc=False)

    def _field(self, node: WireNode, attribute: str, name: str) -> tuple[Any, ...]:
        inner = self._type(node, name)
        if node.required:
            return (attribute, inner)
        return (attribute, inner if inner in (Any, msgspec.Raw) else inner | None, None)


def _title(name: str, step: str) -> str:
    return f"{name}{step[:1].upper()}{step[1:]}" if step.isidentifier() or step.isalnum() else f"{name}Key"


def _settle(node: WireNode) -> None:
    lists, positions, keys = (
        Wild.ELEMENTS in node.members,
        any(isinstance(step, int) for step in node.members),
        any(isinstance(step, str) for step in node.members),
    )
    if node.leaf is Leaf.ANY or (node.leaf is not None and node.members) or lists + positions + keys > 1:
        node.plain = True
    if node.plain:
        node.members.clear()
    for inner in node.members.values():
        _settle(inner)


def describe(wire_type: Any, indent: str = "") -> Iterator[str]:
    """A wire type for people, one line a field."""
    if isinstance(wire_type, type) and issubclass(wire_type, msgspec.Struct):
        form = "array" if wire_type.__struct_config__.array_like else "object"
        yield f"{indent}{form}"
        for info in msgspec.structs.fields(wire_type):
            if info.type is msgspec.Raw:
                continue
            place = f"[{info.encode_name.removeprefix('at')}]" if form == "array" else info.encode_name
            inner = list(describe(info.type, indent + "  "))
            yield f"{indent}  {place}{'' if info.required else '?'}: {inner[0].strip()}"
            yield from inner[1:]
        return
    yield from _describe_other(wire_type, indent)


def _describe_other(wire_type: Any, indent: str) -> Iterator[str]:
    arguments = getattr(wire_type, "__args__", ())
    if getattr(wire_type, "__origin__", None) is list:
        inner = list(describe(arguments[0], indent))
        yield f"{indent}list of {inner[0].strip()}"
        yield from inner[1:]
        return
    structs = [one for one in arguments if isinstance(one, type) and issubclass(one, msgspec.Struct) or getattr(one, "__origin__", None) is list]
    if structs:
        yield from describe(structs[0], indent)
        return
    if get_origin(wire_type) is Literal:
        yield indent + " or ".join(repr(word) for word in arguments)
        return
    if wire_type == _FINITE:
        yield f"{indent}float"
        return
    names = [one.__name__ for one in arguments if one is not type(None)] or [getattr(wire_type, "__name__", str(wire_type))]
    yield indent + " or ".join(names)
