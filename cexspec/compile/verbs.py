"""What can be asked of an account: the verbs, the holes that their requests may have, and the words of these."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from cexspec.models.events import Kind
from cexspec.models.order_request import OrderRequest
from cexspec.spec.model import ExchangeSpec, Operation
from cexspec.spec.model.choices import Verb

VERBS: tuple[str, ...] = get_args(Verb)

BATCHES = frozenset({"place_orders", "cancel_orders"})
"""Verbs of many orders in one request."""
PLACING = frozenset({"place_order", "place_orders"})
"""Verbs that must never be done twice."""
ABOUT_ORDERS = frozenset({"place_order", "amend_order", "place_orders"})
"""Verbs whose refusal means that an order can't be so."""

FLAGS = frozenset({"post_only", "reduce_only", "conditional"})
"""Holes that are true or not there: a flag that isn't set has no value."""

_OF_REQUEST = frozenset(OrderRequest.model_fields) - {"symbol", "strategy_id", "metadata"}
ORDER = _OF_REQUEST | {"size", "remaining", "contracts", "order_id", "conditional", "worst_price", "currency", "kind", "settle"}
"""Holes of requests about orders and accounts, besides those that all requests have."""


def _literals(annotation: Any) -> tuple[str, ...]:
    """The words of a literal type, in a union or alone."""
    found = (part for part in (annotation, *get_args(annotation)) if get_origin(part) is Literal)
    return tuple(word for part in found for word in get_args(part))


_TYPED = {name: _literals(field.annotation) for name, field in OrderRequest.model_fields.items()}
CLOSED: dict[str, tuple[str, ...]] = {name: words for name, words in _TYPED.items() if words} | {"kind": get_args(Kind)}
"""Holes that hold one of a few words."""


def verb_of(name: str, operation: Operation) -> str | None:
    """What an operation does for an account: as it says, else as it is called; None: it is about markets."""
    return operation.serves or (name if name in VERBS else None)


def serving(spec: ExchangeSpec, verb: str) -> tuple[str, ...]:
    """The operations that serve a verb, in the spec's order."""
    return tuple(name for name, operation in spec.rest.items() if verb_of(name, operation) == verb)
