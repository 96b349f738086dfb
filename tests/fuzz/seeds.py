"""What is mutated: the samples beside the specs and, where it is at hand, what venues really sent."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.conformance import corpus
from tests.exchanges.venue import samples

LARGEST = 20_000
"""Characters of a seed at most: larger ones say the same, slowly."""
MOST = 400
"""Payloads of the corpus taken of one venue at most."""


@cache
def frames(exchange: str) -> tuple[str, ...]:
    """WebSocket frames."""
    own = [case["raw"] for name in ("messages", "errors") for case in samples(exchange, name) if "raw" in case and "operation" not in case]
    return tuple(dict.fromkeys([*own, *_recorded(exchange, "ws")]))


@cache
def bodies(exchange: str) -> tuple[tuple[str, dict[str, Any], str], ...]:
    """Operation, parameters and body of answers."""
    cases = [case for case in samples(exchange, "messages") if "operation" in case and len(case["raw"]) <= LARGEST]
    return tuple((case["operation"], case.get("params") or {}, case["raw"]) for case in cases)


@cache
def refusals(exchange: str) -> tuple[tuple[str, int, str], ...]:
    """Operation, status and body of answers that are errors."""
    return tuple((case["operation"], int(case["status"]), case["body"]) for case in samples(exchange, "errors") if "operation" in case)


@cache
def loose_bodies(exchange: str) -> tuple[str, ...]:
    """Bodies whose operation nothing names."""
    return tuple(dict.fromkeys([raw for *_, raw in bodies(exchange)] + _recorded(exchange, "rest")))


def _recorded(exchange: str, transport: str) -> list[str]:
    found = (record["raw"] for record in corpus.payloads(exchange) if record["transport"] == transport)
    return [raw for raw in found if len(raw) <= LARGEST][:MOST]
