"""Texts and trees with holes as straight-line Python, written once instead of walked at every call.

    {"instId": "{{ id }}", "px": "{{ price }}", "tdMode": "cash"}      # without a price there is no px

becomes

    v1 = get('id')
    if v1 is None: raise KeyError('id')
    v2 = get('price')
    v3 = {'instId': <v1>}
    if v2 is not None: v3['px'] = <v2>
    v3['tdMode'] = 'cash'

where `<v1>` is the value as JSON holds it: an exact number as text, anything else untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from cexspec.compile.filters import as_text
from cexspec.compile.holes import Hole, Text
from cexspec.compile.http_request import encoded
from cexspec.compile.source import Writer
from cexspec.models import InvalidRequest

Tree = Text | int | float | bool | None | list["Tree"] | dict[str, "Tree"]
"""A parsed tree: every text leaf in parts."""

NOTHING: frozenset[str] = frozenset()
SPREAD = "*"


@dataclass(frozen=True, slots=True)
class Value:
    """What a hole holds, as code: a variable, or the `text` that it always is.

    `maybe`: it may be None, which is no value; `sure`: it isn't; `text` and `integer` are such that need no look; `nothing`: None.
    """

    code: str
    kind: Literal["maybe", "sure", "text", "integer", "nothing"] = "maybe"
    text: str | None = None

    @classmethod
    def constant(cls, text: str) -> Value:
        """A text that is always the same."""
        return cls(repr(text), "text", text)


class CodeWriter(Writer):
    """Writes functions that fill holes. `bound` are the values that have code already; others are read by `get(name)`, and are not
    None where they are among the `sure` ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bound: dict[str, Value] = {}
        self.sure: set[str] = set()
        self.names: dict[str, Any] = {"Decimal": Decimal, "as_text": as_text, "encoded": encoded, "untouched": untouched, "spread": spread}
        self._variables = 0

    def variable(self) -> str:
        """A new variable."""
        self._variables += 1
        return f"v{self._variables}"

    def made(self, code: str) -> str:
        """The variable that now holds what an expression gives."""
        variable = self.variable()
        self.line(f"{variable} = {code}")
        return variable

    def constant(self, value: object) -> str:
        """The name of a value that is known now."""
        name = next((name for name, known in self.names.items() if known is value), None)
        if name is None:
            name = f"c{len(self.names)}"
            self.names[name] = value
        return name

    def function(self, name: str) -> Callable[..., Any]:
        """The function of this name, of all that was written."""
        scope = dict(self.names)
        exec(compile(self.text, f"<{name}>", "exec"), scope)
        found: Callable[..., Any] = scope[name]
        return found

    def read(self, hole: Hole) -> Value:
        """The value of a hole before its filters."""
        value = self.bound.get(hole.name)
        if value is None:
            value = self.bound[hole.name] = Value(self.made(f"get({hole.name!r})"), "sure" if hole.name in self.sure else "maybe")
        if hole.attribute is None:
            return value
        return Value(self.made(f"{value.code}.get({hole.attribute!r}) if isinstance({value.code}, dict) else None"))

    def needed(self, hole: Hole) -> Value:
        """The value of a hole; from here on it has one, else `KeyError`."""
        value = self.read(hole)
        if value.kind == "nothing":
            self.line(f"raise KeyError({hole.label!r})")
        if value.kind != "maybe":
            return value
        self.line(f"if {value.code} is None: raise KeyError({hole.label!r})")
        sure = Value(value.code, "sure")
        if hole.attribute is None:
            self.bound[hole.name] = sure
        return sure

    def alone(self, hole: Hole, value: Value) -> str:
        """The value of a hole that is there, as it stands in JSON."""
        if hole.filters:
            return self.filtered(hole, value).code
        code = value.code
        if value.kind != "sure" and value.kind != "maybe":
            return code
        return f"{_is_text(code)} else {_if_exact(code)} else untouched({code})"

    def filtered(self, hole: Hole, value: Value) -> Value:
        """The value of a hole that is there, through its filters."""
        code, kind = value.code, value.kind
        for each in hole.filters:
            quotient = kind == "integer" and each.divisor is not None
            code, kind = f"{code} // {each.divisor}" if quotient else f"{self.constant(each.apply)}({code})", each.gives
        return Value(code, kind, value.text if not hole.filters else None)

    def joined(self, text: Text, values: Iterable[Value], write: Callable[[object], str] | None = None) -> str:
        """A text as an expression; its holes have these values. `write` makes text of each, `as_text` else."""
        given = iter(values)
        found = [self.filtered(part, next(given)) if isinstance(part, Hole) else Value.constant(part) for part in text.parts]
        if text.whole is not None and write is None and found[0].kind != "integer":
            return self._whole(found[0])
        parts = [
            _escaped(value.text) if value.text is not None and (write is None or isinstance(part, str)) else self.inside(value, write)
            for part, value in zip(text.parts, found, strict=True)
        ]
        return f"f{''.join(parts)!r}" if text.holes else repr("".join(map(str, text.parts)))

    def text_of(self, text: Text, write: Callable[[object], str] | None = None) -> str:
        """A text as an expression; all its holes are needed."""
        return self.joined(text, [self.needed(hole) for hole in text.holes], write)

    def tree(self, tree: Tree, optional: frozenset[str] = NOTHING) -> str:
        """A tree as an expression. A mapping's key whose value is a hole of `optional` without a value is left out."""
        match tree:
            case Text():
                return self.alone(tree.whole, self.needed(tree.whole)) if tree.whole is not None else self.text_of(tree)
            case list():
                return f"[{', '.join([self.tree(inner, optional) for inner in tree])}]"
            case dict():
                return _Members(self, tree, optional).write()
        return self.constant(tree) if isinstance(tree, float) else repr(tree)

    def entry(self, tree: Tree, optional: frozenset[str]) -> Value:
        """A tree as the value of another hole; one hole of `optional` may have none."""
        if tree is None:
            return Value("None", "nothing")
        if isinstance(tree, Text) and not tree.holes:
            return Value.constant("".join(map(str, tree.parts)))
        if isinstance(tree, Text) and tree.whole is not None:
            hole = tree.whole
            value = self.read(hole) if hole.name in optional else self.needed(hole)
            if not hole.filters or value.kind == "nothing":
                return value
            code = self.filtered(hole, value).code
            return Value(self.made(f"None if {value.code} is None else {code}" if value.kind == "maybe" else code), value.kind)
        return Value(self.made(self.tree(tree, optional)), "sure")

    def query(self, texts: Iterable[tuple[str, Text]]) -> str:
        """A query or form, encoded, as an expression; what has a hole without a value is left out."""
        inside = self.inside_query(texts)
        whole = self.literal(inside.removeprefix("&"))
        return f"{whole}[1:]" if inside.startswith("{") else whole

    def inside_query(self, texts: Iterable[tuple[str, Text]]) -> str:
        """The same as the inside of an f-string, with a sign before each parameter."""
        found = [(key, text, [self.read(hole) for hole in text.holes]) for key, text in texts]
        found = [one for one in found if all(value.kind != "nothing" for value in one[2])]
        return "".join([self._if_there(key, text, values) for key, text, values in found])

    def _if_there(self, key: str, text: Text, values: Sequence[Value]) -> str:
        """A parameter with the sign before it, or nothing where one of its values isn't there, as the inside of an f-string."""
        asked = " and ".join(f"{value.code} is not None" for value in values if value.kind == "maybe")
        if not asked:
            return f"&{self._member(key, text, values)}"
        made = self.made("''")
        with self.block(f"if {asked}"):
            self.line(f"{made} = {self.literal(f'&{self._member(key, text, values)}')}")
        return f"{{{made}}}"

    def literal(self, template: str) -> str:
        """The inside of an f-string as an expression."""
        return f"f{template!r}" if "{" in template else repr(template)

    def _member(self, key: str, text: Text, values: Iterable[Value]) -> str:
        """A parameter, encoded, as the inside of an f-string."""
        given = iter(values)
        parts = (self.encoded(part, next(given)) if isinstance(part, Hole) else encoded(part) for part in text.parts)
        return f"{encoded(key)}={''.join(parts)}"

    def encoded(self, hole: Hole, value: Value) -> str:
        """The value of a hole that is there, encoded, as a part of an f-string."""
        value = self.filtered(hole, value)
        code = value.code
        if value.text is not None:
            return encoded(value.text)
        if value.kind == "integer":
            return self.inside(value)
        if not code.isidentifier():
            code = self.made(code)
        plain = f"{code} if {code}.__class__ is str and {code}.isascii() and {code}.isalnum()"
        number = f"{_if_exact(code)} else " if value.kind != "text" else ""
        return f"{{{self.made(f'{plain} else {number}encoded(as_text({code}))')}}}"

    def _whole(self, value: Value) -> str:
        """The text of a value that stands alone."""
        code = value.code
        if value.kind == "text":
            return code
        if not code.isidentifier():
            return f"as_text({code})"
        return f"{_is_text(code)} else {_if_exact(code)} else as_text({code})"

    def inside(self, value: Value, write: Callable[[object], str] | None = None) -> str:
        """The text of a value as a part of an f-string."""
        code = value.code
        if write is not None:
            return f"{{{self.constant(write)}({code})}}"
        if value.kind in ("text", "integer"):
            return f"{{{code}}}"
        return f"{{{_is_text(code)} else as_text({code})}}" if code.isidentifier() else f"{{as_text({code})}}"


