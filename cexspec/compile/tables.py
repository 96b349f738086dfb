"""Lookups: a list of the message as a table, written once for each message, in which field rules look their values up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cexspec.compile.access import Access, Scope
from cexspec.compile.conditions import text_of
from cexspec.compile.paths import MISSING, Path, Steps, Wild, parse
from cexspec.compile.source import Origin, Writer
from cexspec.compile.wire import Leaf
from cexspec.spec.model import FieldRule, Lookup

_ELEMENT = "row"


def request_table(scope: Scope, message: Steps, lookup: Lookup, leaf: Leaf, words: tuple[str | int, ...], origin: Origin) -> None:
    """Add the list that a rule looks into to the wire type: its keys, and what is taken as `leaf`. Raises PathError."""
    path = parse(lookup.in_)
    place = (*message, *path.steps)
    if path.rest is not None:
        scope.request(place, Leaf.ANY, required=False)
        return
    for text, one, known in ((lookup.by, Leaf.TEXT, ()), (lookup.take, leaf, words)):
        inner = parse(text)
        steps = (*place, Wild.ELEMENTS, *inner.steps)
        scope.asked.append((steps, origin))
        scope.request(steps, one if inner.rest is None else Leaf.ANY, required=False, words=known if inner.rest is None else ())


def write_tables(scope: Scope, message: Steps, rules: Iterable[FieldRule], writer: Writer) -> None:
    """The statements that make the tables of a message's rules, each once."""
    for lookup in lookups(rules):
        if key_of(lookup) not in scope.tables:
            name = f"table{len(scope.tables)}"
            code, plain = _table(scope, message, lookup)
            writer.line(f"{name} = Table({lookup.in_!r}, {code})")
            scope.tables[key_of(lookup)] = Access(name, plain, nullable=True)


def key_of(lookup: Lookup) -> tuple[str, str, str]:
    """What lookups of one table have in common."""
    return lookup.in_, lookup.by, lookup.take


def lookups(rules: Iterable[FieldRule]) -> Iterator[Lookup]:
    """Every lookup of some rules."""
    return (one.lookup for rule in rules for one in rule.every if one.lookup is not None)


def _table(scope: Scope, message: Steps, lookup: Lookup) -> tuple[str, bool]:
    """The code of the pairs of a table, and whether what they hold is decoded plain."""
    path = parse(lookup.in_)
    rows = scope.access(message, path)
    if rows.plain:
        return f"{scope.constant(pairs(parse(lookup.by), parse(lookup.take)), 'pairs')}({rows.code})", True
    place = (*message, *path.steps, Wild.ELEMENTS)
    before = scope.bound.get(place)
    scope.bind(place, _ELEMENT)
    key, value = (scope.access(place, parse(text)) for text in (lookup.by, lookup.take))
    if before is None:
        del scope.bound[place]
    else:
        scope.bind(place, before)
    text = "text_of(name)" if key.plain else 'f"{name}"'
    return f"[({text}, {value.code}) for {_ELEMENT} in {rows.code} or () if (name := {key.code}) is not None]", value.plain


def pairs(by: Path, take: Path) -> Callable[[object], list[tuple[str | None, object]]]:
    """Key and value of each element of a list that is decoded plain."""

    def walk(rows: object) -> list[tuple[str | None, object]]:
        found = ((by.first(row), take.first(row)) for row in (rows if isinstance(rows, list) else ()))
        return [(text_of(key), None if value is MISSING else value) for key, value in found]

    return walk
