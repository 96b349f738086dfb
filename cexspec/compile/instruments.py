"""The symbol of an instrument record: from its own parts, or by the symbol rules where the venue leaves them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar, cast

from cexspec.compile.categories import category_of, named
from cexspec.compile.exchange_plan import SymbolCodec
from cexspec.compile.hole import Hole
from cexspec.compile.numbers import NumberType
from cexspec.compile.plan import CategoryPlan
from cexspec.models import InvalidSymbol, Number
from cexspec.models.events import Kind
from cexspec.models.symbol import Symbol

Names = tuple[str, Kind, str, str, str | None, Number | None, str | None, Number | None, str | None]
"""Unified symbol, kind, base, quote, settlement currency, strike, right, contract size and what it is an amount of."""
Terms = tuple[date | None, Number | None, str | None]
"""The day of expiry, the strike and the right."""


class InstrumentNames:
    """Completes and names instruments.

    Assets are translated by the spec's aliases. Base, quote, kind, settlement, strike and right that the venue doesn't
    send follow from the native id; a kind also from the product line that has no other, and contracts from their product
    line. A record whose parts make no symbol (an option without strike) keeps its native id as symbol. `aliases` are native asset
    codes and the common ones.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "id", "kind", "base", "quote", "settle", "expiry", "strike", "right", "contract_size", "contract_currency")  # fmt: skip
    COMPLETED: ClassVar[tuple[str, ...]] = (
        "symbol", "kind", "base", "quote", "settle", "strike", "right", "contract_size", "contract_currency")  # fmt: skip

    def __init__(
        self,
        codec: Callable[[], SymbolCodec],
        aliases: Mapping[str, str],
        inverse_quotes: list[str],
        categories: tuple[CategoryPlan, ...],
        number: NumberType,
    ) -> None:
        self._codec, self.aliases, self._inverse = codec, dict(aliases), frozenset(inverse_quotes)
        self._categories, self._number = categories, number

    def of(
        self,
        category: str | None,
        native_id: str,
        kind: Kind | None,
        base: str | None,
        quote: str | None,
        settle: str | None,
        expiry: int | None,
        strike: Number | None,
        right: str | None,
        contract_size: Number | None,
        contract_currency: str | None,
    ) -> Names:
        """Raises `Hole` where neither the record nor its id tells what it is. `category`: the line that the answer is about."""
        line = named(self._categories, category)
        kind = kind or _only_kind(line)
        read = self._read(native_id, line) if kind is None or not base or not quote else None
        kind = kind or (read.kind if read else None)
        base = self._common(base) or (read.base if read else None)
        quote = self._common(quote) or (read.quote if read else None)
        if kind is None or base is None or quote is None:
            raise Hole(f"nothing tells kind, base and quote of '{native_id}'")
        settle = self._settle(kind, base, quote, self._common(settle) or (read.settle if read and read.quote == quote else None))
        terms = self._terms(native_id, kind, line, (_day(expiry), strike, right))
        symbol = _symbol(kind, base, quote, settle, terms) or native_id
        line = category_of(self._categories, kind, settle)
        if contract_size is None and line is not None and line.contract_size is not None:
            contract_size = self._number(line.contract_size)
            contract_currency = quote if line.contract_currency == "quote" else base
        return symbol, kind, base, quote, settle, terms[1], terms[2], contract_size, contract_currency

    def _read(self, native_id: str, line: CategoryPlan | None) -> Symbol | None:
        found = self._codec().parse(native_id, line.name if line is not None else None, listed=True)
        return Symbol.parse(found[0]) if found else None

    def _common(self, asset: str | None) -> str | None:
        return self.aliases.get(asset, asset) if asset else None

    def _settle(self, kind: Kind, base: str, quote: str, settle: str | None) -> str | None:
        if kind == "spot":
            return None
        return settle or (base if quote in self._inverse else quote)

    def _terms(self, native_id: str, kind: Kind, line: CategoryPlan | None, given: Terms) -> Terms:
        """The terms of an instrument: those of an option or a future that the record leaves out stand in its id."""
        day, strike, right = given
        missing = {"future": day is None, "option": None in given}.get(kind, False)
        read = self._read(native_id, line) if missing else None
        if read is None or read.kind != kind:
            return given
        told = self._number(str(read.strike)) if read.strike is not None else None
        return day or read.expiry, strike if strike is not None else told, right or read.right


def _day(expiry: int | None) -> date | None:
    return datetime.fromtimestamp(expiry // 1_000_000_000, UTC).date() if expiry else None


def _symbol(kind: Kind, base: str, quote: str, settle: str | None, terms: Terms) -> str | None:
    """The unified symbol; None where the parts make none."""
    day = terms[0] if kind in ("future", "option") else None
    strike, right = terms[1:] if kind == "option" else (None, None)
    try:
        return str(Symbol(base, quote, kind, day, Decimal(str(strike)) if strike is not None else None, right, settle))  # type: ignore[arg-type]
    except InvalidSymbol:
        return None


def _only_kind(line: CategoryPlan | None) -> Kind | None:
    """The kind of all instruments of a product line that has no other."""
    return cast(Kind, next(iter(line.kinds))) if line is not None and len(line.kinds) == 1 else None
