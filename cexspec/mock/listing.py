"""What the mock venue lists: the spec's own examples, the instruments of its samples, and a few everybody trades."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any
from zlib import crc32

from cexspec.compile.exchange import Exchange
from cexspec.compile.plan import CategoryPlan
from cexspec.hooks import Precision
from cexspec.mock.encode import Encoder
from cexspec.mock.market import Grid, Row
from cexspec.mock.samples import Samples, decode
from cexspec.models import InvalidSymbol
from cexspec.models.symbol import Symbol

INSTRUMENTS = "instruments"
EXPIRES_AT = time(8)
"""When what expires on a day does so, in UTC."""
NANOSECONDS = 1_000_000_000
_NAMES = ("id", "symbol", "category")
"""Holes that name an instrument (a category alone does not)."""
_COMMON = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ETH/BTC", "BTC/USDT:PERP", "ETH/USDT:PERP", "SOL/USDT:PERP")
_COSTS = ("last", "price", "close", "mark_price", "open")
_COARSE = 1_000
"""A tick that goes less often into a price is another market's."""
_SIGNS = re.compile(r"([-_/:])")
_PRICES = {
    "BTC": "116200", "ETH": "4010", "SOL": "182", "BNB": "780", "XRP": "3", "DOGE": "0.2", "EUR": "1.16",
    "USD": "1", "USDT": "1", "USDC": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """An instrument of a sample: what it means, and the row as it stands there."""

    symbol: Symbol
    event: Mapping[str, Any]
    item: Any
    key: str | None = None
    """what the venue calls it where an object holds it"""


class Models:
    """The tradable instruments in the samples of operations whose items are alike."""

    def __init__(self, exchange: Exchange, samples: Samples, *operations: str) -> None:
        known = exchange.spec.rest
        parts = [name for one in operations if one in known for name in known[one].joins or [one] if name in known]
        encoders = [(case, Encoder([known[name]], decode(case["raw"]), {})) for name in parts for case in samples.answers(name)]
        rows = [row for case, encoder in encoders for row in zip(case["events"], encoder.samples, encoder.keys, strict=False)]
        found = [(Model(symbol, *row), row[0]) for row in rows if (symbol := symbol_of(row[0].get("symbol"))) is not None]
        self.all = [model for model, event in found if event.get("active", True)]
        self.retired = [model for model, event in found if event.get("active") is False]
        """what is traded no more"""

    def nearest(self, symbol: Symbol) -> Model | None:
        """The instrument itself, else one of the same kind, settled alike, that says as much as possible of itself."""

        def distance(model: Model) -> tuple[bool, bool, int]:
            other = model.symbol
            return other != symbol, (other.settle == other.quote) != (symbol.settle == symbol.quote), -len(model.event)

        return min((model for model in self.all if model.symbol.kind == symbol.kind), key=distance, default=None)


@dataclass(frozen=True)
class Listed:
    """One instrument: what it is, and how its market begins."""

    id: str
    symbol: Symbol
    price: Decimal
    grid: Grid
    category: CategoryPlan | None
    precision: Precision | None = None
    tick: Decimal | None = None
    """its tick, where that of its like is too coarse"""
    model: Model | None = None
    """as the samples have it"""

    @property
    def branches(self) -> tuple[str, ...]:
        """What rules by kind or category choose by."""
        return (self.symbol.kind, self.category.name) if self.category is not None else (self.symbol.kind,)

    @property
    def params(self) -> dict[str, str]:
        """What requests and topics may hold of it."""
        word = self.category.word if self.category is not None else None
        found = {"id": self.id, "symbol": str(self.symbol), "base": self.symbol.base, "quote": self.symbol.quote, "category": word}
        return {key: value for key, value in found.items() if value is not None}

    @property
    def key(self) -> str:
        """What the venue calls it where an object holds it."""
        return (self.model.key if self.model is not None else None) or self.id

    @property
    def row(self) -> Row:
        """Its instrument event."""
        symbol = self.symbol
        end = int(datetime.combine(symbol.expiry, EXPIRES_AT, UTC).timestamp()) * NANOSECONDS if symbol.expiry is not None else None
        terms = {"settle": symbol.settle, "expiry": end, "strike": symbol.strike, "right": symbol.right, "tick_size": self.tick}
        own = {
            "symbol": self.id,
            "id": self.id,
            "key": self.key,
            "kind": symbol.kind,
            "base": symbol.base,
            "quote": symbol.quote,
            "active": True,
        }
        return {**own, **{key: value for key, value in terms.items() if value is not None}}


class Listing:
    """Everything listed, by unified symbol. `symbols` (unified or native) are listed too, as far as the spec can write them.

    A native id that no symbol means (a spread of two instruments, say) has a market, but is no instrument: it is found by
    its id and not met in iteration.
    """

    def __init__(self, exchange: Exchange, samples: Samples, symbols: Iterable[str] = ()) -> None:
        self._exchange, symbols = exchange, tuple(symbols)
        self._models, self._costs = Models(exchange, samples, INSTRUMENTS), _costs(samples)
        self._listed = {str(one.symbol): one for text in self._names(symbols) if (one := self._made(text)) is not None}
        unnamed = (one for text in symbols if self._made(text) is None and (one := _unnamed(text)) is not None)
        self._others = {str(one.symbol): one for one in unnamed}

    def __getitem__(self, symbol: str) -> Listed:
        """The instrument of a unified symbol. Raises InvalidSymbol where the venue has none."""
        found = self._listed.get(symbol) or self._others.get(symbol)
        if found is None:
            raise InvalidSymbol(f"no instrument {symbol}", exchange=self._exchange.id)
        return found

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._listed.values())

    def about(self, row: Mapping[str, Any]) -> Listed | None:
        """The instrument that an account's event is about, where it is about one."""
        return self.named({"id": row["symbol"], "category": row["category"]}) if row.get("symbol") is not None else None

    def named(self, params: Mapping[str, Any]) -> Listed | None:
        """The instrument that the holes of a request or topic name; None where they name none.

        Raises InvalidSymbol where the venue has none of that name.
        """
        asked = {key: params[key] for key in _NAMES if key in params}
        if asked.keys() <= {"category"}:
            return None
        spelt = self._exchange.symbols.other_spelling(asked.get("id", ""))
        fits = (one for one in self._everything() if all(one.params.get(key) == value for key, value in asked.items()))
        found = next(fits, None) or self._listed.get(spelt or "")
        if found is None:
            raise InvalidSymbol(f"no instrument {' '.join(map(str, asked.values()))}", exchange=self._exchange.id)
        return found

    def find(self, name: str) -> Listed:
        """The instrument of a unified symbol or native id. Raises InvalidSymbol where the venue has none."""
        found = self._listed.get(name) or next((one for one in self._everything() if one.id == name), None)
        return found or self[self._exchange.symbols.other_spelling(name) or name]

    def _everything(self) -> Iterator[Listed]:
        return chain(self, self._others.values())

    def _names(self, symbols: Iterable[str]) -> Iterator[str]:
        spec = self._exchange.spec.symbols
        yield from symbols
        yield from (str(model.symbol) for model in self._models.all)
        yield from (*spec.examples, *spec.irregular.values())
        yield from (text for text in _COMMON if ("perpetual" if ":" in text else "spot") in spec.formats)

    def _made(self, text: str) -> Listed | None:
        native, symbol = self._identified(text)
        model = self._models.nearest(symbol) if symbol is not None else None
        if symbol is None or (self._models.all and model is None):
            return None
        steps = [Decimal(str(found)) if model and (found := model.event.get(name)) else None for name in ("tick_size", "step_size")]
        price, (tick, step) = self._costs.get(str(symbol)) or _price(symbol), steps
        own = model if model is not None and model.symbol == symbol else None
        finer = Grid.around(price).tick if own is None and tick is not None and price < tick * _COARSE else None
        tick = finer or tick
        precision = Precision.of(tick, step) if tick is not None and step is not None else None
        category = self._exchange.category(symbol.kind, symbol.settle)
        return Listed(native, symbol, price, Grid.around(price, tick, step), category, precision, finer, own)

    def _identified(self, text: str) -> tuple[str, Symbol | None]:
        """Native id and symbol: those of a sample instrument, which may follow no rule, else by the rules."""
        codec = self._exchange.symbols
        for model in self._models.all:
            if "id" in model.event and text in (model.event["id"], str(model.symbol)):
                return model.event["id"], model.symbol
        native = codec.format(text)
        return (native, symbol_of(text)) if native is not None else (text, symbol_of((codec.parse(text) or (None,))[0]))


