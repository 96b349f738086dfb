"""Which items a mapping goes through, and how the extractor reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cexspec.compile import convert
from cexspec.compile.access import Scope
from cexspec.compile.paths import MISSING, Path, PathError, Step, Steps, Wild, parse
from cexspec.compile.wire import Leaf
from cexspec.spec.model import Mapping, Place
from cexspec.spec.model.mapping import Columns, Zip

_JOINED: Step = "<joined>"
"""A step no message has: the place of items that are put together from several lists."""


@dataclass(frozen=True)
class Items:
    """Where `$` is in the fields (`base`), and for many items the loop that goes through them.

    `loop` writes the code of what to iterate, which gives `variables`: `i` is the item (or holds it), with the `key` it has in
    its object, or the element of the `outer` list. `element` is the place of what the loop gives, `parent` that of the outer
    list's element; `plain`: what the loop gives is decoded JSON. Where a rule counts them, an item comes with its `place` (and
    the `outer_place`) instead, or besides.
    """

    base: Steps
    loop: Callable[[], str] | None = None
    element: Steps = ()
    variables: str = "i"
    parent: Steps | None = None
    plain: bool = False


def compile_items(mapping: Mapping, message: Steps, scope: Scope) -> Items:
    """Add the items to the wire type. Raises PathError."""
    rules = (one for rule in (mapping.fields or {}).values() for one in rule.every)
    places = [rule.place for rule in rules if rule.place is not None]
    if mapping.items is None:
        items = _one(mapping.item or "$", message)
    elif isinstance(mapping.items, Zip | Columns):
        items = _joined(mapping.items, message, scope)
    else:
        items = _found(parse(mapping.items), mapping.skip, message, scope, counted=bool(places))
    return _counted(items, places) if places else items


def _found(path: Path, skip: list[str], message: Steps, scope: Scope, *, counted: bool) -> Items:
    """Items that one path finds."""
    if not path.many:
        raise PathError(f"'{path.text}' finds one value: write it as 'item', or end it with [*]")
    lists = [at for at, step in enumerate(path.steps) if step is Wild.ELEMENTS]
    if not path.lowered or len(lists) > 2:
        return _walked(path, frozenset(skip), message, scope)
    scope.wire.require((*message, *path.steps[: lists[-1] + 1]))
    if len(lists) == 1:
        return _listed(path, lists[0], message, scope)
    return _nested(path, lists[0], lists[1], message, scope, counted=counted)


def _counted(items: Items, places: list[Place]) -> Items:
    """Items with their places. Raises PathError where they stand in no list, or not in as many as the rules count in."""
    if items.parent is not None:
        return items
    if items.loop is None or items.variables != "i":
        raise PathError("'place' counts items of a list, and these stand in none")
    if any(place.nested for place in places):
        raise PathError("'place' counts in an outer list too, and these items have none: write 'place: item'")
    loop = items.loop
    return replace(items, loop=lambda: f"enumerate({loop()})", variables="place, i")


def _one(text: str, message: Steps) -> Items:
    path = parse(text)
    if path.many:
        raise PathError(f"'{text}' finds many values: write it as 'items'")
    return Items((*message, *path.steps))


def _listed(path: Path, at: int, message: Steps, scope: Scope) -> Items:
    """Items in the elements of a list."""
    element = (*message, *path.steps[: at + 1])
    return Items((*message, *path.steps), lambda: scope.access(message, Path(path.text, path.steps[:at])).code, element)


def _nested(path: Path, first: int, second: int, message: Steps, scope: Scope, *, counted: bool) -> Items:
    """Items in lists inside the elements of a list."""
    parent = (*message, *path.steps[: first + 1])

    def loop() -> str:
        outer = scope.access(message, Path(path.text, path.steps[:first])).code
        scope.bind(parent, "outer")
        inner = scope.access(parent, Path(path.text, path.steps[first + 1 : second])).code
        if counted:
            return f"[({variables}) for outer_place, outer in enumerate({outer}) for place, i in enumerate({inner})]"
        return f"[({variables}) for outer in {outer} for i in {inner}]"

    variables = "(outer_place, outer, place), i" if counted else "outer, i"
    return Items((*message, *path.steps), loop, (*message, *path.steps[: second + 1]), variables, parent)


def _joined(joined: Zip | Columns, message: Steps, scope: Scope) -> Items:
    """Items put together from several lists, element by element."""
    texts = joined.zip if isinstance(joined, Zip) else list(joined.columns.values())
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
    """Items behind an object's members, or behind more than two lists: decoded plain and walked."""
    wild = next((at for at, step in enumerate(path.steps) if isinstance(step, Wild)), len(path.steps))
    head, rest = path.steps[:wild], Path(path.text, path.steps[wild:], path.rest)
    scope.wire.add((*message, *head), Leaf.ANY, required=True)
    place = (*message, *path.steps, _JOINED)

    def loop() -> str:
        return f"{scope.constant(walker(rest, skip), 'walk')}({scope.access(message, Path(path.text, head)).code})"

    return Items(place, loop, place, "key, i", plain=True)


def walker(path: Path, skip: frozenset[str]) -> Callable[[object], list[tuple[str | None, object]]]:
    """(key, item) pairs behind wildcards; the key is that of the innermost object gone through."""

    def walk(value: object, steps: Steps, key: str | None) -> Iterator[tuple[str | None, object]]:
        if not steps:
            yield from ((key, one) for one in Path("$", (), path.rest).find(value))
        elif isinstance(steps[0], Wild):
            for name, inner in convert.keyed(value, skip):
                yield from walk(inner, steps[1:], name if name is not None else key)
        else:
            inner = Path("$", steps[:1]).first(value)
            if inner is not MISSING:
                yield from walk(inner, steps[1:], key)

    return lambda value: list(walk(value, path.steps, None))
