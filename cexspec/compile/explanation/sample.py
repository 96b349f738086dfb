"""Parameters to explain with: made of the spec's own example symbols, and of those it lists as irregular."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import Params
from cexspec.models.symbol import Symbol

TIME = 1_700_000_000_000_000_000
"""The time that `now` shows."""


def samples(exchange: Exchange, kinds: frozenset[str] | None) -> Iterator[Params]:
    """Parameters for each example symbol of these kinds (None: of any)."""
    interval = next(iter(exchange.intervals), None)
    symbols = exchange.spec.symbols
    for text, native in {**symbols.examples, **{text: native for native, text in symbols.irregular.items()}}.items():
        symbol = Symbol.parse(text)
        if kinds is None or symbol.kind in kinds:
            params: dict[str, Any] = {"id": native, "symbol": text, "base": symbol.base, "quote": symbol.quote, "uuid": "<uuid>"}
            category = exchange.category(symbol.kind, symbol.settle)
            params |= {"kind": symbol.kind, "settle": symbol.settle}
            params |= {"category": category.word if category is not None else None, "interval": interval}
            yield {**params, "now": TIME, "start": None, "end": None}
