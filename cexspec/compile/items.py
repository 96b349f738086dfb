"""Which items a mapping goes through, and how the extractor reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cexspec.compile import convert
from cexspec.compile.access import Scope, split_items
from cexspec.compile.paths import MISSING, Path, PathError, Step, Steps, Wild, parse
from cexspec.compile.wire import Leaf
from cexspec.spec.model import Mapping
from cexspec.spec.model.mapping import Columns, Zip

_JOINED: Step = "<joined>"
"""A step no message has: the place of items that are put together from several lists."""


@dataclass(frozen=True)
class Items:
    """`base`: where `$` is in the fields. `loop`: code of what to iterate, None for one item. `keyed`: it gives (key, item). `parent`: where the
    element of the outer list is, for items in lists of lists: it gives (outer, item)."""

    base: Steps
    loop: Callable[[], str] | None = None
    element: Steps = ()
    plain: bool = False
    keyed: bool = False
    parent: Steps | None = None


def compile_items(mapping: Mapping, message: Steps, scope: Scope) -> Items:
    """Add the items to the wire type. Raises PathError."""
    if mapping.items is None:
        return _one(mapping, message)
    if isinstance(mapping.items, Zip | Columns):
        return _joined(mapping.items, message, scope)
    path = parse(mapping.items)
    if not path.many:
        raise PathError(f"'{path.text}' finds one value: write it as 'item', or end it with [*]")
    if path.lowered and path.steps.count(Wild.ELEMENTS) == 2:
        return _nested(path, message, scope)
    lowered = split_items(path)
    if lowered is None:
        return _walked(path, frozenset(mapping.skip), message, scope)
    head, inside = lowered
    element = (*message, *head, Wild.ELEMENTS)
    return Items((*element, *inside), lambda: scope.access(message, Path(path.text, head)).code, element)


def _nested(path: Path, message: Steps, scope: Scope) -> Items:
    """Items in lists inside the elements of a list."""
    first, second = (at for at, step in enumerate(path.steps) if step is Wild.ELEMENTS)
    parent, element = (*message, *path.steps[: first + 1]), (*message, *path.steps[: second + 1])

    def loop() -> str:
        outer = scope.access(message, Path(path.text, path.steps[:first])).code
        scope.bind(parent, "outer")
        inner = scope.access(parent, Path(path.text, path.steps[first + 1 : second])).code
        return f"[(outer, i) for outer in {outer} for i in {inner}]"

    return Items((*element, *path.steps[second + 1 :]), loop, element, parent=parent)


def _one(mapping: Mapping, message: Steps) -> Items:
    path = parse(mapping.item or "$")
    if path.many:
        raise PathError(f"'{path.text}' finds many values: write it as 'items'")
    return Items((*message, *path.steps))


def _joined(joined: Zip | Columns, message: Steps, scope: Scope) -> Items:
    texts = list(joined.zip) if isinstance(joined, Zip) else list(joined.columns.values())
    paths = [parse(text) for text in texts]
    for path in paths:
        scope.wire.add((*message, *path.steps), Leaf.ANY, required=True)

    def loop() -> str:
        lists = [scope.access(message, path).code for path in paths]
        if isinstance(joined, Zip):
            return f"zipped([{', '.join(lists)}])"
        return "columns({" + ", ".join(f"{name!r}: {code}" for name, code in zip(joined.columns, lists, strict=True)) + "})"

    place = (*message, _JOINED)
    return Items(place, loop, place, plain=True)


def _walked(path: Path, skip: frozenset[str], message: Steps, scope: Scope) -> Items:
    """Items behind an object's members, or behind more than one wildcard: decoded plain and walked."""
    wild = next((at for at, step in enumerate(path.steps) if isinstance(step, Wild)), len(path.steps))
    head, rest = path.steps[:wild], Path(path.text, path.steps[wild:], path.rest)
    scope.wire.add((*message, *head), Leaf.ANY, required=True)
    place = (*message, *path.steps, _JOINED)

    def loop() -> str:
        return f"{scope.constant(walker(rest, skip), 'walk')}({scope.access(message, Path(path.text, head)).code})"

    return Items(place, loop, place, plain=True, keyed=True)


def walker(path: Path, skip: frozenset[str]) -> Callable[[object], list[tuple[str | None, object]]]:
    """(key, item) pairs behind wildcards; the key is that of the innermost object gone through."""

    def walk(value: object, steps: Steps, key: str | None) -> Iterator[tuple[str | None, object]]:
        if not steps:
            found = [value] if path.rest is None else [match.value for match in path.rest.find(value)]
            yield from ((key, one) for one in found)
            return
        if isinstance(steps[0], Wild):
            for name, inner in convert.keyed(value, skip):
                yield from walk(inner, steps[1:], name if name is not None else key)
            return
        inner = Path("$", steps[:1]).first(value)
        if not isinstance(inner, type(MISSING)):
            yield from walk(inner, steps[1:], key)

    return lambda value: list(walk(value, path.steps, None))
