"""Native ids and unified symbols of one exchange, both ways.

Offline, the spec's symbol rules answer. Once instruments are loaded they are the authority: what they list is looked
up, never guessed, and no two ids share a symbol, but for the other spellings of an id that the rules know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from typing import Any, cast
from weakref import WeakSet

from cexspec.compile.exchange_plan import ExchangePlan
from cexspec.models import Instrument, InvalidSymbol, Kind, Market, Number
from cexspec.models.market import LatestMarket
from cexspec.models.symbol import Symbol

MAX_GUESSES = 10_000
"""Ids kept that no instrument lists: bounded, because they come from the wire."""


Key = tuple[str | None, str]
"""The product line in which a native id is unique (None: it is anyway), and the id."""


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
    """What every native id of an exchange stands for. `number` is the client's number type.

    Where ids are unique in a product line only (`unique_in: category`), each line has a table of its own, and an id is one
    market without its line only as long as no other line has it.
    """

    def __init__(self, plan: ExchangePlan, number: type[Decimal] | type[float] = Decimal) -> None:
        self._plan, self._number = plan, number
        self._instruments: dict[Key, Instrument] = {}
        self._keys: dict[str, Key] = {}
        self._scopes = {category.name: category.name for category in plan.categories} if plan.unique_in_category else {}
        self._tables = {scope: _Table(partial(self._guess, scope)) for scope in (None, *self._scopes)}
        if self._scopes:
            self._scopes |= {category.word: category.name for category in plan.categories}
            self._tables[None] = _Table(self._anywhere)
        self.market: Callable[[str], Market] = self.within(None)
        """The market of a native id; one that nothing knows is labelled by itself. Never fails, one dict hit when known."""
        self._guesses = 0
        self._latest = WeakSet[LatestMarket]()
        self.edition = 0
        """Grows when instruments are loaded: what ids stand for may be something else then."""
        self.conflicts: tuple[Conflict, ...] = ()
        self._left_out: frozenset[Key] = frozenset()

    @property
    def loaded(self) -> bool:
        """Whether instruments are the authority."""
        return bool(self._instruments)

    def within(self, category: str | None) -> Callable[[str], Market]:
        """As `market`, of one product line (its name, or the venue's word); None, or one that isn't known: of any."""
        return self._tables[self._scopes.get(category or "")].__getitem__

    def keep_current(self, latest: LatestMarket) -> None:
        """Have a remembered market forgotten when ids may stand for something else, as long as anybody holds it."""
        self._latest.add(latest)

    def load(self, instruments: Iterable[Instrument]) -> tuple[Conflict, ...]:
        """Make these instruments the authority, in place of earlier ones; none at all change nothing.

        Of two with one symbol or one id the first wins; the others are returned, and kept in `conflicts`.
        """
        by_key: dict[Key, Instrument] = {}
        keys: dict[str, Key] = {}
        conflicts, left_out = [], set[Key]()
        for each in instruments:
            symbol, key = each.symbol or each.id, self.key(each)
            if key in by_key or symbol in keys:
                conflicts.append(Conflict(each.id, each.symbol, keys[symbol][1] if symbol in keys else each.id))
                left_out.add(key)
                continue
            by_key[key], keys[symbol] = each, key
        if by_key:
            self._instruments, self._keys, self.conflicts, self._left_out = by_key, keys, tuple(conflicts), frozenset(left_out)
            self._forget_guesses()
            self.edition += 1
        return tuple(conflicts)

    def key(self, instrument: Instrument) -> Key:
        """What tells an instrument from all others of the exchange."""
        return self._scope_of(instrument), instrument.id

    def find(self, symbol_or_id: str) -> Market:
        """The market that a caller names. Raises `InvalidSymbol`, with close matches once instruments are loaded."""
        if self._instruments:
            scope, native_id = self._key(symbol_or_id)
            return self._tables[scope][native_id]
        written = self._plan.symbols.format(symbol_or_id)
        if written is not None:
            return self._tables[self._scope_of(Symbol.parse(symbol_or_id))][written]
        if "/" in symbol_or_id and not self._is_an_id(symbol_or_id):
            raise self._unknown(symbol_or_id, ())
        self._check_unique(symbol_or_id, [scope for scope in self._scopes.values() if self._plan.symbols.parse(symbol_or_id, scope)])
        return self.market(symbol_or_id)

    def native_id(self, symbol_or_id: str) -> str:
        """The native id. Raises `InvalidSymbol`, as `find`."""
        return self.find(symbol_or_id).id

    def params(self, symbol_or_id: str) -> dict[str, Any]:
        """What a request or subscription may hold of a market: `id`, `code`, `symbol`, `base`, `quote`, `category`.

        Parts that can't be known are not in it. Raises `InvalidSymbol`.
        """
        market = self.find(symbol_or_id)
        params: dict[str, Any] = {"id": market.id, "symbol": market.symbol}
        listed = self._listed(market)
        if listed is not None:
            base, quote, settle = listed.base, listed.quote, listed.settle
            params["code"] = listed.code
        elif market.kind is not None:
            parsed = Symbol.parse(str(market.symbol))
            base, quote, settle = parsed.base, parsed.quote, parsed.settle
        else:
            return params
        params |= {"base": base, "quote": quote}
        if market.kind is not None and (category := self._plan.category(market.kind, settle)) is not None:
            params["category"] = category.word
        return params

    def instrument(self, symbol_or_id: str) -> Instrument | None:
        """The loaded instrument; None while none are loaded. Raises `InvalidSymbol`."""
        return self._listed(self.find(symbol_or_id))

    def _listed(self, market: Market) -> Instrument | None:
        return self._instruments.get(self._keys.get(market.symbol or "", (None, market.id)))

    def _key(self, asked: str) -> Key:
        """The scope and id of a loaded instrument. Raises `InvalidSymbol`."""
        if (key := self._keys.get(asked)) is not None:
            return key
        found = [key for scope in self._tables if (key := (scope, asked)) in self._instruments]
        found = found or [key for scope in self._tables if (key := self._spelt(scope, asked)) is not None]
        if not found:
            raise self._unknown(asked, (*self._keys, *(native_id for _, native_id in self._instruments)))
        self._check_unique(asked, [scope for scope, _ in found])
        return found[0]

    def _check_unique(self, asked: str, scopes: Iterable[str | None]) -> None:
        """An id that several product lines know names no market: whatever is done must not reach another one."""
        symbols = list(dict.fromkeys(str(self._tables[scope][asked].symbol) for scope in dict.fromkeys(scopes)))
        if len(symbols) > 1:
            raise self._refused(asked, f"{asked!r} is the id of {' and '.join(symbols)}: name one of these")

    def _spelt(self, scope: str | None, native_id: str) -> Key | None:
        """The instrument that this is another spelling of. An id that the venue lists by itself is none."""
        symbol = self._plan.symbols.other_spelling(native_id, scope)
        return self._keys.get(symbol) if symbol is not None and (scope, native_id) not in self._left_out else None

    def _is_an_id(self, text: str) -> bool:
        """Whether the rules know a text that looks like a symbol as an id, and not as a symbol that they can't write."""
        rules = self._plan.symbols
        symbol = rules.other_spelling(text)
        return rules.parse(text) is not None if symbol is None else rules.format(symbol) is not None

    def _scope_of(self, thing: Instrument | Symbol) -> str | None:
        """The product line in which an instrument's id is unique; None: it is unique anyway."""
        category = self._plan.category(thing.kind, thing.settle) if self._scopes else None
        return category.name if category is not None else None

    def _forget_guesses(self) -> None:
        self._guesses = 0
        for latest in self._latest:
            latest.forget()
        for scope, table in self._tables.items():
            table.clear()
            table.update({id: self._market_of(each) for (own, id), each in self._instruments.items() if own == scope})

    def _market_of(self, listed: Instrument) -> Market:
        category = self._plan.category(listed.kind, listed.settle)
        return Market(
            id=listed.id,
            symbol=listed.symbol or listed.id,
            kind=listed.kind,
            contract_size=_decimal(listed.contract_size),
            contract_in_quote=listed.contract_currency == listed.quote,
            number=self._number,
            category=category.name if category is not None else None,
        )

    def _guess(self, scope: str | None, native_id: str) -> Market:
        self._make_room()
        listed = self._spelt(scope, native_id)
        if listed is not None:
            market = self._tables[scope][native_id] = self._tables[listed[0]][listed[1]]
            return market
        symbol, kind = self._rule(native_id, scope)
        category = self._plan.category(kind, Symbol.parse(symbol).settle) if kind is not None and self._plan.categories else None
        market = self._tables[scope][native_id] = Market(
            native_id,
            symbol,
            kind,
            contract_size=category.contract_size if category is not None and kind != "spot" else None,
            contract_in_quote=category is not None and category.contract_currency == "quote",
            number=self._number,
            category=category.name if category is not None else None,
        )
        return market

    def _anywhere(self, native_id: str) -> Market:
        """The market of an id whose product line isn't known: the only one that has it, else none that could be named."""
        self._make_room()
        known = [market for scope in dict.fromkeys(self._scopes.values()) if (market := self._tables[scope][native_id]).kind is not None]
        market = known[0] if len(known) == 1 else Market(native_id, native_id, None, number=self._number)
        self._tables[None][native_id] = market
        return market

    def _make_room(self) -> None:
        if self._guesses >= MAX_GUESSES:
            self._forget_guesses()
        self._guesses += 1

    def _rule(self, native_id: str, scope: str | None) -> tuple[str, Kind | None]:
        read = self._plan.symbols.parse(native_id, scope)
        # A symbol that an instrument has belongs to that instrument alone.
        return (native_id, None) if read is None or read[0] in self._keys else (read[0], cast(Kind, read[1]))

    def _unknown(self, asked: str, known: Iterable[str]) -> InvalidSymbol:
        close = get_close_matches(asked.upper(), list(known), 3)
        hint = f": did you mean {' or '.join(close)}?" if close else ""
        return self._refused(asked, f"no symbol or native id {asked[:80]!r}{hint}")

    def _refused(self, asked: str, reason: str) -> InvalidSymbol:
        error = InvalidSymbol(reason, exchange=self._plan.id)
        error.symbol = asked
        return error


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
