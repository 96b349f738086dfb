"""What the spec language wants at each place, read off the pydantic models: the one definition, seen as shapes.

The loader, the problems' texts and the formatter all ask here, so none of them holds a list of keys of its own.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType

from cexspec.spec.model.node import Flag, Name, Node, Path, Seconds, Url
from cexspec.spec.model.ws import Also
from cexspec.spec.source import Entry


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. `noun` says what kind (`path`, `duration`, ...); `words` are the only ones allowed, where it is a word."""

    noun: str = "text"
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """Any structure: it goes to the venue as it stands, or nothing is known of it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `short`: one element may stand alone."""

    inner: Shape
    short: bool


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys the author chooses."""

    keys: Text
    inner: Shape


@dataclass(frozen=True, slots=True)
class NodeOf:
    """A mapping with the keys of a model. A text (or list) alone is short for the key `text_key` (`list_key`)."""

    model: type[Node]
    text_key: str | None = None
    list_key: str | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several."""

    branches: tuple[Shape, ...]


Shape = Text | Tree | ListOf | MapOf | NodeOf | OneOf
TREE = Tree()


@cache
def keys(model: type[Node]) -> dict[str, FieldInfo]:
    """The keys of a model as they are written in YAML, in the order of the language: its own first, then its base's.

    `also`, which says how further messages differ, stands after what they differ from.
    """
    names = dict.fromkeys(name for level in model.__mro__ for name in vars(level).get("__annotations__", ()))
    known = sorted((name for name in names if name in model.model_fields), key=lambda name: name == "also")
    return {model.model_fields[name].alias or name: model.model_fields[name] for name in known}


@cache
def fields(model: type[Node]) -> dict[str, Shape]:
    """The shapes of a model's keys, in the order of the language."""
    return {key: shape_of(info.annotation, info.metadata) for key, info in keys(model).items()}


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """The shape that a pydantic annotation with its metadata accepts."""
    marks = list(_marks(metadata))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return shape_of(arguments[0], [*arguments[1:], *metadata])
    if origin is Union or origin is UnionType:
        branches = tuple(shape_of(argument) for argument in arguments if argument is not type(None))
        return shape_of(next(a for a in arguments if a is not type(None)), metadata) if len(branches) == 1 else OneOf(branches)
    if origin is list:
        return ListOf(shape_of(arguments[0]), any(probe("x") == ["x"] for probe in _probes(marks)))
    if origin is dict:
        keys = shape_of(arguments[0])
        return MapOf(keys if isinstance(keys, Text) else Text(), shape_of(arguments[1]))
    if isinstance(annotation, TypeAliasType):
        return TREE
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return NodeOf(annotation, _short_key(marks, "x"), _short_key(marks, ["x"]))
    return _text(annotation, origin, arguments, marks)


def _text(annotation: Any, origin: Any, arguments: tuple[Any, ...], marks: list[Any]) -> Text:
    if origin is Literal:
        return Text("word", arguments)
    noun = next((_NOUNS[mark] for mark in marks if mark in _NOUNS), None)
    return Text(noun or _TYPES.get(annotation, "text"))


