"""Items in lists in a list: each stays in the outer element that has its like in the sample."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cexspec.compile.conditions import Predicate
from cexspec.compile.paths import Steps, Wild
from cexspec.mock.document import get, put


@dataclass(frozen=True)
class Nest:
    """The lists of a sample message: where the outer one is, the steps from an element to its own list, which items count.

    `told`: an element says which instrument its items are of.
    """

    outer: Steps
    inner: Steps
    fits: Predicate
    told: bool
    elements: Sequence[Any]

    @classmethod
    def of(cls, message: Any, steps: Steps, fits: Predicate, told: bool) -> Nest | None:
        """None for items that are in one list, or in an object's."""
        places = [at for at, step in enumerate(steps) if isinstance(step, Wild)]
        if len(places) != 2 or any(steps[at] is not Wild.ELEMENTS for at in places) or places[1] != len(steps) - 1:
            return None
        outer, inner = steps[: places[0]], steps[places[0] + 1 : places[1]]
        elements = get(message, outer)
        return cls(outer, inner, fits, told, elements) if isinstance(elements, list) else None

    @property
    def singly(self) -> bool:
        """Whether every item has an element to itself, maybe beside others that don't count."""
        counts = [sum(map(self.fits, self._items(element))) for element in self.elements]
        return self.told or (counts.count(1) > 1 and max(counts) == 1)

    def home(self, item: Any) -> Any:
        """The element that has an item: that of its like in the sample, else the first that has any."""
        held = [element for element in self.elements if any(map(self.fits, self._items(element)))]
        return next((element for element in self.elements if item in self._items(element)), held[0] if held else [])

    def filled(self, message: Any, items: Sequence[tuple[Any, Any]]) -> Any:
        """The message with items, each after its element, instead of its own."""
        if self.singly:
            return put(message, self.outer, [self._alone(element, item) for element, item in items])
        homes = [element for element in self.elements if any(home is element for home, _ in items)]
        lists = [(element, [item for home, item in items if home is element]) for element in homes]
        return put(message, self.outer, [put(copy.deepcopy(element), self.inner, own) for element, own in lists])

    def _alone(self, element: Any, item: Any) -> Any:
        """An element with one item in the place of its own."""
        own = self._items(element)
        at = next((at for at, one in enumerate(own) if self.fits(one)), len(own))
        others = [one for one in own[at + 1 :] if not self.fits(one)]
        return put(copy.deepcopy(element), self.inner, [*own[:at], item, *others])

    def _items(self, element: Any) -> list[Any]:
        found = get(element, self.inner)
        return found if isinstance(found, list) else []
