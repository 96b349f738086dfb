"""Product lines: which of them an instrument belongs to, and which of them a connection serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cexspec.compile.checks import nearest
from cexspec.compile.plan import CategoryPlan
from cexspec.spec.model import Category, ExchangeSpec
from cexspec.spec.problems import Findings


def compile_categories(categories: Mapping[str, Category]) -> tuple[CategoryPlan, ...]:
    """The product lines of a spec, in its order."""
    return tuple(
        CategoryPlan(
            name=name,
            word=one.value or name,
            kinds=frozenset(one.kind),
            settles=frozenset(one.settle) if one.settle is not None else None,
            contract_size=one.contract_size,
            contract_currency=one.contract_currency,
        )
        for name, one in categories.items()
    )


def category_of(categories: Iterable[CategoryPlan], kind: str, settle: str | None) -> CategoryPlan | None:
    """The first that an instrument of this kind and settlement belongs to."""
    return next((one for one in categories if one.holds(kind, settle)), None)


def named(categories: Iterable[CategoryPlan], word: str | None) -> CategoryPlan | None:
    """The one that goes by this name, or that the venue calls so."""
    return next((one for one in categories if word in (one.word, one.name)), None)


def served(spec: ExchangeSpec, connection: str) -> list[str]:
    """The categories whose channels live on a connection."""
    channels = spec.ws.channels.values() if spec.ws is not None else ()
    pairs = (pair for channel in channels for pair in channel.connections.items())
    return list(dict.fromkeys(category for category, name in pairs if name == connection and category is not None))


def check_scope(spec: ExchangeSpec, findings: Findings) -> None:
    """Find CEX070: ids that are unique in a category, where there is none."""
    if spec.symbols.unique_in == "category" and not spec.categories:
        findings.error("CEX070", ("symbols", "unique_in"), "ids are unique in a category, and there is none", "declare 'categories'")


def check_connection(spec: ExchangeSpec, connection: str, findings: Findings) -> None:
    """Find categories of its channels that don't exist (CEX070), and that an id on it could mean several markets (CEX071)."""
    for name, channel in (spec.ws.channels if spec.ws is not None else {}).items():
        here = [category for category, place in channel.connections.items() if place == connection and category is not None]
        for category in (one for one in here if one not in spec.categories):
            where = ("ws", "channels", name, "on", category)
            findings.error("CEX070", where, f"no category is called '{category}'", nearest(category, list(spec.categories)))
    found = served(spec, connection)
    if spec.symbols.unique_in == "category" and len(spec.categories) > 1 and len(found) != 1 and not _named_by_messages(spec, connection):
        text = f"'{connection}' serves {' and '.join(found) or 'no one category'}, and an id may mean another market in each"
        hint = "a connection for each category: on: {spot: spot, linear: linear}; or say where messages name it: category: $.category"
        findings.error("CEX071", ("ws", "connections", connection), text, hint)


def _named_by_messages(spec: ExchangeSpec, connection: str) -> bool:
    """Whether all that tells of markets on a connection says which category each is of."""
    channels = spec.ws.channels.values() if spec.ws is not None else ()
    telling = [one for one in channels if connection in one.connections.values() and "symbol" in (one.fields or {})]
    return bool(telling) and all(one.category is not None for one in telling)
