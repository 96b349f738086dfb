"""Choices by what is asked: which operation serves a verb, and which word of the venue stands for several parameters together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cexspec.spec.model.node import Flag, Node, Tree, as_list, key

Verb = Literal[
    "place_order",
    "amend_order",
    "cancel_order",
    "cancel_all_orders",
    "place_orders",
    "cancel_orders",
    "order",
    "open_orders",
    "order_history",
    "fills",
    "positions",
    "balances",
    "set_leverage",
    "set_margin_mode",
]
"""What the client can ask of an account; an operation of such a name serves it."""

_Words = Annotated[list[str], BeforeValidator(as_list, json_schema_input_type=str | list[str])]


class Asked(Node):
    """What a parameter of the call must be. A text is short for `{any_of: [text]}`, a list for `{any_of: list}`."""

    any_of: _Words | None = key("One of these, compared as text (flags are `true` or `false`)", ["market", "limit"], None)
    not_: _Words | None = key("Given, and none of these", ["gtd"], None, alias="not")
    is_: Literal["present", "absent"] | None = key(
        "Whether it is given at all; a flag that isn't set is absent", "present", None, alias="is"
    )
    optional: Flag = key("Also holds where it isn't given", True, False)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Asked:
        if sum(one is not None for one in (self.any_of, self.not_, self.is_)) != 1:
            raise ValueError("say one of: a word, a list of words, 'not', 'is: present', 'is: absent'")
        if self.optional and self.is_ is not None:
            raise ValueError("'is' says whether it is given: remove 'optional'")
        return self


def _asked(value: Any) -> Any:
    return {"any_of": value} if isinstance(value, str | list) else value


When = Annotated[
    dict[str, Annotated[Asked, BeforeValidator(_asked, json_schema_input_type=str | list[str] | Asked)]],
    Field(
        description="Parameter -> word, list of words, or a structure; all must hold",
        examples=[{"type": ["market", "limit"]}],
        min_length=1,
    ),
]


class Choice(Node):
    """One row of a decision table."""

    is_: Tree = key("What the hole holds then: a text or structure that may have holes; not given: nothing", "post_only", None, alias="is")
    when: When | None = key("The row is taken when this holds, and none before it was (default: always)", {"post_only": "true"}, None)


def _some(rows: list[Choice]) -> list[Choice]:
    if not rows:
        raise ValueError("a table without rows chooses nothing")
    return rows


Table = Annotated[
    list[Choice],
    AfterValidator(_some),
    Field(
        description="Rows in order; the first whose `when` holds is taken. Where none does, the venue has no word for it",
        examples=[[{"is": "LIMIT_MAKER", "when": {"post_only": "true"}}, {"is": "LIMIT", "when": {"type": "limit"}}]],
    ),
]
