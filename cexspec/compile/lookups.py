"""Paths and conditions over plain decoded JSON, for what is rare: errors, acks, cursors, pings.

Market data never comes this way: its paths are lowered to wire types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from cexspec.compile.conditions import Predicate, predicate
from cexspec.compile.filters import as_text
from cexspec.compile.paths import HOW_TO_WRITE, MISSING, PathError, parse
from cexspec.spec.model import Conditions
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

Lookup = Callable[[object], object]
"""Decoded JSON -> the first value at a path, or `MISSING`."""


def compile_lookup(path: str, findings: Findings, where: Where) -> Lookup:
    """Compile one path; CEX044 where it is none."""
    try:
        return parse(path).first
    except PathError as problem:
        findings.error("CEX044", where, f"'{path}' is no path: {problem}", HOW_TO_WRITE)
        return lambda document: MISSING


def compile_first(paths: Sequence[str], findings: Findings, where: Where) -> Callable[[object], str | None]:
    """Compile several paths: the first that finds something tells it, as text."""
    lookups = [compile_lookup(path, findings, (*where, at) if len(paths) > 1 else where) for at, path in enumerate(paths)]

    def first(document: object) -> str | None:
        found = (text_at(lookup, document) for lookup in lookups)
        return next((text for text in found if text is not None), None)

    return first


def compile_conditions(conditions: Conditions, findings: Findings, where: Where) -> Predicate:
    """Compile conditions that must all hold; CEX044 for each path that is none."""
    before = len(findings.errors)
    for path in conditions:
        compile_lookup(path, findings, (*where, path))
    return predicate(conditions) if len(findings.errors) == before else lambda document: False


def text_at(lookup: Lookup, document: object) -> str | None:
    """What a path finds, as text: a scalar as venues write it, anything else as JSON; None for nothing and for null."""
    found = lookup(document)
    if found is MISSING or found is None or found == "":
        return None
    return msgspec.json.encode(found).decode() if isinstance(found, list | dict) else as_text(found)
