"""A venue that answers from a script, and a client of it on a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from cexspec import Client
from cexspec.transport.clock import VirtualClock
from cexspec.transport.http import HttpAnswer, HttpCall

T = TypeVar("T")
SPEC = Path(__file__).with_name("venue.yaml")
Answer = dict[str, Any] | HttpAnswer | Exception | Callable[["Asked"], Any]


@dataclass(frozen=True)
class Asked:
    """A request as the venue reads it."""

    path: str
    given: dict[str, Any]
    call: HttpCall


def good(data: Any = None) -> dict[str, Any]:
    return {"code": "0", "data": data}


def bad(code: str, message: str = "") -> dict[str, Any]:
    return {"code": code, "msg": message}


def instrument(native: str = "BTC-USDT", **others: Any) -> dict[str, Any]:
    base, quote, *rest = native.split("-")
    found: dict[str, Any] = {"id": native, "kind": "swap" if rest else "spot", "base": base, "quote": quote, "active": True}
    found |= {"tick": "0.1", "step": "0.001", "min": "0.001", "max": "100", "notional": "5"}
    if rest:
        inverse = quote == "USD"
        found |= {"settle": base if inverse else quote, "contract": "100" if inverse else "0.01"}
        found |= {"contract_ccy": quote if inverse else base, "step": "1", "min": "1", "max": "1000", "notional": None}
    return found | others


def order(**others: Any) -> dict[str, Any]:
    found = {"id": "BTC-USDT", "oid": "1", "cid": "mine", "side": "buy", "type": "limit", "state": "open", "at": "1700000000000"}
    return found | {"size": "0.5", "filled": "0", "price": "50000"} | others


LISTED = [
    instrument(),
    instrument("ETH-USDT"),
    instrument("BTC-USDT-SWAP"),
    instrument("BTC-USD-SWAP"),
    instrument("OLD-USDT", active=False),
]


@dataclass
class Venue:
    """An `HttpTransport`: path -> answers in order, the last of them for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpAnswer:
        parts = urlsplit(call.url)
        given = json.loads(call.body) if call.body else dict(parse_qsl(parts.query))
        one = Asked(parts.path, given, call)
        self.asked.append(one)
        queue = self.answers.get(parts.path) or [good(LISTED) if parts.path == "/instruments" else good([])]
        answer: Any = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer):
            answer = answer(one)
        if hasattr(answer, "__await__"):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, HttpAnswer) else HttpAnswer(200, {}, json.dumps(answer).encode())

    def sent(self, path: str) -> list[dict[str, Any]]:
        """What was asked at a path."""
        return [one.given for one in self.asked if one.path == path]


def client_of(venue: Venue, clock: VirtualClock | None = None, spec: Path = SPEC, **options: Any) -> Client:
    settings: dict[str, Any] = {"environment": "demo", "credentials": {"api_key": "k-planted", "api_secret": "s-planted"}, **options}
    return Client(spec, http=venue, clock=clock or VirtualClock(), **settings)


async def run(client: Client, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; the client's clock moves on whenever nothing else can happen."""
    clock = client._clock
    assert isinstance(clock, VirtualClock)
    return await clock.run(work)
