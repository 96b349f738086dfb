"""Rate limits, weights and errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.conditions import Conditions
from cexspec.spec.model.node import Count, Name, Node, Path, Seconds, as_list, key


class Window(Node):
    """So much per so long."""

    rate: Count = key("Units per period", 20)
    per: Seconds = key("The period", "2s")


class Usage(Node):
    """How the venue reports usage."""

    header: str | None = key("The response header that tells the units used in the (first) window", "X-MBX-USED-WEIGHT-1M", None)
    remaining: str | None = key("The response header that tells the units left of it instead", "X-Bapi-Limit-Status", None)

    @model_validator(mode="after")
    def _one_header(self) -> Usage:
        if (self.header is None) == (self.remaining is None):
            raise ValueError("give either 'header' (what is used) or 'remaining' (what is left)")
        return self


class Pool(Node):
    """A budget that operations draw from: `rate` and `per`, or several `windows`."""

    rate: Count | None = key("Units per period", 20, None)
    per: Seconds | None = key("The period", "2s", None)
    windows: list[Window] | None = key("Several windows that all must hold", [{"rate": "6000", "per": "1m"}], None)
    scope: Literal["ip", "account", "endpoint"] = key(
        "What the venue counts by: addresses, accounts, or addresses at each endpoint, so that each operation has a budget of its own",
        "ip",
        "ip",
    )
    by: Literal["pool", "operation", "symbol"] = key(
        "One budget for all that name the pool, or the same budget for each operation or for each operation and symbol",
        "operation",
        "pool",
    )
    usage: Usage | None = key("How the venue reports usage", {"header": "X-MBX-USED-WEIGHT-1M"}, None)
    pause: Seconds | None = key("How long to wait after a breach that names no time", "60s", None)
    docs: str | None = key("The page that states it", "https://www.okx.com/docs-v5/en/#overview-rate-limits", None)

    @model_validator(mode="after")
    def _one_form(self) -> Pool:
        if (self.rate is None) != (self.per is None):
            raise ValueError("'rate' and 'per' go together")
        if (self.rate is None) == (self.windows is None):
            raise ValueError("give either 'rate' with 'per', or 'windows'")
        return self


class Weight(Node):
    """What a call costs. Plain number is short for a constant."""

    const: int | None = key("Always this", 2, None)
    by: str | None = key("The parameter it depends on", "depth", None)
    steps: dict[int, int] | None = key("Up to this value -> weight; beyond the last, the last", {"100": "5", "500": "25"}, None)
    given: int | None = key("With the parameter given", 2, None)
    missing: int | None = key("Without it", 80, None)
    per_rows: Count | None = key(
        "And 1 more for each so many rows of the answer: charged once it is read, so that the budget may be overdrawn and the next"
        " calls wait for it",
        20,
        None,
    )

    @model_validator(mode="after")
    def _one_form(self) -> Weight:
        forms = [self.const is not None, self.steps is not None, self.given is not None or self.missing is not None]
        if sum(forms) != 1:
            raise ValueError("give one of: a number, 'by' with 'steps', 'by' with 'given' and 'missing'")
        if (self.const is None) != (self.by is not None):
            raise ValueError("'by' goes with 'steps' or 'given'/'missing'")
        return self


def _weight(value: Any) -> Any:
    return {"const": value} if isinstance(value, str | int) else value


WeightValue = Annotated[Weight, BeforeValidator(_weight, json_schema_input_type=int | Weight)]


class CodeRule(Node):
    """An error class, or one by the venue's message where a code is generic. Plain text is short for `{class: ...}`."""

    error: str = key("The error class", "InvalidSymbol", alias="class")
    messages: dict[str, str] = key("Text contained in the message -> class, tried first", {"insufficient": "InsufficientFunds"}, {})


def _code(value: Any) -> Any:
    return {"class": value} if isinstance(value, str) else value


PathList = Annotated[list[Path], BeforeValidator(as_list, json_schema_input_type=str | list[str])]


class Errors(Node):
    """How an answer says that it is an error, and which."""

    failed: Conditions | None = key(
        "The answer is an error when this holds (an HTTP status from 400 always is)", {"$.code": {"not": "0"}}, None
    )
    code: PathList = key("Where the venue's code is; the first present of several", ["$.code"], [])
    message: PathList = key("Where its message is; the first present of several", ["$.msg"])
    codes: dict[str, Annotated[CodeRule, BeforeValidator(_code, json_schema_input_type=str | CodeRule)]] = key(
        "Venue code -> error class", {"50011": "RateLimitExceeded"}, {}
    )
    messages: dict[str, str] = key(
        "Text contained in the message (in upper or lower case) -> error class, where `codes` doesn't list the code",
        {"unknown asset pair": "InvalidSymbol"},
        {},
    )
    statuses: dict[str, str] = key("HTTP status -> error class, where no code tells", {"429": "RateLimitExceeded"}, {})
    default: str = key("The class of codes not listed", "ExchangeError", "ExchangeError")
    unknown: list[str] = key(
        "Codes after which a request may have taken effect all the same (so may one with an HTTP status from 500 and no code of `codes`)",
        ["-1007"],
        [],
    )

    @model_validator(mode="after")
    def _codes_have_a_place(self) -> Errors:
        if (self.codes or self.unknown) and not self.code:
            raise ValueError("'codes' and 'unknown' need 'code': the path where answers have it")
        return self


Pools = Annotated[
    dict[Name, Pool],
    Field(description="Name -> budget", examples=[{"market_data": {"rate": "20", "per": "2s"}}], default_factory=dict),
]
