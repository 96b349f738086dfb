"""Entries to plain data for the models: private notes dropped, stray nulls named."""

from __future__ import annotations

from cexspec.spec.model.node import Plain
from cexspec.spec.problems import Findings
from cexspec.spec.shape import Shape, Tree, children, inherits, is_note, resolve
from cexspec.spec.source import Entry, Where

Data = str | list["Data"] | dict[str, "Data"] | None


def is_null(entry: Entry) -> bool:
    """Whether an entry is YAML's plain `null`."""
    return isinstance(entry.value, Plain) and entry.value == "null"


def tidy(shape: Shape, entry: Entry, findings: Findings, where: Where = ()) -> Data:
    """The data of an entry. A `null` that removes nothing is a problem, except in a tree, where it is JSON's."""
    shape = resolve(shape, entry)
    if isinstance(entry.value, str):
        if is_null(entry) and not isinstance(shape, Tree):
            message = "`null` removes an inherited key, and nothing is inherited here"
            findings.error("CEX025", where, message, 'leave the key out; "null" is a text')
        return entry.value
    inner = [(key, child_shape, child) for key, child_shape, child in children(shape, entry) if not is_note(shape, str(key))]
    if inherits(shape):
        return {str(key): None if is_null(child) else tidy(of, child, findings, (*where, key)) for key, of, child in inner}
    if isinstance(entry.value, list):
        return [tidy(child_shape, child, findings, (*where, key)) for key, child_shape, child in inner]
    return {str(key): tidy(child_shape, child, findings, (*where, key)) for key, child_shape, child in inner}
