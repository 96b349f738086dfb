"""Templates: trees and texts with holes, compiled to functions from parameters to values.

A hole that is the whole of a leaf passes its value untouched; one joined with text becomes text. So no value changes
the structure, or the type, of what stands around it. The key `*` spreads the mapping that its hole holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cexspec.compile.code import NOTHING, SPREAD, CodeWriter, Tree, lazily
from cexspec.compile.filters import as_text
from cexspec.compile.holes import Hole, Text, parse_text
from cexspec.compile.plan import Json, Params
from cexspec.models import InvalidRequest
from cexspec.spec.model.node import TreeNode
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

_PATH_SAFE = ":@!$&'()*+,;="
"""What a path segment may hold unencoded (RFC 3986), besides letters, digits and `-._~`."""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled tree. `fill` raises `KeyError(hole)` where one of `needs` has no value."""

    tree: Tree
    fill: Callable[[Params], Json]
    holes: frozenset[str]
    needs: frozenset[str]
    optional: frozenset[str]
    """a member of a mapping that is one of these holes is left out where it has no value"""
    spreads: bool


def compile_tree(tree: TreeNode, allowed: frozenset[str], findings: Findings, where: Where, optional: frozenset[str] = NOTHING) -> Template:
    """Compile a tree with holes from `allowed`.

    A mapping's key whose value is a hole of `optional` and has no value is left out; any other hole is needed.
    """
    parsed = parse_tree(tree, allowed, findings, where)
    needs = frozenset(hole.label for hole, droppable in _holes(parsed) if not (droppable and hole.name in optional))
    holes = frozenset(hole.name for hole, _ in _holes(parsed))
    return Template(parsed, tree_filler(parsed, optional), holes, needs, optional, spreads(parsed))


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


def path_text(value: object) -> str:
    """A value as it stands in a URL's path: percent-encoded, so that it can't leave its segment. Raises `InvalidRequest`."""
    text = as_text(value)
    if text in ("", ".", ".."):
        raise InvalidRequest(f"{text!r} can't stand in a path")
    return quote(text, safe=_PATH_SAFE)


def tree_filler(tree: Tree, optional: frozenset[str] = NOTHING) -> Callable[[Params], Json]:
    """A function that fills a parsed tree."""
    return _function(lambda code: code.tree(tree, optional))


def text_filler(text: Text, write: Callable[[object], str] | None = None) -> Callable[[Params], str]:
    """A function that fills a text, all of whose holes are needed; `write` makes text of each value."""
    return _function(lambda code: code.text_of(text, write))


def entry_filler(tree: Tree, optional: frozenset[str]) -> Callable[[Params], Json]:
    """The same; None where the tree is one hole of `optional` that has no value."""
    return _function(lambda code: f"untouched({code.entry(tree, optional).code})")


def _function(write: Callable[[CodeWriter], str]) -> Callable[[Params], Any]:
    """Parameters -> the value of an expression; written when it is called first."""

    def make() -> Callable[[Params], Any]:
        code = CodeWriter()
        with code.block("def fill(params)"):
            code.line("get = params.get")
            code.line(f"return {write(code)}")
        return code.function("fill")

    return lazily(make)


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
