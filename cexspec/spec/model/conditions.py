"""Conditions on a message: structures, never expressions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cexspec.spec.model.node import Flag, Node, Path, as_list, key

Shape = Literal["array", "object", "text", "number", "boolean", "present", "absent"]


class Condition(Node):
    """What a path must hold; every key given must be true of it."""

    value: str | None = key("Equal to this value, compared as text", "trades", None)
    any_of: list[str] | None = key("Equal to one of these values", ["te", "fte"], None)
    not_: str | None = key("Present and not equal to this value", "0", None, alias="not")
    prefix: str | None = key("Text that starts so", "candle", None)
    suffix: str | None = key("Text that ends so", "@trade", None)
    is_: Annotated[list[Shape], BeforeValidator(as_list, json_schema_input_type=str | list[str])] | None = key(
        "The JSON shape of the value, or whether there is one; one of several shapes", "array", None, alias="is"
    )
    of: Literal["message", "frame"] = key("What `$` is: the message (default), or the frame around it", "frame", "message")
    min_length: int | None = key("An array of at least so many elements", 10, None)
    max_length: int | None = key("An array of at most so many elements", 4, None)
    optional: Flag = key("Also holds where there is nothing (or null) at the path", True, False)

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.model_fields_set - {"of", "optional"}:
            raise ValueError("an empty condition: say a value, a list of values, prefix, suffix, is, not or a length")
        if self.optional and {"present", "absent"} & set(self.is_ or ()):
            raise ValueError("'is: present' and 'is: absent' say whether there is anything: remove 'optional'")
        return self


def _condition(value: Any) -> Any:
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, list):
        return {"any_of": value}
    return value


Conditions = Annotated[
    dict[Path, Annotated[Condition, BeforeValidator(_condition, json_schema_input_type=str | list[str] | Condition)]],
    Field(
        description="Path -> value, list of values, or a structure; all must hold",
        examples=[{"$.arg.channel": "trades"}],
        min_length=1,
    ),
]
