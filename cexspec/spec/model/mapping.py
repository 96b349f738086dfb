"""Mappings: one message (or many items in it) to unified models. REST operations and channels share them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.conditions import Conditions
from cexspec.spec.model.fields import Fields, FieldValue
from cexspec.spec.model.node import Count, Flag, Name, Node, Path, key


class Zip(Node):
    """Pairs the elements of several lists: the item is `[first, second, ...]`."""

    zip: list[Path] = key("The lists to pair", ["$[0].universe", "$[1]"])


class Columns(Node):
    """Columnar arrays: the item is an object of the n-th elements."""

    columns: dict[str, Path] = key("Name in the item -> list", {"time": "$.data.time", "open": "$.data.open"})


Items = Path | Zip | Columns


class CategoryAt(Node):
    """Where a message, or each of its items, names the product line that ids belong to. Plain text is short for `{path: ...}`."""

    path: Path = key("Where it is", "$.category")
    of: Literal["message", "item"] = key("What `$` is", "item", "message")


def _place(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class Levels(Node):
    """Book levels of another shape than lists of `[price, size, ...]`."""

    bids: Path | None = key("The list of bids", "$.data.levels[0]", None)
    asks: Path | None = key("The list of asks", "$.data.levels[1]", None)
    mixed: Path | None = key("One list of both, with a `side` rule; a path without `[*]` is a single level", "$[1][*]", None)
    split: str | None = key("A level is a text joined by this", ",", None)
    price: FieldValue = key("The price inside a level", "$[0]")
    size: FieldValue = key("The size inside a level", "$[1]")
    side: FieldValue | None = key("`bid` or `ask`, for `mixed`", {"path": "$[0]", "map": {"buy": "bid", "sell": "ask"}}, None)
    remove_when: Conditions | None = key("The level is removed when this holds (default: size is 0)", {"$[1]": "0"}, None)

    @model_validator(mode="after")
    def _one_form(self) -> Levels:
        if (self.mixed is None) == (self.bids is None) or (self.bids is None) != (self.asks is None):
            raise ValueError("give 'bids' and 'asks', or 'mixed' with 'side'")
        if (self.mixed is None) != (self.side is None):
            raise ValueError("'mixed' and 'side' go together")
        return self


class Sequence(Node):
    """How book messages prove that none was lost."""

    rule: Literal["contiguous", "previous", "overlap", "monotonic", "per_connection"] = key("The named rule", "previous")
    first: Path | None = key("First update id in the message", "$.U", None)
    last: Path = key("Last update id in the message", "$.u")
    previous: Path | None = key("Last update id of the message before", "$.pu", None)
    of: Literal["item", "message"] = key("What `$` is", "message", "item")
    accepts: list[Literal["equal", "reset", "snapshot_is_previous"]] = key("Documented exceptions of the venue", ["reset"], [])


class Merge(Node):
    """Partial updates: a member of the item that is missing, or null, has the last value it had on this connection.

    What is merged are the top-level members of the item. An item that lacks a required field is passed over as long as no
    message has reset what is known of it.
    """

    by: Path = key("What an item is about, inside the item: those with the same value are merged", "$.symbol")
    reset_when: Conditions | None = key(
        "Messages whose items replace what is known (none: everything is merged)", {"$.type": "snapshot"}, None
    )


class Checksum(Node):
    """A checksum over the top of the book, computed by a registered hook."""

    hook: Name = key("A registered checksum hook", "crc32_interleaved")
    depth: Count = key("Levels of each side in it", 25)
    value: Path = key("Where the venue's value is", "$.checksum")
    precision: Literal["instrument"] | None = key(
        "Numbers count with as many decimals as the instrument's price and size steps have (default: with the digits as sent)",
        "instrument",
        None,
    )
    until: date | None = key("The venue sends none since this day", "2026-06-23", None)


class RestSync(Node):
    """Buffer deltas, fetch a snapshot over REST, apply what follows it."""

    rest: Name = key("The operation that gives the snapshot", "order_book")
    depth: Count = key("Levels to ask for", 1000)


Sync = Literal["stream", "replace"] | RestSync


Like = Annotated[str, Field(pattern=r"^(rest|ws)\.[a-z][a-z0-9_]*$")]


class Mapping(Node):
    """Where a unified model is in a message.

    With `like`, the keys not given here (but `shape`) are those of the named mapping; `fields` merge key by key, and `null`
    takes away what it has.
    """

    like: Like | None = key("The mapping of this operation or channel, but for what is said here", "rest.ticker", None)
    shape: Conditions | None = key(
        "How its messages look: for a frame whose learned value is unknown (before its ack, or offline), "
        "and for an answer of which only the address is known, where several operations share it",
        {"$[1]": {"min_length": "10"}},
        None,
    )
    returns: Name | None = key("The unified model", "trade", None)
    item: Path | None = key("The one thing the message is about (default: the message)", "$.data", None)
    items: Items | None = key("Many: a path, pairs of lists, or columns", "$.data[*]", None)
    category: Annotated[CategoryAt, BeforeValidator(_place, json_schema_input_type=str | CategoryAt)] | None = key(
        "Where the message names the product line that its ids belong to (default: the request's, else the connection's);"
        " with `of: item` each item does",
        "$.result.category",
        None,
    )
    only: Conditions | None = key("Only items of which this holds", {"$[8]": "0"}, None)
    skip: list[str] = key("Keys of an iterated object that are no items", ["last"], [], alias="except")
    merge: Merge | None = key(
        "Items are partial updates: what one doesn't say is as it was", {"by": "$.symbol", "reset_when": {"$.type": "snapshot"}}, None
    )
    fields: Fields | None = key("Unified field -> rule", {"price": "$.px"}, None)
    levels: Levels | None = key(
        "Book levels of another shape than lists of [price, size, ...]", {"bids": "$.b", "asks": "$.a", "price": "$.p", "size": "$.s"}, None
    )
    snapshot_when: Conditions | Literal["always", "never"] | None = key(
        "When a book message holds the whole book", {"$.action": "snapshot"}, None
    )
    sequence: Sequence | None = key(
        "How book messages prove that none was lost", {"rule": "previous", "last": "$.seqId", "previous": "$.prevSeqId"}, None
    )
    checksum: Checksum | None = key(
        "A checksum over the top of the book", {"hook": "crc32_interleaved", "depth": "25", "value": "$.checksum"}, None
    )
    ordered: Literal["best_first", "any"] = key("Whether the venue sends snapshot levels best first", "any", "best_first")
    truncate: Flag = key("The book is cut to the subscribed depth", True, False)

    @model_validator(mode="after")
    def _one_cardinality(self) -> Mapping:
        if self.item is not None and self.items is not None:
            raise ValueError("'item' is one, 'items' are many: keep one of them")
        return self
