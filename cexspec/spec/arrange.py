"""Entries in the order and the short forms of the language, ready to be laid out, each with its comments."""

from __future__ import annotations

from dataclasses import dataclass, field

from cexspec.spec.comments import Notes
from cexspec.spec.shape import ListOf, MapOf, NodeOf, Shape, Text, Tree, children, fields, fits, resolve
from cexspec.spec.source import Entry, Where


@dataclass(slots=True)
class Item:
    """A value to be written: text, or a list or mapping of items, with what stands around it.

    `tree`: unquoted JSON words keep their meaning; `table`: one entry a line, always; `words`: plain words, as many
    on a line as it holds.
    """

    value: str | list[Item] | dict[str, Item]
    notes: Notes = field(default_factory=Notes)
    tree: bool = False
    table: bool = False
    words: bool = False

    def inner(self) -> list[Item]:
        """The items directly inside."""
        if isinstance(self.value, dict):
            return list(self.value.values())
        return self.value if isinstance(self.value, list) else []


def arrange(shape: Shape, entry: Entry, where: Where, notes: dict[Where, Notes]) -> Item:
    """The item of an entry, with all that is in it."""
    own = notes[where]
    while (step := short_step(shape, entry)) is not None:
        where, entry = (*where, step), step_into(entry, step)
        _join(own, notes[where])
    shape = resolve(shape, entry)
    if isinstance(entry.value, str):
        return Item(entry.value, own, tree=isinstance(shape, Tree))
    inner = {key: arrange(child_shape, child, (*where, key), notes) for key, child_shape, child in children(shape, entry)}
    if isinstance(entry.value, list):
        elements = list(inner.values())
        for element in elements:
            _lift(element)
        words = all(isinstance(element.value, str) for element in elements)
        return Item(elements, own, table=_is_table(shape, where), words=words)
    order = [key for key in fields(shape.model) if key in inner] if isinstance(shape, NodeOf) else []
    mapping = {str(key): inner[key] for key in [*order, *inner]}
    words = isinstance(shape, MapOf) and isinstance(shape.inner, Text)
    return Item(mapping, own, table=not where or _is_table(shape, where), words=words)


def short_step(shape: Shape, entry: Entry) -> str | int | None:
    """The key or index of the one thing in an entry that may stand for all of it; None where it is as short as can be."""
    resolved, value = resolve(shape, entry), entry.value
    if isinstance(resolved, NodeOf) and isinstance(value, dict) and len(value) == 1:
        key, inner = next(iter(value.items()))
        wanted = {resolved.text_key: str, resolved.list_key: list}.get(key)
        same = wanted is not None and isinstance(inner.value, wanted) and resolve(shape, inner) == fields(resolved.model)[key]
        return key if same else None
    if isinstance(resolved, ListOf) and resolved.short and isinstance(value, list) and len(value) == 1:
        return 0 if not isinstance(value[0].value, list) and fits(resolved.inner, value[0]) else None
    return None


def step_into(entry: Entry, step: str | int) -> Entry:
    """The entry under a key or index that is known to be there."""
    child = entry.child(step)
    assert child is not None
    return child


def _join(outer: Notes, inner: Notes) -> None:
    """The comments of what stands for the whole are the whole's."""
    outer.above += [line for line in inner.above if line]
    if inner.behind and outer.behind:
        outer.above.append(inner.behind)
    outer.behind = outer.behind or inner.behind
    outer.below += [line for line in inner.below if line]


def _lift(element: Item) -> None:
    """What stands above the first entry of a list's element stands above the element: its dash comes first."""
    inner = element.inner()
    if inner:
        element.notes.above += [line for line in inner[0].notes.above if line]
        inner[0].notes.above.clear()


def _is_table(shape: Shape, where: Where) -> bool:
    """Mappings of named things, lists of mappings, and the sections of a spec: one entry a line."""
    if isinstance(shape, ListOf):
        return isinstance(shape.inner, MapOf) or (isinstance(shape.inner, NodeOf) and shape.inner.text_key is None)
    if isinstance(shape, MapOf):
        return shape.keys.noun in ("text", "name") and _holds_nodes(shape.inner)
    return isinstance(shape, NodeOf) and len(where) == 1


def _holds_nodes(shape: Shape) -> bool:
    return isinstance(shape, NodeOf) or (isinstance(shape, ListOf) and _holds_nodes(shape.inner))