class _Members:
    """Writes a mapping: as a literal up to the first member that may be left out, then member by member."""

    def __init__(self, code: CodeWriter, tree: Mapping[str, Tree], optional: frozenset[str]) -> None:
        self._code, self._tree, self._optional = code, tree, optional
        self._literal: list[str] = []
        self._variable: str | None = None

    def write(self) -> str:
        """The mapping as an expression."""
        code = self._code
        for key, tree in self._tree.items():
            hole = tree.whole if isinstance(tree, Text) and tree.whole is not None and tree.whole.name in self._optional else None
            if key == SPREAD and isinstance(tree, Text) and tree.whole is not None:
                value = code.filtered(tree.whole, code.read(tree.whole) if hole is not None else code.needed(tree.whole))
                code.line(f"{self._begun()}.update(spread({value.code}, {code.constant(frozenset(self._tree))}))")
            elif hole is None:
                self._add(key, code.tree(tree, self._optional))
            else:
                self._add_optional(key, hole)
        return self._variable or f"{{{', '.join(self._literal)}}}"

    def _add(self, key: str, value: str) -> None:
        if self._variable is None:
            self._literal.append(f"{key!r}: {value}")
        else:
            self._code.line(f"{self._variable}[{key!r}] = {value}")

    def _add_optional(self, key: str, hole: Hole) -> None:
        value = self._code.read(hole)
        if value.kind == "maybe":
            self._code.line(f"if {value.code} is not None: {self._begun()}[{key!r}] = {self._code.alone(hole, value)}")
        elif value.kind != "nothing":
            self._add(key, self._code.alone(hole, value))

    def _begun(self) -> str:
        if self._variable is None:
            self._variable = self._code.made(f"{{{', '.join(self._literal)}}}")
        return self._variable


def untouched(value: object) -> object:
    """The value of a hole that stands alone; an exact number is text.

    Raises `InvalidRequest` for a text that no frame or body can hold.
    """
    return as_text(value) if isinstance(value, str | Decimal) else value


def spread(value: object, own: frozenset[str]) -> dict[str, Any]:
    """The members of a mapping that another one, with its `own` keys, takes in."""
    if not isinstance(value, dict):
        raise InvalidRequest("the key '*' spreads a mapping, and its hole holds none")
    return {name: inner for name, inner in value.items() if name not in own}


def lazily(make: Callable[[], Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A function that is made when it is called first."""
    made: Callable[[Any], Any] | None = None

    def call(given: Any) -> Any:
        nonlocal made
        if made is None:
            made = make()
        return made(given)

    return call


def _is_text(code: str) -> str:
    """The begin of a choice: a variable where it is text that any request may hold."""
    return f"{code} if {code}.__class__ is str and {code}.isascii()"


def _if_exact(code: str) -> str:
    """A choice: a variable's digits where it is a `Decimal`; asking for no exponent is what takes time, and most have none."""
    return f"(digits if 'E' not in (digits := str({code})) else f'{{{code}:f}}') if {code}.__class__ is Decimal"


def _escaped(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")
