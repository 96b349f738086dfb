"""Symbols: how native ids are written, and the venue's product lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.node import Flag, Name, Node, key

Kind = Literal["spot", "perpetual", "future", "option"]


class SymbolFormat(Node):
    """One way to write a native id. Plain text is short for `{format: ...}`.

    Holes: `{base}`, `{quote}`, `{settle}`, `{expiry:%y%m%d}` (strftime), `{strike}`, `{right}`. `{base:3}` holds exactly
    three characters. `%q` is the letter of a quarter (H, M, U, Z), which with its year means the last Friday of March, June,
    September or December. A format that is nothing but `{base}` reads letters, digits and what `replace` names: any other text
    would be a symbol, too.
    """

    format: str = key("The native id with holes", "{base}-{quote}-SWAP")
    settle: Literal["base", "quote"] | None = key(
        "The settlement currency of instruments written so (default: the quote, or see `inverse_quotes`)", "base", None
    )
    quote: str | None = key("Of a format without `{quote}`: the quote (a common code) of all that is written so", "USDC", None)
    codes: Literal["native", "common"] = key(
        "Whether assets in ids written so are the venue's own codes, which `aliases` translates, or common ones already", "common", "native"
    )
    replace: dict[str, str] = key("Characters of the id that no symbol can hold -> what stands for them, both ways", {":": "-"}, {})
    read_only: Flag = key("Read, never written: another format writes what it stands for", True, False)
    listed_only: Flag = key(
        "Such an id doesn't tell all (its quote, say): it is read for the record of an instrument, which tells the rest, and alone it"
        " stays its own label",
        True,
        False,
    )


def _format(value: Any) -> Any:
    return {"format": value} if isinstance(value, str) else value


def _formats(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


FormatList = Annotated[
    list[Annotated[SymbolFormat, BeforeValidator(_format, json_schema_input_type=str | SymbolFormat)]],
    BeforeValidator(_formats, json_schema_input_type=str | SymbolFormat | list[str | SymbolFormat]),
    Field(description="One format, or a list: read by the first that fits, written by the first that can hold the symbol"),
]


class Symbols(Node):
    """Native ids both ways. Rules work offline; instruments, once loaded, are the authority."""

    formats: dict[Kind, FormatList] = key("Kind -> format(s) of the native id", {"spot": "{base}-{quote}"})
    quotes: list[str] = key(
        "Known quote currencies, where nothing separates base from quote; the longest that fits is taken", ["USDT", "BTC"], []
    )
    aliases: dict[str, str] = key("Native asset code -> common code, both ways", {"XBT": "BTC"}, {})
    assets: dict[str, str] = key(
        "Asset code as accounts have it -> common code, where that is yet another one than in ids of markets", {"ZUSD": "USD"}, {}
    )
    unique_in: Literal["exchange", "category"] = key(
        "Where a native id means one market only; `category`: the same id may be another market in another product line",
        "category",
        "exchange",
    )
    irregular: dict[str, str] = key(
        "Native id -> unified symbol, where no format reads or writes it rightly; before all formats, both ways", {"@107": "HYPE/USDC"}, {}
    )
    inverse_quotes: list[str] = key("Derivatives quoted in these settle in the base currency", ["USD"], [])
    examples: dict[str, str] = key(
        "Unified symbol -> native id; `validate` checks each both ways (one per format at least)", {"BTC/USDT": "BTC-USDT"}
    )


class Category(Node):
    """A product line of the venue, in the order of the rules: the first that fits an instrument is its category."""

    kind: list[Kind] = key("The kinds in it", ["perpetual", "future"])
    settle: list[str] | None = key("Only with these settlement currencies", ["USDT", "USDC"], None)
    value: str | None = key("The venue's word for it, if not the name itself", "SWAP", None)
    contract_size: Annotated[Decimal, Field(gt=0)] | None = key(
        "What one contract of all its instruments stands for, where their list doesn't say", "1", None
    )
    contract_currency: Literal["base", "quote"] | None = key("What `contract_size` is an amount of", "quote", None)

    @model_validator(mode="after")
    def _whole_contract(self) -> Category:
        if (self.contract_size is None) != (self.contract_currency is None):
            raise ValueError("'contract_size' and 'contract_currency' go together")
        return self


Categories = Annotated[
    dict[Name, Category],
    Field(
        description="Ordered product lines; give `{{ category }}`",
        examples=[{"linear": {"kind": ["perpetual", "future"], "settle": ["USDT"]}}],
        default_factory=dict,
    ),
]
