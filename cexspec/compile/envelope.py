"""Envelopes: just the discriminating fields of a frame, decoded and made a key of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import msgspec

from cexspec.compile.access import Scope
from cexspec.compile.inline import leaf_of
from cexspec.compile.paths import Path, Steps, Wild, parse
from cexspec.compile.signature import Interest, scalar_signature
from cexspec.compile.wire import Leaf, Wire
from cexspec.spec.model import Condition

Place = tuple[Steps, Path, Condition]
"""A condition: the base of its path, the path, and what is asked."""


class Envelope:
    """One shape of frame: the fields that conditions look at, and the key they make.

    Two frames of one shape with equal keys meet the same conditions. Frames of another shape don't decode: what is at
    `root` must be an array or object, and at `absent`, if there is such a place, nothing.
    """

    def __init__(
        self,
        conditions: Iterable[tuple[str, Condition]],
        *,
        array: bool,
        root: Steps = (),
        absent: Steps | None = None,
        learned: Path | None = None,
    ) -> None:
        self._scope, self._array, self._root = Scope(Wire()), array, root
        self.learned = learned is not None and _leads_into(learned, array=array)
        """whether a key begins with the value that frames are routed by"""
        places = list(self._places(conditions))
        self._request(places, absent)
        if learned is not None and self.learned:
            self._scope.wire.add(learned.steps, Leaf.SCALAR, required=False)
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._scope.wire.build()).decode
        self._scope.bind((), "m")
        parts = [self._scope.access((), learned).code] if learned is not None and self.learned else []
        parts += [repr(f"{'array' if array else 'object'} in {root}"), *self._features(places)]
        code = " and ".join([*self._checks(absent), f"({', '.join(parts)},)"])
        self.key: Callable[[Any], tuple[Hashable, ...] | None] = eval(f"lambda m: {code} or None", dict(self._scope.names))

    def _places(self, conditions: Iterable[tuple[str, Condition]]) -> Iterator[Place]:
        """The conditions that frames of this shape could meet, or fail, by more than their shape."""
        for text, condition in conditions:
            path = parse(text)
            inside = condition.of == "message"
            told = not path.steps and path.rest is None and condition.min_length is None and condition.max_length is None
            if not told and _leads_into(path, array=self._array if inside or not self._root else False):
                yield self._root if inside else (), path, condition

    def _request(self, places: list[Place], absent: Steps | None) -> None:
        wire = self._scope.wire
        wire.require(self._root)
        for base, path, condition in places:
            wire.add((*base, *path.steps), leaf_of(condition) if path.rest is None else Leaf.ANY, required=False)
        if not wire.node(self._root).members and wire.node(self._root).leaf is None:
            wire.add(self._root, Leaf.ARRAY if self._array else Leaf.OBJECT, required=True)
        if absent is not None:
            wire.add(absent, Leaf.NOTHING, required=False)

    def _checks(self, absent: Steps | None) -> Iterator[str]:
        """What the wire type leaves open, because a condition is about a whole place."""
        wire = self._scope.wire
        if wire.node(self._root).plain:
            yield f"{self._scope.access((), Path('$', self._root)).code}.__class__ is {'list' if self._array else 'dict'}"
        if absent is not None and wire.node(absent).plain:
            yield f"{self._scope.access((), Path('$', absent)).code} is None"

    def _features(self, places: list[Place]) -> Iterator[str]:
        """What the conditions depend on: scalars themselves, and signatures of what is an array, an object or anything."""
        scalars: dict[str, None] = {}
        below: dict[Steps, Interest] = {}
        for base, path, condition in places:
            steps = (*base, *path.steps)
            access = self._scope.access(base, Path(path.text, path.steps))
            if access.plain:
                root = self._scope.wire.node(steps).steps
                below.setdefault(root, Interest()).add(steps[len(root) :], condition, whole=path.rest is not None)
            else:
                scalars[access.code] = None
        scalar = self._scope.constant(scalar_signature, "scalar")
        for at, code in enumerate(scalars):
            yield f"x{at} if (x{at} := {code}).__class__ is str else {scalar}(x{at})"
        for root, interest in below.items():
            value = self._scope.access((), Path("$", root)).code
            yield f"{self._scope.constant(interest.signature, 'signature')}({value})"


def _leads_into(path: Path, *, array: bool) -> bool:
    """Whether a path can lead anywhere in an array (or in an object)."""
    return not path.steps or isinstance(path.steps[0], Wild) or isinstance(path.steps[0], int) is array
