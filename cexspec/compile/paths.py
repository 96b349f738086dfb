"""JSONPath: read by jsonpath-ng's grammar and meaning, lowered to plain steps where it is plain.

A path of member names, indices and wildcards is lowered to steps that the wire types follow. Anything else (filters,
slices, recursive descent) stays a jsonpath-ng expression: slower, never different. What computes instead of leading somewhere
(functions, arithmetic, regular expressions), or puts several paths together, is no path of ours.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonpath_ng import JSONPath


class Wild(Enum):
    """A step that goes to many values."""

    ELEMENTS = "[*]"
    VALUES = ".*"


Step = str | int | Wild
Steps = tuple[Step, ...]


class Missing:
    """What a path found: nothing. (None is JSON null.)"""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_\-]*)|\[(-?\d{1,6})\]|\[(\*)\]|\.(\*)|\['([^'\\\]]+)'\]|\[\"([^\"\\\]]+)\"\]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_COMPUTES = re.compile(r"`|=~")
_TOGETHER = frozenset({"Union", "Intersect", "Where", "WhereNot"})
"""What jsonpath-ng makes of `|`, `&`, `where` and `wherenot`."""
_MAX_LENGTH = 500

HOW_TO_WRITE = "write '$', then .name, ['name'], [0] or [*]; quote it inside {...}"
"""The hint that comes with every `PathError`."""

_INAPPLICABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What jsonpath-ng raises where a value is of no kind that the expression is for: there it finds nothing."""


class PathError(ValueError):
    """Text that is no JSONPath."""


def typeable(step: Step) -> bool:
    """Whether a wire type can follow the step (msgspec names no member with quotes or control characters)."""
    if isinstance(step, str):
        return step.isprintable() and '"' not in step and "\\" not in step
    return step is Wild.ELEMENTS or (isinstance(step, int) and step >= 0)


@dataclass(frozen=True)
class Path:
    """A parsed path: `steps` as far as it is plain, then `rest`, a jsonpath-ng expression over what is there."""

    text: str
    steps: Steps
    rest: JSONPath | None = None

    @property
    def lowered(self) -> bool:
        """Whether wire types can follow the whole of it."""
        return self.rest is None and all(typeable(step) for step in self.steps)

    @property
    def many(self) -> bool:
        """Whether it can find more than one value."""
        return self.rest is not None or any(isinstance(step, Wild) for step in self.steps)

    def find(self, document: object) -> Iterator[object]:
        """Every value at the path, in the order of jsonpath-ng."""
        found = walk(document, self.steps)
        if self.rest is None:
            yield from found
            return
        for value in found:
            yield from self._matches(self.rest, value)

    def _matches(self, rest: JSONPath, value: object) -> list[object]:
        try:
            return [match.value for match in rest.find(value)]
        except _INAPPLICABLE:
            return []

    def first(self, document: object) -> object:
        """The first value at the path, or MISSING."""
        return next(self.find(document), MISSING)


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Parse a path that starts with `$`; raises PathError with jsonpath-ng's reason."""
    if len(text) > _MAX_LENGTH:
        raise PathError(f"longer than {_MAX_LENGTH} characters")
    if not text.startswith("$"):
        raise PathError("a path starts with '$'")
    steps, end = _plain_steps(text)
    if end == len(text):
        return Path(text, steps)
    try:
        return Path(text, steps, _expression("$" + text[end:]))
    except PathError:
        _expression(text)  # tells the place in the whole of it
        raise


def walk(value: object, steps: Steps) -> Iterator[object]:
    """The values that plain steps lead to."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    for inner in _step(value, step):
        yield from walk(inner, rest)


def show(steps: Steps) -> str:
    """Steps as path text."""
    return "$" + "".join(_show(step) for step in steps)


def _show(step: Step) -> str:
    match step:
        case Wild():
            return step.value
        case int():
            return f"[{step}]"
        case _ if _NAME.fullmatch(step):
            return f".{step}"
        case _:
            return f"['{step}']"


def _step(value: object, step: Step) -> Iterator[object]:
    match step, value:
        case str(), dict() if step in value:
            yield value[step]
        case int(), list() if -len(value) <= step < len(value):
            yield value[step]
        case Wild(), list():
            yield from value
        case Wild(), dict():
            yield from value.values()


def _plain_steps(text: str) -> tuple[Steps, int]:
    steps: list[Step] = []
    at = 1
    while found := _STEP.match(text, at):
        name, index, elements, values, single, double = found.groups()
        if index is not None:
            steps.append(int(index))
        elif elements or values:
            steps.append(Wild.ELEMENTS if elements else Wild.VALUES)
        else:
            steps.append(name or single or double)
        at = found.end()
    return tuple(steps), at


def _expression(text: str) -> JSONPath:
    from jsonpath_ng.ext import parse as parse_jsonpath

    if _COMPUTES.search(_QUOTED.sub("", text)):
        raise PathError("functions in backticks and =~ compute: a path leads to a place")
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of operators that are refused here
            expression = parse_jsonpath(text)
    except Exception as error:  # jsonpath-ng and ply raise several unrelated classes
        raise PathError(str(error)) from None
    kinds = {type(node).__name__.lstrip("_") for node in _nodes(expression)}
    if "Operation" in kinds:
        raise PathError("arithmetic computes: a path leads to a place")
    if kinds & _TOGETHER:
        raise PathError("|, & and where put paths together: a path is one")
    return expression


def _nodes(expression: object) -> Iterator[object]:
    """An expression and all that it is made of."""
    yield expression
    for part in vars(expression).values():
        for inner in part if isinstance(part, list | tuple) else (part,):
            if hasattr(inner, "find") and not isinstance(inner, str):
                yield from _nodes(inner)
