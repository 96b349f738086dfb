"""Partial updates: the statements that fill an item up with what is known of it, and keep it for the next message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from cexspec.compile.access import Scope
from cexspec.compile.inline import condition_code, request_conditions
from cexspec.compile.leaves import Bases, request_paths
from cexspec.compile.mapping_paths import item_paths
from cexspec.compile.paths import Path, PathError, Steps, Wild, parse, show, typeable
from cexspec.compile.source import Origin, Writer
from cexspec.compile.targets import targets
from cexspec.compile.wire import Leaf, Wire, WireNode
from cexspec.spec.model import Mapping
from cexspec.spec.source import Where

MAX_KNOWN = 10_000
"""Items kept at most for one channel of a connection: their keys come from the wire."""

Known = dict[str, tuple[Any, bool]]
"""Key -> the last item, and whether a message has told the whole of it."""

_UNKNOWN = (None, False)
_JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Sharing:
    """The messages of a channel that tell about the same items, and the name of what is kept of these."""

    name: str
    mappings: tuple[Mapping, ...]


class MergeWriter:
    """Writes what merges the items of one mapping. Raises PathError.

    Items have all members that one of the `sharing` messages reads, so that what one doesn't read outlasts it.
    """

    def __init__(self, sharing: Sharing, mapping: Mapping, bases: Bases, scope: Scope) -> None:
        assert mapping.merge is not None
        self.sharing, self.merge, self.bases, self.scope = sharing, mapping.merge, bases, scope
        self._members = {parse(path.text).steps[0] for one in sharing.mappings for path in item_paths(one)}
        self._by = parse(self.merge.by)
        self._request()

    def begin(self, writer: Writer) -> None:
        """What is the same for all items of a message."""
        if self.merge.reset_when is not None:
            writer.line(f"reset = {condition_code(self.scope, self.bases.message, self.merge.reset_when)}")
        writer.line(f"known, fresh = ctx.state({self.sharing.name!r}), {{}}")

    def fill(self, writer: Writer) -> None:
        """Complete one item; until the whole message is read it is kept apart."""
        with writer.origin(Origin("merge", self.merge.by, self.merge.where)):
            item, node = self._bind(writer), self.scope.wire.node(self.bases.item)
            if node.plain:
                raise PathError(f"items are merged, and something looks at the item as a whole: {show(self.bases.item)}")
            self._key(writer)
            known = f"fresh.get(about) or known.get(about) or {self.scope.constant(_UNKNOWN, 'unknown')}"
            reset = "(None, True) if reset else " if self.merge.reset_when is not None else ""
            writer.line(f"before, whole = {reset}{known}")
            merged = [inner for step, inner in node.members.items() if step in self._members and not inner.required]
            adopt = self.scope.constant(adopter(self.scope.wire, node, merged), "adopted")
            with writer.block("if before is not None"):
                writer.line(f"if before.__class__ is not {item}.__class__: before = {adopt}(before)")
                for attribute in (inner.attribute for inner in merged):
                    writer.line(f"if {item}.{attribute} is None: {item}.{attribute} = before.{attribute}")
            writer.line(f"fresh[about] = {item}, whole")

    def _request(self) -> None:
        """Add to the wire type what only other messages read, the key, and what a reset looks like."""
        base, scope = self.bases.item, self.scope
        for one in self.sharing.mappings:
            fields, known = one.fields or {}, targets(one.returns or "")
            for name in (name for name in known if name in fields and fields[name].of == "item"):
                request_paths(scope, self.bases, fields[name], known[name], optional=True)
            request_conditions(scope, base, one.only)
        request_conditions(scope, self.bases.message, self.merge.reset_when)
        place = (*base, *self._by.steps)
        node = scope.wire.node(place)
        leaf, words = (node.leaf, node.words) if node.steps == place and node.leaf is not None else (Leaf.SCALAR, ())
        scope.request(place, leaf, required=True, words=words)
        scope.asked.append((place, Origin("merge", self.merge.by, self.merge.where)))

    def _bind(self, writer: Writer) -> str:
        """The variable that holds the item, wherever it stands."""
        base, scope = self.bases.item, self.scope
        if base not in scope.bound:
            writer.line(f"item = {scope.access((), Path('$', base)).code}")
            scope.bind(base, "item")
        return scope.bound[base]

    def _key(self, writer: Writer) -> None:
        found = self.scope.access(self.bases.item, self._by)
        if self.scope.wire.node((*self.bases.item, *self._by.steps)).leaf is Leaf.STRING and not found.plain:
            writer.line(f"about = {found.code}")
            return
        writer.line(f"about = text_of({found.code})")
        writer.line(f"if about is None: raise Hole({f'nothing at {self.merge.by} to merge by'!r})")


def kept(known: Known, fresh: Known, events: list[Any]) -> list[Any]:
    """The events of a message, once its items are kept for the next one."""
    known.update(fresh)
    while len(known) > MAX_KNOWN:
        del known[next(iter(known))]
    return events


def adopter(wire: Wire, node: WireNode, merged: list[WireNode]) -> Callable[[object], object]:
    """Makes, of an item that another reader has decoded, what this one would have: the members that are merged.

    It raises `msgspec.ValidationError` where this one takes no such values.
    """
    decode = wire.decoder(wire.type_of(node, merged)).decode
    return lambda item: decode(_JSON.encode(item))


def unmergeable(mapping: Mapping, model: str, *, stream: bool) -> Iterator[tuple[Where, str, str]]:
    """Why the items of a mapping can't be merged: the place, the reason, what to write instead."""
    merge = mapping.merge
    if merge is None:
        return
    if not stream:
        yield merge.where, "an answer over REST is whole: 'merge' is for streams", "remove 'merge' (`merge: null`, where `like` brings it)"
    elif model == "book":
        yield merge.where, "a book has updates of its own kind, level by level", "remove 'merge': see 'snapshot_when'"
    elif not _decoded_alone(mapping):
        hint = "'item', or 'items' in a list: $.data[*]"
        yield (*mapping.where, "items"), "items that are put together, or walked to, are not merged", hint
    else:
        yield from _no_members(mapping)


