"""Symbol codecs: native ids to unified symbols and back, by the spec's rules alone.

Irregular ids come first, both ways. Then reading tries the most literal format first, of equally literal ones the
spec's first; writing takes the first format, in the spec's order, that can hold the symbol, which means that its text
reads back as the same symbol. So what is written is never ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping

from cexspec.compile.categories import category_of
from cexspec.compile.formats import Format, compile_format
from cexspec.compile.plan import CategoryPlan
from cexspec.models import InvalidSymbol, Kind, Symbol
from cexspec.spec.model import Symbols
from cexspec.spec.problems import Findings
from cexspec.spec.source import Where

MAX_ID = 64
"""Characters of a native id at most."""


class Aliases:
    """Native asset codes and common ones, both ways. A code that only the other side uses has no counterpart here."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._common = dict(aliases)
        self._native = {common: native for native, common in aliases.items()}

    def common(self, native: str) -> str | None:
        """Native code -> common code."""
        return self._common.get(native) or (None if native in self._native else native)

    def native(self, common: str) -> str | None:
        """Common code -> native code."""
        return self._native.get(common) or (None if common in self._common else common)


class CommonCodes(Aliases):
    """Ids that hold common codes already. A code that only the venue uses is none."""

    def common(self, native: str) -> str | None:
        """The code itself."""
        return native if super().native(native) is not None else None

    def native(self, common: str) -> str | None:
        """The code itself."""
        return self.common(common)


class Codec:
    """The `SymbolCodec` of a spec. `irregular` ids are those that no format reads rightly."""

    def __init__(
        self,
        formats: list[Format],
        aliases: Mapping[str, str],
        inverse_quotes: frozenset[str],
        irregular: Mapping[str, Symbol],
        categories: tuple[CategoryPlan, ...] = (),
    ) -> None:
        self.formats = tuple(formats)
        self.kinds = tuple(dict.fromkeys([*(each.kind for each in formats), *(symbol.kind for symbol in irregular.values())]))
        self._irregular = dict(irregular)
        self._irregular_ids = {symbol: native_id for native_id, symbol in irregular.items()}
        self._categories = categories
        """the product lines, where ids are unique in one only"""
        self.reading = tuple(sorted(formats, key=lambda each: -each.literal))
        self._codes = {"native": Aliases(aliases), "common": CommonCodes(aliases)}
        self._inverse_quotes = inverse_quotes

    def parse(self, native_id: str, category: str | None = None, *, listed: bool = False) -> tuple[str, Kind] | None:
        """Native id (of a category, by name) -> (unified symbol text, kind); None where no rule reads it.

        `listed`: it is that of an instrument's record, so that rules may read it which don't tell all.
        """
        found = self.read(native_id, category, listed=listed)
        return (str(found[0]), found[0].kind) if found else None

    def format(self, symbol: str) -> str | None:
        """Unified symbol text -> native id; None where no rule writes it, or it is no symbol."""
        try:
            parsed = Symbol.parse(symbol)
        except InvalidSymbol:
            return None
        written = self.write(parsed)
        return written[0] if written else None

    def other_spelling(self, native_id: str, category: str | None = None) -> str | None:
        """The symbol whose instrument has this id (of a category) beside its own; None of an ordinary id."""
        found = self.read(native_id, category)
        return str(found[0]) if found is not None and (found[1] is None or found[1].read_only) else None

    def read(self, native_id: str, category: str | None = None, *, listed: bool = False) -> tuple[Symbol, Format | None] | None:
        """The symbol of a native id (of a category), and the format that reads it (None: it is irregular)."""
        irregular = self._irregular.get(native_id)
        if irregular is not None and category in (None, self.category(irregular)):
            return irregular, None
        if len(native_id) > MAX_ID:
            return None
        for each in self.reading:
            symbol = self._read(each, native_id) if listed or not each.listed_only else None
            if symbol is not None and category in (None, self.category(symbol)):
                return symbol, each
        return None

    def write(self, symbol: Symbol) -> tuple[str, Format | None] | None:
        """The native id of a symbol, and the format that writes it (None: it is irregular)."""
        if symbol in self._irregular_ids:
            return self._irregular_ids[symbol], None
        for each in self.formats:
            text = self._write(each, symbol) if each.kind == symbol.kind and not (each.read_only or each.listed_only) else None
            if text is not None:
                read = self.read(text, self.category(symbol))
                if read is not None and read[0] == symbol:
                    return text, each
        return None

    def category(self, symbol: Symbol) -> str | None:
        """The category in which its id is unique; None: its id is unique anyway."""
        found = category_of(self._categories, symbol.kind, symbol.settle)
        return found.name if found is not None else None

    def _read(self, format: Format, native_id: str) -> Symbol | None:
        parts = format.read(native_id)
        if parts is None:
            return None
        codes = self._codes[format.codes]
        base, quote = codes.common(parts.base), codes.common(parts.quote) if parts.quote else format.quote
        settle = codes.common(parts.settle) if parts.settle else None
        if base is None or quote is None or (parts.settle and settle is None):
            return None
        try:
            return Symbol(base, quote, format.kind, parts.expiry, parts.strike, parts.right, settle or self._settle(format, base, quote))
        except InvalidSymbol:
            return None

    def _write(self, format: Format, symbol: Symbol) -> str | None:
        codes = self._codes[format.codes]
        base, quote = codes.native(symbol.base), format.quote or codes.native(symbol.quote)
        settle = codes.native(symbol.settle) if symbol.settle else None
        if base is None or quote is None or (symbol.settle and settle is None):
            return None
        return format.write(symbol, base, quote, settle or "")

    def _settle(self, format: Format, base: str, quote: str) -> str | None:
        if format.kind == "spot":
            return None
        if format.settle is not None:
            return base if format.settle == "base" else quote
        return base if quote in self._inverse_quotes else quote


