"""What a venue asks of orders, beside their requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cexspec.spec.model.node import Count, Node, Seconds, key


class ClientOrderId(Node):
    """The id that an order gets from its owner: how it is made, and what one of the caller's own may be.

    A text or `hex` has 1 to `max_length` characters and begins with `prefix`; an `int` is from 1 to `max`.
    """

    docs: str | None = key("The page that states it", "https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-order", None)
    kind: Literal["text", "hex", "int", "uuid"] = key(
        "What it is: letters and digits, hexadecimal digits (all of `max_length`), a number, a UUID", "text", "text"
    )
    max_length: Annotated[Count, Field(ge=16, le=255)] | None = key("Characters at most, `prefix` included", 32, None)
    also: str = key("Characters of a text besides ASCII letters and digits", "_-", "")
    prefix: Annotated[str, Field(max_length=8)] = key("What every one begins with", "t-", "")
    max: Annotated[Count, Field(ge=65535, lt=2**63)] | None = key("The largest number", 4294967295, None)

    @model_validator(mode="after")
    def _parts_of_its_kind(self) -> ClientOrderId:
        written = self.kind in ("text", "hex")
        if written != (self.max_length is not None):
            raise ValueError("'max_length' goes with the kinds 'text' and 'hex'")
        if (self.kind == "int") != (self.max is not None):
            raise ValueError("'max' goes with the kind 'int'")
        if self.also and self.kind != "text":
            raise ValueError("'also' goes with the kind 'text'")
        if self.prefix and not written:
            raise ValueError("'prefix' goes with the kinds 'text' and 'hex'")
        return self


class Orders(Node):
    """What holds for orders, whatever operation places them."""

    client_order_id: ClientOrderId | None = key(
        "How the client's own ids are written; without it orders have none", {"kind": "text", "max_length": "32"}, None
    )
    visible_within: Seconds = key(
        "An order whose outcome is unknown, and that can't be found for so long (and the receive window), was never placed", "2s", 5.0
    )
    slippage: Annotated[Decimal, Field(gt=0, lt=1)] | None = key(
        "Every order has a limit: one without gets the hole `worst_price`, so much (a share) worse than the market or its stop price",
        "0.05",
        None,
    )
    docs: str | None = key("The page that states it", "https://www.okx.com/docs-v5/en/#order-book-trading-trade", None)