def _decoded_alone(mapping: Mapping) -> bool:
    """Whether each item is one typed value of the message; what is no path at all is told elsewhere."""
    if mapping.items is None:
        return True
    path = _parsed(mapping.items) if isinstance(mapping.items, str) else None
    if path is None:
        return isinstance(mapping.items, str)
    return path.lowered and Wild.VALUES not in path.steps and path.steps.count(Wild.ELEMENTS) <= 2


def _no_members(mapping: Mapping) -> Iterator[tuple[Where, str, str]]:
    """Paths that don't lead into a named member of the item."""
    assert mapping.merge is not None
    by, place, used = _parsed(mapping.merge.by), (*mapping.merge.where, "by"), set[object]()
    for text, where, _ in item_paths(mapping):
        path = _parsed(text)
        if path is not None and not _in_a_member(path):
            yield where, f"'{text}' is no named member of the item: only objects are merged", "a path that starts with a name: $.price"
        used |= set(path.steps[:1]) if path is not None else set()
    if by is None:
        return
    if not by.lowered or not _in_a_member(by):
        yield place, f"'{by.text}' is no named member of the item", "one value of the item that tells what it is about: $.symbol"
    elif by.steps[0] not in used and by.steps[:1] == _way(mapping)[:1]:
        yield place, f"'{by.text}' leads to the item: '$' is the item itself here", f"'{show(by.steps[1:])}'"


def _way(mapping: Mapping) -> Steps:
    """The steps from the message to its items."""
    path = _parsed(mapping.items if isinstance(mapping.items, str) else mapping.item or "$")
    return path.steps if path is not None else ()


def _in_a_member(path: Path) -> bool:
    first = next(iter(path.steps), None)
    return isinstance(first, str) and typeable(first)


def _parsed(text: str) -> Path | None:
    """A path; None for one that is noted as wrong elsewhere."""
    try:
        return parse(text)
    except PathError:
        return None
