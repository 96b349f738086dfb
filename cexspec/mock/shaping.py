"""An account's event as an item of the venue: the sample most like it, what doesn't apply taken out, shared words agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cexspec.mock.agreement import agreed
from cexspec.mock.blanks import blanked, nearest
from cexspec.mock.market import Row
from cexspec.spec.model import FieldRule


def shaped(row: Row, fields: Mapping[str, FieldRule], known: Sequence[Mapping[str, Any]], items: Sequence[Any]) -> Row:
    """The row with the item to fill for it; `known` are the events of a sample's `items`."""
    item, written = agreed(blanked(nearest(row, known, items), fields, row), fields, row)
    return {**row, "like": item, "known": {name: row[name] for name in written}}
