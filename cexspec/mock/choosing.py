"""Decision tables backwards: from the venue's words to parameters of a call that would be sent so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cexspec.compile.asked import OTHER, Box, Space
from cexspec.compile.choices import Row, TablePlan, compile_tables, refusal
from cexspec.compile.conditions import text_of
from cexspec.compile.exchange import Exchange
from cexspec.compile.inversion import compile_inverse
from cexspec.compile.paths import Steps
from cexspec.compile.request import holes_of
from cexspec.compile.verbs import FLAGS
from cexspec.spec.model import Operation

Found = Mapping[str, Any]
_Read = Callable[[Any], Found | None]


class Choosing:
    """The tables of one operation, backwards."""

    def __init__(self, exchange: Exchange, name: str, spec: Operation) -> None:
        holes = holes_of(name, spec)
        self._tables = compile_tables(spec, holes, refusal(exchange.id, name, None), exchange.findings())
        whens = {table: [row.when for row in param.choose] for table, param in spec.params.items() if param.choose is not None}
        self._space = Space.of([spec.when, *(when for rows in whens.values() for when in rows)])
        self._boxes = {table: self._space.taken(rows) for table, rows in whens.items()}
        self._serving = self._space.box(spec.when)
        self._own = {plan.name for plan in self._tables.plans if not plan.hidden}
        self._reads = {plan.name: [_reader(row, holes, exchange) for row in plan.rows] for plan in self._tables.plans}

    @property
    def names(self) -> frozenset[str]:
        """The holes that the tables make."""
        return self._tables.names

    @property
    def goes_by_kind(self) -> bool:
        """Whether what is sent depends on the kind of the instrument."""
        return "kind" in self._space.values

    def unified(self, made: Found, told: Found, sent: Iterable[str]) -> Found | None:
        """What a call asked whose tables made this (None: nothing), and whose other holes were told; None where no call does.

        `sent` are the holes of the request itself: one that is not told had no value.
        """
        known: dict[str, Any] = {name: told.get(name) for name in {*sent, *told} if name not in made}
        known |= {plan.name: made[plan.name] for plan in self._tables.plans if plan.name in made and not plan.hidden}
        plans = [plan for plan in self._tables.plans if plan.name in made]
        box = self._within(self._serving, known)
        found = next(self._calls(plans, made, box, {}), None) if box is not None else None
        if found is None:
            return None
        chosen, read = found
        example = {name: word for name, word in self._space.example(chosen).items() if word != OTHER}
        asked = {**example, **{name: value for name, value in told.items() if name not in made}, **read}
        return {name: value for name, value in asked.items() if name not in self._own}

    def _calls(self, plans: list[TablePlan], made: Found, box: Box, read: Found) -> Iterator[tuple[Box, Found]]:
        """Calls that make what the first table made, then the others."""
        if not plans:
            yield box, read
            return
        plan, *others = plans
        for at, reader in enumerate(self._reads[plan.name]):
            told = reader(made[plan.name])
            if told is None or any(read.get(name, value) != value for name, value in told.items()):
                continue
            for own in self._boxes[plan.name][at]:
                both = self._space.intersection(box, own)
                within = self._within(both, told) if both is not None else None
                if within is not None:
                    yield from self._calls(others, made, within, {**read, **told})

    def _within(self, box: Box, known: Found) -> Box | None:
        """The calls of a box with these values."""
        fixed = {name: self._value(name, value) for name, value in known.items() if name in self._space.values}
        return self._space.intersection(box, {name: frozenset({value}) for name, value in fixed.items()})

    def _value(self, name: str, value: Any) -> str | None:
        text = text_of(value)
        if text is None or (name in FLAGS and text == "false"):
            return None
        return text if text in self._space.values[name] else OTHER


def _reader(row: Row, holes: frozenset[str], exchange: Exchange) -> _Read:
    """Reads the value of a row back."""
    if row.tree is None:
        return lambda value: {} if value is None else None
    read = compile_inverse(row.tree, holes, exchange.findings(), ())
    return lambda value: None if value is None else read(value)


def places(tree: Any, names: frozenset[str], place: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Where in a body holes of these names stand alone."""
    if isinstance(tree, dict | list):
        for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places(inner, names, (*place, key))
    elif isinstance(tree, str) and tree.startswith("{{") and (name := tree[2:-2].strip()) in names and tree.endswith("}}"):
        yield place, name
