"""Ids that venues count out: an item's place in its list, in lists of lists, and numbers added to ids."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cexspec.compile.exchange import Exchange
from cexspec.models import DecodeError, Market, SpecError
from tests.compile.made_up import Notes, answering, errors_of


def venue(code: Any, items: Any, id: Any = "$.n", **more: Any) -> Exchange:
    mapping = {"returns": "instrument", "items": items, "fields": {"id": id, "code": code}, **more}
    made = answering(mapping)
    made.operation("call")
    return made


def codes(made: Exchange, body: Any) -> list[str | None]:
    reader = made.operation("call").reader
    assert reader is not None
    return [event.code for event in reader.read(json.dumps(body).encode(), Notes())]  # type: ignore[attr-defined]


def named(*names: str) -> list[dict[str, str]]:
    return [{"n": f"{name}-USDT"} for name in names]


LISTS = [{"list": named("A", "B")}, {"list": named("C")}, {"list": named("D", "E")}, {"list": []}, {"list": named("F")}]
COUNTED: list[tuple[str, Any, Any, Any, list[str]]] = [
    ("in one list", "item", "$.list[*]", {"list": named("A", "B", "C")}, ["0", "1", "2"]),
    ("in the answer itself", "item", "$[*]", named("A", "B"), ["0", "1"]),
    ("in each inner list", "item", "$[*].list[*]", LISTS, ["0", "1", "0", "0", "1", "0"]),
    ("from a number on", {"starts": [100]}, "$[*].list[*]", LISTS, ["100", "101", "100", "100", "101", "100"]),
    ("every inner list later", {"every": 10}, "$[*].list[*]", LISTS, ["0", "1", "10", "20", "21", "40"]),
    ("the first ones elsewhere", {"starts": [0, 110], "every": 10}, "$[*].list[*]", LISTS, ["0", "1", "110", "120", "121", "140"]),
    ("several elsewhere", {"starts": [5, 70, 110], "every": 10}, "$[*].list[*]", LISTS, ["5", "6", "70", "110", "111", "130"]),
]


@pytest.mark.parametrize(("what", "place", "items", "body", "expected"), COUNTED, ids=[case[0] for case in COUNTED])
def test_counts_items(what: str, place: Any, items: Any, body: Any, expected: list[str]) -> None:
    assert codes(venue({"place": place}, items), body) == expected


def test_counts_items_paired_of_several_lists() -> None:
    made = venue({"place": "item"}, {"zip": ["$.a", "$.b"]}, "$[0].n")
    assert codes(made, {"a": named("A", "B"), "b": [1, 2]}) == ["0", "1"]


def test_counts_items_that_are_left_out() -> None:
    made = venue({"place": "item"}, "$[*]", only={"$.off": {"is": "absent"}})
    assert codes(made, [*named("A"), {"n": "B-USDT", "off": True}, *named("C")]) == ["0", "2"]


@pytest.mark.parametrize(("place", "items", "expected"), [("item", "$[*]", "2"), ({"every": 10}, "$[*].list[*]", "12")])
def test_counts_items_beside_broken_ones(place: Any, items: str, expected: str) -> None:
    rows = [*named("A"), {"n": 0.5}, *named("C")]
    body = rows if items == "$[*]" else [{"list": named("X")}, {"list": rows}]
    reader = venue({"place": place}, items).operation("call").reader
    assert reader is not None
    notes = Notes()
    events = reader.read(json.dumps(body).encode(), notes)
    assert [event.code for event in events][-1] == expected  # type: ignore[attr-defined]
    assert len(events) == len(notes.left_out) + (1 if items == "$[*]" else 2)


def test_counts_for_some_kinds_only() -> None:
    by_kind = {"spot": {"place": "item"}, "other": "$.i"}
    one = {"const": "1"}
    fields = {"symbol": "$.n", "id": {"by_kind": by_kind}, "price": one, "size": one, "side": {"const": "buy"}}
    made = answering({"returns": "trade", "items": "$[*]", "fields": fields})
    reader = made.operation("call").reader
    assert reader is not None
    rows = [{"n": "A", "i": "x"}, {"n": "B", "i": "y"}, {"n": "C", "i": "z"}]
    notes = Notes(markets={"B": Market("B", "B", "perpetual")})
    assert [event.id for event in reader.read(json.dumps(rows).encode(), notes)] == ["0", "y", "2"]  # type: ignore[attr-defined]


ADDED: list[tuple[Any, Any, str]] = [
    ({"path": "$.i", "plus": 10000}, 107, "10107"),
    ({"path": "$.i", "plus": 10000}, "107", "10107"),
    ({"path": "$.i", "strip": "@", "plus": -7}, "@107", "100"),
    ({"path": "$.i", "plus": 10000, "optional": True}, None, "None"),
]


@pytest.mark.parametrize(("rule", "value", "expected"), ADDED)
def test_adds_to_ids(rule: Any, value: Any, expected: str) -> None:
    assert [str(code) for code in codes(venue(rule, "$[*]"), [{"n": "A-USDT", "i": value}])] == [expected]


def test_adds_to_places() -> None:
    assert codes(venue({"place": "item", "plus": 10}, "$[*]"), named("A", "B")) == ["10", "11"]


@pytest.mark.parametrize("value", ["ten", "", "-1", "1.5", "\u0661"])
def test_adds_to_whole_numbers_only(value: str) -> None:
    made = venue({"path": "$.i", "plus": 1}, "$[*]")
    reader = made.operation("call").reader
    assert reader is not None
    with pytest.raises(DecodeError, match="is no whole number"):
        reader.read(json.dumps([{"n": "A-USDT", "i": value}]).encode(), Notes())


REFUSED: list[tuple[str, Any, Any, str]] = [
    ("members of an object", {"place": "item"}, "$.list.*", "'place' counts items of a list, and these stand in none"),
    ("deeper lists", {"place": "item"}, "$[*].a[*].b[*]", "'place' counts items of a list, and these stand in none"),
    ("an outer list that isn't there", {"place": {"every": 10}}, "$[*]", "'place' counts in an outer list too, and these items have none"),
]


@pytest.mark.parametrize(("what", "code", "items", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refuses_to_count(what: str, code: Any, items: Any, reason: str) -> None:
    with pytest.raises(SpecError) as refused:
        venue(code, items)
    assert any(reason in problem.message for problem in errors_of(refused.value))


def test_numbers_are_decimals_beside_places() -> None:
    made = answering({"returns": "instrument", "items": "$[*]", "fields": {"id": "$.n", "code": {"place": "item"}, "step_size": "$.s"}})
    reader = made.operation("call").reader
    assert reader is not None
    (event,) = reader.read(b'[{"n": "A-USDT", "s": "0.10"}]', Notes())
    assert (event.code, event.step_size) == ("0", Decimal("0.10"))  # type: ignore[attr-defined]
