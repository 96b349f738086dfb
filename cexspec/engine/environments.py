"""Where a client goes: an environment of the spec, one of the caller's own, or the live one with orders on paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cexspec.compile.exchange_plan import EnvironmentPlan, ExchangePlan
from cexspec.models import NotSupported
from cexspec.models.execution import PAPER

KEYS = frozenset({"rest", "rest_private", "ws", "headers", "paper"})
"""Keys of an environment of one's own."""

Wanted = str | Mapping[str, Any] | None


def environment_of(exchange: ExchangePlan, wanted: Wanted) -> EnvironmentPlan:
    """The environment that is wanted: by name, as a mapping of its own, or the first. Raises `NotSupported`, `ValueError`."""
    known = exchange.environments
    if wanted is None:
        return next(iter(known.values()))
    if not isinstance(wanted, str):
        return _own(exchange, wanted)
    if wanted in known:
        return known[wanted]
    if wanted == PAPER:
        return on_paper(next(iter(known.values())))
    raise NotSupported(f"{exchange.id} has no environment '{wanted}' (it has: {', '.join([*known, PAPER])})")


def is_paper(wanted: Wanted) -> bool:
    """Whether this means orders on paper, for which nobody's credentials are needed."""
    return wanted == PAPER or (isinstance(wanted, Mapping) and wanted.get("paper") is True)


def on_paper(environment: EnvironmentPlan) -> EnvironmentPlan:
    """The market data of an environment, with orders on paper."""
    return replace(environment, name=PAPER, live=False, paper=True)


def _own(exchange: ExchangePlan, wanted: Mapping[str, Any]) -> EnvironmentPlan:
    unknown = set(wanted) - KEYS
    if unknown:
        raise ValueError(f"an environment has the keys {', '.join(sorted(KEYS))}, not {', '.join(sorted(unknown))}")
    sockets = dict(wanted.get("ws") or {})
    strangers = set(sockets) - set(exchange.connection_names)
    if strangers:
        raise ValueError(f"{exchange.id} has the connections {', '.join(exchange.connection_names)}, not {', '.join(sorted(strangers))}")
    headers = dict(wanted.get("headers") or {})
    own = EnvironmentPlan("custom", wanted.get("rest"), sockets, headers, rest_private=wanted.get("rest_private"))
    return on_paper(own) if wanted.get("paper") else own
