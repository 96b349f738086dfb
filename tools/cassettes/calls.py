"""What is recorded of an exchange: one representative call for each REST operation and each channel, from its samples."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from cexspec.client import Client
from cexspec.mock.samples import folder_of
from cexspec.models import Event, ServerTime
from cexspec.spec.load import find
from cexspec.transport.clock import SystemClock
from tools.cassettes.folder import public_channels, public_operations
from tools.cassettes.placing import PLACING, place

Requests = Sequence[Mapping[str, Any]]
"""Cases of `requests.yaml`."""
ROWS = 3
DEPTH = 5
"""Cassettes are small: so many rows, so many levels of each side of a book."""
EARLIER = 86_400_000_000_000
"""Starts are a day before those of the samples, so that there are rows enough up to the time of authored cassettes."""


class StillClock(SystemClock):
    """The wall clock stands still, so that the same call is the same request whenever it is made; waiting takes its time."""

    def __init__(self, now: int) -> None:
        self._still = now

    def time_ns(self) -> int:
        """Nanoseconds since the Unix epoch, always the same."""
        return self._still


@dataclass(frozen=True)
class Call:
    """An operation or a channel, and the parameters that it is called or subscribed with."""

    name: str
    params: Mapping[str, Any]

    async def make(self, client: Client) -> list[Event]:
        """The events of the REST call: by the unified method where there is one, else by the operation's name."""
        if client.exchange.operation(self.name).verb in PLACING:
            return await place(client, self.params)
        if "orders" in self.params:
            orders = [{**client.markets.params(one["symbol"]), **one} if "symbol" in one else one for one in self.params["orders"]]
            return await client.rest.call(self.name, **{**self.params, "orders": orders})
        method = getattr(client.rest, f"get_{self.name}", None)
        if method is None:
            return await client.rest.call(self.name, **self.params)
        found = await method(**self.params)
        if isinstance(found, int):  # the one method that returns no model
            return [ServerTime(exchange=client.id, symbol=None, timestamp=found)]
        return found if isinstance(found, list) else [found]


def requests(exchange: str) -> Requests:
    """The calls in the samples of an exchange (its id, or the path of its spec)."""
    path = folder_of(find(exchange)) / "requests.yaml"
    return [case for case in yaml.safe_load(path.read_text(encoding="utf-8")) if "call" in case]


def operations(client: Client, told: Requests) -> Iterator[Call]:
    """One call for every REST operation of a client's exchange that needs no account."""
    for name in public_operations(client.exchange):
        method = getattr(client.rest, f"get_{name}", None)
        given: dict[str, Any] = next((case["call"] for case in told if case.get("operation") == name), {})
        operation = client.exchange.operation(name)
        known = set(inspect.signature(method).parameters) - {"timeout"} if method is not None else {*given, *operation.params}
        # The newest rows, where the pages don't run forward from a start: then the first answer is enough.
        dropped = {"end"} if operation.page is not None and operation.page.direction == "forward" else {"start", "end"}
        params = {key: value - EARLIER if key == "start" else value for key, value in given.items() if key in known - dropped}
        yield Call(name, _small(params, known))


def channels(client: Client, told: Requests) -> Iterator[Call]:
    """One subscription for every channel that needs no account."""
    for name in public_channels(client.exchange):
        yield Call(name, next((case["call"] for case in told if case.get("channel") == name), {}))


def symbols(told: Requests) -> list[str]:
    """All that is asked about."""
    return list(dict.fromkeys(str(case["call"]["symbol"]) for case in told if "symbol" in case["call"]))


def plain(event: Event) -> dict[str, Any]:
    """What an event says, as JSON's own types: numbers as text, without what is None and without the time of receipt."""
    values = json.loads(msgspec.json.encode(event))
    return {key: value for key, value in values.items() if value is not None and key != "received"}


def outcome(events: list[Event]) -> dict[str, Any]:
    """What a cassette says of its events."""
    return {"count": len(events), **({"first": plain(events[0])} if events else {})}


def _small(params: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    bounds = {"limit": ROWS, "depth": DEPTH}
    return {**params, **{name: min(most, params.get(name) or most) for name, most in bounds.items() if name in known}}
