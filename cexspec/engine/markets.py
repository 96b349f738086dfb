"""Native ids and unified symbols of one exchange, both ways.

Offline, the spec's symbol rules answer. Once instruments are loaded they are the authority: what they list is looked
up, never guessed, and no two ids share a symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, cast

from cexspec.compile.plan import ExchangePlan
from cexspec.models import Instrument, InvalidSymbol, Kind, Market, Number
from cexspec.models.symbol import Symbol

MAX_GUESSES = 10_000
"""Ids kept that no instrument lists: bounded, because they come from the wire."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """An instrument that was left out because an earlier one has its symbol or its id."""

    id: str
    symbol: str | None
    taken_by: str


class _Table(dict[str, Market]):
    """Markets by native id; one that is missing is made."""

    def __init__(self, make: Callable[[str], Market]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, native_id: str) -> Market:
        return self._make(native_id)


class Markets:
    """What every native id of an exchange stands for. `number` is the client's number type."""

    def __init__(self, plan: ExchangePlan, number: type[Decimal] | type[float] = Decimal) -> None:
        self._plan, self._number = plan, number
        self._instruments: dict[str, Instrument] = {}
        self._ids: dict[str, str] = {}
        self._markets = _Table(self._guess)
        self.market: Callable[[str], Market] = self._markets.__getitem__
        """The market of a native id; one that nothing knows is labelled by itself. Never fails, one dict hit when known."""
        self._guesses = 0
        self.conflicts: tuple[Conflict, ...] = ()

    @property
    def loaded(self) -> bool:
        """Whether instruments are the authority."""
        return bool(self._instruments)

    def load(self, instruments: Iterable[Instrument]) -> tuple[Conflict, ...]:
        """Make these instruments the authority, in place of earlier ones; none at all change nothing.

        Of two with one symbol or one id the first wins; the others are returned, and kept in `conflicts`.
        """
        by_id: dict[str, Instrument] = {}
        ids: dict[str, str] = {}
        conflicts = []
        for each in instruments:
            symbol = each.symbol or each.id
            if each.id in by_id or symbol in ids:
                conflicts.append(Conflict(each.id, each.symbol, ids.get(symbol, each.id)))
                continue
            by_id[each.id], ids[symbol] = each, each.id
        if by_id:
            self._instruments, self._ids, self.conflicts = by_id, ids, tuple(conflicts)
            self._forget_guesses()
        return tuple(conflicts)

    def native_id(self, symbol_or_id: str) -> str:
        """The native id. Raises `InvalidSymbol`, with close matches once instruments are loaded."""
        if self._instruments:
            found = self._ids.get(symbol_or_id) or (symbol_or_id if symbol_or_id in self._instruments else None)
            if found is None:
                raise self._unknown(symbol_or_id, (*self._ids, *self._instruments))
            return found
        written = self._plan.symbols.format(symbol_or_id)
        if written is not None:
            return written
        if "/" in symbol_or_id and self._plan.symbols.parse(symbol_or_id) is None:
            raise self._unknown(symbol_or_id, ())
        return symbol_or_id

    def params(self, symbol_or_id: str) -> dict[str, Any]:
        """What a request or subscription may hold of a market: `id`, `symbol`, `base`, `quote`, `category`.

        Parts that can't be known are not in it. Raises `InvalidSymbol`.
        """
        native_id = self.native_id(symbol_or_id)
        market = self.market(native_id)
        params: dict[str, Any] = {"id": native_id, "symbol": market.symbol}
        listed = self._instruments.get(native_id)
        if listed is not None:
            base, quote, settle = listed.base, listed.quote, listed.settle
        elif market.kind is not None:
            parsed = Symbol.parse(str(market.symbol))
            base, quote, settle = parsed.base, parsed.quote, parsed.settle
        else:
            return params
        params |= {"base": base, "quote": quote}
        if market.kind is not None and (category := self._plan.category(market.kind, settle)) is not None:
            params["category"] = category
        return params

    def instrument(self, symbol_or_id: str) -> Instrument | None:
        """The loaded instrument; None while none are loaded. Raises `InvalidSymbol`."""
        return self._instruments.get(self.native_id(symbol_or_id))

    def _forget_guesses(self) -> None:
        self._guesses = 0
        self._markets.clear()
        self._markets.update({each.id: self._market_of(each) for each in self._instruments.values()})

    def _market_of(self, listed: Instrument) -> Market:
        return Market(
            id=listed.id,
            symbol=listed.symbol or listed.id,
            kind=listed.kind,
            contract_size=_decimal(listed.contract_size),
            contract_in_quote=listed.contract_currency == listed.quote,
            number=self._number,
        )

    def _guess(self, native_id: str) -> Market:
        if self._guesses >= MAX_GUESSES:
            self._forget_guesses()
        self._guesses += 1
        symbol, kind = self._rule(native_id)
        market = self._markets[native_id] = Market(native_id, symbol, kind, number=self._number)
        return market

    def _rule(self, native_id: str) -> tuple[str, Kind | None]:
        read = self._plan.symbols.parse(native_id)
        # A symbol that an instrument has belongs to that instrument alone.
        return (native_id, None) if read is None or read[0] in self._ids else (read[0], cast(Kind, read[1]))

    def _unknown(self, asked: str, known: Iterable[str]) -> InvalidSymbol:
        close = get_close_matches(asked.upper(), list(known), 3)
        hint = f": did you mean {' or '.join(close)}?" if close else ""
        error = InvalidSymbol(f"no symbol or native id {asked[:80]!r}{hint}", exchange=self._plan.id)
        error.symbol = asked
        return error


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
