"""Where orders are kept: those that wait for their stop price may have operations and channels of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cexspec.compile.verbs import verb_of
from cexspec.spec.model import ExchangeSpec
from cexspec.spec.model import Mapping as MappingSpec


def verbs(spec: ExchangeSpec) -> dict[str, str]:
    """What each operation does for an account; one that others join does what they do together."""
    found: dict[str, str] = {}
    for name, operation in spec.rest.items():
        verb = verb_of(name, operation)
        if verb is not None:
            found |= dict.fromkeys((name, *(operation.joins or ())), verb)
    return found


def keeps(mapping: MappingSpec, beside: Iterable[MappingSpec], order: Mapping[str, Any]) -> bool:
    """Whether a mapping, one of several that tell of orders, tells of this one: where only some of them say what waits, those do."""
    telling = [_tells(one) for one in beside]
    return all(telling) or not any(telling) or _tells(mapping) == bool(order.get("conditional"))


def _tells(mapping: MappingSpec) -> bool:
    return "conditional" in (mapping.fields or {})
