"""Decision tables: several unified parameters together -> the one value that the venue has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cexspec.compile.asked import Ask, Space, check_when, compile_when
from cexspec.compile.code import Tree
from cexspec.compile.conditions import text_of
from cexspec.compile.plan import Json, Params
from cexspec.compile.templates import compile_tree, entry_filler
from cexspec.compile.verbs import ABOUT_ORDERS
from cexspec.models import ExchangeError, InvalidOrder, InvalidRequest
from cexspec.spec.model import Operation
from cexspec.spec.model.choices import Choice
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

_IS = "is"

Refuse = Callable[[Params, Iterable[str], str], ExchangeError]
"""(parameters, those that decide, what there is none of) -> the error that says so in words"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: when it is taken, and what the hole holds then (None: nothing)."""

    holds: Ask
    tree: Tree
    value: Callable[[Params], Json]


@dataclass(frozen=True, slots=True)
class TablePlan:
    """A table: `looks` are the parameters that decide, `worded` those of them whose words do and not only that they are there,
    `holes` those its values hold, `optional` those of them that may have no value.
    """

    name: str
    rows: tuple[Row, ...]
    looks: tuple[str, ...]
    worded: frozenset[str]
    holes: frozenset[str]
    optional: frozenset[str]
    hidden: bool
    """a parameter of the call has its name, and is what conditions of later tables mean"""


class Tables:
    """The tables of an operation, in order: each may look at the values of those before."""

    def __init__(self, plans: Sequence[TablePlan], defaults: Mapping[str, str], refuse: Refuse) -> None:
        self.plans, self._defaults, self._refuse = tuple(plans), defaults, refuse
        self.names = frozenset(plan.name for plan in plans)

    def behind(self, holes: Iterable[str]) -> frozenset[str]:
        """The holes that these come from: of one that a table makes all that the table asks, and itself."""
        found = set(holes)
        for plan in reversed(self.plans):
            if plan.name in found:
                found |= {*plan.looks, *plan.holes}
        return frozenset(found)

    def making(self, holes: Iterable[str]) -> tuple[TablePlan, ...]:
        """The tables that a request with these holes needs."""
        needed = self.behind(holes)
        return tuple(plan for plan in self.plans if plan.name in needed)

    def rows(self, plans: Sequence[TablePlan], given: Params, values: dict[str, Any]) -> tuple[int, ...]:
        """Which row of each of these tables a call takes: its parameters as given, and as the venue takes them.

        Raises `InvalidOrder` (of what is no order `InvalidRequest`) where no row fits, and `KeyError(hole)`.
        """
        asked = {**self._defaults, **{name: value for name, value in given.items() if value is not None}}
        used = {name for plan in plans for name in (*plan.looks, *plan.holes)}
        found = []
        for plan in plans:
            at = next((at for at, row in enumerate(plan.rows) if row.holds(asked)), None)
            if at is None:
                raise self._refuse(asked, plan.looks, plan.name)
            if plan.name in used:
                values[plan.name] = made = plan.rows[at].value(values)
                if not plan.hidden:
                    asked[plan.name] = made
            found.append(at)
        return tuple(found)

    def chosen(self, name: str, given: Params) -> int | None:
        """Which row of a table a call takes; None where there is none."""
        asked = {**self._defaults, **given}
        for plan in self.plans:
            found = next((at for at, row in enumerate(plan.rows) if row.holds(asked)), None)
            if plan.name == name:
                return found
            if found is not None and not plan.hidden:
                with suppress(KeyError):  # a hole that the call doesn't fill: whatever it is made into is no word that decides
                    asked[plan.name] = plan.rows[found].value(given)
        raise LookupError(name)


def compile_tables(operation: Operation, allowed: frozenset[str], refuse: Refuse, findings: Findings) -> Tables:
    """Compile the tables of an operation. Finds CEX080 (conditions), CEX081 (rows that are never reached), and what templates find."""
    defaults = {name: param.default for name, param in operation.params.items() if param.default is not None}
    plans: list[TablePlan] = []
    for name, param in operation.params.items():
        if param.choose is not None:
            known = allowed | {plan.name for plan in plans}
            plans.append(_table(name, param.choose, allowed, known, findings, (*operation.where, "params", name, "choose")))
    return Tables(plans, defaults, refuse)


def _table(
    name: str, rows: Sequence[Choice], allowed: frozenset[str], known: frozenset[str], findings: Findings, where: Where
) -> TablePlan:
    whens = [row.when for row in rows]
    for at, when in enumerate(whens):
        check_when(when, known, findings, (*where, at, "when"))
    for at, boxes in enumerate(Space.of(whens).taken(whens)):
        if not boxes:
            findings.error("CEX081", (*where, at), "no call reaches this row: those before it take them all", "move it up, or leave it out")
    templates = [compile_tree({_IS: row.is_}, known, findings, (*where, at), known) for at, row in enumerate(rows)]
    made = [
        Row(compile_when(row.when), tree := template.tree[_IS] if isinstance(template.tree, dict) else None, entry_filler(tree, known))
        for row, template in zip(rows, templates, strict=True)
    ]
    asked = [one for when in whens for one in (when or {}).items()]
    return TablePlan(
        name=name,
        rows=tuple(made),
        looks=tuple(dict.fromkeys(one for one, _ in asked)),
        worded=frozenset(one for one, how in asked if how.is_ is None),
        holes=frozenset().union(*(one.holes for one in templates)),
        optional=known,
        hidden=name in allowed,
    )


def refusal(exchange: str, endpoint: str, verb: str | None) -> Refuse:
    """The error for what the venue has no word for."""
    error = InvalidOrder if verb in ABOUT_ORDERS else InvalidRequest

    def refuse(params: Params, looks: Iterable[str], what: str) -> ExchangeError:
        told = {name: text for name in looks if (text := text_of(params.get(name))) not in (None, "false")}
        kind = told.pop("type", None) or text_of(params.get("type")) if verb in ABOUT_ORDERS else None
        words = ", ".join(name if text == "true" else f"{name} {text}" for name, text in told.items())
        if kind is not None:
            what = f"{kind} order" + (f" with {words}" if words else "")
        elif words:
            what = f"{what} for {words}"
        else:
            what = f"{what} without {' or '.join(looks)}"
        return error(f"{exchange} has no {what}", exchange=exchange, endpoint=endpoint)

    return refuse
