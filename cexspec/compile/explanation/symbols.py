"""How native ids are read and written: the rules in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterator

from cexspec.compile.exchange import Exchange
from cexspec.compile.explanation.text import Lines, Row, Section, compact
from cexspec.compile.formats import Format


def symbols(exchange: Exchange) -> Iterator[Section]:
    """The symbol rules of an exchange."""
    codec, spec, lines = exchange.symbols, exchange.spec.symbols, Lines(exchange)
    irregular = [
        Row("irregular", f"{native} is {text}", lines.at((*spec.where, "irregular", native))) for native, text in spec.irregular.items()
    ]
    read = [Row(each.kind, _told(each), lines.at(each.where)) for each in codec.reading]
    written = [Row(each.kind, each.text, lines.at(each.where)) for each in codec.formats if not (each.read_only or each.listed_only)]
    yield Section("symbols: native ids are read by the first that fits", [*irregular, *read])
    yield Section("written by the first that can hold the symbol", [*irregular, *written])
    for name in ("aliases", "assets", "quotes", "inverse_quotes"):
        if value := getattr(spec, name):
            yield Section(name, [Row("", compact(value), lines.at((*spec.where, name)))])


def _told(each: Format) -> str:
    facts = {
        f"quoted in {each.quote}": each.quote is not None,
        f"settled in the {each.settle}": each.settle is not None,
        "common codes": each.codes == "common",
        ", ".join(f"'{here}' is '{there}' in symbols" for here, there in each.replace.items()): bool(each.replace),
        "another spelling: read only": each.read_only,
        "only in records of instruments": each.listed_only,
    }
    return ", ".join([each.text, *(fact for fact, holds in facts.items() if holds)])