def _unnamed(native: str) -> Listed | None:
    """What no symbol means; None for what looks like one."""
    symbol = symbol_of(f"{native}/USD")
    return Listed(native, symbol, Decimal(100), Grid.around(Decimal(100)), None) if symbol is not None else None


def renamed(item: Any, old: Symbol, new: Symbol) -> Any:
    """A sample's item about an instrument with the assets of another: where they stand alone, joined by a sign, or at once."""
    assets = {old.base: new.base, old.quote: new.quote, f"{old.base}{old.quote}": f"{new.base}{new.quote}"}
    if old == new or old.base == old.quote:
        return item
    if isinstance(item, dict):
        return {key: renamed(value, old, new) for key, value in item.items()}
    if isinstance(item, list):
        return [renamed(value, old, new) for value in item]
    return "".join(assets.get(part, part) for part in _SIGNS.split(item)) if isinstance(item, str) else item


def symbol_of(text: str | None) -> Symbol | None:
    """The symbol of a text; None where it is none."""
    try:
        return Symbol.parse(text or "")
    except InvalidSymbol:
        return None


def _costs(samples: Samples) -> dict[str, Decimal]:
    """What instruments cost in the samples, by symbol: the first price of any."""
    events = [event for case in samples.messages for event in case.get("events") or () if event.get("symbol")]
    prices = [(str(event["symbol"]), event[name]) for name in _COSTS for event in events if event.get(name)]
    return {symbol: Decimal(str(price)) for symbol, price in reversed(prices) if Decimal(str(price)) > 0}


def _price(symbol: Symbol) -> Decimal:
    """About what it costs."""
    base, quote = (Decimal(_PRICES.get(asset, 10 + crc32(asset.encode()) % 90)) for asset in (symbol.base, symbol.quote))
    if symbol.kind == "option":
        base *= Decimal("0.05")
    return (base / quote).quantize(Decimal("1e-8"))
