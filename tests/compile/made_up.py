"""A made-up venue for the tests of the compiler: a spec of the parts a test is about, and a context that takes notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from cexspec.compile.exchange import Exchange
from cexspec.models import DecodeError, Market, SpecError
from cexspec.models.market import LatestMarket
from cexspec.spec.load import load_text
from cexspec.spec.problems import Problem

SYMBOLS: dict[str, Any] = {
    "formats": {"spot": "{base}-{quote}", "perpetual": "{base}-{quote}-P", "future": "{base}-{quote}-{expiry:%y%m%d}"},
    "aliases": {"XBT": "BTC"},
    "inverse_quotes": ["USD"],
    "examples": {"BTC/USDT": "XBT-USDT", "BTC/USDT:PERP": "XBT-USDT-P", "ETH/USDT:FUT:20260626": "ETH-USDT-260626"},
}
VERB: dict[str, Any] = {"send": {"op": "subscribe", "args": "{{ topics }}"}}


def exchange(number: type[Decimal] | type[float] = Decimal, **parts: Any) -> Exchange:
    """The exchange of a spec: what every spec needs, and `parts`."""
    spec = {
        "cexspec": "1",
        "id": "venue",
        "name": "Venue",
        "kind": "cex",
        "docs": "https://docs.test/",
        "environments": {"live": {"rest": "https://venue.test", "ws": {"public": "wss://venue.test"}}},
        "symbols": SYMBOLS,
        "errors": {"code": "$.code", "message": "$.msg", "codes": {"404": "InvalidSymbol"}},
        **parts,
    }
    if "ws" not in spec:
        spec["environments"] = {"live": {"rest": "https://venue.test"}}
    unshared = json.loads(json.dumps(spec))  # what several places share would be dumped as anchors, which specs have none of
    return Exchange(load_text(yaml.safe_dump(unshared, sort_keys=False)), number)


def answering(mapping: Mapping[str, Any], number: type[Decimal] | type[float] = Decimal, **parts: Any) -> Exchange:
    """An exchange of one REST operation, `call`, whose answers are mapped so."""
    return exchange(number, rest={"call": {"get": "/call", **mapping}}, **parts)


def streaming(channels: Mapping[str, Mapping[str, Any]], **connection: Any) -> Exchange:
    """An exchange of one connection, `public`."""
    named = {name: {"on": "public", "topic": name, **channel} for name, channel in channels.items()}
    return exchange(ws={"connections": {"public": {"subscribe": VERB, "unsubscribe": VERB, **connection}}, "channels": named})


def errors_of(refusal: SpecError) -> list[Problem]:
    """The problems that a spec is refused for."""
    return [problem for problem in refusal.problems if isinstance(problem, Problem) and problem.severity == "error"]


@dataclass
class Notes(LatestMarket):
    """The context of a message; it keeps the records that are left out."""

    received: int | None = None
    request: Mapping[str, Any] | None = None
    markets: Mapping[str, Market] = field(default_factory=dict)
    left_out: list[DecodeError] = field(default_factory=list)
    category: str | None = None
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def market(self, native_id: str) -> Market:
        """The market of that id; its symbol is the id itself where the test names none."""
        return self.markets.get(native_id, Market(id=native_id, symbol=native_id, kind="spot"))

    def within(self, category: str) -> Callable[[str], Market]:
        """The markets of that category, which the test names `category:id`."""
        return lambda native_id: self.market(f"{category}:{native_id}")

    def quarantine(self, error: DecodeError) -> None:
        """Keep it."""
        self.left_out.append(error)

    def state(self, name: str) -> dict[str, Any]:
        """What messages keep for later ones."""
        return self.states.setdefault(name, {})
