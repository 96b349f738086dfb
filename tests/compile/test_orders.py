"""What a venue asks of orders: client order ids, made and checked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from cexspec.compile.orders import compile_orders
from cexspec.engine.trading.client_ids import ClientIds
from cexspec.models import InvalidOrder
from cexspec.spec.model import ClientOrderId, Orders

# rules; what an id may be; what it may not be; how one that is made looks
KINDS: list[tuple[dict[str, Any], list[str], list[str], str]] = [
    ({"max_length": 32}, ["a", "A1b2", "x" * 32], ["", "x" * 33, "a-b", "é", "a b", "a\n"], r"[a-z2-7]{24}"),
    ({"max_length": 18, "also": "-_."}, ["a-b_c.d"], ["x" * 19, "a:b", "a\\b"], r"[a-z2-7]{18}"),
    ({"max_length": 30, "prefix": "t-"}, ["t-1", "t-" + "x" * 28], ["1", "t-", "t-" + "x" * 29], r"t-[a-z2-7]{24}"),
    ({"kind": "hex", "max_length": 34, "prefix": "0x"}, ["0x" + "0aF1" * 8], ["0x12", "0x" + "g" * 32, "ab" * 17], r"0x[0-9a-f]{32}"),
    ({"kind": "hex", "max_length": 17}, ["a" * 17], ["a" * 16, "a" * 18], r"[0-9a-f]{17}"),
    ({"kind": "int", "max": 70000}, ["1", "70000"], ["0", "70001", "01", "-1", "1.0", "x"], r"[1-9][0-9]{0,4}"),
    ({"kind": "uuid"}, ["123e4567-E89B-42d3-a456-426614174000"], ["123e4567", "123e4567e89b42d3a456426614174000"], r"[0-9a-f-]{36}"),
]


@pytest.mark.parametrize(("rules", "good", "bad", "made"), KINDS)
def test_ids_are_made_and_checked_by_the_rules(rules: dict[str, Any], good: list[str], bad: list[str], made: str) -> None:
    plan = compile_orders(Orders(client_order_id=ClientOrderId(**rules))).client_ids
    assert plan is not None
    ids = ClientIds(plan, "venue")
    assert [ids.of(each) for each in good] == good
    for each in bad:
        with pytest.raises(InvalidOrder, match="is not what venue takes: ") as refused:
            ids.of(each)
        assert (refused.value.rule, refused.value.value) == ("client_order_id", each)
    new = [ids.of(None) for _ in range(200)]
    assert len(set(new)) == 200
    for one in new:
        assert one is not None and plan.allows(one)
        assert re.fullmatch(made, one)


def test_numbers_go_out_as_numbers_and_begin_anew_after_the_largest() -> None:
    plan = compile_orders(Orders(client_order_id=ClientOrderId(kind="int", max=65535))).client_ids
    ids = ClientIds(plan, "venue", entropy=lambda size: (65533).to_bytes(size))
    assert [ids.of(None) for _ in range(4)] == ["65534", "65535", "1", "2"]
    assert ids.native("7") == 7
    assert ids.native(None) is None
    assert ClientIds(compile_orders(Orders(client_order_id=ClientOrderId(max_length=20))).client_ids, "venue").native("7") == "7"


def test_without_rules_orders_have_no_ids() -> None:
    for orders in (None, Orders()):
        ids = ClientIds(compile_orders(orders).client_ids, "venue")
        assert ids.of(None) is None
        with pytest.raises(InvalidOrder, match="takes no client_order_id"):
            ids.of("mine")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "'max_length' goes with"),
    ({"kind": "int", "max": 70000, "max_length": 20}, "'max_length' goes with"),
    ({"kind": "int"}, "'max' goes with"),
    ({"max_length": 20, "max": 70000}, "'max' goes with"),
    ({"kind": "uuid", "also": "-"}, "'also' goes with"),
    ({"kind": "uuid", "prefix": "t-"}, "'prefix' goes with"),
    ({"max_length": 15}, "greater than or equal to 16"),
]


@pytest.mark.parametrize(("rules", "reason"), WRONG)
def test_rules_that_contradict_each_other_are_refused(rules: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ClientOrderId(**rules)
