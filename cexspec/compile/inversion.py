"""Topics read backwards: which values of the holes a topic was made from, as an answer of the venue repeats it.

Texts are split at their literals, once from the left and once from the right, so the time grows with the length only.
The widest hole (the native id, which may itself hold the separators) takes what is left between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise

from cexspec.compile.code import Tree
from cexspec.compile.filters import as_text
from cexspec.compile.holes import Hole, Text
from cexspec.compile.plan import Json
from cexspec.models.errors import InvalidRequest
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Found = dict[str, str]
Match = Callable[[Json, Found], bool]
"""A value and what is known so far -> whether it agrees; adds what it tells."""

WIDE = ("id", "symbol")
"""Holes that may hold the separators around them."""
MAX_TEXT = 1024
"""Characters of one text of a topic at most; longer ones are nobody's topic."""


def compile_inverse(tree: Tree, optional: frozenset[str], findings: Findings, where: Where) -> Callable[[Json], Found | None]:
    """The holes' values, as text, of a topic or of a message that repeats its keys; None where a constant differs.

    Keys besides the topic's are fine, and so are missing ones whose value is a hole of `optional`. A list of one
    matches its element alone. What can't be read back is CEX048 (holes that touch) or CEX050 (a filter).
    """
    _check(tree, findings, where)
    match = _matcher(tree, optional)

    def params_of(value: Json) -> Found | None:
        found: Found = {}
        return found if match(value, found) else None

    return params_of


def _check(tree: Tree, findings: Findings, where: Where) -> None:
    match tree:
        case Text():
            if any(isinstance(a, Hole) and isinstance(b, Hole) for a, b in pairwise(tree.parts)):
                findings.error("CEX048", where, "two holes touch: the topic can't be read back", "put the venue's separator between them")
            if any(each.inverse is None for hole in tree.holes for each in hole.filters):
                findings.error("CEX050", where, "this filter can't be read back from a topic", "topics take lower, upper, text and int")
        case list():
            for at, inner in enumerate(tree):
                _check(inner, findings, (*where, at))
        case dict():
            for key, inner in tree.items():
                _check(inner, findings, (*where, key))


def _matcher(tree: Tree, optional: frozenset[str]) -> Match:
    match tree:
        case Text():
            return _text_matcher(tree)
        case list():
            return _list_matcher([_matcher(inner, optional) for inner in tree])
        case dict():
            return _mapping_matcher(tree, optional)
    return _equals(None if tree is None else as_text(tree))


def _equals(constant: str | None) -> Match:
    return lambda value, found: _scalar(value) == constant and not isinstance(value, list | dict)


def _list_matcher(elements: Sequence[Match]) -> Match:
    def match(value: Json, found: Found) -> bool:
        values = value if isinstance(value, list) else [value]
        return len(values) == len(elements) and all(one(inner, found) for one, inner in zip(elements, values, strict=True))

    return match


def _mapping_matcher(tree: dict[str, Tree], optional: frozenset[str]) -> Match:
    entries = [(key, _matcher(inner, optional), _droppable(inner, optional)) for key, inner in tree.items()]

    def match(value: Json, found: Found) -> bool:
        if not isinstance(value, dict):
            return False
        for key, one, droppable in entries:
            if value.get(key) is None and droppable:
                continue
            if key not in value or not one(value[key], found):
                return False
        return True

    return match


def _droppable(tree: Tree, optional: frozenset[str]) -> bool:
    return isinstance(tree, Text) and tree.whole is not None and tree.whole.name in optional


def _text_matcher(text: Text) -> Match:
    if not text.holes:
        return _equals("".join(map(str, text.parts)))

    def match(value: Json, found: Found) -> bool:
        written = _scalar(value)
        if written is None or len(written) > MAX_TEXT:
            return False
        pieces = _split(text.parts, written)
        return pieces is not None and all(_agrees(hole, piece, found) for hole, piece in zip(text.holes, pieces, strict=True))

    return match


def _agrees(hole: Hole, piece: str, found: Found) -> bool:
    value = found.get(hole.name)
    if value is None:
        value = reduce(lambda text, each: each.inverse(text) if each.inverse else text, reversed(hole.filters), piece)
    if _written(hole, value) != piece:
        return False
    found[hole.name] = value
    return True


def _written(hole: Hole, value: str) -> str | None:
    """The text that a hole writes of a value; None where its filters take no such value."""
    try:
        return reduce(lambda text, each: as_text(each.apply(text)), hole.filters, value)
    except InvalidRequest:
        return None


def _split(parts: Sequence[str | Hole], text: str) -> list[str] | None:
    """The pieces of the text that stand where the holes are."""
    wide = next((at for at, part in enumerate(parts) if isinstance(part, Hole) and part.name in WIDE), None)
    if wide is None:
        wide = max(at for at, part in enumerate(parts) if isinstance(part, Hole))
    front = _from_left(parts[:wide], text)
    if front is None:
        return None
    before, rest = front
    back = _from_left([_mirrored(part) for part in reversed(parts[wide + 1 :])], rest[::-1])
    if back is None:
        return None
    after, middle = back
    pieces = [*before, middle[::-1], *(piece[::-1] for piece in reversed(after))]
    return pieces if all(pieces) else None


def _mirrored(part: str | Hole) -> str | Hole:
    return part[::-1] if isinstance(part, str) else part


def _from_left(parts: Sequence[str | Hole], text: str) -> tuple[list[str], str] | None:
    """Pieces before each literal, and what is left after the last of them."""
    pieces: list[str] = []
    open_hole = False
    for part in parts:
        if isinstance(part, Hole):
            open_hole = True
            continue
        at = text.find(part) if open_hole else 0
        if at < 0 or not text.startswith(part, at):
            return None
        if open_hole:
            pieces.append(text[:at])
        text, open_hole = text[at + len(part) :], False
    return pieces, text


def _scalar(value: Json) -> str | None:
    return None if value is None or isinstance(value, list | dict) else as_text(value)
