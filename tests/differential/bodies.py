"""The REST bodies to compare on: the corpus's, as venues sent them, and the samples', where the corpus has too few kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qsl

from cexspec.engine.normalize import Normalizer
from cexspec.models import DecodeError
from tests.conformance.corpus import Record, payloads
from tests.conformance.test_payloads import MODELS
from tests.differential.venues import REQUESTS, VENUES
from tests.exchanges.venue import Feed, plan, samples

Source = Literal["corpus", "samples"]


@dataclass(frozen=True)
class Body:
    """One REST body, read as one operation; `params` are what is known of the call that it answers."""

    venue: str
    source: Source
    id: str
    operation: str
    raw: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def model(self) -> str:
        """What its rows become."""
        return str(plan(self.venue).operation(self.operation).reader.model.__struct_config__.tag)  # type: ignore[union-attr]


@cache
def bodies(venue: str, source: Source) -> tuple[Body, ...]:
    """All of a venue, with each operation that reads them."""
    found = _corpus(venue) if source == "corpus" else _samples(venue)
    return tuple(body for body in found if _readable(body))


def _samples(venue: str) -> Iterator[Body]:
    for case in samples(venue, "messages"):
        if "operation" in case and case.get("events"):
            yield Body(venue, "samples", case["id"], case["operation"], case["raw"], case.get("params", {}))


def _corpus(venue: str) -> Iterator[Body]:
    for record in payloads(venue):
        kinds = MODELS.get(record["kind"], {"server_time"} if record["kind"] == "other" else set())
        for name in _operations(venue, record) if record["transport"] == "rest" else ():
            body = Body(venue, "corpus", record["id"], name, record["raw"])
            if body.model in kinds:
                params = {} if body.model == "instrument" else REQUESTS.get(record["id"]) or _asked(venue, record)
                yield replace(body, params=params)


def _operations(venue: str, record: Record) -> list[str]:
    """The operations whose answer the record may be: by its path (helpers of unit tests have none that is known) and its shape."""
    plans = {name: operation for name in plan(venue).operation_names if (operation := plan(venue).operation(name)).reader is not None}
    there = [name for name, operation in plans.items() if operation.path_params(record["channel_or_endpoint"]) is not None]
    names = there if there or record["kind"] not in MODELS else list(plans)
    return [operation.name for operation in _offline(venue)._looking_so(names, record["raw"].encode())]


@cache
def _offline(venue: str) -> Normalizer:
    return Normalizer(venue)


def _asked(venue: str, record: Record) -> dict[str, Any]:
    """The symbol asked for, where the record has its query or its context."""
    values = [*(record.get("context") or {}).values(), *dict(parse_qsl(record.get("query") or "")).values()]
    known = [text for value in values if plan(venue).symbols.parse(text := str(value)) is not None]
    return {"symbol": known[0] if known else VENUES[venue].symbol}


def _readable(body: Body) -> bool:
    """Whether the operation reads all rows of a body."""
    try:
        events, left_out = Feed(body.venue).rest({"operation": body.operation, "raw": body.raw, "params": body.params})
    except DecodeError:
        return False
    return bool(events) and not left_out
