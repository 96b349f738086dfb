"""The base of every node of a spec: closed keys, frozen, and a record of what the compiler has read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from typing_extensions import TypeAliasType


class Node(BaseModel):
    """A mapping of the spec. Unknown keys are refused; `where` is its path in the file (`("rest", "ticker")`).

    Watched, it notes which fields are read, so that `validate` can name what nothing reads: their values stand apart until
    then, and reading one that stands apart comes to `__getattr__`. Who doesn't validate pays nothing for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    _where: tuple[str | int, ...] = PrivateAttr(default=())
    _apart: dict[str, Any] = PrivateAttr(default_factory=dict)
    _read: set[str] = PrivateAttr(default_factory=set)

    if not TYPE_CHECKING:  # pragma: no branch  # else a type checker would know every name

        def __getattr__(self, name: str) -> Any:
            """A field that stands apart, read for the first time; anything else as pydantic has it."""
            private = self.__pydantic_private__
            if private is None or name not in private["_apart"]:
                return super().__getattr__(name)
            private["_read"].add(name)
            value = self.__dict__[name] = private["_apart"][name]
            return value

    @property
    def where(self) -> tuple[str | int, ...]:
        """Its path in the file."""
        return self.__pydantic_private__["_where"]  # type: ignore[index,no-any-return]  # as self._where, the short way


def values_of(node: Node) -> dict[str, Any]:
    """All fields of a node, without reading them."""
    return {**node._apart, **node.__dict__}


def place(node: Node, where: tuple[str | int, ...]) -> None:
    """Tell a node its path in the file."""
    node.__pydantic_private__["_where"] = where  # type: ignore[index]  # as node._where, of whose setting pydantic makes a long way


def note_reads(node: Node, read: set[str]) -> None:
    """From here on `read` gets the names of the fields of a node that are read."""
    node._apart, node._read = values_of(node), read
    node.__dict__.clear()


def key(description: str, example: Any, default: Any = ..., *, alias: str | None = None) -> Any:
    """A key of the language: what it means and how it looks, both of which reach the JSON Schema and the docs."""
    return Field(default=default, description=description, examples=[example], alias=alias)


def as_list(value: Any) -> Any:
    """One thing is short for a list of it."""
    return value if isinstance(value, list) or value is None else [value]


def _path(text: str) -> str:
    if not text.startswith("$"):
        raise ValueError(f"a path starts with '$' (the message, or the item inside fields): write '$.{text.lstrip('.@')}'")
    return text


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("write true or false")
        return value == "true"
    return value


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for suffix, seconds in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)):
        number = value.removesuffix(suffix)
        if number != value and number.replace(".", "", 1).isdigit():
            return float(number) * seconds
    raise ValueError("a duration is a number and a unit: 500ms, 2s, 1m, 24h")


Path = Annotated[str, AfterValidator(_path), Field(description="JSONPath from `$`", examples=["$.data[*]"])]
Flag = Annotated[bool, BeforeValidator(_flag)]
Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[
    float,
    Field(gt=0),
    BeforeValidator(_duration, json_schema_input_type=str),
    Field(description="A number and a unit: 500ms, 2s, 1m, 24h", examples=["2s"]),
]
Template = Annotated[str, Field(description="Text that may hold `{{ holes }}`", examples=["{{ id }}"])]
Url = Annotated[str, Field(pattern=r"^(https?|wss?)://|^\{\{", examples=["https://www.example.com"])]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", examples=["order_book"])]


class Plain(str):
    """An unquoted scalar: text everywhere but in trees, where it is the JSON value it looks like."""

    __slots__ = ()


def _tree(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _tree(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tree(inner) for inner in value]
    if isinstance(value, Plain) and (value in ("true", "false", "null") or _JSON_NUMBER.fullmatch(value)):
        return json.loads(value)
    return value


_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")

TreeNode = TypeAliasType("TreeNode", "str | int | float | bool | list[TreeNode] | dict[str, TreeNode] | None")
Tree = Annotated[
    TreeNode,
    BeforeValidator(_tree),
    Field(description="A YAML structure whose text leaves may hold holes; unquoted numbers, true, false, null are JSON's"),
]
