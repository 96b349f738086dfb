"""Templates: trees and texts with holes, compiled to closures from parameters to values.

A hole that is the whole of a leaf passes its value untouched; one joined with text becomes text. So no value changes
the structure, or the type, of what stands around it. The key `*` spreads the mapping that its hole holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from urllib.parse import quote

from cexspec.compile.filters import as_text
from cexspec.compile.holes import Hole, Text, parse_text
from cexspec.compile.plan import Json, Params
from cexspec.models import InvalidRequest
from cexspec.spec.model.node import TreeNode
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Tree = Text | int | float | bool | None | list["Tree"] | dict[str, "Tree"]
"""A parsed tree: every text leaf in parts."""

NOTHING: frozenset[str] = frozenset()
SPREAD = "*"
_PATH_SAFE = ":@!$&'()*+,;="
"""What a path segment may hold unencoded (RFC 3986), besides letters, digits and `-._~`."""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled tree. `fill` raises `KeyError(hole)` where one of `needs` has no value."""

    tree: Tree
    fill: Callable[[Params], Json]
    holes: frozenset[str]
    needs: frozenset[str]
    spreads: bool


def compile_tree(tree: TreeNode, allowed: frozenset[str], findings: Findings, where: Where, optional: frozenset[str] = NOTHING) -> Template:
    """Compile a tree with holes from `allowed`.

    A mapping's key whose value is a hole of `optional` and has no value is left out; any other hole is needed.
    """
    parsed = parse_tree(tree, allowed, findings, where)
    needs = frozenset(hole.label for hole, droppable in _holes(parsed) if not (droppable and hole.name in optional))
    holes = frozenset(hole.name for hole, _ in _holes(parsed))
    return Template(parsed, _filler(parsed, optional), holes, needs, spreads(parsed))


def compile_text(text: str, allowed: frozenset[str], findings: Findings, where: Where) -> tuple[Text, Callable[[Params], str]]:
    """Compile a text: its parts, and a closure that always gives text and raises `KeyError(hole)`."""
    parsed = parse_text(text, allowed, findings, where)
    return parsed, text_filler(parsed)


def compile_path(text: str, allowed: frozenset[str], findings: Findings, where: Where) -> tuple[Text, Callable[[Params], str]]:
    """Compile a URL path: values are percent-encoded, so that none can leave its segment."""
    parsed = parse_text(text, allowed, findings, where)
    return parsed, text_filler(parsed, _path_text)


def text_filler(text: Text, write: Callable[[object], str] = as_text) -> Callable[[Params], str]:
    """A closure that joins a text's literals and values."""
    parts = [_constant(part) if isinstance(part, str) else _needed(part, write) for part in text.parts]
    return lambda params: "".join([part(params) for part in parts])


def parse_tree(tree: TreeNode, allowed: frozenset[str], findings: Findings, where: Where) -> Tree:
    """A tree with its leaves parsed; what is wrong goes to `findings`."""
    if isinstance(tree, str):
        return parse_text(tree, allowed, findings, where)
    if isinstance(tree, list):
        return [parse_tree(inner, allowed, findings, (*where, at)) for at, inner in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    parsed: dict[str, Tree] = {}
    for key, inner in tree.items():
        if "{{" in key:
            findings.error("CEX048", (*where, key), "a key holds no hole", "only values do; the key '*' spreads a mapping")
            continue
        value = parse_tree(inner, allowed, findings, (*where, key))
        if key == SPREAD and not (isinstance(value, Text) and value.whole):
            findings.error("CEX048", (*where, key), "the key '*' spreads one hole", '"*": "{{ topic }}"')
            continue
        parsed[key] = value
    return parsed


def _path_text(value: object) -> str:
    text = as_text(value)
    if text in ("", ".", ".."):
        raise InvalidRequest(f"{text!r} can't stand in a path")
    return quote(text, safe=_PATH_SAFE)


def _constant(value: Any) -> Callable[[Params], Any]:
    return lambda params: value


def _needed(hole: Hole, write: Callable[[object], Any] | None = None) -> Callable[[Params], Any]:
    read, label = hole.reader(), hole.label

    def value(params: Params) -> Any:
        found = read(params)
        if found is None:
            raise KeyError(label)
        return _untouched(found) if write is None else write(found)

    return value


def _untouched(value: object) -> object:
    """The value of a hole that stands alone; an exact number is text.

    Raises `InvalidRequest` for a text that no frame or body can hold.
    """
    return as_text(value) if isinstance(value, str | Decimal) else value


def _filler(tree: Tree, optional: frozenset[str]) -> Callable[[Params], Json]:
    match tree:
        case Text():
            if tree.whole:
                return _needed(tree.whole)
            return text_filler(tree) if tree.holes else _constant("".join(map(str, tree.parts)))
        case list():
            elements = [_filler(inner, optional) for inner in tree]
            return lambda params: [element(params) for element in elements]
        case dict():
            return _mapping_filler(tree, optional)
    return _constant(tree)


def _mapping_filler(tree: dict[str, Tree], optional: frozenset[str]) -> Callable[[Params], Json]:
    entries = [(key, *_entry(inner, optional)) for key, inner in tree.items()]
    if SPREAD in tree:
        return lambda params: dict(_members(entries, params))

    def fill(params: Params) -> Json:
        result: dict[str, Json] = {}
        for key, droppable, value in entries:
            found = value(params)
            if found is not None or not droppable:
                result[key] = cast(Json, found)
        return result

    return fill


def value_filler(tree: Tree, optional: frozenset[str]) -> Callable[[Params], Json]:
    """A closure that fills a parsed tree; None where the tree is one hole of `optional` that has no value."""
    return cast(Callable[[Params], Json], _entry(tree, optional)[1])


_Entry = tuple[str, bool, Callable[[Params], object]]


def _members(entries: list[_Entry], params: Params) -> Iterator[tuple[str, Json]]:
    """The members of a mapping that spreads another one in its midst."""
    own = {key for key, _, _ in entries}
    for key, droppable, value in entries:
        found = value(params)
        if key == SPREAD:
            yield from ((name, inner) for name, inner in _spread(found).items() if name not in own)
        elif found is not None or not droppable:
            yield key, cast(Json, found)


def _entry(tree: Tree, optional: frozenset[str]) -> tuple[bool, Callable[[Params], object]]:
    """Whether it is left out where its hole has no value, and what it holds."""
    if not (isinstance(tree, Text) and tree.whole and tree.whole.name in optional):
        return False, _filler(tree, optional)
    hole = tree.whole
    if hole.attribute is None and not hole.filters:
        name, untouched = hole.name, _untouched
        return True, lambda params: untouched(params.get(name))
    read = hole.reader()
    return True, lambda params: _untouched(read(params))


def _spread(value: object) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise InvalidRequest("the key '*' spreads a mapping, and its hole holds none")
    return value


def _holes(tree: Tree, in_mapping: bool = False) -> Iterator[tuple[Hole, bool]]:
    """Every hole, and whether it is the whole value of a mapping's key."""
    match tree:
        case Text():
            yield from ((hole, in_mapping and tree.whole is not None) for hole in tree.holes)
        case list():
            for inner in tree:
                yield from _holes(inner)
        case dict():
            for inner in tree.values():
                yield from _holes(inner, in_mapping=True)


def spreads(tree: Tree | TreeNode) -> bool:
    """Whether some mapping of a tree, parsed or not, holds the key `*`."""
    match tree:
        case list():
            return any(map(spreads, tree))
        case dict():
            return SPREAD in tree or any(map(spreads, tree.values()))
    return False