def compile_symbols(symbols: Symbols, categories: tuple[CategoryPlan, ...], findings: Findings) -> Codec:
    """The codec of a spec's symbol rules.

    Finds CEX051 (a bad format, alias or irregular id), CEX052 (an example that doesn't go both ways), CEX053 (a format no example is
    written in or read by).
    """
    formats: list[Format] = []
    for kind, listed in symbols.formats.items():
        for at, each in enumerate(listed):
            where = (*symbols.where, "formats", kind, at) if len(listed) > 1 else (*symbols.where, "formats", kind)
            compiled = compile_format(each, kind, symbols.quotes, findings, where)
            if compiled is not None:
                formats.append(compiled)
    _check_aliases(symbols, findings)
    lines = categories if symbols.unique_in == "category" else ()
    regular = Codec(formats, symbols.aliases, frozenset(symbols.inverse_quotes), {}, lines)
    irregular = _irregular(symbols, regular, findings)
    codec = Codec(formats, symbols.aliases, frozenset(symbols.inverse_quotes), irregular, lines)
    if len(formats) == sum(map(len, symbols.formats.values())):
        _check_examples(codec, symbols, findings)
    return codec


def _check_examples(codec: Codec, symbols: Symbols, findings: Findings) -> None:
    used = [found for text, native in symbols.examples.items() for found in _example(codec, text, native, symbols.where, findings)]
    for compiled in codec.formats:
        if compiled not in used:
            findings.error("CEX053", compiled.where, f"no example is written {compiled.text}", "add one to symbols.examples")


def _check_aliases(symbols: Symbols, findings: Findings) -> None:
    seen: dict[str, str] = {}
    for native, common in symbols.aliases.items():
        if common in seen:
            where = (*symbols.where, "aliases", native)
            findings.error("CEX051", where, f"{native} and {seen[common]} are both {common}: aliases go both ways", "keep one of them")
        seen[common] = native


def _irregular(symbols: Symbols, regular: Codec, findings: Findings) -> dict[str, Symbol]:
    """Irregular ids and their symbols; `regular` is what the formats alone say."""
    found: dict[Symbol, str] = {}
    for native, text in symbols.irregular.items():
        where = (*symbols.where, "irregular", native)
        symbol = _symbol(text, "CEX051", where, findings)
        if symbol is None:
            continue
        if symbol in found:
            findings.error("CEX051", where, f"{native} and {found[symbol]} are both {symbol}: each symbol is written one way", "keep one")
            continue
        if regular.parse(native, regular.category(symbol)) == (str(symbol), symbol.kind) and regular.format(str(symbol)) == native:
            findings.error("CEX051", where, f"the formats read and write {native} as {symbol} already", "leave it out")
        found[symbol] = native
    return {native: symbol for symbol, native in found.items()}


def _symbol(text: str, rule: str, where: Where, findings: Findings) -> Symbol | None:
    try:
        symbol = Symbol.parse(text)
    except InvalidSymbol as problem:
        findings.error(rule, where, problem.message, "BTC/USDT, BTC/USDT:PERP, BTC/USD:FUT:20260925:BTC")
        return None
    if str(symbol) != text:
        findings.error(rule, where, f"{text} has one spelling", f"write {symbol}")
    return symbol


def _example(codec: Codec, text: str, native: str, where: Where, findings: Findings) -> list[Format]:
    """The formats an example exercises; what is wrong with it goes to `findings`."""
    where = (*where, "examples", text)
    symbol = _symbol(text, "CEX052", where, findings)
    if symbol is None:
        return []
    read, written = codec.read(native, codec.category(symbol), listed=True), codec.write(symbol)
    if read is None or read[0] != symbol:
        found = f"reads as {read[0]}" if read else "is read by no format"
        hint = "irregular ids first, then the most literal format, of equally literal ones the spec's first"
        findings.error("CEX052", where, f"{native} {found}, not as {text}", hint)
    one_way = read is not None and read[1] is not None and (read[1].read_only or read[1].listed_only)
    if (written is None or written[0] != native) and not one_way:
        found = f"is written {written[0]}" if written else "is written by no format"
        hint = "irregular ids first, then formats in the spec's order: the first that can hold it"
        findings.error("CEX052", where, f"{text} {found}, not {native}", hint)
    return [found[1] for found in (read, written) if found and found[1]]
