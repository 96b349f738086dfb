"""Field rules: the closed vocabulary that turns a venue's value into a unified field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.conditions import Conditions
from cexspec.spec.model.node import Flag, Node, Path, as_list, key

SOURCES = ("path", "first_of", "const", "market", "place", "by_kind", "by_category")
"""Keys of a rule that say where its value comes from."""

Source = Literal["item", "parent", "message", "frame", "key", "request"]
Unit = Literal["s", "ms", "us", "ns", "iso", "fraction", "decimals"]


class Sign(Node):
    """A signed number that tells the side."""

    positive: str = key("The word for a positive number", "buy")
    negative: str = key("The word for a negative number", "sell")


class FlagWords(Node):
    """A boolean that tells a word."""

    true: str = key("The word for true", "sell")
    false: str = key("The word for false", "buy")


_Separator = Annotated[str, Field(min_length=1)]
Separators = Annotated[
    list[_Separator], BeforeValidator(as_list, json_schema_input_type=_Separator | list[_Separator]), Field(min_length=1)
]


class Split(Node):
    """One part of a joined text."""

    by: Separators = key("The separator, or several: the text is parted wherever one of them stands", ":")
    part: int = key("Which part, from 0; negative counts from the end", 1)


class Place(Node):
    """The number of an item by its place in a list, from 0. The text `item` is short for a place in one list."""

    starts: Annotated[list[int], Field(min_length=1)] = key("Where counting begins in each element of the outer list", [0, 110000], [0])
    every: int = key("How much later it begins in each element behind those of `starts`", 10000, 0)

    @property
    def nested(self) -> bool:
        """Whether it counts in an outer list too."""
        return bool(self.model_fields_set)


def _place(value: Any) -> Any:
    return {} if value == "item" else value


class Branching(NamedTuple):
    """A rule for each kind or category of markets: `on` says which, `other` among the rules is the rest."""

    on: Literal["kind", "category"]
    rules: Mapping[str, FieldRule]

    @property
    def key(self) -> str:
        """The key of the spec that says it."""
        return f"by_{self.on}"


class Lookup(Node):
    """A list of the message in which the value is a key."""

    in_: Path = key("The list, from the message", "$.tokens", alias="in")
    by: Path = key("Where an element has its key (compared as text)", "$.index")
    take: Path = key("What is taken of the element", "$.name")


class FieldRule(Node):
    """Where a unified field comes from. Plain text is short for `{path: ...}`.

    Exactly one source: `path`, `first_of`, `const`, `market`, `place`, `by_kind`, `by_category`, or `of: request` / `of: key` alone.
    Then, in this order: `unless`, `lookup`, `absent`/`empty`, `split`, `strip`, `prefix`, `case`, `map`/`flag`/`sign`, `zero`, `abs`,
    `negate`, `plus`, `minus`, `times`, `over`, `unit`, `or`, `scale`.
    """

    path: Path | None = key("Where the value is", "$.px", None)
    first_of: list[Path] | None = key("The first of these that is present", ["$.T", "$.E"], None)
    const: str | None = key("Always this value", "spot", None)
    market: Literal["base", "quote", "settle"] | None = key(
        "This currency of the item's own market: of fees, where nothing else says in what they are paid", "quote", None
    )
    place: Annotated[Place, BeforeValidator(_place, json_schema_input_type=Literal["item"] | Place)] | None = key(
        "The item's place in its list, from 0: `item`, or a mapping for items in lists of lists",
        {"starts": [0, 110000], "every": 10000},
        None,
    )
    by_kind: dict[Literal["spot", "perpetual", "future", "option", "other"], FieldValue] | None = key(
        "A rule by the instrument's kind; `other` is the rest", {"spot": "$.vol24h", "other": "$.volCcy24h"}, None
    )
    by_category: dict[str, FieldValue] | None = key(
        "A rule by the market's category; `other` is the rest", {"inverse": "$.turnover24h", "other": "$.volume24h"}, None
    )
    of: Source = key(
        "What `$` is: the item (default), its parent (for items in lists of lists: the element of the outer list), the message,"
        " the frame around it, the item's key in its object, or the request or subscription that asked (alone: the field of the"
        " same name)",
        "message",
        "item",
    )
    lookup: Lookup | None = key(
        "The value is a key into a list of the message: taken is what its element has",
        {"in": "$.tokens", "by": "$.index", "take": "$.name"},
        None,
    )
    split: Split | None = key("Take one part of a joined text", {"by": "@", "part": "0"}, None)
    strip: str | None = key("Remove this text from the front", "candle", None)
    prefix: str | None = key("Put this text in front", "t", None)
    map: dict[str, str] | None = key("Venue word -> unified word; a word not listed is an error", {"BUY": "buy"}, None)
    unknown: str | None = key("The unified word for one that `map` doesn't list (descriptive fields only)", "other", None)
    flag: FlagWords | None = key("A boolean that tells a word", {"true": "sell", "false": "buy"}, None)
    sign: Sign | None = key("A signed number that tells the side", {"positive": "buy", "negative": "sell"}, None)
    abs: Flag = key("Drop the sign", True, False)
    negate: Flag = key("Turn the sign round", True, False)
    zero: Literal["absent"] | None = key("0 means there is none", "absent", None)
    empty: Literal["absent"] | None = key('"" means there is none', "absent", None)
    absent: list[str] | None = key("Each of these words means there is none", ["-", "none"], None)
    optional: Flag = key("May be missing or null", True, False)
    unless: Conditions | None = key(
        "There is none where all of this holds of the item: what stands there is something else", {"$.tgtCcy": "quote_ccy"}, None
    )
    minus: Path | None = key("The number at this path is taken away", "$.closed", None)
    times: Path | None = key("Multiplied by the number at this path", "$.ctMult", None)
    over: Path | None = key("Divided by the number at this path; where that is 0 there is none", "$.executedQty", None)
    or_: FieldValue | None = key("The rule to take where this one gives none", {"path": "$.avgPx", "zero": "absent"}, None, alias="or")
    unit: Unit | None = key(
        "The unit of a time or ratio at the venue; `decimals`: a number of decimal places that stands for a step (2 -> 0.01)", "ms", None
    )
    scale: Literal["contract_size"] | None = key(
        "The number counts contracts: converted to base by the instrument; the count goes to `contracts`", "contract_size", None
    )
    case: Literal["upper", "lower"] | None = key("Change the case of a text", "upper", None)
    plus: int | None = key("Add this to a number, or to an id that is a whole one", 10000, None)

    @property
    def branching(self) -> Branching | None:
        """The rules it chooses among by the market; None: it is the same for all."""
        if self.by_category is not None:
            return Branching("category", self.by_category)
        return Branching("kind", {str(kind): rule for kind, rule in self.by_kind.items()}) if self.by_kind is not None else None

    @property
    def inner(self) -> list[tuple[tuple[str, ...], FieldRule]]:
        """The rules inside of it, with the keys that lead there."""
        branching = self.branching
        found: list[tuple[tuple[str, ...], FieldRule]] = []
        if branching is not None:
            found += [((branching.key, name), rule) for name, rule in branching.rules.items()]
        return [*found, (("or",), self.or_)] if self.or_ is not None else found

    @property
    def every(self) -> list[FieldRule]:
        """Itself, and the rules inside of it."""
        return [self, *(one for _, rule in self.inner for one in rule.every)]

    @property
    def may_be_none(self) -> bool:
        """Whether it may give none, whatever the venue sends elsewhere."""
        marks = (self.zero, self.empty, self.absent, self.over, self.unless, self.market)
        return self.optional or self.of == "request" or any(mark is not None for mark in marks)

    @model_validator(mode="after")
    def _one_source(self) -> FieldRule:
        sources = [name for name in SOURCES if getattr(self, name) is not None]
        implied = self.of in ("request", "key")
        if len(sources) > 1:
            raise ValueError(f"more than one source: {' and '.join(sources)}; keep one")
        if not sources and not implied:
            raise ValueError(f"no source: give {', '.join(SOURCES)}, or 'of: request' / 'of: key'")
        if implied and sources and sources != ["path"]:
            raise ValueError(f"'of: {self.of}' goes with a path or alone")
        return self


def _rule(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _may_be_null(schema: dict[str, Any]) -> None:
    schema["additionalProperties"]["anyOf"].append({"type": "null"})


FieldValue = Annotated[FieldRule, BeforeValidator(_rule, json_schema_input_type=str | FieldRule)]
Fields = Annotated[
    dict[str, FieldValue],
    Field(
        description="Unified field -> path, or path plus rules; `null` takes away one that `like` or `extends` brings",
        examples=[{"price": "$.px", "size": "$.sz"}],
        json_schema_extra=_may_be_null,
    ),
]
FieldRule.model_rebuild()
