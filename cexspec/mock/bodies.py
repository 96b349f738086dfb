"""JSON bodies of requests read back: the values of their holes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from cexspec.compile.convert import NANOSECONDS, iso_nanoseconds
from cexspec.compile.exchange import Exchange
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.paths import MISSING, Steps
from cexspec.compile.templates import parse_tree
from cexspec.mock.choosing import places
from cexspec.mock.document import get

HOLE = re.compile(r"\{\{\s*(\w+)\s*(?:\|\s*(\w+)\s*)?\}\}")
ISO = ("iso", "datetime")
TIMES = {**NANOSECONDS, **dict.fromkeys(ISO, 0)}


class Refused(Exception):
    """A request that the spec doesn't describe; the text says why, `error` is the class of the venue's answer."""

    def __init__(self, reason: str, error: str = "InvalidRequest") -> None:
        super().__init__(reason)
        self.error = error


class Body:
    """A tree with holes, backwards. What stands at `lifted` holes is taken as it is, structures too; `ignored` places aren't read."""

    def __init__(
        self,
        exchange: Exchange,
        tree: Any,
        holes: frozenset[str],
        optional: frozenset[str],
        lifted: frozenset[str] = frozenset(),
        ignored: frozenset[Steps] = frozenset(),
    ) -> None:
        self._times, self._lifted = dict(_times_in(tree)), dict(places(tree, lifted))
        self.keys = frozenset(tree) if isinstance(tree, dict) else None
        """all the keys it may have; None: it is no mapping"""
        findings = exchange.findings()
        fixed = parse_tree(without(tree, {*self._times, *self._lifted, *ignored}), holes | lifted, findings, ())
        self._read = compile_inverse(fixed, optional, findings, ())

    def told(self, body: Any) -> dict[str, Any] | None:
        """The values of the holes that have one, times in nanoseconds; None where it is another body. Raises `Refused`."""
        found = {} if () in self._lifted else self._read(body)
        if found is None:
            return None
        times = {place: value for place in self._times if (value := get(body, place)) not in (MISSING, None)}
        lifted = {name: value for place, name in self._lifted.items() if (value := get(body, place)) not in (MISSING, None)}
        return {**found, **lifted, **{self._times[place][0]: time(str(value), self._times[place][1]) for place, value in times.items()}}


def holes_in(tree: Any) -> Iterator[str]:
    """The names of a tree's holes."""
    match tree:
        case str():
            yield from (name for name, _ in HOLE.findall(tree))
        case list():
            yield from (name for inner in tree for name in holes_in(inner))
        case dict():
            yield from (name for inner in tree.values() for name in holes_in(inner))


def without(tree: Any, places: Container[Steps], place: Steps = ()) -> Any:
    """A body without what is at some places."""
    if isinstance(tree, list):
        return [without(inner, places, (*place, at)) for at, inner in enumerate(tree)]
    if not isinstance(tree, Mapping):
        return tree
    return {key: without(inner, places, (*place, key)) for key, inner in tree.items() if (*place, key) not in places}


def time(value: str, unit: str) -> int:
    """A venue's time in nanoseconds. Raises `Refused`."""
    try:
        if unit in ISO:
            return iso_nanoseconds(value)
        return int(value) * NANOSECONDS[unit]
    except ValueError:
        raise Refused(f"'{value}' is no time in {unit}") from None


def _times_in(tree: Any, place: Steps = ()) -> Iterator[tuple[Steps, tuple[str, str]]]:
    """The times in a body: where, the hole, its unit."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from _times_in(inner, (*place, key))
    elif isinstance(tree, str) and (whole := HOLE.fullmatch(tree)) is not None and whole.group(2) in TIMES:
        yield place, (whole.group(1), whole.group(2))
