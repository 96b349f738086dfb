"""The symbol of an instrument record: from its own parts, or by the symbol rules where the venue leaves them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from cexspec.compile.hole import Hole
from cexspec.compile.plan import SymbolCodec
from cexspec.models import InvalidSymbol, Number
from cexspec.models.events import Kind
from cexspec.models.symbol import Symbol

Names = tuple[str, Kind, str, str, str | None]
"""Unified symbol, kind, base, quote, settlement currency."""


class InstrumentNames:
    """Completes and names instruments.

    Assets are translated by the spec's aliases. Base, quote, kind and settlement that the venue doesn't send follow
    from the native id. A record whose parts make no symbol (an option without strike) keeps its native id as symbol.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("id", "kind", "base", "quote", "settle", "expiry", "strike", "right")

    def __init__(self, codec: Callable[[], SymbolCodec], aliases: Mapping[str, str], inverse_quotes: list[str]) -> None:
        self._codec, self._aliases, self._inverse = codec, dict(aliases), frozenset(inverse_quotes)

    def of(
        self,
        native_id: str,
        kind: Kind | None,
        base: str | None,
        quote: str | None,
        settle: str | None,
        expiry: int | None,
        strike: Number | None,
        right: str | None,
    ) -> Names:
        """Raises `Hole` where neither the record nor its id tells what it is."""
        read = self._read(native_id) if kind is None or not base or not quote else None
        kind = kind or (read.kind if read else None)
        base = self._common(base) or (read.base if read else None)
        quote = self._common(quote) or (read.quote if read else None)
        if kind is None or base is None or quote is None:
            raise Hole(f"nothing tells kind, base and quote of '{native_id}'")
        settle = self._settle(kind, base, quote, self._common(settle) or (read.settle if read else None))
        return self._symbol(native_id, kind, base, quote, settle, expiry, strike, right), kind, base, quote, settle

    def _read(self, native_id: str) -> Symbol | None:
        found = self._codec().parse(native_id)
        return Symbol.parse(found[0]) if found else None

    def _common(self, asset: str | None) -> str | None:
        return self._aliases.get(asset, asset) if asset else None

    def _settle(self, kind: Kind, base: str, quote: str, settle: str | None) -> str | None:
        if kind == "spot":
            return None
        return settle or (base if quote in self._inverse else quote)

    def _symbol(
        self,
        native_id: str,
        kind: Kind,
        base: str,
        quote: str,
        settle: str | None,
        expiry: int | None,
        strike: Number | None,
        right: str | None,
    ) -> str:
        day = datetime.fromtimestamp(expiry // 1_000_000_000, UTC).date() if expiry and kind in ("future", "option") else None
        terms = (Decimal(str(strike)) if strike is not None else None, right) if kind == "option" else (None, None)
        try:
            return str(Symbol(base, quote, kind, day, terms[0], terms[1], settle))  # type: ignore[arg-type]
        except InvalidSymbol:
            return native_id