def _marks(metadata: Iterable[Any]) -> Iterator[Any]:
    """What tells annotations apart: their validators' functions and their patterns."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _marks(item.metadata)
        elif getattr(item, "func", None) is not None:
            yield item.func
        elif getattr(item, "pattern", None) is not None:
            yield item.pattern


def _probes(marks: list[Any]) -> Iterator[Any]:
    return (mark for mark in marks if callable(mark))


def _short_key(marks: list[Any], probe: str | list[str]) -> str | None:
    for expand in _probes(marks):
        expanded = expand(probe)
        if isinstance(expanded, dict):
            return str(next(iter(expanded)))
    return None


_TYPES: dict[Any, str] = {int: "whole number", float: "number", Decimal: "number", datetime.date: "date"}
_NOUNS: dict[Any, str] = {
    mark: noun
    for noun, alias in (("path", Path), ("flag", Flag), ("duration", Seconds), ("URL", Url), ("name", Name))
    for mark in _marks(get_args(alias)[1:])
}


def resolve(shape: Shape, entry: Entry) -> Shape:
    """The shape an entry is written in: branches chosen, short forms followed."""
    while (step := _step(shape, entry)) is not None:
        shape = step
    return shape


def _step(shape: Shape, entry: Entry) -> Shape | None:
    value = entry.value
    if isinstance(shape, OneOf):
        chosen = choose(shape, entry)
        return TREE if chosen is None else shape.branches[chosen]
    if isinstance(shape, ListOf) and shape.short and not isinstance(value, list):
        return shape.inner
    if isinstance(shape, NodeOf) and isinstance(value, str) and shape.text_key:
        return fields(shape.model)[shape.text_key]
    if isinstance(shape, NodeOf) and isinstance(value, list) and shape.list_key:
        return fields(shape.model)[shape.list_key]
    return None


def choose(shape: OneOf, entry: Entry) -> int | None:
    """The branch that an entry is meant for, judged by how it is written; None where it is like none of them."""
    scores = [_likeness(branch, entry) for branch in shape.branches]
    best = max(scores)
    return scores.index(best) if best > 0 else None


def _likeness(shape: Shape, entry: Entry) -> float:
    if not fits(shape, entry):
        return 0
    if isinstance(shape, Text) and shape.words:
        return 2 if entry.value in shape.words else 0.5
    if isinstance(shape, NodeOf) and isinstance(entry.value, dict):
        legal = list(fields(shape.model))
        return 1 + sum(bool(difflib.get_close_matches(key, legal, 1)) for key in entry.value)
    return 1


def fits(shape: Shape, entry: Entry) -> bool:
    """Whether an entry is of the right kind: text, mapping or list."""
    value = entry.value
    if isinstance(shape, OneOf):
        return any(fits(branch, entry) for branch in shape.branches)
    if isinstance(shape, Text):
        return isinstance(value, str)
    if isinstance(shape, ListOf):
        return isinstance(value, list) or (shape.short and fits(shape.inner, entry))
    if isinstance(shape, NodeOf):
        kinds = (dict, *((str,) if shape.text_key else ()), *((list,) if shape.list_key else ()))
        return isinstance(value, kinds)
    return isinstance(shape, Tree) or isinstance(value, dict)


def children(shape: Shape, entry: Entry) -> Iterator[tuple[str | int, Shape, Entry]]:
    """What is under an entry of a resolved shape, each with its own shape (a tree where the language knows none)."""
    if isinstance(entry.value, dict):
        known = fields(shape.model) if isinstance(shape, NodeOf) else {}
        default = shape.inner if isinstance(shape, MapOf) else TREE
        for key, inner in entry.value.items():
            yield key, TREE if is_note(shape, key) else known.get(key, default), inner
    elif isinstance(entry.value, list):
        default = shape.inner if isinstance(shape, ListOf) else TREE
        for index, inner in enumerate(entry.value):
            yield index, default, inner


def inherits(shape: Shape) -> bool:
    """Whether keys that are not given are another node's, so that `null` takes one away."""
    return isinstance(shape, NodeOf) and shape.model is Also


def is_note(shape: Shape, key: str) -> bool:
    """Whether a key is a private note (`x-...`): only where keys are the language's or names, never where they are data."""
    return key.startswith("x-") and (isinstance(shape, NodeOf) or (isinstance(shape, MapOf) and shape.keys.noun != "text"))


def describe(shape: Shape) -> str:
    """What a shape wants, in words."""
    if isinstance(shape, OneOf):
        return " or ".join(dict.fromkeys(describe(branch) for branch in shape.branches))
    if isinstance(shape, Text):
        return "text" if shape.noun in ("text", "word") else f"a {shape.noun}"
    if isinstance(shape, ListOf):
        return f"a list or {describe(shape.inner)}" if shape.short else "a list"
    short = "text or " if isinstance(shape, NodeOf) and shape.text_key else ""
    return f"{short}a mapping"
